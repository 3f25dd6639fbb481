"""Turn a checked rule into the typed structs that the engine runs."""

import functools
import hashlib
from typing import Any

import msgspec

from automations import schema_rule
from automations.blueprint import Blueprint, constants_of, fill
from automations.scope import NAMES
from core.api.documents import Document, Path_
from core.api.errors import ConfigError
from core.api.reading import Value
from core.api.said import Said, sentence
from core.config import Names, Rule, Step, Trigger
from core.logic import tree
from core.logic.parse import parse

_HEADER = ("action", "id", "deadline", "on_failure", "after", "if")
_BRANCHES = ("then", "else", "do")
#: Kinds and parts whose rules enforce from arming (design §6; issue: modes).
_VITAL = frozenset({"gas", "sos", "fall", "flame", "smoke"})
_VITAL_PARTS = _VITAL | {"combustible", "toxic", "oxygen"}
_TESTS = ("while", "until", "if")
_WHERE = frozenset({"subject", "all"})


class Compiler:
    """Compile one rule; knows what the site has, so that selectors are checked."""

    def __init__(
        self,
        document: Document,
        base: Path_,
        zones: set[str],
        chains: set[str],
        constants: dict[str, Value] | None = None,
    ) -> None:
        self._document = document
        self._base = base
        self._zones = zones
        self._chains = chains
        self._constants = constants or {}
        """Inputs of a blueprint that its expressions may name."""
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = dict(NAMES)

    def rule(self, body: dict[str, Any], **head: Any) -> Rule:
        """Return the compiled rule; raises ConfigError with line and column."""
        checked = self._document.check_part(schema_rule.rule, body, self._base)
        triggers = tuple(
            self._trigger(each, ("triggers", number))
            for number, each in enumerate(checked["triggers"])
        )
        values = {
            name: self._value(name, each)
            for name, each in checked.get("values", {}).items()
        }
        steps = self._steps(checked["actions"], ("actions",), "actions")
        rule = Rule(
            **head,
            hash="",
            on_unknown=checked["on_unknown"],
            triggers=triggers,
            values=values,
            condition=self._expression(checked.get("conditions"), ("conditions",)),
            steps=steps,
            closes=self._expression(checked.get("closes"), ("closes",)),
        )
        digest = hashlib.sha256(
            msgspec.msgpack.encode(rule, order="deterministic")
        ).hexdigest()
        return msgspec.structs.replace(rule, hash=digest)

    def _trigger(self, given: dict[str, Any], path: Path_) -> Trigger:
        zones = given.get("zone", ())
        self._known(zones, self._zones | {"all"}, "zone", (*path, "zone"))
        fields = {k: v for k, v in given.items() if k not in ("trigger", "subject")}
        return Trigger(
            platform=given["trigger"],
            fields=fields,
            subject=given.get("subject", "zone"),
        )

    def _value(self, name: str, given: dict[str, Any]) -> Trigger:
        path = ("values", name)
        if name in NAMES or not name.isidentifier():
            raise self._document.error(
                (*self._base, *path),
                Said(
                    "{name!r} cannot name a value; take another word of letters",
                    name=name,
                ),
            )
        zones = given.get("zone", ())
        self._known(zones, self._zones | _WHERE, "zone", (*path, "zone"))
        self._names[name] = "value of this rule"
        platform = "permits" if "permits" in given else "reading"
        return Trigger(platform=platform, fields=given, subject="zone")

    def _steps(
        self, listed: list[dict[str, Any]], path: Path_, name: str
    ) -> tuple[Step, ...]:
        made = []
        for number, given in enumerate(listed):
            made.append(self._step(given, (*path, number), f"{name}/{number}"))
        return tuple(made)

    def _step(self, given: dict[str, Any], path: Path_, name: str) -> Step:
        after = []
        for ref in given.get("after", ()):
            if ref not in self._ids:
                raise self._document.error(
                    (*self._base, *path, "after"),
                    Said("'after: {ref}' names no earlier action's id", ref=ref),
                )
            after.append(self._ids[ref])
        if "id" in given:
            # Only now: an action that waits for itself would wait for ever.
            self._ids[given["id"]] = name
        if "chain" in given:
            self._known((given["chain"],), self._chains, "chain", (*path, "chain"))
        zones = given.get("zone", ())
        self._known(zones, self._zones | _WHERE, "zone", (*path, "zone"))
        fields = {
            key: value
            for key, value in given.items()
            if key not in _HEADER and key not in _BRANCHES and key not in _TESTS
        }
        tested = next((word for word in _TESTS if word in given), "if")
        return Step(
            path=name,
            action=given["action"],
            fields=fields,
            when=self._expression(given.get(tested), (*path, tested)),
            branches=self._branches(given, path, name),
            deadline_s=given.get("deadline", 30.0),
            on_failure=self._steps(
                given.get("on_failure", []), (*path, "on_failure"), f"{name}/on_failure"
            ),
            after=tuple(after),
        )

    def _branches(
        self, given: dict[str, Any], path: Path_, name: str
    ) -> tuple[tuple[Step, ...], ...]:
        if given["action"] == "choose":
            return tuple(
                self._steps(given.get(word, []), (*path, word), f"{name}/{word}")
                for word in _BRANCHES[:2]
            )
        if given["action"] != "repeat":
            return ()
        # A round waits for steps of its own round only.
        outer, self._ids = self._ids, {}
        made = self._steps(given["do"], (*path, "do"), f"{name}/do")
        self._ids = outer
        return (made,)

    def _known(
        self, given: tuple[str, ...], known: set[str], what: str, path: Path_
    ) -> None:
        for each in given:
            if each not in known:
                raise self._document.error(
                    (*self._base, *path),
                    Said(
                        "{each!r} is no {what} of this site; known: {known}",
                        each=each,
                        what=sentence(what),
                        known=sorted(known),
                    ),
                )

    def _expression(self, text: str | None, path: Path_) -> tree.Node | None:
        if text is None:
            return None
        line, column = self._document.where((*self._base, *path))
        names = {**self._names, **{name: "input" for name in self._constants}}
        node = parse(text, names, file=self._document.file, line=line, column=column)
        return _filled(node, self._constants)


def _filled(node: tree.Node, constants: dict[str, Value]) -> tree.Node:
    """Return the tree with constants in the place of their names."""
    match node:
        case tree.Name(name=name) if name in constants:
            return tree.Literal(constants[name])
        case tree.Compare() | tree.Arithmetic():
            left = _filled(node.left, constants)
            right = _filled(node.right, constants)
            return msgspec.structs.replace(node, left=left, right=right)
        case tree.Not(item=item):
            return tree.Not(_filled(item, constants))
        case tree.All() | tree.Any() | tree.Sequence():
            items = tuple(_filled(each, constants) for each in node.items)
            return msgspec.structs.replace(node, items=items)
        case tree.Call(name=name, args=args):
            return tree.Call(name, tuple(_filled(each, constants) for each in args))
    return node


def is_vital(rule: Rule, gases: frozenset[str]) -> bool:
    """Say whether a rule answers gas, oxygen, flame, smoke, a call or a lost detector.

    Such a rule enforces from arming (design §5 Security; issue: modes). ``gases``
    are the quantities that are gases.
    """
    return any(_is_vital(each, gases) for each in rule.triggers)


def _is_vital(trigger: Trigger, gases: frozenset[str]) -> bool:
    if trigger.platform == "supervision":
        return True
    given = trigger.fields.get("of" if trigger.platform != "alarm" else "kind", ())
    named = given if isinstance(given, tuple) else (str(given),)
    if trigger.platform == "alarm":
        return not named or any(each.partition(".")[0] in _VITAL for each in named)
    return trigger.platform in ("reading", "state") and bool(
        (_VITAL_PARTS | gases).intersection(named)
    )


@functools.cache
def _shipped_gases() -> frozenset[str]:
    from automations.compile_site import default_quantities  # it imports this module

    return frozenset(each.id for each in default_quantities() if each.gas_class)


def _enforced(rule: Rule, modes: dict[str, str]) -> Rule:
    """Return the rule with its modes; raises ConfigError where it must enforce."""
    vital = rule.life_safety or is_vital(rule, _shipped_gases())
    for mode in (rule.mode, *modes.values()):
        if vital and mode != "enforce":
            raise ConfigError(
                Said(
                    "{id}: {rule} is life safety and enforces from arming; mode "
                    "{mode} needs two persons at the hub and is not set in a file",
                    id=rule.id,
                    rule=rule.blueprint or rule.id,
                    mode=mode,
                )
            )
    return msgspec.structs.replace(rule, life_safety=vital, zone_modes=modes)


def instantiate(
    blueprint: Blueprint,
    *,
    rule_id: str,
    mode: str,
    given: dict[str, Any],
    zones: set[str],
    chains: set[str],
    zone_modes: dict[str, str] | None = None,
    signer: str = "",
) -> Rule:
    """Return an instance of a blueprint, pinned to its content hash (R25)."""
    constants = constants_of(blueprint, given)
    compiler = Compiler(blueprint.document, (), zones, chains, constants)
    made = compiler.rule(
        fill(blueprint, given),
        id=rule_id,
        names=blueprint.names,
        version=blueprint.version,
        blueprint=blueprint.id,
        blueprint_hash=blueprint.hash,
        life_safety=blueprint.life_safety,
        mode=mode,
    )
    made = msgspec.structs.replace(made, given=given, signer=signer)
    return _enforced(made, zone_modes or {})


def own_rule(
    document: Document,
    base: Path_,
    body: dict[str, Any],
    *,
    rule_id: str,
    mode: str,
    zones: set[str],
    chains: set[str],
    zone_modes: dict[str, str] | None = None,
) -> Rule:
    """Return a rule written straight into the site's files."""
    made = Compiler(document, base, zones, chains).rule(
        body,
        id=rule_id,
        names=Names(zh=rule_id, en=rule_id),
        version="0",
        mode=mode,
    )
    try:
        return _enforced(made, zone_modes or {})
    except ConfigError as bad:
        raise document.error(base, bad.message) from None
