"""A plant under cn-hazchem, its permits booked by events, and the worker."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from automations.packs.compile import find, load
from core.api.reading import Value
from core.clock import NS
from core.config import Bundle
from core.deadlines import Deadline
from core.geometry.shapes import Area, Hazard
from core.permits import life_events as e
from core.permits.areas import write_area
from core.permits.conflicts import Conflicts
from core.permits.pack import Pack
from core.permits.packs import digest_of
from core.permits.state import PermitRecord
from tests.support.geometry import GeometryWorker
from tests.support.kernel import Bench, make_kernel
from tests.support.yard import HOST, bundle, tag

HOUR = 3_600 * NS


@functools.cache
def law() -> Pack:
    """Return the shipped pack, compiled once."""
    return load(find("cn-hazchem"))


def plan(*hazards: Hazard, pack: Pack | None = None) -> Bundle:
    """Return the yard's bundle with the law and hazards."""
    found = bundle()
    return msgspec.structs.replace(
        found,
        site=msgspec.structs.replace(found.site, hazards=hazards),
        packs=(pack or law(),),
    )


def disc(x: float, y: float, radius: float = 1.0, **more: object) -> dict[str, object]:
    """Return an area as a form gives it."""
    shape = {"type": "disc", "at": [x, y], "radius_m": radius}
    return {"level": "ground", "shape": shape, **more}


class Plant:
    """Drive permits and the worker over one kernel; tell what was heard."""

    def __init__(self, *hazards: Hazard) -> None:
        self.bench: Bench = make_kernel(plan(*hazards))
        self.worker = GeometryWorker(self.bench)
        self.heard: list[str] = []
        self._listen()
        self.worker.connect()

    def _listen(self) -> None:
        looked = self.room.changed

        def hear(permits: Iterable[str]) -> None:
            named = list(permits)
            self.heard += named
            looked(named)

        self.room.changed = hear

    @property
    def room(self) -> Conflicts:
        """Return the source under test."""
        return self.bench.kernel.conflicts

    def restart(self) -> None:
        """Stop and start the hub; the worker opens a new session."""
        self.bench.restart(clean=True)
        self._listen()
        self.worker.connect()

    def book(
        self,
        permit_id: str,
        kind: str,
        area: Mapping[str, object] | None = None,
        *,
        zone: str = "yard",
        hours: tuple[int, int] = (0, 8),
        linked: tuple[str, ...] = (),
        facts: dict[str, Value] | None = None,
        answered: bool = True,
    ) -> None:
        """Book and apply, as the desk's events tell it."""
        self.bench.hub.emit(self._booking(permit_id, kind, zone, hours))
        plan = self.bench.hub.bundle.site
        shape = None if area is None else msgspec.convert(area, Area)
        self.bench.hub.emit(
            e.PermitApplied(
                permit_id=permit_id,
                by="sue",
                guardians=("gil",),
                workers=("ann",),
                trades={},
                linked=linked,
                coordinator="",
                area=write_area(shape, plan),
                facts=facts or {},
            )
        )
        if answered:
            self.worker.work()

    def _booking(
        self, permit_id: str, kind: str, zone: str, hours: tuple[int, int]
    ) -> e.PermitBooked:
        now = self.bench.clock.wall_ns()
        return e.PermitBooked(
            permit_id=permit_id,
            kind=kind,
            pack=digest_of(law()),
            zone_id=zone,
            title=permit_id,
            unit="",
            supervisor_id="sue",
            booked_by="sue",
            valid=Deadline.after(self.bench.clock, hours[1] * 3600.0),
            from_wall_ns=now + hours[0] * HOUR,
            to_wall_ns=now + hours[1] * HOUR,
        )

    def approve(self, permit_id: str) -> None:
        """Let everybody have signed."""
        self.become(permit_id, e.PermitApproved(permit_id=permit_id, slot="last"))

    def become(self, permit_id: str, body: Any) -> None:
        """Let something happen to a permit."""
        assert body.permit_id == permit_id
        self.bench.hub.emit(body)
        self.worker.work()

    def permit(self, permit_id: str) -> PermitRecord:
        """Return a permit."""
        return self.bench.hub.state.permits.permits[permit_id]

    def conflicts(self, permit_id: str) -> Value:
        """Return the fact; None where it is absent."""
        permit = self.permit(permit_id)
        ruled = self.bench.kernel.packs.kind(permit)
        assert ruled is not None
        return self.room.facts(permit, ruled.kind, ruled.pack).get("conflicts")

    def see(self, person: str, place: str) -> None:
        """Let a person's tag be seen at "x,y,z" or in a zone, and a second pass."""
        self.bench.declare(HOST, tag(person))
        self.bench.report(HOST, f"tag-{person}", "fix", place)
        self.worker.pass_time(1)
