"""What a driver that is not ours writes to its log, over a real pipe."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import NS
from core.processes.children import _spawn
from core.processes.scribe import BURST, LINE_BYTES, LINES_S, READ_BYTES, Scribe
from core.processes.spec import Spec


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def scribe(said: list[str]) -> Iterator[Scribe]:
    made = Scribe("host:x", 0, said.append)
    yield made
    made.close(0)


def test_lines_come_whole_and_under_the_drivers_own_name(
    scribe: Scribe, said: list[str]
) -> None:
    """Design §5 Security: a driver cannot speak as the keeper does."""
    os.write(scribe.writes, b"one\nkeeper: core ended\nhal")
    scribe.relay(NS)
    assert said == ["host:x: one\n", "host:x: keeper: core ended\n"]
    os.write(scribe.writes, "f \x1b[2J\r温\n".encode())
    scribe.relay(2 * NS)
    assert said[2:] == ["host:x: half ?[2J?温\n"]


def test_a_line_that_is_too_long_is_cut_and_the_next_is_whole(
    scribe: Scribe, said: list[str]
) -> None:
    os.write(scribe.writes, b"a" * (3 * LINE_BYTES))
    scribe.relay(NS)
    os.write(scribe.writes, b"a" * LINE_BYTES + b"\nnext\n")
    scribe.relay(2 * NS)
    assert said == [f"host:x: {'a' * LINE_BYTES} …\n", "host:x: next\n"]


def test_a_flood_is_told_once_and_counted_when_it_is_over(
    scribe: Scribe, said: list[str]
) -> None:
    """Every queue has a bound and a policy with a name: what is more is left out."""
    seconds, lines = 20, 400
    for second in range(seconds):
        os.write(scribe.writes, b"x\n" * lines)
        scribe.relay(second * NS)
    told = [line for line in said if "the rest is left out" in line]
    assert len(told) == 1
    kept = len(said) - 1
    assert kept <= BURST + seconds * LINES_S
    assert scribe.dropped == seconds * lines - kept
    os.write(scribe.writes, b"calm\n")
    scribe.relay((seconds + BURST // LINES_S + 1) * NS)
    dropped = seconds * lines - kept
    assert said[-2:] == [f"host:x: {dropped} lines were left out\n", "host:x: calm\n"]


def test_the_last_words_of_a_process_are_heard(said: list[str]) -> None:
    scribe = Scribe("host:x", 0, said.append)
    scribe.relay(0)
    os.write(scribe.writes, b"Traceback\nno newline")
    scribe.close(1)
    scribe.close(2)
    assert said == ["host:x: Traceback\n", "host:x: no newline\n"]


@given(st.lists(st.binary(max_size=900), max_size=30))
def test_no_bytes_make_it_fail_or_write_more_than_it_may(pieces: list[bytes]) -> None:
    """Bounded time and memory whatever a driver writes."""
    said: list[str] = []
    scribe = Scribe("h", 0, said.append)
    for second, piece in enumerate(pieces):
        os.write(scribe.writes, piece)
        scribe.relay(second * NS)
    scribe.close(len(pieces) * NS)
    assert all(line.startswith("h: ") and line.count("\n") == 1 for line in said)
    assert all(len(line) <= LINE_BYTES + 10 for line in said)


def test_it_reads_no_more_than_its_share_at_once(
    scribe: Scribe, said: list[str]
) -> None:
    """What is more waits in the pipe: it is the driver that stands still."""
    os.set_blocking(scribe.writes, False)
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += os.write(scribe.writes, b"y" * 4095 + b"\n")
    assert sent >= READ_BYTES
    scribe.relay(NS)
    before = len(said)
    scribe.relay(NS + 1)
    assert len(said) == before


def test_a_driver_that_is_not_ours_writes_to_a_pipe_and_ours_does_not(
    said: list[str],
) -> None:
    """Its standard output and error both, in a real process."""
    words = "import os; os.write(1, b'out\\n'); os.write(2, b'err\\n')"
    assert Spec("host:x", ("-m", "x", "--code", "{}")).foreign
    assert not Spec("host:x", ("-m", "x")).foreign
    scribe = Scribe("host:x", 0, said.append)
    spec = Spec("host:x", ("-c", words, "--code"), speaks=False)
    pid = _spawn(spec, None, scribe.writes)  # type: ignore[arg-type]
    scribe.handed()
    os.waitpid(pid, 0)
    scribe.close(NS)
    assert said == ["host:x: out\n", "host:x: err\n"]
