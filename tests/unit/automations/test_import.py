"""Home Assistant's blueprints: converted, or told line by line."""

from pathlib import Path

import pytest

from automations import blueprint_command, vectors
from automations.blueprint import from_document
from core.api.documents import parse

FOREIGN = """\
blueprint:
  name: Smoke in the workshop
  domain: automation
  input:
    sensor:
      name: Sensor
      selector:
        entity:
          filter: [{domain: binary_sensor, device_class: smoke}]
    wait:
      name: Wait
      default: {minutes: 1}
      selector: {duration: {}}
triggers:
  - trigger: state
    entity_id: !input sensor
    to: "on"
    for: !input wait
  - trigger: mqtt
    topic: x
conditions:
  - condition: time
    after: "22:00:00"
    before: "06:00:00"
  - condition: template
    value_template: "{{ true }}"
actions:
  - action: siren.turn_on
  - delay: "00:00:30"
  - action: notify.mobile_app
    data: {message: Fire}
  - choose: []
mode: single
"""


def test_what_has_a_meaning_is_converted_and_the_rest_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line that is left out is named with what to write instead."""
    file = tmp_path / "smoke.yaml"
    file.write_text(FOREIGN, "utf-8")
    assert blueprint_command.main(["import", str(file)]) == 1
    said = capsys.readouterr()
    made = from_document(parse(said.out, "made.yaml"))
    (trigger,) = made.body["triggers"]
    assert (trigger["trigger"], trigger["of"]) == ("state", "smoke")
    assert made.body["conditions"] == "(hour >= 22 or hour < 6)"
    assert [each["action"] for each in made.body["actions"]] == [
        "command",
        "wait",
        "notify",
    ]
    assert made.body["actions"][2]["after"] == "pause-1"
    lines = FOREIGN.splitlines()
    for text, mend in (
        ("  - trigger: mqtt", "map the topic"),
        ("  - condition: template", "write an expression"),
        ("  - action: notify.mobile_app", "free text has no place"),
        ("  - choose: []", "'choose'"),
        ("mode: single", "no trigger is dropped"),
    ):
        place = f"smoke.yaml:{lines.index(text) + 1}:"
        told = [each for each in said.err.splitlines() if place in each]
        assert any(mend in each for each in told), (text, said.err)


def test_what_was_converted_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The result is a blueprint that the engine plays."""
    file = tmp_path / "smoke.yaml"
    file.write_text(FOREIGN.replace('"22:00:00"', '"08:00:00"'), "utf-8")
    blueprint_command.main(["import", str(file), "--id", "workshop"])
    made = from_document(parse(capsys.readouterr().out, "made.yaml"))
    test = {
        "site": {
            "zones": {"a": {}},
            "detectors": {"s": {"zone": "a", "quantity": "smoke", "kind": "binary"}},
            "outputs": {
                "s1": {
                    "zone": "a",
                    "kind": "siren",
                    "ex_rated": True,
                    "contact_zone": "a",
                }
            },
            "people": {"boss": {"roles": ["supervisor"], "zone": "a"}},
        },
        "given": [
            {"at": 0, "read": {"s": False}},
            {"at": 5, "read": {"s": True}},
            {"at": 100, "wait": True},
        ],
        "expect": [
            {"at": 65, "command": "s1", "value": True},
            {"at": 95, "told": "supervisor"},
        ],
    }
    assert vectors.run(made, test).problems == ()


@pytest.mark.parametrize("text", ["a: 1", "[]", "blueprint: {name: x}"])
def test_a_file_that_is_no_blueprint_is_told(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input never ends in a stack trace."""
    file = tmp_path / "x.yaml"
    file.write_text(text, "utf-8")
    assert blueprint_command.main(["import", str(file)]) in (0, 2)
    capsys.readouterr()
