"""The decoder never raises and never makes a value of what is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import EntityKind, Quality
from core.api.documents import parse as parse_yaml
from core.api.documents import shipped
from integrations.modbus.decode import VALUELESS, decode, number, put
from integrations.modbus.load import FOLDER, load, parse
from integrations.modbus.profile import Image, Profile, Register

WORD = st.integers(0, 0xFFFF)
PROFILES = st.sampled_from(shipped(FOLDER)).map(load)
AGES = st.one_of(st.none(), st.floats(0, 100))


@given(st.data(), PROFILES, AGES)
def test_any_registers_decode_to_judged_values(
    data: st.DataObject, checked: Profile, age: float | None
) -> None:
    """Design §5: whatever a device sends, nothing raises and no NaN is a value."""
    cells = [
        (b.function, b.address + i) for b in checked.blocks for i in range(b.count)
    ]
    words = data.draw(st.lists(WORD, min_size=len(cells), max_size=len(cells)))
    missing = data.draw(st.sets(st.sampled_from(cells), max_size=3))
    image = {c: w for c, w in zip(cells, words, strict=True) if c not in missing}
    found = decode(checked, image, heartbeat_age_s=age)
    assert found.keys() == checked.entities.keys()
    for uid, (value, quality, reason) in found.items():
        assert quality is Quality.GOOD or reason.startswith("modbus.")
        if quality in VALUELESS:
            assert value is None
        else:
            assert value is not None
        if isinstance(value, float):
            assert math.isfinite(value)
        if not checked.evidence and checked.entities[uid].kind is EntityKind.GAS:
            assert quality is not Quality.GOOD


def registers(kind: str) -> st.SearchStrategy[Register]:
    return st.builds(
        Register,
        name=st.just("r"),
        function=st.just(3),
        address=st.integers(0, 65000),
        type=st.just(kind),
        little=st.booleans(),
    )


VALUES: dict[str, st.SearchStrategy[float]] = {
    "u16": st.integers(0, 0xFFFF),
    "i16": st.integers(-0x8000, 0x7FFF),
    "u32": st.integers(0, 0xFFFFFFFF),
    "i32": st.integers(-0x80000000, 0x7FFFFFFF),
    "f32": st.floats(
        width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False
    ),
    "u8hi": st.integers(0, 255),
    "u8lo": st.integers(0, 255),
    "u8dec": st.integers(0, 2559).map(lambda n: n / 10),
    "bcd": st.integers(0, 9999),
}


@pytest.mark.parametrize("kind", VALUES)
@given(st.data())
def test_what_the_encoder_writes_the_decoder_reads(
    kind: str, data: st.DataObject
) -> None:
    """The simulator is the decoder's inverse, in both word orders."""
    register = data.draw(registers(kind))
    value = data.draw(VALUES[kind])
    image: Image = {}
    put(register, value, image)
    assert number(register, image) == value


@given(st.integers(0, 15), st.integers(0, 15), WORD, st.data())
def test_bit_fields_keep_their_neighbours(
    one: int, other: int, before: int, data: st.DataObject
) -> None:
    """A field is written without touching the bits beside it."""
    first, last = sorted((one, other))
    register = Register(name="f", function=3, address=7, type="u16", bits=(first, last))
    value = data.draw(st.integers(0, (1 << (last - first + 1)) - 1))
    image: Image = {(3, 7): before}
    put(register, value, image)
    assert number(register, image) == value
    mask = ((1 << (last - first + 1)) - 1) << first
    assert image[3, 7] & ~mask == before & ~mask


@pytest.mark.parametrize(
    ("kind", "value"),
    [("u16", 70000), ("i16", -40000), ("u8hi", 256), ("bcd", 12345), ("u8dec", 300)],
)
def test_what_does_not_fit_is_refused(kind: str, value: float) -> None:
    """A simulator set to nonsense says so."""
    register = Register(name="r", function=3, address=0, type=kind)
    with pytest.raises((ValueError, OverflowError)):
        put(register, value, {})


@given(st.floats(allow_nan=True, allow_infinity=True, width=32))
def test_float_that_is_no_number_is_a_fault(value: float) -> None:
    """Design §5: NaN and infinity never become values, nor do swapped words."""
    profile = load("draeger-polytron-8000")
    image: Image = {}
    put(profile.registers["gas"], value, image)
    gas = decode(profile, image)["gas"]
    if math.isfinite(value) and (not value or abs(value) >= 2.0**-126):
        assert (gas.value, gas.quality) == (value, Quality.UNCERTAIN)
    else:
        assert gas == (None, Quality.FAULT, "modbus.not_a_number")


@given(st.integers(4, 32_768).map(lambda eighths: eighths / 8))
def test_swapped_words_of_a_plain_number_are_a_fault(value: float) -> None:
    """Issue §4, wrong word order: 12.5 must not arrive as almost nothing."""
    register = Register(name="r", function=3, address=0, type="f32")
    image: Image = {}
    put(register, value, image)
    high, low = image[3, 0], image[3, 1]
    swapped: Image = {(3, 0): low, (3, 1): high}
    if low == 0:
        assert number(register, swapped) is None


TRICKY = """
profile: tricky
version: 1
names: {en: Tricky, zh: 测试}
manufacturer: none
model: none
source: this test
registers:
  gas: {address: 0, type: u16}
  mode: {address: 1, type: u16}
entities:
  gas:
    kind: gas
    names: {en: Gas, zh: 气体}
    quantity: h2s
    unit: ppm
    from: gas
    range: [0, 100]
    over_raw: 0xFFFF
    valid_when: {from: mode, in: [2, 3], otherwise: "inhibited:inhibit"}
vectors:
  - name: none
    expect: {gas: {quality: inhibited, reason: inhibit}}
"""


@pytest.mark.parametrize(
    ("raw", "mode", "expected"),
    [
        (50, 2, (50.0, Quality.GOOD, "")),
        (50, 3, (50.0, Quality.GOOD, "")),
        (50, 1, (None, Quality.INHIBITED, "modbus.inhibit")),
        (101, 2, (101.0, Quality.UNCERTAIN, "modbus.over_range")),
        (0xFFFF, 2, (100.0, Quality.UNCERTAIN, "modbus.over_range")),
        (0xFFFF, 1, (None, Quality.INHIBITED, "modbus.inhibit")),
    ],
)
def test_over_range_keeps_a_value_that_can_act(
    raw: int, mode: int, expected: tuple[float | None, Quality, str]
) -> None:
    """Design §5 Truth: over-range is an alarm, not a fault, unless inhibited."""
    profile = parse(parse_yaml(TRICKY, "tricky.yaml"))
    assert decode(profile, {(3, 0): raw, (3, 1): mode})["gas"] == expected
