"""Bad input names file, line, column and the mend; good input compiles once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations import blueprint as blueprints
from automations.compile_rule import instantiate
from automations.compile_site import SiteCompiler, compile_folder
from automations.schema_words import span
from core import config
from core.api.documents import parse
from core.api.errors import ConfigError

SITE = """\
site: {id: s1, names: {zh: 一号, en: One}}
levels:
  - {id: ground, names: 地面}
zones:
  - id: tank
    names: {zh: 罐, en: Tank}
    level: ground
    polygon: [[0, 0], [4, 0], [4, 4]]
people:
  - {id: li, name: Li, roles: [guardian]}
notify:
  - id: main
    steps: [{roles: [guardian], channels: [screen], respond_within: 60s}]
automations:
  - id: gas
    blueprint: gas-alarm-response
    input: {chain: main}
"""


def write(folder: Path, text: str) -> Path:
    """Put a site.yaml into a folder."""
    (folder / "site.yaml").write_text(text, "utf-8")
    return folder


def test_a_site_compiles_to_a_bundle_with_a_stable_address(tmp_path: Path) -> None:
    """The same meaning has the same content address (design §5 Configuration)."""
    first = compile_folder(write(tmp_path, SITE))
    second = compile_folder(write(tmp_path, "# a comment\n" + SITE))
    assert config.digest(config.dump(first)) == config.digest(config.dump(second))
    assert [rule.id for rule in first.rules] == ["gas"]
    assert first.rules[0].life_safety
    assert config.load(config.dump(first)) == first


@pytest.mark.parametrize(
    ("old", "new", "place", "mend"),
    [
        ("level: ground", "level: attic", "site.yaml:7:", "'attic' is no level"),
        ("roles: [guardian]}\n", "roles: [boss]}\n", "site.yaml:10:", "no role"),
        ("polygon: [[0, 0], [4, 0], [4, 4]]", "polygon: [[0, 0]]", ":8:", "three"),
        ("chain: main", "chain: nobody", "site.yaml:17:", "is no chain"),
        ("chain: main", "chian: main", "site.yaml:17:", "no input 'chian'"),
        ("blueprint: gas-alarm-response", "blueprint: gas", ":16:", "no blueprint"),
        ("zones:", "zoness:", "site.yaml:4:", "unknown key 'zoness'"),
        ("respond_within: 60s", "respond_within: soon", ":13:", "no duration"),
        ("id: tank", "id: Tank One", "site.yaml:5:", "is no id"),
    ],
)
def test_an_error_names_the_place_and_the_mend(
    tmp_path: Path, old: str, new: str, place: str, mend: str
) -> None:
    """Bad input: file, line, column and what was expected."""
    assert old in SITE
    with pytest.raises(ConfigError) as caught:
        compile_folder(write(tmp_path, SITE.replace(old, new, 1)))
    assert place in str(caught.value)
    assert mend in str(caught.value)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("a: [1, 2", "expected ',' or ']'"),
        ("a: 1\na: 2", "stands here twice"),
        ("a: !secret x", "only !input"),
        ("? [a]\n: 1", "a plain word"),
        ("a: \t1\n\tb: 2", "t.yaml:"),
        ("a: &x [1]\nb: [*x, *x]", ""),
    ],
)
def test_yaml_that_is_wrong_is_refused_with_its_place(text: str, mend: str) -> None:
    """Aliases are fine, everything else here names its line."""
    if not mend:
        assert parse(text, "t.yaml").data["b"] == [[1], [1]]
        return
    with pytest.raises(ConfigError, match=r"t\.yaml:") as caught:
        parse(text, "t.yaml")
    assert mend in str(caught.value)


def test_a_yaml_bomb_is_refused_quickly() -> None:
    """Aliases that multiply end at a counted limit, not in memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 9):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]")
    with pytest.raises(ConfigError, match="aliases"):
        parse("\n".join(lines), "bomb.yaml")


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    """Any text is data or a ConfigError with a place."""
    try:
        parse(text, "any.yaml")
    except ConfigError as bad:
        assert str(bad).startswith("any.yaml:")


@given(st.floats(0, 1e6), st.sampled_from(["ms", "s", "min", "h", "d"]))
def test_spans_are_seconds(amount: float, unit: str) -> None:
    """A span keeps its size in every unit."""
    scale = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
    assert span(f"{amount:f} {unit}") == pytest.approx(
        amount * scale, rel=1e-6, abs=0.1
    )


def shipped() -> blueprints.Blueprint:
    """Return the shipped gas blueprint."""
    file = blueprints.find("gas-alarm-response", ())
    assert file is not None
    return blueprints.read(file)


@pytest.mark.parametrize(
    ("given_", "mend"),
    [
        ({}, "needs the input 'chain'"),
        ({"chain": 5}, "must be a notify_chain"),
        ({"chain": "c", "priority": 9}, "between 1 and 4"),
        ({"chain": "c", "neighbours": "yes"}, "must be a boolean"),
        ({"chain": ["c"]}, "takes one value"),
    ],
)
def test_inputs_are_checked_against_their_selectors(
    given_: dict[str, object], mend: str
) -> None:
    """R25: inputs validate on the hub."""
    with pytest.raises(ConfigError, match=mend):
        instantiate(
            shipped(),
            rule_id="r",
            mode="enforce",
            given=given_,
            zones=set(),
            chains={"c"},
        )


def test_life_safety_is_not_switched_off_by_a_file() -> None:
    """Gas rules enforce from arming; anything less needs two persons."""
    with pytest.raises(ConfigError, match="two persons"):
        instantiate(
            shipped(),
            rule_id="r",
            mode="shadow",
            given={"chain": "c"},
            zones=set(),
            chains={"c"},
        )


def test_an_action_that_is_misspelt_names_the_known_ones() -> None:
    """The error for a wrong action lists what may stand there."""
    text = SITE.replace(
        "    blueprint: gas-alarm-response\n    input: {chain: main}\n",
        "    rule:\n"
        "      on_unknown: hold\n"
        "      triggers: [{trigger: alarm, kind: gas}]\n"
        "      actions:\n"
        "        - action: comand\n",
    )
    document = parse(text, "x.yaml")
    with pytest.raises(ConfigError, match=r"x.yaml:20:\d+: .*known: command"):
        SiteCompiler(document, Path()).bundle()
