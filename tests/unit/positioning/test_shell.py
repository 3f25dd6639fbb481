"""Bytes of a wire: whatever comes, in whatever pieces, the shell stays bounded."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from integrations.positioning import dwm
from integrations.positioning.model import Sighting, UnreadableError
from integrations.positioning.uart import Shell
from tests.support.host import FakeHost

LINE = b"POS,1.00,2.00,1.20,90"
SETTINGS = {"port": "/dev/null", "baudrate": 115200, "mode": "lep", "node": "0f34"}


async def fed(*pieces: bytes) -> tuple[Shell, list[Sighting], list[bytes]]:
    """Return a shell that was fed, what it read, and what it could not."""
    found: list[Sighting] = []
    wrong: list[bytes] = []

    def bad(_: UnreadableError, data: bytes) -> None:
        wrong.append(data)

    options = {**SETTINGS, "interval_s": 1.0}
    shell = Shell(FakeHost({}), options, found.append, bad, lambda _up, _why: None)
    for piece in pieces:
        shell._feed(piece)
        assert len(shell._inbox) <= dwm.MAX_LINE
    return shell, found, wrong


@given(st.lists(st.binary(max_size=1500), max_size=12))
def test_no_bytes_are_an_error_or_without_bound(pieces: list[bytes]) -> None:
    asyncio.run(fed(*pieces))


@given(st.integers(1, 7))
def test_pieces_of_any_size_make_the_same_lines(size: int) -> None:
    data = b"\r\n".join([LINE] * 5) + b"\r\n"
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    _, found, wrong = asyncio.run(fed(*pieces))
    assert len(found) == 5 and not wrong


def test_line_without_an_end_is_dropped_and_the_next_is_read() -> None:
    endless = b"POS," + b"1" * 4000
    _, found, wrong = asyncio.run(fed(endless, b"11\r\n", LINE + b"\r\n"))
    assert len(found) == 1 and len(wrong) == 1


def test_prompt_before_a_line_is_no_part_of_it() -> None:
    shell, found, _ = asyncio.run(fed(b"dwm> ", LINE + b"\r\ndwm> "))
    assert len(found) == 1 and shell._prompts == 2
