"""What a scan may send and what it reads of answers: reads only, never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.modbus import scan_frames as scan
from integrations.modbus.scan import covers
from integrations.modbus.wire import crc16

IDENTITY = bytes([0x2B, 0x0E, 1, 1, 0, 0, 2, 0, 4]) + b"Acme" + bytes([5, 3]) + b"X-1"


def test_a_scan_can_only_read() -> None:
    """Issue: a scan only reads; these four functions change nothing."""
    assert set(scan.READS) == {3, 4, 0x11, 0x2B}
    for function, pdu in scan.READS.items():
        assert pdu[0] == function
    with pytest.raises(TypeError):
        scan.READS[6] = b"\x06"  # type: ignore[index]


def test_a_device_says_who_it_is() -> None:
    assert scan.identification(IDENTITY) == {"manufacturer": "Acme", "model": "X-1"}
    assert scan.server_id(b"\x11\x06Gas-01") == {"server_id": "Gas-01"}
    assert scan.server_id(b"\x11\x02\x07\xff") == {"server_id": "07ff"}


@pytest.mark.parametrize(
    ("pdu", "there"),
    [
        (b"\x03\x02\x00\x07", True),
        (b"\x83\x02", True),
        (b"\x83\x0b", False),
        (b"\x83\x0a", False),
        (b"\x83\x04", False),
    ],
)
def test_an_answer_shows_a_device(pdu: bytes, there: bool) -> None:
    """A gateway that finds nobody says so itself."""
    assert scan.present(pdu, 3) is there


def test_a_frame_is_whole_or_none() -> None:
    body = b"\x05\x03\x02\x00\x07"
    assert scan.rtu_pdu(body + crc16(body), 5) == body[1:]
    for wrong, unit in ((body + b"xx", 5), (body + crc16(body), 6), (body[:3], 5)):
        with pytest.raises(scan.BadAnswer):
            scan.rtu_pdu(wrong, unit)


@given(st.binary(max_size=300), st.integers(0, 255))
def test_any_bytes_are_an_answer_or_none(data: bytes, unit: int) -> None:
    """Issue: fuzzing of every parser that meets the network."""
    for read in (
        lambda: scan.identification(data),
        lambda: scan.identification(IDENTITY[:7] + data),
        lambda: scan.server_id(data),
        lambda: scan.present(data, 3),
        lambda: scan.rtu_pdu(data + crc16(data), unit),
    ):
        try:
            read()
        except scan.BadAnswer:
            continue


def test_the_units_of_a_site_are_known() -> None:
    options = {
        "buses": [
            {"tcp": "10.0.0.5:502", "devices": [{"unit": 3}, {"unit": 4}]},
            {"serial": {"port": "/dev/ttyX"}, "devices": [{"unit": 1}]},
        ]
    }
    assert set(covers(options)) == {
        "modbus:10.0.0.5:502/3",
        "modbus:10.0.0.5:502/4",
        "modbus:/dev/ttyX/1",
    }


OTHERS = b"\x09\x03\x00\x00\x00\x01\x85\x42"  # what another master asks unit 9


@pytest.mark.parametrize("before", [b"", b"\x01\x03\x02\x00\x05\x78\x47", b"\x01\x03"])
@pytest.mark.parametrize("after", [b"", OTHERS, b"\x00"])
def test_another_masters_question_is_known_in_the_midst_of_other_bytes(
    before: bytes, after: bytes
) -> None:
    assert scan.foreign(before + OTHERS + after, 1)


@given(st.binary(max_size=520), st.integers(1, 247))
def test_bytes_are_another_masters_or_not(heard: bytes, unit: int) -> None:
    """Fuzz: bounded, no exception; fewer bytes than a frame are nobody's."""
    assert scan.foreign(heard, unit) in (False, True)
    assert not scan.foreign(heard[:4], unit)
