"""Every reason that a driver or the hub gives for a quality has its two sentences."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import texts
from core.api.model import OutputKind
from tests.support.scan import ROOT, sources

#: The sources are parsed once for all files of this folder.
pytestmark = pytest.mark.xdist_group("scan")
DRIVERS = sorted(
    file.parent.name for file in (ROOT / "integrations").glob("*/manifest.yaml")
)
CODE = re.compile(rf"(?:{'|'.join(DRIVERS)})\.[a-z][a-z0-9_]*[a-z0-9]")
#: Names of secrets, of files and of profiles: no reasons.
NO_REASON = re.compile(r"mqtt\.(hub|password)|.*\.(yaml|json|pem|simulator)")
#: What the readings room calls when it lowers a quality, and where the word stands.
LOWERS = {"Judged": 2, "_doubt": 1, "_silence": 1, "Reading": -1}
#: Fields that hold why a point is not good.
HELD = ("reason", "broken")
#: What positioning calls with a word of why a place proves nothing.
DOUBTS = ("_Fix", "_doubt", "_judge", "lost", "ShellError")


def trees(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the parsed modules below a folder, but for simulators."""
    below = (ROOT / folder).parts
    for file, tree in sources():
        if file.parts[: len(below)] == below and not file.name.startswith("sim"):
            yield file, tree


@functools.cache
def drivers() -> frozenset[str]:
    """Return every code that stands in a bundled driver."""
    found: set[str] = set()
    for name in DRIVERS:
        for _, tree in trees(f"integrations/{name}"):
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found |= {node.value} if CODE.fullmatch(node.value) else set()
    return frozenset(code for code in found if not NO_REASON.fullmatch(code))


def words(node: ast.AST | None) -> set[str]:
    """Return the plain words that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value} - {""}
    if isinstance(node, ast.IfExp):
        return words(node.body) | words(node.orelse)
    if isinstance(node, ast.BoolOp):
        return set().union(*map(words, node.values))
    return set()


def given(node: ast.AST) -> set[str]:
    """Return the reasons that a node of the readings room gives."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        place = LOWERS.get(name)
        held = [k.value for k in node.keywords if k.arg == "reason"]
        if place is not None and 0 <= place < len(node.args):
            held.append(node.args[place])
        return set().union(*map(words, held))
    if isinstance(node, ast.Assign):
        found: set[str] = set()
        for target in node.targets:
            found |= _assigned(target, node.value)
        return found
    return set()


def _assigned(target: ast.expr, value: ast.expr) -> set[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        return set().union(*(_assigned(one, other) for one, other in pairs))
    name = ast.unparse(target).rpartition(".")[2]
    return words(value) if name in HELD or name == "word" else set()


@functools.cache
def hub() -> frozenset[str]:
    """Return every reason that the readings room gives by itself."""
    found: set[str] = set()
    for _, tree in trees("core/readings"):
        found = found.union(*map(given, ast.walk(tree)))
    return frozenset(found)


@functools.cache
def built() -> dict[str, list[str]]:
    """Return the beginnings of codes that are put together, and where."""
    found: dict[str, list[str]] = {}
    for name in DRIVERS:
        for file, tree in trees(f"integrations/{name}"):
            for node in ast.walk(tree):
                if not isinstance(node, ast.JoinedStr) or len(node.values) < 2:
                    continue
                first = node.values[0]
                said = first.value if isinstance(first, ast.Constant) else ""
                if re.fullmatch(rf"{name}\.[a-z_]*", str(said)):
                    found.setdefault(str(said), []).append(file.name)
    return found


@functools.cache
def positioned() -> frozenset[str]:
    """Return the words that positioning puts its own name before."""
    found: set[str] = set()
    for _, tree in trees("integrations/positioning"):
        found = found.union(*map(_doubts, ast.walk(tree)))
    return frozenset(word for word in found if re.fullmatch(r"[a-z]+(_[a-z]+)*", word))


def _doubts(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        held = [k.value for k in node.keywords if k.arg == "why"]
        held += node.args if name in DOUBTS else []
        return set().union(*map(words, held))
    if isinstance(node, ast.Assign | ast.Compare):
        sides = [node.left] if isinstance(node, ast.Compare) else node.targets
        if any(ast.unparse(each).rpartition(".")[2] == "why" for each in sides):
            return set().union(*map(words, ast.iter_child_nodes(node)))
    return set()


def needed() -> list[str]:
    said = {f"reading.{word}" for word in hub()}
    return sorted(drivers() | said | {f"positioning.{word}" for word in positioned()})


def without_words(codes: list[str]) -> list[str]:
    """Return the codes that lack a sentence in one of the languages."""
    known = texts.catalogue()
    return [
        code
        for code in codes
        if not all(known.get(code, {}).get(each, "").strip() for each in ("zh", "en"))
    ]


def test_every_reason_has_words() -> None:
    """Issue 5 §6: write what is named here in core/texts/<integration>.json."""
    assert without_words(needed()) == []


def test_every_beginning_of_a_code_that_is_put_together_has_words() -> None:
    """What stands behind it is a word of its own module: positioning.<why>."""
    known = texts.catalogue()
    for start, files in built().items():
        assert any(code.startswith(start) for code in known), (start, files)


def test_the_scan_sees_what_it_is_for_and_can_fail() -> None:
    assert {"modbus.silent", "esphome.key", "shelly.auth"} <= drivers()
    assert {"never_heard", "host_lost", "replayed", "no_evidence"} <= hub()
    assert {"inaccurate", "few_anchors", "port_lost", "anchor_moved"} <= positioned()
    assert len({code.partition(".")[0] for code in drivers()}) == len(DRIVERS)
    assert without_words(["modbus.never_written"]) == ["modbus.never_written"]
    assert "positioning." in built()


@pytest.mark.parametrize("kind", list(OutputKind))
def test_what_an_output_moves_has_a_name(kind: OutputKind) -> None:
    """A device of outputs alone says what it switches."""
    assert without_words([f"gateway.output.{kind.value}"]) == []
