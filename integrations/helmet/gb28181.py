"""A small SIP server beside a media server: who is there, alarms, positions."""

import asyncio
import secrets as chance
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from core.api import DeviceError, Host
from core.api.clock import NS
from integrations.helmet import manscdp, sip
from integrations.helmet.manscdp import Notice, XmlError
from integrations.helmet.notices import Notices
from integrations.helmet.sip import Message, SipError

MAX_PEERS: Final = 1_000
#: Intervals without a word after which a peer is lost: told within three.
_SILENT: Final = 2.5
_MAX_NONCES, _NONCE_S = 1_000, 60
#: A registration may stand so long at most; a subscription is renewed at half of it.
_MAX_EXPIRES, _SUBSCRIBED_S = 86_400, 3_600
#: A subscription that brought nothing is asked for again.
_AGAIN_S: Final = 60.0
MAX_OWED: Final = 200
_STREAM_S: Final = 600.0
_XML = "application/manscdp+xml"
_BRANCH: Final = "z9hG4bKsafehold"


class Way(NamedTuple):
    """Say how a peer is reached, and by what it is known on the way."""

    source: tuple[str, str, int]
    send: Callable[[bytes], None]


class Peer:
    """Hold one registered device or platform."""

    def __init__(self, number: str, way: Way, until_ns: int, now_ns: int) -> None:
        self.id, self.way, self.until_ns = number, way, until_ns
        self.heard_ns = now_ns
        self.asked_ns: dict[str, int] = {}
        """Device → when its positions were asked for last."""


class Gb28181(asyncio.DatagramProtocol):
    """Serve SIP over UDP and TCP on one port."""

    def __init__(
        self, host: Host, options: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> None:
        self.host, self._options, self._secrets = host, options, secrets
        self._realm: str = options["realm"] or options["id"][:10]
        self._listed = {each["id"]: each for each in options["devices"]}
        self.notices = Notices(host, options)
        self.peers: dict[str, Peer] = {}
        self._nonces: dict[str, int] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._owed: set[asyncio.Task[None]] = set()
        self._number = self._streams = 0
        self._positions: set[str] = set()
        """Devices whose positions have come since they were asked for."""

    async def run(self) -> None:
        """Serve until cancelled; DeviceError when the port cannot be had."""
        loop = asyncio.get_running_loop()
        place = self._options["host"], self._options["port"]
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self, local_addr=place
            )
            server = await asyncio.start_server(self._stream, *place)
        except OSError as error:
            self._end()
            raise DeviceError(f"port {place[1]} cannot be opened: {error}") from error
        try:
            async with server:
                await self._watch()
        finally:
            self._end()
            await self.notices.close()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()
        for task in list(self._owed):
            task.cancel()

    # --- ways in --------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take a datagram; never raises."""
        transport = self._transport
        if transport is None or not data.strip():
            return  # four blank bytes keep a way open

        def send(answer: bytes) -> None:
            transport.sendto(answer, addr)

        self._take(data, Way(("udp", str(addr[0]), int(addr[1])), send))

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        name = writer.get_extra_info("peername") or ("", 0)
        way = Way(("tcp", str(name[0]), int(name[1])), writer.write)
        if self._streams >= MAX_PEERS:
            self.host.count("helmet.too_many")
            writer.close()
            return
        self._streams += 1
        held = b""
        try:
            while True:
                async with asyncio.timeout(_STREAM_S):
                    data = await reader.read(4096)
                if not data:
                    break
                held = (held + data).lstrip(b"\r\n")
                while held and (whole := sip.length(held)) and len(held) >= whole:
                    self._take(held[:whole], way)
                    held = held[whole:]
                if writer.transport.get_write_buffer_size() > sip.MAX_BYTES:
                    break  # it does not read its answers
        except SipError as error:
            self.host.count("helmet.bad_sip", f"{error}: {held[:80]!r}")
        except (OSError, TimeoutError):
            pass  # the peer's loss is told below
        finally:
            writer.close()
            self._streams -= 1
            for peer in [p for p in self.peers.values() if p.way.source == way.source]:
                self._gone(peer, "helmet.connection_lost")

    def _take(self, data: bytes, way: Way) -> None:
        try:
            message = sip.parse(data)
            if message.method:
                self._request(message, way)
            elif message.status >= 400:
                self.host.count("helmet.sip_refused", str(message.status))
        except (SipError, XmlError) as error:
            self.host.count(error.code, f"{error}: {data[:100]!r}")

    # --- requests -------------------------------------------------------------

    def _request(self, message: Message, way: Way) -> None:
        if message.method == "REGISTER":
            self._register(message, way)
            return
        if message.method == "ACK":
            return
        peer = self.peers.get(message.user)
        if peer is None or peer.way.source != way.source:
            self.host.count("helmet.unproven", f"{message.user} {message.method}"[:80])
            way.send(sip.answer(message, 403, "Forbidden"))
            return
        peer.heard_ns = self.host.clock.mono_ns()
        if message.method not in ("MESSAGE", "NOTIFY"):
            way.send(sip.answer(message, 405, "Method Not Allowed"))
        elif message.body and _XML in message.get("content-type").lower():
            try:
                notice = manscdp.parse(message.body)
            except XmlError:
                way.send(sip.answer(message, 400, "Bad Request"))
                raise
            self._notice(message, peer, notice)
        else:
            way.send(sip.answer(message, 200, "OK"))

    def _register(self, message: Message, way: Way) -> None:
        number = message.user
        if not number.isdecimal() or len(number) > 20:
            way.send(sip.answer(message, 403, "Forbidden"))
            return
        password = self._password(number)
        told = message.get("authorization")
        nonce = sip.pairs(told).get("nonce", "")
        due = self._nonces.pop(nonce, 0)
        fresh = due > self.host.clock.mono_ns()
        if not fresh or not sip.proves("REGISTER", told, number, self._realm, password):
            if told and fresh:
                self.host.count("helmet.wrong_code", number[:40])
                if number in self._listed and number not in self.peers:
                    self.notices.refused(number)
            self._challenge(message, way)
            return
        expires = message.get("expires") or "3600"
        seconds = min(int(expires), _MAX_EXPIRES) if expires.isdecimal() else 3600
        now = self.host.clock.mono_ns()
        if seconds == 0:
            way.send(sip.answer(message, 200, "OK", {"Expires": "0"}))
            if number in self.peers:
                self._gone(self.peers[number], "helmet.logged_out")
            return
        if number not in self.peers and len(self.peers) >= MAX_PEERS:
            way.send(sip.answer(message, 503, "Service Unavailable"))
            return
        self.peers[number] = Peer(number, way, now + seconds * NS, now)
        way.send(sip.answer(message, 200, "OK", {"Expires": str(seconds)}))
        if not self._platform(number):
            self.notices.heard(number)
        self._ask(self.peers[number])

    def _challenge(self, message: Message, way: Way) -> None:
        while len(self._nonces) >= _MAX_NONCES:
            del self._nonces[next(iter(self._nonces))]
        nonce = chance.token_hex(16)
        self._nonces[nonce] = self.host.clock.mono_ns() + _NONCE_S * NS
        said = f'Digest realm="{self._realm}", nonce="{nonce}", algorithm=MD5'
        way.send(sip.answer(message, 401, "Unauthorized", {"WWW-Authenticate": said}))

    def _password(self, number: str) -> str:
        own = self._listed.get(number, {}).get("secret", "")
        return self._secrets.get(own or self._options["secret"], "")

    def _platform(self, number: str) -> bool:
        return bool(self._listed.get(number, {}).get("platform"))

    def _notice(self, message: Message, peer: Peer, notice: Notice) -> None:
        """Take what a peer tells; one that is no platform speaks for itself alone."""
        number = notice.device_id if self._platform(peer.id) else peer.id
        ok = sip.answer(message, 200, "OK")
        if notice.command == "Alarm" and notice.kind == "Notify":
            if len(self._owed) >= MAX_OWED:
                # Unanswered, the device sends it again.
                self.host.count("helmet.not_answered", number)
                return
            loop = asyncio.get_running_loop()
            task = loop.create_task(self._alarm(peer, number, notice, ok))
            self._owed.add(task)
            task.add_done_callback(self._owed.discard)
            return
        peer.way.send(ok)
        if notice.command == "MobilePosition":
            self._positions.add(number)
            self.notices.located(number, notice)
        elif notice.command == "Keepalive":
            if not self._platform(peer.id):
                self.notices.heard(number)
        elif notice.command == "DeviceStatus":
            self.notices.status(number, notice)

    async def _alarm(self, peer: Peer, number: str, notice: Notice, ok: bytes) -> None:
        """Answer only when the call is durable; then as the standard wants it too."""
        try:
            await self.notices.alarm(number, notice)
        except DeviceError as error:
            self.host.count("helmet.not_answered", str(error))
            return
        peer.way.send(ok)
        said = manscdp.build(
            "Response", "Alarm", notice.serial, notice.device_id, Result="OK"
        )
        self._send(peer, "MESSAGE", peer.id, said)

    # --- what it asks ---------------------------------------------------------

    async def _watch(self) -> None:
        """Notice who fell silent; ask again for positions that do not come."""
        pause = max(0.2, self._options["heartbeat_s"] / 4)
        while True:
            await self.host.timer.sleep(pause)
            now = self.host.clock.mono_ns()
            silence = int(_SILENT * self._options["heartbeat_s"] * NS)
            for peer in list(self.peers.values()):
                if now - peer.heard_ns > silence or now > peer.until_ns:
                    self._gone(peer, "helmet.silent")
                else:
                    self._ask(peer)

    def _gone(self, peer: Peer, code: str) -> None:
        if self.peers.get(peer.id) is peer:
            del self.peers[peer.id]
            for number in self._of(peer.id):
                self._positions.discard(number)
                self.notices.lost(number, code)

    def _of(self, peer_id: str) -> list[str]:
        """Return whose words come through a peer."""
        if not self._platform(peer_id):
            return [peer_id]
        return [n for n, each in self._listed.items() if each.get("via") == peer_id]

    def _ask(self, peer: Peer) -> None:
        """Subscribe to positions, where that is due."""
        now = self.host.clock.mono_ns()
        for number in self._of(peer.id):
            asked = peer.asked_ns.get(number)
            came = number in self._positions
            pause = (_SUBSCRIBED_S / 2 if came else _AGAIN_S) * NS
            if asked is not None and now - asked < pause:
                continue
            peer.asked_ns[number] = now
            self._number += 1
            interval = str(int(self._options["position_s"]))
            said = manscdp.build(
                "Query", "MobilePosition", str(self._number), number, Interval=interval
            )
            more = {"Event": "presence", "Expires": str(_SUBSCRIBED_S)}
            self._send(peer, "SUBSCRIBE", number, said, more)

    def _send(
        self,
        peer: Peer,
        method: str,
        number: str,
        said: bytes,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._number += 1
        own, realm = self._options["id"], self._realm
        kind, address, port = peer.way.source
        headers = {
            "Via": f"SIP/2.0/{kind.upper()} {realm};branch={_BRANCH}{self._number}",
            "From": f"<sip:{own}@{realm}>;tag={chance.token_hex(6)}",
            "To": f"<sip:{number}@{realm}>",
            "Call-ID": chance.token_hex(12),
            "CSeq": f"{self._number} {method}",
            "Contact": f"<sip:{own}@{realm}>",
            "Max-Forwards": "70",
            **(more or {}),
            "Content-Type": "Application/MANSCDP+xml",
        }
        peer.way.send(
            sip.request(f"{method} sip:{number}@{address}:{port}", headers, said)
        )

    def diagnostics(self) -> dict[str, Any]:
        """Return who is registered; numbers are cut, passwords are absent."""
        return {
            "port": self._options["port"],
            "peers": [f"…{each[-6:]}" for each in list(self.peers)[:200]],
            **self.notices.diagnostics(),
        }
