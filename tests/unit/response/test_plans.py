"""Emergency plans: bound to alarms, driven by the hub, settled by people (1.27)."""

import msgspec
import pytest

from core.config import Bundle, Names
from core.hub import CORE
from core.link.messages import ActReply
from core.response import plans_acts as a
from core.response import plans_state as s
from core.response.books import Plan, PlanStep
from core.response.events import NoticeQueued
from core.response.plans import MOST_ABOUT, answers
from core.response.roll_acts import EndDrill, StartDrill
from tests.support.yard import Yard, bundle

FACTS = {"zone": "tank"}


def words(text: str) -> Names:
    return Names(zh=text, en=text)


def step(
    step_id: str, *roles: str, after: tuple[str, ...] = (), **more: object
) -> PlanStep:
    fields: dict[str, object] = {"within_s": 60.0} | more
    return PlanStep(
        id=step_id,
        names=words(step_id),
        roles=roles,
        after=after,
        **fields,  # type: ignore[arg-type]
    )


def plan(plan_id: str = "toxic", version: str = "1.0.0", **more: object) -> Plan:
    fields: dict[str, object] = {
        "alarms": ("gas.toxic",),
        "steps": (
            step("stop", "supervisor"),
            step("count", "marshal"),
            step("search", "supervisor", after=("stop", "count")),
            step("tell", "safety_officer", after=("stop",), report=True),
        ),
    }
    return Plan(id=plan_id, names=words(plan_id), version=version, **(fields | more))  # type: ignore[arg-type]


class Works(Yard):
    """The yard with plans."""

    def arm(self, *plans: Plan) -> None:
        self.bundle = msgspec.structs.replace(bundle(), plans=plans)
        self.hub.load(self.bundle)
        self.settle()

    def runs(self) -> list[s.PlanRun]:
        return list(self.hub.state.response.plans.runs.values())

    def states(self) -> dict[str, str]:
        (run,) = self.runs()
        return {name: record.state for name, record in run.steps.items()}

    def do(self, person: str, step_id: str) -> ActReply:
        run = self.runs()[-1].id
        return self.act(person, a.DoStep(plan_run=run, step=step_id))

    def told(self, code: str) -> list[tuple[str, str]]:
        return [
            (n.person_id, str(n.params["plan_step"]).partition("/")[2])
            for n in self.events(NoticeQueued)
            if n.code == code
        ]


@pytest.fixture
def works() -> Works:
    works = Works()
    works.arm(plan())
    return works


def done(reply: ActReply) -> ActReply:
    assert reply.ok, (reply.code, reply.params)
    return reply


def test_an_alarm_starts_its_plan_and_calls_the_owners(works: Works) -> None:
    """1.27: each alarm class is tied to a plan; the hub pushes the steps."""
    works.reading("h2s", 30.0)
    assert works.states() == {
        "stop": "open",
        "count": "open",
        "search": "waiting",
        "tell": "waiting",
    }
    assert works.told("notice.plan_step") == [("sue", "stop"), ("max", "count")]
    (run,) = works.runs()
    assert (run.zone_id, run.mark, len(run.about)) == ("tank", "", 1)


def test_steps_follow_what_they_wait_for(works: Works) -> None:
    works.reading("h2s", 30.0)
    assert works.do("sue", "search").code == "plan.step_waits"
    done(works.do("sue", "stop"))
    assert works.states()["tell"] == "open"
    assert works.states()["search"] == "waiting"
    done(works.do("max", "count"))
    assert works.states()["search"] == "open"
    assert works.do("max", "count").code == "plan.step_settled"


def test_only_its_owners_or_leads_settle_a_step(works: Works) -> None:
    works.reading("h2s", 30.0)
    assert works.do("ann", "stop").code == "act.role"
    run = works.runs()[0].id
    skip = a.SkipStep(plan_run=run, step="count", reason="marshal is away")
    done(works.act("sam", skip))
    (settled,) = works.events(s.PlanSettled)
    assert (settled.outcome, settled.by, settled.reason) == (
        "skipped", "sam", "marshal is away",
    )  # fmt: skip


def test_a_late_step_is_told_upwards(works: Works) -> None:
    """Issue §7: the hub escalates; the step stays its owner's."""
    works.reading("h2s", 30.0)
    works.live(61)
    late = works.told("notice.plan_late")
    assert ("sue", "stop") in late
    assert ("sam", "stop") in late
    assert works.states()["stop"] == "open"


@pytest.mark.parametrize("synced", [True, False])
def test_a_stop_skips_no_step(works: Works, synced: bool) -> None:
    """Design §5: a run goes on after a restart; unknown time is late, not over."""
    works.clock.trusted = synced
    works.reading("h2s", 30.0)
    done(works.do("sue", "stop"))
    before = works.states()
    works.restart(reboot="boot-2")
    assert works.states() == before
    whys = {body.why for body in works.events(s.PlanLate)}
    assert whys == (set() if synced else {"late_unknown"})
    done(works.do("max", "count"))
    assert works.states()["search"] == "open"


def test_a_run_keeps_its_version(works: Works) -> None:
    """Issue §7: the version is pinned per run, through a new bundle and a stop."""
    works.reading("h2s", 30.0)
    works.arm(plan(version="2.0.0", steps=(step("other", "marshal"),)))
    works.restart()
    assert works.runs()[0].steps.keys() == {"stop", "count", "search", "tell"}
    done(works.do("sue", "stop"))
    done(works.do("max", "count"))
    assert works.states()["search"] == "open"


def test_the_notice_to_the_regulator_is_a_persons(works: Works) -> None:
    """Issue §7: drafted by itself, sent by a person; who, how and the text's hash."""
    works.reading("h2s", 30.0)
    done(works.do("sue", "stop"))
    assert works.do("sam", "tell").code == "plan.report_by_person"
    run = works.runs()[0].id
    send = a.SendReport(plan_run=run, way="phone", to="应急管理局", sha256="a" * 64)
    assert works.act("sue", send).code == "act.role"
    done(works.act("sam", send))
    assert works.states()["tell"] == "done"
    (report,) = works.runs()[0].reports
    assert (report.by, report.way, report.sha256) == ("sam", "phone", "a" * 64)


def test_a_plan_ends_by_name_and_not_under_its_alarm(works: Works) -> None:
    works.reading("h2s", 30.0)
    run = works.runs()[0].id
    ending = a.EndPlan(plan_run=run, reason="over")
    assert works.act("sam", ending).code == "plan.alarm_stands"
    works.reading("h2s", 0.0)
    works.live(5)
    assert works.act("sam", a.EndPlan(plan_run=run)).code == "plan.steps_open"
    assert done(works.act("sam", ending)).result["skipped"] == 4
    skipped = works.events(s.PlanSettled)
    assert {(b.outcome, b.by, b.reason) for b in skipped} == {
        ("skipped", "sam", "over")
    }
    assert works.hub.state.response.notices == {}
    assert works.do("sue", "stop").code == "plan.over"


def test_an_end_that_the_disk_lost_is_none(works: Works) -> None:
    works.reading("h2s", 30.0)
    works.reading("h2s", 0.0)
    works.live(5)
    run = works.runs()[0].id
    works.journal.held = True
    works.ask("sam", a.EndPlan(plan_run=run, reason="over"))
    works.journal.held = False
    works.break_disk()
    assert works.runs()[0].running


def test_a_drill_is_marked_and_gives_way(works: Works) -> None:
    """Design §5: DRILL is marked everywhere and ends at the first real alarm."""
    done(works.act("sam", a.StartPlan(plan="toxic", zone_id="hall", drill=True)))
    assert {n.mark for n in works.events(NoticeQueued)} == {"DRILL"}
    works.reading("h2s", 30.0)
    drill, real = works.runs()
    assert (drill.running, drill.reason) == (False, "plan.real_alarm")
    assert (real.running, real.mark) == (True, "")
    again = works.act("sam", a.StartPlan(plan="toxic", drill=True))
    assert again.code == "plan.real_running"


def test_alarms_of_one_place_share_a_run(works: Works) -> None:
    works.reading("h2s", 30.0)
    again = works.kernel.plans.start("toxic", zone_id="tank", about="a-2", cause=CORE)
    (run,) = works.runs()
    assert again == run.id
    assert run.about[1:] == ["a-2"]
    assert works.kernel.plans.start("none", zone_id=None) is None


def test_an_alarm_from_before_the_plan_is_answered(works: Works) -> None:
    """R1: levels, not only edges: the plan came later than the alarm."""
    works.arm()
    works.reading("h2s", 30.0)
    assert works.runs() == []
    works.arm(plan())
    assert len(works.runs()) == 1
    works.arm(plan())
    assert len(works.runs()) == 1


def test_the_nearest_plan_answers() -> None:
    """By its zone, then by its kind; not below its priority."""
    wide = plan("wide", alarms=("gas",))
    toxic = plan("toxic")
    tank = plan("tank", alarms=("gas",), zones=("tank",))
    every = (wide, toxic, tank)

    def found(kind: str, zone: str | None, priority: int = 1) -> str:
        best = answers(every, kind, zone, priority)
        return best.id if best else ""

    assert found("gas.toxic", "hall") == "toxic"
    assert found("gas.oxygen", "hall") == "wide"
    assert found("gas.toxic", "tank") == "tank"
    assert found("gasoline", "tank") == ""
    assert found("gas.toxic", "hall", priority=3) == ""


def test_a_bundle_without_plans_reads() -> None:
    assert Bundle(site=bundle().site).plans == ()


def test_sirens_and_holds_go_before_the_plan(works: Works) -> None:
    """Nothing protective waits: an alarm's own answers are ordered first."""
    order: list[str] = []
    works.hub.on_everything(lambda body, *_: order.append(body.name_))
    permit = works.issued()
    order.clear()
    works.reading("h2s", 30.0)
    assert works.permit(permit).holds
    assert order.index("permit.held") < order.index("plan.started")


def test_a_flood_is_one_run(works: Works) -> None:
    """10,000 alarms of one place are answered once; none is told apart (1.27)."""
    for number in range(200):
        works.kernel.alarms.raise_(
            f"entity:{number}", "high", kind="gas.toxic", priority=1, zone_id="tank"
        )
    works.settle()
    (run,) = works.runs()
    assert len(run.about) == MOST_ABOUT
    for number in range(MOST_ABOUT):
        works.kernel.alarms.clear(f"entity:{number}", "high")
    works.settle()
    ending = a.EndPlan(plan_run=run.id, reason="over")
    assert works.act("sam", ending).code == "plan.alarm_stands"


def test_no_drill_begins_beside_what_is_real(works: Works) -> None:
    """Design §5: DRILL ends at the first real alarm, and stays ended."""
    works.reading("h2s", 30.0)
    works.kernel.alarms.raise_(
        "hub:drill", "h", kind="gas.toxic", priority=1, zone_id="hall", mark="DRILL"
    )
    works.settle()
    works.restart()
    assert [run.mark for run in works.runs()] == [""]


def test_a_plan_of_a_drill_stops_with_it(works: Works) -> None:
    """A drill that is over calls nobody about steps that are late."""
    reply = done(works.act("sam", StartDrill(zones=("tank",))))
    works.kernel.alarms.raise_(
        "hub:drill", "h", kind="gas.toxic", priority=1, zone_id="tank", mark="DRILL"
    )
    works.settle()
    by_hand = a.StartPlan(plan="toxic", zone_id="hall", drill=True)
    done(works.act("sam", by_hand))
    assert [(run.mark, run.running) for run in works.runs()] == [("DRILL", True)] * 2
    number = str(reply.result["evacuation_id"])
    done(works.act("sam", EndDrill(evacuation_id=number)))
    (stopped,) = works.events(s.PlanStopped)
    assert (stopped.why, stopped.plan_run) == ("drill_over", works.runs()[0].id)
    assert works.runs()[0].reason == "plan.drill_over"
    assert works.runs()[1].running
    done(works.act("sam", a.EndPlan(plan_run=works.runs()[1].id, reason="over")))
    works.live(200)
    assert works.told("notice.plan_late") == []
