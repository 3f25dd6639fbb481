"""The small yard under a legal pack's kinds and limits, and none of its rules.

What gas tests, the isolation register and the entry log tell can then be looked at
without a rule that holds the permit meanwhile.
"""

import functools
from typing import Any

import msgspec

from automations.packs import compile as packs
from core.api.reading import Value
from core.config import Bundle, DeviceRule
from core.deadlines import Deadline
from core.people.acts import Act
from core.permits import life_events as e
from core.permits.gas_tests_acts import Sample, TestGas, Typed
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Kind, Pack
from core.permits.packs import digest_of
from core.permits.sources import Source
from core.permits.state import PermitRecord
from core.registry.meters_acts import CalibrateMeter
from tests.support import yard
from tests.support.yard import HOST, Yard

GASES = ("h2s", "lel", "o2")
PLACES = ("upper", "middle", "lower")


@functools.cache
def pack(name: str = "cn-hazchem") -> Pack:
    """Return a shipped pack without its rules."""
    return msgspec.structs.replace(packs.load(packs.find(name)), rules=())


def bundle(**rule: Any) -> Bundle:
    """Return the yard's bundle with the pack; ``rule`` fields go to the meter's."""
    site = yard.bundle()
    quantities = tuple(
        msgspec.structs.replace(
            each,
            lel_vol=5.0 if each.id == "lel" else None,
            molar_mass=34.08 if each.id == "h2s" else None,
        )
        for each in site.quantities
    )
    meter = DeviceRule(
        integration="field", uid="meter-tank", zone="tank", lost_s=60.0, **rule
    )
    devices = tuple(d for d in site.devices if d.uid != "meter-tank")
    return msgspec.structs.replace(
        site, packs=(pack(),), quantities=quantities, devices=(*devices, meter)
    )


class Measured(Yard):
    """Drive the yard with permits of the pack put where a test needs them."""

    def __init__(self, seed: int = 1, *, calibrated: bool = True, **rule: Any) -> None:
        self._law = bundle(**rule)
        super().__init__(seed)
        if calibrated:
            self.ok("sam", self.calibration())

    def start(self, clean: bool) -> None:
        """Start with the legal bundle in force."""
        self.bundle = self._law
        super().start(clean)

    def leap(self, seconds: float) -> None:
        """Let much time pass at once, as a machine asleep would see it."""
        self.clock.advance(seconds)
        self.settle()
        self.advance(1.5)

    # --- permits --------------------------------------------------------------

    def made(self, kind: str = "confined", **fields: Any) -> str:
        """Book and apply for a permit by its events; return its id."""
        permit_id = str(fields.pop("permit_id", "")) or self.hub.ids.new()
        valid = Deadline.after(self.clock, 20 * 3600.0)
        self.hub.emit(
            e.PermitBooked(
                permit_id=permit_id,
                kind=kind,
                pack=digest_of(pack()),
                zone_id=fields.pop("zone_id", "tank"),
                title="t",
                unit="u",
                supervisor_id="sue",
                booked_by="sue",
                valid=valid,
                from_wall_ns=self.clock.wall_ns(),
                to_wall_ns=self.clock.wall_ns(),
            )
        )
        given: dict[str, Any] = {
            "by": "sue",
            "guardians": ("gil",),
            "workers": ("ann", "bob"),
            "trades": {},
            "linked": (),
            "coordinator": "",
        }
        self.hub.emit(e.PermitApplied(permit_id=permit_id, **(given | fields)))
        self.settle()
        return permit_id

    def active(self, kind: str = "confined", **fields: Any) -> str:
        """Return a permit whose people are briefed and whose work has begun."""
        permit_id = self.made(kind, **fields)
        for person in ("ann", "bob", "gil"):
            self.hub.emit(e.BriefingTaken(permit_id=permit_id, person_id=person))
        valid = Deadline.after(self.clock, 20 * 3600.0)
        self.hub.emit(
            e.PermitStarted(permit_id=permit_id, person_id="sue", valid=valid)
        )
        self.settle()
        assert self.permit(permit_id).status is PermitStatus.ACTIVE
        return permit_id

    def put(self, permit_id: str, status: PermitStatus) -> PermitRecord:
        """Put a permit into a status, whatever led there."""
        permit = self.permit(permit_id)
        permit.status = status
        return permit

    def facts(self, permit_id: str) -> dict[str, Value]:
        """Return what the three sources tell of a permit."""
        permit, kernel = self.permit(permit_id), self.kernel
        kind = self.kind(permit)
        found: dict[str, Value] = {}
        sources: tuple[Source, ...] = (
            *(kernel.gas_tests, kernel.isolation, kernel.entries),
        )
        for source in sources:
            told = source.facts(permit, kind, pack())
            assert told.keys() <= source.names
            found |= told
        return found

    def kind(self, permit: PermitRecord) -> Kind:
        """Return a permit's kind."""
        kind = pack().kind(permit.kind)
        assert kind is not None
        return kind

    # --- acts -----------------------------------------------------------------

    def ok(self, person: str, act: Act) -> dict[str, Value]:
        """Let a person act; it must succeed."""
        reply = self.act(person, act)
        assert reply.ok, (act.verb_, reply.code, reply.params)
        return reply.result

    def no(self, person: str, act: Act) -> str:
        """Let a person act; it must be refused. Returns the code."""
        reply = self.act(person, act)
        assert not reply.ok, f"{act.verb_} was allowed"
        return reply.code

    def device_id(self, uid: str = "meter-tank") -> str:
        """Return a device's id."""
        record = self.kernel.registry.find_device(HOST, uid)
        assert record is not None
        return record.id

    def calibration(
        self, valid_to: str = "2099-12-31", uid: str = "meter-tank"
    ) -> CalibrateMeter:
        """Return the act that records a calibration."""
        return CalibrateMeter(
            device_id=self.device_id(uid),
            valid_to=valid_to,
            certificate="C-1",
            by="lab",
        )

    def samples(
        self, gases: tuple[str, ...] = GASES, places: tuple[str, ...] = PLACES
    ) -> tuple[Sample, ...]:
        """Return samples of the tank's meter."""
        return tuple(
            Sample(
                gas=gas,
                place=place,  # type: ignore[arg-type]
                entity_id=self.entity(HOST, "meter-tank", gas),
            )
            for gas in gases
            for place in places
        )

    def test(self, permit_id: str, **fields: Any) -> dict[str, Value]:
        """Test the gas at every place by the tank's meter; it must succeed."""
        self.pulse()
        return self.ok("gil", self.testing(permit_id, **fields))

    def testing(self, permit_id: str, **fields: Any) -> TestGas:
        """Return the act of a test by the tank's meter."""
        fields.setdefault("samples", self.samples())
        return TestGas(permit_id=permit_id, **fields)

    def typed(
        self, permit_id: str, gas: str, value: float, unit: str, **fields: Any
    ) -> TestGas:
        """Return the act of a typed test at one place."""
        given: dict[str, Any] = {"instrument": "X-am 5000 no. 7"} | fields
        sample = Sample(
            gas=gas, place="lower", typed=Typed(value=value, unit=unit, **given)
        )
        return TestGas(permit_id=permit_id, samples=(sample,))
