"""Tasks, plans, rounds and checklists over HTTP, before the real kernel."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.response.plans_state import PlanRun
from core.response.state import ResponseState
from demo.pictures import picture
from tests.support.waiting import until
from tests.ui.duties import REGULATORS, armed
from tests.ui.works_server import WorksServer, running

PICTURE = picture(160, 60, 30)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WorksServer]:
    async with running(WorksServer(tmp_path)) as found:
        await until(lambda: found.gateway.replica.reachable, "the first snapshot")
        armed(found)
        uploads = found.gateway.attachments.uploads
        uploads.limits = uploads.limits._replace(floor_bytes=0)
        await until(
            lambda: bool(found.gateway.replica.bundle.plans), "the plans in force"
        )
        yield found


class Person:
    """One person's client."""

    def __init__(self, server: WorksServer, person: str) -> None:
        self.server = server
        cookie = server.session(person)
        jar = aiohttp.CookieJar(unsafe=True)
        self.http = aiohttp.ClientSession(
            cookies={cookie["name"]: cookie["value"]},
            cookie_jar=jar,
            headers={"Origin": server.url},
        )

    async def ask(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> tuple[int, Any]:
        sent = {"json": body} if body is not None else {}
        url = self.server.url + path
        async with self.http.request(method, url, **sent, **more) as answer:
            if "json" in answer.headers.get("Content-Type", ""):
                return answer.status, await answer.json(content_type=None)
            return answer.status, await answer.read()

    async def act(self, verb: str, **body: Any) -> tuple[int, Any]:
        return await self.ask("POST", f"/api/v1/acts/{verb}", body)

    async def picture(self, task_id: str, data: bytes) -> tuple[int, Any]:
        asked = {
            "purpose": "evidence", "permit_id": task_id, "media": "image/png",
            "size": len(data),
        }  # fmt: skip
        status, made = await self.ask("POST", "/api/v1/attachments", asked)
        if status != 201:
            return status, made
        url = f"/api/v1/uploads/{made['id']}"
        await self.ask("PATCH", url, data=data, headers={"Upload-Offset": "0"})
        sha256 = hashlib.sha256(data).hexdigest()
        return await self.ask("POST", f"{url}/finish", {"sha256": sha256})


@contextlib.asynccontextmanager
async def person(server: WorksServer, name: str) -> AsyncIterator[Person]:
    found = Person(server, name)
    try:
        yield found
    finally:
        await found.http.close()


def seen(server: WorksServer) -> ResponseState:
    return server.gateway.replica.state.response


def run_of(server: WorksServer) -> PlanRun:
    (run,) = server.works.hub.state.response.plans.running()
    return run


async def test_the_book_names_what_has_no_plan(server: WorksServer) -> None:
    """1.27: a missing binding is a warning on the page."""
    async with person(server, "ann") as ann:
        status, book = await ann.ask("GET", "/api/v1/book")
        assert status == 200
        assert {plan["id"] for plan in book["plans"]} >= {"gas-toxic", "fire"}
        assert {each["id"] for each in book["rounds"]} == {"day"}
        status, page = await ann.ask("GET", "/api/v1/rounds/day/labels")
        assert (status, page.count(b"<svg")) == (200, 2)
        assert (await ann.ask("GET", "/api/v1/rounds/moon/labels"))[0] == 404


async def test_a_picture_lies_in_the_vault_before_it_is_named(
    server: WorksServer,
) -> None:
    """Design §5: a blob is synced before the event that names it."""
    async with person(server, "ann") as ann, person(server, "bob") as bob:
        _, done = await ann.act("task.report", title="rail", zone_id="tank")
        task_id = done["result"]["task_id"]
        await until(
            lambda: task_id in server.gateway.replica.state.response.tasks.tasks,
            "the task at the gateway",
        )
        sha256 = hashlib.sha256(PICTURE).hexdigest()
        named = {
            "task_id": task_id, "stage": "before", "sha256": sha256,
            "size": len(PICTURE), "media": "image/png", "taken_ms": 1_790_000_000_000,
        }  # fmt: skip
        status, no = await ann.act("task.photo", **named)
        assert (status, no["code"]) == (404, "attachment.missing")
        _, no = await bob.picture(task_id, PICTURE)
        assert no["code"] == "attachment.not_yours"
        assert (await ann.picture(task_id, PICTURE))[0] == 200
        status, no = await ann.act("task.photo", **{**named, "size": 1})
        assert no["code"] == "attachment.differs"
        assert (await ann.act("task.photo", **named))[0] == 200
        url = f"/api/v1/attachments/{sha256}?permit={task_id}"
        assert await ann.ask("GET", url) == (200, PICTURE)
        assert (await bob.ask("GET", url))[0] == 403
        await until(
            lambda: bool(seen(server).tasks.tasks[task_id].photos),
            "the photo at the gateway",
        )
        _, listed = await ann.ask("GET", f"/api/v1/tasks/{task_id}")
        assert [photo["sha256"] for photo in listed["photos"]] == [sha256]
        assert listed["title"]["zh"] == "rail"
    # What an event names is kept; a pass over the vault drops nothing of it.
    await server.gateway.attachments.destruction.once()
    assert server.gateway.attachments.evidence.about(task_id, sha256).size


async def drafted(server: WorksServer) -> PlanRun:
    """Let a toxic gas start its plan."""
    server.works.reading("h2s", 30.0)
    server.flush()
    run = run_of(server)
    await until(lambda: run.id in seen(server).plans.runs, "the run at the gateway")
    return run


async def test_the_notice_is_drafted_kept_and_answered_for(
    server: WorksServer,
) -> None:
    """Issue §7: from the incident's facts; sent only by a person, named by its hash."""
    run = await drafted(server)
    base = f"/api/v1/plan-runs/{run.id}"
    async with person(server, "ann") as ann:
        assert (await ann.ask("GET", f"{base}/report"))[0] == 403
    async with person(server, "sam") as sam:
        status, found = await sam.ask("GET", f"{base}/report")
        assert status == 200
        assert "Toxic gas leak" in found["draft"]["en"]
        assert "有毒气体" in found["draft"]["zh"]
        assert "{" not in found["draft"]["zh"] + found["draft"]["en"]
        unkept = {"plan_run": run.id, "way": "fax", "to": "x", "sha256": "0" * 64}
        status, no = await sam.act("plan.report", **unkept)
        assert (status, no["code"]) == (409, "plan.report_not_kept")
        said = found["draft"]["en"] + " Nobody hurt."
        status, kept = await sam.ask("POST", f"{base}/reports", {"text": said})
        assert status == 201
        assert kept["sha256"] == hashlib.sha256(said.encode()).hexdigest()
        assert (await sam.ask("GET", f"{base}/reports/{kept['sha256']}"))[0] == 404
        sent = unkept | {"sha256": kept["sha256"]}
        assert (await sam.act("plan.report", **sent))[0] == 200
        await until(
            lambda: bool(seen(server).plans.runs[run.id].reports),
            "the report at the gateway",
        )
        await reads_back(sam, run, kept["sha256"], said)


async def test_a_notice_is_delivered_only_with_text_and_draft_kept(
    server: WorksServer,
) -> None:
    """Issue §7: both versions are kept; deadline and recipients are shown."""
    armed(server, REGULATORS)
    run = await drafted(server)
    base = f"/api/v1/plan-runs/{run.id}"
    async with person(server, "sam") as sam:
        _, found = await sam.ask("GET", f"{base}/report")
        assert [each["id"] for each in found["recipients"]] == ["bureau", "housing"]
        _, view = await sam.ask("GET", base)
        assert view["report_due_ms"] - view["started_ms"] == 3_600_000
        names = []
        for said in (found["draft"]["zh"], "H2S, nobody hurt."):
            _, kept = await sam.ask("POST", f"{base}/reports", {"text": said})
            names.append(kept["sha256"])
        body = {"plan_run": run.id, "recipients": ["bureau"], "sha256": names[1]}
        status, no = await sam.act("plan.deliver", **body, draft="0" * 64)
        assert (status, no["code"]) == (409, "plan.report_not_kept")
        assert (await sam.act("plan.deliver", **body, draft=names[0]))[0] == 200
        await until(
            lambda: bool(seen(server).plans.runs[run.id].reports),
            "the report at the gateway",
        )
        for name in names:
            assert (await sam.ask("GET", f"{base}/reports/{name}"))[0] == 200
        _, view = await sam.ask("GET", base)
        (told,) = view["reports"]
        states = {each["id"]: each["state"] for each in told["channels"]}
        assert states == {"bureau-mail": "queued", "bureau-hook": "queued"}


async def reads_back(sam: Person, run: PlanRun, sha256: str, said: str) -> None:
    """The text as it was sent, who sent it, and the step's words in the notices."""
    base = f"/api/v1/plan-runs/{run.id}"
    status, text = await sam.ask("GET", f"{base}/reports/{sha256}")
    assert (status, text.decode()) == (200, said)
    _, view = await sam.ask("GET", base)
    assert view["standing"] is True
    assert view["reports"][0]["by_id"] == "sam"
    _, notices = await sam.ask("GET", "/api/v1/notices")
    told = " ".join(each["text"]["en"] for each in notices["items"])
    assert "Stop all work here" in told
    assert run.digest not in told
