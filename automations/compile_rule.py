"""Turn a checked rule into the typed structs that the engine runs."""

import hashlib
from typing import Any

import msgspec

from automations import schema_rule
from automations.blueprint import Blueprint, fill
from automations.scope import NAMES
from core.api.documents import Document, Path_
from core.api.errors import ConfigError
from core.config import Names, Rule, Step, Trigger
from core.logic import tree
from core.logic.parse import parse

_HEADER = ("action", "id", "deadline", "on_failure", "after", "if")
_BRANCHES = ("then", "else")


class Compiler:
    """Compile one rule; knows what the site has, so that selectors are checked."""

    def __init__(
        self, document: Document, base: Path_, zones: set[str], chains: set[str]
    ) -> None:
        self._document = document
        self._base = base
        self._zones = zones
        self._chains = chains
        self._ids: dict[str, str] = {}

    def rule(self, body: dict[str, Any], **head: Any) -> Rule:
        """Return the compiled rule; raises ConfigError with line and column."""
        checked = self._document.check_part(schema_rule.rule, body, self._base)
        triggers = tuple(
            self._trigger(each, ("triggers", number))
            for number, each in enumerate(checked["triggers"])
        )
        steps = self._steps(checked["actions"], ("actions",), "actions")
        rule = Rule(
            **head,
            hash="",
            on_unknown=checked["on_unknown"],
            triggers=triggers,
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

    def _steps(
        self, listed: list[dict[str, Any]], path: Path_, name: str
    ) -> tuple[Step, ...]:
        made = []
        for number, given in enumerate(listed):
            made.append(self._step(given, (*path, number), f"{name}/{number}"))
        return tuple(made)

    def _step(self, given: dict[str, Any], path: Path_, name: str) -> Step:
        if "id" in given:
            self._ids[given["id"]] = name
        after = []
        for ref in given.get("after", ()):
            if ref not in self._ids:
                raise self._document.error(
                    (*self._base, *path, "after"),
                    f"'after: {ref}' names no earlier action's id",
                )
            after.append(self._ids[ref])
        if "chain" in given:
            self._known((given["chain"],), self._chains, "chain", (*path, "chain"))
        zone = given.get("zone")
        if zone is not None:
            self._known((zone,), self._zones | {"subject"}, "zone", (*path, "zone"))
        fields = {
            key: value
            for key, value in given.items()
            if key not in _HEADER and key not in _BRANCHES and key != "until"
        }
        return Step(
            path=name,
            action=given["action"],
            fields=fields,
            when=self._expression(given.get("if") or given.get("until"), (*path, "if")),
            branches=tuple(
                self._steps(given.get(b, []), (*path, b), f"{name}/{b}")
                for b in _BRANCHES
            )
            if given["action"] == "choose"
            else (),
            deadline_s=given.get("deadline", 30.0),
            on_failure=self._steps(
                given.get("on_failure", []), (*path, "on_failure"), f"{name}/on_failure"
            ),
            after=tuple(after),
        )

    def _known(
        self, given: tuple[str, ...], known: set[str], what: str, path: Path_
    ) -> None:
        for each in given:
            if each not in known:
                raise self._document.error(
                    (*self._base, *path),
                    f"{each!r} is no {what} of this site; "
                    f"known: {', '.join(sorted(known)) or 'none'}",
                )

    def _expression(self, text: str | None, path: Path_) -> tree.Node | None:
        if text is None:
            return None
        line, column = self._document.where((*self._base, *path))
        return parse(text, NAMES, file=self._document.file, line=line, column=column)


def instantiate(
    blueprint: Blueprint,
    *,
    rule_id: str,
    mode: str,
    given: dict[str, Any],
    zones: set[str],
    chains: set[str],
) -> Rule:
    """Return an instance of a blueprint, pinned to its content hash (R25)."""
    if blueprint.life_safety and mode != "enforce":
        raise ConfigError(
            f"{rule_id}: {blueprint.id} is life safety and enforces from arming; "
            f"mode {mode} needs two persons and is not set in a file"
        )
    compiler = Compiler(blueprint.document, (), zones, chains)
    return compiler.rule(
        fill(blueprint, given),
        id=rule_id,
        names=blueprint.names,
        version=blueprint.version,
        blueprint=blueprint.id,
        blueprint_hash=blueprint.hash,
        life_safety=blueprint.life_safety,
        mode=mode,
    )


def own_rule(
    document: Document,
    base: Path_,
    body: dict[str, Any],
    *,
    rule_id: str,
    mode: str,
    zones: set[str],
    chains: set[str],
) -> Rule:
    """Return a rule written straight into the site's files."""
    return Compiler(document, base, zones, chains).rule(
        body,
        id=rule_id,
        names=Names(zh=rule_id, en=rule_id),
        version="0",
        mode=mode,
    )
