"""What a rule would need to act now: truth, evidence and what is missing (R26)."""

from typing import Any

import pytest

from core.alarms.acts import ShelveAlarm
from core.api.quality import Quality
from core.link.messages import ActReply
from core.logic import standing
from core.logic.acts import ExplainRule
from core.logic.standing import RuleStands, SubjectStands
from core.logic.tree import All, Compare, Literal, Name
from tests.support.yard import HOST, Yard
from tests.unit.automations.test_worst_cases import armed, raise_, rule, trigger


def asked(yard: Yard, name: str = "r", zone: str = "", by: str = "sam") -> RuleStands:
    reply = reply_of(yard, name, zone, by)
    assert reply.ok, reply.code
    return standing.load(str(reply.result["stands"]))


def reply_of(yard: Yard, name: str, zone: str = "", by: str = "sam") -> ActReply:
    return yard.act(by, ExplainRule(rule=name, zone_id=zone))


def one(told: RuleStands, zone: str = "tank") -> SubjectStands:
    found = [
        each
        for trigger_ in told.triggers
        for each in trigger_.subjects
        if each.subject == f"zone:{zone}"
    ]
    assert len(found) == 1, told
    return found[0]


def level(**fields: Any) -> Any:
    given = {"of": ("h2s",), "above": 5.0, "unit": "ppm", "zone": ("tank",), **fields}
    return trigger("zone", platform="reading", **given)


def test_a_quiet_alarm_trigger_says_so_and_shows_the_meters() -> None:
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="gas.toxic", zone=("tank",))))
    told = asked(yard)
    (stands,) = told.triggers
    assert stands.kind == "alarm" and stands.en
    found = one(told)
    assert (found.truth, found.needs, found.mode) == ("FALSE", ("alarm",), "enforce")
    assert found.inputs and {each.unit for each in found.inputs}


def test_an_alarm_that_is_put_by_is_named_with_what_put_it_by() -> None:
    yard = Yard()
    number = raise_(yard, "zone:tank")
    shelve = ShelveAlarm(alarm_id=number, reason="works on it", minutes=5)
    assert yard.act("sam", shelve).ok
    armed(yard, rule("r", trigger("zone", kind="leak")))
    found = one(asked(yard))
    assert (found.truth, found.needs, found.alarms) == (
        "FALSE",
        ("shelved",),
        (number,),
    )


def test_a_run_that_is_open_is_what_stands() -> None:
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="leak")))
    raise_(yard, "zone:tank")
    found = one(asked(yard))
    assert found.truth == "TRUE" and found.needs == ("run",) and found.run


def test_a_condition_is_told_part_by_part() -> None:
    yard = Yard()
    condition = All(
        (
            Compare(">", Name("trigger_priority"), Literal(0)),
            Compare(">", Name("trigger_value"), Literal(5.0)),
        )
    )
    armed(yard, rule("r", trigger("zone", kind="leak"), condition=condition))
    raise_(yard, "zone:tank")
    found = one(asked(yard))
    assert [each.truth for each in found.parts] == ["TRUE", "UNKNOWN"]
    assert found.parts[0].text == "trigger_priority > 0"
    assert "condition_good" in found.needs


@pytest.mark.parametrize(
    ("quality", "truth", "need"),
    [
        (Quality.GOOD, "FALSE", "level"),
        (Quality.UNCERTAIN, "UNKNOWN", "good"),
        (Quality.FAULT, "UNKNOWN", "good"),
    ],
)
def test_a_reading_is_told_with_quality_and_age(
    quality: Quality, truth: str, need: str
) -> None:
    yard = Yard()
    armed(yard, rule("r", level()))
    yard.report(HOST, "meter-tank", "h2s", 1.0, quality)
    found = one(asked(yard))
    assert (found.truth, found.needs, found.limit) == (truth, (need,), 5.0)
    seen = [each for each in found.inputs if each.unit == "ppm"]
    assert quality in {each.quality for each in seen}
    assert all(each.age_ms >= 0 for each in seen)


def test_what_must_last_says_how_long_it_has() -> None:
    yard = Yard()
    armed(yard, rule("r", level(**{"for": 60.0})))
    yard.live(10)
    for _ in range(10):
        yard.advance(1)
        yard.report(HOST, "meter-tank", "h2s", 7.0)
    found = one(asked(yard))
    assert found.truth == "TRUE" and found.needs == ("sustain",)
    assert 5 < found.held_s < 15 and found.for_s == 60.0


def test_a_mode_that_does_not_act_is_what_is_missing() -> None:
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="leak"), mode="shadow"))
    assert one(asked(yard)).needs == ("alarm", "shadow")


def test_a_selector_that_finds_nothing_is_unknown() -> None:
    yard = Yard()
    armed(yard, rule("r", level(of=("helium",), zone=("tank",))))
    told = asked(yard)
    (found,) = told.triggers[0].subjects
    assert (found.truth, found.needs) == ("UNKNOWN", ("selector",))


def test_asking_changes_nothing_and_is_made_anew_each_time() -> None:
    """It runs on demand: no event, no kept answer, no level moved."""
    yard = Yard()
    engine = armed(yard, rule("r", level()))
    before = yard.hub.state.seq
    first = asked(yard)
    assert yard.hub.state.seq == before
    yard.report(HOST, "meter-tank", "h2s", 3.0)
    assert asked(yard) != first
    watch = engine.levels.watch("r", 0)
    assert watch is not None and not any(e.fired for e in watch.levels.values())


def test_it_is_refused_without_the_role_and_for_no_rule() -> None:
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="leak")), rule("o", mode="off"))
    assert reply_of(yard, "r", by="ann").code == "act.role"
    assert reply_of(yard, "nothing").code == "rule.unknown"
    assert reply_of(yard, "o").code == "rule.off"


def test_only_the_zone_that_is_asked_for_is_told() -> None:
    yard = Yard()
    armed(yard, rule("r", trigger("zone", kind="leak")))
    told = asked(yard, zone="tank")
    assert [each.subject for each in told.triggers[0].subjects] == ["zone:tank"]
