"""Shelly's frames: parsed or refused, never half believed (R27)."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.shelly import flow, wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sys", "uptime", "switch:0", "output", "temperature"])
            | st.text(max_size=6),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda d: repr(d).encode()))
def test_no_bytes_break_the_parser(raw: bytes) -> None:
    try:
        wire.parse(raw)
    except wire.WireError:
        pass


@given(JSON)
def test_no_status_breaks_the_driver(data: Any) -> None:
    for reader in (wire.status, wire.switch):
        try:
            reader(data)
        except wire.WireError:
            pass
    if isinstance(data, dict):
        try:
            wire.identity(data)
        except wire.WireError:
            pass


@given(st.text(max_size=100))
def test_no_challenge_breaks_the_driver(text: str) -> None:
    try:
        wire.challenge(text)
    except wire.WireError:
        pass


def test_a_frame_that_is_too_long_is_refused() -> None:
    with pytest.raises(wire.WireError, match="longer"):
        wire.parse(b"{" + b" " * wire.MAX_FRAME + b"}")


@pytest.mark.parametrize("figure", ["41.5", None, True, [1], 1e300])
def test_what_is_no_number_is_no_figure(figure: Any) -> None:
    assert "power" not in wire.switch({"output": True, "apower": figure}).figures


def test_a_password_is_proved_as_rfc_7616_says_and_never_told() -> None:
    asked = wire.Challenge("shellypro2-ec62608ab123", "1766000000")
    said = wire.proof(asked, "correct-horse", 3, "ab12")

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    first = sha("admin:shellypro2-ec62608ab123:correct-horse")
    second = sha("dummy_method:dummy_uri")
    assert said["response"] == sha(f"{first}:1766000000:3:ab12:auth:{second}")
    assert said["nonce"] == 1766000000
    assert b"correct-horse" not in msgspec.json.encode(said)


BOX: dict[str, Any] = {"host": "192.0.2.7", "mac": "ec:62:60:8a:b1:23"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mac": "192.0.2.7"}, "MAC address"),
        ({"port": 0}, "port 1-65535"),
        ({"poll_s": 0}, "0.2 to 60"),
        ({"outputs": {"9": "siren"}}, "channel 0-7"),
        ({"outputs": {"0": "syren"}}, "value must be one of"),
        ({"outputs": {"0": {"kind": "fan", "fail_safe": "off"}}}, "fail unsafe"),
        ({"outputs": {"0": "exit"}}, "fail unsafe"),
    ],
)
def test_a_fault_in_the_options_is_told(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Exception, match=says):
        flow.schema()({"devices": [{**BOX, **change}]})


def test_one_relay_is_not_named_twice() -> None:
    with pytest.raises(Exception, match="stands twice"):
        flow.schema()({"devices": [BOX, {**BOX, "host": "192.0.2.8"}]})


def test_options_are_made_from_what_was_found() -> None:
    facts = {"address": "192.0.2.7", "port": "80", "name": "shellypro2-ec62608ab123"}
    made = flow.prefill(facts)
    checked = flow.schema()(made)
    assert checked["devices"][0]["mac"] == "EC62608AB123"
    assert checked["devices"][0]["host"] == "192.0.2.7"


def test_secrets_are_named_once() -> None:
    checked = flow.schema()({"devices": [{**BOX, "password": "shelly.box"}]})
    assert flow.secrets_of(checked) == ("shelly.box",)
