"""Every kind of trigger: when it starts a rule, and why it does not (R1–R6, R26)."""

from typing import Any

import pytest

from core.api.errors import ConfigError
from tests.support.rules import blueprint, played, told, whys

ACT = "actions: [{action: notify, roles: [supervisor], code: notice.rule.wind}]\n"
PEOPLE = {"boss": {"roles": ["supervisor"], "zone": "a"}}
GAS = {"g": {"zone": "a", "quantity": "h2s", "unit": "ppm"}}


def rule(trigger: str, **more: str) -> str:
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    return f"on_unknown: fault\n{extra}triggers:\n  - {{{trigger}}}\n{ACT}"


def site(**more: Any) -> dict[str, Any]:
    return {"zones": {"a": {}, "b": {"neighbours": ["a"]}}, "people": PEOPLE, **more}


def started(stage: Any) -> list[tuple[float, str]]:
    return [(at, body.subject) for at, body in told(stage, "run.started")]


def test_a_level_that_stands_at_boot_is_seen_at_boot() -> None:
    """R1, and §5 Deadlines: after boot the first GOOD match needs no sustain."""
    body = rule("trigger: reading, of: h2s, above: 5, for: 60s")
    stage = played(body, [{"at": 0, "read": {"g": 6}}], **site(detectors=GAS))
    assert started(stage) == [(0.0, "zone:a")]


def test_a_level_that_comes_later_is_sustained() -> None:
    """R2: not at 5 s + 60 s less a moment, but then."""
    body = rule("trigger: reading, of: h2s, above: 5, for: 60s")
    given = [{"at": 0, "read": {"g": 1}}, {"at": 5, "read": {"g": 6}}]
    stage = played(body, [*given, {"at": 80, "wait": True}], **site(detectors=GAS))
    assert started(stage) == [(65.0, "zone:a")]


def test_a_value_that_quality_forbids_to_act_on_is_told() -> None:
    """R26: did not fire because its quality forbids it."""
    body = rule("trigger: reading, of: h2s, above: 5")
    stage = played(body, [{"at": 0, "read": {"g": 1}}], **site(detectors=GAS))
    stage._values["g"] = 9.0
    stage._worsen({"g": "TEST"})
    stage.play([{"at": 5, "wait": True}])
    assert not started(stage)
    assert whys(stage) == ["quality"]


def test_flapping_is_told_once_a_minute() -> None:
    """R26 without a flood: the same reason once a minute for one subject."""
    body = rule("trigger: reading, of: h2s, above: 5, for: 30s")
    flaps: list[dict[str, Any]] = [{"at": 0, "read": {"g": 1}}]
    for number in range(20):
        flaps.append({"at": 4 + 2 * number, "read": {"g": 9 if number % 2 else 1}})
    stage = played(body, flaps, **site(detectors=GAS))
    assert whys(stage) == ["not_sustained"]


def test_it_ends_and_begins_anew_while_the_run_is_open() -> None:
    """R6, R12: what comes again is answered again, by the same run."""
    body = rule("trigger: reading, of: h2s, above: 5", closes="hour < 0")
    given = [
        {"at": at, "read": {"g": value}}
        for at, value in ((0, 1), (5, 9), (10, 1), (15, 9), (20, 9))
    ]
    stage = played(body, given, **site(detectors=GAS))
    assert started(stage) == [(5.0, "zone:a")]
    assert [at for at, b in told(stage, "notice.queued")] == [5.0, 15.0]


def test_two_zones_have_two_levels() -> None:
    """R6: two detectors never share a slot."""
    detectors = {**GAS, "h": {"zone": "b", "quantity": "h2s", "unit": "ppm"}}
    body = rule("trigger: reading, of: toxic, above: 5, zone: [a, b]")
    given = [{"at": 0, "read": {"g": 1, "h": 1}}, {"at": 5, "read": {"g": 9, "h": 9}}]
    stage = played(body, given, **site(detectors=detectors))
    assert sorted(s for _, s in started(stage)) == ["zone:a", "zone:b"]


def test_neighbours_are_looked_at_when_the_rule_says_so() -> None:
    """Selectors: any detector in zone a, or beside it."""
    detectors = {"h": {"zone": "b", "quantity": "h2s", "unit": "ppm"}}
    body = rule("trigger: reading, of: toxic, above: 5, zone: a, around: neighbours")
    given = [{"at": 0, "read": {"h": 1}}, {"at": 5, "read": {"h": 9}}]
    stage = played(body, given, **site(detectors=detectors))
    assert started(stage) == [(5.0, "zone:a")]


def test_units_are_converted_to_the_rules() -> None:
    """A limit in mg/m³ meets a meter in ppm: 10 mg/m³ of H2S is 7.2 ppm."""
    body = rule("trigger: reading, of: h2s, above: 10, unit: mg/m³")
    given = [{"at": at, "read": {"g": v}} for at, v in ((0, 1), (5, 7.0), (10, 7.3))]
    stage = played(body, given, **site(detectors=GAS))
    assert started(stage) == [(10.0, "zone:a")]


@pytest.mark.parametrize(
    ("fuse", "values", "fires"),
    [
        ("any", (9, 1, 1), True),
        ("all", (9, 9, 1), False),
        ("all", (9, 9, 9), True),
        ("2oo3", (9, 1, 1), False),
        ("2oo3", (9, 9, 1), True),
        ("median", (9, 9, 1), True),
        ("median", (9, 1, 1), False),
        ("mean", (12, 1, 1), False),
        ("mean", (20, 1, 1), True),
        ("max", (9, 1, 1), True),
        ("min", (9, 9, 1), False),
    ],
)
def test_fusion_words(fuse: str, values: tuple[float, ...], fires: bool) -> None:
    """Any, all, 2oo3, median and their kin."""
    uids = ("x", "y", "z")
    detectors = {u: {"zone": "a", "quantity": "h2s", "unit": "ppm"} for u in uids}
    body = rule(f"trigger: reading, of: h2s, above: 5, zone: a, fuse: {fuse}")
    given = [
        {"at": 0, "read": dict.fromkeys(uids, 1)},
        {"at": 5, "read": dict(zip(uids, values, strict=True))},
    ]
    stage = played(body, given, **site(detectors=detectors))
    assert bool(started(stage)) is fires


@pytest.mark.parametrize(
    ("fuse", "truth"), [("median", "unknown"), ("2oo3", "fires"), ("max", "fires")]
)
def test_a_lost_member_leaves_doubt_or_acts(fuse: str, truth: str) -> None:
    """§5: 2oo3 that loses one becomes 1oo2; a median with a hole may be anything."""
    uids = ("x", "y", "z")
    detectors = {u: {"zone": "a", "quantity": "h2s", "unit": "ppm"} for u in uids}
    body = rule(f"trigger: reading, of: h2s, above: 5, zone: a, fuse: {fuse}")
    given = [
        {"at": 0, "read": dict.fromkeys(uids, 1)},
        {"at": 5, "quality": {"z": "FAULT"}},
        {"at": 10, "read": {"x": 9}},
        {"at": 50, "wait": True},
    ]
    stage = played(body, given, **site(detectors=detectors))
    faults = [b for _, b in told(stage, "alarm.raised") if b.kind == "fault.unknown"]
    assert bool(started(stage)) is (truth == "fires")
    assert bool(faults) is (truth == "unknown") or truth == "fires"


def test_max_age_makes_a_reading_old() -> None:
    """Fusion with maximum age; an old value proves nothing."""
    body = rule("trigger: reading, of: h2s, above: 5, max_age: 3s")
    slow = {"g": {**GAS["g"], "max_age": 300}}
    given = [{"at": 0, "read": {"g": 1}}, {"at": 5, "silence": "g"}]
    stage = played(body, [*given, {"at": 60, "wait": True}], **site(detectors=slow))
    kinds = [b.kind for _, b in told(stage, "alarm.raised")]
    assert "fault.unknown" in kinds


def test_a_selector_of_nothing_refuses_to_arm_and_says_so() -> None:
    """R10: resolved at arm time; what resolves to nothing is an alarm, not silence."""
    body = rule("trigger: reading, of: co, above: 5, zone: a")
    stage = played(body, [{"at": 60, "wait": True}], **site(detectors=GAS))
    engine: Any = stage.rehearsal.kernel.hub.rooms[-1]
    assert engine.armed() == {}
    (fault,) = [b for _, b in told(stage, "alarm.raised") if b.kind == "fault.selector"]
    assert fault.params["why"] == "none"


def test_a_selector_that_is_filled_later_is_armed_then() -> None:
    """R10: a detector that is enrolled later ends the refusal by itself."""
    body = rule("trigger: reading, of: h2s, above: 5, zone: [a, b]")
    stage = played(body, [{"at": 40, "wait": True}], **site(detectors=GAS))
    lacking = [b for _, b in told(stage, "alarm.raised") if b.kind == "fault.selector"]
    assert [b.zone_id for b in lacking] == ["b"]
    registry = stage.rehearsal.kernel.registry
    device = next(iter(stage.rehearsal.kernel.hub.state.registry.devices.values()))
    from core.registry.events import DeviceZoned

    stage.rehearsal.emit(DeviceZoned(device_id=device.id, zone_id="b"))
    stage.rehearsal.run_to(stage.time() + 1)
    returned = {b.alarm_id for _, b in told(stage, "alarm.returned")}
    assert {b.alarm_id for b in lacking} <= returned
    assert registry.device(device.id) is not None


def test_a_vote_of_too_few_is_refused() -> None:
    """2oo3 over two detectors is a promise nobody can keep."""
    body = rule("trigger: reading, of: h2s, above: 5, zone: a, fuse: 2oo3")
    stage = played(body, [{"at": 40, "wait": True}], **site(detectors=GAS))
    (fault,) = [b for _, b in told(stage, "alarm.raised") if b.kind == "fault.selector"]
    assert fault.params["why"] == "few"


def test_people_who_come_and_go() -> None:
    """R1: entering and being in are distinct; a lost fix is neither."""
    for event, expected in (("enter", [10.0, 30.0]), ("leave", [20.0])):
        body = rule(f"trigger: zone, event: {event}, zone: b")
        given = [
            {"at": 0, "wait": True},
            {"at": 10, "move": {"boss": "b"}},
            {"at": 15, "lose": "boss"},
            {"at": 17, "move": {"boss": "b"}},
            {"at": 20, "move": {"boss": "a"}},
            {"at": 30, "move": {"boss": "b"}},
        ]
        stage = played(body, given, **site())
        assert [at for at, _ in started(stage)] == expected


def test_a_device_report_starts_a_rule_each_time() -> None:
    """R6: a trigger is never dropped."""
    body = rule("trigger: device, event: gate")
    given = [{"at": at, "report": {"g": "gate"}} for at in (5, 10, 15)]
    stage = played(body, [{"at": 0, "wait": True}, *given], **site(detectors=GAS))
    assert len(told(stage, "notice.queued")) == 3


def test_a_moment_of_the_day_is_answered_once_and_caught_up() -> None:
    """R7: a moment that fell into a stop is answered late; never twice."""
    body = rule('trigger: time, at: "10:01"')
    stage = played(body, [{"at": 200, "wait": True}], **site())
    assert started(stage) == [(60.0, "site")]
    engine: Any = stage.rehearsal.kernel.hub.rooms[-1]
    engine.recover(True)
    stage.rehearsal.run_to(stage.time() + 5)
    assert len(started(stage)) == 1
    state = stage.rehearsal.kernel.hub.state.runs
    (key,) = state.occurred
    state.occurred[key] -= 86_400 * 10**9
    engine.recover(True)
    stage.rehearsal.run_to(stage.time() + 5)
    late = [b.params["late_s"] for _, b in told(stage, "run.started")]
    assert len(late) == 2
    assert late[1] > 100


def test_an_untrusted_clock_is_unknown_and_trusted_again() -> None:
    """R22: timed rules do what on_unknown declares while nobody knows the time."""
    body = rule('trigger: time, at: "10:05"')
    given = [{"at": 10, "trusted": False}, {"at": 90, "trusted": True}]
    stage = played(body, [*given, {"at": 100, "wait": True}], **site())
    raised = [b for _, b in told(stage, "alarm.raised") if b.kind == "fault.unknown"]
    assert len(raised) == 1
    returned = [b.alarm_id for _, b in told(stage, "alarm.returned")]
    assert returned == [raised[0].alarm_id]


BAD = [
    ("trigger: reading, of: h2s", "above, below or stuck"),
    ("trigger: reading, of: h2s, above: 1, fuse: 4oo3", "joins nothing"),
    ("trigger: reading, above: 1", "'of' is missing"),
    ("trigger: numeric_state, above: 1", "write 'reading'"),
    ("trigger: mqtt, topic: x", "'topic'"),
    ("trigger: webhook", "'hook' is missing"),
    ("trigger: presence, event: dwell", "dwell needs for"),
    ("trigger: presence, event: count", "above or below"),
    ("trigger: presence, event: enter, for: 5s", "is a moment"),
    ('trigger: time, at: "25:00"', "no time of day"),
    ("trigger: time, sun: sunrise", "latitude"),
    ("trigger: permit, kind: x", "needs to, status"),
    ("trigger: state, of: x", "'to' is missing"),
    ("trigger: reading, of: h2s, above: 1, zone: moon", "'moon' is no zone"),
    ("trigger: reading, of: h2s, abvoe: 1", "unknown key 'abvoe'"),
    ("trigger: command, to: maybe", "expected one of"),
]


@pytest.mark.parametrize(("trigger", "mend"), BAD)
def test_a_wrong_trigger_names_place_and_mend(trigger: str, mend: str) -> None:
    """Bad input: file, line, column and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        played(rule(trigger), [], **site())
    assert mend in str(caught.value)
    assert str(caught.value).startswith("r.yaml:8:")


@pytest.mark.parametrize(
    ("action", "mend"),
    [
        ("action: task.create", "'kind' is missing"),
        ("action: plan.start", "'plan' is missing"),
        ("action: record_clip", "write 'record.clip'"),
        ("action: webhook, url: 'http://x'", "'url'"),
        ("action: permit.release", "only a person releases"),
        (
            "action: set_shelving, kinds: [gas.toxic], for: 1h, reason: x",
            "never shelved",
        ),
        ("action: repeat, count: 1000, do: []", "value must be at most 100"),
    ],
)
def test_an_action_that_the_hub_cannot_do_is_refused(action: str, mend: str) -> None:
    """No stubs: what has no receiving side is refused with what to write instead."""
    body = (
        f"on_unknown: fault\ntriggers: [{{trigger: manual}}]\nactions: [{{{action}}}]"
    )
    with pytest.raises(ConfigError) as caught:
        played(body, [], **site())
    assert mend in str(caught.value)


def test_an_input_may_stand_in_an_expression() -> None:
    """Numbers and spans of a blueprint's inputs are names in its conditions."""
    body = rule("trigger: manual", conditions="hour >= 10")
    assert blueprint(body).body["conditions"] == "hour >= 10"
