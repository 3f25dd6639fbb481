"""Events older than this gateway's life, read from the journal's own files."""

import contextlib
from pathlib import Path

from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.journal.reader import Event as Stored
from core.journal.reader import events as stored_events
from core.journal.segment import RealDisk
from frontend_api.replica import Kept

#: Events looked through for one page, and pages' worth of windows tried.
WINDOW, WINDOWS = 1000, 8


class Past:
    """Read pages of the journal backwards; never writes, so core does not notice."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "journal"

    def before(self, seq: int, limit: int, family: str = "") -> list[Kept]:
        """Return at most ``limit`` events below ``seq``, newest first.

        Call it in a thread: it reads whole segments. An unreadable journal is
        an empty past here; the hub itself raises the fault.
        """
        if not self._folder.is_dir():
            return []
        found: list[Kept] = []
        with contextlib.suppress(OSError):
            disk = RealDisk(self._folder)
            with contextlib.closing(disk):
                for _ in range(WINDOWS):
                    if seq <= 1 or len(found) >= limit:
                        break
                    found += self._window(disk, seq, family)
                    seq -= WINDOW
        return found[:limit]

    def _window(self, disk: RealDisk, seq: int, family: str) -> list[Kept]:
        kept: list[Kept] = []
        for stored in stored_events(disk, max(0, seq - WINDOW - 1)):
            if not isinstance(stored, Stored):
                continue
            if stored.seq >= seq:
                break
            envelope = envelopes.decode(stored.payload)
            if envelope.type.startswith(family):
                kept.append(Kept(decode_body(envelope), envelope))
        return kept[::-1]
