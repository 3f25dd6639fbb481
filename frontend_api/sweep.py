"""Find what lies in the vault and no event names, and take it away after a while.

A blob is put away before the event that names it: where the act was refused, never
made, or lost with a crash, nothing would ever erase it. What nobody names is marked;
whoever puts it away again, or is about to name it, takes the mark off. Only a mark
that stood for its whole time ends a blob.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from core.clock import NS, Clock
from core.people.vault import UNNAMED, Vault
from core.registry.files import destroy, sync_folder, write_whole
from core.state import SiteState

#: How long a blob waits for its event.
GRACE_NS: Final = 3 * 86_400 * NS
#: A wall clock that jumps ahead must have been watched for this long.
SURE_NS: Final = 6 * 3600 * NS
_BLOB = re.compile(r"([0-9a-f]{64})(\.key|\.blob|)")
#: What a stop left behind of writing a file whole.
_TORN = re.compile(r"\..*\.part")


class Looked(NamedTuple):
    """Say what one folder held that nobody names: what waits, what went."""

    waiting: int = 0
    dropped: int = 0


class Sweep:
    """Look at one folder of the vault at a time; blocking, so in a thread."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault, self._clock = vault, clock
        self._seen: dict[Path, int] = {}
        """Mark → boot ns since when this process has known it."""

    def folders(self) -> list[Path]:
        """Return every folder that holds blobs of a person, a permit or a task."""
        top = self._vault.folder
        own = {top / "uploads", top / "permits"}
        found = [*_folders(top), *_folders(top / "permits")]
        return [folder for folder in found if folder not in own]

    def look(self, folder: Path, named: frozenset[str]) -> Looked:
        """Mark what nobody names, and take away what was marked long ago.

        Does nothing while others put something away; raises OSError.
        """
        waiting = dropped = 0
        with self._vault.guard(alone=True) as free:
            if not free or not self._clock.synced():
                return Looked()  # unknown time erases nothing
            for name, files in _blobs(folder).items():
                mark = folder / (name + UNNAMED)
                if name in named:
                    self._seen.pop(mark, None)
                    mark.unlink(missing_ok=True)
                elif self._over(mark):
                    _take_away(files, mark)
                    self._seen.pop(mark, None)
                    dropped += 1
                else:
                    waiting += 1
        return Looked(waiting, dropped)

    def _over(self, mark: Path) -> bool:
        """Say whether a mark has stood for its time; sets it where there is none."""
        wall, mono = self._clock.wall_ns(), self._clock.mono_ns()
        try:
            since = mark.stat().st_mtime_ns
        except FileNotFoundError:
            write_whole(mark, b"")
            since = wall + 1
        if since > wall:  # just made, or by a clock that was ahead
            os.utime(mark, ns=(wall, wall))
            self._seen[mark] = mono
            return False
        watched = mono - self._seen.setdefault(mark, mono)
        return wall - since >= GRACE_NS and watched >= SURE_NS


def named_by(
    state: SiteState, vault: Vault, uploads: Mapping[str, set[str]]
) -> dict[Path, frozenset[str]]:
    """Return the folders of the vault with what events, or uploads, name in them.

    ``uploads``: person, permit or task → what was brought and may yet be named.
    """
    found: dict[Path, set[str]] = {}

    def add(folder: Path, owner: str, names: set[str]) -> None:
        found.setdefault(folder, set()).update(names, uploads.get(owner, set()))

    people = state.people
    gone = people.keys.faces_gone
    for person in {*people.cards.named, *people.keys.faces, *gone, *uploads}:
        names = {*people.cards.named.get(person, ()), *gone.get(person, ())}
        names.add(people.keys.faces.get(person, ""))
        add(vault.person_folder(person), person, names)
    for owner in uploads:
        add(vault.permit_folder(owner), owner, set())
    for permit in state.permits.permits.values():
        told = {item.sha256 for item in permit.attachments.items.values()}
        add(vault.permit_folder(permit.id), permit.id, told)
    tasks = state.response.tasks
    for task_id in (*tasks.tasks, *tasks.filed):
        held = tasks.pictured(task_id)
        shown = {photo.sha256 for photo in held.photos} if held else set()
        add(vault.permit_folder(task_id), task_id, shown)
    return {folder: frozenset(names) for folder, names in found.items()}


def _folders(top: Path) -> Iterator[Path]:
    if top.is_dir():
        yield from sorted(path for path in top.iterdir() if path.is_dir())


def _blobs(folder: Path) -> dict[str, list[Path]]:
    """Return a folder's blobs by name, keys before contents, and torn files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir(), reverse=True):
        match = _BLOB.fullmatch(path.name)
        if match:
            found.setdefault(match[1], []).append(path)
        elif _TORN.fullmatch(path.name):
            found[path.name] = [path]
    return found


def _take_away(files: list[Path], mark: Path) -> None:
    for path in files:
        if path.suffix == ".blob":
            path.unlink(missing_ok=True)  # without its key it is noise
        else:
            destroy(path)
    mark.unlink(missing_ok=True)
    sync_folder(mark.parent)
