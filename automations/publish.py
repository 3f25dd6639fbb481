"""``safehold publish``: check a folder, compile it, arm it (design §5)."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from automations import books, compile_rule, vectors
from automations.blueprint import Blueprint
from automations.compile_site import of_folder
from automations.integrations import configured, query, said_of
from automations.packs.site import prove
from automations.pinning import STORE, Held, Library
from core import config
from core.api.errors import ConfigError
from core.api.packages import packages
from core.api.said import Said
from core.config import Bundle, IntegrationConfig, Rule

#: Marks a rule or an integration that was made at the hub's own page.
HUB_MADE = "hub"


class Checked(msgspec.Struct, frozen=True):
    """Hold a bundle that passed its checks, its bytes, and what stays behind."""

    bundle: Bundle
    data: bytes
    held: tuple[Held, ...] = ()
    library: Library | None = None

    def keep(self) -> None:
        """Keep the pinned sources beside the hub's bundles."""
        if self.library is not None:
            self.library.keep(self.bundle.rules)


def compile_checked(folder: Path) -> tuple[Bundle, bytes]:
    """Return the bundle and its bytes; its packs and blueprints passed their tests.

    Raises ConfigError that names file, line, column and the mend.
    """
    found = check(folder)
    return found.bundle, found.data


def check(
    folder: Path,
    armed: Bundle | None = None,
    data: Path | None = None,
    upgrade: Iterable[str] = (),
) -> Checked:
    """Compile a folder against what is armed: its pins stay, and the page's rules.

    ``data`` is the hub's data folder, which keeps the pinned sources.
    """
    pins = armed.rules if armed is not None else ()
    store_ = data / STORE if data is not None else None
    library = Library(store=store_, pins=pins, upgrade=upgrade)
    compiler = of_folder(folder, library)
    bundle = compiler.bundle()
    compiler.check_inputs(bundle)
    prove(compiler.packs)
    books.prove(bundle, compiler.library.folders)
    bundle = with_hub_made(bundle, pins, library)
    if armed is not None:
        bundle = with_hosts(bundle, armed.integrations, data or folder)
    prove_rules(bundle.rules, library)
    # Once through the typed reader: what is armed reads back as the same bytes.
    dumped = config.dump(config.load(config.dump(bundle)))
    held = tuple(library.held.values())
    return Checked(config.load(dumped), dumped, held, library)


def with_hub_made(bundle: Bundle, armed: Iterable[Rule], library: Library) -> Bundle:
    """Return the bundle with the rules that were made at the page, compiled anew."""
    known = {rule.id for rule in bundle.rules}
    kept = [
        anew(bundle, rule, library)
        for rule in armed
        if rule.made == HUB_MADE and rule.id not in known
    ]
    return msgspec.structs.replace(bundle, rules=(*bundle.rules, *kept))


def with_hosts(
    bundle: Bundle, armed: Iterable[IntegrationConfig], data: Path
) -> Bundle:
    """Return the bundle with the integrations that were set up at the hub."""
    known = {each.id for each in bundle.integrations}
    kept = [
        host_anew(each, data)
        for each in armed
        if each.made == HUB_MADE and each.id not in known
    ]
    made = (*bundle.integrations, *kept)
    return msgspec.structs.replace(bundle, integrations=made)


def host_anew(host: IntegrationConfig, data: Path) -> IntegrationConfig:
    """Return an integration set up at the hub, by its package as it is now."""
    package = packages(data).get(host.integration)
    if package is None:
        raise ConfigError(
            Said(
                "{id}, set up at the hub: its integration {integration!r} "
                "is nowhere to be found; bring it back, or remove {id} "
                "there first",
                id=host.id,
                integration=host.integration,
            )
        )
    told = query(package, "check", {"options": host.options})
    if told.get("errors"):
        wrong = told["errors"][0]
        raise ConfigError(
            Said(
                "{id}, set up at the hub: {where}: {message}; change or "
                "remove it there first",
                id=host.id,
                where=".".join(str(each) for each in wrong["path"]),
                message=said_of(wrong),
            )
        )
    made = configured(package, host.id, told["options"], host.secrets)
    return msgspec.structs.replace(made, made=HUB_MADE)


def anew(bundle: Bundle, rule: Rule, library: Library) -> Rule:
    """Compile a rule of the page against a bundle's zones and chains."""
    blueprint = library.exact(rule.blueprint, rule.blueprint_hash)
    if blueprint is None:
        raise ConfigError(
            Said(
                "{id}, made at the page: its {blueprint} {version} "
                "(#{blueprint_hash}) is nowhere to be found; upgrade or "
                "remove it there",
                id=rule.id,
                blueprint=rule.blueprint,
                version=rule.version,
                blueprint_hash=rule.blueprint_hash[:12],
            )
        )
    try:
        return instance(bundle, rule, blueprint, library)
    except ConfigError as bad:
        raise ConfigError(
            Said(
                "{id}, made at the page, does not fit this configuration: "
                "{bad}; change or remove it there first",
                id=rule.id,
                bad=bad,
            )
        ) from None


def instance(
    bundle: Bundle, rule: Rule, blueprint: Blueprint, library: Library
) -> Rule:
    """Return a rule compiled from a blueprint with its own inputs and modes."""
    made = compile_rule.instantiate(
        blueprint,
        rule_id=rule.id,
        mode=rule.mode,
        given=dict(rule.given),
        zones={zone.id for zone in bundle.site.zones},
        chains={chain.id for chain in bundle.chains},
        zone_modes=dict(rule.zone_modes),
        signer=library.signer(blueprint),
    )
    return msgspec.structs.replace(made, made=rule.made)


def prove_rules(rules: Iterable[Rule], library: Library) -> None:
    """Run the tests of every blueprint that rules pin; raises ConfigError."""
    pinned = {(r.blueprint, r.blueprint_hash) for r in rules if r.blueprint}
    for name, digest in sorted(pinned):
        blueprint = library.exact(name, digest)
        for outcome in vectors.run_all(blueprint) if blueprint else ():
            if outcome.problems:
                raise vectors.failing(name, outcome)


def store(data: bytes, data_folder: Path) -> str:
    """Write a bundle under its content address; returns the hash.

    A file of that name whose bytes were damaged is written anew.
    """
    digest = config.digest(data)
    folder = data_folder / "bundles"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{digest}.bundle"
    if not target.exists() or target.read_bytes() != data:
        draft = folder / f".{digest}.part"
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return digest


def summary(bundle: config.Bundle) -> Said:
    """Return one line that says what a bundle holds."""
    return Said(
        "{site}: {zones} zones, {people} people, {devices} device rules, "
        "{integrations} integrations, {rules} rules",
        site=msgspec.structs.asdict(bundle.site.names),
        zones=len(bundle.site.zones),
        people=len(bundle.people),
        devices=len(bundle.devices),
        integrations=len(bundle.integrations),
        rules=len(bundle.rules),
    )
