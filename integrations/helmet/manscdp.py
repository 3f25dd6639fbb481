"""MANSCDP: the XML of GB/T 28181 alarms, positions and keep-alives, typed."""

import re
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from core.api import SafeholdError

MAX_BYTES: Final = 16 * 1024
_MAX_FIELDS, _MAX_TEXT = 200, 200
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}\?>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([\w.-]{1,20})[\"']")
_CHINA = timezone(timedelta(hours=8))
_ID = re.compile(r"\d{18,20}")


class XmlError(SafeholdError):
    """Bytes are no message of MANSCDP; the text says why."""

    code = "helmet.bad_xml"


class Notice(NamedTuple):
    """Hold one message; ``fields`` are the texts by tag, the first of each."""

    kind: str
    """Notify, Response, Query or Control."""
    command: str
    """Alarm, Keepalive, MobilePosition, DeviceStatus, …"""
    serial: str
    device_id: str
    fields: dict[str, str]

    @property
    def place(self) -> tuple[float, float] | None:
        """Return latitude and longitude; None where it has none on the Earth."""
        try:
            lat = float(self.fields.get("Latitude", ""))
            lon = float(self.fields.get("Longitude", ""))
        except ValueError:
            return None
        good = abs(lat) <= 90 and abs(lon) <= 180 and (lat != 0 or lon != 0)
        return (lat, lon) if good else None

    @property
    def at(self) -> float | None:
        """Return when it happened, POSIX seconds; None where it does not say."""
        told = self.fields.get("Time") or self.fields.get("AlarmTime") or ""
        try:
            found = datetime.fromisoformat(told)
        except ValueError:
            return None
        if found.tzinfo is None:
            found = found.replace(tzinfo=_CHINA)
        try:
            return found.timestamp()
        except (OverflowError, ValueError):
            return None


def parse(data: bytes) -> Notice:
    """Return a body of ``Application/MANSCDP+xml``; raises XmlError."""
    if len(data) > MAX_BYTES:
        raise XmlError("a body of more than 16 KiB")
    declared = _DECLARED.match(data)
    encoding = "gb18030"
    if declared is not None:
        told = _ENCODING.search(declared.group())
        name = told.group(1).decode().lower() if told else "utf-8"
        encoding = "utf-8" if name in ("utf-8", "utf8") else "gb18030"
        data = data[declared.end() :]
    # GB2312 is what devices write in it, and GB18030 what they mean.
    text = data.decode(encoding, "replace")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise XmlError(f"no XML: {error}"[:120]) from None
    fields: dict[str, str] = {}
    for number, each in enumerate(root.iter()):
        if number >= _MAX_FIELDS:
            raise XmlError("too many fields")
        said = (each.text or "").strip()
        if said and isinstance(each.tag, str):
            fields.setdefault(each.tag[:_MAX_TEXT], said[:_MAX_TEXT])
    command, device_id = fields.get("CmdType", ""), fields.get("DeviceID", "")
    if not command or not _ID.fullmatch(device_id):
        raise XmlError("it names no command or no device of 20 digits")
    return Notice(str(root.tag)[:40], command, fields.get("SN", ""), device_id, fields)


def build(kind: str, command: str, serial: str, device_id: str, **more: str) -> bytes:
    """Return a message's bytes in GB2312; the values must be plain."""
    fields = {"CmdType": command, "SN": serial, "DeviceID": device_id, **more}
    inner = "".join(
        f"<{name}>{_plain(each)}</{name}>\r\n" for name, each in fields.items()
    )
    text = (
        f'<?xml version="1.0" encoding="GB2312"?>\r\n<{kind}>\r\n{inner}</{kind}>\r\n'
    )
    return text.encode("gb18030")


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
