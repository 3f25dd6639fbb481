"""What tags say: each parser reads its format, and anything else is one error."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.positioning import dwm, pozyx, sewio
from integrations.positioning.model import (
    FAR_M,
    Identity,
    Sighting,
    UnreadableError,
    number,
)

LINE = (
    b"DIST,3,AN0,0A1B,0.00,0.00,2.50,4.12,AN1,2C3D,8.00,0.00,2.50,6.31,"
    b"AN2,4E5F,8.00,6.00,2.50,6.02,POS,2.51,3.02,1.18,84"
)
GOOD: dict[Callable[[bytes], Any], bytes] = {
    dwm.line: LINE,
    dwm.location: b'{"position":{"x":1,"y":2,"z":3,"quality":50}}',
    dwm.status: b'{"present":true,"batt":50}',
    dwm.config: b'{"configuration":{"label":"a","nodeType":"TAG"}}',
    pozyx.message: b'[{"tagId":"1","success":true,"data":{}}]',
    sewio.push: b'{"body":{"id":"1","datastreams":[{"id":"clr"}]}}',
    sewio.feeds: b'[{"id":"1","datastreams":[]}]',
}


@pytest.mark.parametrize(
    "parse", GOOD, ids=lambda p: f"{p.__module__[-6:]}.{p.__name__}"
)
def test_anything_is_read_or_is_one_error(parse: Callable[[bytes], Any]) -> None:
    """Requirement 1.16: 0 unhandled exceptions, whatever the network says."""
    good = GOOD[parse]
    parse(good)

    @given(
        st.one_of(
            st.binary(max_size=600),
            st.builds(lambda at, cut: good[:at] + cut + good[at:],
                      st.integers(0, len(good)), st.binary(max_size=8)),
            st.integers(0, len(good)).map(lambda at: good[:at]),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                max_leaves=8,
            ).map(lambda found: json.dumps(found).encode()),
        )
    )  # fmt: skip
    def fuzz(data: bytes) -> None:
        try:
            found = parse(data)
        except UnreadableError:
            return
        for each in found if isinstance(found, list) else [found]:
            assert each is None or isinstance(each, Identity | Sighting)
            if isinstance(each, Sighting) and each.at is not None:
                assert all(abs(part) <= FAR_M for part in each.at)
                assert all(each.metres > 0 for each in each.ranges)

    fuzz()


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_number_is_beyond_a_site(value: float) -> None:
    try:
        found = number(value, "x")
    except UnreadableError:
        assert not abs(value) <= FAR_M
    else:
        assert found is None if math.isnan(value) else found == value


def test_lines_run_together_are_no_ranges() -> None:
    """Devices.md §2.1: at high rates the module garbles its lines."""
    garbled = LINE.replace(b"8.00,0.00,2.50,6.31,", b"8.00,0,AN1,2C3D,8.00,0.00,")
    with pytest.raises(UnreadableError):
        dwm.line(garbled)


def test_one_anchor_twice_is_no_line() -> None:
    with pytest.raises(UnreadableError):
        dwm.line(LINE.replace(b"2C3D", b"0A1B"))


def test_listener_names_its_tags() -> None:
    found = dwm.line(b"POS,0,3B5C,1.00,2.00,0.50,72,x0A")
    assert isinstance(found, Sighting)
    assert (found.node, found.at, found.quality) == ("3b5c", (1.0, 2.0, 0.5), 72.0)


@pytest.mark.parametrize(
    "topic",
    [
        "dwm/node/3b5c/uplink/location",
        "dwm/0001/node/3b5c/uplink/location",
        "leaps/0001/node/uplink/location/3b5c",
        "leaps/node/uplink/location/deca1e1cef723b5c",
    ],
)
def test_topics_of_both_generations_name_the_node(topic: str) -> None:
    payload = b'{"position":{"x":1,"y":2,"z":3,"quality":90},"superFrameNumber":5}'
    found = dwm.message(topic, payload)
    assert found is not None and found.node == "3b5c" and found.counter == 5
    assert dwm.message(topic.replace("location", "data"), payload) is None
    shapes = [f for lead in ("dwm", "leaps") for f in dwm.filters(lead)]
    from integrations.positioning.simbroker import matches

    assert any(matches(shape, topic) for shape in shapes)


def test_gateway_that_is_gone_says_so() -> None:
    found = dwm.message("dwm/gateway/deca/uplink/status", b'{"present":false}')
    assert found is not None and (found.node, found.present) == ("", False)


def test_millimetres_and_failures_of_pozyx() -> None:
    told: dict[str, Any] = {"tagId": 7, "timestamp": 5.5, "success": True}
    told["data"] = {"coordinates": {"x": 1500, "y": -20, "z": 900}}
    (found,) = pozyx.message(json.dumps([told]).encode())
    assert found.at == (1.5, -0.02, 0.9) and found.node == "7"
    (found,) = pozyx.message(json.dumps([{**told, "success": False}]).encode())
    assert found.at is None


def test_sewios_strings_bear_blanks_and_utc() -> None:
    streams = [
        {"id": "posX", "current_value": " 6.34", "at": "2026-10-18 14:16:56.365"},
        {"id": "posY", "current_value": " 2.27", "at": "2026-10-18 14:16:56.365"},
    ]
    found = sewio.push(json.dumps({"body": {"id": "18", "datastreams": streams}}))
    assert found is not None and found.at == (6.34, 2.27, 0.0)
    assert found.stamp_s == 1792333016.365
