"""Every code that the hub can emit has a sentence in Chinese and in English."""

import ast
import functools
import re
from collections.abc import Iterator

import pytest
import yaml

from core import state as _every_event  # noqa: F401
from core import texts
from core.journal.events import EVENTS
from core.journal.writer import _CODES, OVERFLOW
from tests.support.scan import ROOT, sources

#: The sources are parsed once for all files of this folder.
pytestmark = pytest.mark.xdist_group("scan")
#: Said by the state that they tell, never without one.
BY_STATE = {"event.evacuation.roll"}
HOLDERS = ("hold", "hold_zone", "_lay")
#: Interlocks hold by their own name; a gas's by the part before its dot.
INTERLOCKS = ROOT / "core" / "permits" / "interlocks.py"


@functools.cache
def nodes() -> list[ast.AST]:
    """Return every node of every file."""
    return [node for _, tree in sources() for node in ast.walk(tree)]


def calls(*names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions and methods by their last name."""
    for node in nodes():
        if not isinstance(node, ast.Call):
            continue
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else ""
        name = func.id if isinstance(func, ast.Name) else name
        if name in names:
            yield node


def words(node: ast.AST | None) -> set[str]:
    """Return the strings that an expression may be, as far as it shows them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return words(node.body) | words(node.orelse)
    if isinstance(node, ast.Name):
        return constants().get(node.id, set())
    return set()


@functools.cache
def constants() -> dict[str, set[str]]:
    """Return the strings of all module constants by their names."""
    found: dict[str, set[str]] = {}
    for _, tree in sources():
        for line in tree.body:
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                for name in line.targets:
                    found.setdefault(ast.unparse(name), set()).update(words(line.value))
    return found


def keyword(call: ast.Call, name: str, place: int = -1) -> ast.AST | None:
    """Return an argument by name, or by place."""
    for each in call.keywords:
        if each.arg == name:
            return each.value
    return call.args[place] if 0 <= place < len(call.args) else None


class Lenient(yaml.SafeLoader):
    """Read a blueprint without its inputs."""


Lenient.add_constructor("!input", lambda _loader, _node: "")


@functools.cache
def shipped() -> list[object]:
    """Return every value of the shipped YAML, and of the demonstration site."""
    values: list[object] = []
    todo: list[object] = []
    for folder in ("blueprints", "demo"):
        for file in sorted((ROOT / folder).rglob("*.yaml")):
            todo.append(yaml.load(file.read_text("utf-8"), Lenient))
    while todo:
        found = todo.pop()
        values.append(found)
        if isinstance(found, dict):
            todo += found.values()
        elif isinstance(found, list):
            todo += found
    return values


def under(key: str) -> set[str]:
    """Return the strings that stand under a key anywhere in the shipped YAML."""
    found = [each.get(key) for each in shipped() if isinstance(each, dict)]
    return {each for each in found if isinstance(each, str) and each}


def alarm_kinds() -> set[str]:
    found = set().union(*(words(keyword(c, "kind")) for c in calls("raise_")))
    limits = [each.get("limits") for each in shipped() if isinstance(each, dict)]
    for limit in (x for some in limits if isinstance(some, list) for x in some):
        if isinstance(limit, dict) and isinstance(limit.get("kind"), str):
            found.add(limit["kind"])
    return found


def refusals() -> set[str]:
    return set().union(*(words(c.args[0]) for c in calls("Refused") if c.args))


def holds() -> set[str]:
    found = {"not_durable"}
    for call in calls(*HOLDERS):
        found |= words(keyword(call, "code", 1))
    for file, tree in sources():
        if file == INTERLOCKS:
            found |= set().union(*map(_interlocks, ast.walk(tree)))
    return found


def _interlocks(node: ast.AST) -> set[str]:
    """Return the names under which findings are told."""
    if isinstance(node, ast.Dict) and isinstance(node.values[:1], list):
        tells = [isinstance(v, ast.Call) for v in node.values]
        if tells and all(tells):
            return set().union(*(words(key) for key in node.keys))
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        return words(node.targets[0].slice)
    return set()


def told() -> set[str]:
    """Return codes of notices and orders."""
    found = {
        word
        for node in nodes()
        for word in words(node)
        if word.startswith(("notice.", "order.")) and word.count(".") >= 1
    }
    verbs = {"notice.acknowledge", "notice.seen", "notice.arrived"}
    found |= {
        each
        for each in shipped()
        if isinstance(each, str) and each.startswith(("notice.", "order."))
    }
    states = under("safe_state") | {"stop"}
    found |= {f"order.{state}" for state in states}
    found -= verbs | set(EVENTS)
    return {code for code in found if " " not in code and not code.endswith(".")}


def classes() -> set[str]:
    """Return the codes that error classes carry."""
    found: set[str] = set()
    for node in nodes():
        if not isinstance(node, ast.ClassDef):
            continue
        if not any("Error" in ast.unparse(base) for base in node.bases):
            continue
        for line in node.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                found |= words(line.value)
    return found


def disk() -> set[str]:
    """Return the codes of the journal's disk faults: told, and by errno."""
    found = set().union(*(words(keyword(c, "", 0)) for c in calls("DiskFault")))
    found |= set().union(*(words(keyword(c, "", 0)) for c in calls("_disk_fault")))
    return found | {OVERFLOW, *_CODES.values(), "journal_io_error"}


def withheld() -> set[str]:
    """Return why an output is not switched."""
    found = set().union(*(words(node) for node in nodes()))
    return {w for w in found if re.fullmatch(r"ex\.[a-z_]+", w)}


def needed() -> list[str]:
    found = {f"alarm.{kind}" for kind in alarm_kinds()}
    found |= {f"gateway.kind.{kind}" for kind in alarm_kinds()}
    found |= refusals() | told() | classes() | withheld()
    found |= {f"hold.{code}" for code in holds()}
    found |= {f"event.{name}" for name in EVENTS} - BY_STATE
    found |= {f"alarm.fault.disk.{code}" for code in disk()}
    return sorted(found)


def test_every_code_has_a_sentence_in_both_languages() -> None:
    """Design §5: events carry codes, and the edge can say each of them."""
    known = texts.catalogue()
    silent = [
        code
        for code in needed()
        if not all(
            known.get(code, {}).get(each, "").strip() for each in texts.LANGUAGES
        )
    ]
    assert not silent, "write them in core/texts/<room>.json"


def test_scan_sees_what_it_is_for() -> None:
    """A scan that finds nothing would pass for ever."""
    assert {"fault.disk", "fault.host", "gas.toxic"} <= alarm_kinds()
    assert {"journal.not_durable", "permit.interlock"} <= refusals()
    assert {"linked", "guardian", "journal_damaged", "power_end"} <= holds()
    assert {"notice.power_end", "order.stop"} <= told()
    assert {"journal_disk_full", "journal_slow", "journal_no_spare"} <= disk()
    assert "evacuation.late" in alarm_kinds()
    assert "ex.contact_inside" in withheld()


def places(sentence: str) -> set[str]:
    """Return the parameters that a sentence shows."""
    return {name for _, name, _, _ in texts._Lenient().parse(sentence) if name}


def test_both_languages_have_the_same_places() -> None:
    """A parameter that one language shows is not lost in the other."""
    differ = [
        code
        for code, said in texts.catalogue().items()
        if len({frozenset(places(each)) for each in said.values()}) != 1
    ]
    assert not differ
