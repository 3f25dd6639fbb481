"""Rules and drafts over HTTP: made and checked in a process of their own (R25)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.processes.acts import ApproveConfig, ArmConfig, RejectConfig, SubmitConfig
from core.processes.drafts import Draft, every, save
from frontend_api import rules_worker
from tests.support.waiting import until
from tests.ui.rules_server import GAS, RulesServer
from tests.ui.works_server import running

WISH = {"kind": "add", "rule": "second", "blueprint": GAS, "given": {"chain": "gas"}}


class Desk:
    """Speak to the gateway as one person's browser."""

    def __init__(self, server: RulesServer, person: str) -> None:
        self.server = server
        cookie = server.session(person)
        self.headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {**self.headers, "Origin": self.server.url}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, self.server.url + path, json=body, headers=headers
            ) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def book(self) -> dict[str, Any]:
        status, book = await self.ask("GET", "/api/v1/rulebook")
        assert status == 200, book
        found: dict[str, Any] = book
        return found

    async def draft(self, wish: dict[str, Any]) -> dict[str, Any]:
        status, made = await self.ask("POST", "/api/v1/drafts", wish)
        assert status == 200, made
        found: dict[str, Any] = made
        return found

    async def standing(self, draft: dict[str, Any]) -> str:
        _, shown = await self.ask("GET", f"/api/v1/drafts/{draft['id']}")
        return str(shown["standing"])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RulesServer]:
    async with running(RulesServer(tmp_path)) as found:
        replica = found.gateway.replica
        await until(lambda: replica.reachable, "the first snapshot")
        yield found


def ok(server: RulesServer, person: str, act: Any) -> None:
    server.works.ok(person, act)
    server.flush()


async def test_the_book_tells_pins_modes_and_who_may(server: RulesServer) -> None:
    book = await Desk(server, "sam").book()
    (rule,) = book["rules"]
    pinned = server.works.hub.bundle.rules[0]
    assert (rule["id"], rule["version"], rule["hash"]) == (
        "gas-response",
        "1.0.0",
        pinned.blueprint_hash,
    )
    assert (rule["mode"], rule["signer"], rule["own"]) == ("enforce", "safehold", False)
    assert [place["zone_id"] for place in rule["places"]] == ["tank"]
    assert rule["places"][0]["protected"]
    assert any("holds permits" in line["en"] for line in rule["does"])
    assert (book["may_draft"], book["may_review"]) == (True, True)
    worker = await Desk(server, "ann").book()
    assert (worker["may_draft"], worker["may_review"]) == (False, False)
    status, _ = await Desk(server, "ann").ask("POST", "/api/v1/drafts", WISH)
    assert status == 403


async def test_it_tells_what_a_rule_would_need_now(server: RulesServer) -> None:
    """R26: asked of the living engine, said in both languages, with its evidence."""
    path = "/api/v1/rules/gas-response/why"
    status, why = await Desk(server, "sam").ask("GET", path)
    assert status == 200, why
    assert (why["rule"], why["last_run"]) == ("gas-response", None)
    assert why["on_unknown"]["zh"] and why["at_ms"]
    stands = [each for told in why["triggers"] for each in told["subjects"]]
    (tank,) = [each for each in stands if "罐" in each["names"]["zh"] or each["inputs"]]
    assert tank["truth"] in ("FALSE", "UNKNOWN") and tank["needs"]
    assert all(each["quality"] and each["names"]["zh"] for each in tank["inputs"])
    status, _ = await Desk(server, "sam").ask("GET", "/api/v1/rules/nothing/why")
    assert status == 404
    status, refused = await Desk(server, "ann").ask("GET", path)
    assert (status, refused["code"]) == (403, "act.role")
    kernel = server.works.kernel
    kernel.alarms.raise_(
        "zone:tank", "x", kind="gas.toxic", priority=1, zone_id="tank",
        life_safety=True,
    )  # fmt: skip
    server.flush()
    _, why = await Desk(server, "sam").ask("GET", path)
    assert why["last_run"]["run"]
    runs = [each["run"] for told in why["triggers"] for each in told["subjects"]]
    assert why["last_run"]["run"] in runs


async def test_a_draft_is_submitted_approved_and_armed(server: RulesServer) -> None:
    """Issue §2: draft → check → review → armed; each step in the journal."""
    sue = Desk(server, "sue")
    made = await sue.draft(WISH)
    assert (made["standing"], made["problems"]) == ("checked", [])
    assert (made["two"], made["looser"]) == (True, [])
    assert made["tests"]
    assert not any(test["problems"] for test in made["tests"])
    digest, base = made["hash"], made["base"]
    assert base == server.works.hub.state.hub.config_hash
    ok(server, "sue", SubmitConfig(hash=digest, base=base, note="a second tank"))
    assert await sue.standing(made) == "submitted"
    ok(server, "sam", RejectConfig(hash=digest, note="which tank?"))
    assert await sue.standing(made) == "rejected"
    ok(server, "sue", SubmitConfig(hash=digest, base=base))
    ok(server, "sam", ApproveConfig(hash=digest))
    _, shown = await sue.ask("GET", f"/api/v1/drafts/{made['id']}")
    assert (shown["standing"], shown["signed"]) == ("approved", True)
    other = await sue.draft({**WISH, "rule": "third"})
    ok(server, "sam", ArmConfig(hash=digest))
    assert await sue.standing(made) == "armed"
    assert await sue.standing(other) == "outdated"
    book = await sue.book()
    assert [rule["id"] for rule in book["rules"]] == ["gas-response", "second"]
    assert book["rules"][1]["own"]
    again = await sue.draft({**WISH, "rule": "third", "instead": other["id"]})
    assert [e.id for e in every(server.data)] == [again["id"], made["id"]]
    status, _ = await sue.ask("DELETE", f"/api/v1/drafts/{again['id']}")
    assert status == 204
    status, _ = await sue.ask("DELETE", f"/api/v1/drafts/{again['id']}")
    assert status == 404


async def test_a_zone_in_shadow_is_shown_as_not_protected(server: RulesServer) -> None:
    from core.logic.events import RuleModeSet

    sam = Desk(server, "sam")
    assert (await sam.book())["unprotected"] == []
    server.works.hub.emit(
        RuleModeSet(
            rule="gas-response",
            zone_id="tank",
            mode="shadow",
            reason="test",
            persons=("sam", "eve"),
        )
    )
    server.flush()
    book = await sam.book()
    (told,) = book["unprotected"]
    assert "not protected" in told["en"]
    assert not book["rules"][0]["places"][0]["protected"]


BOMB = "\n".join(
    ["a: &a [x]"]
    + [
        f"{c}: &{c} [{', '.join([f'*{b}'] * 9)}]"
        for b, c in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "more than 200000 values"),
        ("blueprint: " + "{a: " * 70 + "1" + "}" * 70, "nested more than 60 deep"),
        ("blueprint: !!python/object:os.system {}", "unknown tag"),
        ("- 1", "blueprint.yaml:1:1"),
    ],
)
async def test_a_file_that_is_a_bomb_ends_no_page(
    server: RulesServer, text: str, said: str
) -> None:
    sam = Desk(server, "sam")
    status, told = await sam.ask("POST", "/api/v1/blueprints", {"text": text})
    assert (status, told["code"]) == (409, "gateway.blueprint_refused")
    assert said in told["params"]["detail"]
    assert "blueprint.yaml:" in told["params"]["detail"]
    await sam.book()


async def test_what_is_wrong_is_told_in_both_languages(server: RulesServer) -> None:
    """A refusal's sentences, and a draft's problems, are not English alone."""
    sam = Desk(server, "sam")
    _, told = await sam.ask("POST", "/api/v1/blueprints", {"text": "blueprint: {a: 1}"})
    assert "blueprint.a: 未知的键 'a'；请删除，或改正拼写" in told["sentences"]["zh"]
    assert "blueprint.a: unknown key 'a'; remove it" in told["sentences"]["en"]
    assert told["detail"] == told["sentences"]["zh"]
    assert isinstance(told["params"]["detail"], str)
    made = await sam.draft({**WISH, "given": {"chain": "nobody"}})
    (problem,) = made["problems"]
    assert "nobody" in problem["en"]
    assert "已知：" in problem["zh"]
    made = await sam.draft({**WISH, "blueprint": "nothing"})
    assert made["problems"] == [
        {
            "zh": "没有蓝图 'nothing'；请看列表",
            "en": "there is no blueprint 'nothing'; look at the list",
        }
    ]


async def test_a_worker_that_dies_or_hangs_is_told_and_nothing_waits_for_it(
    server: RulesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design §8: a deadline for every await on the outside; one failure, one answer."""
    sam = Desk(server, "sam")
    with monkeypatch.context() as patch:
        patch.setattr(rules_worker, "_MODULE", "no_such_module")
        status, told = await sam.ask("POST", "/api/v1/drafts", WISH)
    assert (status, told["code"]) == (409, "gateway.draft_failed")
    assert "no_such_module" in told["params"]["detail"]
    with monkeypatch.context() as patch:
        patch.setattr(rules_worker, "LIMIT_S", 0.0)
        status, told = await sam.ask("POST", "/api/v1/drafts", WISH)
    assert told["code"] == "gateway.draft_late"
    with monkeypatch.context() as patch:
        patch.setattr(rules_worker, "WAITING", 0)
        status, told = await sam.ask("POST", "/api/v1/drafts", WISH)
    assert (status, told["code"]) == (503, "gateway.busy")
    both = await asyncio.gather(sam.draft(WISH), sam.draft({**WISH, "rule": "third"}))
    assert [each["standing"] for each in both] == ["checked", "checked"]


async def test_a_wrong_body_and_a_strange_id_are_refused(server: RulesServer) -> None:
    sam = Desk(server, "sam")
    save(
        server.data,
        Draft(id="0" * 16, kind="add", rule="x", by="sam", made_ms=1, base=""),
    )
    status, told = await sam.ask("POST", "/api/v1/drafts", {**WISH, "sudo": True})
    assert (status, told["code"]) == (422, "gateway.bad_request")
    status, _ = await sam.ask("GET", "/api/v1/drafts/..%2F..%2Fetc")
    assert status == 404
    assert len(every(server.data)) == 1
