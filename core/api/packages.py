"""Find integrations by their manifests; no line of their code is run.

Three places hold integrations: the hub's own folders, wheels that name the entry
point ``safehold.integrations``, and the site's ``custom_integrations/``. For whatever
reads files: publishing, discovery, the command line; never the safety process.
"""

import importlib.metadata
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.api.documents import read
from core.api.errors import ConfigError
from core.api.manifest import Manifest, parse
from core.api.said import Said

ENTRY_POINTS = "safehold.integrations"
CUSTOM = "custom_integrations"
_OURS = Path(__file__).parents[2] / "integrations"


class Package(NamedTuple):
    """Hold an integration that is at hand."""

    manifest: Manifest
    module: str
    folder: Path
    ours: bool


def packages(site: Path | None = None) -> dict[str, Package]:
    """Return the integrations by id; ``site``: the configuration's folder.

    Raises ConfigError for a bad manifest, and for a name that is taken.
    """
    found: dict[str, Package] = {}
    for each in (*_own(), *_wheels(), *_custom(site)):
        if each.manifest.id in found:
            raise ConfigError(
                Said(
                    "{folder}: there is an integration {id!r} already; give "
                    "this one another id",
                    folder=each.folder,
                    id=each.manifest.id,
                )
            )
        found[each.manifest.id] = each
    return found


def _own() -> Iterator[Package]:
    for file in sorted(_OURS.glob("*/manifest.yaml")):
        name = file.parent.name
        yield _package(f"integrations.{name}", file.parent, ours=True)


def _wheels() -> Iterator[Package]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        if "." in point.value:
            raise ConfigError(
                Said("{name}: its entry point names a whole package", name=point.name)
            )
        spec = importlib.util.find_spec(point.value)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield _package(point.value, Path(folder), ours=False)


def _custom(site: Path | None) -> Iterator[Package]:
    if site is None:
        return
    for file in sorted((site / CUSTOM).glob("*/manifest.yaml")):
        folder = file.parent.resolve()
        yield _package(f"{CUSTOM}.{folder.name}", folder, ours=False)


def _package(module: str, folder: Path, *, ours: bool) -> Package:
    file = folder / "manifest.yaml"
    found = parse(read(file).data, str(file))
    for name in (found.integration, found.flow):
        if name.partition(":")[0].rpartition(".")[0] != module:
            raise ConfigError(
                Said(
                    "{file}: {name!r} lies outside of {module}",
                    file=file,
                    name=name,
                    module=module,
                )
            )
    return Package(found, module, folder, ours)
