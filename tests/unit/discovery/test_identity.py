"""Lasting identities are found however they are written (R27)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.identity import (
    MAX_KEY,
    Called,
    keys_in,
    mac_in,
    mac_of,
    serial_key,
    uuid_in,
)

MACS = st.binary(min_size=6, max_size=6).filter(
    lambda b: b.strip(b"\0") and b.strip(b"\xff")
)


@given(MACS, st.sampled_from([":", "-", "", "."]))
def test_a_hardware_address_is_one_however_it_is_written(
    data: bytes, sign: str
) -> None:
    digits = data.hex()
    step = 4 if sign == "." else 2
    written = sign.join(digits[at : at + step] for at in range(0, 12, step))
    assert mac_of(written.upper()) == digits


@pytest.mark.parametrize(
    ("name", "mac"),
    [
        ("shellyplus1-a8032abe54dc", "a8032abe54dc"),
        ("gas node 24:6F:28:aa:bb:cc", "246f28aabbcc"),
        ("esp-246f28aabbcc.local", "246f28aabbcc"),
        ("camera 123456789012", ""),
        ("gas-node", ""),
        ("deadbeefdeadbeef", ""),
        ("00:00:00:00:00:00", ""),
    ],
)
def test_a_name_may_hold_one(name: str, mac: str) -> None:
    assert mac_in(name) == mac


def test_a_device_tells_who_it_is_in_its_facts() -> None:
    facts = {"MAC": "AABBCCDDEEFF", "sn": "GX-004711", "uuid": f"urn:{'1' * 8}"}
    assert keys_in(facts, "node") == ("mac:aabbccddeeff", "serial:gx004711")


def test_a_short_serial_number_names_nobody() -> None:
    assert serial_key("17") == serial_key("000000") == ""
    assert uuid_in("uuid:00000000-0000-0000-0000-000000000000") == ""


@given(
    st.dictionaries(
        st.sampled_from(["mac", "id", "serial", "sn", "uuid", "UDN", "other"]),
        st.text(max_size=400),
    ),
    st.text(max_size=400),
)
def test_whatever_a_stranger_says_gives_bounded_keys(
    facts: dict[str, str], name: str
) -> None:
    for key in keys_in(facts, name):
        assert len(key) <= MAX_KEY
        assert key.partition(":")[0] in ("mac", "serial", "uuid")


@given(MACS, st.text(string.ascii_letters + "-_", max_size=12))
def test_an_enrolled_device_is_known_by_its_address_in_any_name(
    data: bytes, prefix: str
) -> None:
    assert f"mac:{data.hex()}" in Called([f"{prefix}{data.hex(':')}"])


def test_a_short_value_is_nobody_elses() -> None:
    called = Called(["gas1", "shelly-a8032abe54dc"])
    assert "mqtt:gas1" in called
    assert "mqtt:gas" not in called
    assert "mqtt:" not in called
    assert "serial:32abe5" not in called
