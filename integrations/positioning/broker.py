"""A small link to a broker that carries positions: read only, nothing kept.

Positions are worth their moment, so the session is clean and of QoS 0: no broker
replays a queue of where people were. Version 5 is tried first, then 3.1.1.
"""

import asyncio
import random
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from paho.mqtt import MQTTException
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from core.api import AuthError, Host
from integrations.positioning import flow

CONNECT_S = 5.0
KEEPALIVE_S = 10
MAX_BACKOFF_S = 15.0
#: A larger payload is read by nobody.
MAX_PAYLOAD = 65_536
#: Packets that one wake-up may take out of TLS; more wait for the next.
MAX_PENDING = 1_000
_REFUSED = frozenset({134, 135})
_V5, _V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311

#: (topic, payload, retained)
Deliver = Callable[[str, bytes, bool], None]


@dataclass(slots=True, frozen=True, kw_only=True)
class Place:
    """Say where a broker is and who the hub is to it."""

    host: str = "127.0.0.1"
    port: int = flow.OWN_PORT
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: str | None = None


def place(said: Any, secrets: Mapping[str, str]) -> Place:
    """Return the broker that checked options name."""
    if said == flow.OWN:
        return Place(username=flow.OWN_USER, password=secrets.get(flow.OWN_SECRET))
    known = {k: v for k, v in said.items() if k != "password"}
    return Place(**known, password=secrets.get(said.get("password", "")))


class Link:
    """Hold one session on the running loop and begin it again when it ends."""

    def __init__(
        self,
        host: Host,
        where: Place,
        filters: Sequence[str],
        deliver: Deliver,
        told: Callable[[bool, str], None],
    ) -> None:
        self._host, self._where, self._filters = host, where, tuple(filters)
        self._deliver, self._told = deliver, told
        self.version = _V5
        self.sessions = 0
        self.last_error = ""
        self._ready = self._over = False
        self._refused = ""
        self._moved = asyncio.Event()
        self._client: Client | None = None

    async def run(self) -> None:
        """Serve until cancelled; raises AuthError when the broker refuses the hub."""
        wait = 0.0
        while True:
            held = await self._session()
            wait = 0.1 if held else min(max(wait * 2, 0.1), MAX_BACKOFF_S)
            await self._host.timer.sleep(wait * (0.5 + random.random()))  # noqa: S311

    async def _session(self) -> bool:
        """Hold one session to its end; say whether it ever stood."""
        self._ready = self._over = False
        client = self._client = self._new()
        loop = asyncio.get_running_loop()
        # paho resolves and connects blocking: in a thread, and its callbacks here.
        opening = loop.run_in_executor(None, self._open, client)
        ticking = None
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                await asyncio.shield(opening)
            ticking = loop.call_later(1, self._tick, client)
            await self._stands()
            while self._ready and not self._over:
                self._moved.clear()
                await self._moved.wait()
        except (OSError, ValueError, TimeoutError) as error:
            self.last_error = f"{type(error).__name__}: {error}"
        finally:
            self._client = None
            if ticking is not None:
                ticking.cancel()
            if opening.done():
                self._close(client)
            else:
                opening.add_done_callback(lambda _: self._close(client))
        if self._refused:
            raise AuthError(f"broker: {self._refused}", host=self._where.host)
        if self._ready:
            self._told(False, "positioning.broker_lost")
        return self._ready

    async def _stands(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                while not (self._ready or self._over or self._refused):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            self.last_error = "no answer to CONNECT or SUBSCRIBE"
        if not self._ready and not self._refused:
            # A broker of 3.1.1 refuses the version, hangs up or says nothing.
            self.version = _V311 if self.version == _V5 else _V5

    # --- paho -------------------------------------------------------------------

    def _new(self) -> Client:
        options: dict[str, Any] = {} if self.version == _V5 else {"clean_session": True}
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"safehold-pos-{uuid4().hex[:8]}",
            protocol=self.version,
            reconnect_on_failure=False,
            **options,
        )
        client.connect_timeout = CONNECT_S
        if self._where.username is not None:
            client.username_pw_set(self._where.username, self._where.password)
        if self._where.tls:
            client.tls_set(ca_certs=self._where.ca_file)
        loop = asyncio.get_running_loop()
        client.on_socket_open = lambda c, _, s: self._soon(loop, self._opened, c, s)
        client.on_socket_close = lambda c, _, s: self._closed(loop, s)
        client.on_socket_register_write = lambda c, _, s: self._soon(
            loop, self._want_write, c, s
        )
        client.on_socket_unregister_write = lambda c, _, s: self._no_write(s)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._lost
        client.on_message = self._message
        return client

    def _open(self, client: Client) -> None:
        client.connect(self._where.host, self._where.port, KEEPALIVE_S)

    def _close(self, client: Client) -> None:
        client.on_disconnect = None
        client.disconnect()
        client.loop_write()
        client._sock_close()  # the one door that never waits

    @staticmethod
    def _soon(loop: asyncio.AbstractEventLoop, call: Any, *args: Any) -> None:
        loop.call_soon_threadsafe(call, *args)

    @staticmethod
    def _closed(loop: asyncio.AbstractEventLoop, sock: Any) -> None:
        if sock.fileno() >= 0:
            loop.remove_reader(sock)
            loop.remove_writer(sock)

    def _opened(self, client: Client, sock: Any) -> None:
        if client is self._client and sock.fileno() >= 0:
            asyncio.get_running_loop().add_reader(sock, self._readable, client)

    def _readable(self, client: Client) -> None:
        try:
            _read(client)
        except (MQTTException, struct.error, LookupError, ValueError) as error:
            # Bytes that are no MQTT: this connection is worth nothing more.
            self._host.count("positioning.bad_packet", f"{error!r}"[:200])
            self.last_error = f"{error!r}"[:200]
            self._over = True
            self._moved.set()

    def _want_write(self, client: Client, sock: Any) -> None:
        # The wish may have been fulfilled before this turn of the loop.
        if client is self._client and sock.fileno() >= 0 and client.want_write():
            asyncio.get_running_loop().add_writer(sock, client.loop_write)

    @staticmethod
    def _no_write(sock: Any) -> None:
        if sock.fileno() >= 0:
            asyncio.get_running_loop().remove_writer(sock)

    def _tick(self, client: Client) -> None:
        if client is self._client:
            client.loop_misc()
            asyncio.get_running_loop().call_later(1, self._tick, client)

    def _connected(
        self, client: Client, _: Any, __: Any, reason: ReasonCode, ___: Any
    ) -> None:
        if reason.is_failure:
            self.last_error = str(reason)
            if reason.value in _REFUSED:
                self._refused = str(reason)
            self._over = True
            self._moved.set()
        else:
            client.subscribe([(name, 0) for name in self._filters])

    def _subscribed(
        self, _: Client, __: Any, ___: int, reasons: list[ReasonCode], ____: Any
    ) -> None:
        for name, reason in zip(self._filters, reasons, strict=False):
            if reason.is_failure:
                self._host.count("positioning.subscribe_refused", f"{name}: {reason}")
        if not self._ready:
            self._ready = True
            self.sessions += 1
            self._told(True, "")
        self._moved.set()

    def _lost(
        self, _: Client, __: Any, ___: Any, reason: ReasonCode, ____: Any
    ) -> None:
        self.last_error = str(reason)
        self._over = True
        self._moved.set()

    def _message(self, _: Client, __: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._host.count("positioning.bad_topic")
            return
        payload = message.payload
        if len(payload) > MAX_PAYLOAD:
            self._host.count("positioning.too_long", topic[:200])
            return
        self._deliver(topic, payload, bool(message.retain))


def _read(client: Client) -> None:
    client.loop_read()
    # TLS keeps decrypted bytes that no selector announces.
    for _ in range(MAX_PENDING):
        sock = client.socket()
        if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
            return
        client.loop_read()
