"""Permits: continuous interlocks, holds, expiry, and what a restart owes."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.reading import Reading, Value
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access
from core.people.events import PersonMoved
from core.people.people import People
from core.people.places import Places
from core.permits.approving import Approving
from core.permits.bench import Bench
from core.permits.booking import Booking
from core.permits.desk import Desk
from core.permits.ending import Ending
from core.permits.events import (
    Hold,
    PermitClosed,
    PermitExpired,
    PermitHeld,
    PermitIssued,
    PermitReleased,
    PermitVerified,
    PermitVerifying,
)
from core.permits.interlocks import Interlocks
from core.permits.life_events import (
    BriefingTaken,
    GuardianTaken,
    PermitApplied,
    PermitApproved,
    PermitBooked,
    PermitCancelled,
    PermitCompleted,
    PermitDeclared,
    PermitEvent,
    PermitStarted,
    ShiftTaken,
    WorkerAdded,
    WorkerRemoved,
)
from core.permits.life_facts import GateFacts, LifeFacts
from core.permits.lifecycle import PREPARING, RESTART, RUNNING, PermitStatus
from core.permits.packs import Packs
from core.permits.roster import Roster
from core.permits.sources import Facts, Source
from core.permits.state import HoldRecord, PermitRecord
from core.permits.watch import LEFT_OVER, Watch
from core.permits.working import Working
from core.processes.events import ClockStepped
from core.readings.readings import Readings
from core.response.events import EvacuationExtended, EvacuationStarted
from core.site.site import Site

#: How long a permit may verify after a clean restart (design §5).
VERIFY_S = 60.0
#: Changed readings are judged together, at most this much later.
_GATHER_S = 0.02
#: Ticks between two looks at the permits under which nobody works.
_SLOW = 10
#: What runs out: nothing may be begun, or go on, after its validity.
_EXPIRES = (*PREPARING, *RUNNING, PermitStatus.HELD)


_BEGUN: tuple[type[PermitEvent], ...] = (PermitBooked, PermitStarted)
#: After these, permits that are linked to it are judged again.
_KIN_CHANGED: tuple[type[PermitEvent], ...] = (
    *(PermitApplied, PermitApproved, PermitCancelled, PermitCompleted, GuardianTaken),
)
#: After these, the permit itself is.
_OWN_CHANGED: tuple[type[PermitEvent], ...] = (
    *(WorkerAdded, WorkerRemoved, ShiftTaken, PermitDeclared, BriefingTaken),
)


class Law(NamedTuple):
    """The packs that permits are judged by, and who tells the facts."""

    packs: Packs
    places: Places
    roster: Roster
    sources: tuple[Source, ...] = ()


def _not_begun(permit: PermitRecord) -> bool:
    """Say whether no work is under way that a hold could stop."""
    return permit.status in PREPARING


def _tested_since(permit: PermitRecord, lying: HoldRecord) -> bool:
    """Say whether a test was made since a hold: a cause that is back owes another."""
    own = any(test.person_id and test.seq > lying.seq for test in permit.gas.tests)
    return bool(lying.tests) or own


class Permits:
    """Hold permits whose interlocks are not TRUE; never release one by itself."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        site: Site,
        readings: Readings,
        people: People,
        law: Law,
    ) -> None:
        self._hub, self._readings = hub, readings
        self.packs, self.roster = law.packs, law.roster
        self.life = LifeFacts(hub, law.roster)
        self.facts = Facts((self.life, GateFacts(law.places), *law.sources))
        self.judge = Interlocks(hub, site, readings, people, self.packs, self.facts)
        self.judge.works = law.roster.working
        self.watch = Watch(hub, self.judge, self.hold)
        self.bench = Bench(access, site, people, law.places, self.judge, self.life)
        self._dirty: set[str] = set()
        self._ticks = 0
        Desk(self.bench, readings).bind(access, self.hold)
        Booking(self.bench).bind(access)
        Approving(self.bench).bind(access)
        Working(self.bench, self.hold).bind(access)
        Ending(self.bench).bind(access)
        self.facts.listen(self.look_again)
        self._listen()

    def _listen(self) -> None:
        hub = self._hub
        hub.on(PermitIssued, self._issued)
        hub.on(PermitClosed, lambda body, _: self._changed(body.permit_id))
        hub.on(PermitExpired, lambda body, _: self._changed(body.permit_id))
        hub.on(PermitHeld, lambda body, _: self._changed(body.permit_id))
        for begun in _BEGUN:
            hub.on(begun, self._issued)
        for kin in _KIN_CHANGED:
            hub.on(kin, lambda body, _: self._changed(body.permit_id))
        for told in _OWN_CHANGED:
            hub.on(told, lambda body, _: self._told(body.permit_id))
        hub.on(AlarmRaised, self._raised, ahead=True)
        hub.on(AlarmRepeated, self._repeated, ahead=True)
        hub.on(EvacuationStarted, lambda body, _: self._zones_changed(body.zones))
        hub.on(EvacuationExtended, lambda body, _: self._zones_changed(body.zones))
        hub.on(PersonMoved, self._person_moved)
        hub.on(ClockStepped, lambda _body, _: self.tick())
        hub.undo(PermitIssued, lambda body: self._take_back(body.permit_id))
        hub.undo(PermitReleased, lambda body: self._take_back(body.permit_id))
        hub.undo(PermitVerified, lambda body: self._take_back(body.permit_id))
        hub.when_lost(self._say_again)
        self._readings.on_change(self._read)

    # --- life -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive the tables; a bundle may have changed what a kind demands."""
        self.packs.arm()
        self.life.arm()
        self.judge.arm()

    def recover(self, clean: bool) -> None:
        """Verify after a clean restart, hold after an unclean stop (design §5)."""
        self.packs.recover(clean)
        self.watch.forget_all()
        # Those that ran at the stop: one that is held drags its kin along below.
        opened = list(self.roster.open())
        ran = [p for p in opened if p.status in RUNNING]
        for permit in opened:
            self._arm_deadlines(permit)
        for permit in ran:
            if not clean:
                self._lay(permit, RESTART, "hub:restart", (), None, CORE)
            elif permit.status is PermitStatus.ACTIVE:
                until = Deadline.after(self._hub.clock, VERIFY_S)
                self._hub.emit(PermitVerifying(permit_id=permit.id, until=until))
                self._arm_deadlines(permit)

    def tick(self) -> None:
        """Evaluate each permit under which people work, or may be inside (R1)."""
        self._ticks += 1
        # What changes there is judged at once; this is for what nobody tells.
        slow = LEFT_OVER if self._ticks % _SLOW == 0 else ()
        watched = (*RUNNING, *slow)
        self.watch.sweep([p.id for p in self.roster.open() if p.status in watched])

    # --- answers --------------------------------------------------------------

    def interlocks(self, permit_id: str) -> dict[str, Truth]:
        """Return a permit's interlocks; empty for an unknown permit."""
        permit = self._get(permit_id)
        if permit is None:
            return {}
        return {name: f.truth for name, f in self.judge.judge(permit).items()}

    def _get(self, permit_id: str) -> PermitRecord | None:
        return self._hub.state.permits.permits.get(permit_id)

    # --- holds ----------------------------------------------------------------

    def hold(
        self,
        permit_id: str,
        code: str,
        *,
        source: str,
        retest: tuple[str, ...] = (),
        params: dict[str, Value] | None = None,
        cause: Cause = CORE,
    ) -> str | None:
        """Hold a permit and those linked to it; None when there is none to hold.

        Repeats return the hold that lies there, unless a re-test was made since:
        then the cause came back and a new test is owed.
        """
        permit = self._get(permit_id)
        if permit is None or permit.ended or _not_begun(permit):
            return None
        hold_id = self._lay(
            permit, code, source, self._owed(permit, retest), params, cause
        )
        self._hold_kin([permit_id], cause)
        return hold_id

    def hold_zone(
        self,
        zone_id: str,
        code: str,
        *,
        source: str,
        retest: tuple[str, ...] = (),
        linked: bool = True,
        cause: Cause = CORE,
    ) -> list[str]:
        """Hold every permit of a zone, and those linked to them; return their ids."""
        held = sorted(self.roster.in_zone(zone_id))
        for permit_id in held:
            permit = self._get(permit_id)
            if permit is not None and not _not_begun(permit):
                owed = self._owed(permit, retest)
                self._lay(permit, code, source, owed, {"zone": zone_id}, cause)
        return held + (self._hold_kin(held, cause) if linked else [])

    def _owed(self, permit: PermitRecord, retest: tuple[str, ...]) -> tuple[str, ...]:
        kind = self.judge.kinds.get(permit.kind)
        # A legal kind's own rules say after which break it is tested again.
        always = kind.retest.gases if kind and not permit.life.pack else ()
        return tuple(dict.fromkeys((*retest, *always)))

    def _hold_kin(self, held: list[str], cause: Cause) -> list[str]:
        """Hold what is linked to held permits, in either direction, and its kin."""
        found, todo = set(held), list(held)
        kin: list[str] = []
        while todo:
            source = todo.pop()
            here = self._get(source)
            down = here.linked if here is not None else ()
            for permit_id in dict.fromkeys((*down, *self.roster.naming(source))):
                permit = self._get(permit_id)
                if permit is None or permit.ended or permit_id in found:
                    continue
                found.add(permit_id)
                todo.append(permit_id)
                if permit.status in RUNNING:
                    owed = self._owed(permit, ())
                    self._lay(permit, "linked", f"permit:{source}", owed, None, cause)
                if permit.status is PermitStatus.HELD:
                    kin.append(permit_id)
        return kin

    def _lay(
        self,
        permit: PermitRecord,
        code: str,
        source: str,
        retest: tuple[str, ...],
        params: dict[str, Value] | None,
        cause: Cause,
    ) -> str:
        for lying in permit.holds.values():
            same = (lying.hold.code, lying.hold.source) == (code, source)
            new = retest and _tested_since(permit, lying)
            if same and not new and set(retest) <= set(lying.hold.retest):
                return lying.hold.id
        kind = self.judge.kind(permit)
        hold = Hold(
            id=self._hub.ids.new(),
            code=code,
            source=source,
            retest=retest,
            params=params or {},
        )
        body = PermitHeld(
            permit_id=permit.id,
            hold=hold,
            safe_state=kind.safe_state if kind else "stop",
        )
        self._hub.emit(body, cause)
        return hold.id

    def _say_again(self, first: int, last: int) -> None:
        """Write down once more the holds that a gap of the journal has swallowed."""
        for permit in list(self.roster.open()):
            kind = self.judge.kind(permit)
            for lying in list(permit.holds.values()):
                if first <= lying.seq <= last:
                    body = PermitHeld(
                        permit_id=permit.id,
                        hold=lying.hold,
                        safe_state=kind.safe_state if kind else "stop",
                    )
                    self._hub.emit(body)

    def _take_back(self, permit_id: str) -> None:
        self.hold(permit_id, "not_durable", source="hub:journal")

    # --- changes --------------------------------------------------------------

    def _read(self, entity_id: str, _reading: Reading) -> None:
        registry = self._hub.state.registry
        entity = registry.entities.get(entity_id)
        device = registry.devices.get(entity.device_id) if entity else None
        here = self.roster.in_zone(device.zone_id or "") if device else ()
        if here:
            self.look_again(here)

    def _gathered(self) -> None:
        dirty, self._dirty = self._dirty, set()
        self.watch.judge_all(sorted(dirty))

    def look_again(self, permit_ids: Iterable[str]) -> None:
        """Judge permits of which a fact may have changed, together with others."""
        if not self._dirty:
            self._hub.after(_GATHER_S, "permits.gather", self._gathered)
        self._dirty.update(permit_ids)

    def _zones_changed(self, zones: Iterable[str | None]) -> None:
        for zone_id in zones:
            self.watch.judge_all(sorted(self.roster.in_zone(zone_id or "")))

    def _raised(self, body: AlarmRaised, _: Envelope) -> None:
        self._zones_changed([body.zone_id])

    def _repeated(self, body: AlarmRepeated, _: Envelope) -> None:
        alarm = self._hub.state.alarms.open.get(body.alarm_id)
        if alarm is not None:
            self._zones_changed([alarm.zone_id])

    def _person_moved(self, body: PersonMoved, _: Envelope) -> None:
        mine = sorted(self.roster.permits_of((body.person_id,)))
        permits = self._hub.state.permits.permits
        self.watch.judge_all(
            each for each in mine if permits[each].guardian_id == body.person_id
        )

    def _changed(self, permit_id: str) -> None:
        """Judge anew what depends on a permit that is no longer in force."""
        self.watch.judge_all(self.roster.naming(permit_id))

    def _told(self, permit_id: str) -> None:
        self.watch.judge_all([permit_id])

    def _issued(self, body: PermitIssued | PermitEvent, _: Envelope) -> None:
        permit = self._get(body.permit_id)
        if permit is not None:
            self._arm_deadlines(permit)

    # --- deadlines ------------------------------------------------------------

    def _arm_deadlines(self, permit: PermitRecord) -> None:
        permit_id = permit.id
        if permit.status in _EXPIRES:
            key = f"permit.valid.{permit_id}"
            fire_after(self._hub, permit.valid, key, self._ends(permit_id))
        if permit.status is PermitStatus.VERIFYING and permit.verify_until is not None:
            key = f"permit.verify.{permit_id}"
            until = permit.verify_until
            fire_after(self._hub, until, key, self._verify_ends(permit_id))

    def _ends(self, permit_id: str) -> Callable[[bool], None]:
        def expire(late_unknown: bool) -> None:
            permit = self._get(permit_id)
            if permit is not None and permit.status in _EXPIRES:
                why = "late_unknown" if late_unknown else ""
                self._hub.emit(PermitExpired(permit_id=permit_id, why=why))

        return expire

    def _verify_ends(self, permit_id: str) -> Callable[[bool], None]:
        def end(_late_unknown: bool) -> None:
            self.watch.judge_all([permit_id])
            permit = self._get(permit_id)
            if permit is not None and permit.status is PermitStatus.VERIFYING:
                self.hold(permit_id, "unverified", source="hub:restart")

        return end
