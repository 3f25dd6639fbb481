"""The rules that a record of AQ 3064.2 must pass; each finding names its mend.

Null rule: the text requires ENDTIME and CHECKEDTIME although both are unknown
while people work, and says nothing about null. So they may be empty until the
status says that the time is known.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from frontend_api.exchange.aq import (
    ALARM_FIELDS,
    ALARM_TYPES,
    COMMA,
    GAS_TYPES,
    TICKET_FIELDS,
    TICKET_TYPES,
    TIME_FORMAT,
    Field,
    Form,
    Status,
)

_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_MOBILE = re.compile(r"^(\+?86)?1[3-9]\d{9}$")
#: What people type instead of an ASCII comma.
_WRONG_COMMAS = re.compile("[，、；;]")
Record = dict[str, Any]
#: Fields that may be empty while the ticket is open, and the statuses that end it.
_LATER = {
    "ENDTIME": (Status.ACCEPTED, Status.VOID, Status.WITHDRAWN),
    "CHECKEDTIME": (Status.ACCEPTED,),
}


class Finding(NamedTuple):
    """Name what is wrong: record (from 1), its id, field, text code, facts."""

    record: int
    id: str
    field: str
    code: str
    params: dict[str, str]


class Complaint(NamedTuple):
    """Name what is wrong in one record."""

    field: str
    code: str
    params: dict[str, str] = {}


def check(record: object) -> Iterator[Complaint]:
    """Yield every complaint about one ticket or alarm."""
    if not isinstance(record, dict):
        yield Complaint("", "aq.no_object")
        return
    alarm = is_alarm(record)
    fields = ALARM_FIELDS if alarm else TICKET_FIELDS
    known = {field.name for field in fields}
    for name in record:
        if name not in known:
            yield Complaint(str(name), "aq.unknown_field")
    sound = True
    for field in fields:
        for complaint in _field(field, record):
            sound = False
            yield complaint
    if sound:
        yield from _alarm(record) if alarm else _ticket(record)


def is_alarm(record: Record) -> bool:
    """Say whether a record is an alarm: it names its ticket."""
    return "ALARMTYPE" in record or "TICKETID" in record


def check_all(records: list[object]) -> Iterator[Finding]:
    """Yield the findings of a list; (ID, UPDATEDATE) must stand once."""
    seen: dict[tuple[str, str], int] = {}
    for number, record in enumerate(records, 1):
        fields = record if isinstance(record, dict) else {}
        named = str(fields.get("ID", ""))
        for field, code, params in check(record):
            yield Finding(number, named, field, code, params)
        key = named, str(fields.get("UPDATEDATE", ""))
        if named and key in seen:
            first = {"first": str(seen[key])}
            yield Finding(number, named, "ID", "aq.double", first)
        seen.setdefault(key, number)


def _field(field: Field, record: Record) -> Iterator[Complaint]:
    name = field.name
    if name not in record:
        if field.required:
            yield Complaint(name, "aq.missing")
        return
    value = record[name]
    if value is None or value == "":
        if field.required and not _still_open(name, record):
            yield Complaint(name, "aq.empty")
        return
    code = _FORMS[field.form](value)
    if code:
        yield Complaint(name, code, {"value": str(value)[:60]})


def _still_open(name: str, record: Record) -> bool:
    ended = _LATER.get(name)
    return ended is not None and record.get("TICKETSTATUS") not in ended


def _text(value: object) -> str:
    if not isinstance(value, str):
        return "aq.no_text"
    return "aq.blank" if not value.strip() else ""


def _names(value: object) -> str:
    if code := _text(value):
        return code
    if _WRONG_COMMAS.search(str(value)):
        return "aq.comma"
    parts = str(value).split(COMMA)
    return (
        "aq.name_blank"
        if any(part != part.strip() or not part for part in parts)
        else ""
    )


def _time(value: object) -> str:
    return "" if _moment(value) else "aq.time"


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        # Local time by the standard: compared, never placed on the time axis.
        found = datetime.strptime(value, TIME_FORMAT)  # noqa: DTZ007
    except ValueError:
        return None
    return found if found.strftime(TIME_FORMAT) == value else None


def _degrees(limit: float) -> Callable[[object], str]:
    def judge(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return "aq.degrees"
        try:
            number = float(value)
        except ValueError:
            return "aq.degrees"
        return "" if abs(number) <= limit and number != 0 else "aq.degrees"

    return judge


def _one_of(known: tuple[str, ...], code: str) -> Callable[[object], str]:
    return lambda value: "" if value in known else code


def _matches(pattern: re.Pattern[str], code: str) -> Callable[[object], str]:
    return lambda v: "" if isinstance(v, str) and pattern.match(v) else code


_FORMS: dict[Form, Callable[[object], str]] = {
    Form.UUID: _matches(_UUID, "aq.uuid"),
    Form.TEXT: _text,
    Form.NAMES: _names,
    Form.TIME: _time,
    Form.LONGITUDE: _degrees(180.0),
    Form.LATITUDE: _degrees(90.0),
    Form.TYPE: _one_of(TICKET_TYPES, "aq.ticket_type"),
    Form.STATUS: _one_of(tuple(Status), "aq.status"),
    Form.ALARM: _one_of(ALARM_TYPES, "aq.alarm_type"),
    Form.FLAG: _one_of(("0", "1"), "aq.flag"),
    Form.MOBILE: _matches(_MOBILE, "aq.mobile"),
}


def check_form(name: str, value: object) -> Complaint | None:
    """Judge one value as a ticket's field of that name would be."""
    form = next(field.form for field in TICKET_FIELDS if field.name == name)
    code = _FORMS[form](value)
    return Complaint(name, code, {"value": str(value)[:60]}) if code else None


def _ticket(record: Record) -> Iterator[Complaint]:
    yield from _gas(record)
    yield from _same_length(record, "WORKERCERTINAME", "WORKERCERTINUM")
    yield from _cause(record, "ISCHANGED", "CHANGEDCAUSE")
    yield from _cause(record, "ISCANCELLED", "CANCELLEDCAUSE")
    withdrawn = record["TICKETSTATUS"] == Status.WITHDRAWN
    if withdrawn != (record["ISCANCELLED"] == "1"):
        yield Complaint("ISCANCELLED", "aq.cancelled_status")
    workers = set(str(record["WORKERNAME"]).split(COMMA))
    both = workers & set(str(record["SUPERVISORNAME"]).split(COMMA))
    if both:
        yield Complaint("SUPERVISORNAME", "aq.guardian_works", {"name": min(both)})
    yield from _order(record, "ISSUETIME", "ENDTIME")
    yield from _order(record, "STARTTIME", "ENDTIME")
    yield from _order(record, "STARTTIME", "CHECKEDTIME")
    yield from _order(record, "CREATEDATE", "UPDATEDATE")


def _alarm(record: Record) -> Iterator[Complaint]:
    if record.get("ALARMRESULT") and not record.get("ALARMENDTIME"):
        yield Complaint("ALARMRESULT", "aq.result_early")
    yield from _order(record, "ALARMSTARTTIME", "ALARMENDTIME")
    yield from _order(record, "CREATEDATE", "UPDATEDATE")


def _gas(record: Record) -> Iterator[Complaint]:
    names = ("GASNAME", "GASTIME", "GASVALUE")
    told = [name for name in names if record.get(name)]
    needed = record["TICKETTYPE"] in GAS_TYPES
    # A form that nobody has signed yet may still wait for its analysis, and one that
    # came to nothing may never have had any.
    early = (Status.UNSIGNED, Status.VOID, Status.WITHDRAWN)
    unsigned = record["TICKETSTATUS"] in early
    if told or (needed and not unsigned):
        for name in names:
            if name not in told:
                yield Complaint(name, "aq.gas_missing")
    if len(told) == len(names):
        for part in str(record["GASTIME"]).split(COMMA):
            if _moment(part) is None:
                yield Complaint("GASTIME", "aq.time", {"value": part[:60]})
        yield from _same_length(record, "GASNAME", "GASTIME")
        yield from _same_length(record, "GASNAME", "GASVALUE")


def _same_length(record: Record, first: str, second: str) -> Iterator[Complaint]:
    one, two = (str(record.get(name) or "") for name in (first, second))
    if bool(one) != bool(two) or one.count(COMMA) != two.count(COMMA):
        yield Complaint(second, "aq.list_length", {"other": first})


def _cause(record: Record, mark: str, cause: str) -> Iterator[Complaint]:
    if record[mark] == "1" and not record.get(cause):
        yield Complaint(cause, "aq.cause_missing", {"mark": mark})


def _order(record: Record, first: str, second: str) -> Iterator[Complaint]:
    early, late = _moment(record.get(first)), _moment(record.get(second))
    if early is not None and late is not None and late < early:
        yield Complaint(second, "aq.order", {"first": first})
