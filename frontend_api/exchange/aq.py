"""AQ 3064.2-2025 annex A: the ticket of 33 fields, the alarm of 11, their codes."""

import enum
import uuid
from datetime import timedelta, timezone
from typing import NamedTuple

import msgspec

#: Makes our ids theirs: the same permit has the same UUID from every hub and run.
NAMESPACE = uuid.UUID("5f0f2c5e-6d0b-5a39-9c1e-3b1f0a6f7c11")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
#: The times carry no zone and order the updates: the national one, whatever the
#: site's own is now. So they never go back at a summer-time change or a new zone.
ZONE = timezone(timedelta(hours=8))
#: Name lists are joined by an ASCII comma (annex A).
COMMA = ","


class Status(enum.StrEnum):
    """TICKETSTATUS."""

    UNSIGNED = "0"
    ISSUED = "1"
    WORKING = "2"
    ACCEPTED = "3"
    VOID = "4"
    WITHDRAWN = "5"
    PAUSED = "6"


#: TICKETTYPE (A.2): special works and their grades.
TICKET_TYPES = (
    *("01", "02", "03", "10", "21", "22", "23", "24", "30"),
    *("40", "50", "61", "62", "63", "70"),
)
#: Types whose gas fields are always required; power (10) only in an Ex area.
GAS_TYPES = ("01", "02", "03", "70")
#: ALARMTYPE (A.4): all 22, each with its text code ``aq.alarm.<code>``.
ALARM_TYPES = (
    *("01", "02", "03", "04", "05", "10", "20", "30", "31"),
    *("40", "41", "42", "43", "50", "51", "52", "60", "61", "62"),
    *("70", "80", "90"),
)


class Form(enum.StrEnum):
    """Say how a field's value is written."""

    UUID = "uuid"
    TEXT = "text"
    NAMES = "names"
    TIME = "time"
    LONGITUDE = "longitude"
    LATITUDE = "latitude"
    TYPE = "type"
    STATUS = "status"
    ALARM = "alarm"
    FLAG = "flag"
    MOBILE = "mobile"


class Field(NamedTuple):
    """Describe one field; ``required`` False is the standard's ``?``."""

    name: str
    form: Form
    required: bool = True


def _fields(*rows: tuple[str, Form]) -> tuple[Field, ...]:
    return tuple(
        Field(name.rstrip("?"), form, not name.endswith("?")) for name, form in rows
    )


_STAMPS = (
    ("DELETED", Form.FLAG),
    ("CREATEDATE", Form.TIME),
    ("CREATEBY", Form.TEXT),
    ("UPDATEDATE", Form.TIME),
    ("UPDATEBY", Form.TEXT),
)
TICKET_FIELDS = _fields(
    ("ID", Form.UUID),
    ("COMPANYNAME", Form.TEXT),
    ("COMPANYCODE", Form.TEXT),
    ("TICKETTYPE", Form.TYPE),
    ("GASNAME?", Form.NAMES),
    ("GASTIME?", Form.NAMES),
    ("GASVALUE?", Form.NAMES),
    ("ISSUETIME", Form.TIME),
    ("STARTTIME", Form.TIME),
    ("ENDTIME", Form.TIME),
    ("TICKETPOSITION", Form.TEXT),
    ("TICKETCONTENT", Form.TEXT),
    ("CHECKEDTIME", Form.TIME),
    ("LONGITUDE", Form.LONGITUDE),
    ("LATITUDE", Form.LATITUDE),
    ("TICKETSTATUS", Form.STATUS),
    ("SUPERVISORNAME", Form.NAMES),
    ("WORKERNAME", Form.NAMES),
    ("WORKERCERTINAME?", Form.NAMES),
    ("WORKERCERTINUM?", Form.NAMES),
    ("WORKDEPARTMENT", Form.TEXT),
    ("ISCONTRACTORWORK", Form.FLAG),
    ("TICKETRESPONSNAME", Form.NAMES),
    ("MAJORPERSONMOBILE", Form.MOBILE),
    ("ISCHANGED", Form.FLAG),
    ("CHANGEDCAUSE?", Form.TEXT),
    ("ISCANCELLED", Form.FLAG),
    ("CANCELLEDCAUSE?", Form.TEXT),
    *_STAMPS,
)
ALARM_FIELDS = _fields(
    ("ID", Form.UUID),
    ("TICKETID", Form.UUID),
    ("ALARMSTARTTIME", Form.TIME),
    ("ALARMTYPE", Form.ALARM),
    ("ALARMENDTIME?", Form.TIME),
    ("ALARMRESULT?", Form.TEXT),
    *_STAMPS,
)


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket, its 33 fields in the standard's order."""

    ID: str
    COMPANYNAME: str
    COMPANYCODE: str
    TICKETTYPE: str
    GASNAME: str | None
    GASTIME: str | None
    GASVALUE: str | None
    ISSUETIME: str
    STARTTIME: str
    ENDTIME: str | None
    TICKETPOSITION: str
    TICKETCONTENT: str
    CHECKEDTIME: str | None
    LONGITUDE: float
    LATITUDE: float
    TICKETSTATUS: str
    SUPERVISORNAME: str
    WORKERNAME: str
    WORKERCERTINAME: str | None
    WORKERCERTINUM: str | None
    WORKDEPARTMENT: str
    ISCONTRACTORWORK: str
    TICKETRESPONSNAME: str
    MAJORPERSONMOBILE: str
    ISCHANGED: str
    CHANGEDCAUSE: str | None
    ISCANCELLED: str
    CANCELLEDCAUSE: str | None
    DELETED: str
    CREATEDATE: str
    CREATEBY: str
    UPDATEDATE: str
    UPDATEBY: str


class AqAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm of a ticket, its 11 fields in the standard's order."""

    ID: str
    TICKETID: str
    ALARMSTARTTIME: str
    ALARMTYPE: str
    ALARMENDTIME: str | None
    ALARMRESULT: str | None
    DELETED: str
    CREATEDATE: str
    CREATEBY: str
    UPDATEDATE: str
    UPDATEBY: str


def uuid_of(kind: str, ulid: str) -> str:
    """Return the UUID of one of our ids (``kind``: ticket or alarm); never random."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{ulid}"))


def flag(value: bool) -> str:
    """Return a yes/no field: 1 or 0."""
    return "1" if value else "0"
