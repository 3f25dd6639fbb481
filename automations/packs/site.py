"""Compile the packs that a site picks, its own ones and its overlays into a bundle."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automations.packs.compile import SHIPPED, overlay_head, shipped, shown
from automations.packs.overlay import Assembled, assemble, permit_kinds
from automations.packs.vectors import Counts, Suite
from core import config
from core.api.documents import Document, Path_, read
from core.api.errors import ConfigError
from core.api.said import Said
from core.permits.pack import Pack
from core.permits.packs import dump

#: The plain kinds that a site has which picks nothing.
BASIC = "basic"
OWN = "custom_packs"
#: A pack is one event of the journal, and must pass a link's frame.
MAX_BYTES = 512 << 10


class SitePacks:
    """Find, lay and check a site's packs; every mistake names its place."""

    def __init__(
        self, document: Document, data: Mapping[str, Any], folder: Path
    ) -> None:
        self._document, self._folder = document, folder
        self._picked = _picked(data)
        self._basic = picks_basic(data)
        self._overlays: tuple[str, ...] = tuple(data.get("pack_overlays", ()))
        self._own_kinds = [each["id"] for each in data.get("permit_kinds", ())]
        self._people = frozenset(each["id"] for each in data.get("people", ()))

    def assembled(self) -> tuple[Assembled, ...]:
        """Return each pack with its overlays; raises ConfigError."""
        folders = {
            name: self._find(name, ("permit_packs", number))
            for number, name in enumerate(self._picked)
            if name != BASIC
        }
        if len(set(self._picked)) < len(self._picked):
            raise self._document.error(("permit_packs",), "a pack stands twice")
        laid: dict[str, list[Path]] = {name: [] for name in folders}
        for number, given in enumerate(self._overlays):
            file, pack = self._overlay(given, ("pack_overlays", number), folders)
            laid[pack].append(file)
        made = tuple(
            assemble(folder, laid[name], self._people)
            for name, folder in folders.items()
        )
        for number, problem in self._mistakes(made):
            raise self._document.error(("permit_packs", number), problem)
        return made

    def _find(self, name: str, place: Path_) -> Path:
        own = self._folder / OWN / name
        if name in shipped():
            if own.exists():
                # Whoever reads "cn-hazchem" must get what the hub ships.
                raise self._document.error(
                    place,
                    Said(
                        "{own}/{name} has the name of a pack of the hub; rename "
                        "it, or lay an overlay on the hub's own",
                        own=OWN,
                        name=name,
                    ),
                )
            return SHIPPED / name
        if (own / "pack.yaml").is_file():
            return own
        raise self._document.error(
            place,
            Said(
                "there is no permit pack {name!r}; known: {known}, and "
                "folders of {own}/ with a pack.yaml",
                name=name,
                known=[BASIC, *shipped()],
                own=OWN,
            ),
        )

    def _overlay(
        self, given: str, place: Path_, folders: Mapping[str, Path]
    ) -> tuple[Path, str]:
        """Return an overlay's file and the pack that it lies on."""
        own, hub = self._folder / given, SHIPPED / "overlays" / f"{given}.yaml"
        file = own if own.is_file() else hub
        roots = (self._folder.resolve(), hub.parent)
        if not file.is_file() or not _within(file, *roots):
            raise self._document.error(
                place,
                Said(
                    "there is no overlay {given!r} in this folder or the hub",
                    given=given,
                ),
            )
        head = overlay_head(read(file, shown(file)))
        if head.pack not in folders:
            raise self._document.error(
                place,
                Said(
                    "{given} lies on {pack!r}, which permit_packs does not pick",
                    given=given,
                    pack=head.pack,
                ),
            )
        return file, head.pack

    def _mistakes(self, made: tuple[Assembled, ...]) -> Iterator[tuple[int, str]]:
        names = [name for name in self._picked if name != BASIC]
        seen: dict[str, str] = {}
        if self._basic:
            seen = dict.fromkeys(basic_ids(), BASIC)
        seen |= dict.fromkeys(self._own_kinds, "permit_kinds")
        for name, each in zip(names, made, strict=True):
            number = self._picked.index(name)
            for problem in _wrong(name, each.pack, seen):
                yield number, problem


def _wrong(name: str, pack: Pack, seen: dict[str, str]) -> Iterator[Said]:
    """Yield what is wrong with a pack beside those before it."""
    if pack.id != name:
        yield Said(
            "{own}/{name}/pack.yaml says id {id!r}; use one",
            own=OWN,
            name=name,
            id=pack.id,
        )
    size = len(dump(pack))
    if size > MAX_BYTES:
        yield Said(
            "{name} has {size} bytes, at most {most}; part it",
            name=name,
            size=size,
            most=MAX_BYTES,
        )
    for kind in pack.kinds:
        if kind.id in seen:
            yield Said(
                "the kind {id!r} of {pack} stands in {seen} too; pick one, and "
                "change a pack's kinds by an overlay",
                id=kind.id,
                pack=pack.id,
                seen=seen[kind.id],
            )
        seen[kind.id] = pack.id


def picks_basic(data: Mapping[str, Any]) -> bool:
    """Say whether a site has the plain kinds."""
    return BASIC in _picked(data)


def _picked(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(data.get("permit_packs", (BASIC,)))


def prove(made: tuple[Assembled, ...]) -> None:
    """Run every vector of the packs; raises ConfigError at the first that fails."""
    for each in made:
        for failure in Suite(each.source, each.pack).run(Counts()):
            raise ConfigError(
                Said(
                    "{place}: its own test {title} fails: {got}",
                    place=failure.place,
                    title=failure.title,
                    got=failure.got,
                )
            )


def runtime_kinds(made: tuple[Assembled, ...]) -> list[config.PermitKind]:
    """Return the standing interlocks of every kind of the packs."""
    return [kind for each in made for kind in permit_kinds(each.pack)]


def basic_ids() -> list[str]:
    """Return the ids of the plain kinds."""
    document = read(SHIPPED / BASIC / "kinds.yaml")
    return [str(each["id"]) for each in document.data]


def _within(file: Path, *roots: Path) -> bool:
    return any(file.resolve().is_relative_to(root) for root in roots)
