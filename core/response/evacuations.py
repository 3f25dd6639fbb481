"""Evacuation and roll call: started at once, ended only by a named person."""

from collections.abc import Iterable

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.model import EntityKind
from core.api.quality import Quality
from core.api.reading import Value
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.events import PersonMoved
from core.people.people import People
from core.permits.interlocks import MARKS
from core.permits.lifecycle import PermitStatus
from core.response import acts
from core.response.commands import Commands
from core.response.events import (
    EvacuationCleared,
    EvacuationExtended,
    EvacuationLate,
    EvacuationReopened,
    EvacuationStarted,
    RollChanged,
    RosterLine,
)
from core.response.sirens import LATE, Sirens
from core.response.state import EvacuationRecord
from core.site.site import Site

#: Lines that need nobody to look for them any more.
_DONE = ("accounted", "rescue")
#: Evidence for an all-clear must be at most this old.
_EVIDENCE_S = 60.0


class Evacuations:
    """Run evacuations: roster, roll call, lateness, all-clear."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        site: Site,
        people: People,
        commands: Commands,
        alarms: Alarms,
    ) -> None:
        self._hub, self._site, self._people = hub, site, people
        self._alarms = alarms
        self.sirens = Sirens(hub, access, people, commands)
        access.bind(acts.StartEvacuation, self._start_act)
        access.bind(acts.ClearEvacuation, self._clear_act)
        access.bind(acts.AccountPerson, self._account_act)
        hub.on(PersonMoved, self._person_moved)
        hub.undo(EvacuationCleared, self._reopen)

    def arm(self) -> None:
        """Have no tables of its own."""

    def recover(self, clean: bool) -> None:
        """Go on with running evacuations; one whose time is unknown is late now."""
        for record in self._running():
            self._arm_late(record)

    def tick(self) -> None:
        """Sound silenced sirens again when people are still inside."""
        self.sirens.tick()

    # --- start ----------------------------------------------------------------

    def start(
        self,
        zones: Iterable[str],
        code: str,
        *,
        params: dict[str, Value] | None = None,
        mark: str = "",
        cause: Cause = CORE,
    ) -> str:
        """Call people out of zones; extends a running one that touches them."""
        wanted = tuple(dict.fromkeys(zones))
        touched = self._touching(wanted, mark)
        if touched is not None:
            self._extend(touched, wanted, cause)
            evacuation_id = touched.id
        else:
            evacuation_id = self._begin(wanted, code, params or {}, mark, cause)
        for zone_id in wanted:
            self.sirens.sound(zone_id, evacuation_id, cause)
        return evacuation_id

    def running(self, zone_id: str | None = None) -> list[EvacuationRecord]:
        """Return the running evacuations, of a zone or all."""
        return [r for r in self._running() if zone_id is None or zone_id in r.zones]

    def _begin(
        self,
        zones: tuple[str, ...],
        code: str,
        params: dict[str, Value],
        mark: str,
        cause: Cause,
    ) -> str:
        late_s = self._hub.bundle.site.evacuate_s
        body = EvacuationStarted(
            evacuation_id=self._hub.ids.new(),
            zones=zones,
            code=code,
            roster=tuple(self._roster(zones)),
            params=params,
            muster_points=self._muster(zones),
            late=Deadline.after(self._hub.clock, late_s),
            mark=mark,
        )
        self._hub.emit(body, cause)
        self._arm_late(self._hub.state.response.evacuations[body.evacuation_id])
        return body.evacuation_id

    def _extend(
        self, record: EvacuationRecord, zones: tuple[str, ...], cause: Cause
    ) -> None:
        new = tuple(zone for zone in zones if zone not in record.zones)
        lines = tuple(
            line for line in self._roster(zones) if line.person_id not in record.roll
        )
        if new or lines:
            late_s = self._hub.bundle.site.evacuate_s
            over = self._over(record)
            body = EvacuationExtended(
                evacuation_id=record.id,
                zones=new,
                roster=lines,
                late=Deadline.after(self._hub.clock, late_s) if over else None,
            )
            self._hub.emit(body, cause)
            self._arm_late(record)

    def _touching(self, zones: tuple[str, ...], mark: str) -> EvacuationRecord | None:
        for record in self._running():
            if record.mark != mark:
                continue  # a drill never covers what is real
            beside = {n for zone in record.zones for n in self._site.neighbours(zone)}
            if set(zones) & (beside | set(record.zones)):
                return record
        return None

    def _running(self) -> list[EvacuationRecord]:
        found = self._hub.state.response.evacuations.values()
        return [record for record in found if not record.cleared_wall_ns]

    def _roster(self, zones: tuple[str, ...]) -> list[RosterLine]:
        """Return who is or was last known inside, and whoever has work there."""
        lines = {line.person_id: line for line in self._people.inside(zones)}
        for permit in self._hub.state.permits.permits.values():
            if permit.zone_id not in zones or permit.status is PermitStatus.CLOSED:
                continue
            for worker in permit.workers:
                found = self._people.found(worker)
                line = RosterLine(
                    person_id=worker, zone_id=found, certain=found is not None
                )
                lines.setdefault(worker, line)
        return list(lines.values())

    def _muster(self, zones: tuple[str, ...]) -> tuple[str, ...]:
        """Return the muster points that are neither left nor in alarm."""
        bad = set(zones) | {
            alarm.zone_id or ""
            for alarm in self._hub.state.alarms.open.values()
            if alarm.stands and alarm.life_safety
        }
        points = self._site.muster_points()
        return tuple(p.id for p in points if self._site.muster_zone(p) not in bad)

    # --- roll call ------------------------------------------------------------

    def _person_moved(self, body: PersonMoved, envelope: Envelope) -> None:
        cause = Cause(actor=envelope.cause.actor, parent=envelope.id)
        for record in self._running():
            if body.zone_id is None:
                continue
            if body.zone_id in record.zones:
                self._found_inside(record, body, cause)
            elif body.zone_id in self._muster_zones(record):
                line = record.roll.get(body.person_id)
                if line is not None and line.status == "missing":
                    self._roll(record, body.person_id, "device_seen", "tag", "", cause)

    def _found_inside(
        self, record: EvacuationRecord, body: PersonMoved, cause: Cause
    ) -> None:
        line = record.roll.get(body.person_id)
        if line is None:
            new = RosterLine(
                person_id=body.person_id, zone_id=body.zone_id, certain=True
            )
            extended = EvacuationExtended(
                evacuation_id=record.id, zones=(), roster=(new,)
            )
            self._hub.emit(extended, cause)
        elif line.status in ("device_seen", "accounted"):
            # One who went back in is to be looked for again.
            self._roll(record, body.person_id, "missing", "tag", "", cause)
        else:
            return
        if self._over(record):
            self._call_late(record, "")

    def _muster_zones(self, record: EvacuationRecord) -> set[str]:
        points = self._site.muster_points()
        named = [p for p in points if p.id in record.muster_points]
        return {zone for p in named if (zone := self._site.muster_zone(p))}

    def _roll(
        self,
        record: EvacuationRecord,
        person_id: str,
        status: str,
        method: str,
        by: str,
        cause: Cause,
    ) -> None:
        body = RollChanged(
            evacuation_id=record.id,
            person_id=person_id,
            status=status,
            method=method,
            by=by,
        )
        self._hub.emit(body, cause)

    def _missing(self, record: EvacuationRecord) -> list[str]:
        return [p for p, line in record.roll.items() if line.status not in _DONE]

    # --- lateness -------------------------------------------------------------

    def _arm_late(self, record: EvacuationRecord) -> None:
        if record.late is None or record.late_called:
            return

        def late(late_unknown: bool) -> None:
            found = self._hub.state.response.evacuations.get(record.id)
            if found is not None and not found.cleared_wall_ns:
                self._call_late(found, "late_unknown" if late_unknown else "")

        fire_after(self._hub, record.late, f"evacuation.late.{record.id}", late)

    def _over(self, record: EvacuationRecord) -> bool:
        """Say whether the time to leave is over, or cannot be known."""
        left = record.late.remaining_ns(self._hub.clock) if record.late else 1
        return left is None or left <= 0

    def _call_late(self, record: EvacuationRecord, why: str) -> None:
        """Say once who is missing although the time is over; keep their alarm."""
        missing = self._missing(record)
        if missing and not record.late_called:
            body = EvacuationLate(
                evacuation_id=record.id, missing=tuple(missing), why=why
            )
            self._hub.emit(body)
        self._judge_late(record)

    def _judge_late(self, record: EvacuationRecord) -> None:
        """Keep the alarm of the missing in step with the roll."""
        source, missing = f"zone:{record.zones[0]}", self._missing(record)
        if not missing:
            self._alarms.clear(source, f"late.{record.id}")
        elif record.late_called:
            self._alarms.raise_(
                source,
                f"late.{record.id}",
                kind=LATE,
                priority=1,
                zone_id=record.zones[0],
                life_safety=True,
                params={"people": ", ".join(missing), "evacuation": record.id},
                mark=record.mark,
            )

    # --- acts -----------------------------------------------------------------

    def _get(self, evacuation_id: str) -> EvacuationRecord:
        record = self._hub.state.response.evacuations.get(evacuation_id)
        if record is None:
            raise Refused("evacuation.unknown", evacuation=evacuation_id)
        if record.cleared_wall_ns:
            raise Refused("evacuation.cleared", evacuation=evacuation_id)
        return record

    def _start_act(
        self, actor: str, act: acts.StartEvacuation, _version: int | None, cause: Cause
    ) -> Answer:
        if not act.zones:
            raise Refused("site.zone_unknown", zone="")
        for zone_id in act.zones:
            if self._site.zone(zone_id) is None:
                raise Refused("site.zone_unknown", zone=zone_id)
        evacuation_id = self.start(
            act.zones,
            "evacuation.by_person",
            params={"person": actor, "reason": act.reason},
            mark="DRILL" if act.drill else "",
            cause=cause,
        )
        return {"evacuation_id": evacuation_id}

    def _account_act(
        self, actor: str, act: acts.AccountPerson, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._get(act.evacuation_id)
        if act.status not in _DONE:
            raise Refused("evacuation.status", status=act.status)
        if act.person_id not in record.roll:
            raise Refused("evacuation.not_on_roll", person=act.person_id)
        self._roll(record, act.person_id, act.status, act.method, actor, cause)
        self._judge_late(record)
        return {"missing": len(self._missing(record))}

    def _clear_act(
        self, actor: str, act: acts.ClearEvacuation, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._get(act.evacuation_id)
        missing = self._missing(record)
        if missing:
            raise Refused("evacuation.missing", people=", ".join(missing))
        for alarm in self._hub.state.alarms.open.values():
            here = alarm.zone_id in (*record.zones, None) and alarm.mark not in MARKS
            if alarm.stands and alarm.life_safety and here:
                raise Refused("evacuation.alarm_active", alarm=alarm.kind)
        evidence = self._evidence(record)
        body = EvacuationCleared(
            evacuation_id=record.id, person_id=actor, evidence=tuple(evidence)
        )
        self._hub.emit(body, Cause(actor=cause.actor, evidence=tuple(evidence)))
        return {"evacuation_id": record.id}

    def _evidence(self, record: EvacuationRecord) -> list[str]:
        """Return the meters that prove the zones safe; refuse without them."""
        readings, found, bad = self._people.readings, [], []
        for zone_id in record.zones:
            if zone_id in readings.unmonitored():
                bad.append(f"{zone_id}: unmonitored")
            for gas in sorted(self._gases(zone_id)):
                truth = readings.acceptable(zone_id, gas, _EVIDENCE_S)
                if truth is not Truth.TRUE:
                    bad.append(f"{zone_id}: {gas} {truth.name.lower()}")
                current = readings.current(zone_id, gas)
                found += [r.entity_id for r in current if r.quality is Quality.GOOD]
        if bad:
            raise Refused("evacuation.evidence", bad="; ".join(bad))
        return found

    def _gases(self, zone_id: str) -> set[str]:
        entities = self._people.registry.entities(zone_id=zone_id, kind=EntityKind.GAS)
        gases = {entity.declared.quantity for entity in entities}
        classes = {q.gas_class for q in self._hub.bundle.quantities if q.id in gases}
        kinds = {kind.id: kind for kind in self._hub.bundle.permit_kinds}
        for permit in self._hub.state.permits.permits.values():
            kind = kinds.get(permit.kind)
            if permit.zone_id == zone_id and kind is not None:
                # The law names classes: a meter of the class is asked by itself.
                gases |= set(kind.gases) - classes
        return gases

    def _reopen(self, body: EvacuationCleared) -> None:
        self._hub.emit(EvacuationReopened(evacuation_id=body.evacuation_id))
