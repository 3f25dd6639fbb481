"""Bodies of JT/T 808: typed, bounded, or one error."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.helmet import body
from integrations.helmet.frame import FrameError

HEAD = struct.pack(">IIIIhHH", 1, 3, 31_200_000, 121_500_000, -3, 55, 90)


@pytest.mark.parametrize(
    "read",
    [
        body.location,
        body.batch,
        body.answer,
        lambda data: body.registration(data, new=False),
        lambda data: body.registration(data, new=True),
        lambda data: body.authentication(data, new=True),
        lambda data: body.authentication(data, new=False),
    ],
)
@given(data=st.binary(max_size=1200))
def test_any_bytes_are_a_body_or_one_error(
    read: Callable[[bytes], object], data: bytes
) -> None:
    try:
        read(data)
    except FrameError:
        pass


def test_a_terminal_without_a_clock_has_no_time() -> None:
    assert body.location(HEAD + bytes(6)).at is None
    assert body.location(HEAD + b"\xff" * 6).at is None


def test_south_and_west() -> None:
    head = struct.pack(">IIIIhHH", 0, 0b1110, 1_000_000, 2_000_000, 0, 0, 0)
    found = body.location(head + bytes(6))
    assert (found.lat, found.lon) == (-1.0, -2.0)


@pytest.mark.parametrize("items", ["30", "3001", "300211", "e1ff00"])
def test_an_item_that_ends_early_is_no_item(items: str) -> None:
    with pytest.raises(FrameError):
        body.location(HEAD + bytes(6) + bytes.fromhex(items))


def test_a_place_that_is_not_on_the_earth() -> None:
    head = struct.pack(">IIIIhHH", 0, 2, 91_000_000, 0, 0, 0, 0)
    with pytest.raises(FrameError):
        body.location(head + bytes(6))


def test_a_batch_keeps_its_order() -> None:
    data = struct.pack(">HB", 2, 1) + b"\0\x02ab\0\x01c"
    assert body.batch(data) == (True, (b"ab", b"c"))
    with pytest.raises(FrameError):
        body.batch(struct.pack(">HB", 3, 1) + b"\0\x02ab")


@pytest.mark.parametrize(
    ("widths", "new"), [((5, 20, 7), False), ((5, 8, 7), False), ((11, 30, 30), True)]
)
def test_registrations_of_each_release(widths: tuple[int, ...], new: bool) -> None:
    parts = [
        word.ljust(width, b"\0")
        for word, width in zip((b"MAKER", b"M1", b"T-7"), widths, strict=True)
    ]
    found = body.registration(bytes(4) + b"".join(parts) + b"\x01", new=new)
    assert (found.maker, found.model, found.id) == ("MAKER", "M1", "T-7")


@given(st.text(max_size=3000), st.booleans())
def test_what_is_spoken_fits_into_a_frame(text: str, new: bool) -> None:
    assert len(body.spoken(text, new=new)) <= 1023
