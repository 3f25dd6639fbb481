"""The chunked reader: any cut gives the same packets, no bytes raise anything."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion

from integrations.mqtt.wire import MAX_PACKET, Acked, Wire

Heard = list[tuple[bytes, bytes, int, int, bool, bool]]


@contextmanager
def wired(
    version5: bool, acked: Acked = lambda mid, reason: None
) -> Iterator[tuple[Wire, socket.socket, Heard]]:
    heard: Heard = []
    version = MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311
    wire = Wire("test", version, lambda *told: heard.append(told), acked)
    near, far = socket.socketpair()
    wire.connect_async("127.0.0.1", 1883)
    try:
        wire.adopt(near)
        yield wire, far, heard
    finally:
        wire.hang_up()
        far.close()


def length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = size // 128, size % 128
        out.append(digit | (128 if size else 0))
        if not size:
            return bytes(out)


def publish(
    topic: bytes, payload: bytes, qos: int, retain: bool, version5: bool
) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic
    body += b"\x00\x09" if qos else b""
    # A content type (0x03) stands for the properties that brokers hand on.
    body += b"\x05\x03\x00\x02ab" if version5 else b""
    body += payload
    return bytes([0x30 | qos << 1 | retain]) + length(len(body)) + body


MESSAGES = st.lists(
    st.tuples(
        st.binary(min_size=1, max_size=12),
        st.binary(max_size=300),
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=6,
)


@given(MESSAGES, st.booleans(), st.lists(st.integers(1, 400), max_size=20))
def test_any_cut_of_the_stream_gives_the_same_messages(
    messages: list[tuple[bytes, bytes, int, bool]], version5: bool, cuts: list[int]
) -> None:
    stream = b"".join(publish(*message, version5) for message in messages)
    with wired(version5) as (wire, far, heard):
        at = 0
        for cut in [*cuts, len(stream) + 1]:
            far.sendall(stream[at : at + cut])
            at += cut
            wire.pump()
        told = [
            (topic, payload, qos, retain) for topic, payload, qos, _, retain, _ in heard
        ]
        assert told == messages
        assert wire.socket() is not None


@given(st.binary(max_size=400), st.booleans(), st.integers(1, 64))
def test_no_bytes_raise_anything(stream: bytes, version5: bool, cut: int) -> None:
    """Issue: a malformed frame never ends a process; the session ends instead."""
    with wired(version5) as (wire, far, _):
        for at in range(0, len(stream), cut):
            if wire.socket() is None:
                break
            far.sendall(stream[at : at + cut])
            wire.pump()


def test_a_length_beyond_the_bound_ends_the_session() -> None:
    with wired(True) as (wire, far, heard):
        far.sendall(b"\x30" + length(MAX_PACKET + 1))
        assert wire.pump() is False
        assert wire.socket() is None and heard == []


def test_an_error_in_a_handler_leaves_the_buffer_behind_its_packet() -> None:
    def handle(topic: bytes, *_: object) -> None:
        taken.append(topic)
        if topic == b"bad":
            raise RuntimeError("handler")

    taken: list[bytes] = []
    with wired(False) as (wire, far, _):
        wire.deliver = handle
        far.sendall(
            publish(b"bad", b"", 0, False, False)
            + publish(b"good", b"", 0, False, False)
        )
        try:
            wire.pump()
        except RuntimeError:
            wire.pump()
        assert taken == [b"bad", b"good"]


def test_what_is_handed_over_leaves_at_once_and_its_end_is_told_once() -> None:
    """A command does not wait in paho's queue; the broker's word ends it (1.15)."""
    told: list[tuple[int, int]] = []
    with wired(True, lambda mid, reason: told.append((mid, reason))) as (wire, far, _):
        far.setblocking(False)
        wire.loop_write()
        far.recv(1000)  # CONNECT
        mid = wire.hand("siren/set", b"ON", False, 7)
        number = mid.to_bytes(2, "big")
        expiry = b"\x05\x02\x00\x00\x00\x07"
        body = b"\x00\x09siren/set" + number + expiry + b"ON"
        assert far.recv(1000) == bytes([0x32, len(body)]) + body
        for _ in range(2):
            far.send(b"\x40\x03" + number + b"\x10")
            wire.pump()
    assert told == [(mid, 16)]


def test_what_a_full_socket_does_not_take_follows_in_order() -> None:
    with wired(False) as (wire, far, _):
        wire.loop_write()
        payload = bytes(1 << 20)
        wire.hand("a", payload, True, 0)
        wire.hand("b", b"x", False, 0)
        found = bytearray()
        far.setblocking(False)
        for _ in range(1_000):
            wire.loop_write()
            try:
                found += far.recv(1 << 16)
            except BlockingIOError:
                break
        assert payload in found
        assert found.endswith(b"\x32\x06\x00\x01b\x00\x02x")
