"""The lock files install the same bytes everywhere, and say nothing of where from."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE | re.IGNORECASE)


def pins(path: Path) -> dict[str, str]:
    """Return package → version of a lock file."""
    return dict(PINNED.findall(path.read_text(encoding="utf-8")))


def canonical(requirement: str) -> str:
    """Return the name in a requirement, as lock files spell it."""
    name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("path", LOCKS, ids=lambda p: p.name)
def test_every_line_is_a_pin_with_a_hash(path: Path) -> None:
    """Issue: pinned requirements with hashes and no index address."""
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index|--find|-e)", text, re.MULTILINE)
    for block in re.split(r"\n(?=\S)", text):
        if not block.startswith("#"):
            assert PINNED.match(block), f"not pinned: {block[:60]}"
            assert "--hash=sha256:" in block, f"no hash: {block[:60]}"


def test_locks_agree_with_each_other() -> None:
    """One version of each package, whichever script installed it."""
    versions: dict[str, set[str]] = {}
    for path in LOCKS:
        for name, version in pins(path).items():
            versions.setdefault(name, set()).add(version)
    assert {n: v for n, v in versions.items() if len(v) > 1} == {}


def test_locks_cover_what_the_project_asks_for() -> None:
    """A dependency that is added without `script/lock` is seen here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run = pins(ROOT / "requirements" / "run.txt")
    asked = {canonical(r) for r in project["project"]["dependencies"]}
    assert asked - set(run) == set(), "run script/lock"
    groups = project["dependency-groups"]
    dev = {canonical(r) for g in ("build", "lint", "test") for r in groups[g]}
    assert dev - set(pins(ROOT / "requirements" / "test.txt")) == set()
    assert set(run) - set(pins(ROOT / "requirements" / "test.txt")) == set()
