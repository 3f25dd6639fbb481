"""Off, shadow, advise, enforce: by rule, by zone, by two persons."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from automations.compile_rule import instantiate
from automations.compile_site import compile_folder
from core.api.errors import ConfigError
from core.link import messages as m
from core.logic.acts import RestoreRuleMode, SetRuleMode
from core.logic.events import RuleModeSet
from core.people.acts import Act
from tests.support.rules import blueprint, played, told

BODY = """\
on_unknown: hold
triggers:
  - {trigger: reading, of: h2s, above: 5}
actions:
  - {action: command, output: siren, value: true}
  - {action: permit.hold, code: gas}
  - {action: notify, roles: [supervisor], code: notice.rule.wind}
"""
PLAIN = BODY.replace("h2s", "noise").replace(
    "action: permit.hold, code: gas", "action: permit.hold, code: wind"
)
SITE: dict[str, Any] = {
    "zones": {"a": {}, "b": {}},
    "people": {
        "boss": {"roles": ["supervisor"], "zone": "a"},
        "sam": {"roles": ["safety_officer"], "zone": "a"},
        "eva": {"roles": ["safety_officer"], "zone": "a"},
    },
    "detectors": {
        "g": {"zone": "a", "quantity": "h2s", "unit": "ppm"},
        "n": {"zone": "a", "quantity": "noise", "unit": "dBA"},
    },
    "outputs": {
        "s1": {"zone": "a", "kind": "siren", "ex_rated": True, "contact_zone": "a"}
    },
    "permits": {"job": {"kind": "dig", "zone": "a", "supervisor": "boss"}},
}
CALM = [{"at": 0, "read": {"g": 0, "n": 0}}]


def act(stage: Any, person: str, wish: Act) -> Any:
    """Let a person act through the gateway; return the answer."""
    answers: list[Any] = []
    links = stage.rehearsal.kernel.hub.links
    send = links.send
    links.send = lambda peer, message: (
        answers.append(message)
        if isinstance(message, m.ActReply)
        else send(peer, message)
    )
    request = m.ActRequest(
        id="1",
        person_id=person,
        verb=wish.verb_,
        body=msgspec.msgpack.encode(wish),
        expected_version=None,
    )
    stage.rehearsal.kernel.access.receive("gateway", request)
    stage.rehearsal.run_to(stage.time() + 0.1)
    stage.rehearsal.kernel.hub.durable(stage.rehearsal.kernel.hub.state.seq)
    links.send = send
    return answers[-1]


def unprotected(stage: Any) -> list[Any]:
    alarms = stage.rehearsal.kernel.alarms
    return list(alarms.active(kind_prefix="fault.unprotected"))


@pytest.mark.parametrize("mode", ["shadow", "advise", "off"])
def test_life_safety_enforces_from_arming(mode: str) -> None:
    """Gas, oxygen, flame, SOS and supervision: anything less is no file's to set."""
    for zone_modes in ({}, {"a": mode}):
        with pytest.raises(ConfigError, match="two persons"):
            instantiate(
                blueprint(BODY),
                rule_id="r",
                mode="enforce" if zone_modes else mode,
                given={},
                zones={"a"},
                chains=set(),
                zone_modes=zone_modes,
            )


def test_two_persons_put_a_life_safety_rule_into_shadow_and_it_shows() -> None:
    """Design §5 Security: two persons; the zone says that it is not protected."""
    stage = played(BODY, CALM, **SITE)
    wish = SetRuleMode(rule="r", mode="shadow", zone_id="a", reason="sensor works")
    assert act(stage, "sam", wish).ok
    assert not told(stage, "rule.mode_set")
    assert act(stage, "sam", wish).ok, "the same person twice is one person"
    assert not told(stage, "rule.mode_set")
    assert act(stage, "eva", wish).ok
    (changed,) = [b for _, b in told(stage, "rule.mode_set")]
    assert changed.persons == ("sam", "eva")
    assert [a.zone_id for a in unprotected(stage)] == ["a"]
    stage.play([{"at": 5, "read": {"g": 9}}])
    states = {b.path: b.state for _, b in told(stage, "run.stepped")}
    assert set(states.values()) == {"shadow"}
    assert not told(stage, "command.issued")


def test_restoring_needs_one_person_and_answers_what_stands() -> None:
    """Nothing protective waits: a hazard that stands is answered at once."""
    stage = played(BODY, CALM, **SITE)
    wish = SetRuleMode(rule="r", mode="off", reason="works")
    assert act(stage, "sam", wish).ok
    assert act(stage, "eva", wish).ok
    stage.play([{"at": 5, "read": {"g": 9}}, {"at": 20, "wait": True}])
    assert not told(stage, "run.started")
    assert act(stage, "boss", RestoreRuleMode(rule="r")).ok
    stage.rehearsal.run_to(stage.time() + 2)
    assert told(stage, "command.issued")
    assert not unprotected(stage)


def test_a_wish_of_one_person_lapses() -> None:
    """Two persons within ten minutes, or it is no wish of two."""
    stage = played(BODY, CALM, **SITE)
    wish = SetRuleMode(rule="r", mode="shadow", reason="works")
    assert act(stage, "sam", wish).ok
    stage.play([{"at": 700, "wait": True}])
    assert act(stage, "eva", wish).ok
    assert not told(stage, "rule.mode_set")


def test_a_mode_that_the_disk_lost_is_taken_back() -> None:
    """Design §2: permissive, so undone when it never became durable."""
    stage = played(PLAIN, CALM, **SITE)
    hub = stage.rehearsal.kernel.hub
    hub.emit(
        RuleModeSet(rule="r", zone_id="", mode="off", reason="x", persons=("sam",))
    )
    assert hub.state.runs.modes
    hub.not_durable()
    assert not hub.state.runs.modes


def test_one_person_lets_another_rule_advise_and_it_only_tells() -> None:
    """Advise tells people what it would do, and does nothing else."""
    stage = played(PLAIN, CALM, **SITE)
    assert act(stage, "sam", SetRuleMode(rule="r", mode="advise", reason="trial")).ok
    stage.play([{"at": 5, "read": {"n": 9}}])
    codes = {b.code for _, b in told(stage, "notice.queued")}
    assert {"notice.rule_advice", "notice.rule.wind"} <= codes
    assert not told(stage, "command.issued")
    assert not told(stage, "permit.held")
    assert not unprotected(stage)


def test_a_zone_may_have_its_own_mode() -> None:
    """Requirement 1.25: some zones in shadow, the others enforced."""
    made = instantiate(
        blueprint(PLAIN),
        rule_id="r",
        mode="enforce",
        given={},
        zones={"a"},
        chains=set(),
        zone_modes={"a": "shadow"},
    )
    stage = played(PLAIN, CALM, **SITE)
    kernel = stage.rehearsal.kernel
    kernel.hub.load(msgspec.structs.replace(stage.bundle, rules=(made,)))
    stage.play([{"at": 5, "read": {"n": 9}}])
    (run,) = [b for _, b in told(stage, "run.started")]
    assert run.mode == "shadow"


def test_a_drill_touches_no_permit_and_no_power() -> None:
    """DRILL everywhere, never feeding live permits."""
    body = """\
on_unknown: hold
triggers: [{trigger: drill}]
actions:
  - {action: permit.hold, code: wind}
  - {action: command, output: siren, value: true}
  - {action: command, output: power_cut, value: true, if_none: skip}
  - {action: notify, roles: [supervisor], code: notice.rule.wind}
"""
    stage = played(
        body,
        [*CALM, {"at": 5, "call": {"person": "sam", "zone": "a", "drill": True}}],
        **SITE,
    )
    assert not told(stage, "permit.held")
    states = [b.state for _, b in told(stage, "run.stepped")]
    assert states.count("skipped") == 2
    (notice,) = [b for _, b in told(stage, "notice.queued")]
    assert notice.mark == "DRILL"


def test_a_rule_shelves_a_nuisance_but_never_life_safety() -> None:
    """Set_shelving, with reason and expiry; life safety never."""
    body = """\
on_unknown: fault
triggers: [{trigger: manual}]
actions:
  - {action: set_shelving, kinds: [dust, noise], for: 30min, reason: cleaning, zone: a}
"""
    given: list[dict[str, Any]] = [
        *CALM,
        {"at": 1, "alarm": {"kind": "dust", "zone": "a"}},
        {
            "at": 1,
            "alarm": {
                "kind": "noise",
                "zone": "a",
                "condition": "b",
                "life_safety": True,
            },
        },
        {"at": 5, "call": {"person": "sam", "zone": "a"}},
        {"at": 10, "wait": True},
    ]
    stage = played(body, given, **SITE)
    (shelved,) = [b for _, b in told(stage, "alarm.shelved")]
    assert (shelved.person_id, shelved.reason) == ("rule:r", "cleaning")
    stage.play([{"at": 2000, "wait": True}])
    assert told(stage, "alarm.unshelved")


def test_a_sites_file_sets_a_mode_by_zone(tmp_path: Path) -> None:
    """Requirement 1.25: written in the site's own files, checked with its place."""
    text = (
        "site: {id: s, names: {zh: 一, en: One}}\n"
        "levels: [{id: ground, names: 地面}]\n"
        "zones:\n"
        "  - {id: a, names: A, level: ground, polygon: [[0, 0], [4, 0], [4, 4]]}\n"
        "automations:\n"
        "  - {id: noise, blueprint: noise-exposure, modes: {a: shadow}}\n"
    )
    (tmp_path / "site.yaml").write_text(text, "utf-8")
    (rule,) = compile_folder(tmp_path).rules
    assert rule.zone_modes == {"a": "shadow"}
    (tmp_path / "site.yaml").write_text(text.replace("{a: sh", "{x: sh"), "utf-8")
    with pytest.raises(ConfigError, match=r"site\.yaml:6:.*'x' is no zone"):
        compile_folder(tmp_path)
