"""The documents keep their form and name only what exists."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "docs" / "adr").glob("*.md"))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *RECORDS]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
PARTS = ("## Context", "## Decision", "## Alternatives refused", "## Evidence")


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_decision_record_has_the_form_of_adr_0001(path: Path) -> None:
    """ADR 0001: numbered, at most 60 lines, its four parts in order."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.stem[:4]} ")
    assert len(text.splitlines()) <= 60
    places = [text.find(part) for part in PARTS]
    assert -1 not in places, f"parts missing: {places}"
    assert places == sorted(places)


def test_decision_records_are_numbered_without_a_gap() -> None:
    """ADR 0001: a record is superseded, never removed."""
    numbers = [int(p.name[:4]) for p in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link within the repository names a file that is in it."""
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_both_readmes_name_the_two_commands(name: str) -> None:
    """Issue: the README's two commands do all the set-up on a fresh machine."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for command in ("./script/demo", "./script/test"):
        assert command in text
        assert (ROOT / command).stat().st_mode & 0o111


def test_readme_twins_have_the_same_sections() -> None:
    """A section that is added to one language is missed in the other."""
    heads = [
        len(re.findall(r"^## ", (ROOT / n).read_text(encoding="utf-8"), re.MULTILINE))
        for n in ("README.md", "README.zh-CN.md")
    ]
    assert heads[0] == heads[1]


def test_ci_runs_script_test_and_nothing_else() -> None:
    """Issue: `.ci/run` calls `./script/test` and nothing else."""
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        'exec "$(dirname "$0")/../script/test"'
    ]


def test_distribution_and_command_are_named_safehold() -> None:
    """Issue: distribution and command `safehold`."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    assert project["name"] == "safehold"
    assert project["scripts"] == {"safehold": "core.cli:main"}
