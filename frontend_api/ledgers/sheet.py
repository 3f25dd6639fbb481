"""Read a ledger file into rows of cells: XLSX or CSV, within strict bounds."""

import csv
import io
import re
import zipfile
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from core.api.errors import SafeholdError
from frontend_api.ledgers.cells import Cell

MAX_FILE = 20 << 20
#: All parts of a workbook together, unpacked: beyond it a zip bomb is likelier.
MAX_UNPACKED = 64 << 20
MAX_PARTS = 400
MAX_RATIO = 200
MAX_ROWS, MAX_COLUMNS, MAX_TEXT = 20_000, 200, 2_000
_CHUNK = 1 << 20
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\b[^>]{0,40}?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"'
)
#: What the library raises for parts that are missing, cut or no XML.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, OSError),
    *(AttributeError, IndexError, SyntaxError, EOFError, RuntimeError),
)
Row = list[Cell]


class LedgerError(SafeholdError):
    """A file cannot be read as a ledger; its code names the mend."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code, **params)
        self.reason = code


class Sheet(msgspec.Struct):
    """Hold one sheet: rows from 1, cells by column from 0, merged ones filled."""

    name: str
    rows: list[Row]
    from_1904: bool = False


def read(path: Path) -> list[Sheet]:
    """Return the sheets of a file; raises LedgerError or OSError."""
    size = path.stat().st_size
    if size > MAX_FILE:
        raise LedgerError("ledger.file_large", limit=MAX_FILE >> 20)
    data = path.read_bytes()
    if data.startswith(_OLD_EXCEL):
        raise LedgerError("ledger.file_old")
    if data.startswith(b"PK"):
        return _workbook(data)
    return [_csv(data, path.stem)]


# --- CSV ----------------------------------------------------------------------


def _csv(data: bytes, name: str) -> Sheet:
    content = decode(data)
    rows: list[Row] = []
    try:
        lines = io.StringIO(content, newline="")
        for row in csv.reader(lines, delimiter=_delimiter(content), strict=True):
            rows.append(_bounded(list(row), len(rows) + 1))
    except csv.Error as wrong:
        raise LedgerError(
            "ledger.csv_form", row=len(rows) + 1, detail=str(wrong)
        ) from None
    return Sheet(name, rows)


def decode(data: bytes) -> str:
    """Return a CSV file's text: UTF-8 with or without its mark, else GB18030."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:_CHUNK]:
        raise LedgerError("ledger.csv_encoding")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise LedgerError("ledger.csv_encoding")


def _delimiter(content: str) -> str:
    start = content[:10_000]
    return max(",;\t，", key=start.count) if start else ","


def _bounded(row: Row, number: int) -> Row:
    if number > MAX_ROWS:
        raise LedgerError("ledger.rows_many", limit=MAX_ROWS)
    if len(row) > MAX_COLUMNS:
        row = row[:MAX_COLUMNS] if not any(row[MAX_COLUMNS:]) else row
    if len(row) > MAX_COLUMNS:
        raise LedgerError("ledger.columns_many", row=number, limit=MAX_COLUMNS)
    if any(isinstance(cell, str) and len(cell) > MAX_TEXT for cell in row):
        raise LedgerError("ledger.cell_long", row=number, limit=MAX_TEXT)
    return row


# --- XLSX ---------------------------------------------------------------------


def _workbook(data: bytes) -> list[Sheet]:
    import openpyxl  # late: only an import needs it

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_parts(archive)
            book = openpyxl.load_workbook(
                io.BytesIO(data), read_only=True, data_only=True, keep_links=False
            )
            try:
                from_1904 = book.epoch.year == 1904
                return [
                    Sheet(sheet.title, _rows(archive, sheet), from_1904)
                    for sheet in book.worksheets
                    if sheet.sheet_state == "visible"
                ]
            finally:
                book.close()
    except _BROKEN as wrong:
        raise _broken(wrong) from None


def _broken(wrong: Exception) -> LedgerError:
    return LedgerError("ledger.file_broken", detail=f"{type(wrong).__name__}: {wrong}")


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Unpack every part once, counted, before any parser sees it."""
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise LedgerError("ledger.file_bomb")
    total = 0
    for part in parts:
        if part.flag_bits & 1:
            raise LedgerError("ledger.file_locked")
        total += _check_part(archive, part, MAX_UNPACKED - total)


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Return a part's true size; entities could swell it further, so none may be."""
    unpacked, tail = 0, b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            wide = unpacked == 0 and chunk.startswith((b"\xff\xfe", b"\xfe\xff"))
            unpacked += len(chunk)
            seen = tail + chunk
            if unpacked > left or _is_bomb(unpacked, part.compress_size):
                raise LedgerError("ledger.file_bomb")
            if wide or b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
                raise LedgerError("ledger.file_bomb")
            tail = chunk[-16:]
    return unpacked


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > _CHUNK * 8 and unpacked > packed * MAX_RATIO


def _rows(archive: zipfile.ZipFile, sheet: Any) -> list[Row]:
    rows: list[Row] = []
    sheet.reset_dimensions()
    for values in sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1):
        row = [_plain(value) for value in values]
        while row and row[-1] is None:
            row.pop()
        rows.append(_bounded(row, len(rows) + 1))
    _fill_merged(rows, archive.read(sheet._worksheet_path))
    return rows


def _plain(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float | date):
        return value
    return str(value)


def _fill_merged(rows: list[Row], part: bytes) -> None:
    """Give every cell of a merged block what its first one says.

    Read from the part itself: the streaming reader leaves merged blocks out.
    """
    filled = 0
    for found in _MERGED.finditer(part):
        left, right = _column(found[1]), _column(found[3])
        top, bottom = int(found[2]) - 1, min(int(found[4]), len(rows)) - 1
        if right >= MAX_COLUMNS or top > bottom or left > right:
            continue
        filled += (right - left + 1) * (bottom - top + 1)
        if filled > MAX_ROWS * MAX_COLUMNS:
            raise LedgerError("ledger.file_bomb")
        value = rows[top][left] if left < len(rows[top]) else None
        if value is None:
            continue
        for row in rows[top : bottom + 1]:
            row.extend([None] * (right + 1 - len(row)))
            row[left : right + 1] = [value] * (right + 1 - left)


def _column(letters: bytes) -> int:
    """Return a column's number from 0 for A."""
    found = 0
    for letter in letters[:4]:
        found = found * 26 + letter - 64
    return found - 1
