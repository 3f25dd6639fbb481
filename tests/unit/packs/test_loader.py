"""A broken pack is refused whole, with file, line, column and clause."""

import shutil
from pathlib import Path

import pytest

from automations.packs.compile import SHIPPED, find, load, load_source
from automations.packs.vectors import Suite
from core.api.errors import ConfigError

ROOT = SHIPPED / "us-osha"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    shutil.copytree(ROOT, made)
    return made


def edit(folder: Path, file: str, old: str, new: str) -> int:
    """Replace text once; return the line (from 1) where it stood."""
    path = folder / file
    text = path.read_text("utf-8")
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("rules.yaml", "require: rescue_ready", "require: rescue_redy", "did you mean"),
        (
            "rules.yaml",
            "require: rescue_ready",
            "require: rescue_ready > 1",
            "compared",
        ),
        ("rules.yaml", "require: rescue_ready", "require: gas_age_min", "condition is"),
        (
            "rules.yaml",
            "require: rescue_ready",
            "requires: x",
            "unknown key 'requires'",
        ),
        (
            "rules.yaml",
            "require: rescue_ready,",
            "",
            "missing required field `require`",
        ),
        ("rules.yaml", "applies: [space]", "applies: [spase]", "no kind or family"),
        ("rules.yaml", "phases: [sign, start]", "phases: [begin]", "Invalid enum"),
        ("rules.yaml", "on_breach: deny", "on_breach: hold", "gates alone denies"),
        ("rules.yaml", "on_breach: hold", "on_breach: deny", "holds or evacuates"),
        ("rules.yaml", "on_breach: hold", 'on_breach: hold, alarm: "99"', "A.4"),
        ("rules.yaml", "on_unknown: evacuate", "on_unknown: deny", "UNKNOWN holds"),
        ("kinds.yaml", "approvers: [pai]", "approvers: [boss]", "no role 'boss'"),
        ("kinds.yaml", "approvers: [pai]", "approvers: []", "at least one person"),
        ("kinds.yaml", "form: hot", "form: cold", "no form 'cold'"),
        ("kinds.yaml", "setting: hot_valid_h", "hours: -8", "hours above 0"),
        ("kinds.yaml", "setting: hot_valid_h", "setting: x", "hours above 0"),
        ("kinds.yaml", "setting: hot_valid_h", "clause: x", "either hours or"),
        ("kinds.yaml", "order.stop_fire", "order.dance", "no text for"),
        ("kinds.yaml", "like: permit-space", "like: nothing", "no other kind"),
        ("kinds.yaml", "oxygen, combustible", "oxygen, argon", "'argon' has no limit"),
        ("kinds.yaml", "when: in_ex_area", "when: in_ex_area ==", "syntax"),
        ("limits.yaml", "low_vol: 19.5, ", "", "needs its limit"),
        ("limits.yaml", "low_vol: 19.5", "low_vol: many", "Expected `float"),
        ("forms.yaml", "unit: m, low: 0", "unit: m, low: 0, choices: [a]", "choices"),
        ("forms.yaml", "role: pai", "role: nobody", "no role 'nobody'"),
        ("pack.yaml", "value: 30, unit: min, tighter: higher", "value: 3", "outside"),
        ("pack.yaml", "acts_as: [guardian]", "acts_as: [king]", "no role of the hub"),
        ("rules.yaml", "work: hot", "work: cold", "no family 'cold'"),
        ("base.yaml", "oxygen_vol: 20.9", "oxygen_vol: 209", "number it can have"),
        ("base.yaml", "oxygen_vol: 20.9", "oxigen: 20.9", "'oxigen' is no fact"),
        ("vectors.yaml", "[permit-space, run", "[permit-place, run", "no kind"),
        ("vectors.yaml", "[permit-space, run", "[permit-space, ran", "no phase"),
        ("vectors.yaml", ", hold]", ", stop]", "outcome is one of"),
        ("vectors.yaml", "  U2:", "  U99:", "is not asked of"),
    ],
)
def test_a_mistake_names_its_place(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    line = edit(folder, file, old, new)
    with pytest.raises(ConfigError) as caught:
        Suite(load_source(folder))
    text = str(caught.value)
    assert said in text
    shown, got, column, _ = text.splitlines()[0].split(":", 3)
    assert shown.endswith(file)
    assert int(column) >= 1
    # A thing that is missing is told where its owner begins.
    assert abs(int(got) - line) <= 12


def test_a_mistake_in_a_rule_names_its_clause(folder: Path) -> None:
    line = edit(folder, "rules.yaml", "require: rescue_ready", "require: rescue == 1")
    with pytest.raises(ConfigError, match=r"\(29 CFR 1910.146\(d\)\(9\)") as caught:
        load(folder)
    assert caught.value.params["line"] == line
    assert caught.value.params["clause"]


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    edit(folder, "rules.yaml", "require: rescue_ready", "require: rescue_redy")
    edit(folder, "kinds.yaml", "approvers: [pai]", "approvers: 7")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert len(str(caught.value).splitlines()) == 2


def test_a_phase_that_no_rule_guards_is_refused(folder: Path) -> None:
    """No rule would mean no breach, and no breach is a permission."""
    edit(
        folder,
        "rules.yaml",
        "phases: [sign], require: approver",
        "phases: [start], require: approver",
    )
    edit(folder, "rules.yaml", "V1: {", "V1x: {")
    text = (folder / "rules.yaml").read_text("utf-8")
    text = text.replace(
        "applies: [hot], phases: [sign, start, ", "applies: [hot], phases: [start, "
    )
    (folder / "rules.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="no rule guards the phase sign"):
        load(folder)


def test_an_id_stands_in_one_file_only(folder: Path) -> None:
    (folder / "more.yaml").write_text("rules:\n  U1: {zh: x, en: x}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"stands in .*more\.yaml:2 too; keep one"):
        load(folder)


def test_unknown_sections_and_shapes_are_refused(folder: Path) -> None:
    (folder / "more.yaml").write_text("rulez: {}\n", "utf-8")
    with pytest.raises(ConfigError, match="unknown section 'rulez'"):
        load(folder)
    (folder / "more.yaml").write_text("rules: [1]\n", "utf-8")
    with pytest.raises(ConfigError, match="expected entries by their id"):
        load(folder)
    (folder / "more.yaml").write_text("- 1\n", "utf-8")
    with pytest.raises(ConfigError, match="expected sections"):
        load(folder)
    (folder / "more.yaml").write_text("rules: {Q: 7}\n", "utf-8")
    with pytest.raises(ConfigError, match="expected key: value"):
        load(folder)


def test_a_vector_that_is_wrong_is_told(folder: Path) -> None:
    edit(folder, "vectors.yaml", ", hold]", ", evacuate]")
    from automations.packs.vectors import Counts

    failed = list(Suite(load_source(folder)).run(Counts()))
    assert len(failed) == 1
    assert failed[0].got == "hold"
    assert "vectors.yaml:" in failed[0].place


def test_a_rule_without_vectors_is_told(folder: Path) -> None:
    edit(folder, "vectors.yaml", "  V6:", "  V5b:")
    with pytest.raises(ConfigError, match="V5b"):
        Suite(load_source(folder))


def test_a_pack_is_found_by_id_or_folder(folder: Path) -> None:
    assert find("us-osha") == ROOT
    assert find(str(folder)) == folder
    with pytest.raises(ConfigError, match="no pack here"):
        find("basic")
