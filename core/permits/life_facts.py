"""The facts that the life cycle itself tells: signatures, briefing, times, links."""

from collections.abc import Callable, Iterable
from typing import Final

from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.hub import Hub
from core.journal.events import about
from core.logic.truth import Truth
from core.people.places import Places
from core.permits import chain
from core.permits.life_events import PermitEvent
from core.permits.lifecycle import BROKEN_OFF, PREPARING, RUNNING, PermitStatus
from core.permits.pack import Kind, Pack, Phase
from core.permits.pack_rules import grades
from core.permits.roster import Roster
from core.permits.state import PermitRecord
from core.site.days import Days

_MIN: Final = 60 * NS
_DAY_S: Final = 86_400.0
#: An approval later than this after the planned start is overdue (site rule).
_APPROVAL_NS: Final = 120 * _MIN
#: What the declared facts say that decides about a grade.
Values = dict[str, Value]


class LifeFacts:
    """Tell how far a permit has come, and what its time and its kin allow."""

    names = frozenset(
        """
permit_issued approvals_missing approvals_in_order approval_overdue signatures_complete
acceptance_signed acceptance_checked team_lead_checked countersigned briefing_done
analysis_done measures_confirmed added_workers_briefed valid_left_min linked_left_min
break_min work_day confirm_age_min works_on_job permits_linked linked_issued
coordinator_named grade_raised guardian_changed guardian_handover_recorded
handover_both_signed entrants_informed entry_supervisor_verified approver_on_site
""".split()
    )

    def __init__(self, hub: Hub, roster: Roster) -> None:
        self._hub, self._roster = hub, roster
        self._papers: dict[str, Values] = {}
        """Permit → what only its own events change."""
        self._families: dict[str, Values] = {}
        """Permit → what only some permit's events change."""
        hub.derive(about("permit_id"), self._event)
        self._days, self._first = Days(hub), Days(hub)
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        self.signing: str | None = None
        """What the place says of the signer while a signature is judged."""
        self.slot = ""
        """The closing slot that is being signed: it counts as signed."""

    def arm(self) -> None:
        """Take the site's time zone; judge papers anew."""
        self._days.arm()
        self._first.arm()
        self._papers.clear()
        self._families.clear()

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what can be told of a permit now."""
        found: Values = {}
        self._times(permit, found)
        found |= self._paper(permit, kind, pack)
        self._kin(permit, found)
        return found

    def _event(self, body: PermitEvent) -> None:
        self._papers.pop(body.permit_id, None)
        self._families.clear()

    def _paper(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what signatures, briefing and grade tell; kept until an event."""
        signs = self.signing is not None or self.slot
        kept = None if signs else self._papers.get(permit.id)
        if kept is None:
            kept = {}
            self._signatures(permit, kind, pack, kept)
            self._briefing(permit, kind, pack, kept)
            self._grade(permit, kind, pack, kept)
            if not signs:
                self._papers[permit.id] = kept
        return kept

    # --- signatures -----------------------------------------------------------

    def _signatures(
        self, permit: PermitRecord, kind: Kind, pack: Pack, found: Values
    ) -> None:
        life = permit.life
        slots = chain.chain(pack, kind)
        asked = chain.unsigned(slots, permit, Phase.SIGN)
        found["permit_issued"] = life.approved
        found["approvals_missing"] = len(asked)
        found["approvals_in_order"] = True  # the desk takes them in no other
        found["countersigned"] = len(asked) <= (0 if life.approved else 1)
        early = [s for s in slots if s.phase is Phase.START]
        found["team_lead_checked"] = bool(early) and all(
            s.id in life.signed for s in early
        )
        found["entry_supervisor_verified"] = (
            any(s.approves and s.id in life.signed for s in slots)
            or self.signing == "true"
        )
        phases = [Phase.SIGN, Phase.START]
        closing = permit.status in (PermitStatus.COMPLETED, PermitStatus.EXPIRED)
        phases += [Phase.CLOSE] if closing else []
        missing = [
            s.id for phase in phases for s in chain.unsigned(slots, permit, phase)
        ]
        found["signatures_complete"] = set(missing) <= {self.slot}
        done = {s.id for s in chain.unsigned(slots, permit, Phase.CLOSE)} <= {self.slot}
        found["acceptance_signed"] = found["acceptance_checked"] = done
        found["handover_both_signed"] = not asked
        if self.signing in ("true", "false"):
            found["approver_on_site"] = self.signing == "true"

    def _briefing(
        self, permit: PermitRecord, kind: Kind, pack: Pack, found: Values
    ) -> None:
        life = permit.life
        named = set(permit.people())
        first = named - set(life.added)
        found["briefing_done"] = bool(first) and first <= set(life.briefed)
        found["added_workers_briefed"] = set(life.added) <= set(life.briefed)
        found["entrants_informed"] = named <= set(life.briefed)
        found["analysis_done"] = bool(life.hazards)
        form = pack.form(kind.form)
        measures = form.measures if form is not None else ()
        found["measures_confirmed"] = all(
            measure.free_text or measure.id in life.measures for measure in measures
        )
        found["guardian_changed"] = life.watches > 0
        found["guardian_handover_recorded"] = not life.offered_to

    # --- times ----------------------------------------------------------------

    def _times(self, permit: PermitRecord, found: Values) -> None:
        life, clock = permit.life, self._hub.clock
        left = permit.valid.remaining_ns(clock)
        if left is not None and clock.synced():
            found["valid_left_min"] = left / _MIN
        if clock.synced():
            late = clock.wall_ns() > life.from_wall_ns + _APPROVAL_NS
            found["approval_overdue"] = late and not life.approved
        day = self._work_day(life.started)
        if day is not None:
            found["work_day"] = day
        stopped = self.since(life.paused)
        if permit.status in RUNNING or life.paused is None:
            found["break_min"] = 0
        elif stopped is not None:
            found["break_min"] = stopped
        confirmed = self.since(life.confirmed)
        if life.confirmed is None:
            found["confirm_age_min"] = 0
        elif confirmed is not None:
            found["confirm_age_min"] = confirmed

    def since(self, moment: Deadline | None) -> float | None:
        """Return the minutes since a moment; None when nobody can tell."""
        left = moment.remaining_ns(self._hub.clock) if moment is not None else None
        return None if left is None else -left / _MIN

    def _work_day(self, started: Deadline | None) -> int | None:
        if started is None:
            return 1
        first, today = self._first.of(started), self._days.today()
        if first is None or today is None:
            return None
        return max((today - first).days + 1, 1)

    # --- other permits --------------------------------------------------------

    def _kin(self, permit: PermitRecord, found: Values) -> None:
        permits = self._hub.state.permits.permits
        kept = self._families.get(permit.id)
        if kept is None:
            kept = self._families[permit.id] = self._family(permit)
        found |= kept
        clock = self._hub.clock
        lefts = [
            permits[p].valid.remaining_ns(clock) for p in permit.linked if p in permits
        ]
        known = [left for left in lefts if left is not None]
        if clock.synced() and len(known) == len(lefts):
            own = found.get("valid_left_min", 0.0)
            found["linked_left_min"] = min(known) / _MIN if known else own

    def _family(self, permit: PermitRecord) -> Values:
        """Return what the other permits of a job, and linked ones, mean for one."""
        permits = self._hub.state.permits.permits
        of_job = self._roster.of_job(permit.life.job)
        same = [p for p in of_job if p.status not in BROKEN_OFF]
        others = [p for p in same if p.id != permit.id]
        linked = [permits[p] for p in permit.linked if p in permits]
        whole = len(linked) == len(permit.linked)
        joined = all(p.id in permit.linked or permit.id in p.linked for p in others)
        issued = all(
            p.life.approved or (not p.life.pack and p.status not in PREPARING)
            for p in (*linked, *others)
        )
        return {
            "works_on_job": len({p.kind for p in (*same, *linked, permit)}),
            "permits_linked": joined and whole,
            "linked_issued": issued and whole,
            "coordinator_named": bool(permit.life.coordinator),
        }

    def _grade(
        self, permit: PermitRecord, kind: Kind, pack: Pack, found: Values
    ) -> None:
        """Tell whether the permit's grade is higher than the work's own."""
        said = {name: each.value for name, each in permit.life.declared.items()}
        covers = grades(pack, kind.family, said)
        ranks = {each.id: each.rank for each in pack.kinds}
        if Truth.UNKNOWN not in covers.values():
            fits = [
                ranks[name] for name, truth in covers.items() if truth is Truth.TRUE
            ]
            found["grade_raised"] = bool(fits) and kind.rank < max(fits)


class GateFacts:
    """Tell whether everyone was verified at the place, and how long ago."""

    names = frozenset({"people_verified", "verified_age_min"})

    def __init__(self, places: Places) -> None:
        self._places = places
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what can be told of a permit's people now."""
        people = {permit.supervisor_id, *permit.people()}
        told = self._places.gathered(people, permit.zone_id)
        if told is None:
            return {}
        everyone, age_s = told
        return {
            "people_verified": everyone and age_s <= _DAY_S,
            "verified_age_min": age_s / 60,
        }
