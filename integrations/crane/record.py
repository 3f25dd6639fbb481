"""What a recorder posts: JSON or a form, to flat records; anything else one error."""

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qsl

from core.api import SafeholdError

MAX_BYTES: Final = 64 * 1024
MAX_RECORDS: Final = 200
_MAX_FIELDS, _MAX_TEXT, _MAX_DEPTH = 200, 200, 4
#: Recorders tell Chinese time where they name no zone.
_CHINA = timezone(timedelta(hours=8))
_WRAPPERS = ("data", "records", "list", "params")
#: Seconds, and milliseconds, since 1970 of times that can be meant.
_EARLIEST, _LATEST = 1_000_000_000, 10_000_000_000

Record = dict[str, str | float | bool | None]


class RecordError(SafeholdError):
    """Bytes are no record of a machine; the text says why."""

    code = "crane.bad_record"


def parse(data: bytes) -> list[Record]:
    """Return the records of a body, at most `MAX_RECORDS`; raises RecordError."""
    if len(data) > MAX_BYTES:
        raise RecordError("more than 64 KiB")
    text = data.decode("utf-8", "replace").strip("\ufeff \r\n\t\0")
    if text[:1] in ("{", "["):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecordError(f"no JSON: {error}"[:120]) from None
    else:
        told = _form(text)
    return _records(told)


def _form(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, max_num_fields=_MAX_FIELDS, strict_parsing=True)
    except ValueError as error:
        raise RecordError(f"neither JSON nor a form: {error}"[:120]) from None
    if not pairs:
        raise RecordError("empty")
    return dict(pairs)


def _records(told: Any) -> list[Record]:
    if isinstance(told, dict):
        for name in _WRAPPERS:
            inner = told.get(name)
            if isinstance(inner, str) and inner[:1] in ("{", "["):
                return parse(inner.encode())
            if isinstance(inner, dict | list):
                outer = {k: v for k, v in told.items() if k != name}
                return [{**_flat(outer), **each} for each in _records(inner)]
        return [_flat(told)]
    if not isinstance(told, list) or not told:
        raise RecordError("neither a record nor a list of records")
    if len(told) > MAX_RECORDS:
        raise RecordError(f"more than {MAX_RECORDS} records")
    if not all(isinstance(each, dict) for each in told):
        raise RecordError("a list of what is no record")
    return [_flat(each) for each in told]


def _flat(told: Mapping[Any, Any], under: str = "", depth: int = 0) -> Record:
    """Return a record without inner mappings: ``a.b`` names what lay in ``a``."""
    found: Record = {}
    for key, value in told.items():
        name = f"{under}{key}"[:_MAX_TEXT]
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            found |= _flat(value, f"{name}.", depth + 1)
        elif isinstance(value, str):
            found[name] = value[:_MAX_TEXT]
        elif value is None or isinstance(value, bool):
            found[name] = value
        elif isinstance(value, int | float):
            found[name] = _float(value)
        if len(found) > _MAX_FIELDS:
            raise RecordError("too many fields")
    return found


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def number(told: object) -> float | None:
    """Return a field's number; None where it is none, empty or not finite."""
    if isinstance(told, bool):
        return float(told)
    if isinstance(told, str):
        try:
            told = float(told)
        except ValueError:
            return None
    if not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return float(told)


def moment(told: object) -> float | None:
    """Return a field's time, POSIX seconds; None where it is none."""
    count = number(told)
    if count is not None and _EARLIEST <= count <= _LATEST:
        return count
    if count is not None and _EARLIEST <= count / 1000 <= _LATEST:
        return count / 1000
    if not isinstance(told, str):
        return None
    try:
        found = datetime.fromisoformat(told.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=_CHINA)
        return found.timestamp()
    except (ValueError, OverflowError):
        return None
