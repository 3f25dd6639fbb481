"""A map that nobody knows: found against the display at two points (issue 5 §2)."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.unknown_map import MapAsk, Point
from integrations.modbus import load
from integrations.modbus.decode import decode
from integrations.modbus.decodings import every, matched, name, read
from integrations.modbus.profile import ORDERS
from integrations.modbus.unknown import answer


def words(value: float, order: str) -> list[int]:
    """Return a float's two registers as a device of this order sends them."""
    high, low = struct.unpack(">2H", struct.pack(">f", value))
    pair = [high, low] if order.startswith("big") else [low, high]
    if order.endswith("_swapped"):
        pair = [(each & 0xFF) << 8 | each >> 8 for each in pair]
    return pair


@given(
    order=st.sampled_from(ORDERS),
    shown=st.floats(1.0, 500.0, width=32),
    noise=st.lists(st.integers(0, 0xFFFF), min_size=3, max_size=6),
)
def test_the_right_order_agrees_at_both_points(
    order: str, shown: float, noise: list[int]
) -> None:
    """Every order of a float's words is tried, and the device's own is found."""
    zero = Point(shown=0.0, registers=[*words(0.0, order), *noise])
    span = Point(shown=shown, registers=[*words(shown, order), *noise])
    found = every(40, span.registers, "holding", {"zero": zero, "span": span})
    right = name(40, "f32", order, 1.0)
    assert matched(right, found)
    # What stands still is no measurement: it cannot agree with two displays.
    still = {each.id for each in found if each.address > 41}
    assert not any(matched(each, found) for each in still)


@given(raw=st.lists(st.integers(-1, 0xFFFF), max_size=30))
def test_any_registers_can_be_shown(raw: list[int]) -> None:
    """Bad input never becomes an error, nor a value that was not read."""
    for each in every(0, raw, "input", {}):
        assert read(each.id, 0, raw, "input") == each.value


def ask(tmp_path: Path, **more: Any) -> MapAsk:
    fields: dict[str, Any] = {
        "op": "profile", "data": str(tmp_path), "place": "127.0.0.1:502", "unit": 7,
        "first": 10, "registers": [250, 0], "decoding": "10:u16:-:0.1",
        "profile": "pit-h2s", "zh": "硫化氢", "en": "H2S", "quantity": "h2s",
        "unit_text": "ppm", "full_scale": 100.0,
        "points": {
            "zero": Point(shown=0.0, registers=[0, 0]),
            "span": Point(shown=25.0, registers=[250, 0]),
        },
    }  # fmt: skip
    return MapAsk(**{**fields, **more})


def test_a_matched_map_is_evidence_and_owes_daily_bump_tests(tmp_path: Path) -> None:
    told = answer(ask(tmp_path))
    assert (told.problem, told.evidence, told.bump_every_h) == (None, True, 24.0)
    made = load.load(told.profile)
    found = decode(made, {(3, 10): 123})["gas"]
    assert (found.value, int(found.quality)) == (12.3, 0)
    assert made.bump_every_h == 24.0


@pytest.mark.parametrize("left", ["zero", "span"])
def test_one_point_is_no_evidence(tmp_path: Path, left: str) -> None:
    points = ask(tmp_path).points
    told = answer(ask(tmp_path, points={left: points[left]}))
    assert not told.evidence
    found = decode(load.load(told.profile), {(3, 10): 123})["gas"]
    # It alarms, and proves nothing.
    assert (found.value, int(found.quality)) == (12.3, 1)


def test_with_a_status_register_no_bump_test_is_owed(tmp_path: Path) -> None:
    told = answer(ask(tmp_path, status=11, status_good=0))
    assert (told.problem, told.bump_every_h) == (None, None)
    made = load.load(told.profile)
    assert int(decode(made, {(3, 10): 250, (3, 11): 4})["gas"].quality) == 5


def test_another_map_is_another_profile(tmp_path: Path) -> None:
    """What is armed is named by its content, so a changed map is a changed bundle."""
    first = answer(ask(tmp_path)).profile
    other = answer(ask(tmp_path, full_scale=200.0)).profile
    assert first != other


def test_a_decoding_that_is_none_is_refused(tmp_path: Path) -> None:
    assert answer(ask(tmp_path, decoding="10:u16:-:3")).problem
    assert answer(ask(tmp_path, op="read", place="nowhere")).problem
