"""JT/T 808 frames: byte-exact vectors, both headers, and anything that is none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.helmet import body
from integrations.helmet.frame import (
    MAX_PARTS,
    MAX_RAW,
    Frame,
    FrameError,
    Parts,
    Splitter,
    build,
    escape,
    parse,
    unescape,
)

#: A published position report; its check byte and its fields were recomputed.
POSITION = (
    "0200005200200260432300A400020000000C00020158B91B06CB706100460000005921092216375801"
    "040000000103020000250400000001300111310110E30100D51B022002604323279593786160001220"
    "00001234279593786158001286"
)
AUTH = "0102000D00200260432500013833303032303032363034333213"

ONE = st.just(1)
frames = st.builds(
    Frame,
    version=st.none(),
    total=ONE,
    part=ONE,
    id=st.integers(0, 0xFFFF),
    phone=st.text("0123456789", min_size=12, max_size=12),
    seq=st.integers(0, 0xFFFF),
    body=st.binary(max_size=1023),
)
new_frames = st.builds(
    Frame,
    id=st.integers(0, 0xFFFF),
    phone=st.text("0123456789", min_size=20, max_size=20),
    seq=st.integers(0, 0xFFFF),
    body=st.binary(max_size=1023),
    version=st.integers(0, 255),
    total=ONE,
    part=ONE,
)


@pytest.mark.parametrize("vector", [POSITION, AUTH])
def test_a_published_frame_reads_and_is_written_byte_for_byte(vector: str) -> None:
    frame = parse(bytes.fromhex(vector))
    assert build(frame) == b"\x7e" + bytes.fromhex(vector) + b"\x7e"


def test_the_fields_of_the_published_position() -> None:
    frame = parse(bytes.fromhex(POSITION))
    assert (frame.id, frame.phone, frame.seq) == (body.LOCATION, "002002604323", 0xA4)
    found = body.location(frame.body)
    assert (found.lat, found.lon) == (22.591771, 113.995873)
    assert found.alarm == 1 << 17
    assert found.located
    assert (found.altitude_m, found.speed_kmh, found.course) == (70, 0.0, 89)
    assert found.at is not None
    at = datetime.fromtimestamp(found.at, UTC)
    assert at == datetime(2021, 9, 22, 8, 37, 58, tzinfo=UTC)  # GMT+8 on the wire
    assert dict(found.items)[0x31] == b"\x10"


def test_the_code_of_the_published_authentication() -> None:
    frame = parse(bytes.fromhex(AUTH))
    assert body.authentication(frame.body, new=False) == "8300200260432"


@given(st.one_of(frames, new_frames))
def test_what_is_built_is_read(frame: Frame) -> None:
    data = build(frame)
    assert b"\x7e" not in data[1:-1]
    assert parse(data[1:-1]) == frame


@given(st.binary(max_size=2500))
def test_escaping_is_undone(data: bytes) -> None:
    assert unescape(escape(data)) == data


@given(st.binary(max_size=MAX_RAW + 50))
def test_any_bytes_are_a_frame_or_one_error(data: bytes) -> None:
    try:
        parse(data)
    except FrameError:
        pass


@given(frames, st.integers(0, 30), st.integers(1, 255))
def test_a_flipped_byte_is_noticed(frame: Frame, at: int, change: int) -> None:
    raw = bytearray(unescape(build(frame)[1:-1]))
    raw[at % len(raw)] ^= change
    with pytest.raises(FrameError):
        parse(escape(bytes(raw)))


@given(st.lists(frames, min_size=1, max_size=5), st.integers(1, 40))
def test_a_stream_is_cut_at_its_flags_however_it_arrives(
    sent: list[Frame], size: int
) -> None:
    data = b"".join(map(build, sent))
    splitter, got = Splitter(), []
    for at in range(0, len(data), size):
        got += splitter.feed(data[at : at + size])
    assert [parse(raw) for raw in got] == sent


def test_a_stream_without_flags_is_bounded_and_heals() -> None:
    splitter = Splitter()
    pieces = [piece for _ in range(100) for piece in splitter.feed(b"x" * 4096)]
    assert all(len(piece) <= MAX_RAW + 1 for piece in pieces)
    good = build(Frame(2, "013800000007", 1))
    assert parse(splitter.feed(good)[-1]).id == 2


class TestParts:
    def part(self, number: int, total: int = 3, said: bytes = b"ab") -> Frame:
        return Frame(0x0704, "013800000007", 10 + number, said, None, total, number)

    def test_whatever_their_order(self) -> None:
        parts = Parts()
        assert parts.take(self.part(3, said=b"ef")) is None
        assert parts.take(self.part(1, said=b"ab")) is None
        whole = parts.take(self.part(2, said=b"cd"))
        assert whole is not None
        assert (whole.body, whole.total) == (b"abcdef", 1)

    def test_they_survive_the_wire(self) -> None:
        frame = parse(build(self.part(2))[1:-1])
        assert (frame.total, frame.part) == (3, 2)

    def test_too_many_are_refused(self) -> None:
        with pytest.raises(FrameError):
            parse(build(self.part(1, total=MAX_PARTS + 1))[1:-1])

    @given(st.lists(st.tuples(st.integers(1, 64), st.integers(0, 500)), max_size=300))
    def test_what_never_ends_is_bounded(self, sent: list[tuple[int, int]]) -> None:
        """However parts come, what is held stays within its bounds."""
        parts = Parts()
        for number, seq in sent:
            frame = Frame(1, "0" * 12, seq, bytes(1023), None, 64, number)
            try:
                parts.take(frame)
            except FrameError:
                pass
        assert len(parts._open) <= 4
