"""The form of the OPC UA options: proof before secrets, no guessed nodes (R27, R30)."""

import copy
from typing import Any

import pytest
import voluptuous as vol
from hypothesis import given
from hypothesis import strategies as st

from core.api import ConfigError
from integrations.opcua import flow, identity

PRINT = "ab" * 32
GOOD: dict[str, Any] = {
    "servers": [
        {
            "id": "plc",
            "host": "192.0.2.7",
            "security": {
                "policy": "basic256sha256",
                "fingerprint": PRINT,
                "identity": "opcua.identity",
            },
            "username": "hub",
            "password": "opcua.plc",
            "devices": [
                {
                    "uid": "GC-1",
                    "namespace": "urn:plc",
                    "profile": "gas_controller",
                    "base": "A.B",
                }
            ],
        }
    ]
}


def changed(**server: Any) -> dict[str, Any]:
    options = copy.deepcopy(GOOD)
    options["servers"][0].update(server)
    return options


def wrong(options: dict[str, Any]) -> str:
    with pytest.raises(vol.MultipleInvalid) as caught:
        flow.schema()(options)
    return str(caught.value)


def test_secrets_are_names_and_the_profile_fills_the_map() -> None:
    options = flow.schema()(GOOD)
    assert flow.secrets_of(options) == ("opcua.plc", "opcua.identity")
    device = options["servers"][0]["devices"][0]
    assert flow.entities(device)["siren"]["write"] == "s=A.B.SirenCommand"
    beat = flow.heartbeat(device)
    assert beat is not None
    assert beat["node"] == "s=A.B.Heartbeat"


def test_no_password_to_whoever_answers() -> None:
    """Design §5 Security: secrets are never sent to an unproven peer."""
    assert "has proved itself" in wrong(changed(security={}))


def test_security_needs_a_pinned_certificate() -> None:
    assert "fingerprint" in wrong(
        changed(security={"policy": "basic256sha256", "identity": "x"})
    )
    spaced = ":".join(PRINT[i : i + 2].upper() for i in range(0, 64, 2))
    assert flow.fingerprint_of(spaced) == PRINT


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ({"uid": "a"}, "profile"),
        ({"uid": "a", "profile": "nothing"}, "no OPC UA profile"),
        (
            {"uid": "a", "entities": {"g": {"node": "ns=2;s=x", "kind": "sensor"}}},
            "index moves",
        ),
        (
            {"uid": "a", "entities": {"g": {"node": "i=1", "kind": "gas"}}},
            "what a gas is",
        ),
        (
            {"uid": "a", "entities": {"g": {"node": "i=1", "kind": "output"}}},
            "go together",
        ),
        ({"uid": "a", "entities": {"g": {"kind": "sensor"}}}, "node"),
    ],
)
def test_a_device_that_cannot_be_is_told(device: dict[str, Any], told: str) -> None:
    assert told in wrong(changed(devices=[device]))


def test_a_finding_fills_the_form_without_trusting_it() -> None:
    """Discovery only proposes: no fingerprint is taken over from the network."""
    filled = flow.prefill(
        {
            "name": "PLC 1!",
            "address": "192.0.2.9",
            "port": "4841",
            "policy": "basic256sha256",
            "fingerprint": PRINT,
        }
    )
    server = filled["servers"][0]
    assert (server["host"], server["port"], server["id"]) == (
        "192.0.2.9",
        4841,
        "plc_1_",
    )
    assert "fingerprint" not in server["security"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["servers", "id", "host", "devices", "uid", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_the_form_refuses_by_its_own_error(options: Any) -> None:
    with pytest.raises(vol.Invalid):
        flow.schema()(options)


def test_an_identity_is_read_back_and_a_broken_one_told() -> None:
    made = identity.Identity(identity.make("urn:hub"))
    assert made.application_uri == "urn:hub"
    assert len(identity.fingerprint(made.certificate)) == 64
    chain = made.certificate + made.certificate
    assert identity.fingerprint(chain) == identity.fingerprint(made.certificate)
    with pytest.raises(ConfigError, match="PEM"):
        identity.Identity("nothing")
