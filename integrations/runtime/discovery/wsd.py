"""Hear cameras and others over WS-Discovery: hello, bye, and answers to a probe."""

import asyncio
import contextlib
import uuid
from urllib.parse import unquote, urlsplit

from core.api.identity import key, keys_in, uuid_in
from integrations.runtime.discovery import reach
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.multicast import Group
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts
from integrations.runtime.discovery.soap import BadWord, Endpoint, Word, parse, probe

ADDRESS, PORT = "239.255.255.250", 3702
#: Probes at the start are repeated, for datagrams get lost; then one a minute.
FIRST_S, PROBE_S = (0.0, 0.5, 2.0, 5.0, 10.0), 60.0
#: Who has not answered three probes is gone.
TTL_S = 3 * PROBE_S + 20.0
_AT_ONCE = 64


def sighting_of(endpoint: Endpoint, signs: Signs, heard_from: str) -> Sighting:
    """Return what an endpoint tells of itself; the nearest of its addresses first."""
    facts = {"types": " ".join(endpoint.types)}
    for scope in endpoint.scopes:
        # onvif://www.onvif.org/name/SimCam → name: SimCam
        kind, _, value = scope.partition("://")[2].partition("/")[2].partition("/")
        if kind and value:
            facts.setdefault(unquote(kind), unquote(value))
    addresses = {host: port for x in endpoint.addresses for host, port in _place(x)}
    ranked = reach.ranked([*addresses, heard_from], reach.networks())
    address = ranked[0] if ranked else ""
    for url in endpoint.addresses:
        if address in dict(_place(url)):
            facts.setdefault("url", url)
    lasting = uuid_in(endpoint.id)
    told = key("uuid", lasting) or key("epr", clean(endpoint.id))
    return Sighting(
        source=f"wsd:{endpoint.id}",
        kind="wsd",
        slot="wsd",
        name=clean(facts.get("name", "") or facts.get("hardware", "")),
        address=address,
        port=addresses.get(address, 0),
        keys=tuple(dict.fromkeys((told, *keys_in(facts)))),
        facts=clean_facts(facts),
        matches=signs.wsd(endpoint.types, endpoint.scopes),
    )


def _place(url: str) -> list[tuple[str, int]]:
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.hostname:
            default = 443 if parts.scheme == "https" else 80
            return [(parts.hostname, parts.port or default)]
    return []


class WsdListener:
    """Listen and probe until cancelled; OSError where no socket can be had."""

    name = "wsd"

    def __init__(self, signs: Signs, board: Board) -> None:
        self._signs, self._board = signs, board
        self._group = Group(ADDRESS, PORT, self.heard)
        self._soon = asyncio.Event()
        self.bad = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._group.open()
        try:
            for pause in FIRST_S:
                await asyncio.sleep(pause)
                self._probe()
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_S):
                        await self._soon.wait()
                self._soon.clear()
                self._probe()
                # However many hellos without an address come: a probe a second.
                await asyncio.sleep(1.0)
        finally:
            self._group.close()
            self._board.forget("wsd:")

    def _probe(self) -> None:
        self._group.ask(probe(str(uuid.uuid4())))
        # Some answer only who asks for their kind.
        self._group.ask(probe(str(uuid.uuid4()), self._signs.wsd_types()))

    def heard(self, data: bytes, heard_from: str) -> None:
        """Take one datagram; what is no word of the protocol is counted."""
        try:
            word = parse(data)
        except BadWord:
            self.bad += 1
            return
        self._take(word, heard_from)

    def _take(self, word: Word, heard_from: str) -> None:
        for endpoint in word.endpoints:
            if word.kind == "Bye":
                self._board.gone(f"wsd:{endpoint.id}")
            elif word.kind == "Hello" and not (endpoint.types and endpoint.addresses):
                self._soon.set()
            elif word.kind in ("Hello", "ProbeMatches", "ResolveMatches"):
                found = sighting_of(endpoint, self._signs, heard_from)
                self._board.seen(found, TTL_S)
