"""Drills: a roll call that is marked, attacked on purpose, and never the real thing.

A drill holds no permit and proves nothing. It ends at the first real alarm, by the
act of a person, or by itself after two hours.
"""

from typing import Final, Protocol

from core.alarms.alarms import Alarms
from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.people import People
from core.response import roll_acts as acts
from core.response.events import EvacuationStarted
from core.response.roll_events import (
    DrillAttacked,
    DrillDue,
    DrillEnded,
    DrillStarted,
)
from core.response.roll_state import DrilledRecord, EvacuationRecord
from core.response.sirens import Sirens
from core.site.leaving import Attack, DrillPlan
from core.site.site import Site

MARK: Final = "DRILL"
_CODE: Final = "evacuation.drill"
_DAY_NS: Final = 86_400 * NS
#: Days before a drill's due day on which it is told, the soonest first.
_TOLD: Final = (0, 7, 30)


class Caller(Protocol):
    """Call people out, as a drill does too; `Evacuations` does."""

    sirens: Sirens

    def start(
        self, zones: tuple[str, ...], code: str, *, mark: str = "", cause: Cause = CORE
    ) -> str:
        """Begin."""

    def extend(
        self, record: EvacuationRecord, zones: tuple[str, ...], cause: Cause
    ) -> None:
        """Let more zones join."""


class Drills:
    """Start, attack and end drills; tell when one is due."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        site: Site,
        people: People,
        alarms: Alarms,
        caller: Caller,
    ) -> None:
        self._hub, self._access, self._site = hub, access, site
        self._people, self._alarms, self._caller = people, alarms, caller
        access.bind(acts.StartDrill, self._start_act)
        access.bind(acts.EndDrill, self._end_act)
        hub.on(EvacuationStarted, self._begun)
        # A drill ends before a rule hears of the alarm: nothing real joins it.
        hub.on(AlarmRaised, self._alarm, ahead=True)
        hub.on(AlarmRepeated, self._alarm, ahead=True)

    def recover(self) -> None:
        """Go on with what runs: no restart loses a roll call."""
        if self.forbidden():
            self._end_all("real_alarm", CORE)
        for record in self.running():
            self._arm_end(record)
            self._arm_attacks(record)

    def tick(self) -> None:
        """Tell of drills that are due."""
        for plan in self._hub.bundle.site.drills:
            if plan.every_d is not None:
                self._judge_due(plan, plan.every_d)

    # --- answers --------------------------------------------------------------

    def running(self) -> list[EvacuationRecord]:
        """Return the drills that run."""
        found = self._hub.state.response.drills.values()
        return [record for record in found if not record.cleared_wall_ns]

    def forbidden(self) -> str:
        """Return why no drill may run now, or ''."""
        state = self._hub.state
        if any(not e.cleared_wall_ns for e in state.response.evacuations.values()):
            return "drill.evacuation"
        if any(_real(a.mark, a.kind) and a.stands for a in state.alarms.open.values()):
            return "drill.real_alarm"
        return "drill.power" if state.hub.power_end is not None else ""

    # --- begin ----------------------------------------------------------------

    def _start_act(
        self, actor: str, act: acts.StartDrill, _version: int | None, cause: Cause
    ) -> Answer:
        plan = self._plan(act)
        why = self.forbidden() or ("drill.running" if self.running() else "")
        if why:
            raise Refused(why)
        cause = Cause(actor=cause.actor, proof=cause.proof, drill=True)
        on_site = tuple(
            person
            for person in self._access.persons()
            if self._people.where(person) is not None
            and self._people.on_site(person) is not Truth.FALSE
        )
        number = self._caller.start(plan.zones, _CODE, mark=MARK, cause=cause)
        self._hub.emit(
            DrillStarted(
                evacuation_id=number,
                plan=plan.id,
                by=actor,
                on_site=on_site,
                attacks=plan.attacks,
                target_s=plan.target_s,
                target_share=plan.target_share,
            ),
            cause,
        )
        self._arm_attacks(self._hub.state.response.drills[number])
        return {"evacuation_id": number}

    def _plan(self, act: acts.StartDrill) -> DrillPlan:
        """Return what is to be held; raises Refused."""
        if act.plan:
            found = [p for p in self._hub.bundle.site.drills if p.id == act.plan]
            if not found:
                raise Refused("drill.plan_unknown", plan=act.plan)
            return found[0]
        if not act.zones:
            raise Refused("site.zone_unknown", zone="")
        for zone_id in act.zones:
            if self._site.zone(zone_id) is None:
                raise Refused("site.zone_unknown", zone=zone_id)
        names = self._site.names(act.zones[0])
        return DrillPlan(id="", names=names, zones=act.zones)

    def _begun(self, body: EvacuationStarted, envelope: Envelope) -> None:
        record = self._hub.state.response.call(body.evacuation_id)
        if not body.mark:
            self._end_all("real_alarm", _after(envelope))
        elif record is not None:
            self._arm_end(record)

    # --- attacks --------------------------------------------------------------

    def _arm_attacks(self, record: EvacuationRecord) -> None:
        facts = record.drill
        for number, attack in enumerate(facts.attacks if facts is not None else ()):
            if facts is None or number in facts.done:
                continue
            due = Deadline(
                duration_ns=int(attack.at_s * NS),
                start_mono_ns=facts.until.start_mono_ns,
                start_wall_ns=facts.until.start_wall_ns,
                boot_id=facts.until.boot_id,
                synced=facts.until.synced,
                protective=False,
            )
            self._arm_attack(record.id, number, attack, due)

    def _arm_attack(
        self, drill_id: str, number: int, attack: Attack, due: Deadline
    ) -> None:
        def come(late_unknown: bool) -> None:
            record = self._hub.state.response.drills.get(drill_id)
            if record is not None and not record.cleared_wall_ns and not late_unknown:
                self._attack(record, number, attack)

        fire_after(self._hub, due, f"drill.{drill_id}.{number}", come)

    def _attack(self, record: EvacuationRecord, number: int, attack: Attack) -> None:
        cause = Cause(actor="hub:drill", parent=record.id, drill=True)
        body = DrillAttacked(evacuation_id=record.id, number=number, attack=attack)
        self._hub.emit(body, cause)
        if attack.kind == "detector_silent":
            self._pretend(record, number, "fault.lost", attack.zone, cause, life=False)
        elif attack.kind == "second_alarm":
            self._pretend(record, number, attack.alarm, attack.zone, cause, life=True)
            self._caller.extend(record, self._site.leaving((attack.zone,)), cause)
            for zone_id in self._site.leaving((attack.zone,)):
                self._caller.sirens.sound(zone_id, record.id, cause, drill=True)

    def _pretend(
        self,
        record: EvacuationRecord,
        number: int,
        kind: str,
        zone_id: str,
        cause: Cause,
        *,
        life: bool,
    ) -> None:
        self._alarms.raise_(
            f"zone:{zone_id}",
            f"drill.{record.id}.{number}",
            kind=kind,
            priority=1 if life else 2,
            zone_id=zone_id,
            life_safety=life,
            params={"drill": record.id, **self._figures(kind)},
            mark=MARK,
            cause=cause,
        )

    def _figures(self, kind: str) -> dict[str, Value]:
        """Return what an alarm of a kind tells, with its limit for the value."""
        for quantity in self._hub.bundle.quantities:
            for limit in quantity.limits:
                value = limit.above if limit.above is not None else limit.below
                if limit.kind == kind and value is not None:
                    return {
                        "quantity": quantity.id,
                        "value": value,
                        "limit": value,
                        "unit": limit.unit,
                    }
        return {}

    # --- end ------------------------------------------------------------------

    def _arm_end(self, record: EvacuationRecord) -> None:
        if record.drill is None:
            return

        def expire(late_unknown: bool) -> None:
            found = self._hub.state.response.drills.get(record.id)
            if found is not None and not found.cleared_wall_ns:
                self._end(
                    found, "late_unknown" if late_unknown else "expired", "", CORE
                )

        fire_after(self._hub, record.drill.until, f"drill.{record.id}", expire)

    def _alarm(self, body: AlarmRaised | AlarmRepeated, envelope: Envelope) -> None:
        alarm = self._hub.state.alarms.open.get(body.alarm_id)
        if alarm is not None and _real(alarm.mark, alarm.kind):
            self._end_all("real_alarm", _after(envelope))

    def _end_all(self, why: str, cause: Cause) -> None:
        for record in self.running():
            self._end(record, why, "", cause)

    def _end(self, record: EvacuationRecord, why: str, by: str, cause: Cause) -> None:
        """End a drill: its alarms go; what sounds is switched off by a person only."""
        drill = Cause(
            actor=cause.actor, parent=cause.parent, proof=cause.proof, drill=True
        )
        body = DrillEnded(evacuation_id=record.id, why=why, by=by)
        ended = self._hub.emit(body, drill)
        self._hub.timers.cancel(f"drill.{record.id}")
        for alarm in list(self._hub.state.alarms.open.values()):
            if alarm.mark and record.id in alarm.condition:
                self._alarms.end(alarm, drill)
        if why == "person":
            self._caller.sirens.end_drill(record, by, ended)

    def _end_act(
        self, actor: str, act: acts.EndDrill, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._hub.state.response.drills.get(act.evacuation_id)
        if record is None:
            raise Refused("drill.unknown", drill=act.evacuation_id)
        if record.cleared_wall_ns:
            raise Refused("drill.over", drill=act.evacuation_id)
        self._end(record, "person", actor, cause)
        return {"evacuation_id": record.id}

    # --- schedule -------------------------------------------------------------

    def _judge_due(self, plan: DrillPlan, every_d: float) -> None:
        """Tell once at each step how many days are left; 0 is due or overdue."""
        known = self._hub.state.response.drilled.get(plan.id) or DrilledRecord()
        days = 0
        if known.held is not None:
            passed = known.held.remaining_ns(self._hub.clock)
            if passed is None:
                return  # a reminder waits for a clock that can be trusted
            days = max(0, int(every_d + passed / _DAY_NS))
        step = next((each for each in _TOLD if days <= each), None)
        if step is None or step >= every_d:
            return
        if known.told is None or step < known.told:
            self._hub.emit(DrillDue(plan=plan.id, days=step))


def _real(mark: str, kind: str) -> bool:
    """Say whether an alarm is no test, no drill and no mere fault."""
    return not mark and not kind.startswith("fault.")


def _after(envelope: Envelope) -> Cause:
    return Cause(actor=envelope.cause.actor, parent=envelope.id)
