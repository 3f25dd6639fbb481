"""Roll calls and drills on the page, over HTTP and on the command line."""

import json
from pathlib import Path

import msgspec
import pytest

from core.cli import main
from core.clock import SimClock
from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.response.acts import AccountPerson
from core.response.roll_acts import EndDrill, SignInVisitor, StartDrill
from frontend_api.commands.drill import lines
from frontend_api.drill_report import PASS, WEIGHTS, DrillReport, reports
from frontend_api.names import Names
from frontend_api.replica import Kept, Replica
from frontend_api.roll_calls import RollCalls
from frontend_api.roll_views import EvacuationView
from tests.support.evac import Evac


@pytest.fixture
def yard() -> Evac:
    return Evac()


def shown(yard: Evac) -> tuple[Replica, RollCalls]:
    """Return a replica of the yard with its roll calls."""
    replica = Replica(SimClock())
    replica.state, replica.bundle = yard.hub.state, yard.bundle
    for data in yard.journal.stored:
        wrapped = envelopes.decode(data)
        replica.events.append(Kept(decode_body(wrapped), wrapped))
    replica.live = {row.entity_id: row for row in yard.kernel.readings.drain_live(True)}
    return replica, RollCalls(replica)


def view(yard: Evac) -> EvacuationView:
    replica, calls = shown(yard)
    return list(calls.evacuations(Names(replica)).values())[-1]


def drilled(yard: Evac) -> DrillReport:
    reply = yard.act("sam", StartDrill(plan="spring"))
    number = str(reply.result["evacuation_id"])
    yard.live(12)
    for person in ("ann", "bob"):
        yard.act("max", AccountPerson(evacuation_id=number, person_id=person))
    yard.act("sam", EndDrill(evacuation_id=number))
    return reports(Kept(decode_body(e), e) for e in yard.envelopes())[-1]


# --- the page ---------------------------------------------------------------------


def test_a_missing_person_comes_with_work_gas_and_picture(yard: Evac) -> None:
    """Peers §C: the list is joined with permit, gas and last frame."""
    permit = yard.issued()
    yard.signal("box-tank", "frame", frame="sha256:abc")
    yard.call("tank")
    ann = next(line for line in view(yard).roll if line.person_id == "ann")
    assert (ann.zone_id, ann.certain, ann.status) == ("tank", True, "missing")
    assert [(p.id, p.status) for p in ann.permits] == [(permit, "held")]
    assert {(g.quantity, g.value) for g in ann.gas} == {
        ("h2s", 0.0),
        ("lel", 0.0),
        ("o2", 20.9),
    }
    assert ann.frame == "sha256:abc"
    assert ann.seen_ms > 0


def test_who_is_out_is_shown_without_them(yard: Evac) -> None:
    record = yard.call("tank")
    yard.act("max", AccountPerson(evacuation_id=record.id, person_id="ann"))
    ann = next(line for line in view(yard).roll if line.person_id == "ann")
    assert (ann.permits, ann.gas, ann.frame) == ([], [], "")


def test_the_first_words_stand_over_a_confined_space_in_alarm(yard: Evac) -> None:
    yard.call("tank")
    assert view(yard).first is None
    yard.signal("tag-ann", "sos")
    first = view(yard).first
    assert first is not None
    assert first.zh.startswith("严禁盲目施救")


def test_visitors_are_named_by_badge(yard: Evac) -> None:
    yard.act("max", SignInVisitor(badge="V7", count=2, zone_id="tank"))
    yard.call("tank")
    line = view(yard).roll[-1]
    assert (line.names.en, line.count) == ("Visitor V7", 2)
    _, calls = shown(yard)
    assert calls.visitors()["V7"].count == 2


def test_who_hides_is_told_to_nobody_before_the_end(yard: Evac) -> None:
    yard.act("sam", StartDrill(plan="spring"))
    yard.live(12)
    drill = view(yard).drill
    assert drill is not None
    assert [a.kind for a in drill.attacks] == ["muster_blocked"]
    assert "bob" not in str(msgspec.to_builtins(drill.attacks))


def test_a_plan_says_when_it_is_due(yard: Evac) -> None:
    _, calls = shown(yard)
    assert calls.drill_plans()["spring"].held_ms == 0
    assert calls.drill_plans()["spring"].due_ms > 0
    drilled(yard)
    _, calls = shown(yard)
    plan = calls.drill_plans()["spring"]
    assert plan.due_ms - plan.held_ms == 180 * 86_400_000


# --- the score --------------------------------------------------------------------


def test_the_score_is_the_sum_of_its_parts(yard: Evac) -> None:
    found = drilled(yard)
    assert sum(WEIGHTS.values()) == 100
    assert found.score == sum(found.parts.values())
    assert all(0 <= found.parts[name] <= most for name, most in WEIGHTS.items())
    assert found.passed is (found.score >= PASS)


def test_a_report_can_be_read_in_both_languages(yard: Evac) -> None:
    found = drilled(yard)
    replica, _ = shown(yard)
    for language, mark in (("zh", "【演练】"), ("en", "[DRILL]")):
        said = lines(found, Names(replica), language)
        assert said[0].startswith(mark)
        assert not any("{" in line or "drill." in line for line in said)


def test_a_journal_without_a_drill_has_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drill", "report", "--data", str(tmp_path)]) == 2
    (tmp_path / "journal").mkdir()
    assert main(["drill", "report", "--data", str(tmp_path)]) == 2
    assert "no such drill" in capsys.readouterr().err


def test_the_line_must_say_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    for line in (["start", "spring"], ["end"], ["start", "--by", "sam"]):
        with pytest.raises(SystemExit):
            main(["drill", *line, "--data", "x"])
    assert "--by" in capsys.readouterr().err


def test_a_report_is_plain_json(yard: Evac) -> None:
    told = json.loads(msgspec.json.encode(drilled(yard)))
    assert told["plan"] == "spring"
