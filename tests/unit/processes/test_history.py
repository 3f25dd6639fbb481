"""History: what is read back spans what was written; damage is put aside."""

import math
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.api.model import Entity, EntityKind
from core.link.messages import HistoryRow
from core.processes.history import HistoryFile, number, thin
from core.quality import sift

samples = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.one_of(st.floats(-1e9, 1e9), st.none(), st.booleans(), st.text(max_size=3)),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=40,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def rows_of(some: Sequence[tuple[int, object, int]]) -> list[HistoryRow]:
    return [HistoryRow(1, t, v, q) for t, v, q in some]  # type: ignore[arg-type]


@given(samples, st.integers(1, 3_000))
def test_thinning_keeps_extremes_last_and_worst(
    some: list[tuple[int, float | None, int]], width: int
) -> None:
    """R21: thinned rows span every sample."""
    rows = thin(some, 0, width)
    values = [n for _, v, _ in some if (n := number(v)) is not None]
    assert min((r[1] for r in rows if r[1] is not None), default=None) == min(
        values, default=None
    )
    assert max((r[2] for r in rows if r[2] is not None), default=None) == max(
        values, default=None
    )
    assert max(r[4] for r in rows) == max(q for _, _, q in some)
    assert rows[-1][0] == some[-1][0]
    assert len({r[0] // width for r in rows}) == len(rows)


def test_the_past_of_an_entity_is_cleaned_and_scored(tmp_path: Path) -> None:
    """Issue 5 §6: raw is kept; a silence between two chunks is a gap."""
    entity = Entity(
        uid="g", name="G", kind=EntityKind.GAS, quantity="o2", max_age_s=6.0
    )
    file = HistoryFile(tmp_path)
    for start in (0, 60_000):
        rows = [HistoryRow(1, start + n * 1000, 20.9, 0) for n in range(20)]
        rows[10] = HistoryRow(1, start + 10_000, 3.0, 0)
        file.write({"e": rows}, 0, 0)
    parts = sift.stretches(file, "e", 0, 80_000)
    found = sift.sift(parts, entity, 0, 80_000)
    assert [(raw, why) for _, raw, why in found.out] == [(3.0, "rate")] * 2
    assert (found.score.gaps, found.score.longest_gap_s) == (1, 41.0)
    assert len(file.read("e", 0, 80_000, 1000)) == sum(map(len, parts))
    assert sift.load(sift.dump({"e": found}))["e"].score == found.score
    assert sift.stretches(file, "unknown", 0, 80_000) == []
    file.close()


@settings(max_examples=30)
@given(st.lists(samples, min_size=1, max_size=4))
def test_what_was_written_is_read_in_its_extremes(
    tmp_path_factory: object, batches: list[list[tuple[int, float | None, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("history")  # type: ignore[attr-defined]
    file = HistoryFile(folder)
    offset, everything = 0, []
    for batch in batches:
        moved = [(t + offset, v, q) for t, v, q in batch]
        everything += moved
        offset = moved[-1][0]
        file.write({"e": rows_of(moved)}, 0, 1)
    got = file.read("e", 0, offset + 1, 50)
    values = [n for _, v, _ in everything if (n := number(v)) is not None]
    lows = [row[1] for row in got if row[1] is not None]
    assert min(lows, default=math.inf) == min(values, default=math.inf)
    assert max(row[4] for row in got) == max(q for _, _, q in everything)
    assert got[-1][0] == everything[-1][0]
    file.close()


def test_steady_value_makes_one_row_longer(tmp_path: Path) -> None:
    """SD wear: what does not change does not grow the file."""
    file = HistoryFile(tmp_path)
    for start in range(0, 100_000, 5_000):
        rows = [(start + at, 20.9, 0) for at in range(0, 5_000, 1_000)]
        file.write({"o2": rows_of(rows)}, 0, start)
    count = file._db.execute("SELECT count(*) FROM chunks").fetchone()[0]
    assert count == 1
    got = file.read("o2", 0, 100_000, 10)
    assert (got[0][3], got[-1][0]) == (20.9, 99_000)
    file.close()


def test_losses_are_rows_and_retention_takes_the_oldest(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path)
    file.write({"a": rows_of([(1_000, 1.0, 0)])}, 7, 1_000)
    file.write({"a": rows_of([(9_000, 2.0, 0)])}, 5, 9_000)
    assert (file.lost(), file.lost(5_000)) == (12, 5)
    assert file.trim(5_000, 1 << 40) == 1
    assert [row[3] for row in file.read("a", 0, 10_000, 10)] == [2.0]
    assert file.trim(0, 0) == 1
    assert file.read("a", 0, 10_000, 10) == []
    file.close()


def test_damaged_file_is_put_aside_and_told(tmp_path: Path) -> None:
    """Never silently: reliability §0 (a recorder that starts empty)."""
    file = HistoryFile(tmp_path)
    file.write({"a": rows_of([(1, 1.0, 0)])}, 0, 1)
    file.close()
    (tmp_path / "history.db").write_bytes(b"no database" * 1_000)
    again = HistoryFile(tmp_path)
    assert again.damaged == "history.db.damaged-1"
    assert (tmp_path / again.damaged).read_bytes().startswith(b"no database")
    again.write({"a": rows_of([(1, 1.0, 0)])}, 0, 1)
    again.close()
    third = HistoryFile(tmp_path)
    assert third.damaged == ""
    third.close()
