"""The gateway hands on what was signed, and proves nothing but PINs."""

import base64
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.journal import proofs
from core.journal.envelope import Proof
from tests.unit.gateway.conftest import Desk

PIN = "482913"
HOLD = {"permit_id": "pt-1", "reason": "smell"}


class Device:
    """Sign as a browser does."""

    def __init__(self) -> None:
        self.key = ec.derive_private_key(7, ec.SECP256R1())

    def sign(self, person: str, verb: str, body: Any, **fields: Any) -> dict[str, str]:
        told = {"v": 1, "hub": "h", "person": person, "verb": verb, "body": body}
        told |= {"at": 1_790_000_000_000} | fields
        data = msgspec.json.encode(told, order="sorted")
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(SHA256())))
        sig = r.to_bytes(32) + s.to_bytes(32)
        return {
            "key": "k" * 32,
            "data": data.decode(),
            "sig": base64.b64encode(sig).decode(),
        }


@pytest.fixture
def device() -> Device:
    return Device()


async def test_a_proof_reaches_the_core_as_it_was_signed(
    owner: Desk, device: Device
) -> None:
    """Byte for byte: also what is not ASCII."""
    body = HOLD | {"reason": "气味"}
    proof = device.sign("p-chen", "permit.hold", body)
    second = device.sign("p-wang", "permit.hold", body)
    status, done = await owner.act("permit.hold", {"proof": proof, "second": second})
    assert (status, done.get("code")) == (200, None)
    request = owner.fixture.core.requests[-1]
    assert request.proof is not None
    assert request.proof.data == proof["data"].encode()
    assert proofs.holds(_public(device), request.proof)
    assert request.second == Proof(
        key="k" * 32,
        data=second["data"].encode(),
        sig=base64.b64decode(second["sig"]),
    )
    assert msgspec.msgpack.decode(request.body)["reason"] == "气味"


def _public(device: Device) -> bytes:
    key = device.key.public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


async def test_what_is_refused_at_the_door(owner: Desk, device: Device) -> None:
    core = owner.fixture.core
    before = len(core.requests)
    mine = device.sign("p-chen", "permit.hold", HOLD)
    for body, code in (
        ({"proof": device.sign("p-wang", "permit.hold", HOLD)}, "gateway.not_allowed"),
        ({"proof": mine, "reason": "x"}, "gateway.bad_request"),
        ({"proof": mine | {"data": "{}"}}, "signature.malformed"),
        ({"proof": mine | {"sig": "no base64"}}, "gateway.bad_request"),
        ({"proof": mine | {"more": 1}}, "gateway.bad_request"),
        ({"proof": device.sign("p-chen", "permit.hold", [])}, "gateway.bad_request"),
        ({"proof": "x"}, "gateway.bad_request"),
    ):
        status, problem = await owner.act("permit.hold", body)
        assert (status >= 400, problem["code"]) == (True, code), body
    assert len(core.requests) == before


async def test_a_refused_act_may_be_signed_anew_under_its_key(
    owner: Desk, device: Device
) -> None:
    core = owner.fixture.core
    core.refuse["permit.hold"] = ("signature.stale", {"seconds": 200})
    key = {"Idempotency-Key": "k9"}
    first = {"proof": device.sign("p-chen", "permit.hold", HOLD)}
    status, problem = await owner.act("permit.hold", first, key)
    assert (status, problem["code"]) == (409, "signature.stale")
    core.refuse.clear()
    again = {"proof": device.sign("p-chen", "permit.hold", HOLD, at=1_790_000_000_001)}
    assert (await owner.act("permit.hold", again, key))[0] == 200


async def _set_pin(desk: Desk, pin: str) -> tuple[int, Any]:
    url = f"{desk.fixture.url}/api/v1/pin"
    async with desk.session.put(url, json={"pin": pin}, headers=desk.headers) as answer:
        body = await answer.json(content_type=None) if answer.status != 204 else {}
        return answer.status, body


async def test_a_pin_and_a_witness(owner: Desk, device: Device) -> None:
    """The signer's PIN is checked here; the witness's key in the core."""
    for weak in ("12345", "111112", "abcdef", "1" * 13):
        assert (await _set_pin(owner, weak))[0] == 422
    assert (await _set_pin(owner, PIN))[0] == 204
    store = owner.fixture.gateway.accounts
    store.set_pin("p-wang", store.pin("p-chen"))
    sign = {"method": "pin_witness", "witness": "p-chen"}
    proof = device.sign("p-wang", "permit.hold", HOLD, **sign)
    body = {"proof": proof, "pin": PIN}
    assert (await owner.act("permit.hold", body))[0] == 200
    assert owner.fixture.core.requests[-1].person_id == "p-wang"
    sign["witness"] = "p-wang"
    other = device.sign("p-wang", "permit.hold", HOLD, **sign)
    status, problem = await owner.act("permit.hold", {"proof": other, "pin": PIN})
    assert (status, problem["code"]) == (403, "gateway.not_allowed")
    codes = []
    for _ in range(11):
        _, problem = await owner.act("permit.hold", {"proof": proof, "pin": "000001"})
        codes.append(problem["code"])
    assert codes == ["gateway.wrong_pin"] * 10 + ["gateway.too_often"]


async def test_a_terminals_token_brings_only_what_it_signed(
    owner: Desk, device: Device
) -> None:
    body = {"name": "gate 1", "scopes": ["terminal"]}
    status, made = await owner.post("/api/v1/tokens", body)
    assert status == 201
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert (await owner.act("permit.hold", HOLD, headers))[0] == 403
    mine = {"proof": device.sign("p-chen", "permit.hold", HOLD)}
    assert (await owner.act("permit.hold", mine, headers))[0] == 403
    sign = {"method": "terminal", "card": "c-1"}
    proof = device.sign("p-wang", "permit.hold", HOLD, **sign)
    assert (await owner.act("permit.hold", {"proof": proof}, headers))[0] == 200
    assert owner.fixture.core.requests[-1].person_id == "p-wang"


async def test_keys_are_listed_with_the_hub_they_sign_for(owner: Desk) -> None:
    status, found = await owner.get("/api/v1/keys")
    assert status == 200
    assert found["items"] == []
    assert found["pin"] is False
    assert found["hub"] == owner.fixture.gateway.replica.state.hub.id
