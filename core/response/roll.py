"""The roll call: who is missing, who was seen, who is accounted for.

A tag at the muster point means 'device seen' and no more; a face, a PIN before a
witness or a marshal's tick accounts for a person. Whoever goes back in, and whoever
was ticked by mistake, is looked for again.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.people.events import PersonMoved
from core.people.people import People
from core.people.signing import statement
from core.permits.lifecycle import FINAL
from core.response import acts, roll_acts
from core.response.events import (
    EvacuationExtended,
    EvacuationLate,
    RollChanged,
    RosterLine,
)
from core.response.muster import Muster
from core.response.roll_events import VisitorSignedIn
from core.response.roll_state import EvacuationRecord, RollLine
from core.response.sirens import LATE
from core.response.visitors import VISITOR, Visitors, roster_line
from core.site.site import Site

#: Lines that need nobody to look for them any more.
DONE: Final = ("accounted", "rescue")
#: How somebody reports at a muster point → whether that proves it is they.
_PROVES: Final = {"pin_witness": "pin", "face": "face"}


def marked(record: EvacuationRecord, cause: Cause) -> Cause:
    """Return a cause that says where it belongs to a drill."""
    return msgspec.structs.replace(cause, drill=True) if record.mark else cause


class Roll:
    """Keep the roll calls of evacuations and drills."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        site: Site,
        people: People,
        alarms: Alarms,
        muster: Muster,
    ) -> None:
        self._hub, self._site, self._people = hub, site, people
        self._access, self._alarms, self._muster = access, alarms, muster
        access.bind(acts.AccountPerson, self._account_act)
        access.bind(roll_acts.AddToRoll, self._add_act)
        access.bind(roll_acts.CheckIn, self._check_in_act)
        hub.on(PersonMoved, self._person_moved)
        self._visitors = Visitors(hub, access, site, people)
        hub.on(VisitorSignedIn, self._visitor_came)

    # --- answers --------------------------------------------------------------

    def running(self) -> list[EvacuationRecord]:
        """Return the roll calls that run, drills too."""
        response = self._hub.state.response
        every = (*response.evacuations.values(), *response.drills.values())
        return [record for record in every if not record.cleared_wall_ns]

    def get(self, evacuation_id: str) -> EvacuationRecord:
        """Return a roll call that runs; raises Refused."""
        record = self._hub.state.response.call(evacuation_id)
        if record is None:
            raise Refused("evacuation.unknown", evacuation=evacuation_id)
        if record.cleared_wall_ns:
            raise Refused("evacuation.cleared", evacuation=evacuation_id)
        return record

    def missing(self, record: EvacuationRecord) -> list[str]:
        """Return who is to be looked for still."""
        return [p for p, line in record.roll.items() if line.status not in DONE]

    def roster(self, zones: Iterable[str]) -> list[RosterLine]:
        """Return who is or may be inside: found, last known, at work, without a tag."""
        wanted = set(zones)
        lines = {line.person_id: line for line in self._people.inside(wanted)}
        for permit in self._hub.state.permits.permits.values():
            if permit.zone_id not in wanted or permit.status in FINAL:
                continue
            for worker in permit.workers:
                found = self._people.found(worker)
                line = roster_line(worker, found, certain=found is not None)
                lines.setdefault(worker, line)
        for line in self._unnamed(wanted):
            lines.setdefault(line.person_id, line)
        for line in self._visitors.lines(wanted):
            lines.setdefault(line.person_id, line)
        return list(lines.values())

    def _unnamed(self, zones: Iterable[str]) -> list[RosterLine]:
        """Return lines for helmets that somebody wears and nobody took."""
        return [
            roster_line(VISITOR + name, zone_id, certain=False)
            for name, zone_id in self._people.unnamed(zones)
        ]

    # --- who is seen ----------------------------------------------------------

    def look_again(self, record: EvacuationRecord) -> None:
        """Put on the list who may have come in since: no event tells of it (R1)."""
        lines = [*self._people.inside(record.zones), *self._unnamed(record.zones)]
        new = [line for line in lines if line.person_id not in record.roll]
        if new:
            self.join(record, new, CORE)
            self.call_if_over(record)

    def _person_moved(self, body: PersonMoved, envelope: Envelope) -> None:
        if body.zone_id is None:
            return
        cause = Cause(actor=envelope.cause.actor, parent=envelope.id)
        for record in self.running():
            if body.zone_id in record.zones:
                self._found_inside(record, body, cause)
            elif body.zone_id in self._muster.zones(record):
                line = record.roll.get(body.person_id)
                hides = record.drill is not None and (
                    body.person_id in record.drill.hidden()
                )
                if line is not None and line.status == "missing" and not hides:
                    self.change(record, body.person_id, "device_seen", "tag", cause)

    def _found_inside(
        self, record: EvacuationRecord, body: PersonMoved, cause: Cause
    ) -> None:
        line = record.roll.get(body.person_id)
        if line is None:
            self.join(record, [roster_line(body.person_id, body.zone_id)], cause)
        elif line.status in ("device_seen", "accounted"):
            # One who went back in is to be looked for again.
            self.change(record, body.person_id, "missing", "tag", cause)
        else:
            return
        self.call_if_over(record)

    def join(
        self, record: EvacuationRecord, lines: Iterable[RosterLine], cause: Cause
    ) -> None:
        """Put more people on a running roll call."""
        body = EvacuationExtended(
            evacuation_id=record.id, zones=(), roster=tuple(lines)
        )
        self._hub.emit(body, marked(record, cause))

    def change(
        self,
        record: EvacuationRecord,
        person_id: str,
        status: str,
        method: str,
        cause: Cause,
        *,
        by: str = "",
        seen: int = 0,
        rescuer: str = "",
    ) -> None:
        """Change one line, and keep the alarm of the missing in step."""
        body = RollChanged(
            evacuation_id=record.id,
            person_id=person_id,
            status=status,
            method=method,
            by=by,
            seen=seen,
            rescuer=rescuer,
        )
        self._hub.emit(body, marked(record, cause))
        self.judge_late(record)

    def _visitor_came(self, body: VisitorSignedIn, envelope: Envelope) -> None:
        cause = Cause(actor=envelope.cause.actor, parent=envelope.id)
        for record in self.running():
            line = self._visitors.line(body.badge, set(record.zones))
            if line is not None and line.person_id not in record.roll:
                self.join(record, [line], cause)
                self.call_if_over(record)

    # --- lateness -------------------------------------------------------------

    def arm_late(self, record: EvacuationRecord) -> None:
        """Call the missing when the time to leave is over."""
        if record.late is None or record.late_called:
            return

        def late(late_unknown: bool) -> None:
            found = self._hub.state.response.call(record.id)
            if found is not None and not found.cleared_wall_ns:
                self._call_late(found, "late_unknown" if late_unknown else "")

        fire_after(self._hub, record.late, f"evacuation.late.{record.id}", late)

    def over(self, record: EvacuationRecord) -> bool:
        """Say whether the time to leave is over, or cannot be known."""
        left = record.late.remaining_ns(self._hub.clock) if record.late else 1
        return left is None or left <= 0

    def call_if_over(self, record: EvacuationRecord) -> None:
        """Call at once whoever is missing when there is no time left."""
        if self.over(record):
            self._call_late(record, "")

    def new_time(self, record: EvacuationRecord) -> Deadline | None:
        """Return a new time to leave, where the first one is over."""
        if not self.over(record):
            return None
        return Deadline.after(self._hub.clock, self._hub.bundle.site.evacuate_s)

    def _call_late(self, record: EvacuationRecord, why: str) -> None:
        """Say once who is missing although the time is over; keep their alarm."""
        missing = self.missing(record)
        if missing and not record.late_called:
            body = EvacuationLate(
                evacuation_id=record.id, missing=tuple(missing), why=why
            )
            self._hub.emit(body, marked(record, CORE))
        self.judge_late(record)

    def judge_late(self, record: EvacuationRecord) -> None:
        """Keep the alarm of the missing in step with the roll."""
        source, missing = f"zone:{record.zones[0]}", self.missing(record)
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
                cause=marked(record, CORE),
            )

    # --- acts -----------------------------------------------------------------

    def _account_act(
        self, actor: str, act: acts.AccountPerson, _version: int | None, cause: Cause
    ) -> Answer:
        record = self.get(act.evacuation_id)
        line = record.roll.get(act.person_id)
        if act.status not in (*DONE, "missing"):
            raise Refused("evacuation.status", status=act.status)
        if line is None:
            raise Refused("evacuation.not_on_roll", person=act.person_id)
        if act.status == "missing":
            self._undo(record, line, actor, cause)
        else:
            self._tick(record, line, act, actor, cause)
        return {"missing": len(self.missing(record))}

    def _tick(
        self,
        record: EvacuationRecord,
        line: RollLine,
        act: acts.AccountPerson,
        actor: str,
        cause: Cause,
    ) -> None:
        if act.person_id == actor and self._people.found(actor) in record.zones:
            raise Refused("evacuation.inside", person=actor)
        rescuer = act.rescuer or actor
        if act.status == "rescue" and not self._access.known(rescuer):
            raise Refused("act.person_unknown", person=rescuer)
        seen = min(act.count or line.count, line.count)
        # Of a group that is not complete somebody is still to be looked for.
        whole = act.status == "rescue" or seen == line.count
        self.change(
            record,
            line.person_id,
            act.status if whole else "missing",
            "tick",
            cause,
            by=actor,
            seen=seen,
            rescuer=rescuer if act.status == "rescue" else "",
        )

    def _undo(
        self, record: EvacuationRecord, line: RollLine, actor: str, cause: Cause
    ) -> None:
        """Take a tick back: a mistake must not hide somebody who is missing."""
        there = self._people.found(line.person_id) in self._muster.zones(record)
        status = "device_seen" if there else "missing"
        self.change(record, line.person_id, status, "undo", cause, by=actor)
        self.call_if_over(record)

    def _add_act(
        self, _actor: str, act: roll_acts.AddToRoll, _version: int | None, cause: Cause
    ) -> Answer:
        record = self.get(act.evacuation_id)
        if bool(act.person_id) == bool(act.badge):
            raise Refused("roll.one_of")
        if act.person_id and not self._access.known(act.person_id):
            raise Refused("act.person_unknown", person=act.person_id)
        if act.zone_id and self._site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        name = act.person_id or VISITOR + act.badge
        if name in record.roll:
            raise Refused("roll.already", person=name)
        count = 1 if act.person_id else act.count
        line = roster_line(name, act.zone_id or None, certain=False, count=count)
        self.join(record, [line], cause)
        self.call_if_over(record)
        return {"missing": len(self.missing(record))}

    def _check_in_act(
        self, actor: str, act: roll_acts.CheckIn, _version: int | None, cause: Cause
    ) -> Answer:
        record = self.get(act.evacuation_id)
        if self._people.found(actor) in record.zones:
            raise Refused("evacuation.inside", person=actor)
        told = statement(cause)
        method = _PROVES.get(told.method, "") if told is not None else ""
        if actor not in record.roll:
            self.join(record, [roster_line(actor, None, certain=False)], cause)
        line = record.roll[actor]
        if method:
            self.change(
                record, actor, "accounted", method, cause, by=actor, seen=line.count
            )
        elif line.status == "missing":
            # A card or a phone is a device: it proves that it is there itself.
            self.change(record, actor, "device_seen", "tag", cause, by=actor)
        return {"status": record.roll[actor].status}
