"""Measure the journal against the bare disk and SQLite, alternating in one run.

    python benchmarks/journal.py [--folder DIR] [--events N] [--rounds N]

Rows are medians over the rounds; each ratio is taken within a round, so that a
disk that slows down slows all of them. ``--folder`` must lie on a real disk.
"""

import argparse
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.clock import RealClock
from core.journal.checkpoint import load_signer
from core.journal.envelope import Cause, Effect, Envelope, encode
from core.journal.segment import RealDisk
from core.journal.store import Options, Store
from core.journal.verify import verify
from core.journal.writer import Durable, JournalWriter, Notice

GROUP = 50
"""Events in flight: what a busy second of a site brings together."""


def event(seq: int) -> bytes:
    """Return a stored event of usual size (about 330 bytes)."""
    return encode(
        Envelope(
            epoch=1,
            seq=seq,
            id=f"01J{seq:023d}",
            type="alarm.raised",
            version=1,
            wall_ns=time.time_ns(),
            sync=True,
            boot_id="0f3c9a52-6ed1-4c5c-9a57-2f6b3a0d1c11",
            mono_ns=time.monotonic_ns(),
            cause=Cause(actor="rule:gas-alarm-response", evidence=("ent-h2s-17",)),
            effect=Effect.PROTECTIVE,
        )
    )


def bare(folder: Path, events: int, group: int) -> float:
    """Return events/s of plain writes into a zero-filled file, one sync a group."""
    path = folder / "bare"
    size = len(event(1)) * events
    path.write_bytes(bytes(size))
    fd = os.open(path, os.O_WRONLY)
    os.fsync(fd)
    data = [event(seq) for seq in range(1, events + 1)]
    start, at = time.perf_counter(), 0
    for first in range(0, events, group):
        part = b"".join(data[first : first + group])
        os.pwrite(fd, part, at)
        os.fdatasync(fd)
        at += len(part)
    took = time.perf_counter() - start
    os.close(fd)
    path.unlink()
    return events / took


def sqlite(folder: Path, events: int, group: int) -> float:
    """Return events/s of SQLite, WAL with synchronous=FULL, one commit a group."""
    path = folder / "bench.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB)")
    rows = [(seq, event(seq)) for seq in range(1, events + 1)]
    start = time.perf_counter()
    for first in range(0, events, group):
        db.execute("BEGIN")
        part = rows[first : first + group]
        db.executemany("INSERT INTO events VALUES (?, ?)", part)
        db.execute("COMMIT")
    took = time.perf_counter() - start
    db.close()
    for left in folder.glob("bench.db*"):
        left.unlink()
    return events / took


def journal(folder: Path, events: int, group: int) -> float:
    """Return durable events/s with ``group`` events in flight."""
    clock = RealClock()
    disk = RealDisk(folder / "journal", lock=True)
    keys = RealDisk(folder / "keys")
    store = Store.open(disk, load_signer(keys, clock), clock, Options(reserve_bytes=0))
    store.prepare()
    room, seq = threading.Semaphore(group), store.seq
    told = seq

    def tell(notice: Notice) -> None:
        nonlocal told
        if isinstance(notice, Durable):
            room.release(notice.seq - told)
            told = notice.seq

    writer = JournalWriter(store, tell, clock)
    data = [event(seq + n) for n in range(1, events + 1)]
    start = time.perf_counter()
    writer.start()
    for number, payload in enumerate(data, seq + 1):
        room.acquire()
        writer.accept(number, payload, True)
    for _ in range(group):
        room.acquire()
    took = time.perf_counter() - start
    writer.stop(30)
    disk.close()
    keys.close()
    return events / took


def verified(folder: Path) -> float:
    """Return the events/s of verifying the journal that the rounds have left."""
    start = time.perf_counter()
    report = verify(folder / "journal")
    took = time.perf_counter() - start
    if not report.ok:
        raise SystemExit(f"benchmark journal does not verify: {report.findings}")
    return report.events / took


def rounds(folder: Path, events: int, count: int) -> dict[str, list[float]]:
    """Run all systems alternately."""
    few = max(events // GROUP, 50)
    work: dict[str, Callable[[], float]] = {
        "bare write + fdatasync, one by one": lambda: bare(folder, few, 1),
        "SQLite WAL FULL, one by one": lambda: sqlite(folder, few, 1),
        "journal, one in flight": lambda: journal(folder, few, 1),
        f"bare write + fdatasync, {GROUP} together": lambda: bare(
            folder, events, GROUP
        ),
        f"SQLite WAL FULL, {GROUP} together": lambda: sqlite(folder, events, GROUP),
        f"journal, {GROUP} in flight": lambda: journal(folder, events, GROUP),
        "journal, 2000 in flight": lambda: journal(folder, events * 4, 2000),
        "verify": lambda: verified(folder),
    }
    figures: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(count):
        for name, run in work.items():
            sys.stderr.write(f"\rround {turn + 1}/{count}: {name:<45}")
            figures[name].append(run())
    sys.stderr.write("\r" + " " * 60 + "\r")
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="journal-bench-", dir=options.folder))
    try:
        figures = rounds(folder, options.events, options.rounds)
    finally:
        shutil.rmtree(folder)
    floors = [name for name in figures if name.startswith("bare")]
    print(f"{'events/s, median':<46}{'':>10}{'to bare':>10}")
    floor = floors[0]
    for name, values in figures.items():
        floor = name if name in floors else floor
        ratio = statistics.median(
            value / base for value, base in zip(values, figures[floor], strict=True)
        )
        shown = "" if name == "verify" else f"{ratio:.2f}"
        print(f"{name:<46}{statistics.median(values):>10,.0f}{shown:>10}")


if __name__ == "__main__":
    main()
