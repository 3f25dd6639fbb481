"""A journal cut or failed at any write or sync (design §5, issue: faults)."""

import errno
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.journal.backlog import Bounds, Entry
from core.journal.envelope import decode
from core.journal.frame import Gap
from core.journal.reader import Event, events, segments
from core.journal.simdisk import PowerCut, SimDisk
from core.journal.store import JournalDamaged, Options, Store
from core.journal.verify import verify
from core.journal.writer import DiskFault, DiskOk, Durable, Gapped
from tests.unit.journal.journals import SMALL, Run, payload, reopen, save, stored


def work(run: Run, seed: int, events: int = 120) -> None:
    """Accept events in bursts of chance sizes, as a hub would."""
    rng = Random(seed)
    while run.writer.accepted_seq < events:
        run.accept(rng.randrange(1, 9), text="y" * rng.randrange(120))
        if rng.random() < 0.8:
            run.settle(0.05)
    run.settle(1)


def ops_of(act: Callable[[SimDisk], object]) -> int:
    """Count the ops of undisturbed work."""
    disk = SimDisk()
    act(disk)
    return disk.ops


def cut(disk: SimDisk, op: int, seed: int) -> Run | None:
    """Work until the power goes at ``op``; None if it goes before the start."""
    disk.crash_at = op
    run = None
    try:
        run = Run(disk)
        work(run, seed)
    except PowerCut:
        pass
    disk.restart()
    return run


def check_prefix(disk: SimDisk, durable: int, epoch: int = 1) -> Store:
    """Reopen: what is there is a prefix of what was accepted, durable included."""
    store = reopen(disk)
    there = stored(disk)
    assert store.seq == len(there) >= durable
    assert [_seq(data) for data in there] == list(range(1, len(there) + 1))
    return store


def _seq(data: bytes) -> int:
    return decode(data).seq


TOTAL = ops_of(lambda disk: work(Run(disk), 3))


@pytest.mark.parametrize(
    "seed",
    [*range(10), *(pytest.param(s, marks=pytest.mark.slow) for s in range(10, 400))],
)
def test_cut_at_any_op_leaves_a_prefix_with_all_that_was_durable(seed: int) -> None:
    """Design §5: accepted, then durable. Every op, many fates of the rest."""
    for op in range(1, TOTAL + 1):
        disk = SimDisk(seed * 10_000 + op)
        run = cut(disk, op, 3)
        durable = run.durable if run else 0
        store = check_prefix(disk, durable)
        assert store.damage is None
        assert not store.clean or store.seq == 0
        again = Run(disk)
        again.accept(7)
        again.settle(1)
        assert again.durable == store.seq + 7
        check_prefix(disk, again.durable)


@given(seed=st.integers(0, 1 << 30), data=st.data())
@settings(max_examples=150)
def test_many_cuts_in_a_row_lose_nothing_durable(
    seed: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cuts during recovery, too: each run is cut at a drawn op."""
    disk = SimDisk(seed)
    durable = 0
    for _ in range(data.draw(st.integers(2, 6))):
        disk.crash_at = disk.ops + data.draw(st.integers(1, 25))
        try:
            run = Run(disk)
            for _ in range(12):
                run.accept(3, text="z" * 50)
                run.settle(0.01)
                durable = max(durable, run.durable)
        except PowerCut:
            durable = max(durable, run.durable)
        disk.restart()
        check_prefix(disk, durable)
    run = Run(disk)
    run.accept(1)
    run.writer.close()
    folder = save(disk, tmp_path_factory.mktemp("cuts"))
    report = verify(folder)
    assert report.ok, report.findings
    assert report.torn is None


def test_a_torn_write_behind_a_clean_stop_is_no_clean_stop() -> None:
    """Design §5 'After a stop': an unclean one holds every active permit."""
    torn = 0
    for seed in range(40):
        disk = SimDisk(seed)
        first = Run(disk)
        first.accept(5)
        first.writer.close()
        assert reopen(disk).clean
        disk.crash_at = disk.ops + 4  # what was found is written again first
        with pytest.raises(PowerCut):
            second = Run(disk)
            second.accept(9)
            second.settle(1)
        disk.restart()
        store = reopen(disk)
        torn += store.torn is not None
        assert store.clean == (store.torn is None and store.seq == 5)
    assert torn > 5


CODES = [errno.ENOSPC, errno.EIO, errno.EROFS]


@pytest.mark.parametrize("code", CODES)
def test_each_failing_op_is_told_and_survived(code: int) -> None:
    """Reliability §1: fail the Nth operation, N = 1..all."""
    untold = 0
    for op in range(1, TOTAL + 1):
        disk = SimDisk(op)
        run = Run(disk)
        disk.fail_at[op] = code
        work(run, 3)
        run.settle(60)
        told = [n for n in run.told if not isinstance(n, Durable)]
        assert not told or isinstance(told[-1], DiskOk)
        untold += not told
        assert not run.writer.faulty
        assert run.durable == run.writer.accepted_seq
        disk.restart()
        check_prefix(disk, run.durable)
    # Only cutting the zeros off a finished segment may fail unheard.
    assert untold == len(segments(disk)) - 2


@pytest.mark.parametrize("code", CODES)
def test_a_dead_disk_is_told_and_all_is_written_late(code: int) -> None:
    """Nothing is durable while the disk is dead, and nothing is lost when it heals."""
    disk = SimDisk(5)
    run = Run(disk)
    run.accept(5)
    run.settle(1)
    disk.deny(code)
    run.accept(30)
    run.settle(30)
    assert run.durable == 5
    assert run.writer.faulty
    faults = [n for n in run.told if isinstance(n, DiskFault)]
    assert len(faults) == 1, "told once, not at every try"
    disk.heal()
    run.settle(10)
    assert run.durable == 35
    assert [n for n in run.told if not isinstance(n, Durable)][-1] == DiskOk()
    disk.restart()
    check_prefix(disk, 35)


@given(seed=st.integers(0, 1 << 30), data=st.data())
@settings(max_examples=150)
def test_failures_and_then_a_cut_lose_nothing_durable(
    seed: int, data: st.DataObject
) -> None:
    """A failed sync may have dropped pages: what is retried is written anew."""
    disk = SimDisk(seed)
    ops = data.draw(st.lists(st.integers(1, TOTAL), min_size=1, max_size=12))
    disk.fail_at = {op: data.draw(st.sampled_from(CODES)) for op in ops}
    disk.crash_at = data.draw(st.integers(1, TOTAL + 20))
    run = None
    try:
        run = Run(disk)
        work(run, seed)
    except PowerCut:
        pass
    disk.restart()
    check_prefix(disk, run.durable if run else 0)


def test_a_disk_dead_for_long_coalesces_and_tells_what_was_lost(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Design §2: bounded, coalesced per subject, written late; verify understands."""
    disk = SimDisk(5)
    run = Run(disk, Bounds(events=50, bytes=1 << 20))
    disk.deny(errno.EIO)
    for turn in range(200):
        run.accept(1, subject=f"tag-{turn % 3}", type_="moved")
        if turn % 20 == 0:
            run.accept(1, protective=True, subject="zone-1", type_="held")
        run.settle(0.01)
    assert {n.code for n in run.told if isinstance(n, DiskFault)} == {
        "journal_io_error",
        "journal_backlog_full",
    }
    disk.heal()
    run.settle(30)
    assert run.durable == 210
    gaps = [n.gap for n in run.told if isinstance(n, Gapped)]
    lost = sum(item.count for gap in gaps for item in gap.lost)
    assert not any(item.protective for gap in gaps for item in gap.lost)
    there = list(events(disk))
    kept = [e for e in there if isinstance(e, Event)]
    assert len(kept) + lost == 210
    assert [g for g in there if isinstance(g, Gap)] == gaps
    run.writer.close()
    report = verify(save(disk, tmp_path_factory.mktemp("gap")))
    assert report.ok, report.findings
    assert (report.gaps, report.last_seq) == (gaps, 210)
    assert reopen(disk).seq == 210


def test_a_changed_bit_stops_opening_and_the_journal_goes_on_behind_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Damage is never dropped in silence, and never stops the hub."""
    for bit in range(9 * 8, 4096 * 8, 331):
        disk = SimDisk(1)
        run = Run(disk)
        run.accept(60, text="w" * 100)
        run.settle(5)
        run.writer.close()
        last = [n for n in disk.list() if disk.read(n).strip(b"\0")][-1]
        if bit // 8 >= len(disk.read(last).rstrip(b"\0")):
            continue
        disk.flip(last, bit)
        with pytest.raises(JournalDamaged, match="frame"):
            reopen(disk)
        store = Store.set_aside(disk, run.store._signer, run.clock, SMALL)
        assert store.damage is not None
        assert last.replace(".seg", ".damaged") in disk.list()
        assert not store.clean
        seq = store.seq + 1
        store.append([Entry(seq, payload(seq, 2))], sign=True)
        assert reopen(disk).seq == seq
        report = verify(save(disk, tmp_path_factory.mktemp("aside")))
        codes = [f.code for f in report.findings]
        assert codes[0] == "bytes_changed"
        assert codes[-1] == "chain_begun_anew"


def test_the_reserve_makes_room_on_a_full_disk() -> None:
    """Reliability §1: a reserve file, deleted to make room for events."""
    disk = SimDisk(2, capacity=400_000)
    run = Run(disk, options=Options(segment_bytes=4096, reserve_bytes=65_536))
    run.accept(3)
    run.settle(60)
    assert "reserve" in disk.list()
    disk.put("other", bytes(disk.free() - 100))
    run.accept(80, text="v" * 100)
    run.settle(60)
    assert run.durable == 83
    assert "reserve" not in disk.list()
    disk.remove("other")
    run.accept(1)
    run.settle(60)
    assert "reserve" in disk.list()


def test_a_slow_disk_never_holds_up_accepting() -> None:
    """Design §2: accepted does not wait; the lag is there to be supervised."""
    disk = SimDisk(3)
    run = Run(disk)
    disk.op_ns = 5_000_000_000
    before = run.clock.mono_ns()
    run.accept(10, protective=True)
    assert run.clock.mono_ns() == before
    run.clock.advance(2)
    assert run.writer.lag_ns() == 2_000_000_000
    run.settle(600)
    assert run.durable == 10
    assert run.writer.lag_ns() == 0
