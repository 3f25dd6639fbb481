"""kill -9 of a process that writes a journal to a real disk (reliability §1)."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from core.clock import RealClock, SimClock
from core.journal.checkpoint import load_signer, sim_signer
from core.journal.envelope import decode
from core.journal.reader import Event, events
from core.journal.segment import RealDisk
from core.journal.simdisk import SimDisk
from core.journal.store import Options, Store
from core.journal.verify import verify
from core.journal.writer import DiskFault, JournalWriter, Notice
from tests.unit.journal.journals import payload

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = Options(segment_bytes=64 << 10, reserve_bytes=0)
CHILD = """
import os, sys, threading
from pathlib import Path
from core.clock import RealClock
from core.journal.checkpoint import load_signer
from core.journal.segment import RealDisk
from core.journal.store import Options, Store
from core.journal.writer import Durable, JournalWriter
from tests.unit.journal.journals import payload

folder, clock = Path(sys.argv[1]), RealClock()
room = threading.Semaphore(300)
def tell(notice):
    if isinstance(notice, Durable):
        os.write(1, b"%d\\n" % notice.seq)
        room.release(notice.seq - tell.last)
        tell.last = notice.seq
disk = RealDisk(folder / "journal", lock=True)
options = Options(segment_bytes=64 << 10, reserve_bytes=0)
store = Store.open(disk, load_signer(RealDisk(folder / "keys"), clock), clock, options)
writer = JournalWriter(store, tell, clock)
epoch, seq = store.epoch + 1, store.seq
tell.last = seq
writer.start()
while True:
    room.acquire()
    seq += 1
    writer.accept(seq, payload(seq, epoch, "k" * (seq % 97)), False)
"""


def run_and_kill(folder: Path, acks: int) -> int:
    """Let the child write until ``acks`` groups are durable, kill it; last ack."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(acks)]
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
    whole = [int(line) for line in told if line.endswith(b"\n")]
    return max(whole, default=0)


def check(folder: Path, acked: int) -> None:
    """All that was told to be durable is there, in order, and chained."""
    disk = RealDisk(folder / "journal")
    there = [decode(e.payload).seq for e in events(disk) if isinstance(e, Event)]
    disk.close()
    assert there == list(range(1, len(there) + 1))
    assert len(there) >= acked


# Eight kills to a journal, so that checking it again each time stays short.
@pytest.mark.parametrize(
    "seed",
    [*range(3), *(pytest.param(n, marks=pytest.mark.slow) for n in range(3, 50))],
)
def test_killed_at_chance_points_nothing_durable_is_lost(
    seed: int, tmp_path: Path
) -> None:
    rng = Random(seed)
    acked = 0
    for _ in range(8):
        acked = max(acked, run_and_kill(tmp_path, rng.randrange(1, 40)))
        check(tmp_path, acked)
    report = verify(tmp_path / "journal")
    assert report.ok, report.findings


def test_the_thread_writes_signs_and_stops_clean(tmp_path: Path) -> None:
    clock, told = RealClock(), list[Notice]()
    disk = RealDisk(tmp_path / "journal", lock=True)
    signer = load_signer(RealDisk(tmp_path / "keys"), clock)
    store = Store.open(disk, signer, clock, OPTIONS)
    writer = JournalWriter(store, told.append, clock)
    writer.start()
    for seq in range(1, 2001):
        writer.accept(seq, payload(seq), seq % 2 == 0)
    assert writer.stop(30)
    assert (writer.durable_seq, writer.waiting, writer.faulty) == (2000, False, False)
    again = load_signer(RealDisk(tmp_path / "keys"), clock)
    assert again.public == signer.public
    store = Store.open(disk, again, clock, OPTIONS)
    assert (store.seq, store.clean, store.torn) == (2000, True, None)
    store.close()
    assert (tmp_path / "keys" / "journal.key").stat().st_mode & 0o777 == 0o600
    report = verify(tmp_path / "journal", signer.public)
    assert report.ok
    assert report.signed_seq == 2000
    with pytest.raises(BlockingIOError):
        RealDisk(tmp_path / "journal", lock=True)
    disk.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_of_the_writer_is_told() -> None:
    """A writer that ends by a mistake of ours must not look like a quiet one."""
    clock, told = SimClock(), list[Notice]()
    store = Store.open(SimDisk(), sim_signer(1, clock), clock, OPTIONS)
    writer = JournalWriter(store, told.append, clock)
    writer.start()
    writer.accept(1, b"\xc1 no envelope", True)
    assert not writer.stop(10)
    assert told == [DiskFault("journal_writer_failed", "see the log")]
    assert writer.faulty


LIMITED = """
import os, resource, sys, threading
from pathlib import Path
from core.clock import RealClock
from core.journal.checkpoint import load_signer
from core.journal.segment import RealDisk
from core.journal.store import Options, Store
from core.journal.writer import DiskFault, DiskOk, Durable, JournalWriter
from tests.unit.journal.journals import payload

folder, clock = Path(sys.argv[1]), RealClock()
failed, well, durable = threading.Event(), threading.Event(), []
def tell(notice):
    if isinstance(notice, DiskFault) and notice.code == "journal_io_error":
        failed.set()
    elif isinstance(notice, DiskOk) and failed.is_set():
        well.set()
    elif isinstance(notice, Durable):
        durable.append(notice.seq)
disk = RealDisk(folder / "journal")
options = Options(segment_bytes=64 << 10, reserve_bytes=0)
store = Store.open(disk, load_signer(RealDisk(folder / "keys"), clock), clock, options)
writer = JournalWriter(store, tell, clock)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
writer.start()
for seq in range(1, 501):
    writer.accept(seq, payload(seq), True)
assert failed.wait(20), "the failing disk is told"
assert not durable, "nothing is durable on it"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
assert well.wait(20), "and so is its return"
assert writer.stop(20)
assert durable[-1] == 500
"""


def test_a_real_disk_that_refuses_is_told_and_all_is_written_late(
    tmp_path: Path,
) -> None:
    """The kernel itself refuses to let files grow, then allows it again."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert done.returncode == 0, done.stderr
    check(tmp_path, 500)
    assert verify(tmp_path / "journal").ok
