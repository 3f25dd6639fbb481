"""Permits: continuous interlocks, holds, expiry, and what a restart owes."""

from collections.abc import Callable, Iterable

from core.alarms.alarms import Alarms
from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.reading import Reading, Value
from core.clock import NS
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access
from core.people.events import PersonMoved
from core.people.people import People
from core.permits.desk import Desk
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
from core.permits.interlocks import Findings, Interlocks, describe, not_true
from core.permits.state import PermitRecord, PermitStatus
from core.processes.events import ClockStepped
from core.readings.readings import Readings
from core.response.events import EvacuationExtended, EvacuationStarted
from core.site.site import Site

#: How long a permit may verify after a clean restart (design §5).
VERIFY_S = 60.0
#: Changed readings are judged together, at most this much later.
_GATHER_S = 0.02
_RUNNING = (PermitStatus.ACTIVE, PermitStatus.VERIFYING)
RESTART = "restart_unverified"


class Permits:
    """Hold permits whose interlocks are not TRUE; never release one by itself."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        site: Site,
        readings: Readings,
        people: People,
        alarms: Alarms,
    ) -> None:
        self._hub, self._readings = hub, readings
        self.judge = Interlocks(hub, site, readings, people)
        self._unknown: dict[tuple[str, str], int] = {}
        """(permit, interlock) → boot ns since when it is UNKNOWN."""
        self._by_zone: dict[str, set[str]] = {}
        self._by_guardian: dict[str, set[str]] = {}
        self._dirty: set[str] = set()
        self._desk = Desk(hub, access, site, readings, people, self.judge)
        self._desk.bind(access, self.hold)
        self._listen()

    def _listen(self) -> None:
        hub = self._hub
        hub.on(PermitIssued, self._issued)
        hub.on(PermitClosed, lambda body, _: self._changed(body.permit_id))
        hub.on(PermitExpired, lambda body, _: self._changed(body.permit_id))
        hub.on(PermitHeld, lambda body, _: self._changed(body.permit_id))
        hub.on(AlarmRaised, lambda body, _: self._zones_changed([body.zone_id]))
        hub.on(AlarmRepeated, self._repeated)
        hub.on(EvacuationStarted, lambda body, _: self._zones_changed(body.zones))
        hub.on(EvacuationExtended, lambda body, _: self._zones_changed(body.zones))
        hub.on(PersonMoved, self._person_moved)
        hub.on(ClockStepped, lambda _body, _: self.tick())
        hub.undo(PermitIssued, lambda body: self._take_back(body.permit_id))
        hub.undo(PermitReleased, lambda body: self._take_back(body.permit_id))
        hub.undo(PermitVerified, lambda body: self._take_back(body.permit_id))
        self._readings.on_change(self._read)

    # --- life -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive the tables; a bundle may have changed what a kind demands."""
        self.judge.arm()
        self._index()

    def recover(self, clean: bool) -> None:
        """Verify after a clean restart, hold after an unclean stop (design §5)."""
        self._index()
        self._unknown.clear()
        # Those that ran at the stop: one that is held drags its kin along below.
        ran = [p for p in self._open() if p.status in _RUNNING]
        for permit in list(self._open()):
            self._arm_deadlines(permit)
        for permit in ran:
            if not clean:
                self._lay(permit, RESTART, "hub:restart", (), None, CORE)
            elif permit.status is PermitStatus.ACTIVE:
                until = Deadline.after(self._hub.clock, VERIFY_S)
                self._hub.emit(PermitVerifying(permit_id=permit.id, until=until))
                self._arm_deadlines(permit)

    def tick(self) -> None:
        """Evaluate every running permit's interlocks (R1)."""
        self._evaluate_all([p.id for p in self._open() if p.status in _RUNNING])

    # --- answers --------------------------------------------------------------

    def interlocks(self, permit_id: str) -> dict[str, Truth]:
        """Return a permit's interlocks; empty for an unknown permit."""
        permit = self._get(permit_id)
        if permit is None:
            return {}
        return {name: f.truth for name, f in self.judge.judge(permit).items()}

    def _get(self, permit_id: str) -> PermitRecord | None:
        return self._hub.state.permits.permits.get(permit_id)

    def _open(self) -> Iterable[PermitRecord]:
        for permit in self._hub.state.permits.permits.values():
            if permit.status is not PermitStatus.CLOSED:
                yield permit

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
        if permit is None or permit.status is PermitStatus.CLOSED:
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
        held = sorted(self._by_zone.get(zone_id, ()))
        for permit_id in held:
            permit = self._get(permit_id)
            if permit is not None:
                owed = self._owed(permit, retest)
                self._lay(permit, code, source, owed, {"zone": zone_id}, cause)
        return held + (self._hold_kin(held, cause) if linked else [])

    def _owed(self, permit: PermitRecord, retest: tuple[str, ...]) -> tuple[str, ...]:
        kind = self.judge.kinds.get(permit.kind)
        return tuple(dict.fromkeys((*retest, *(kind.retest.gases if kind else ()))))

    def _hold_kin(self, held: list[str], cause: Cause) -> list[str]:
        """Hold what is linked to held permits, in either direction, and its kin."""
        found, todo = set(held), list(held)
        kin: list[str] = []
        while todo:
            source = todo.pop()
            for permit in list(self._open()):
                here = self._get(source)
                down = here is not None and permit.id in here.linked
                if permit.id in found or not (down or source in permit.linked):
                    continue
                found.add(permit.id)
                todo.append(permit.id)
                if permit.status in _RUNNING:
                    owed = self._owed(permit, ())
                    self._lay(permit, "linked", f"permit:{source}", owed, None, cause)
                if permit.status is PermitStatus.HELD:
                    kin.append(permit.id)
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
            if same and not lying.tests and set(retest) <= set(lying.hold.retest):
                return lying.hold.id
        kind = self.judge.kinds.get(permit.kind)
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

    def _take_back(self, permit_id: str) -> None:
        self.hold(permit_id, "not_durable", source="hub:journal")

    # --- interlocks -----------------------------------------------------------

    def _evaluate(self, permit: PermitRecord) -> None:
        if permit.status not in _RUNNING:
            self._forget(permit.id)
            return
        findings = self.judge.judge(permit)
        bad = not_true(findings)
        self._remember_unknown(permit.id, bad)
        broken = [name for name, f in bad.items() if f.truth is Truth.FALSE]
        if broken:
            self._breach(permit, broken[0], bad)
        elif permit.status is PermitStatus.VERIFYING:
            if not bad and self._hub.journal.healthy():
                self._hub.emit(PermitVerified(permit_id=permit.id))
        elif overdue := self._overdue(permit):
            self._breach(permit, overdue, bad)

    def _breach(self, permit: PermitRecord, name: str, bad: Findings) -> None:
        params: dict[str, Value] = {"interlock": name, "bad": describe(bad)}
        code = name.partition(".")[0]
        self._forget(permit.id)
        self.hold(permit.id, code, source=f"interlock:{name}", params=params)

    def _remember_unknown(self, permit_id: str, bad: Findings) -> None:
        now = self._hub.clock.mono_ns()
        for key in [key for key in self._unknown if key[0] == permit_id]:
            if key[1] not in bad or bad[key[1]].truth is not Truth.UNKNOWN:
                del self._unknown[key]
        for name, found in bad.items():
            if found.truth is Truth.UNKNOWN:
                self._unknown.setdefault((permit_id, name), now)

    def _overdue(self, permit: PermitRecord) -> str | None:
        """Return an interlock UNKNOWN for too long; else call again in time."""
        kind = self.judge.kinds.get(permit.kind)
        reaction_ns = int((kind.reaction_s if kind else 0) * NS)
        since = {k[1]: ns for k, ns in self._unknown.items() if k[0] == permit.id}
        if not since:
            return None
        name = min(since, key=lambda name: since[name])
        due = since[name] + reaction_ns
        if due <= self._hub.clock.mono_ns():
            return name
        again = self._again(permit.id)
        self._hub.timers.at(due, f"permit.unknown.{permit.id}", again)
        return None

    def _again(self, permit_id: str) -> Callable[[], None]:
        return lambda: self._evaluate_all([permit_id])

    def _forget(self, permit_id: str) -> None:
        for key in [key for key in self._unknown if key[0] == permit_id]:
            del self._unknown[key]

    def _evaluate_all(self, permit_ids: Iterable[str]) -> None:
        for permit_id in list(permit_ids):
            permit = self._get(permit_id)
            if permit is not None:
                self._evaluate(permit)

    # --- changes --------------------------------------------------------------

    def _read(self, entity_id: str, _reading: Reading) -> None:
        registry = self._hub.state.registry
        entity = registry.entities.get(entity_id)
        device = registry.devices.get(entity.device_id) if entity else None
        here = self._by_zone.get(device.zone_id or "") if device else None
        if not here:
            return
        if not self._dirty:
            self._hub.after(_GATHER_S, "permits.gather", self._gathered)
        self._dirty |= here

    def _gathered(self) -> None:
        dirty, self._dirty = self._dirty, set()
        self._evaluate_all(sorted(dirty))

    def _zones_changed(self, zones: Iterable[str | None]) -> None:
        for zone_id in zones:
            self._evaluate_all(sorted(self._by_zone.get(zone_id or "", ())))

    def _repeated(self, body: AlarmRepeated, _: Envelope) -> None:
        alarm = self._hub.state.alarms.open.get(body.alarm_id)
        if alarm is not None:
            self._zones_changed([alarm.zone_id])

    def _person_moved(self, body: PersonMoved, _: Envelope) -> None:
        self._evaluate_all(sorted(self._by_guardian.get(body.person_id, ())))

    def _changed(self, permit_id: str) -> None:
        """Judge anew what depends on a permit that is no longer in force."""
        self._index()
        dependent = [p.id for p in self._open() if permit_id in p.linked]
        self._evaluate_all(dependent)

    def _issued(self, body: PermitIssued, _envelope: Envelope) -> None:
        self._index()
        permit = self._get(body.permit_id)
        if permit is not None:
            self._arm_deadlines(permit)

    def _index(self) -> None:
        self._by_zone, self._by_guardian = {}, {}
        at_work: dict[str, set[str]] = {}
        for permit in self._open():
            self._by_zone.setdefault(permit.zone_id, set()).add(permit.id)
            self._by_guardian.setdefault(permit.guardian_id, set()).add(permit.id)
            for worker in permit.workers:
                at_work.setdefault(worker, set()).add(permit.id)
        self.judge.at_work = at_work

    # --- deadlines ------------------------------------------------------------

    def _arm_deadlines(self, permit: PermitRecord) -> None:
        permit_id = permit.id
        if permit.status is not PermitStatus.EXPIRED:
            key = f"permit.valid.{permit_id}"
            fire_after(self._hub, permit.valid, key, self._ends(permit_id))
        if permit.status is PermitStatus.VERIFYING and permit.verify_until is not None:
            key = f"permit.verify.{permit_id}"
            until = permit.verify_until
            fire_after(self._hub, until, key, self._verify_ends(permit_id))

    def _ends(self, permit_id: str) -> Callable[[bool], None]:
        def expire(late_unknown: bool) -> None:
            permit = self._get(permit_id)
            gone = (PermitStatus.EXPIRED, PermitStatus.CLOSED)
            if permit is not None and permit.status not in gone:
                why = "late_unknown" if late_unknown else ""
                self._hub.emit(PermitExpired(permit_id=permit_id, why=why))

        return expire

    def _verify_ends(self, permit_id: str) -> Callable[[bool], None]:
        def end(_late_unknown: bool) -> None:
            self._evaluate_all([permit_id])
            permit = self._get(permit_id)
            if permit is not None and permit.status is PermitStatus.VERIFYING:
                self.hold(permit_id, "unverified", source="hub:restart")

        return end
