"""Drills: marked, attacked, scored, never the real thing (2.21, R1, R3; design §5)."""

import pytest

from core.alarms.events import AlarmRaised
from core.clock import NS
from core.journal.events import decode_body
from core.people.acts import FoundSafe
from core.response.acts import AccountPerson, StartEvacuation
from core.response.events import CommandIssued, NoticeQueued
from core.response.roll_acts import EndDrill, StartDrill
from core.response.roll_events import DrillAttacked, DrillDue, DrillEnded
from core.response.roll_state import DRILL_MAX_S, EvacuationRecord
from frontend_api.drill_report import DrillReport, reports
from frontend_api.replica import Kept
from tests.support.evac import Evac

_DUE = "notice.drill_overdue"


@pytest.fixture
def yard() -> Evac:
    return Evac()


def start(yard: Evac, plan: str = "spring") -> EvacuationRecord:
    reply = yard.act("sam", StartDrill(plan=plan))
    assert reply.ok, reply
    return yard.record(str(reply.result["evacuation_id"]))


def end(yard: Evac, record: EvacuationRecord) -> str:
    return yard.act("sam", EndDrill(evacuation_id=record.id)).code


def tick(yard: Evac, record: EvacuationRecord, person: str) -> None:
    act = AccountPerson(evacuation_id=record.id, person_id=person)
    assert yard.act("max", act).ok


def report(yard: Evac) -> DrillReport:
    kept = [Kept(decode_body(e), e) for e in yard.envelopes()]
    return reports(kept)[-1]


# --- marked, and apart ------------------------------------------------------------


def test_everything_of_a_drill_is_marked(yard: Evac) -> None:
    permit = yard.issued()
    before = len(yard.envelopes())
    record = start(yard)
    yard.live(30)
    tick(yard, record, "ann")
    end(yard, record)
    families = ("evacuation.", "drill.", "alarm.", "notice.queued", "command.issued")
    new = [e for e in yard.envelopes()[before:] if e.type.startswith(families)]
    bodies = [(e, decode_body(e)) for e in new if e.type != "drill.due"]
    # That nobody answers for the siren is a fault of the bench, and a real one.
    bodies = [(e, b) for e, b in bodies if getattr(b, "kind", "") != "fault.command"]
    bodies = [(e, b) for e, b in bodies if getattr(b, "code", "") != _DUE]
    assert bodies
    assert [(e.type, b) for e, b in bodies if not e.cause.drill] == []
    notices = [n for n in yard.events(NoticeQueued) if n.code != _DUE]
    assert notices
    assert {n.mark for n in notices} == {"DRILL"}
    assert all("first.drill" in str(n.params["first"]) for n in notices)
    raised = [b for b in yard.events(AlarmRaised) if b.kind != "fault.command"]
    assert {b.mark for b in raised} == {"DRILL"}
    assert yard.permit(permit).status == "active"


def test_it_holds_no_permit_and_proves_nothing(yard: Evac) -> None:
    permit = yard.issued()
    record = start(yard)
    yard.live(60)
    assert yard.permit(permit).status == "active"
    assert not yard.permit(permit).holds
    assert not yard.kernel.evacuations.running()
    end(yard, record)
    assert yard.permit(permit).status == "active"


@pytest.mark.parametrize("real", ["alarm", "evacuation", "sos", "again"])
def test_it_ends_at_the_first_real_alarm(yard: Evac, real: str) -> None:
    if real == "again":
        yard.reading("h2s", 30.0)
        yard.reading("h2s", 0.0)
        yard.live(5)
    record = start(yard)
    yard.live(25)
    if real == "evacuation":
        yard.act("ann", StartEvacuation(zones=("hall",), reason="smoke"))
    elif real == "sos":
        yard.signal("tag-ann", "sos")
    else:
        yard.reading("h2s", 30.0)
    yard.live(1)
    assert record.drill is not None
    assert record.drill.why == "real_alarm"
    assert not [a for a in yard.hub.state.alarms.open.values() if a.mark]
    told = [n for n in yard.events(NoticeQueued) if n.code == "notice.drill_real"]
    assert {n.person_id for n in told} >= {"ann", "bob"}
    assert all(not n.mark for n in told)
    open_ = yard.hub.state.response.notices.values()
    assert not [n for n in open_ if n.about == record.id]


def test_a_mere_fault_does_not_end_it(yard: Evac) -> None:
    record = start(yard)
    yard.kernel.alarms.raise_("host:x", "dead", kind="fault.host", priority=2)
    yard.live(1)
    assert not record.cleared_wall_ns


@pytest.mark.parametrize("real", ["alarm", "evacuation"])
def test_none_begins_beside_what_is_real(yard: Evac, real: str) -> None:
    if real == "alarm":
        yard.signal("tag-ann", "sos")
    else:
        yard.call("hall")
    assert not yard.act("sam", StartDrill(plan="spring")).ok
    assert yard.kernel.evacuations.start(("tank",), "x", mark="DRILL") == ""
    assert not yard.hub.state.response.drills


@pytest.mark.parametrize(
    ("who", "act", "code"),
    [
        ("ann", StartDrill(plan="spring"), "act.role"),
        ("sam", StartDrill(plan="autumn"), "drill.plan_unknown"),
        ("sam", StartDrill(), "site.zone_unknown"),
        ("sam", StartDrill(zones=("moon",)), "site.zone_unknown"),
        ("sam", EndDrill(evacuation_id="x"), "drill.unknown"),
    ],
)
def test_nonsense_is_refused(
    yard: Evac, who: str, act: StartDrill | EndDrill, code: str
) -> None:
    assert yard.act(who, act).code == code


def test_only_one_at_a_time(yard: Evac) -> None:
    record = start(yard)
    assert yard.act("sam", StartDrill(zones=("hall",))).code == "drill.running"
    assert end(yard, record) == ""
    assert end(yard, record) == "drill.over"


# --- attacks ----------------------------------------------------------------------


def test_attacks_come_in_their_time(yard: Evac) -> None:
    record = start(yard)
    yard.live(4)
    assert not yard.events(DrillAttacked)
    yard.live(20)
    assert [b.number for b in yard.events(DrillAttacked)] == [0, 1, 2, 3]
    assert record.refused["m-gate"] == "blocked"
    assert "hall" in record.zones
    kinds = {a.kind for a in yard.hub.state.alarms.open.values() if a.mark}
    assert kinds == {"fault.lost", "gas.toxic"}


def test_who_hides_is_seen_by_nobody_but_a_marshal(yard: Evac) -> None:
    record = start(yard)
    yard.live(6)
    yard.place("bob", "gate")
    assert record.roll["bob"].status == "missing"
    tick(yard, record, "bob")
    assert record.roll["bob"].status == "accounted"


def test_attacks_go_on_after_a_restart(yard: Evac) -> None:
    record = start(yard)
    yard.live(7)
    yard.restart(clean=False)
    yard.pulse()
    yard.live(20)
    record = yard.record(record.id)
    assert not record.cleared_wall_ns
    assert record.drill is not None
    assert record.drill.done == [0, 1, 2, 3]


def test_attacks_whose_time_nobody_knows_do_not_come(yard: Evac) -> None:
    start(yard)
    yard.live(2)
    yard.clock.trusted = False
    yard.restart(reboot="boot-2")
    yard.live(30)
    assert not yard.events(DrillAttacked)
    (ended,) = yard.events(DrillEnded)
    assert ended.why == "late_unknown"


# --- the end ----------------------------------------------------------------------


def test_what_it_switched_on_is_switched_off_by_who_ends_it(yard: Evac) -> None:
    record = start(yard)
    yard.result(yard.executed()[-1].command.id, "confirmed")
    end(yard, record)
    assert yard.told("siren") == [True, False]
    last = yard.events(CommandIssued)[-1]
    assert last.value is False


def test_a_real_alarm_leaves_the_siren_on(yard: Evac) -> None:
    start(yard)
    yard.result(yard.executed()[-1].command.id, "confirmed")
    yard.signal("tag-ann", "sos")
    yard.live(3)
    assert yard.told("siren")[-1] is True


def test_it_ends_by_itself(yard: Evac) -> None:
    record = start(yard)
    yard.advance(DRILL_MAX_S + 1)
    assert record.drill is not None
    assert record.drill.why == "expired"


# --- schedule ---------------------------------------------------------------------


def test_a_drill_that_was_never_held_is_due_and_told_once(yard: Evac) -> None:
    yard.live(3)
    assert [(b.plan, b.days) for b in yard.events(DrillDue)] == [("spring", 0)]
    yard.restart(clean=True)
    yard.live(3)
    assert len(yard.events(DrillDue)) == 1
    told = [n for n in yard.events(NoticeQueued) if n.code == "notice.drill_overdue"]
    assert [n.person_id for n in told] == ["sam"]


def test_it_is_told_ahead_of_the_next_one(yard: Evac) -> None:
    yard.live(2)
    end(yard, start(yard))
    for days in (149, 2, 22, 1, 6, 1):
        yard.clock.advance_to(yard.clock.mono_ns() + days * 86_400 * NS)
        yard.restart(clean=True)
        yard.advance(2.0)
    assert [b.days for b in yard.events(DrillDue)] == [0, 30, 7, 0]


def test_one_that_was_broken_off_counts_as_none(yard: Evac) -> None:
    start(yard)
    yard.signal("tag-ann", "sos")
    yard.live(2)
    held = yard.hub.state.response.drilled["spring"].held
    assert held is None


# --- the score --------------------------------------------------------------------


def test_the_report_tells_times_people_and_attacks(yard: Evac) -> None:
    record = start(yard)
    yard.live(6)
    for person in ("ann", "max", "sue", "gil", "ivy", "sam"):
        yard.places[person] = "gate"
    yard.live(20)
    tick(yard, record, "ann")
    yard.act(
        "max", AccountPerson(evacuation_id=record.id, person_id="ann", status="missing")
    )
    yard.live(10)
    tick(yard, record, "ann")
    yard.live(34)
    tick(yard, record, "bob")
    end(yard, record)
    found = report(yard)
    assert (found.plan, found.why, found.accounted) == ("spring", "person", 2)
    assert found.on_roll == 2
    assert found.missed == []
    assert found.to_50_s == pytest.approx(36, abs=1)
    assert found.to_100_s == pytest.approx(70, abs=1)
    assert found.share_in_time == 100.0
    ann = next(each for each in found.people if each.person_id == "ann")
    assert ann.undone == 1
    hidden = next(each for each in found.people if each.person_id == "bob")
    assert hidden.hidden
    noticed = {each.kind: each.noticed_s for each in found.attacks}
    assert noticed["person_hidden"] == pytest.approx(65, abs=1)
    assert noticed["second_alarm"] is None
    assert found.score == 40 + 20 + found.parts["participation"] + 5


def test_a_drill_in_which_somebody_is_missed_fails(yard: Evac) -> None:
    record = start(yard)
    yard.live(30)
    tick(yard, record, "ann")
    end(yard, record)
    found = report(yard)
    assert found.missed == ["bob"]
    assert found.to_90_s is None
    assert found.passed is False


def test_one_that_was_broken_off_is_not_judged(yard: Evac) -> None:
    start(yard)
    yard.live(3)
    yard.signal("tag-bob", "sos")
    yard.live(1)
    found = report(yard)
    assert (found.why, found.passed) == ("real_alarm", None)


def test_help_that_came_lets_a_drill_begin_again(yard: Evac) -> None:
    yard.signal("tag-bob", "sos")
    yard.live(1)
    yard.act("max", FoundSafe(person_id="bob"))
    yard.live(1)
    # Latched until a person resets it: it still warns.
    assert not yard.act("sam", StartDrill(plan="spring")).ok
