"""The page's routes for notices: addresses kept, never shown; who may give which."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from core import config
from core.channels.push import unb64
from core.channels.services import RELAY, group_secret, secret_name
from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.link.messages import Armed, NoticeResult
from core.names import Names
from core.registry.secrets import Secrets
from core.response.notices_config import NoticeChannel, NoticePolicy
from frontend_api.notice_stats import tally
from frontend_api.replica import Kept
from tests.protocol.notice_sinks import Browser
from tests.support.waiting import until
from tests.ui.works_server import WorksServer, running

BOT = "wecombot://12345678-aaaa-bbbb-cccc-1234567890ab"
TEAM = NoticeChannel(id="team", names=Names(zh="群", en="Team"))


class Caller:
    """Speak to the gateway as one person's browser."""

    def __init__(
        self, server: WorksServer, session: aiohttp.ClientSession, person: str
    ) -> None:
        cookie = server.session(person)
        self._url, self._session = server.url, session
        self._headers = {
            "Origin": server.url,
            "Cookie": f"{cookie['name']}={cookie['value']}",
        }

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and answer."""
        url = self._url + path
        async with self._session.request(
            method, url, json=body, headers=self._headers
        ) as answer:
            text = await answer.text()
            return answer.status, msgspec.json.decode(text) if text else None


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WorksServer]:
    async with running(WorksServer(tmp_path)) as found:
        works = found.works
        policy = NoticePolicy(channels=(TEAM,))
        works.bundle = msgspec.structs.replace(works.bundle, notices=policy)
        works.hub.load(works.bundle)
        data = config.dump(works.bundle)
        await until(lambda: found.gateway.replica.reachable, "the first snapshot")
        found.gateway.replica.receive(Armed(config.digest(data), data))
        yield found


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as found:
        yield found


async def test_an_address_is_kept_and_only_a_trace_is_shown(
    server: WorksServer, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    sue = Caller(server, session, "sue")
    address = "ntfys://user:secret@ntfy.example/secret-topic"
    status, _ = await sue.ask("PUT", "/api/v1/my/channels/chat", {"address": address})
    assert status == 204
    status, told = await sue.ask("GET", "/api/v1/my/channels")
    assert status == 200
    shown = next(one for one in told["items"] if one["channel"] == "chat")
    assert shown == {
        "channel": "chat",
        "service": "ntfys",
        "hint": "ntf···",
        "fixed": False,
    }
    assert "secret" not in str(told)
    assert Secrets(tmp_path).get(secret_name("sue", "chat")) == address
    events = str(server.works.events())
    assert "secret-topic" not in events
    status, _ = await sue.ask("DELETE", "/api/v1/my/channels/chat")
    assert status == 204
    assert Secrets(tmp_path).get(secret_name("sue", "chat")) == ""


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("nonsense", 422, "contact.address"),
        ("syslog://localhost", 422, "contact.service"),
        (BOT, 403, "contact.not_own"),
        ("json://10.0.0.1/admin", 403, "contact.not_own"),
        ("x" * 1001, 422, "gateway.bad_request"),
    ],
)
async def test_what_may_not_be_given_says_why(
    server: WorksServer,
    session: aiohttp.ClientSession,
    address: str,
    status: int,
    code: str,
) -> None:
    """A worker cannot make the hub call other machines of the site."""
    ann = Caller(server, session, "ann")
    body = {"address": address}
    found, told = await ann.ask("PUT", "/api/v1/my/channels/chat", body)
    assert (found, told["code"]) == (status, code)


async def test_reserved_names_are_refused(
    server: WorksServer, session: aiohttp.ClientSession
) -> None:
    ann = Caller(server, session, "ann")
    for channel, code in (
        ("screen", "contact.reserved"),
        ("team", "contact.reserved"),
        ("UPPER", "gateway.bad_request"),
    ):
        path = f"/api/v1/my/channels/{channel}"
        _, told = await ann.ask("PUT", path, {"address": "+8613800138000"})
        assert told["code"] == code
    status, _ = await ann.ask("DELETE", "/api/v1/my/channels/none")
    assert status == 404


async def test_groups_and_the_mail_server_are_for_those_responsible(
    server: WorksServer, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    ann, sam = Caller(server, session, "ann"), Caller(server, session, "sam")
    path, relay = "/api/v1/notice-groups/team", f"/api/v1/notice-groups/{RELAY}"
    assert (await ann.ask("PUT", path, {"address": BOT}))[0] == 403
    assert (await sam.ask("PUT", path, {"address": BOT}))[0] == 204
    assert Secrets(tmp_path).get(group_secret("team")) == BOT
    other = "/api/v1/notice-groups/other"
    assert (await sam.ask("PUT", other, {"address": BOT}))[0] == 404
    assert (await sam.ask("PUT", relay, {"address": BOT}))[0] == 422
    server_address = "mailtos://hub:pw@smtp.example?from=hub@site.example"
    assert (await sam.ask("PUT", relay, {"address": server_address}))[0] == 204
    _, told = await ann.ask("GET", "/api/v1/my/channels")
    assert told["relay"] is True
    assert "1234" not in str(told["groups"])


async def test_each_device_is_a_channel_of_its_own(
    server: WorksServer, session: aiohttp.ClientSession
) -> None:
    sue = Caller(server, session, "sue")
    channels = set()
    for name in ("phone", "tablet", "phone"):
        kept = Browser(f"https://push.example/{name}").subscription
        body = msgspec.to_builtins(kept)
        status, told = await sue.ask("POST", "/api/v1/my/push", body)
        assert status == 200
        channels.add(told["channel"])
    assert len(channels) == 2
    contacts = server.works.hub.state.response.contacts["sue"]
    assert contacts == dict.fromkeys(channels, "push")
    _, told = await sue.ask("GET", "/api/v1/my/channels")
    assert len(unb64(told["push_key"])) == 65


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "ftp://push.example/x",
    ],
)
async def test_a_subscription_leads_to_a_push_service_and_nowhere_else(
    server: WorksServer, session: aiohttp.ClientSession, endpoint: str
) -> None:
    sue = Caller(server, session, "sue")
    body = msgspec.to_builtins(Browser(endpoint).subscription)
    status, _ = await sue.ask("POST", "/api/v1/my/push", body)
    assert status == 422


async def test_figures_count_what_became_of_notices(
    server: WorksServer, session: aiohttp.ClientSession
) -> None:
    works = server.works
    for person in ("ann", "bob", "sue"):
        works.kernel.notices.tell_persons((person,), "notice.gas_alarm", {}, person)
    works.advance(2)
    first, second, third = list(works.hub.state.response.notices)[-3:]
    for notice, state, detail in (
        (first, "sent", ""),
        (first, "delivered", ""),
        (second, "failed", "timeout"),
        (third, "sent", ""),
    ):
        works.kernel.notices.result(
            "notifier", NoticeResult(notice, "sms", state, detail)
        )
    works.settle()
    kept = []
    for data in works.journal.stored:
        envelope = envelopes.decode(data)
        if envelope.type.startswith("notice."):
            kept.append(Kept(decode_body(envelope), envelope))
    sms = next(one for one in tally(kept) if one.channel == "sms")
    assert (sms.queued, sms.sent, sms.delivered, sms.failed) == (3, 2, 1, 1)
    assert sms.why == {"timeout": 1}
    assert sms.sent_s == pytest.approx(2.0, abs=0.2)
    status, told = await Caller(server, session, "sue").ask(
        "GET", "/api/v1/notice-stats"
    )
    assert (status, told) == (200, {"items": []})
