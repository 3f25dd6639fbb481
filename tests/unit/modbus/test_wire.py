"""Only the answer to the pending request gets through, wherever it hides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.modbus.wire import Heard, Sieve, crc16

READ = bytes.fromhex("010300000002")
ANSWER = bytes.fromhex("0103040be800d1")


def rtu(body: bytes) -> bytes:
    return body + crc16(body)


def tcp(body: bytes, tid: int = 5) -> bytes:
    return tid.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big") + body


def asked(serial: bool) -> Sieve:
    sieve = Sieve(serial)
    sieve.trace(True, rtu(READ) if serial else tcp(READ))
    return sieve


@pytest.mark.parametrize(
    ("frame", "crc"), [("010300000002", "c40b"), ("01050000ff00", "8c3a")]
)
def test_checksum(frame: str, crc: str) -> None:
    """Check values that RS485 data sheets print."""
    assert crc16(bytes.fromhex(frame)).hex() == crc


@pytest.mark.parametrize("serial", [True, False])
@given(garbage=st.binary(max_size=60), tail=st.binary(max_size=20))
def test_answer_is_found_behind_any_garbage(
    serial: bool, garbage: bytes, tail: bytes
) -> None:
    """Fault: leading garbage does not cost the answer."""
    frame = rtu(ANSWER) if serial else tcp(ANSWER)
    found = asked(serial).trace(False, garbage + frame + tail)
    assert found
    assert found[-len(frame) :] == frame or found in garbage + frame


@pytest.mark.parametrize("serial", [True, False])
@given(data=st.binary(max_size=300))
def test_noise_never_raises_and_never_answers(serial: bool, data: bytes) -> None:
    """Whatever gets through is a whole answer to what was asked."""
    found = asked(serial).trace(False, data)
    if found:
        assert found in data
        assert len(found) >= 5


@given(cut=st.integers(1, len(rtu(ANSWER)) - 1), where=st.integers(0, 8))
def test_broken_answers_are_withheld_and_told_apart(cut: int, where: int) -> None:
    """Silence, a broken frame and another unit are three different repairs."""
    sieve = asked(True)
    assert sieve.heard is Heard.NOTHING
    frame = bytearray(rtu(ANSWER))
    assert sieve.trace(False, bytes(frame[:cut])) == b""
    frame[where] ^= 0x41
    assert sieve.trace(False, bytes(frame)) == b""
    assert sieve.heard in {Heard.BROKEN, Heard.OTHER_UNIT}


def test_answers_to_other_questions_are_withheld() -> None:
    """A late answer of another length, unit or transaction is not this one's."""
    assert asked(True).trace(False, rtu(bytes.fromhex("01030200d1"))) == b""
    assert asked(False).trace(False, tcp(ANSWER, tid=4)) == b""
    other = asked(True)
    assert other.trace(False, rtu(b"\x09" + ANSWER[1:])) == b""
    assert other.heard is Heard.OTHER_UNIT


@pytest.mark.parametrize("serial", [True, False])
def test_exception_and_echo_get_through(serial: bool) -> None:
    """An exception is an answer; a write is answered by its own echo only."""
    wrap = rtu if serial else tcp
    refusal = wrap(b"\x01\x83\x02")
    assert asked(serial).trace(False, refusal) == refusal
    write = wrap(bytes.fromhex("01050000ff00"))
    sieve = Sieve(serial)
    sieve.trace(True, write)
    assert sieve.trace(False, wrap(bytes.fromhex("010500000000"))) == b""
    assert sieve.trace(False, write) == write
