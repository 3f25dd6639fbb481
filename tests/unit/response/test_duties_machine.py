"""Any order of acts, restarts, reboots and lost disks keeps what people are owed."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from core.people.acts import Act
from core.response import plans_acts as p
from core.response import tasks_acts as t
from core.response.plans_state import PlanSettled
from core.response.tasks_state import (
    MAJOR,
    TaskAccepted,
    TaskDoubted,
    TaskMoved,
    TaskPhoto,
)
from tests.support.yard import ROLES
from tests.unit.response.test_plans import Works, plan

PEOPLE = st.sampled_from(sorted(ROLES))
STEPS = st.sampled_from(["stop", "count", "search", "tell"])
TAKEN = 1_790_000_000_000


class Duties(RuleBasedStateMachine):
    """One hazard and one plan; whoever does whatever, in any order."""

    @initialize(grade=st.sampled_from(["general", "major"]))
    def begin(self, grade: str) -> None:
        self.works = Works()
        self.works.arm(plan())
        made = self.works.act("ann", t.ReportTask(title="rail", grade=grade))  # type: ignore[arg-type]
        self.task = str(made.result["task_id"])
        self.works.reading("h2s", 30.0)
        self.run = self.works.runs()[0].id
        self.pictures = 0
        self.boots = 0

    # --- what people do -------------------------------------------------------

    def act(self, person: str, act: Act) -> None:
        self.works.act(person, act)

    @rule(person=PEOPLE, owner=PEOPLE)
    def dispatch(self, person: str, owner: str) -> None:
        self.act(person, t.DispatchTask(task_id=self.task, owner=owner, due_s=600.0))

    @rule(person=PEOPLE)
    def start(self, person: str) -> None:
        self.act(person, t.StartTask(task_id=self.task))

    @rule(person=PEOPLE, stage=st.sampled_from(["before", "after"]))
    def photo(self, person: str, stage: str) -> None:
        self.pictures += 1
        self.act(
            person,
            t.PhotographTask(
                task_id=self.task,
                stage=stage,  # type: ignore[arg-type]
                sha256=f"{self.pictures:064x}",
                size=9,
                media="image/png",
                taken_ms=TAKEN,
            ),
        )

    @rule(person=PEOPLE)
    def fix(self, person: str) -> None:
        self.act(person, t.FixTask(task_id=self.task))

    @rule(lead=PEOPLE, fixer=PEOPLE)
    def fixed_at_once(self, lead: str, fixer: str) -> None:
        """Go the usual way, so that many runs come near the end."""
        self.dispatch(lead, fixer)
        self.photo(fixer, "before")
        self.photo(fixer, "after")
        self.fix(fixer)

    @rule(person=PEOPLE)
    def accept(self, person: str) -> None:
        self.act(person, t.AcceptTask(task_id=self.task))

    @rule(person=PEOPLE)
    def reject(self, person: str) -> None:
        self.act(person, t.RejectTask(task_id=self.task, reason="no", due_s=600.0))

    @rule(person=PEOPLE, step=STEPS)
    def do(self, person: str, step: str) -> None:
        self.act(person, p.DoStep(plan_run=self.run, step=step))

    @rule(person=PEOPLE, step=STEPS)
    def skip(self, person: str, step: str) -> None:
        self.act(person, p.SkipStep(plan_run=self.run, step=step, reason="why"))

    @rule(person=PEOPLE)
    def end(self, person: str) -> None:
        self.act(person, p.EndPlan(plan_run=self.run, reason="over"))

    # --- what happens to the hub ----------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 61.0, 700.0]))
    def later(self, seconds: float) -> None:
        self.works.advance(seconds)

    @rule(reboot=st.booleans(), trusted=st.booleans())
    def stop(self, reboot: bool, trusted: bool) -> None:
        self.boots += 1
        before = self.steps()
        self.works.clock.trusted = trusted
        self.works.restart(reboot=f"boot-{self.boots}" if reboot else "")
        assert self.steps() == before, "a stop changed a step"

    @precondition(lambda self: not self.works.journal.broken)
    @rule(person=PEOPLE)
    def accept_lost(self, person: str) -> None:
        """The disk fails under an acceptance: it counts for nothing."""
        self.works.journal.held = True
        self.works.ask(person, t.AcceptTask(task_id=self.task))
        self.works.journal.held = False
        self.works.break_disk()
        record = self.record()
        assert record is not None
        self.works.mend_disk()

    # --- promises -------------------------------------------------------------

    def steps(self) -> dict[str, str]:
        runs = [r for r in self.works.runs() if r.id == self.run]
        return {name: step.state for run in runs for name, step in run.steps.items()}

    def record(self) -> object:
        return self.works.hub.state.response.tasks.tasks.get(self.task)

    @invariant()
    def no_task_closes_without_a_second_person(self) -> None:
        """2.24: whoever had a hand in the present fix never accepted it."""
        if not hasattr(self, "works"):
            return
        record = self.works.hub.state.response.tasks.tasks[self.task]
        if record.open:
            return
        told: list[str] = []
        hands: set[str] = {record.owner}
        for body in self.works.events():
            if isinstance(body, TaskAccepted):
                told.append(body.by)
            elif isinstance(body, TaskDoubted):
                told.clear()
            elif isinstance(body, TaskMoved):
                if body.state == "rejected":
                    told.clear()
                else:
                    hands.add(body.by)
            elif isinstance(body, TaskPhoto) and body.stage == "after":
                hands.add(body.by)
        needed = 2 if record.grade == MAJOR else 1
        assert len(set(told)) >= needed
        assert not set(told) & hands
        assert record.shown("before")
        assert record.shown("after")

    @invariant()
    def every_settled_step_has_its_person(self) -> None:
        """Issue §7: done or skipped is a named person's word, with a reason."""
        if not hasattr(self, "works"):
            return
        settled = {b.step: b for b in self.works.events(PlanSettled)}
        for name, state in self.steps().items():
            if state in ("done", "skipped"):
                assert settled[name].by in ROLES
                assert state == "done" or settled[name].reason
        runs = [run for run in self.works.runs() if run.id == self.run]
        for run in runs:
            assert run.running or all(s.settled for s in run.steps.values())

    @invariant()
    def what_is_owed_has_a_deadline(self) -> None:
        """R7: nothing open waits for ever without anybody being told."""
        if not hasattr(self, "works"):
            return
        for task in self.works.hub.state.response.tasks.open():
            assert task.due is not None
        for run in self.works.hub.state.response.plans.running():
            for step in run.steps.values():
                assert step.state != "open" or step.due is not None or step.level >= 5


TestDuties = Duties.TestCase
TestDuties.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
