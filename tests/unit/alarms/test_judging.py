"""Out of service until a date; verdicts and incident classes (design §5)."""

from core.alarms.acts import (
    AcknowledgeAlarm,
    ClassifyIncident,
    JudgeAlarm,
    TakeOutOfService,
)
from core.alarms.events import AlarmJudged, AlarmServed, IncidentClassified
from core.alarms.state import RECENT, AlarmRecord
from tests.support.detectors import conditions, site
from tests.support.kernel import Bench, make_kernel


def raise_(bench: Bench, condition: str = "c", mark: str = "") -> AlarmRecord:
    bench.kernel.alarms.raise_(
        "zone:pit", condition, kind="level", priority=3, mark=mark
    )
    bench.settle()
    return find(bench, condition)


def find(bench: Bench, condition: str = "c") -> AlarmRecord:
    found = bench.kernel.alarms.find("zone:pit", condition)
    assert found is not None
    return found


def test_out_of_service_has_a_person_and_a_return_date() -> None:
    bench = make_kernel(site())
    record = raise_(bench)
    out = TakeOutOfService(alarm_id=record.id, reason="repair", hours=2)
    assert bench.act("tech", out).ok
    service = find(bench).service
    assert service is not None
    assert (service.person_id, service.reason) == ("tech", "repair")
    bench.restart(reboot="boot-2")
    bench.advance(7200)
    assert find(bench).out_of_service == ""
    assert bench.codes(AlarmServed, "why") == ["expired"]


def test_a_verdict_is_given_by_one_tap_also_afterwards() -> None:
    bench = make_kernel(site())
    record = raise_(bench)
    assert bench.act("boss", AcknowledgeAlarm(alarm_id=record.id)).ok
    bench.kernel.alarms.clear("zone:pit", "c")
    bench.settle()
    assert bench.hub.state.alarms.open == {}
    judge = JudgeAlarm(alarm_id=record.id, verdict="nuisance")
    assert bench.act("tech", judge).ok
    assert bench.act("tech", judge).ok, "twice is once"
    assert bench.act("ann", judge).code == "act.role"
    assert bench.codes(AlarmJudged, "verdict") == ["nuisance"]
    kept = bench.hub.state.alarms.recent[record.id]
    assert (kept.verdict, kept.judged_by) == ("nuisance", "tech")
    averted = ClassifyIncident(alarm_id=record.id, outcome="averted")
    assert bench.act("boss", averted).ok
    assert bench.codes(IncidentClassified, "outcome") == ["averted"]
    bench.restart()
    assert bench.hub.state.alarms.recent[record.id].verdict == "nuisance"


def test_tests_are_not_judged_and_what_is_long_gone_neither() -> None:
    bench = make_kernel(site())
    drill = raise_(bench, "drill", mark="DRILL")
    judge = JudgeAlarm(alarm_id=drill.id, verdict="true")
    assert bench.act("boss", judge).code == "alarm.no_verdict"
    first = raise_(bench, "0")
    for number in range(RECENT + 1):
        record = raise_(bench, str(number))
        assert bench.act("boss", AcknowledgeAlarm(alarm_id=record.id)).ok
        bench.kernel.alarms.clear("zone:pit", str(number))
    assert len(bench.hub.state.alarms.recent) == RECENT
    judge = JudgeAlarm(alarm_id=first.id, verdict="true")
    assert bench.act("boss", judge).code == "alarm.forgotten"
    assert conditions(bench) == []
