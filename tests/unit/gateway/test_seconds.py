"""Acts of two persons: asked by one, signed by another on their own device."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from frontend_api.guard import COOKIE
from tests.support.waiting import until
from tests.unit.gateway.conftest import Desk
from tests.unit.gateway.test_signing import Device

VERB = "gas.oxygen_check"
BODY = {"reason": "the analyser drifts"}


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
async def other(owner: Desk) -> AsyncIterator[Desk]:
    """Return a second person's own browser."""
    secret = owner.fixture.gateway.accounts.begin("p-wang")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookies={COOKIE: secret}, cookie_jar=jar) as mine:
        yield Desk(owner.fixture, mine)


async def asked(desk: Desk, device: Device, at: int) -> dict[str, Any]:
    """Ask, as the owner."""
    proof = device.sign("p-chen", VERB, BODY, at=at)
    status, view = await desk.post("/api/v1/seconds", {"verb": VERB, "proof": proof})
    assert status == 200, view
    found: dict[str, Any] = view
    return found


def now(desk: Desk) -> int:
    return desk.fixture.gateway.replica.now_ms()


async def test_the_core_hears_of_it_once_both_have_signed(
    owner: Desk, other: Desk, device: Device
) -> None:
    """Design §5: two-person acts carry each person's own device signature."""
    core = owner.fixture.core
    before = len(core.requests)
    view = await asked(owner, device, now(owner))
    assert (view["state"], view["by"], view["body"]) == ("waiting", "p-chen", BODY)
    assert len(core.requests) == before
    path = f"/api/v1/seconds/{view['id']}/sign"
    mine = device.sign("p-chen", VERB, BODY, at=now(owner))
    status, problem = await owner.post(path, {"proof": mine})
    assert (status, problem["code"]) == (409, "signature.second_same")
    proof = device.sign("p-wang", VERB, BODY, at=now(owner))
    assert (await other.post(path, {"proof": proof}))[0] == 200
    request = core.requests[-1]
    assert (request.person_id, request.verb) == ("p-chen", VERB)
    assert request.proof is not None
    assert request.second is not None
    assert request.second.data == proof["data"].encode()
    seconds = owner.fixture.gateway.seconds
    assert [each.state for each in seconds.views().values()] == ["done"]
    status, problem = await other.post(path, {"proof": proof})
    assert (status, problem["code"]) == (409, "gateway.second_over")


async def test_who_may_ask_and_who_may_decline(
    owner: Desk, other: Desk, device: Device
) -> None:
    alien = device.sign("p-wang", VERB, BODY, at=now(owner))
    status, problem = await owner.post(
        "/api/v1/seconds", {"verb": VERB, "proof": alien}
    )
    assert (status, problem["code"]) == (403, "gateway.not_allowed")
    hold = device.sign("p-chen", "permit.hold", {"permit_id": "p", "reason": "r"})
    status, problem = await owner.post(
        "/api/v1/seconds", {"verb": "permit.hold", "proof": hold}
    )
    assert (status, problem["code"]) == (404, "gateway.unknown_act")
    view = await asked(owner, device, now(owner))
    url = f"{owner.fixture.url}/api/v1/seconds/{view['id']}"
    async with owner.session.delete(url, headers=owner.headers) as answer:
        assert answer.status == 204
    seconds = owner.fixture.gateway.seconds
    assert seconds.views()[view["id"]].state == "declined"


async def test_a_request_grows_old_and_a_new_one_takes_its_place(
    owner: Desk, device: Device
) -> None:
    seconds = owner.fixture.gateway.seconds
    first = await asked(owner, device, now(owner))
    again = await asked(owner, device, now(owner))
    assert list(seconds.views()) == [again["id"]] != [first["id"]]
    late = await asked(owner, device, now(owner) - 119_000)
    await until(lambda: seconds.views()[late["id"]].state == "expired", "it to expire")


async def test_a_refusal_is_shown_and_a_wrong_key_is_not_the_end(
    owner: Desk, other: Desk, device: Device
) -> None:
    core, seconds = owner.fixture.core, owner.fixture.gateway.seconds
    view = await asked(owner, device, now(owner))
    path = f"/api/v1/seconds/{view['id']}/sign"
    proof = device.sign("p-wang", VERB, BODY, at=now(owner))
    core.refuse[VERB] = ("signature.key_pending", {"key": "k"})
    status, problem = await other.post(path, {"proof": proof})
    assert (status, problem["code"]) == (409, "signature.key_pending")
    assert seconds.views()[view["id"]].state == "waiting"
    core.refuse[VERB] = ("journal.not_durable", {})
    assert (await other.post(path, {"proof": proof}))[0] == 503
    shown = seconds.views()[view["id"]]
    assert (shown.state, bool(shown.text.zh)) == ("refused", True)
