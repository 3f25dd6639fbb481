"""Make a draft of a rule against what is armed, and check it whole (R25).

No files of the site are needed: the bundle in force, with one rule added, changed,
upgraded, taken one step back or removed, is the draft.
"""

import getpass
import secrets
from pathlib import Path

import msgspec
import voluptuous as vol

from automations import fitting, rule_words, vectors
from automations.blueprint import Blueprint, check_known
from automations.pinning import STORE, Library
from automations.publish import HUB_MADE, instance, store
from automations.rehearsal import Devices, MemoryJournal
from automations.schema_words import ident
from core import config
from core import state as states
from core.api.errors import ConfigError
from core.api.said import Said, sentence
from core.clock import RealClock
from core.config import Bundle, Rule
from core.kernel import Kernel
from core.names import Names
from core.processes.drafts import (
    DiffLine,
    Draft,
    Looks,
    Looser,
    TestRun,
    Wish,
    save,
)
from core.processes.loosening import joins, loosens
from core.registry.ids import Ids
from core.state import SiteState
from core.texts.sentences import both

KINDS = ("add", "change", "upgrade", "rollback", "remove")


class Desk:
    """Make drafts against one armed bundle."""

    def __init__(
        self, data: Path, base: str, bundle: Bundle, state: bytes = b""
    ) -> None:
        self._data, self._base, self._bundle = data, base, bundle
        self.resolving = True
        """False: the registry is not known here, so no selector is asked of it."""
        self._state = states.load(state) if state else SiteState()
        self.library = Library(
            store=data / STORE, publishers=bundle.publishers, pins=bundle.rules
        )

    def draft(self, wish: Wish, by: str) -> Draft:
        """Return the draft of a wish with all its checks; stored when they pass."""
        made = Draft(
            id=secrets.token_hex(8),
            kind=wish.kind,
            rule=wish.rule,
            by=by,
            made_ms=RealClock().wall_ns() // 1_000_000,
            base=self._base,
            note=wish.note,
            mode=wish.mode,
            given=dict(wish.given or {}),
        )
        try:
            return self._checked(made, wish)
        except ConfigError as bad:
            made.problems = (both(bad),)
        return made

    def _checked(self, made: Draft, wish: Wish) -> Draft:
        old = self._existing(wish)
        rule, blueprint = self._wanted(wish, old)
        bundle = self._with(wish.rule, rule)
        made.diff = tuple(
            DiffLine(e.sign, e.zh, e.en) for e in rule_words.diff(old, rule)
        )
        told = rule or old
        if told is not None:
            made.blueprint, made.version = told.blueprint, told.version
            made.life_safety, made.signer = told.life_safety, told.signer
            made.given, made.mode = dict(told.given), told.mode
        made.was_version = old.version if old is not None else ""
        if rule is not None and blueprint is not None:
            made.tests = tuple(_tests(blueprint))
            if self.resolving:
                made.looks = tuple(self._looks(bundle, rule))
            made.problems = _failures(made)
        made.looser = _looser(self._bundle, bundle)
        made.two = bool(made.looser) or made.life_safety
        if not made.problems:
            made.hash = store(config.dump(bundle), self._data)
            self.library.keep(bundle.rules)
        return made

    def _looks(self, bundle: Bundle, rule: Rule) -> list[Looks]:
        """Resolve the rule's selectors on this hub's own registry."""
        clock = RealClock()
        kernel = Kernel(clock, Ids(clock), MemoryJournal(), Devices())
        kernel.hub.state = self._state
        kernel.hub.load(msgspec.structs.replace(bundle, rules=()))
        return fitting.looks(kernel, rule)

    # --- what is wanted -----------------------------------------------------------

    def _existing(self, wish: Wish) -> Rule | None:
        if wish.kind not in KINDS:
            raise ConfigError(
                Said("{kind!r} is none of {kinds}", kind=wish.kind, kinds=list(KINDS))
            )
        try:
            ident(wish.rule)
        except vol.Invalid as bad:
            raise ConfigError(Said("rule: {msg}", msg=sentence(bad.msg))) from None
        rules = {rule.id: rule for rule in self._bundle.rules}
        old = rules.get(wish.rule)
        if wish.kind == "add":
            if old is not None:
                raise ConfigError(
                    Said("there is a rule {rule!r}; take another id", rule=wish.rule)
                )
            return None
        if old is None:
            known = sorted(rules)
            raise ConfigError(
                Said(
                    "there is no rule {rule!r}; known: {known}",
                    rule=wish.rule,
                    known=known,
                )
            )
        other = wish.given is not None and wish.given != old.given
        if old.made != HUB_MADE and (wish.kind in ("change", "remove") or other):
            raise ConfigError(
                Said(
                    "{rule} stands in the site's files: change it there, and "
                    "publish them",
                    rule=wish.rule,
                )
            )
        return old

    def _wanted(
        self, wish: Wish, old: Rule | None
    ) -> tuple[Rule | None, Blueprint | None]:
        if wish.kind == "remove":
            return None, None
        if wish.kind == "rollback" and old is not None:
            return self._earlier(old)
        blueprint = self._source(wish, old)
        if old is None:
            base = Rule(
                id=wish.rule,
                names=blueprint.names,
                version="",
                hash="",
                mode=wish.mode,
                zone_modes=wish.zone_modes,
                given=dict(wish.given or {}),
                made=HUB_MADE,
            )
        else:
            base = old
            if wish.given is not None:
                base = msgspec.structs.replace(base, given=wish.given)
            if wish.kind == "change":
                base = msgspec.structs.replace(
                    base, mode=wish.mode, zone_modes=wish.zone_modes
                )
        check_known(self._bundle, blueprint, dict(base.given))
        return instance(self._bundle, base, blueprint, self.library), blueprint

    def _source(self, wish: Wish, old: Rule | None) -> Blueprint:
        name = old.blueprint if old is not None else wish.blueprint
        if not name:
            raise ConfigError(Said("{rule} is of no blueprint", rule=wish.rule))
        if old is not None and wish.kind == "change":
            found = self.library.exact(name, old.blueprint_hash)
        else:
            found = self.library.latest(name)
        if found is None:
            raise ConfigError(
                Said("there is no blueprint {name!r}; look at the list", name=name)
            )
        if wish.kind == "upgrade" and old is not None:
            _check_upgrade(old, found)
        return found

    def _earlier(self, old: Rule) -> tuple[Rule, Blueprint | None]:
        """Return the version before, as it was armed: one step back."""
        earlier = self._state.hub.earlier.get(old.id)
        if earlier is None:
            raise ConfigError(
                Said("{id} has no earlier version to go back to", id=old.id)
            )
        file = self._data / "bundles" / f"{earlier.bundle}.bundle"
        try:
            before = config.load(file.read_bytes())
        except (OSError, msgspec.MsgspecError, ValueError) as bad:
            raise ConfigError(
                Said("{file}: {bad}; publish that version again", file=file, bad=bad)
            ) from None
        found = next((rule for rule in before.rules if rule.id == old.id), None)
        if found is None or found.blueprint_hash != earlier.hash:
            raise ConfigError(
                Said(
                    "{id} {version} is not in {name}",
                    id=old.id,
                    version=earlier.version,
                    name=file.name,
                )
            )
        blueprint = self.library.exact(found.blueprint, found.blueprint_hash)
        if blueprint is None:
            return found, None
        return instance(self._bundle, found, blueprint, self.library), blueprint

    def _with(self, name: str, rule: Rule | None) -> Bundle:
        rules = [each for each in self._bundle.rules if each.id != name]
        at = [each.id for each in self._bundle.rules]
        if rule is not None:
            rules.insert(at.index(name) if name in at else len(rules), rule)
        made = msgspec.structs.replace(self._bundle, rules=tuple(rules))
        return config.load(config.dump(made))


def _looser(old: Bundle, new: Bundle) -> tuple[Looser, ...]:
    """Return what is looser; what a rule does is told by its lines, not here."""
    return tuple(
        Looser(e.part, e.about, e.path, e.old, e.new) for e in loosens(old, new)
    )


def of_files(data: Path, base: str, armed: Bundle, bundle: bytes) -> Draft:
    """Save a draft of a whole configuration that was compiled from files."""
    new = config.load(bundle)
    before = {rule.id: rule for rule in armed.rules}
    after = {rule.id: rule for rule in new.rules}
    looser = _looser(armed, new)
    made = Draft(
        id=secrets.token_hex(8),
        kind="files",
        rule="",
        by=getpass.getuser(),
        made_ms=RealClock().wall_ns() // 1_000_000,
        base=base,
        hash=store(bundle, data),
        diff=tuple(
            DiffLine(line.sign, f"{name}: {line.zh}", f"{name}: {line.en}")
            for name in {**before, **after}
            for line in rule_words.diff(before.get(name), after.get(name))
            if line.sign
        ),
        looser=looser,
        two=bool(looser) or bool(joins(armed, new)),
    )
    save(data, made)
    return made


def _check_upgrade(old: Rule, found: Blueprint) -> None:
    if found.hash == old.blueprint_hash:
        raise ConfigError(
            Said(
                "{id} runs {id2} {version}: that is newest",
                id=old.id,
                id2=found.id,
                version=found.version,
            )
        )
    if found.version == old.version:
        raise found.document.error(
            ("blueprint", "version"),
            Said(
                "{id} was changed, and is still {version}: raise its version",
                id=found.id,
                version=found.version,
            ),
        )


def _tests(blueprint: Blueprint) -> list[TestRun]:
    found = []
    for test, outcome in zip(blueprint.tests, vectors.run_all(blueprint), strict=True):
        name = test.get("name", outcome.name)
        zh, en = (name["zh"], name["en"]) if isinstance(name, dict) else (name, name)
        problems = tuple(both(sentence(each)) for each in outcome.problems)
        found.append(TestRun(str(zh), str(en), problems))
    return found


def _failures(made: Draft) -> tuple[Names, ...]:
    bad = [
        Names(zh=f"{e.zh}：{e.problems[0].zh}", en=f"{e.en}: {e.problems[0].en}")
        for e in made.tests
        if e.problems
    ]
    bare = [e for e in made.looks if not e.devices]
    # Where nothing at all is found, nothing would be armed (R10).
    if made.looks and len(bare) == len(made.looks):
        lacking = both("this hub has no such device; enrol one first")
        bad.append(
            Names(zh=f"{bare[0].zh}：{lacking.zh}", en=f"{bare[0].en}: {lacking.en}")
        )
    return tuple(bad)


__all__ = ["KINDS", "Desk", "Wish"]
