"""Made-up people and ledgers: every number here is computed, none is anybody's."""

import functools
import io
import tempfile
from datetime import date
from pathlib import Path

import openpyxl
from hypothesis import strategies as st

from frontend_api.ledgers.cells import checksum

TODAY = date(2026, 3, 1)
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫"
_GIVEN = "安明强护守勇涛凯平宁建国志远"


def number(region: str = "110101", born: str = "19900101", order: int = 12) -> str:
    """Return an identity number whose checksum is right."""
    digits = f"{region}{born}{order:03d}"
    return digits + checksum(digits)


REGIONS = st.sampled_from(["110101", "310115", "440305", "510104", "650102"])
BIRTHDAYS = st.dates(date(1950, 1, 1), date(2007, 12, 31))
NUMBERS = st.builds(
    lambda region, born, order: number(region, born.strftime("%Y%m%d"), order),
    REGIONS,
    BIRTHDAYS,
    st.integers(1, 999),
).filter(lambda n: not n.endswith("000"))
NAMES = st.builds(
    lambda family, given: family + given,
    st.sampled_from(_SURNAMES),
    st.text(st.sampled_from(_GIVEN), min_size=1, max_size=2),
)
PHONES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
WRITTEN = (
    "{y}年{m}月{d}日",
    "{y}.{m}.{d}",
    "{y}-{m:02d}-{d:02d}",
    "{y}/{m}/{d}",
    "{y}{m:02d}{d:02d}",
    " {y} 年 {m} 月 {d} 日 ",
)


def written(day: date, form: str) -> str:
    """Write a day as one of the forms."""
    return form.format(y=day.year, m=day.month, d=day.day)


def wide(text: str) -> str:
    """Return digits in their full-width forms."""
    return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)


HEADS: list[str] = [
    "序号",
    "姓名",
    "身份证号",
    "联系电话",
    "所属单位",
    "工种",
    "证书编号",
    "有效期至",
]


def workbook(
    path: Path,
    rows: list[list[object]],
    merged: tuple[str, ...] = (),
    title: bool = True,
) -> Path:
    """Write an XLSX ledger with a merged title above its header."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if title:
        sheet.append(["特种作业人员证书台账"])
        sheet.merge_cells("A1:H1")
    for row in rows:
        sheet.append(row)
    for block in merged:
        sheet.merge_cells(block)
    book.save(path)
    return path


@functools.cache
def sound_workbook(*rows: tuple[str, ...]) -> bytes:
    """Return one workbook's bytes: it holds its time, so it is made once."""
    with tempfile.TemporaryDirectory() as folder:
        file = workbook(Path(folder) / "l.xlsx", [list[object](row) for row in rows])
        return file.read_bytes()


def csv_bytes(rows: list[list[str]], encoding: str) -> bytes:
    """Return rows as a CSV file."""
    import csv

    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)
