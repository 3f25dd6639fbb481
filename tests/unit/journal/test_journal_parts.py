"""Backlog, torn tails, snapshots, export, index and reader (design §2, §5)."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SimClock
from core.journal import snapshot
from core.journal.backlog import NAMED_SUBJECTS, Backlog, Bounds, Entry, Item
from core.journal.export import ExportError, export, slice_of
from core.journal.frame import EVENT, GENESIS, GROUP, Fault, Frame, Gap, encode
from core.journal.index import Index, Query
from core.journal.reader import Damaged, Event, Mark, events, holds, locate, segments
from core.journal.segment import RealDisk
from core.journal.simdisk import SimDisk
from core.journal.store import JournalDamaged, Store
from core.journal.verify import verify
from tests.unit.journal.journals import (
    SMALL,
    Run,
    entry,
    fill,
    frames,
    reopen,
    save,
    signer,
    stored,
)

ACCEPTED = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from(["x", "y"]),
        st.integers(0, 60),
    ),
    max_size=150,
)


def _spans(items: list[Item]) -> list[tuple[int, int]]:
    return [(i.first, i.last) if isinstance(i, Gap) else (i.seq, i.seq) for i in items]


@given(accepted=ACCEPTED, events_=st.integers(1, 20), size=st.integers(100, 2000))
def test_backlog_is_bounded_and_accounts_for_every_event(
    accepted: list[tuple[bool, str | None, str, int]], events_: int, size: int
) -> None:
    """Design §2: bounded, coalesced per subject, nothing lost uncounted."""
    bounds = Bounds(events=events_, bytes=size)
    backlog = Backlog(bounds)
    for seq, (protective, subject, type_, length) in enumerate(accepted, 1):
        backlog.add(Entry(seq, b"." * length, protective, subject, type_))
        assert backlog.events <= bounds.events * bounds.hard
        assert backlog.bytes <= bounds.bytes * bounds.hard
        assert len(backlog) <= 2 * backlog.events + 1
    items: list[Item] = []
    while len(backlog):
        items += backlog.take(7, 500)
    assert (backlog.events, backlog.bytes) == (0, 0)
    covered = [s for a, b in _spans(items) for s in range(a, b + 1)]
    assert covered == list(range(1, len(accepted) + 1))
    lost = sum(x.count for i in items if isinstance(i, Gap) for x in i.lost)
    assert lost == backlog.coalesced
    assert lost + sum(isinstance(i, Entry) for i in items) == len(accepted)


def test_protective_events_outlive_neutral_ones() -> None:
    """Design §2: protective are coalesced last, and the newest one stays."""
    backlog = Backlog(Bounds(events=20, bytes=1 << 20))
    for seq in range(1, 36):
        backlog.add(Entry(seq, b"n", subject="tag", type="moved"))
    for seq in range(36, 56):
        backlog.add(Entry(seq, b"p", protective=True, subject="zone", type="held"))
    kept = [i for i in backlog.take(100, 1 << 20) if isinstance(i, Entry)]
    assert sum(e.protective for e in kept) == 20
    assert [e.seq for e in kept if not e.protective] == [35]
    for seq in range(1, 42):
        backlog.add(Entry(seq, b"p", protective=True, subject="zone", type="held"))
    items = backlog.take(100, 1 << 20)
    assert isinstance(items[0], Gap)
    assert items[0].lost[0].protective
    assert isinstance(items[-1], Entry)
    assert items[-1].seq == 41


def test_a_gap_names_a_bounded_number_of_subjects() -> None:
    backlog = Backlog(Bounds(events=10, bytes=1 << 20))
    for seq in range(1, 1001):
        backlog.add(Entry(seq, b"n", subject=f"s{seq}", type="t"))
    gaps = [i for i in backlog.take(1000, 1 << 20) if isinstance(i, Gap)]
    assert all(len(gap.lost) <= NAMED_SUBJECTS + 2 for gap in gaps)


def _group(sizes: list[int], head: bytes) -> tuple[bytes, bytes]:
    data = b""
    for number, size in enumerate(sizes):
        data += encode(EVENT, b"\x31" * size, head, 0 if number else GROUP)
        head = data[-33:-1]
    return data, head


@given(
    first=st.lists(st.integers(0, 900), min_size=1, max_size=4),
    last=st.lists(st.integers(0, 900), min_size=1, max_size=4),
    data=st.data(),
)
def test_a_group_cut_anywhere_is_torn_and_the_group_before_it_stays(
    first: list[int], last: list[int], data: st.DataObject
) -> None:
    """Issue: a torn tail is told from damage."""
    good, head = _group(first, GENESIS)
    group, _ = _group(last, head)
    cut = data.draw(st.integers(0, len(group) - 1))
    found = frames(good + group[:cut] + bytes(2000))
    sound = [f for f in found if isinstance(f, Frame)]
    assert len(sound) >= len(first)
    faults = [f for f in found if isinstance(f, Fault)]
    whole = sound[-1].end == len(good) + cut
    assert [f.torn for f in faults] == ([] if whole else [True])


@given(last=st.lists(st.integers(300, 900), min_size=2, max_size=4), data=st.data())
def test_a_group_that_lacks_sectors_is_torn(
    last: list[int], data: st.DataObject
) -> None:
    good, head = _group([100], GENESIS)
    group, _ = _group(last, head)
    whole = bytearray(good + group + bytes(2000))
    sectors = range(1, (len(good) + len(group)) // 512 + 1)
    for sector in data.draw(st.sets(st.sampled_from(sectors), min_size=1)):
        whole[sector * 512 : sector * 512 + 512] = bytes(512)
    faults = [f for f in frames(bytes(whole)) if isinstance(f, Fault)]
    assert [f.torn for f in faults] in ([True], [])
    if not faults:
        assert not any(whole[len(good) + len(group) - 33 : -2000])


def test_reading_behind_a_seq_or_a_mark_gives_the_rest() -> None:
    disk = fill(60)
    assert len(segments(disk)) > 3
    every = [e for e in events(disk) if isinstance(e, Event)]
    assert [e.seq for e in every] == list(range(1, 61))
    for seq in (0, 1, 17, 30, 59, 60):
        assert list(events(disk, seq)) == every[seq:]
        mark = locate(disk, seq)
        if seq:
            assert mark == every[seq - 1].mark
            assert mark is not None
            assert holds(disk, mark)
    assert locate(disk, 61) is None


def test_snapshots_are_kept_two_and_used_only_where_they_fit() -> None:
    """Design §5: keyed by (fold version, seq, hash), only a cache."""
    disk = fill(30)
    assert snapshot.load(disk, 1) is None
    for seq in (10, 20, 30):
        mark = locate(disk, seq)
        assert mark is not None
        snapshot.save(disk, 1, mark, b"state %d" % seq)
    assert sum(n.endswith(".snap") for n in disk.list()) == 2
    found = snapshot.load(disk, 1)
    assert found is not None
    assert (found.mark.seq, found.state) == (30, b"state 30")
    assert snapshot.load(disk, 2) is None
    name = [n for n in disk.list() if n.endswith(".snap")][-1]
    disk.put(name, disk.read(name).replace(b"state 30", b"state 31"))
    older = snapshot.load(disk, 1)
    assert older is not None
    assert older.mark.seq == 20
    mark = Mark(1, 400, 25, bytes(32))
    snapshot.save(disk, 1, mark, b"of another journal")
    disk.put(name, b"rubbish")
    assert snapshot.load(disk, 1) is None


@given(first=st.integers(1, 60), length=st.integers(0, 59))
def test_an_export_of_any_slice_proves_itself(
    first: int, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    last = min(60, first + length)
    target = tmp_path_factory.getbasetemp() / "slice.safehold"
    done = export(fill(60), target, first, last)
    report = verify(target)
    assert report.ok, report.findings
    assert (report.first_seq, report.last_seq) == (first, done.last)
    assert done.last >= last
    assert report.signed_seq == done.last
    assert report.events == done.last - first + 1


@given(data=st.data())
def test_any_flipped_bit_of_an_export_is_found(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.getbasetemp() / "flipped.safehold"
    export(fill(60), target, 13, 40)
    whole = bytearray(target.read_bytes())
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    target.write_bytes(whole)
    report = verify(target)
    assert not report.ok
    place = next(f for f in frames(target.read_bytes()) if isinstance(f, Fault))
    assert place.offset <= bit // 8 < place.end
    assert report.findings[0].offset == place.offset
    target.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 1))])
    assert not verify(target).ok


def test_an_export_waits_for_its_signature_and_refuses_damage(tmp_path: Path) -> None:
    disk = fill(21, clean=False)
    with pytest.raises(ExportError, match="no checkpoint signs seq 21"):
        export(disk, tmp_path / "a", 5, 21)
    assert not (tmp_path / "a").exists()
    second = 1_000_000_000
    start = 1_790_000_000 * second
    assert slice_of(disk, start + 3 * second, start + 9 * second) == (3, 8)
    with pytest.raises(ExportError, match="no event"):
        slice_of(disk, 0, 5)
    disk.flip(segments(disk)[0], 3000)
    with pytest.raises(ExportError, match="frame"):
        export(disk, tmp_path / "a", 1, 5)


def test_the_index_answers_and_is_rebuilt_when_it_does_not_fit(tmp_path: Path) -> None:
    """Design §5: the index is a cache; the journal alone is the truth."""
    disk, path = fill(60), tmp_path / "index.db"
    index = Index(disk, path, subject=lambda e: "even" if e.seq % 2 == 0 else "")
    assert index.update() == 60

    def seqs(query: Query) -> list[int]:
        return [e.seq for e in index.query(query)]

    assert seqs(Query()) == list(range(1, 61))
    assert seqs(Query(after_seq=50, subject="even")) == [52, 54, 56, 58, 60]
    assert seqs(Query(newest_first=True, limit=2, until_seq=40)) == [40, 39]
    assert seqs(Query(types=["other"])) == []
    second = 1_000_000_000
    start = 1_790_000_000 * second
    span = Query(since_ns=start + 3 * second, until_ns=start + 5 * second)
    assert seqs(span) == [3, 4]
    run = Run(disk)
    run.accept(3)
    run.settle(1)
    assert index.update() == 63
    assert seqs(Query(after_seq=60)) == [61, 62, 63]
    index.close()
    path.write_bytes(b"not a database" * 100)
    index = Index(disk, path)
    assert index.update() == 63
    assert len(seqs(Query())) == 63
    index.close()
    other = fill(12, seed=9)
    index = Index(other, path)
    assert index.update() == 12
    assert seqs(Query()) == list(range(1, 13))
    index.close()


def test_a_real_disk_keeps_files_private_and_whole(tmp_path: Path) -> None:
    disk = RealDisk(tmp_path / "j")
    disk.put("small", b"one")
    disk.put("small", b"two")
    file = disk.open("big", create=True)
    file.allocate(1000)
    file.write(10, b"abc")
    file.truncate(12)
    file.sync()
    file.close()
    assert disk.list() == ["big", "small"]
    assert (disk.read("small"), disk.read("small", 1)) == (b"two", b"t")
    assert disk.read("big") == bytes(10) + b"ab"
    assert (tmp_path / "j" / "big").stat().st_mode & 0o777 == 0o600
    disk.retire("big", "big.old")
    assert (tmp_path / "j" / "big.old").stat().st_mode & 0o777 == 0o400
    disk.remove("small")
    disk.remove("small")
    assert disk.list() == ["big.old"]
    assert disk.free() > 0
    disk.close()


def test_checkpoints_come_by_count_by_time_and_at_a_clean_stop(tmp_path: Path) -> None:
    disk = SimDisk()
    run = Run(disk)
    run.accept(3)
    run.settle(59)
    assert run.store.unsigned == 3
    run.clock.advance(61)
    run.settle(1)
    assert run.store.unsigned == 0
    run.accept(1)
    assert run.writer.close()
    report = verify(save(disk, tmp_path))
    assert (report.ok, report.checkpoints, report.signed_seq) == (True, 2, 4)
    assert len(stored(disk)) == 4


def test_an_event_larger_than_a_segment_is_written_all_the_same(tmp_path: Path) -> None:
    disk = SimDisk()
    run = Run(disk)
    run.accept(2)
    run.accept(1, text="L" * 20_000)
    run.accept(2)
    run.settle(1)
    run.writer.close()
    assert run.durable == 5
    assert verify(save(disk, tmp_path)).ok
    assert Run(disk).store.seq == 5


def test_a_broken_order_is_refused_at_the_door() -> None:
    run = Run(SimDisk())
    with pytest.raises(ValueError, match="seq 2 does not follow 0"):
        run.writer.accept(2, b"", False)


def test_readers_are_told_of_damage_and_not_of_a_torn_tail() -> None:
    """Unknown is never safe: a fold must know that events are missing."""
    disk = fill(60)
    name = segments(disk)[1]
    disk.flip(name, 600 * 8)
    told: list[Damaged] = []
    read = [e.seq for e in events(disk, 0, told.append) if isinstance(e, Event)]
    assert [(d.segment, d.known) for d in told] == [(2, False)]
    assert len(read) == 59
    assert read[-1] == 60

    torn = fill(9, clean=False)
    last = segments(torn)[0]
    data = torn.read(last).rstrip(b"\0")[:-7]
    torn.put(last, data + bytes(4096 - len(data)))
    told.clear()
    assert len(list(events(torn, 0, told.append))) == 8
    assert not told
    run = Run(torn)
    assert run.store.torn is not None
    assert run.store.seq == 8


@given(
    rubbish=st.binary(max_size=3000),
    at=st.integers(0, 4000),
    where=st.sampled_from([0, 1, 2]),
)
def test_no_bytes_whatever_end_a_reader_or_the_verifier(
    rubbish: bytes, at: int, where: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Issue: bad input never ends a process."""
    disk = fill(30)
    name = segments(disk)[where]
    data = bytearray(disk.read(name))
    data[at : at + len(rubbish)] = rubbish
    disk.put(name, bytes(data))
    list(events(disk, 0, lambda _: None))
    folder = tmp_path_factory.getbasetemp() / "rubbish"
    verify(save(disk, folder))
    (folder / "file").write_bytes(rubbish)
    assert not verify(folder / "file").ok
    with contextlib.suppress(JournalDamaged):
        reopen(disk)
    assert Store.set_aside(disk, signer(SimClock()), SimClock(), SMALL).seq <= 30


def test_a_break_is_remembered_until_it_is_written_down() -> None:
    disk = fill(20)
    name = segments(disk)[-1]
    if not disk.read(name).strip(b"\0"):
        name = segments(disk)[-2]
    disk.flip(name, 500 * 8)
    clock = SimClock()
    first = Store.set_aside(disk, signer(clock), clock, SMALL)
    second = reopen(disk)  # as after a crash before the first event
    assert second.damage == first.damage is not None
    second.append([entry(second.seq + 1, 2)])
    third = reopen(disk)
    assert third.damage is None
    assert third.seq == second.seq
