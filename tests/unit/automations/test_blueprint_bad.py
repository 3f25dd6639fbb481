"""Bad blueprints are refused with file, line, column and what to write (issue §2)."""

import re

import pytest

from automations import compile_rule
from automations.blueprint import from_document
from core.api.documents import parse
from core.api.errors import ConfigError

GOOD = """\
blueprint:
  id: room
  version: 1.0.0
  name: {zh: 房间, en: Room}
  description: {zh: 房间, en: Room}
  input:
    zones:
      name: {zh: 区域, en: Zones}
      selector: {zone: {multiple: true}}
    level:
      name: {zh: 限值, en: Level}
      selector: {number: {min: 1, max: 25}}
      default: 8
on_unknown: hold
triggers:
  - {trigger: reading, of: lel, zone: !input zones, above: !input level, unit: "%LEL"}
conditions: active_alarms >= 0
actions:
  - {id: hold, action: permit.hold, code: gas}
  - {id: tell, action: notify, roles: supervisor, code: notice.rule.wind, after: hold}
"""


def compiled(text: str) -> None:
    blueprint = from_document(parse(text, "room.yaml"))
    compile_rule.instantiate(
        blueprint,
        rule_id="room-1",
        mode="enforce",
        given={"zones": ["tank"]},
        zones={"tank"},
        chains=set(),
    )


def test_the_good_one_is_good() -> None:
    compiled(GOOD)


@pytest.mark.parametrize(
    ("old", "new", "place", "mend"),
    [
        # unknown keys and words
        ("on_unknown: hold", "on_unknown: hold\nunknown: 1", "15:10", "unknown key"),
        ("trigger: reading", "trigger: numeric_state", "16:", "trigger"),
        ("action: permit.hold", "action: permit.release", "19:", "request_release"),
        ("on_unknown: hold", "on_unknown: nothing", "14:13", "fire"),
        ("on_unknown: hold\n", "", "1:1", "'on_unknown' is missing"),
        ("of: lel", "off: lel", "16:", "'off'"),
        ("code: gas}", "code: gas, force: true}", "19:", "'force'"),
        # wrong types
        ("above: !input level", "above: high", "16:", "no number"),
        ("selector: {zone: {multiple: true}}", "selector: zone", "9:17", "one word"),
        ("{number: {min: 1", "{number: {min: one", "12:", "no number"),
        ("id: room", "id: My Room", "2:7", "is no id"),
        ("version: 1.0.0", "version: 1", "3:12", "semantic version"),
        ("name: {zh: 房间, en: Room}", "name: {en: Room}", "4:3", "'zh' is missing"),
        ("- {id: hold, action", "- [id, hold]\n  - {id: x, action", "19:", "action"),
        # inputs that nobody declared
        ("!input level", "!input limit", "1:1|2:3", "not declared"),
        # cycles
        ("code: gas}", "code: gas, after: tell}", "19:", "no earlier action"),
        ("after: hold", "after: tell", "20:", "no earlier action"),
        ("of: lel", "of: &a [*a]", "", "not YAML|recursive|cycle"),
        # expressions that call or loop
        ("active_alarms >= 0", "open('/etc/passwd')", "17:13", "no such function"),
        ("active_alarms >= 0", "__import__('os').system('x')", "17:13", "function"),
        (
            "active_alarms >= 0",
            "'[x for x in (1, 2)]'",
            "17:13",
            "not allowed|no |not declared|only ",
        ),
        (
            "active_alarms >= 0",
            "any(x for x in hour)",
            "17:",
            "not allowed|no |not declared|only ",
        ),
        ("active_alarms >= 0", "'(lambda: 1)() > 0'", "17:13", "no such function"),
        ("active_alarms >= 0", "[1]", "17:1", "expected text; put it in quotes"),
        (
            "active_alarms >= 0",
            "active_alarms.x > 0",
            "17:13",
            "not allowed|no |not declared|only ",
        ),
        ("active_alarms >= 0", "alarms > 0", "17:13", "alarms"),
        (
            "active_alarms >= 0",
            "(a := 1) > 0",
            "17:",
            "not allowed|no |not declared|only ",
        ),
        (
            "active_alarms >= 0",
            "1 if hour else 2",
            "17:13",
            "not allowed|no |not declared|only ",
        ),
        ("active_alarms >= 0", "'x' * 9999999 == 1", "17:", ""),
        (
            "active_alarms >= 0",
            "9 ** 9 ** 9 > 1",
            "17:",
            "not allowed|no |not declared|only ",
        ),
        ("active_alarms >= 0", "hour >", "17:", ""),
    ],
)
def test_a_bad_blueprint_names_its_place_and_its_mend(
    old: str, new: str, place: str, mend: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        compiled(GOOD.replace(old, new, 1))
    said = str(caught.value)
    assert re.search(rf"^room\.yaml:({place or '[0-9]+'})", said, re.MULTILINE), said
    assert re.search(mend, said), said


@pytest.mark.parametrize(
    ("given", "mend"),
    [
        ({}, "needs the input 'zones'"),
        ({"zones": "tank", "more": 1}, "no input 'more'.*level, zones"),
        ({"zones": [1]}, "must be a zone, not 1"),
        ({"zones": ["moon"]}, "'moon' is no zone.*tank"),
        ({"zones": ["tank"], "level": "8"}, "must be a number"),
        ({"zones": ["tank"], "level": True}, "must be a number"),
        ({"zones": ["tank"], "level": 26}, "between 1 and 25"),
        ({"zones": ["tank"], "level": [8]}, "one value, not a list"),
        ({"zones": ["tank"], "level": float("nan")}, "finite"),
    ],
)
def test_an_input_of_a_wrong_type_is_named(given: dict[str, object], mend: str) -> None:
    blueprint = from_document(parse(GOOD, "room.yaml"))
    with pytest.raises(ConfigError, match=mend):
        compile_rule.instantiate(
            blueprint,
            rule_id="room-1",
            mode="enforce",
            given=given,
            zones={"tank"},
            chains=set(),
        )
