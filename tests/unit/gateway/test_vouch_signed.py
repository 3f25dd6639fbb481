"""A signature is no way around the gateway's look at the blob that is named."""

import base64
from typing import Any

import msgspec
import pytest

from tests.support.phone import JPEG, Phone, digest
from tests.unit.gateway.conftest import Desk

NAMED: dict[str, Any] = {
    "permit_id": "pt-1",
    "slot": "evidence",
    "size": len(JPEG),
    "media": "image/jpeg",
    "taken_ms": 1_700_000_000_000,
}


def signed(verb: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return an act as a phone sends it; the core alone judges the signature."""
    told = {"v": 1, "hub": "h", "person": "p-chen", "verb": verb, "body": body, "at": 1}
    data = msgspec.json.encode(told, order="sorted").decode()
    sig = base64.b64encode(b"\0" * 64).decode()
    return {"proof": {"key": "k", "data": data, "sig": sig}}


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "signed"])
async def test_a_blob_that_is_not_here_is_never_named(
    owner: Desk, wrapped: bool
) -> None:
    """Design §5 Personal data: a blob is synced before the event that names it."""
    body = NAMED | {"sha256": "0" * 64}
    sent = signed("attachment.record", body) if wrapped else body
    status, problem = await owner.post("/api/v1/acts/attachment.record", sent)
    assert (status >= 400, problem["code"]) == (True, "attachment.missing")
    requests = owner.fixture.core.requests
    assert not [one for one in requests if one.verb == "attachment.record"]


async def test_a_blob_that_is_here_may_be_named_by_a_signature(owner: Desk) -> None:
    """Attachments by hash, each step signed."""
    name = await Phone(owner).bring(JPEG)
    assert name == digest(JPEG)
    sent = signed("attachment.record", NAMED | {"sha256": name})
    status, _ = await owner.post("/api/v1/acts/attachment.record", sent)
    assert status == 200
