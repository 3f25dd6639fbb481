"""A yard with the fact sources about people and surroundings, and a pack."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from core.api.model import Device, Entity, EntityKind
from core.api.reading import Value
from core.clock import NS
from core.config import Bundle, Calendar, DeviceRule, Names, Period, Quantity
from core.deadlines import Deadline
from core.hub import Room
from core.people import acts
from core.permits.guardian_watch import GuardianWatch
from core.permits.life_state import Life, Statement
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Guardian, Kind, Pack, Setting, Validity
from core.permits.people_facts import PeopleFacts
from core.permits.state import PermitRecord
from core.permits.surroundings import Surroundings
from tests.support.yard import HOST, Yard, bundle, names

BLOB = "ab" * 32
RoomT = TypeVar("RoomT", bound=Room)


def kind(
    *trades: str, outside: bool = False, kind_id: str = "confined", family: str = "hot"
) -> Kind:
    return Kind(
        id=kind_id,
        names=names(kind_id),
        family=family,
        validity=Validity(hours=8),
        approvers=(),
        guardian=Guardian(outside=outside),
        trades=trades,
        safe_state=("order.leave",),
        form="form",
        clause="test",
    )


def setting(name: str, value: float, unit: str = "h") -> Setting:
    return Setting(id=name, names=names(name), value=value, unit=unit)


def pack(night: tuple[float, float] | None = (22, 6), *more: Setting) -> Pack:
    settings = more
    if night is not None:
        begins, ends = night
        settings += (setting("night_from_h", begins), setting("night_to_h", ends))
    return Pack(
        id="law", version="1", names=names("law"), source="test", settings=settings
    )


def period(first: str, last: str) -> Period:
    return Period(names=Names(zh="假", en="off"), first=first, last=last)


CALENDAR = Calendar(
    known_from="2026-01-01",
    known_to="2026-12-31",
    holidays=(period("2026-10-01", "2026-10-07"),),
    work_days=("2026-10-10",),
    special_periods=(period("2026-11-02", "2026-11-06"),),
)
_STATION = {
    "wind": ("wind", "m/s"),
    "gust": ("gust", "m/s"),
    "air": ("air_temperature", "°C"),
    "sight": ("visibility", "m"),
}


def station(uid: str, *parts: str) -> Device:
    """Return a weather station: numbers by part, the rest are yes or no."""
    entities = []
    for part in parts:
        quantity, unit = _STATION.get(part, (part, ""))
        sort = EntityKind.SENSOR if part in _STATION else EntityKind.BINARY
        entities.append(
            Entity(
                uid=part,
                name=part,
                kind=sort,
                quantity=quantity,
                unit=unit,
                max_age_s=10.0,
            )
        )
    return Device(uid=uid, name=uid, entities=tuple(entities))


def site(
    calendar: Calendar | None = CALENDAR,
    time_zone: str = "Asia/Shanghai",
    packs: tuple[Pack, ...] = (),
) -> Bundle:
    made = bundle()
    place = msgspec.structs.replace(made.site, time_zone=time_zone, calendar=calendar)
    rules = tuple(
        DeviceRule(integration="field", uid=f"ws-{zone}", zone=zone)
        for zone in ("tank", "yard", "hall")
    )
    weather = tuple(
        Quantity(id=quantity, names=names(quantity), unit=unit)
        for quantity, unit in _STATION.values()
    )
    return msgspec.structs.replace(
        made,
        site=place,
        packs=packs or (pack(),),
        devices=(*rules, *made.devices),
        quantities=(*made.quantities, *weather),
    )


class Sources(Yard):
    """A yard with the sources in its kernel, and what they called changed."""

    def __init__(self, made: Bundle | None = None) -> None:
        self.made = made or site()
        self.told: list[list[str]] = []
        super().__init__()
        self.live(16)
        self.told = []

    def start(self, clean: bool) -> None:
        super().start(clean)
        kernel, hub = self.kernel, self.hub
        self.people = self._room(
            PeopleFacts,
            lambda: PeopleFacts(
                hub, kernel.access, kernel.people, kernel.cards, kernel.site
            ),
        )
        self.around = self._room(
            Surroundings,
            lambda: Surroundings(hub, kernel.site, kernel.readings, kernel.access),
        )
        self.around.hold = kernel.permits.hold
        self.watch = self._room(
            GuardianWatch,
            lambda: GuardianWatch(
                hub, kernel.access, self.people, kernel.notices, kernel.places
            ),
        )
        hub.load(self.made)
        # The permits of these tests are bare records: no rule is asked about them.
        setattr(kernel.permits.judge, "judge", lambda *_: {})  # noqa: B010
        for room in (self.people, self.around, self.watch):
            room.recover(clean)
        self.told = []
        self.people.changed = self.around.changed = self._changed
        self.settle()

    def _room(self, kind: type[RoomT], make: Callable[[], RoomT]) -> RoomT:
        """Return the kernel's own room of a kind, or one of ours."""
        for room in self.hub.rooms:
            if isinstance(room, kind):
                return room
        made = make()
        self.hub.rooms.append(made)
        return made

    def _changed(self, permits: Iterable[str]) -> None:
        self.told.append(list(permits))

    # --- permits --------------------------------------------------------------

    def work(self, permit_id: str, **changes: object) -> PermitRecord:
        """Make a permit that runs under a pack, as its events would leave it."""
        fields: dict[str, object] = {
            "id": permit_id,
            "kind": "confined",
            "zone_id": "tank",
            "title": permit_id,
            "issuer_id": "ivy",
            "supervisor_id": "sue",
            "guardian_id": "gil",
            "workers": ["ann", "bob"],
            "linked": [],
            "valid": Deadline.after(self.clock, 8 * 3600),
            "status": PermitStatus.ACTIVE,
            "issued_wall_ns": self.clock.wall_ns(),
        }
        life = {k: changes.pop(k) for k in list(changes) if k in Life.__struct_fields__}
        record = PermitRecord(**(fields | changes))  # type: ignore[arg-type]
        record.life = Life(**({"pack": "digest"} | life))  # type: ignore[arg-type]
        self.hub.state.permits.permits[permit_id] = record
        self.people.roster.rebuild()
        return record

    def permits(self) -> list[PermitRecord]:
        return list(self.hub.state.permits.permits.values())

    def about(self, permit: PermitRecord, of: Kind | None = None) -> dict[str, Value]:
        """Return what is known of a permit's people."""
        return self.people.facts(permit, of or kind(), pack())

    def around_(self, permit: PermitRecord, of: Pack | None = None) -> dict[str, Value]:
        """Return what is known of a permit's surroundings."""
        return self.around.facts(permit, kind(), of or pack())

    def declare_fact(self, permit: PermitRecord, name: str, value: Value) -> None:
        """Let a person state a fact, now."""
        permit.life.declared[name] = Statement(
            value=value,
            by="sue",
            wall_ns=self.clock.wall_ns(),
            mono_ns=self.clock.mono_ns(),
            boot_id=self.clock.boot_id,
        )

    # --- people ---------------------------------------------------------------

    def day(self, after: int = 0) -> str:
        today = self.kernel.cards.today()
        assert today is not None
        return (today + timedelta(days=after)).isoformat()

    def card(self, person: str, trade: str = "hot_work", days: int = 100) -> str:
        """Put a card on a person's file."""
        act = acts.RecordCard(
            person_id=person,
            trade=trade,
            kind="special_operation",
            valid_to=self.day(days),
            document=BLOB,
        )
        reply = self.act("sam", act)
        assert reply.ok, (reply.code, reply.params)
        return str(reply.result["card_id"])

    def train(self, person: str, topic: str = "guardian", days: int = 100) -> None:
        act = acts.RecordTraining(
            person_id=person, topic=topic, valid_to=self.day(days)
        )
        assert self.act("sam", act).ok

    def firm(self, company: str, person: str, days: int = 100) -> None:
        """Record a company and put a person's file into it."""
        record = acts.RecordCompany(company_id=company, valid_to=self.day(days))
        assert self.act("sam", record).ok
        act = acts.RecordPerson(person_id=person, fields=BLOB, company_id=company)
        assert self.act("sam", act).ok

    # --- time -----------------------------------------------------------------

    def at(self, text: str) -> None:
        """Set the wall to a moment of UTC, such as 2026-10-01T13:59."""
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        self.clock.step_wall(moment.timestamp() - self.clock.wall_ns() / NS)

    def weather(self, uid: str, **values: Value) -> None:
        """Let a weather station report."""
        for part, value in values.items():
            self.report(HOST, uid, part, value)
