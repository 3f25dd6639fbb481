"""The journal door of a hub whose disk cannot be opened: it protects, unwritten.

Nothing permissive passes, nothing is durable, and the fault is an alarm. When
the disk can be opened again the process starts afresh, with a journal.
"""

import contextlib
import functools
import threading
from collections.abc import Callable
from pathlib import Path

from core.clock import Clock
from core.journal.envelope import Effect
from core.journal.segment import RealDisk
from core.journal.writer import DiskFault, Notice
from core.processes.ledger import Ledger, Loop, LoopLedger, replay
from core.state import SiteState

RETRY_S = 30.0
_LOCK_TRIES, _LOCK_S = 20, 0.1


class BlindLedger(Ledger):
    """Stand in for a `Ledger`; what the disk still tells is read."""

    def __init__(self, data: Path, clock: Clock, loop: Loop, error: OSError) -> None:
        # Not the base's: there is no store to open.
        self._data, self._clock, self._loop = data, clock, loop
        self._why = str(error)
        self.clean, self.cut_bytes = False, 0
        self.damages = []
        self.durable_seq = 0
        self.unwritten = 0
        self._looking: threading.Thread | None = None

    def replay(self) -> SiteState:
        """Return the state that can still be read, an empty one at worst."""
        state = SiteState()
        with contextlib.suppress(OSError):
            disk = RealDisk(self._data / "journal")
            try:
                state, _ = replay(disk, self.damages.append)
            finally:
                disk.close()
        self.durable_seq = state.seq
        return state

    def start(self, hear: Callable[[Notice], None]) -> None:
        """Tell the fault as soon as the loop turns."""
        self._loop.call_soon(hear, DiskFault("journal_unavailable", self._why))

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        """Count an event that is not written."""
        self.unwritten += 1

    def healthy(self) -> bool:
        """Say no: nothing can be made durable."""
        return False

    def slow(self) -> bool:
        """Say no: the fault is told already."""
        return False

    def snapshot_due(self, seq: int) -> bool:
        """Say no: a snapshot stands on a journal."""
        return False

    def take_snapshot(self, seq: int, data: bytes) -> None:
        """Do nothing."""

    def stop(self, seq: int, data: bytes) -> bool:
        """Say that nothing was written."""
        return False

    def look(self, found: Callable[[], None]) -> None:
        """Call ``found``, from a thread, if the journal can be opened now.

        A dying disk may hang whoever asks it, and that must not be the loop.
        """
        if self._looking is None or not self._looking.is_alive():
            work = functools.partial(self._look, found)
            self._looking = threading.Thread(target=work, name="disk", daemon=True)
            self._looking.start()

    def _look(self, found: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            LoopLedger(self._data, self._clock, self._loop).close()
            found()


def open_ledger(data: Path, clock: Clock, loop: Loop) -> Ledger:
    """Return the journal's door, whatever state the disk is in.

    A core that was killed within a slow sync holds its lock for a moment more.
    """
    for _ in range(_LOCK_TRIES):
        try:
            return LoopLedger(data, clock, loop)
        except BlockingIOError:
            threading.Event().wait(_LOCK_S)
        except OSError as error:
            return BlindLedger(data, clock, loop, error)
    held = BlockingIOError("another process holds the journal")
    return BlindLedger(data, clock, loop, held)
