"""Hear UPnP devices over SSDP: notices, and answers to a search."""

import asyncio
import contextlib
from typing import NamedTuple
from urllib.parse import urlsplit

from core.api.identity import key, uuid_in
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.multicast import Group
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

ADDRESS, PORT = "239.255.255.250", 1900
FIRST_S, SEARCH_S = (0.0, 0.5, 2.0), 120.0
MAX_BYTES, _MAX_LINES = 8_192, 60
_MIN_TTL_S, _MAX_TTL_S = 60, 1_800
_SEARCH = (
    b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
    b'MAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n'
)


class BadNotice(ValueError):
    """A datagram that is no notice or answer of SSDP."""


class Notice(NamedTuple):
    """Hold one notice: who, of which type, where, for how long."""

    usn: str
    kind: str
    server: str
    location: str
    alive: bool
    ttl_s: int


def parse(data: bytes) -> Notice:
    """Return what a datagram says; raises BadNotice."""
    if len(data) > MAX_BYTES:
        raise BadNotice(f"longer than {MAX_BYTES} bytes")
    lines = data.decode("latin-1").split("\r\n")[:_MAX_LINES]
    first = lines[0].upper()
    if not first.startswith(("NOTIFY ", "HTTP/1.1 200", "HTTP/1.0 200")):
        raise BadNotice("neither a notice nor an answer")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), clean(value.strip(), 300))
    usn, kind = fields.get("usn", ""), fields.get("nt") or fields.get("st", "")
    if not usn or not kind:
        raise BadNotice("it does not say who or what")
    return Notice(
        usn=usn,
        kind=kind,
        server=fields.get("server", ""),
        location=fields.get("location", ""),
        alive=fields.get("nts", "ssdp:alive").lower() != "ssdp:byebye",
        ttl_s=_age(fields.get("cache-control", "")),
    )


def _age(cache_control: str) -> int:
    _, _, value = cache_control.lower().replace(" ", "").partition("max-age=")
    digits = value.partition(",")[0]
    age = int(digits) if digits.isascii() and digits.isdecimal() else 0
    return min(max(age, _MIN_TTL_S), _MAX_TTL_S)


def sighting_of(notice: Notice, signs: Signs, heard_from: str) -> Sighting:
    """Return what a notice tells; a device is its UUID, however many its types."""
    lasting = uuid_in(notice.usn)
    facts = {
        "type": notice.kind,
        "server": notice.server,
        "location": notice.location,
    }
    return Sighting(
        source=f"ssdp:{notice.usn}",
        kind="ssdp",
        slot=f"ssdp:{notice.kind}",
        name=clean(notice.server),
        address=heard_from,
        port=_port(notice.location),
        keys=(key("uuid", lasting) or key("usn", notice.usn),),
        facts=clean_facts(facts),
        matches=signs.ssdp(notice.kind, notice.server),
    )


def _port(location: str) -> int:
    with contextlib.suppress(ValueError):
        return urlsplit(location).port or 0
    return 0


class SsdpListener:
    """Listen and search until cancelled; OSError where no socket can be had."""

    name = "ssdp"

    def __init__(self, signs: Signs, board: Board) -> None:
        self._signs, self._board = signs, board
        self._group = Group(ADDRESS, PORT, self.heard)
        self.bad = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._group.open()
        try:
            for pause in FIRST_S:
                await asyncio.sleep(pause)
                self._group.ask(_SEARCH)
            while True:
                await asyncio.sleep(SEARCH_S)
                self._group.ask(_SEARCH)
        finally:
            self._group.close()
            self._board.forget("ssdp:")

    def heard(self, data: bytes, heard_from: str) -> None:
        """Take one datagram; searches of others are passed over, the rest counted."""
        if data.startswith(b"M-SEARCH"):
            return
        try:
            notice = parse(data)
        except BadNotice:
            self.bad += 1
            return
        found = sighting_of(notice, self._signs, heard_from)
        if notice.alive:
            self._board.seen(found, notice.ttl_s)
        else:
            self._board.gone(found.source)
