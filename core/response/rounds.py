"""Inspection rounds: who was where, proven; what was missed becomes a task (2.05).

A label can be photographed, so its code only names the point. That the person
stands there is told by what the hub sees itself, or by a code that changes.
"""

from typing import Final

from core.api.errors import Refused
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Answer
from core.people.people import People
from core.people.places import Found, Places
from core.people.signing import MS, Claim
from core.response import rounds_acts as acts
from core.response.books import Round, RoundPoint
from core.response.notices import Notices
from core.response.rounds_state import (
    RoundClosed,
    RoundOpened,
    RoundRun,
    RoundScanned,
)
from core.response.sheets import Sheets
from core.response.tasks import Tasks
from core.response.tasks_acts import LEADS

#: What was missed is looked at within a day.
_MISSED_S: Final = 86_400.0


class Rounds:
    """Open rounds by the clock or by a person; judge scans; tell what was missed."""

    def __init__(
        self, hub: Hub, people: People, places: Places, notices: Notices, tasks: Tasks
    ) -> None:
        self._hub, self._people, self._places = hub, people, places
        self._notices, self._tasks = notices, tasks
        self.sheets = Sheets(hub, people, notices, tasks)
        bind = people.access.bind
        bind(acts.StartRound, self._start_act)
        bind(acts.ScanPoint, self._scan_act)
        bind(acts.CloseRound, self._close_act)

    def arm(self) -> None:
        """Plan the rounds of the bundle: a new one is walked from now on."""
        self._hub.after(0.0, "rounds.plan", self._plan)

    def recover(self, clean: bool) -> None:
        """Go on with the open walks; what is late by now is told."""
        for run in self._hub.state.response.rounds.runs.values():
            if run.open:
                self._watch(run)
        self.sheets.recover()

    def tick(self) -> None:
        """Have no levels: rounds go by the clock and by people."""

    # --- opening and ending ---------------------------------------------------

    def _plan(self) -> None:
        """Open what is due, or was never opened; wait for the rest."""
        for round_ in self._hub.bundle.rounds:
            due = self._hub.state.response.rounds.next.get(round_.id)
            if round_.every_s and due is None:
                self._open(round_, "", CORE)
            elif round_.every_s and due is not None:
                self._wait(round_.id, due)

    def _wait(self, round_id: str, due: Deadline) -> None:
        def again(_unknown: bool) -> None:
            # Time that nobody knows is over: walking once too often harms nobody.
            found = self._round(round_id)
            if found is not None and found.every_s:
                self._open(found, "", CORE)

        fire_after(self._hub, due, f"rounds.next.{round_id}", again)

    def _round(self, round_id: str) -> Round | None:
        return next((r for r in self._hub.bundle.rounds if r.id == round_id), None)

    def _open(self, round_: Round, by: str, cause: Cause) -> str:
        """Open a walk; one that is still open is ended first."""
        for run in list(self._hub.state.response.rounds.runs.values()):
            if run.round == round_.id and run.open:
                self._end(run, "late", "", cause)
        clock = self._hub.clock
        again = Deadline.after(clock, round_.every_s) if round_.every_s else None
        body = RoundOpened(
            round_run=self._hub.ids.new(),
            round=round_.id,
            points=tuple(point.id for point in round_.points),
            due=Deadline.after(clock, round_.within_s),
            next=again,
            by=by,
        )
        self._hub.emit(body, cause)
        self._watch(self._hub.state.response.rounds.runs[body.round_run])
        if again is not None:
            self._wait(round_.id, again)
        if not by:
            self._tell(round_, body.round_run, cause)
        return body.round_run

    def _tell(self, round_: Round, run_id: str, cause: Cause) -> None:
        roles = [role for role in round_.roles if self._people.with_role(role)]
        if roles:
            self._notices.tell(
                roles=roles,
                channels=("screen",),
                code="notice.round",
                params={"round": round_.id},
                about=run_id,
                cause=cause,
            )

    def _watch(self, run: RoundRun) -> None:
        run_id = run.id

        def late(unknown: bool) -> None:
            found = self._hub.state.response.rounds.runs.get(run_id)
            if found is not None and found.open:
                self._end(found, "late_unknown" if unknown else "late", "", CORE)

        fire_after(self._hub, run.due, f"round.{run.id}", late)

    def _end(self, run: RoundRun, why: str, by: str, cause: Cause) -> None:
        """End a walk; make one task of all that was missed."""
        missed = run.left()
        body = RoundClosed(
            round_run=run.id, why="walked" if not missed else why, missed=missed, by=by
        )
        wrapped = self._hub.emit(body, cause)
        self._hub.timers.cancel(f"round.{run.id}")
        self._notices.close_about(run.id)
        if not missed:
            return
        round_ = self._round(run.round)
        self._tasks.create(
            "round",
            "task.points_missed",
            zone_id=None,
            roles=round_.roles if round_ else (),
            due_s=_MISSED_S,
            params={"round": run.round, "points": ", ".join(missed)},
            about=f"round:{run.id}",
            cause=Cause(actor=cause.actor, parent=wrapped.id),
        )

    # --- acts -----------------------------------------------------------------

    def _start_act(
        self, actor: str, act: acts.StartRound, _version: int | None, cause: Cause
    ) -> Answer:
        round_ = self._round(act.round)
        if round_ is None:
            raise Refused("round.unknown", round=act.round)
        self._people.access.require(actor, *round_.roles, *LEADS)
        for run in self._hub.state.response.rounds.runs.values():
            if run.round == round_.id and run.open:
                return {"round_run": run.id}
        return {"round_run": self._open(round_, actor, cause)}

    def _run(self, actor: str, run_id: str) -> tuple[RoundRun, Round]:
        run = self._hub.state.response.rounds.runs.get(run_id)
        round_ = self._round(run.round) if run is not None else None
        if run is None or round_ is None:
            raise Refused("round.unknown", round=run_id)
        if not run.open:
            raise Refused("round.over")
        self._people.access.require(actor, *round_.roles, *LEADS)
        return run, round_

    def _scan_act(
        self, actor: str, act: acts.ScanPoint, _version: int | None, cause: Cause
    ) -> Answer:
        run, round_ = self._run(actor, act.round_run)
        point = round_.point(act.point)
        if point is None or act.point not in run.points:
            raise Refused("round.point_unknown", point=act.point)
        if act.label != point.label:
            raise Refused("round.wrong_label", point=act.point)
        known = run.scans.get(point.id)
        found = self._found(actor, point, act, cause)
        proven = found.truth is Truth.TRUE
        if known is None or not known.proven:
            earlier = run.points[: run.points.index(point.id)]
            body = RoundScanned(
                round_run=run.id,
                point=point.id,
                by=actor,
                proven=proven,
                method=found.method,
                why="" if proven else found.why or "elsewhere",
                in_order=not (round_.ordered and set(earlier) & set(run.left())),
                note=act.note,
            )
            self._hub.emit(body, cause)
        left = run.left()
        if not left:
            self._end(run, "walked", actor, cause)
        proven = point.id not in left
        why = "" if proven else f"place.why.{found.why or 'elsewhere'}"
        return {"point": point.id, "proven": proven, "why": why, "left": len(left)}

    def _found(
        self, actor: str, point: RoundPoint, act: acts.ScanPoint, cause: Cause
    ) -> Found:
        """Say whether a person stands at a point: signed, claimed or seen."""
        if cause.proof is not None:
            return self._places.of(cause, point.zone)
        now = self._hub.clock.wall_ns()
        claim = None
        if act.method and self._hub.clock.synced():
            claim = Claim(method=act.method, code=act.code, at=now // MS)
        return self._places.judge(actor, point.zone, claim, now)

    def _close_act(
        self, actor: str, act: acts.CloseRound, _version: int | None, cause: Cause
    ) -> Answer:
        run, _ = self._run(actor, act.round_run)
        missed = run.left()
        self._end(run, "person", actor, cause)
        return {"round_run": run.id, "missed": len(missed)}
