"""``safehold publish``: check a folder, compile it, arm it (design §5)."""

import os
from pathlib import Path

from automations import vectors
from automations.blueprint import find, read
from automations.compile_site import of_folder
from automations.packs.site import prove
from core import config
from core.api.errors import ConfigError


def compile_checked(folder: Path) -> tuple[config.Bundle, bytes]:
    """Return the bundle and its bytes; its packs and blueprints passed their tests.

    Raises ConfigError that names file, line, column and the mend.
    """
    compiler = of_folder(folder)
    bundle = compiler.bundle()
    prove(compiler.packs)
    for name in sorted({rule.blueprint for rule in bundle.rules if rule.blueprint}):
        file = find(name, (folder / "blueprints",))
        blueprint = read(file) if file else None
        for outcome in vectors.run_all(blueprint) if blueprint else ():
            if outcome.problems:
                raise ConfigError(
                    f"{name}: its own test {outcome.name!r} fails: "
                    f"{outcome.problems[0]}"
                )
    # Once through the typed reader: what is armed reads back as the same bytes.
    data = config.dump(config.load(config.dump(bundle)))
    return config.load(data), data


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


def summary(bundle: config.Bundle) -> str:
    """Return one line that says what a bundle holds."""
    return (
        f"{bundle.site.names.en}: {len(bundle.site.zones)} zones, "
        f"{len(bundle.people)} people, {len(bundle.devices)} device rules, "
        f"{len(bundle.integrations)} integrations, {len(bundle.rules)} rules"
    )
