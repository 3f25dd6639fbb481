"""From bytes of another system to records, and from a record to values; all pure."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from core.api import Value

MAX_BYTES: Final = 1 << 20
#: Records of one body; a longer one is refused whole, not read in part.
MAX_RECORDS: Final = 5_000
_MAX_TEXT, _MAX_COLUMNS, _MAX_DEPTH = 256, 256, 16
_NS: Final = 1_000_000_000
_ON = frozenset({"1", "true", "on", "yes"})
_OFF = frozenset({"0", "false", "off", "no"})
Record = Mapping[str, Any]


class BodyError(ValueError):
    """A body or a field is not what the mapping says."""


def parse(data: bytes, layout: str = "json", records: str = "") -> list[Record]:
    """Return the records of a body.

    ``layout``: json or csv; ``records``: path of the list in a JSON body, '' where
    the body is one record or is itself the list. Raises BodyError.
    """
    if len(data) > MAX_BYTES:
        raise BodyError(f"more than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BodyError(f"not UTF-8 at byte {wrong.start}") from wrong
    found = list(_rows(text)) if layout == "csv" else _json(text, records)
    if len(found) > MAX_RECORDS:
        raise BodyError(f"more than {MAX_RECORDS} records")
    return found


def at(record: Any, path: str) -> Any:
    """Return what stands at a dotted path as in ``wind.now`` or ``list.0.v``.

    Raises BodyError where nothing does.
    """
    found = record
    if isinstance(record, Mapping) and path in record:
        return record[path]  # a column's name may have dots
    for part in path.split(".")[:_MAX_DEPTH]:
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and len(part) < 6:
            if int(part) >= len(found):
                raise BodyError(f"no {path!r}")
            found = found[int(part)]
        else:
            raise BodyError(f"no {path!r}")
    return found


def number(raw: Any, scale: float = 1.0) -> float:
    """Return a finite number; raises BodyError for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise BodyError(f"no number: {_short(raw)}")
    try:
        found = float(raw.strip() if isinstance(raw, str) else raw) * scale
    except (ValueError, OverflowError) as wrong:
        raise BodyError(f"no number: {_short(raw)}") from wrong
    if not math.isfinite(found):
        raise BodyError(f"no number: {_short(raw)}")
    return found


def switch(raw: Any, on: tuple[str, ...], off: tuple[str, ...]) -> bool:
    """Return whether a word is one of those that mean on; raises BodyError."""
    word = str(raw).strip().lower()[:_MAX_TEXT]
    if word in (on or _ON):
        return True
    if word in (off or _OFF):
        return False
    raise BodyError(f"neither on nor off: {_short(raw)}")


def words(raw: Any) -> Value:
    """Return a short text; raises BodyError for a structure."""
    if isinstance(raw, Mapping | list) or raw is None:
        raise BodyError(f"no text: {_short(raw)}")
    return str(raw)[:_MAX_TEXT]


def moment(raw: Any, layout: str) -> int:
    """Return wall nanoseconds of a time: iso (with its zone), s or ms since 1970.

    Raises BodyError; a local time without a zone is none.
    """
    if layout != "iso":
        scale = _NS if layout == "s" else 1_000_000
        found = number(raw)
        if not 0 < found * scale < 1 << 62:
            raise BodyError(f"no time: {_short(raw)}")
        return int(found * scale)
    try:
        told = datetime.fromisoformat(str(raw).strip()[:40])
    except ValueError as wrong:
        raise BodyError(f"no time: {_short(raw)}") from wrong
    if told.tzinfo is None:
        raise BodyError(f"a time without a zone: {_short(raw)}")
    try:
        return int(told.timestamp() * 1_000_000) * 1_000
    except (OverflowError, ValueError) as wrong:
        raise BodyError(f"no time: {_short(raw)}") from wrong


def _json(text: str, records: str) -> list[Record]:
    try:
        found = json.loads(text, parse_constant=_no)
    except (ValueError, RecursionError) as wrong:
        raise BodyError(f"no JSON: {str(wrong)[:80]}") from wrong
    if records:
        found = at(found, records)
    listed = found if isinstance(found, list) else [found]
    for each in listed:
        if not isinstance(each, Mapping):
            raise BodyError(f"no record: {_short(each)}")
    return listed


def _no(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _rows(text: str) -> Iterator[Record]:
    """Yield a record per line under a head of column names."""
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        head = [name.strip() for name in next(lines, [])]
        if not head or len(head) > _MAX_COLUMNS or len(set(head)) != len(head):
            raise BodyError("the first line must name each column once")
        for line in lines:
            if not line:
                continue
            if len(line) != len(head):
                raise BodyError(
                    f"line {lines.line_num}: {len(line)} fields, not {len(head)}"
                )
            yield dict(zip(head, line, strict=True))
    except csv.Error as wrong:
        raise BodyError(f"line {lines.line_num}: {wrong}") from wrong


def _short(raw: Any) -> str:
    return repr(raw if not isinstance(raw, str) else raw[:60])[:60]
