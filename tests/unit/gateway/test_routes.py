"""Every route by its table: closed without a login, and calm with nonsense."""

import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.link import messages as m
from core.people.acts import ACTS
from frontend_api.app import described
from frontend_api.guard import HEADERS
from frontend_api.replica import load_rooms
from frontend_api.typescript import SCHEMA, write
from tests.ui.fixture_server import Fixture
from tests.unit.gateway.conftest import Desk


async def _status(
    session: aiohttp.ClientSession, method: str, url: str, **more: Any
) -> int:
    async with session.request(method, url, **more) as answer:
        return answer.status


async def test_nothing_answers_without_a_login_but_five(fixture: Fixture) -> None:
    """Reliability §4 No route without auth: the router itself is enumerated."""
    table = fixture.gateway.table
    opened = [(r.method, r.path) for r in table if r.open]
    assert opened == [
        ("GET", "/api/v1/auth"),
        ("POST", "/api/v1/auth/claim"),
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/enrol"),
        ("GET", "/{path:.*}"),
    ]
    routed = {(r.method, r.path) for r in table}
    wrong_session = {"Cookie": "safehold_session=0000"}
    wrong_token = {"Authorization": "Bearer sfh_0000"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for method, path in sorted(routed - set(opened)):
            name = path.replace("{id}", "x").replace("{tail}", "permit.hold")
            url = fixture.url + name.replace("{tail:.*}", "v1/else")
            verb = "GET" if method == "*" else method
            for extra in ({}, wrong_session, wrong_token):
                headers = {"Origin": fixture.url} | extra
                assert await _status(session, verb, url, headers=headers) == 401, (
                    verb,
                    url,
                )


async def test_the_router_holds_nothing_beside_the_table(fixture: Fixture) -> None:
    app = fixture.gateway.application()
    paths = {resource.canonical for resource in app.router.resources()}
    wanted = {r.path.replace(":.*", "") for r in fixture.gateway.table}
    assert paths == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%252e%252e%252fsecret.txt",
        "/assets/../../secret.txt",
        "/link.txt",
        "//etc/passwd",
        "/.hidden.txt",
    ],
)
async def test_no_path_leads_out_of_the_web_app(anyone: Desk, path: str) -> None:
    from yarl import URL

    url = URL(anyone.fixture.url + path, encoded=True)
    async with anyone.session.get(url) as answer:
        text = await answer.text()
    # A name without a dot is the app's own page, whatever stands before it.
    assert answer.status == 404 or text == "<title>app</title>"
    assert "not yours" not in text


async def test_every_answer_carries_the_security_headers(owner: Desk) -> None:
    for path in (
        "/",
        "/assets/main-1.js",
        "/api/v1/permits",
        "/api/v1/none",
        "/permits",
    ):
        async with owner.session.get(owner.fixture.url + path) as answer:
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, (path, name)
    async with owner.session.get(owner.fixture.url + "/assets/main-1.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    async with owner.session.get(owner.fixture.url + "/") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_reads_answer_from_the_replica(owner: Desk) -> None:
    owner.fixture.core.incident()
    document = described()
    for path, item in document["paths"].items():
        if (
            "get" not in item
            or "{" in path
            or path
            in (
                "/api/websocket",
                "/api/alarms",
                "/api/v1/history",
            )
        ):
            continue
        status, found = await owner.get(path)
        assert status == 200, path
        assert found, path
    status, one = await owner.get("/api/v1/permits/pt-1")
    assert (status, one["status"]) == (200, "held")
    assert (await owner.get("/api/v1/permits/none"))[0] == 404


async def test_the_timeline_pages_by_seq(owner: Desk) -> None:
    core = owner.fixture.core
    for _ in range(40):
        core._hold("pt-1")
    seen: list[int] = []
    before = ""
    while True:
        status, page = await owner.get(f"/api/v1/events?limit=7{before}")
        assert status == 200
        seen += [event["seq"] for event in page["items"]]
        if page["next_before"] is None:
            break
        before = f"&before={page['next_before']}"
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 40
    assert (await owner.get("/api/v1/events?limit=-1"))[0] == 422
    assert (await owner.get("/api/v1/events?before=9x"))[0] == 422


async def test_history_comes_from_the_archive(owner: Desk) -> None:
    status, found = await owner.get(
        "/api/v1/history?entity=e-gd-pit-h2s&from=0&to=3600000"
    )
    assert status == 200
    assert len(found["items"][0]["rows"]) == 120
    assert (await owner.get("/api/v1/history"))[0] == 422


async def test_a_devices_quality_names_what_was_taken_out(owner: Desk) -> None:
    """Issue 5 §6: score, link, filters by name, and the last offending frame."""
    core = owner.fixture.core
    core.deliver(m.BadInput({"d-gd-pit": {"crc": (3, "01 03 FF")}}))
    core.deliver(m.BadInput({"d-gd-pit": {"crc": (1, "01 03 FE")}}))
    status, found = await owner.get("/api/v1/devices/d-gd-pit/quality?hours=1")
    assert status == 200
    h2s = next(each for each in found["entities"] if each["uid"] == "h2s")
    assert h2s["taken_out"] == {"range": 1} or h2s["taken_out"] == {"spike": 1}
    assert h2s["out"][0]["text"]["zh"]
    assert h2s["longest_gap_s"] >= 600
    assert found["points"] < 90
    (bad,) = found["bad_input"]
    assert (bad["name"], bad["count"], bad["frame"]) == ("crc", 4, "01 03 FE")
    assert bad["text"] == {"zh": "crc", "en": "crc"}
    assert bad["text"] == {"zh": "crc", "en": "crc"}
    assert (await owner.get("/api/v1/devices/none/quality"))[0] == 404


async def test_a_reason_is_said_in_words_and_a_strangers_as_it_is(owner: Desk) -> None:
    """Issue 5 §6: what is wrong stands on the page in words, not in codes."""
    for code in ("modbus.silent", "host_lost", "silent"):
        status, said = await owner.get(f"/api/v1/reasons?code={code}")
        assert status == 200
        assert code not in (said["zh"], said["en"])
    status, said = await owner.get("/api/v1/reasons?code=acme.odd%20%7Bx%7D")
    assert (status, said) == (200, {"zh": "acme.odd {x}", "en": "acme.odd {x}"})


def test_the_document_describes_every_act_and_resolves() -> None:
    document = described()
    load_rooms("acts")
    for verb in ACTS:
        assert (f"/api/v1/acts/{verb}" in document["paths"]) == (verb != "hub.claim")
    names = set(document["components"]["schemas"])
    text = json.dumps(document)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in names


def test_the_web_apps_types_are_in_step() -> None:
    """Mend: `python -m frontend_api.typescript`."""
    assert SCHEMA.read_text("utf-8") == write(described())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


async def test_no_body_makes_the_gateway_fail(owner: Desk) -> None:
    """Bad input is answered precisely and never ends a process."""
    load_rooms("acts")
    posts = [
        path
        for path, item in described()["paths"].items()
        if "post" in item and "logout" not in path
    ]
    fields = sorted({f for act in ACTS.values() for f in act.__struct_fields__})
    bodies: list[tuple[str, object]] = []

    @settings(max_examples=60)
    @given(
        st.sampled_from(posts),
        st.one_of(JSON, st.dictionaries(st.sampled_from(fields), JSON, max_size=5)),
    )
    def collect(path: str, body: object) -> None:
        bodies.append((path, body))

    collect()
    for path, body in bodies:
        async with owner.session.post(
            owner.fixture.url + path,
            data=json.dumps(body),
            headers=owner.headers | {"Content-Type": "application/json"},
        ) as answer:
            assert answer.status < 500, (path, body)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"{", b"[" * 5000, b'{"a":' + b"1" * 70_000]
)
async def test_broken_json_is_answered_precisely(owner: Desk, data: bytes) -> None:
    for path in ("/api/v1/acts/permit.hold", "/api/v1/auth/login"):
        async with owner.session.post(
            owner.fixture.url + path, data=data, headers=owner.headers
        ) as answer:
            assert answer.status in (413, 422)
            assert answer.headers["Content-Type"] == "application/problem+json"
