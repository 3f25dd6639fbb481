"""Who may speak: claim, login, one-time codes, tokens, origins (reliability §4)."""

import asyncio
import stat
from pathlib import Path

import aiohttp
import pytest

from core.clock import SimClock
from frontend_api import accounts, claim, limits
from frontend_api.accounts import Accounts
from frontend_api.guard import COOKIE
from tests.ui.fixture_server import Fixture
from tests.unit.gateway.conftest import PASSWORD, Desk


async def test_fifty_claims_at_once_make_one_owner(fixture: Fixture) -> None:
    """Reliability §4 First-run takeover window: exactly one owner."""
    people = [p.id for p in fixture.gateway.replica.bundle.people]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        desks = [Desk(fixture, session) for _ in range(50)]
        answers = await asyncio.gather(
            *(
                desk.post(
                    "/api/v1/auth/claim",
                    {
                        "code": fixture.code,
                        "person_id": people[number % len(people)],
                        "password": PASSWORD,
                    },
                )
                for number, desk in enumerate(desks)
            )
        )
    assert sorted(status for status, _ in answers) == [200] + [410] * 49
    claims = [r for r in fixture.core.requests if r.verb == "hub.claim"]
    assert len(claims) == 1
    assert fixture.gateway.accounts.owner() == claims[0].person_id
    assert len(fixture.gateway.accounts.listed()) == 1


async def test_without_the_code_nobody_is_owner(anyone: Desk) -> None:
    wrong = {"code": "AAAA-BBBB-CCCC", "person_id": "p-chen", "password": PASSWORD}
    for _ in range(limits.TRIES):
        status, problem = await anyone.post("/api/v1/auth/claim", wrong)
        assert (status, problem["code"]) == (403, "gateway.wrong_code")
    right = wrong | {"code": anyone.fixture.code}
    status, problem = await anyone.post("/api/v1/auth/claim", right)
    assert (status, problem["code"]) == (429, "gateway.too_often")
    assert anyone.fixture.gateway.accounts.owner() == ""


async def test_the_code_alone_lists_people_and_ends_with_the_claim(
    anyone: Desk,
) -> None:
    body = {"code": anyone.fixture.code.lower().replace("-", " ")}
    status, reply = await anyone.post("/api/v1/auth/claim", body)
    assert status == 200
    assert {"p-chen", "p-li"} <= {one["id"] for one in reply["people"]}
    await anyone.claim()
    status, problem = await anyone.post("/api/v1/auth/claim", body)
    assert (status, problem["code"]) == (410, "gateway.claimed")


async def test_the_claim_fails_whole_when_the_core_refuses(anyone: Desk) -> None:
    core = anyone.fixture.core
    core.refuse["hub.claim"] = ("journal.not_durable", {})
    body = {"code": anyone.fixture.code, "person_id": "p-chen", "password": PASSWORD}
    status, _ = await anyone.post("/api/v1/auth/claim", body)
    assert status == 503
    assert anyone.fixture.gateway.accounts.owner() == ""
    core.refuse.clear()
    await anyone.claim()


async def test_the_cookie_cannot_be_read_or_sent_from_elsewhere(owner: Desk) -> None:
    body = {"account": "陈建国", "password": PASSWORD}
    async with owner.session.post(
        owner.fixture.url + "/api/v1/auth/login", json=body, headers=owner.headers
    ) as answer:
        cookie = answer.cookies[COOKIE]
    assert answer.status == 200
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Strict"
    assert PASSWORD not in str(answer.headers)


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_a_cookie_from_another_origin_is_refused(
    owner: Desk, origin: str | None
) -> None:
    owner.headers = {"Origin": origin} if origin else {}
    body = {"permit_id": "pt-1", "reason": "x"}
    status, problem = await owner.act("permit.hold", body)
    assert (status, problem["code"]) == (403, "gateway.wrong_origin")
    headers = dict(owner.headers)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await owner.session.ws_connect(
            owner.fixture.url + "/api/websocket", headers=headers
        )
    assert refused.value.status == 403


async def test_ten_wrong_passwords_close_the_account_and_the_source(
    owner: Desk,
) -> None:
    wrong = {"account": "p-chen", "password": "guess guess guess"}
    answers = await asyncio.gather(
        *(owner.post("/api/v1/auth/login", wrong) for _ in range(15))
    )
    codes = [status for status, _ in answers]
    assert codes.count(401) == limits.TRIES
    assert codes.count(429) == 5
    right = {"account": "p-chen", "password": PASSWORD}
    status, problem = await owner.post("/api/v1/auth/login", right)
    assert (status, problem["params"]["seconds"] > 0) == (429, True)
    # A session that stands goes on: an emergency is no time to be locked out.
    assert (await owner.get("/api/v1/session"))[0] == 200


async def test_an_unknown_account_looks_like_a_wrong_password(owner: Desk) -> None:
    known = await owner.post(
        "/api/v1/auth/login", {"account": "p-chen", "password": "x" * 12}
    )
    unknown = await owner.post(
        "/api/v1/auth/login", {"account": "nobody", "password": "x" * 12}
    )
    assert known == unknown


async def test_a_one_time_code_works_once(owner: Desk) -> None:
    status, invited = await owner.post("/api/v1/accounts", {"person_id": "p-zhao"})
    assert status == 201
    body = {"code": invited["code"], "password": PASSWORD}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        guardian = Desk(owner.fixture, session)
        status, shown = await guardian.post("/api/v1/auth/enrol", body)
        assert (status, shown["roles"]) == (200, ["guardian"])
        assert "permit.hold" in shown["verbs"]
        assert "person.roles" not in shown["verbs"]
        status, problem = await guardian.post("/api/v1/auth/enrol", body)
        assert (status, problem["code"]) == (403, "gateway.wrong_code")
        status, _ = await guardian.post("/api/v1/accounts", {"person_id": "p-wu"})
        assert status == 403
        status, _ = await guardian.post("/api/v1/auth/logout")
        assert status == 204
        assert (await guardian.get("/api/v1/session"))[0] == 401


async def test_a_weak_password_is_refused_before_anything_happens(
    anyone: Desk,
) -> None:
    body = {"code": anyone.fixture.code, "person_id": "p-chen", "password": "short"}
    status, problem = await anyone.post("/api/v1/auth/claim", body)
    assert (status, problem["code"]) == (422, "gateway.weak_password")
    assert not anyone.fixture.core.state.people.owner_id


async def test_tokens_are_scoped_shown_once_and_revocable(owner: Desk) -> None:
    body = {"name": "display", "scopes": ["read"]}
    status, made = await owner.post("/api/v1/tokens", body)
    assert status == 201
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    async with aiohttp.ClientSession() as session:
        machine = Desk(owner.fixture, session)
        machine.headers = bearer
        assert (await machine.get("/api/v1/permits", headers=bearer))[0] == 200
        status, problem = await machine.act(
            "permit.hold", {"permit_id": "pt-1", "reason": "x"}
        )
        assert (status, problem["code"]) == (403, "gateway.not_allowed")
        assert (await machine.post("/api/v1/tokens", body))[0] == 403
        _, listed = await owner.get("/api/v1/tokens")
        assert made["secret"] not in str(listed)
        token_id = listed["items"][0]["id"]
        url = f"{owner.fixture.url}/api/v1/tokens/{token_id}"
        async with owner.session.delete(url, headers=owner.headers) as answer:
            assert answer.status == 204
        assert (await machine.get("/api/v1/permits", headers=bearer))[0] == 401


async def test_a_scope_that_means_nothing_is_refused(owner: Desk) -> None:
    body = {"name": "x", "scopes": ["everything"]}
    assert (await owner.post("/api/v1/tokens", body))[0] == 422


async def test_sessions_and_accounts_outlive_the_gateway(tmp_path: Path) -> None:
    """Design §3: the gateway may die; nobody is logged out in an emergency."""
    clock = SimClock()
    first = Accounts(tmp_path / "gateway.db", clock)
    assert first.claim("p-chen", accounts.hash_password(PASSWORD))
    assert not first.claim("p-li", "other")
    secret = first.begin("p-chen")
    first.close()
    second = Accounts(tmp_path / "gateway.db", clock)
    found = second.session(secret)
    assert found is not None
    assert found.person_id == "p-chen"
    assert accounts.check_password(second.password("p-chen"), PASSWORD)
    clock.advance(accounts.SESSION_S + 1)
    assert second.session(secret) is None
    second.close()


def test_secrets_on_disk_are_hashes_in_files_of_the_owner_alone(
    tmp_path: Path,
) -> None:
    store = Accounts(tmp_path / "gateway.db", SimClock())
    secret = store.begin("p-chen")
    code = store.invite("p-li")
    token, _ = store.mint("p-chen", "x", ("read",))
    store.close()
    claimed = claim.ensure(tmp_path)
    assert claim.ensure(tmp_path) == claimed
    for path in (tmp_path / "gateway.db", tmp_path / claim.CLAIM_FILE):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = b"".join(p.read_bytes() for p in tmp_path.glob("gateway.db*"))
    for each in (secret, token, accounts.plain(code)):
        assert each.encode() not in written


def test_two_hubs_differ_in_every_secret(tmp_path: Path) -> None:
    """Reliability §4 Secrets."""
    codes = {claim.ensure(tmp_path / name) for name in ("a", "b", "c")}
    assert len(codes) == 3
