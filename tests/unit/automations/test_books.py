"""Plans, checklists and rounds as data: read, refused with place and mend, proven."""

import re
from pathlib import Path

import pytest

from automations import book_vectors, books
from automations.books_command import main
from automations.compile_site import compile_folder
from core.api.errors import ConfigError
from core.response.plans_missing import unanswered

FILES = [*books.shipped(books.PLANS), *books.shipped(books.CHECKLISTS)]
SITE = """
site: {id: s, names: {zh: 厂, en: Works}}
levels: [{id: "0", names: {zh: 地, en: Ground}}]
zones:
  - {id: tank, names: {zh: 罐, en: Tank}, level: "0", polygon: [[0, 0], [5, 0], [5, 5]]}
"""
WALK = """
rounds:
  - id: day
    names: {zh: 日巡, en: Day}
    every: 8h
    within: 1h
    points:
      - {id: pump, names: {zh: 泵, en: Pump}, zone: tank, checklist: site-inspection}
      - {id: door, names: {zh: 门, en: Door}, zone: tank, label: door-1}
"""


def site(tmp_path: Path, more: str = "") -> Path:
    (tmp_path / "site.yaml").write_text(SITE + more, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}"
)
def test_what_is_shipped_passes_its_own_tests(file: Path) -> None:
    """Issue §7, §9: data with versions, clauses and test vectors."""
    outcomes = book_vectors.run_file(file)
    assert outcomes, "it carries no tests"
    assert [each for each in outcomes if each.problems] == []


def test_there_is_a_plan_for_each_emergency() -> None:
    """Issue §7: what a site of this kind must be ready for."""
    wanted = {
        "gas-toxic", "gas-combustible", "confined-space-rescue", "fire", "person-down",
        "sos", "evacuation", "extreme-weather", "power-loss", "lifting",
    }  # fmt: skip
    assert wanted <= {file.stem for file in books.shipped(books.PLANS)}
    for file in books.shipped(books.PLANS):
        plan, _ = books.read_plan(file)
        assert plan.id == file.stem
        assert plan.clauses
        assert all(step.names.zh and step.names.en for step in plan.steps)


def test_a_site_names_its_plans_owners_and_times(tmp_path: Path) -> None:
    more = """
plans:
  - {plan: gas-toxic}
  - plan: gas-toxic
    id: gas-tank
    zones: [tank]
    steps: {stop: {roles: [guardian], within: 20s}}
checklists: [site-inspection, shift-handover]
"""
    bundle = compile_folder(site(tmp_path, more + WALK))
    wide, tank = bundle.plans
    assert (wide.zones, tank.id, tank.zones) == ((), "gas-tank", ("tank",))
    stop = tank.step("stop")
    assert stop is not None
    assert (stop.roles, stop.within_s) == (("guardian",), 20.0)
    assert [each.id for each in bundle.checklists] == [
        "site-inspection",
        "shift-handover",
    ]
    (day,) = bundle.rounds
    assert (day.every_s, day.within_s) == (8 * 3600.0, 3600.0)
    assert [p.label for p in day.points] == [books.label_of("day", "pump"), "door-1"]
    books.prove(bundle, ())


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("plans: [{plan: moon}]", 6, "there is no 'moon'"),
        ("plans: [{plan: fire, zones: [moon]}]", 6, "'moon' is no zone"),
        ("plans: [{plan: fire}, {plan: fire}]", 6, "stands twice"),
        ("plans: [{plan: fire, steps: {x: {within: 5s}}}]", 6, "has no step x"),
        ("plans: [{plan: fire, steps: {cut: {roles: [boss]}}}]", 6, "is no role"),
        ("checklists: [moon]", 6, "there is no 'moon'"),
        (WALK.strip(), 12, "is not among 'checklists:'"),
        (WALK.strip().replace("1h", "9h"), 10, "two would be open"),
    ],
)
def test_a_wrong_site_is_refused_by_place(
    tmp_path: Path, more: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_folder(site(tmp_path, more))
    assert said in str(refused.value)
    assert f":{line}:" in str(refused.value)


PLAN = """
plan: {id: p, version: 1.0.0, name: {zh: 案, en: P}, alarms: [sos]}
steps:
  - {id: a, text: {zh: 甲, en: A}, roles: [marshal], within: 60s}
  - {id: b, text: {zh: 乙, en: B}, roles: [marshal], within: 60s%s}
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (", after: [b]", "'b' is no step above"),
        (", after: [c]", "'c' is no step above"),
        (", report: true", "needs 'report_to'"),
        (", owner: me", "unknown key 'owner'"),
    ],
)
def test_a_wrong_plan_is_refused_by_place(tmp_path: Path, more: str, said: str) -> None:
    """No ring of steps can be written; nothing is guessed."""
    file = tmp_path / "plans" / "p.yaml"
    file.parent.mkdir()
    file.write_text(PLAN % more, "utf-8")
    with pytest.raises(ConfigError) as refused:
        books.read_plan(file)
    assert said in str(refused.value)
    assert ":5:" in str(refused.value)


def test_a_failing_vector_is_told(tmp_path: Path) -> None:
    file = tmp_path / "plans" / "p.yaml"
    file.parent.mkdir()
    tests = "tests: [{name: x, script: [{alarm: sos}, {open: [a]}, {late: [a]}]}]\n"
    file.write_text(PLAN % ", after: [a]" + tests, "utf-8")
    (outcome,) = book_vectors.run_file(file)
    assert outcome.problems == ("0 s: late are [], not ['a']",)
    file.write_text(PLAN % "" + "tests: [{name: x, script: [{moon: 1}]}]\n", "utf-8")
    with pytest.raises(ConfigError, match="no word 'moon'"):
        book_vectors.run_file(file)


def test_an_alarm_without_a_plan_is_named(tmp_path: Path) -> None:
    """1.27: a missing link is a warning."""
    bare = compile_folder(site(tmp_path))
    kinds = unanswered(bare)
    assert {"sos", "fall", "gas.toxic", "gas.combustible", "gas.oxygen"} <= set(kinds)
    some = compile_folder(site(tmp_path, "plans: [{plan: gas-toxic}, {plan: sos}]"))
    assert not {"sos", "gas.toxic"} & set(unanswered(some))
    near = compile_folder(site(tmp_path, "plans: [{plan: sos, zones: [tank]}]"))
    assert "sos" not in unanswered(near)


def test_the_command_counts_and_warns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue §7: `safehold plans test --all`; a missing binding is a warning."""
    assert main(["test", *(str(file) for file in FILES[:2])]) == 0
    assert "2 files," in capsys.readouterr().out
    assert main(["list"]) == 0
    assert "shift-handover" in capsys.readouterr().out
    assert main(["check", str(site(tmp_path, "plans: [{plan: sos}]"))]) == 1
    said = capsys.readouterr().out
    assert "no emergency plan answers 'fall'" in said
    assert "answers 'sos'" not in said
    assert main(["check", str(tmp_path / "none")]) == 2


BLOCK = re.compile(r"```yaml\n((plan|checklist):\n.*?)```", re.DOTALL)
DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    "guide", ["plans.md", "plans.zh-CN.md", "hazards.md", "hazards.zh-CN.md"]
)
def test_the_guides_examples_pass_their_own_tests(guide: str, tmp_path: Path) -> None:
    (found,) = BLOCK.findall((DOCS / guide).read_text("utf-8"))
    text, kind = found
    file = tmp_path / f"{kind}s" / "example.yaml"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    (outcome,) = book_vectors.run_file(file)
    assert outcome.problems == ()
