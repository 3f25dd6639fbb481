"""The entry log of a confined space: who and what is inside, counted in and out.

GB 30871 6.8, 6.9 e; AQ 3064.2 5.6.6; H14. Refusing somebody never uncounts them: one
who is found inside all the same is recorded and alarmed. A lost fix of one who was
last found there leaves the count unknown, and unknown never closes a permit.
"""

from collections.abc import Callable, Iterable
from typing import Final

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.events import OUTSIDE, PersonMoved
from core.people.people import People
from core.permits import entries_acts as acts
from core.permits.entries_events import (
    EntryEvent,
    EntryIn,
    EntryLogOpened,
    EntryOut,
    EntryRestored,
    EntrySeen,
)
from core.permits.entries_state import Inside
from core.permits.life_events import PermitDenied
from core.permits.lifecycle import FINAL, PREPARING, PermitStatus
from core.permits.pack import Kind, Pack, Phase
from core.permits.pack_rules import evaluate
from core.permits.packs import Packs
from core.permits.roster import Roster
from core.permits.state import PermitRecord

#: Families of works whose space people are counted into.
_FAMILIES: Final = ("confined", "space")
#: A fix follows a person out by this much at most.
_SETTLE_NS: Final = 15 * NS
_CONDITION: Final = "entry_not_logged"
_EVENTS: Final[tuple[type[EntryEvent], ...]] = (
    *(EntryIn, EntrySeen, EntryOut, EntryRestored),
)

Values = dict[str, Value]
Told = tuple[Inside | None, tuple[str, ...]]


class Entries:
    """Keep the entry logs; tell how many people and tools are inside."""

    names = frozenset(
        {
            *("count_inside", "tools_inside", "entry_log_open"),
            *("rescue_entry", "rescue_ppe"),
        }
    )

    def __init__(
        self,
        hub: Hub,
        access: Access,
        people: People,
        alarms: Alarms,
        packs: Packs,
        roster: Roster,
    ) -> None:
        self._hub, self._access, self._people = hub, access, people
        self._alarms, self._packs, self._roster = alarms, packs, roster
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        self._gone: dict[tuple[str, str], Told] = {}
        """(permit, person) → who and what left and is not durable yet."""
        self._last: dict[str, str] = {}
        """Person → zone in which they were last found since the start."""
        access.bind(acts.OpenEntryLog, self._open)
        access.bind(acts.LogIn, self._in)
        access.bind(acts.LogOut, self._out)
        hub.on(EntryLogOpened, lambda body, _: self.changed([body.permit_id]))
        for kind in _EVENTS:
            hub.on(kind, lambda body, _: self.changed([body.permit_id]))
        hub.on(PersonMoved, self._moved)
        hub.undo(EntryOut, self._back)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Derive nothing: the logs are the journal's."""

    def recover(self, clean: bool) -> None:
        """Look at once who is where a log counts."""
        self.tick()

    def tick(self) -> None:
        """See who is inside without being logged (R1)."""
        for permit in self._logs(self._roster.open()):
            for person_id in sorted(self._roster.last_in(permit.zone_id)):
                presence = self._people.where(person_id)
                found = self._people.found(person_id)
                if found == permit.zone_id and presence is not None:
                    self._see(permit, person_id, presence.source, CORE)

    def _logs(self, permits: Iterable[PermitRecord]) -> list[PermitRecord]:
        """Return those permits whose people are counted now."""
        return [
            permit
            for permit in permits
            if permit.status not in PREPARING and self._counted(permit)
        ]

    def _in_zones(self, zones: Iterable[str]) -> list[PermitRecord]:
        ids = {p for zone_id in zones for p in self._roster.in_zone(zone_id)}
        permits = self._hub.state.permits.permits
        return self._logs(permits[each] for each in sorted(ids))

    # --- answers --------------------------------------------------------------

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what the log tells; an unknown count is left out."""
        log = permit.entries
        rescuers = [each for each in log.people.values() if each.rescue]
        found: Values = {
            "entry_log_open": bool(log.opened_by),
            "tools_inside": len(log.tools),
            "rescue_entry": bool(rescuers),
            "rescue_ppe": all(each.ppe for each in rescuers),
        }
        count = self.inside(permit)
        if count is not None:
            found["count_inside"] = count
        return found

    def inside(self, permit: PermitRecord) -> int | None:
        """Return how many people are inside; None when nobody can tell.

        Those who are logged count, and those who are found there without it. One
        whose fix is lost, who was last found there and was never logged out, may
        be there or not; so may one who was logged out this moment.
        """
        log = permit.entries
        count = len(log.people)
        for person_id in self._roster.last_in(permit.zone_id):
            found = self._people.found(person_id)
            if person_id in log.people or found not in (None, permit.zone_id):
                continue
            if self._elsewhere(permit, person_id):
                continue
            if found is None and person_id in log.out:
                continue
            if found is None or self._just_left(permit, person_id):
                return None
            count += 1
        return count

    def _just_left(self, permit: PermitRecord, person_id: str) -> bool:
        """Say whether a fix may still show where somebody was logged out from."""
        out = permit.entries.out.get(person_id)
        left = out.remaining_ns(self._hub.clock) if out is not None else None
        return left is not None and -left < _SETTLE_NS

    def empty(self, permit: PermitRecord) -> Truth:
        """Say whether nobody and nothing is left inside: what a close needs."""
        if permit.entries.tools:
            return Truth.FALSE
        count = self.inside(permit)
        if count is None:
            return Truth.UNKNOWN
        return Truth.FALSE if count else Truth.TRUE

    def _elsewhere(self, permit: PermitRecord, person_id: str) -> bool:
        """Say whether another permit of the same zone counts a person, or may."""
        wrong = bool(self._wrong(permit, person_id))
        permits = self._hub.state.permits.permits
        others = self._roster.in_zone(permit.zone_id) - {permit.id}
        return any(
            person_id in other.entries.people
            or (wrong and not self._wrong(other, person_id) and self._counted(other))
            for other in (permits[each] for each in others)
        )

    # --- who is seen ----------------------------------------------------------

    def _moved(self, body: PersonMoved, envelope: Envelope) -> None:
        cause = Cause(actor="hub:core", parent=envelope.id)
        person_id, before = body.person_id, self._last.get(body.person_id)
        if body.zone_id is not None:
            self._last[person_id] = body.zone_id
        # The zone's head count may have become certain, or lost.
        near = self._in_zones({before or "", body.zone_id or ""})
        touched = [permit.id for permit in near]
        for permit in near:
            if body.zone_id == permit.zone_id:
                self._see(permit, person_id, body.source, cause)
        if body.source == "gate" and body.zone_id == OUTSIDE:
            for permit in self._logs(self._roster.open()):
                self._through_gate(permit, person_id, cause)
        if touched:
            self.changed(touched)

    def _see(
        self, permit: PermitRecord, person_id: str, source: str, cause: Cause
    ) -> None:
        """Count one who is found inside; alarm where they should not be there."""
        if person_id in permit.entries.people or self._elsewhere(permit, person_id):
            return
        if self._just_left(permit, person_id):
            return
        code = self._wrong(permit, person_id)
        body = EntrySeen(
            permit_id=permit.id, person_id=person_id, source=source, code=code
        )
        self._hub.emit(body, cause)
        if code:
            self._alarms.raise_(
                f"person:{person_id}",
                _CONDITION,
                kind="entry.not_logged",
                priority=1,
                zone_id=permit.zone_id,
                params={"person": person_id, "reason": code, "permit": permit.id},
                cause=cause,
            )

    def _wrong(self, permit: PermitRecord, person_id: str) -> str:
        """Return why a person may not be inside as a short code, or ''."""
        if permit.status is not PermitStatus.ACTIVE:
            return "not_active"
        if person_id not in permit.workers:
            return "not_listed"
        return "" if person_id in permit.life.briefed else "not_briefed"

    def _through_gate(self, permit: PermitRecord, person_id: str, cause: Cause) -> None:
        """Let a gate that saw somebody leave count them out; tools stay counted."""
        if person_id in permit.entries.people and self._hub.journal.healthy():
            self._leave(permit, person_id, (), "gate", cause)

    # --- acts -----------------------------------------------------------------

    def _open(
        self, actor: str, act: acts.OpenEntryLog, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._permit(act.permit_id)
        if not permit.entries.opened_by:
            body = EntryLogOpened(permit_id=permit.id, person_id=actor)
            self._hub.emit(body, cause)
        return {"opened_by": permit.entries.opened_by}

    def _in(
        self, actor: str, act: acts.LogIn, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._permit(act.permit_id)
        log = permit.entries
        if not log.opened_by:
            raise Refused("entry.log_closed")
        if not self._access.known(act.person_id):
            raise Refused("act.person_unknown", person=act.person_id)
        known = log.people.get(act.person_id)
        if known is not None and not known.seen:
            raise Refused("entry.already_in", person=act.person_id)
        self._may_enter(permit, act, actor, cause)
        inside = sorted(log.tools.keys() & set(act.tools))
        if inside:
            raise Refused("entry.tool_inside", tools=", ".join(inside))
        body = EntryIn(
            permit_id=permit.id,
            person_id=act.person_id,
            tools=act.tools,
            rescue=act.rescue,
            ppe=act.ppe,
            by=actor,
        )
        self._hub.emit(body, cause)
        self._alarms.clear(f"person:{act.person_id}", _CONDITION, cause)
        return self._told(permit)

    def _may_enter(
        self, permit: PermitRecord, act: acts.LogIn, actor: str, cause: Cause
    ) -> None:
        if act.rescue:
            if not act.ppe:
                self._unprotected(permit, act.person_id, actor, cause)
            return
        if act.person_id in (permit.guardian_id, *permit.life.guardians):
            raise Refused("entry.guardian", person=act.person_id)
        code = self._wrong(permit, act.person_id)
        if code == "not_active":
            raise Refused("entry.not_active", status=str(permit.status))
        if code == "not_listed":
            raise Refused("entry.not_listed", person=act.person_id)
        if code:
            raise Refused("entry.not_briefed", person=act.person_id)

    def _unprotected(
        self, permit: PermitRecord, person_id: str, actor: str, cause: Cause
    ) -> None:
        """Refuse a rescue without protection by the law's own rule (H14, 6.9 e)."""
        ruled = self._packs.kind(permit) if permit.life.pack else None
        told: Values = {"rescue_entry": True, "rescue_ppe": False}
        judged = (
            evaluate(ruled.kind, ruled.rules, told, Phase.RUN)
            if ruled is not None
            else []
        )
        broken = [each for each in judged if each.truth is Truth.FALSE]
        if broken:
            denied = PermitDenied(
                permit_id=permit.id,
                person_id=actor,
                step=f"rescue {person_id}",
                rules=tuple(f"rule.{each.rule}" for each in broken),
                aq=tuple(each.alarm for each in broken if each.alarm),
            )
            self._hub.emit(denied, cause)
        bad = "; ".join(f"{e.rule}=false({e.clause})" for e in broken)
        raise Refused("entry.rescue_without_ppe", person=person_id, bad=bad)

    def _out(
        self, actor: str, act: acts.LogOut, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._permit(act.permit_id)
        log = permit.entries
        if act.person_id not in log.people and not act.tools:
            raise Refused("entry.not_inside", person=act.person_id)
        strange = sorted(set(act.tools) - log.tools.keys())
        if strange:
            raise Refused("entry.tool_unknown", tools=", ".join(strange))
        self._leave(permit, act.person_id, act.tools, actor, cause)
        return self._told(permit)

    def _leave(
        self,
        permit: PermitRecord,
        person_id: str,
        tools: tuple[str, ...],
        by: str,
        cause: Cause,
    ) -> None:
        key = (permit.id, person_id)
        self._gone[key] = (permit.entries.people.get(person_id), tools)
        body = EntryOut(permit_id=permit.id, person_id=person_id, tools=tools, by=by)
        done = self._hub.emit(body, cause)
        self._hub.when_durable(done.seq, lambda kept: self._forget(key, kept))
        self._alarms.clear(f"person:{person_id}", _CONDITION, cause)

    def _forget(self, key: tuple[str, str], durable: bool) -> None:
        if durable:
            self._gone.pop(key, None)

    def _back(self, body: EntryOut) -> None:
        """Count one inside again whose way out the disk did not keep."""
        was, tools = self._gone.pop((body.permit_id, body.person_id), (None, ()))
        self._hub.emit(
            EntryRestored(
                permit_id=body.permit_id,
                person_id=body.person_id,
                inside=was is not None,
                tools=tuple(dict.fromkeys((*tools, *body.tools))),
                rescue=was.rescue if was is not None else False,
                ppe=was.ppe if was is not None else False,
            )
        )

    def _told(self, permit: PermitRecord) -> Answer:
        count = self.inside(permit)
        return {"inside": count, "tools": len(permit.entries.tools)}

    # --- look-ups -------------------------------------------------------------

    def _permit(self, permit_id: str) -> PermitRecord:
        permit = self._hub.state.permits.permits.get(permit_id)
        if permit is None:
            raise Refused("permit.unknown", permit=permit_id)
        if permit.status in FINAL:
            raise Refused("permit.closed", permit=permit_id)
        if not self._counted(permit):
            raise Refused("entry.not_counted", permit=permit_id)
        return permit

    def _counted(self, permit: PermitRecord) -> bool:
        """Say whether people are counted into the space of a permit."""
        if permit.status in FINAL or not permit.life.pack:
            return False
        ruled = self._packs.kind(permit)
        if ruled is None:
            return True  # a rule that nobody can read takes no count away
        return ruled.kind.family in _FAMILIES or ruled.kind.guardian.outside
