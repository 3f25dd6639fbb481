"""Instances pin a blueprint's hash: a file that changes alone changes nothing (R25).

What the hub has armed is the pin. The source of each pinned version is kept under
``DATA/blueprints``, so that it can be compiled again whatever became of its file.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from automations import trust, versions
from automations.blueprint import SHIPPED, Blueprint, read
from core.api.errors import ConfigError
from core.api.said import Said
from core.config import Rule

STORE = "blueprints"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Say that an instance stays at its pin though another version is there."""

    instance: str
    blueprint: str
    pinned: str
    """Version that stays."""
    there: str
    """Version that is there."""


class Library:
    """Find blueprints: the site's own files, the hub's store, the shipped ones."""

    def __init__(
        self,
        folders: Iterable[Path] = (),
        store: Path | None = None,
        publishers: Mapping[str, str] | None = None,
        pins: Iterable[Rule] = (),
        upgrade: Iterable[str] = (),
    ) -> None:
        self.folders, self.store = tuple(folders), store
        self.publishers = dict(publishers or {})
        self._pins = {rule.id: rule for rule in pins if rule.blueprint}
        self._upgrade = frozenset(upgrade)
        self._read: dict[Path, Blueprint] = {}
        self.held: dict[str, Held] = {}
        """Instances that stay behind, filled by `pick`."""

    # --- finding ----------------------------------------------------------------

    def latest(self, name: str) -> Blueprint | None:
        """Return the newest version of a blueprint; a site's own file is it."""
        for folder in self.folders:
            if (file := folder / f"{name}.yaml").is_file():
                return self._open(file)
        best: Blueprint | None = None
        for blueprint in self._versions(name):
            if best is None or versions.newer(blueprint.version, best.version):
                best = blueprint
        return best

    def first(self, name: str) -> Blueprint | None:
        """Return what a new rule of the files is made of: what a page brought is last.

        Nobody has looked at it yet, but for those who armed it at the page.
        """
        for folder in (*self.folders, SHIPPED):
            if (file := folder / f"{name}.yaml").is_file():
                return self._open(file)
        return self.latest(name)

    def exact(self, name: str, digest: str) -> Blueprint | None:
        """Return the version with a content hash, wherever it lies."""
        for blueprint in self._versions(name):
            if blueprint.hash == digest:
                return blueprint
        return None

    def signer(self, blueprint: Blueprint) -> str:
        """Return who signed a blueprint; raises ConfigError on a wrong signature."""
        return trust.signer(blueprint, self.publishers)

    def names(self) -> list[str]:
        """Return the ids of all blueprints that can be found."""
        found = {f.stem for each in (*self.folders, SHIPPED) for f in _files(each)}
        if self.store is not None:
            found |= {f.name.partition("@")[0] for f in _files(self.store)}
        return sorted(found)

    def _versions(self, name: str) -> Iterator[Blueprint]:
        for folder in (*self.folders, SHIPPED):
            file = folder / f"{name}.yaml"
            if file.is_file():
                yield self._open(file)
        for file in sorted(self.store.glob(f"{name}@*.yaml")) if self.store else ():
            yield self._open(file)

    def _open(self, file: Path) -> Blueprint:
        if file not in self._read:
            self._read[file] = read(file)
        return self._read[file]

    # --- pins -------------------------------------------------------------------

    def pick(self, instance: str, name: str) -> Blueprint | None:
        """Return what an instance is compiled from: its pin, else the newest.

        Raises ConfigError when a file changed and its version did not.
        """
        there = self.latest(name)
        pin = self._pins.get(instance)
        if there is None or pin is None or pin.blueprint != name:
            return self.first(name)
        if there.hash == pin.blueprint_hash:
            return there
        if there.version == pin.version:
            raise there.document.error(
                ("blueprint", "version"),
                Said(
                    "{name} was changed, and is still {version}; what is armed "
                    "is that version as it was: raise the version (say {next})",
                    name=name,
                    version=there.version,
                    next=_next(there),
                ),
            )
        if instance in self._upgrade:
            return there
        pinned = self.exact(name, pin.blueprint_hash)
        if pinned is None:
            raise _lost(instance, pin)
        self.held[instance] = Held(
            instance=instance,
            blueprint=name,
            pinned=pin.version,
            there=there.version,
        )
        return pinned

    def keep(self, rules: Iterable[Rule]) -> None:
        """Copy the sources of armed rules into the store, with their signatures."""
        if self.store is None:
            return
        for rule in rules:
            blueprint = self.exact(rule.blueprint, rule.blueprint_hash)
            if blueprint is not None and blueprint.file is not None:
                keep(blueprint, self.store)


def _lost(instance: str, pin: Rule) -> ConfigError:
    return ConfigError(
        Said(
            "{instance}: its pinned {name} {version} (#{hash}) is nowhere to be "
            "found; bring that file back, or run 'safehold blueprint upgrade "
            "{instance}'",
            instance=instance,
            name=pin.blueprint,
            version=pin.version,
            hash=pin.blueprint_hash[:12],
        )
    )


def keep(blueprint: Blueprint, store: Path) -> Path:
    """Put a blueprint's file under its version and hash; returns where it lies."""
    file = blueprint.file
    if file is None:
        raise ConfigError(Said("{id} has no file to keep", id=blueprint.id))
    store.mkdir(parents=True, exist_ok=True)
    target = store / f"{blueprint.id}@{blueprint.version}-{blueprint.hash[:12]}.yaml"
    if file.parent != store and not target.exists():
        draft = target.with_name(f".{target.name}.part")
        shutil.copyfile(file, draft)
        draft.replace(target)
        if trust.beside(file).is_file():
            shutil.copyfile(trust.beside(file), trust.beside(target))
    return target


def _files(folder: Path) -> Iterator[Path]:
    return (f for f in folder.glob("*.yaml") if not f.name.startswith("."))


def _next(blueprint: Blueprint) -> str:
    found = versions.parse(blueprint.version)
    return f"{found[0]}.{found[1]}.{found[2] + 1}" if found else "1.0.1"
