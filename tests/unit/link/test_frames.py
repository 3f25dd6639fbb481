"""Frames: what arrives in any pieces is what was sent; what is bad is named."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.link import frames
from core.link import messages as m
from core.link.frames import MAX_FRAME, Decoder, FrameError

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=20),
)
rows = st.lists(
    st.builds(m.Row, st.integers(0, 2**31), values, st.integers(0, 6)), max_size=8
)
messages = st.one_of(
    st.builds(m.Readings, st.integers(0, 2**62), rows),
    st.builds(m.Ping, st.integers(0, 2**31)),
    st.builds(m.Result, st.text(max_size=30), st.text(max_size=10)),
    st.builds(
        m.DeviceEvent,
        st.text(max_size=10),
        st.text(max_size=10),
        st.dictionaries(st.text(max_size=5), values, max_size=3),
        st.text(max_size=10),
    ),
    st.builds(
        m.Events, st.lists(st.binary(max_size=50), max_size=5), st.integers(0, 2**63)
    ),
)


@given(st.lists(messages, max_size=10), st.lists(st.integers(1, 200), max_size=60))
def test_any_cut_of_the_stream_gives_the_same_messages(
    sent: list[m.Message], cuts: list[int]
) -> None:
    """Design §3: one stream, any pieces."""
    data = b"".join(frames.encode(message) for message in sent)
    decoder = Decoder()
    got: list[m.Message] = []
    for cut in cuts:
        decoder.feed(data[:cut], got.append)
        data = data[cut:]
    decoder.feed(data, got.append)
    assert got == sent
    assert decoder.pending == 0


@given(st.binary(max_size=600), st.lists(messages, max_size=3))
def test_any_bytes_give_messages_or_a_named_error(
    noise: bytes, before: list[m.Message]
) -> None:
    """Bad input: never another exception, and never more memory than one frame."""
    decoder = Decoder()
    got: list[m.Message] = []
    data = b"".join(frames.encode(message) for message in before) + noise
    try:
        decoder.feed(data, got.append)
    except FrameError as error:
        assert error.reason in ("frame_empty", "frame_too_large", "frame_malformed")
    assert got[: len(before)] == before
    assert decoder.pending <= MAX_FRAME + 4


@given(messages, st.data())
def test_one_changed_byte_never_raises_anything_else(
    message: m.Message, data: st.DataObject
) -> None:
    frame = bytearray(frames.encode(message))
    at = data.draw(st.integers(4, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    try:
        Decoder().feed(bytes(frame), lambda _: None)
    except FrameError as error:
        assert error.detail


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0\0\0", "frame_empty"),
        (struct.pack("<I", MAX_FRAME + 1), "frame_too_large"),
        (b"\xff\xff\xff\xff", "frame_too_large"),
        (struct.pack("<I", 1) + b"\x01", "frame_malformed"),
        (struct.pack("<I", 6000) + b"\x91" * 6000, "frame_malformed"),
    ],
)
def test_bad_frames_are_named(data: bytes, reason: str) -> None:
    with pytest.raises(FrameError) as caught:
        Decoder().feed(data, lambda _: None)
    assert caught.value.reason == reason


def test_message_over_a_megabyte_is_refused_where_it_is_sent() -> None:
    buffer = bytearray(b"before")
    with pytest.raises(FrameError):
        frames.append(buffer, m.Events([bytes(MAX_FRAME)], 0))
    assert buffer == b"before"


@pytest.mark.parametrize("value", [2**70, object()])
def test_what_cannot_be_encoded_is_refused_where_it_is_sent(value: object) -> None:
    buffer = bytearray(b"before")
    with pytest.raises(FrameError) as caught:
        frames.append(buffer, m.Readings(1, [m.Row(1, value)]))  # type: ignore[arg-type]
    assert caught.value.reason == "frame_unencodable"
    assert buffer == b"before"
