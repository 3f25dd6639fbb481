"""The timeline goes on behind this gateway's life, in the journal's own files."""

from pathlib import Path

from core.clock import SimClock
from core.journal.backlog import Entry
from core.journal.segment import RealDisk
from core.journal.store import Store
from frontend_api.past import WINDOW, Past
from tests.unit.journal.journals import SMALL, payload, signer


def _journal(data: Path, count: int) -> None:
    disk, clock = RealDisk(data / "journal"), SimClock()
    store = Store.open(disk, signer(clock), clock, SMALL)
    types = ("alarm.raised", "permit.held")
    for seq in range(1, count + 1):
        store.append([Entry(seq, payload(seq, type_=f"test.{types[seq % 2]}"))])
    store.close()
    disk.close()


def test_pages_backwards_to_the_first_event(tmp_path: Path) -> None:
    _journal(tmp_path, 250)
    past, seen, before = Past(tmp_path), [], 251
    while page := past.before(before, 60):
        seen += [kept.envelope.seq for kept in page]
        before = seen[-1]
    assert seen == list(range(250, 0, -1))


def test_looks_through_windows_for_a_family(tmp_path: Path) -> None:
    _journal(tmp_path, 40)
    found = Past(tmp_path).before(41, 100, "test.permit")
    assert [kept.envelope.seq for kept in found] == list(range(39, 0, -2))


def test_no_journal_is_an_empty_past(tmp_path: Path) -> None:
    assert Past(tmp_path).before(WINDOW, 10) == []
    (tmp_path / "journal").mkdir()
    assert Past(tmp_path).before(WINDOW, 10) == []
