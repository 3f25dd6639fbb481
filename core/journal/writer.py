"""The journal's writer: accept at once, make durable in groups, never raise.

`SyncWriter` holds all behaviour and is driven by `pump`, so the simulation runs
the same code on virtual time; `JournalWriter` gives it a thread.
"""

import contextlib
import errno
import threading
from collections.abc import Callable
from typing import NamedTuple

from core.clock import NS, Clock
from core.journal.backlog import Backlog, Bounds, Entry, Item
from core.journal.frame import Gap
from core.journal.store import Store


class Durable(NamedTuple):
    """All events up to ``seq`` are durable, except those named `Gapped`."""

    seq: int


class Gapped(NamedTuple):
    """These accepted events were never written and never will be."""

    gap: Gap


class DiskFault(NamedTuple):
    """The journal cannot be written; raised once per code until `DiskOk`.

    Codes: journal_disk_full, journal_read_only, journal_io_error,
    journal_backlog_full, journal_no_spare (events are still durable),
    journal_writer_failed (the writer has ended; only a restart mends it).
    """

    code: str
    detail: str


class DiskOk(NamedTuple):
    """The journal writes again, and all faults told before are over."""


Notice = Durable | Gapped | DiskFault | DiskOk


class Pace(NamedTuple):
    """Set the sizes of groups and the times of checkpoints and retries."""

    group_events: int = 256
    group_bytes: int = 256 << 10
    checkpoint_events: int = 256
    checkpoint_ns: int = 60 * NS
    retry_ns: int = NS // 20
    retry_max_ns: int = 5 * NS
    prepare_ns: int = 30 * NS


OVERFLOW = "journal_backlog_full"
FULL = (errno.ENOSPC, errno.EDQUOT)
_CODES = {
    errno.ENOSPC: "journal_disk_full",
    errno.EDQUOT: "journal_disk_full",
    errno.EROFS: "journal_read_only",
    errno.EACCES: "journal_read_only",
    errno.EPERM: "journal_read_only",
}


class SyncWriter:
    """Write what is accepted when `pump` is called.

    ``notify`` is called from within `pump` with each `Notice`, in order.
    """

    def __init__(
        self,
        store: Store,
        notify: Callable[[Notice], None],
        clock: Clock,
        bounds: Bounds | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._store, self._notify, self._clock = store, notify, clock
        self._pace = pace or Pace()
        self._backlog = Backlog(bounds or Bounds())
        self._lock = threading.Lock()
        self._group: list[Item] = []
        self._faults: set[str] = set()
        self._told_coalesced = 0
        self._retry_at = 0
        # What is accepted at the start goes first: the spare can wait a moment.
        self._prepare_at = clock.mono_ns() + NS
        self._backoff = self._pace.retry_ns
        self._signed_at = clock.mono_ns()
        if not store.clean:
            # What an unclean stop left unsigned is signed with the first group.
            self._signed_at -= self._pace.checkpoint_ns
        self._accepted = store.seq
        self._oldest_ns: int | None = None
        self._spare_missing = False

    @property
    def durable_seq(self) -> int:
        """Return the seq up to which all is durable."""
        return self._store.seq

    @property
    def accepted_seq(self) -> int:
        """Return the seq of the last accepted event."""
        return self._accepted

    @property
    def waiting(self) -> bool:
        """Say whether accepted events are not durable yet."""
        return bool(self._group) or len(self._backlog) > 0

    @property
    def faulty(self) -> bool:
        """Say whether a fault is standing: permissive acts are refused."""
        return bool(self._faults)

    def lag_ns(self) -> int:
        """Return for how long the oldest event has waited for the disk."""
        oldest = self._oldest_ns
        return 0 if oldest is None else self._clock.mono_ns() - oldest

    def accept(
        self,
        seq: int,
        payload: bytes,
        protective: bool,
        subject: str | None = None,
        type_: str = "",
    ) -> None:
        """Take one event; never blocks on the disk and never raises for it.

        Events with the same ``subject`` and ``type_`` may be merged when the
        backlog overflows; without a subject they are kept longest.
        Raises ValueError when ``seq`` does not follow the last accepted one.
        """
        with self._lock:
            if seq != self._accepted + 1:
                raise ValueError(f"journal: seq {seq} does not follow {self._accepted}")
            self._accepted = seq
            if self._oldest_ns is None:
                self._oldest_ns = self._clock.mono_ns()
            self._backlog.add(Entry(seq, payload, protective, subject or None, type_))
        self._wake()

    def pump(self) -> int | None:
        """Do the next thing that is due.

        Returns the nanoseconds until there is more to do (0: at once), or None
        when only a new event can bring work.
        """
        now = self._clock.mono_ns()
        if now < self._retry_at:
            return self._retry_at - now
        self._tell_overflow()
        group = self._next_group()
        due = self._checkpoint_due(now)
        if not group and not due:
            return self._rest(now)
        try:
            self._store.append(group, sign=due)
        except OSError as error:
            return self._failed(error, now)
        self._written(group, signed=due)
        return 0

    def close(self) -> bool:
        """Write all that waits and a clean-stop checkpoint; returns success."""
        self._retry_at = 0
        while self.waiting and self.pump() == 0:
            pass
        clean = not self.waiting
        if clean:
            try:
                self._store.append([], sign=True, clean=True)
            except OSError as error:
                self._failed(error, self._clock.mono_ns())
                clean = False
        self._store.close()
        return clean

    def _wake(self) -> None:
        """Tell the thread, where there is one, that there is work."""

    def _next_group(self) -> list[Item]:
        """Take a group; a failed one is tried again unchanged."""
        if not self._group:
            with self._lock:
                self._group = self._backlog.take(
                    self._pace.group_events, self._pace.group_bytes
                )
        return self._group

    def _checkpoint_due(self, now: int) -> bool:
        unsigned = self._store.unsigned + len(self._group)
        if unsigned >= self._pace.checkpoint_events:
            return True
        return unsigned > 0 and now - self._signed_at >= self._pace.checkpoint_ns

    def _written(self, group: list[Item], *, signed: bool) -> None:
        now = self._clock.mono_ns()
        if signed:
            self._signed_at = now
        self._group = []
        with self._lock:
            self._oldest_ns = now if len(self._backlog) else None
        for item in group:
            if isinstance(item, Gap):
                self._notify(Gapped(item))
        if group:
            self._notify(Durable(self._store.seq))
        self._backoff = self._pace.retry_ns
        if self._faults and (OVERFLOW not in self._faults or self._oldest_ns is None):
            self._faults.clear()
            self._notify(DiskOk())

    def _rest(self, now: int) -> int | None:
        """Make the spare ready; return the time of the next checkpoint or try."""
        if not self._store.prepared and now >= self._prepare_at:
            self._prepare_at = now + self._pace.prepare_ns
            try:
                self._store.prepare()
            except OSError as error:
                self._spare_missing = True
                self._notify(DiskFault("journal_no_spare", str(error)))
            else:
                if self._spare_missing:
                    self._spare_missing = False
                    self._notify(DiskOk())
        times = []
        if self._store.unsigned:
            times.append(self._signed_at + self._pace.checkpoint_ns)
        if not self._store.prepared:
            times.append(self._prepare_at)
        return max(min(times) - now, 1) if times else None

    def _tell_overflow(self) -> None:
        with self._lock:
            coalesced = self._backlog.coalesced
        if coalesced > self._told_coalesced:
            self._told_coalesced = coalesced
            self._fault(OVERFLOW, f"{coalesced} events coalesced")

    def _failed(self, error: OSError, now: int) -> int:
        code = _CODES.get(error.errno or 0, "journal_io_error")
        self._fault(code, str(error))
        with contextlib.suppress(OSError):
            if error.errno in FULL and self._store.free_reserve():
                return 0
        self._retry_at = now + self._backoff
        self._backoff = min(self._backoff * 2, self._pace.retry_max_ns)
        return self._retry_at - now

    def _fault(self, code: str, detail: str) -> None:
        if code not in self._faults:
            self._faults.add(code)
            self._notify(DiskFault(code, detail))


class JournalWriter(SyncWriter):
    """Drive a `SyncWriter` with one thread of its own.

    With ``soon`` (a loop's ``call_soon``) the thread is woken once a turn, behind
    what the turn has to do: it would else contend with an alarm on its way.
    """

    def __init__(
        self,
        store: Store,
        notify: Callable[[Notice], None],
        clock: Clock,
        bounds: Bounds | None = None,
        pace: Pace | None = None,
        *,
        soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        super().__init__(store, notify, clock, bounds, pace)
        self._soon, self._asked = soon, False
        self._work = threading.Event()
        self._closing = False
        self._clean = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write what waits, sign and close; False if the disk did not allow it.

        A disk that hangs longer than ``timeout_s`` keeps its (daemon) thread.
        """
        self._closing = True
        self._work.set()
        self._thread.join(timeout_s)
        return self._clean and not self._thread.is_alive()

    def _wake(self) -> None:
        if self._soon is None:
            self._work.set()
        elif not self._asked:
            self._asked = True
            self._soon(self._awake)

    def _awake(self) -> None:
        self._asked = False
        self._work.set()

    def _run(self) -> None:
        ended = False
        try:
            self._drive()
            ended = True
        finally:
            if not ended:  # a defect of ours must not be silent either
                self._fault("journal_writer_failed", "see the log")

    def _drive(self) -> None:
        while True:
            self._work.clear()  # before the look, so that no wake is lost
            if self._closing:
                break
            wait = self.pump()
            if wait == 0:
                continue
            self._work.wait(None if wait is None else wait / NS)
        self._clean = self.close()
