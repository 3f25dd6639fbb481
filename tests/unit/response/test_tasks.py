"""Hazards: found, dispatched, fixed, looked at again by a second person (2.24)."""

import pytest

from core.link.messages import ActReply
from core.people.acts import Act
from core.response import tasks_acts as a
from core.response import tasks_state as s
from core.response.events import NoticeQueued
from core.response.tasks import MOST_OPEN
from tests.support.yard import Yard

MORNING = 1_790_000_000_000
DAY = 86_400.0


@pytest.fixture
def yard() -> Yard:
    return Yard()


def done(reply: ActReply) -> ActReply:
    assert reply.ok, (reply.code, reply.params)
    return reply


def task(yard: Yard, task_id: str) -> s.TaskRecord:
    return yard.hub.state.response.tasks.tasks[task_id]


def reported(yard: Yard, by: str = "ann", **fields: str) -> str:
    act = a.ReportTask(title="loose rail", zone_id="tank", **fields)  # type: ignore[arg-type]
    return str(done(yard.act(by, act)).result["task_id"])


def photo(yard: Yard, by: str, task_id: str, stage: str, name: str) -> ActReply:
    act = a.PhotographTask(
        task_id=task_id,
        stage=stage,  # type: ignore[arg-type]
        sha256=name * 64,
        size=1000,
        media="image/jpeg",
        taken_ms=MORNING,
    )
    return yard.act(by, act)


def fixed(yard: Yard, grade: str = "general") -> str:
    """Return a task that bob has put right."""
    task_id = reported(yard, grade=grade)
    done(photo(yard, "ann", task_id, "before", "a"))
    done(yard.act("sue", a.DispatchTask(task_id=task_id, owner="bob", due_s=DAY)))
    done(yard.act("bob", a.StartTask(task_id=task_id)))
    done(photo(yard, "bob", task_id, "after", "b"))
    done(yard.act("bob", a.FixTask(task_id=task_id, note="tightened")))
    return task_id


def told(yard: Yard, code: str) -> set[str]:
    return {n.person_id for n in yard.events(NoticeQueued) if n.code == code}


def test_a_rule_opens_a_task_and_its_roles_are_told(yard: Yard) -> None:
    """Issue §9: from an alarm to a task with owner and due time."""
    task_id = yard.kernel.tasks.create(
        "todo", "task.other", zone_id="tank", roles=("supervisor",), due_s=60.0,
        about="alarm-1",
    )  # fmt: skip
    yard.settle()
    assert task(yard, task_id).state == "found"
    assert told(yard, "notice.task") == {"sue"}
    again = yard.kernel.tasks.create(
        "todo", "task.other", zone_id="tank", due_s=60.0, about="alarm-1"
    )
    assert again == task_id


def test_a_hazard_goes_the_whole_way(yard: Yard) -> None:
    """2.24: find, dispatch, fix, look again; each by name, in the journal."""
    task_id = fixed(yard)
    assert task(yard, task_id).state == "fixed"
    assert told(yard, "notice.task_recheck") == {"sue", "sam"}
    done(yard.act("sam", a.AcceptTask(task_id=task_id)))
    assert not task(yard, task_id).open
    (accepted,) = yard.events(s.TaskAccepted)
    assert (accepted.by, accepted.closes) == ("sam", True)
    assert yard.hub.state.response.notices == {}


def test_nobody_accepts_their_own_fix(yard: Yard) -> None:
    """2.24: the re-check is a second person's."""
    task_id = reported(yard)
    done(photo(yard, "ann", task_id, "before", "a"))
    done(yard.act("sue", a.DispatchTask(task_id=task_id, owner="sue", due_s=DAY)))
    done(photo(yard, "sam", task_id, "after", "b"))
    done(yard.act("sue", a.FixTask(task_id=task_id)))
    for fixer in ("sue", "sam"):
        reply = yard.act(fixer, a.AcceptTask(task_id=task_id))
        assert reply.code == "task.own_fix"
    done(yard.act("ivy", a.AcceptTask(task_id=task_id)))


def test_a_major_hazard_takes_two_persons(yard: Yard) -> None:
    """Issue §9: 重大 ones close on two persons' word."""
    task_id = fixed(yard, grade="major")
    assert (
        done(yard.act("sam", a.AcceptTask(task_id=task_id))).result["closed"] is False
    )
    assert yard.act("sam", a.AcceptTask(task_id=task_id)).code == "task.checked_already"
    assert task(yard, task_id).open
    done(yard.act("ivy", a.AcceptTask(task_id=task_id)))
    assert not task(yard, task_id).open


def test_a_fix_needs_a_new_picture(yard: Yard) -> None:
    """2.24: before and after; the old picture proves no new fix."""
    task_id = reported(yard)
    done(yard.act("sue", a.DispatchTask(task_id=task_id, owner="bob", due_s=DAY)))
    assert yard.act("bob", a.FixTask(task_id=task_id)).code == "task.no_before"
    done(photo(yard, "ann", task_id, "before", "a"))
    assert yard.act("bob", a.FixTask(task_id=task_id)).code == "task.no_after"
    assert photo(yard, "bob", task_id, "after", "a").code == "task.same_photo"
    done(photo(yard, "bob", task_id, "after", "b"))
    done(yard.act("bob", a.FixTask(task_id=task_id)))
    done(yard.act("sam", a.RejectTask(task_id=task_id, reason="still loose")))
    assert yard.act("bob", a.FixTask(task_id=task_id)).code == "task.no_after"
    done(photo(yard, "bob", task_id, "after", "c"))
    done(yard.act("bob", a.FixTask(task_id=task_id)))


def test_overdue_goes_up_step_by_step(yard: Yard) -> None:
    """Issue §9: overdue escalation through notices."""
    task_id = reported(yard)
    done(yard.act("sue", a.DispatchTask(task_id=task_id, owner="bob", due_s=3600.0)))
    yard.advance(3601)
    assert told(yard, "notice.task_overdue") == {"bob", "sue"}
    yard.advance(901)
    assert told(yard, "notice.task_overdue") == {"bob", "sue", "sam"}
    assert task(yard, task_id).level == 2


def test_a_task_that_nobody_may_have_sounds_no_siren(yard: Yard) -> None:
    """A hazard on a list is no reason to wake the site."""
    yard.kernel.tasks.create(
        "todo", "task.other", zone_id=None, roles=("auditor",), due_s=60.0
    )
    yard.settle()
    assert yard.kernel.alarms.find("hub:notices", "") is None
    assert [x for x in yard.hub.state.alarms.open.values()] == []


@pytest.mark.parametrize("synced", [True, False])
def test_time_that_nobody_knows_is_over(yard: Yard, synced: bool) -> None:
    """Design §5 Deadlines: after a reboot without a clock, late_unknown at once."""
    yard.clock.trusted = synced
    task_id = reported(yard)
    done(yard.act("sue", a.DispatchTask(task_id=task_id, owner="bob", due_s=DAY)))
    yard.restart(reboot="boot-2")
    assert task(yard, task_id).owner == "bob"
    whys = [body.why for body in yard.events(s.TaskOverdue)]
    assert whys == ([] if synced else ["late_unknown"])


def test_an_acceptance_that_the_disk_lost_is_none(yard: Yard) -> None:
    """Design §2: what ends an obligation waits for the disk."""
    task_id = fixed(yard)
    yard.journal.held = True
    yard.ask("sam", a.AcceptTask(task_id=task_id))
    assert not task(yard, task_id).open
    yard.journal.held = False
    yard.break_disk()
    assert task(yard, task_id).state == "fixed"
    assert task(yard, task_id).due is not None
    assert yard.act("sam", a.AcceptTask(task_id=task_id)).code == "journal.not_durable"


def test_too_many_tasks_are_an_alarm_and_no_silence(yard: Yard) -> None:
    """Design §8: every queue has a bound and a named overflow policy."""
    for number in range(MOST_OPEN + 1):
        yard.kernel.tasks.create("todo", "task.other", zone_id=None, owner="bob",
                                 due_s=DAY, about=f"a-{number}")  # fmt: skip
    yard.settle()
    assert yard.kernel.alarms.find("hub:tasks", "full") is not None
    assert len(yard.hub.state.response.tasks.open()) == MOST_OPEN
    reply = yard.act("ann", a.ReportTask(title="one more"))
    assert reply.code == "task.many"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (a.StartTask(task_id="none"), "task.unknown"),
        (a.ReportTask(title="x", zone_id="moon"), "site.zone_unknown"),
        (a.DispatchTask(task_id="none", owner="bob"), "task.unknown"),
    ],
)
def test_what_makes_no_sense_is_refused(yard: Yard, act: Act, code: str) -> None:
    assert yard.act("sue", act).code == code


def test_another_worker_cannot_fix_what_is_bobs(yard: Yard) -> None:
    task_id = reported(yard)
    done(yard.act("sue", a.DispatchTask(task_id=task_id, owner="bob", due_s=DAY)))
    assert yard.act("ann", a.StartTask(task_id=task_id)).code == "act.role"
    assert yard.act("sue", a.AcceptTask(task_id=task_id)).code == "task.state"
    assert yard.act("sue", a.StartTask(task_id=task_id), version=99).code == "act.stale"
