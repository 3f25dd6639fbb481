"""Words that reach further: upstream, weather, roster, hooks, tasks, plans, clips."""

from typing import Any

import msgspec
import pytest

from core.api.errors import ConfigError
from core.config import Names, Step
from core.logic.acts import CallHook
from core.response.books import Plan
from tests.support.rules import played, told
from tests.support.yard import Yard
from tests.unit.automations.test_worst_cases import armed, rule, trigger

TELL = "actions: [{action: notify, roles: [supervisor], code: notice.rule.wind}]\n"
PEOPLE = {"boss": {"roles": ["supervisor"], "zone": "a"}}
GAS = {"quantity": "lel", "unit": "%LEL"}


def wrote(start: str, on_unknown: str = "fault", actions: str = TELL) -> str:
    return f"on_unknown: {on_unknown}\ntriggers: [{{{start}}}]\n{actions}"


def starts(stage: Any) -> list[tuple[float, str]]:
    return [(at, body.subject) for at, body in told(stage, "run.started")]


# --- upstream ---------------------------------------------------------------------

#: Zones in a row from west to east; material comes to b from d, which is far.
ROW = {
    "a": {},
    "b": {"neighbours": ["a", "c"], "upstream": ["d"]},
    "c": {},
    "d": {},
}
UPSTREAM = wrote(
    "trigger: reading, of: combustible, zone: b, above: 8, unit: '%LEL',"
    " around: upstream"
)


def blown(place: str, wind: list[Any], **site: Any) -> list[tuple[float, str]]:
    """Return what starts when gas rises in a zone under some wind."""
    detectors: dict[str, Any] = {
        "here": {"zone": "b", **GAS},
        "there": {"zone": place, **GAS},
        "vane": {"zone": "a", "quantity": "wind_direction", "unit": "°"},
        "speed": {"zone": "a", "quantity": "wind", "unit": "m/s"},
    }
    given = [
        {"at": 0, "read": {"here": 1, "there": 1}},
        *wind,
        {"at": 20, "read": {"there": 30}},
        {"at": 25, "wait": True},
    ]
    stage = played(
        UPSTREAM,
        given,
        zones=ROW,
        detectors=detectors,
        people=PEOPLE,
        **{"north": True, **site},
    )
    return starts(stage)


def wind(degrees: float, speed: float = 4.0) -> list[Any]:
    return [{"at": 1, "read": {"vane": degrees, "speed": speed}}]


@pytest.mark.parametrize(
    ("place", "blows", "fires"),
    [
        ("a", wind(270), True),
        ("a", wind(90), False),
        ("c", wind(90), True),
        ("c", wind(270), False),
        ("d", wind(270), True),
        ("d", wind(90), True),
    ],
)
def test_gas_comes_with_the_wind_and_by_the_pipes(
    place: str, blows: list[Any], fires: bool
) -> None:
    """Issue §1: "any combustible detector in zone Z, or upstream of it"."""
    assert bool(blown(place, blows)) is fires


@pytest.mark.parametrize(
    "unsure",
    [
        [],
        wind(90, speed=0.1),
        [*wind(90), {"at": 2, "quality": {"vane": "FAULT"}}],
        [*wind(90), {"at": 2, "quality": {"speed": "UNCERTAIN"}}],
        [*wind(90), {"at": 2, "silence": ["vane"]}],
        wind(1000),
    ],
)
def test_a_wind_that_is_not_good_leaves_every_neighbour_upstream(
    unsure: list[Any],
) -> None:
    """Unknown is never safe: all neighbours count."""
    assert blown("a", unsure) and blown("c", unsure)


def test_a_plan_without_north_knows_no_wind() -> None:
    """A direction on a plan that is not tied to the Earth tells nothing."""
    assert blown("a", wind(90), north=False)


def test_wind_that_turns_is_heard_within_a_second() -> None:
    """R1: a level, not only an edge: gas that stood elsewhere counts now."""
    detectors = {
        "here": {"zone": "b", **GAS},
        "there": {"zone": "a", **GAS},
        "vane": {"zone": "a", "quantity": "wind_direction", "unit": "°"},
    }
    given = [
        {"at": 0, "read": {"here": 1, "there": 1, "vane": 90}},
        {"at": 5, "read": {"there": 30}},
        {"at": 20, "read": {"vane": 270}},
        {"at": 25, "wait": True},
    ]
    stage = played(
        UPSTREAM, given, zones=ROW, detectors=detectors, people=PEOPLE, north=True
    )
    ((at, subject),) = starts(stage)
    assert 20 <= at <= 21.1 and subject == "zone:b"


# --- detection, mqtt, weather -----------------------------------------------------


def test_a_detection_is_on_unless_another_word_is_written() -> None:
    """Issue §1: what a camera finds starts a rule; a blind one leaves doubt."""
    body = wrote("trigger: detection, of: no_helmet, zone: a, for: 3s")
    camera = {"zone": "a", "quantity": "no_helmet", "kind": "binary"}
    given = [
        {"at": 0, "read": {"cam": False}},
        {"at": 5, "read": {"cam": True}},
        {"at": 15, "quality": {"cam": "FAULT"}},
        {"at": 60, "wait": True},
    ]
    stage = played(body, given, zones={"a": {}}, detectors={"cam": camera})
    assert starts(stage) == [(8.0, "zone:a")]
    assert "fault.unknown" in [b.kind for _, b in told(stage, "alarm.raised")]


def test_a_mapped_topic_is_found_by_its_device_and_entity() -> None:
    """Issue §1: a topic of the broker, as its map names it."""
    body = wrote("trigger: mqtt, device: pump, entity: value, above: 5")
    pump = {"zone": "a", "quantity": "pressure", "kind": "sensor"}
    given = [{"at": 0, "read": {"pump": 1}}, {"at": 5, "read": {"pump": 6}}]
    stage = played(body, given, zones={"a": {}}, detectors={"pump": pump})
    ((at, subject),) = starts(stage)
    assert at == 5.0 and subject.startswith("device:")


def test_a_topic_that_nobody_mapped_arms_nothing_and_says_so() -> None:
    """R10: a selector that finds nothing is an alarm, not silence."""
    body = wrote("trigger: mqtt, device: pomp, entity: value, above: 5")
    stage = played(body, [{"at": 40, "wait": True}], zones={"a": {}})
    assert [b.kind for _, b in told(stage, "alarm.raised")] == ["fault.selector"]


def test_weather_goes_by_the_worst_sensor_and_doubts_a_bad_one() -> None:
    """Issue §1: weather; a sensor that is not GOOD leaves it UNKNOWN."""
    body = wrote("trigger: weather, fact: wind_ms, zone: a, above: 10.8, for: 2s")
    detectors = {
        uid: {"zone": "a", "quantity": "wind", "unit": "m/s"} for uid in ("x", "y")
    }
    given: list[Any] = [
        {"at": 0, "read": {"x": 3, "y": 3}},
        {"at": 10, "read": {"y": 12}},
        {"at": 20, "read": {"y": 3}},
        {"at": 30, "quality": {"x": "FAULT"}},
        {"at": 70, "wait": True},
    ]
    stage = played(body, given, zones={"a": {}}, detectors=detectors)
    ((at, subject),) = starts(stage)
    assert 12 <= at <= 13.1 and subject == "zone:a"
    kinds = [b.kind for _, b in told(stage, "alarm.raised")]
    assert kinds.count("fault.unknown") == 1


def test_a_warning_of_the_weather_service_starts_a_rule() -> None:
    """Issue §1: weather that a person repeats from the service."""
    body = wrote("trigger: weather, fact: typhoon_warning")
    stage = played(body, [{"at": 5, "warn": "typhoon"}], zones={"a": {}})
    ((at, subject),) = starts(stage)
    assert at <= 6.1 and subject == "site"


# --- roster, hooks ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "at"),
    [("begins", "2026-09-21T19:59:50"), ("ends", "2026-09-22T07:59:50")],
)
def test_the_roster_starts_a_rule(event: str, at: str) -> None:
    """Issue §1: shift calendar; a night that ends belongs to its evening."""
    body = wrote(f"trigger: shift, roster: night, event: {event}")
    shifts = {"night": {"from": "20:00", "to": "08:00"}}
    stage = played(
        body, [{"at": 30, "wait": True}], zones={"a": {}}, shifts=shifts, time=at
    )
    ((when, subject),) = starts(stage)
    assert 10 <= when <= 11.1 and subject == "site"


def test_a_shift_that_the_roster_does_not_have_is_an_alarm() -> None:
    """Errors name the place: never a rule that waits for what cannot come."""
    body = wrote("trigger: shift, roster: late")
    stage = played(body, [{"at": 5, "wait": True}], zones={"a": {}})
    (alarm,) = {b.params["error"] for _, b in told(stage, "alarm.raised")}
    assert "late" in str(alarm)


def test_a_hook_starts_its_rules_in_each_zone_that_they_name() -> None:
    """Issue §1: webhook."""
    body = wrote("trigger: webhook, hook: crane-stop, zone: [a, b]")
    given = [
        {"at": 5, "hook": {"hook": "crane-stop", "params": {"load": 9}}},
        {"at": 6, "hook": {"hook": "other"}},
    ]
    stage = played(body, given, zones={"a": {}, "b": {}})
    assert starts(stage) == [(5.0, "zone:a"), (5.0, "zone:b")]
    assert told(stage, "run.started")[0][1].params["load"] == 9


def test_hooks_are_bounded_and_known() -> None:
    """Issue §1: counted and bounded; one that no rule hears is refused."""
    yard = Yard()
    armed(yard, rule("r", trigger("site", platform="webhook", hook="stop")))
    assert yard.act("sue", CallHook(hook="stopp")).code == "rule.hook_unknown"
    many = {f"k{number}": 1 for number in range(17)}
    found = yard.act("sue", CallHook(hook="stop", params=many))  # type: ignore[arg-type]
    assert found.code == "rule.hook_too_much"
    found = yard.act("sue", CallHook(hook="stop", params={"k": "x" * 300}))
    assert found.code == "rule.hook_too_much"
    codes = [yard.act("sue", CallHook(hook="stop")).code for _ in range(31)]
    assert codes == [""] * 30 + ["rule.hook_too_often"]
    yard.advance(61)
    assert yard.act("sue", CallHook(hook="stop")).ok
    assert yard.act("ann", CallHook(hook="stop")).code != ""


# --- actions ----------------------------------------------------------------------

SITE: dict[str, Any] = {"zones": {"a": {}}, "people": PEOPLE, "channels": ["ding"]}
HAZARD = {"at": 5, "alarm": {"zone": "a", "kind": "leak"}}


def did(actions: str, **site: Any) -> Any:
    body = f"on_unknown: fault\ntriggers: [{{trigger: alarm, kind: leak}}]\n{actions}"
    return played(body, [HAZARD, {"at": 20, "wait": True}], **{**SITE, **site})


def test_a_rule_opens_one_task_however_often_it_fires() -> None:
    """Issue §1: task.create."""
    stage = did(
        "actions: [{action: task.create, kind: leak, code: notice.rule.wind,"
        " due: 4h, roles: [supervisor]}]"
    )
    ((_, task),) = told(stage, "task.created")
    assert (task.kind, task.zone_id, task.roles) == ("leak", "a", ("supervisor",))


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("action: plan.start, plan: nothing", "no_plan"),
        ("action: record.clip, for: 30s", "no_recorder"),
        ("action: webhook, target: nobody, code: notice.rule.wind", "no_target"),
    ],
)
def test_what_is_not_there_is_a_failure_with_a_name(action: str, why: str) -> None:
    """Issue §1: every step takes on_failure."""
    stage = did(
        f"actions: [{{{action}, on_failure:"
        " [{action: notify, roles: [supervisor], code: notice.rule.wind}]}]"
    )
    steps = [(b.state, b.detail) for _, b in told(stage, "run.stepped")]
    assert ("failed", why) in steps
    assert len(told(stage, "notice.queued")) == 1


def test_a_recorder_is_asked_even_within_a_cloud() -> None:
    """record.clip: asking for the picture switches nothing."""
    stage = did(
        "actions: [{action: record.clip, for: 45s}]",
        outputs={"cam": {"zone": "a", "kind": "recorder"}},
    )
    ((_, command),) = told(stage, "command.issued")
    assert command.value == 45.0
    assert [b.outcome for _, b in told(stage, "run.finished")] in ([], ["done"])


def test_a_webhook_goes_to_a_named_channel_only() -> None:
    """Issue §1: never an address in a rule."""
    stage = did("actions: [{action: webhook, target: ding, code: notice.rule.wind}]")
    ((_, notice),) = told(stage, "notice.queued")
    assert notice.channels == ("ding",)
    with pytest.raises(ConfigError, match="target"):
        did("actions: [{action: webhook, target: 'http://x', code: notice.rule.wind}]")


def test_a_plan_of_the_site_is_begun() -> None:
    """Issue §1: plan.start."""
    yard = Yard()
    names = Names(zh="p", en="p")
    plan = Plan(id="leak", names=names, version="1", steps=())

    yard.bundle = msgspec.structs.replace(yard.bundle, plans=(plan,))
    yard.hub.load(yard.bundle)
    step = Step(path="actions/0", action="plan.start", fields={"plan": "leak"})
    armed(yard, rule("r", trigger("zone", kind=("leak",)), steps=(step,)))
    yard.kernel.alarms.raise_("zone:tank", "x", kind="leak", priority=2, zone_id="tank")
    yard.settle()
    assert "plan.started" in {body.name_ for body in yard.events()}


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("trigger: weather, fact: wind_ms", "write above or below"),
        ("trigger: weather, fact: fog, above: 1", "yes or no"),
        ("trigger: weather, fact: rain", "expected one of"),
        ("trigger: mqtt, device: a, entity: b", "above, below or to"),
        ("trigger: shift", "starts, or roster"),
        ("trigger: shift, starts: '08:00', event: ends", "goes with roster"),
        ("trigger: webhook", "'hook' is missing"),
    ],
)
def test_words_that_say_nothing_are_refused_with_the_mend(
    start: str, said: str
) -> None:
    """Bad input is refused with what to write instead."""
    with pytest.raises(ConfigError, match=said):
        played(wrote(start), [], zones={"a": {}})
