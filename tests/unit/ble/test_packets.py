"""BTHome packets: what is cut, forged or old never becomes a value."""

import json
from contextlib import suppress
from typing import Any

import pytest
import voluptuous as vol
from bthome_ble import BTHomeBluetoothDeviceData
from bthome_ble.const import MEAS_TYPES
from habluetooth import BluetoothServiceInfoBleak
from hypothesis import given
from hypothesis import strategies as st

from core.api import Quality
from integrations.ble import advert, bthome, flow
from integrations.ble.advert import Advert, AdvertError
from integrations.ble.device import NS, BleDevice
from integrations.ble.simulated import TABLE, encode, packet, service_data
from tests.support.host import FakeHost

ADDRESS = "A4:C1:38:00:00:01"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")


def refused(data: bytes, key: bytes | None = None) -> str:
    with pytest.raises(AdvertError) as caught:
        bthome.parse(data, ADDRESS, key)
    return caught.value.reason


def test_the_formats_own_encrypted_example() -> None:
    """Vector of the format's description: address, key and packet."""
    data = bytes.fromhex("41a47266c95f730011223378237214")
    found = bthome.parse(data, "54:48:E6:8F:80:A5", KEY)
    assert [(t.uid, t.value) for t in found.things] == [
        ("temperature", 25.06),
        ("humidity", 50.55),
    ]
    assert found.counter == int.from_bytes(bytes.fromhex("00112233"), "little")
    with pytest.raises(AdvertError):
        bthome.parse(data, "54:48:E6:8F:80:A6", KEY)


def _theirs(data: bytes) -> dict[str, Any]:
    """Return what bthome-ble's own parser makes of a packet in clear."""
    info = BluetoothServiceInfoBleak(
        name="x",
        address=ADDRESS,
        rssi=-60,
        manufacturer_data={},
        service_data={"0000fcd2-0000-1000-8000-00805f9b34fb": data},
        service_uuids=[],
        source="local",
        device=None,  # type: ignore[arg-type]
        advertisement=None,
        connectable=False,
        time=0.0,
        tx_power=None,
    )
    found: Any = BTHomeBluetoothDeviceData().update(info)
    values = [*found.entity_values.values(), *found.binary_entity_values.values()]
    return {v.device_key.key: v.native_value for v in values}


def size(number: int) -> int:
    """Return how many bytes an object of a number has."""
    return MEAS_TYPES[number].data_length


OBJECTS = st.lists(
    st.sampled_from(
        [
            number
            for number, kind in MEAS_TYPES.items()
            if number not in (0, 0x50, 0x58) and kind.data_format.endswith("integer")
        ]
    ),
    min_size=1,
    max_size=6,
)


def test_a_step_of_0_35_degrees_is_not_cut_to_a_tenth() -> None:
    """The one object in which bthome-ble is coarser than the format: 0x58."""
    ours = bthome.parse(b"\x40\x58\x01", ADDRESS)
    assert [thing.value for thing in ours.things] == [0.35]
    assert _theirs(b"\x40\x58\x01")["temperature"] == 0.3


@given(OBJECTS, st.data())
def test_our_reading_is_the_librarys(numbers: list[int], data: Any) -> None:
    """What is whole reads the same here as in bthome-ble itself."""
    body = b"".join(
        bytes((n,))
        + data.draw(
            st.binary(
                min_size=MEAS_TYPES[n].data_length, max_size=MEAS_TYPES[n].data_length
            )
        )
        for n in sorted(numbers)
    )
    ours = bthome.parse(b"\x40" + body, ADDRESS)
    theirs = _theirs(b"\x40" + body)
    for thing in ours.things:
        name = thing.uid.replace("_state", "")
        if name in theirs and f"{name}_state" not in TABLE:
            assert thing.value == theirs[name]


@given(st.binary(max_size=60), st.sampled_from([None, KEY]))
def test_bytes_are_a_packet_or_refused(data: bytes, key: bytes | None) -> None:
    """Fuzz: one error, bounded work, nothing without authentication from a key."""
    try:
        found = bthome.parse(data, ADDRESS, key)
    except AdvertError as wrong:
        assert wrong.reason.startswith("ble.")
        return
    assert len(found.things) + len(found.presses) <= bthome.MAX_OBJECTS
    assert key is None


@given(
    st.dictionaries(
        st.sampled_from(["temperature", "carbon_dioxide", "door", "humidity"]),
        st.floats(0, 200).map(round),
        min_size=1,
    ),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
)
def test_what_is_encrypted_comes_back_and_any_cut_or_bit_is_refused(
    values: dict[str, int], counter: int, cut: int
) -> None:
    """R7: only who has the key can make a value, and only whole."""
    objects = {TABLE[u].number: encode(TABLE[u], value) for u, value in values.items()}
    data = service_data(packet(objects), ADDRESS, KEY, counter)
    found = bthome.parse(data, ADDRESS, KEY)
    assert found.counter == counter
    assert {t.uid: t.value for t in found.things} == {
        uid: bool(v) if uid == "door" else v for uid, v in values.items()
    }
    with pytest.raises(AdvertError):
        bthome.parse(data[:-cut], ADDRESS, KEY)
    turned = bytearray(data)
    turned[1 + cut % (len(data) - 1)] ^= 0x10
    with pytest.raises(AdvertError):
        bthome.parse(bytes(turned), ADDRESS, KEY)


def test_who_has_a_key_is_not_believed_without_it() -> None:
    assert refused(bytes.fromhex("4002c409"), KEY) == "ble.downgrade"
    assert refused(bytes.fromhex("41a47266c95f730011223378237214")) == "ble.no_key"
    assert refused(bytes.fromhex("42a5808fe6485402c409")) == "ble.other_device"


@given(st.binary(max_size=80))
def test_structures_and_lines_are_read_or_refused(data: bytes) -> None:
    """Fuzz: the packet of a proxy and the line of a gateway."""
    with suppress(AdvertError):
        advert.structures(ADDRESS, data)
    with suppress(AdvertError):
        advert.line(data)


@given(st.text(max_size=50), st.text(max_size=50), st.integers(-300, 300))
def test_lines_of_any_words_are_read_or_refused(a: str, b: str, rssi: int) -> None:
    line = json.dumps({"address": a, "service_data": {b: a}, "data": b, "rssi": rssi})
    with suppress(AdvertError):
        advert.line(line.encode())


def test_a_proxys_packet_and_a_gateways_line_are_the_same_advertisement() -> None:
    body = bytes.fromhex("d2fc4002c40903bf13")
    data = b"\x02\x01\x06" + bytes((len(body) + 1, 0x16)) + body + b"\x03\x09Ab"
    found = advert.of_proxy(0xA4C138000001, data, -70)
    assert found == Advert(ADDRESS, body[2:], "Ab", -70)
    line = {"address": ADDRESS, "data": data.hex(), "rssi": -70}
    assert advert.line(json.dumps(line).encode()) == found
    uuid = "0000FCD2-0000-1000-8000-00805F9B34FB"
    assert advert.of_bleak(ADDRESS, {uuid: body[2:]}, "Ab", -70) == found


# --- one device ---------------------------------------------------------------


async def device(key: bytes | None = KEY, **more: Any) -> tuple[FakeHost, BleDevice]:
    said = {"address": ADDRESS, "every_s": 1, "entities": {}, **more}
    options = {"sources": [{"feed": "x"}], "devices": [said]}
    checked = flow.schema()(options)["devices"][0]
    host = FakeHost({})
    found = BleDevice(host, checked, key)
    found.declare()
    return host, found


def frame(value: float, counter: int, key: bytes | None = KEY) -> Advert:
    kind = TABLE["temperature"]
    objects = {kind.number: encode(kind, value)}
    if key is None:
        objects[0] = bytes((0, counter % 256))
    return Advert(ADDRESS, service_data(packet(objects), ADDRESS, key, counter))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
async def test_a_counter_never_goes_back(counters: list[int]) -> None:
    """R7: of what was recorded and sent again, nothing is believed."""
    host, one = await device()
    newest = -1
    for counter in counters:
        packet_ = one.take(frame(counter / 10, counter))
        assert (packet_ is not None) == (counter > newest)
        newest = max(newest, counter)
        last = host.last(ADDRESS, "temperature")
        assert last is not None
        assert last.value == newest / 10


@given(st.lists(st.integers(0, 255), min_size=1, max_size=40))
async def test_the_same_packet_id_is_one_packet(ids: list[int]) -> None:
    """Duplicates are dropped; while the device is there, so are older ones."""
    _, one = await device(key=None)
    before = None
    for number in ids:
        new = one.take(frame(1.0, number, None)) is not None
        assert new == (before is None or 0 < (number - before) % 256 < 128)
        before = number if new else before


async def test_a_lost_device_begins_anew_only_by_two_that_follow_each_other() -> None:
    """R7: one old packet sent again and again brings nobody back."""
    host, one = await device(key=None)
    one.take(frame(1.0, 200, None))
    one.look(host.clock.mono_ns() + 3 * NS)
    assert host.links[ADDRESS] == (False, "ble.lost")
    for _ in range(5):
        assert one.take(frame(9.0, 100, None)) is None
        assert one.take(frame(1.0, 200, None)) is None
    assert one.take(frame(2.0, 101, None)) is not None
    assert host.links[ADDRESS] == (True, "")


async def test_silence_is_told_within_three_intervals() -> None:
    host, one = await device()
    one.take(frame(1.0, 5))
    now = host.clock.mono_ns()
    one.look(now + 2 * NS)
    assert host.links[ADDRESS] == (True, "")
    one.look(now + int(2.75 * NS))
    assert host.links[ADDRESS] == (False, "ble.lost")
    last = host.last(ADDRESS, "temperature")
    assert last is not None
    assert last[:2] == (None, Quality.FAULT)


async def test_gas_without_a_key_is_an_alarm_but_no_evidence() -> None:
    """R7: anybody can send what is not authenticated."""
    gas = {"carbon_dioxide": {"kind": "gas", "quantity": "co2", "unit": "ppm"}}
    host, one = await device(key=None, entities=gas)
    kind = TABLE["carbon_dioxide"]
    data = service_data(encode(kind, 900), ADDRESS, None)
    one.take(Advert(ADDRESS, data))
    last = host.last(ADDRESS, "carbon_dioxide")
    assert last is not None
    assert last[:3] == (900.0, Quality.UNCERTAIN, "ble.unauthenticated")


async def test_a_wrong_key_is_told_once_nothing_good_is_heard() -> None:
    host, one = await device(key=bytes(16))
    one.take(frame(1.0, 5))
    assert host.links[ADDRESS] == (False, "ble.key")
    host, one = await device()
    one.take(frame(1.0, 5))
    one.take(frame(1.0, 6, bytes(16)))
    assert host.links[ADDRESS] == (True, "")
    assert host.counts["ble.key"] == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sources": [{}]}, "adapter"),
        ({"sources": [{"adapter": "hci0", "port": 1}]}, "has no 'port'"),
        ({"sources": [{"adapter": "usb"}]}, "hci0"),
        ({"devices": [{"address": "here"}]}, "address"),
        (
            {
                "devices": [
                    {"address": ADDRESS, "entities": {"door": {"critical": True}}}
                ]
            },
            "every_s",
        ),
        (
            {"devices": [{"address": ADDRESS, "entities": {"mass": {"kind": "gas"}}}]},
            "what a gas is",
        ),
        ({"devices": [{"address": ADDRESS}, {"address": ADDRESS}]}, "twice"),
    ],
)
def test_options_that_cannot_be_are_told(change: dict[str, Any], told: str) -> None:
    good = {"sources": [{"feed": "x"}], "devices": [{"address": ADDRESS}]}
    with pytest.raises(vol.Invalid, match=told):
        flow.schema()({**good, **change})


def test_a_finding_fills_the_form() -> None:
    filled = flow.prefill({"ble_address": "a4c138000001", "name": "ATC"})
    assert flow.schema()(filled)["devices"][0]["address"] == ADDRESS
    assert flow.secrets_of(flow.schema()(filled)) == ()
    with pytest.raises(vol.Invalid):
        flow.key("short")
