"""The broker link: sessions, own reconnect, bounded outbox, acknowledgement.

paho's own reconnect is off (its callbacks have stopped after a broken pipe, and
an exception in one ended it): every session here is a fresh client on a socket
that this module opened, and what is still owed lives in our outbox, not paho's.
"""

import asyncio
import random
import socket
from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from core.api import AuthError, Host
from integrations.mqtt.session import (
    CONNECT_S,
    Broker,
    Counters,
    Outgoing,
    Session,
    open_socket,
)
from integrations.mqtt.wire import Deliver, Wire

KEEPALIVE_S = 10
SESSION_S = 7 * 24 * 3600
#: Publishes that wait for the broker; when full a newer one is refused.
OUTBOX = 1_000
MAX_BACKOFF_S = 15.0
FILTERS_A_PACKET = 100
NS = 1_000_000_000
_REFUSED = frozenset({134, 135})
_NO_SUBSCRIBER, _FAILURE = 16, 128
_V5 = MQTTProtocolVersion.MQTTv5
_V311 = MQTTProtocolVersion.MQTTv311


def _ignore(_: str) -> None:
    """Take the end of a publish that nobody waits for."""


async def _opened_socket(broker: Broker) -> socket.socket:
    """Open a socket in a thread; one that comes too late is closed, not leaked."""

    def close_late(done: asyncio.Future[socket.socket]) -> None:
        if not done.cancelled() and done.exception() is None:
            done.result().close()

    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(None, open_socket, broker)
    try:
        async with asyncio.timeout(2 * CONNECT_S):
            return await asyncio.shield(opening)
    except (TimeoutError, asyncio.CancelledError):
        opening.add_done_callback(close_late)
        raise


class MqttClient:
    """Hold one persistent session with a broker on the running loop.

    ``deliver`` owes an `ack` for QoS 1; ``on_up(session_present)`` comes after
    each accepted connection, ``on_down(code)`` after each loss.
    """

    def __init__(
        self,
        host: Host,
        broker: Broker,
        deliver: Deliver,
        on_up: Callable[[bool], None],
        on_down: Callable[[str], None],
    ) -> None:
        self.host = host
        self.broker = broker
        self.counters = Counters()
        self.version = _V5
        self.status_topic = f"safehold/hub/{broker.client_id}/status"
        self._deliver = deliver
        self._on_up = on_up
        self._on_down = on_down
        self._filters: dict[str, None] = {}
        self._fresh: list[str] = []
        self._outbox: list[Outgoing] = []
        self._session: Session | None = None

    @property
    def connected(self) -> bool:
        """Say whether the broker has answered and the session stands."""
        return self._session is not None and self._session.ready

    def hears(self, name: str) -> bool:
        """Say whether the broker has granted this very filter in this session."""
        return self._session is not None and name in self._session.granted

    # --- what the integration asks -----------------------------------------

    def subscribe(self, filters: Iterable[str]) -> None:
        """Add topic filters; they are asked for again in each new session."""
        fresh = [f for f in filters if f not in self._filters]
        self._filters.update(dict.fromkeys(fresh))
        if fresh and self._session is not None and self._session.wire.is_connected():
            self._ask(self._session, fresh)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Drop topic filters."""
        gone = [f for f in filters if f in self._filters]
        for name in gone:
            del self._filters[name]
        if gone and self.connected and self._session is not None:
            self._session.wire.unsubscribe(gone)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expires_ns: int = 0,
        done: Callable[[str], None] = _ignore,
    ) -> None:
        """Publish with QoS 1, now or when the broker is back before ``expires_ns``.

        ``expires_ns`` is boot-clock time, 0 for never; a version 5 broker is told
        it too, so that a sleeping device does not act on an old command.
        """
        entry = Outgoing(topic, payload, retain, expires_ns, done)
        if self.connected and self._session is not None:
            self._send(self._session, entry)
            # Now, not at the loop's next turn: commands are what people wait for.
            self._session.wire.loop_write()
        elif len(self._outbox) >= OUTBOX:
            self.host.count("mqtt.outbox_full", topic)
            done("mqtt.outbox_full")
        else:
            self._outbox.append(entry)

    def ack(self, mid: int, session: object) -> None:
        """Acknowledge a QoS 1 message of ``session`` (see `session`), if it stands.

        A message of an ended session is sent again by the broker.
        """
        if session is self._session and self._session is not None:
            self._session.wire.ack(mid, 1)

    @property
    def session(self) -> object:
        """Return a token of the session that stands: message ids belong to it."""
        return self._session

    # --- life --------------------------------------------------------------

    async def run(self) -> None:
        """Keep a session up until cancelled; raises AuthError when refused."""
        wait = 0.0
        while True:
            held = await self._connect()
            wait = 0.1 if held else min(max(wait * 2, 0.1), MAX_BACKOFF_S)
            # Jitter: a site's clients must not come back in step.
            await self.host.timer.sleep(wait * (0.5 + random.random()))  # noqa: S311

    async def _connect(self) -> bool:
        """Hold one session to its end; say whether it was ever accepted."""
        loop = asyncio.get_running_loop()
        try:
            sock = await _opened_socket(self.broker)
        except OSError as error:
            self.counters.last_error = f"{type(error).__name__}: {error}"
            return False
        session = self._session = Session(self._new_wire())
        timer = loop.call_later(1, self._misc, session)
        try:
            session.wire.adopt(sock)
            await self._answered(session)
            while session.ready and not session.ended:
                session.moved.clear()
                await session.moved.wait()
        except OSError as error:
            self.counters.last_error = f"{type(error).__name__}: {error}"
        finally:
            timer.cancel()
            self._end(session)
        if session.refused:
            raise AuthError(f"broker: {session.refused}", host=self.broker.host)
        return session.ready

    async def _answered(self, session: Session) -> None:
        """Wait for CONNACK and the first SUBACK; silence means another version."""
        try:
            async with asyncio.timeout(CONNECT_S):
                while not (session.ready or session.ended):
                    session.moved.clear()
                    await session.moved.wait()
        except TimeoutError:
            self.counters.last_error = "no answer to CONNECT or SUBSCRIBE"
        if session.ready or session.refused:
            return
        # A broker of 3.1.1 refuses, hangs up or never answers the subscription.
        if self.version == _V5:
            self.counters.fallbacks += 1
            self.host.count("mqtt.version_fallback", "3.1.1")
        self.version = _V311 if self.version == _V5 else _V5

    def _new_wire(self) -> Wire:
        wire = Wire(self.broker.client_id, self.version, self._deliver, self._puback)
        wire.on_socket_open = self._opened
        wire.on_socket_close = self._closed
        wire.on_socket_register_write = self._want_write
        wire.on_socket_unregister_write = self._no_write
        wire.on_connect = self._connack
        wire.on_disconnect = self._lost
        wire.on_subscribe = self._suback
        wire.max_inflight_messages_set(0)
        wire.will_set(self.status_topic, b"offline", 1, True)
        if self.broker.username is not None:
            wire.username_pw_set(self.broker.username, self.broker.password)
        where = (self.broker.host, self.broker.port, KEEPALIVE_S)
        if self.version == _V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            wire.connect_async(*where, clean_start=False, properties=properties)
        else:
            wire.connect_async(*where)
        return wire

    def _end(self, session: Session) -> None:
        """Close in order; what the broker did not take goes back to the outbox."""
        self._session = None
        if session.wire.is_connected():
            session.wire.publish(self.status_topic, b"offline", 1, True)
            session.wire.disconnect()
            session.wire.loop_write()
        session.wire.hang_up()
        self._outbox = [*session.taken.values(), *self._outbox][:OUTBOX]
        session.taken.clear()
        if session.ready:
            self.counters.lost += 1
            self._on_down("mqtt.broker_lost")

    # --- paho's socket callbacks -------------------------------------------

    def _opened(self, client: Any, _: Any, sock: Any) -> None:
        asyncio.get_running_loop().add_reader(sock, self._readable, client)

    def _closed(self, client: Client, _: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_reader(sock)

    def _want_write(self, client: Client, _: Any, sock: Any) -> None:
        asyncio.get_running_loop().add_writer(sock, client.loop_write)

    def _no_write(self, client: Client, _: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_writer(sock)

    def _readable(self, wire: Wire) -> None:
        again = True
        try:
            again = wire.pump()
        finally:
            # Also after an error in a handler: what is buffered must go on.
            if again:
                asyncio.get_running_loop().call_soon(self._readable, wire)

    def _misc(self, session: Session) -> None:
        if session is self._session and not session.ended:
            session.wire.loop_misc()
            asyncio.get_running_loop().call_later(1, self._misc, session)

    # --- paho's protocol callbacks -----------------------------------------

    def _connack(
        self, client: Client, _: Any, flags: Any, reason: ReasonCode, __: Any
    ) -> None:
        session = self._session
        if session is None or session.wire is not client:
            return
        if reason.is_failure:
            self.counters.last_error = str(reason)
            if reason.value in _REFUSED:
                session.refused = str(reason)
            return
        self.counters.sessions += 1
        self._on_up(bool(flags.session_present))
        self._ask(session, list(self._filters))

    def _lost(
        self, client: Client, _: Any, __: Any, reason: ReasonCode, ___: Any
    ) -> None:
        session = self._session
        if session is not None and session.wire is client:
            if not session.refused:
                self.counters.last_error = str(reason)
            session.ended = True
            session.moved.set()

    def _suback(
        self, client: Client, _: Any, mid: int, reasons: list[ReasonCode], __: Any
    ) -> None:
        session = self._session
        if session is None or session.wire is not client:
            return
        for name, reason in zip(session.asked.pop(mid, ()), reasons, strict=False):
            if not reason.is_failure:
                session.granted.add(name)
            else:
                self.host.count("mqtt.subscribe_refused", f"{name}: {reason}")
                self.counters.refused_topics.append(name)
        if not session.ready:
            session.ready = True
            session.moved.set()
            waiting, self._outbox = self._outbox, []
            self._send(
                session, Outgoing(self.status_topic, b"online", True, 0, _ignore)
            )
            for entry in waiting:
                self._send(session, entry)

    def _puback(self, mid: int, reason: int) -> None:
        session = self._session
        entry = session.taken.pop(mid, None) if session is not None else None
        if entry is None:
            return
        if reason >= _FAILURE:
            self.host.count("mqtt.publish_refused", f"{entry.topic}: {reason}")
            entry.done("mqtt.publish_refused")
        else:
            entry.done("mqtt.no_subscriber" if reason == _NO_SUBSCRIBER else "")

    # --- helpers -----------------------------------------------------------

    def _ask(self, session: Session, filters: list[str]) -> None:
        for at in range(0, len(filters), FILTERS_A_PACKET):
            part = filters[at : at + FILTERS_A_PACKET]
            topics: Any = (
                [(name, SubscribeOptions(qos=1)) for name in part]
                if session.wire.version5
                else [(name, 1) for name in part]
            )
            _rc, mid = session.wire.subscribe(topics)
            if mid is not None:
                session.asked[mid] = part

    def _send(self, session: Session, entry: Outgoing) -> None:
        expires_s = 0
        if entry.expires_ns:
            left_ns = entry.expires_ns - self.host.clock.mono_ns()
            if left_ns <= 0:
                entry.done("mqtt.expired")
                return
            expires_s = max(1, left_ns // NS)
        mid = session.wire.hand(entry.topic, entry.payload, entry.retain, expires_s)
        session.taken[mid] = entry
