"""The chunked reader: any cut gives the same packets, no bytes raise anything."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion

from integrations.mqtt.wire import MAX_PACKET, Wire

Heard = list[tuple[bytes, bytes, int, int, bool, bool]]


@contextmanager
def wired(version5: bool) -> Iterator[tuple[Wire, socket.socket, Heard]]:
    heard: Heard = []
    version = MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311
    wire = Wire("test", version, lambda *told: heard.append(told))
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
