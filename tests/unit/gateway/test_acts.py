"""Acts reach the core as they were meant, once, and refusals come back in words."""

import asyncio

import msgspec

from core.link import messages as m
from core.people.acts import ACTS
from frontend_api import link as links
from tests.support.waiting import until
from tests.unit.gateway.conftest import Desk


async def test_an_act_carries_person_version_and_time(owner: Desk) -> None:
    core = owner.fixture.core
    core.incident()
    body = {"alarm_id": "al-1", "expected_version": 1, "act_ms": 1_700_000_000_000}
    status, done = await owner.act("alarm.acknowledge", body)
    assert (status, done["ok"]) == (200, True)
    request = core.requests[-1]
    assert request.person_id == "p-chen"
    assert request.expected_version == 1
    assert request.act_ns == 1_700_000_000_000 * 1_000_000
    act = msgspec.msgpack.decode(request.body, type=ACTS[request.verb])
    assert msgspec.structs.asdict(act) == {"alarm_id": "al-1"}


async def test_a_key_makes_a_repeat_harmless(owner: Desk) -> None:
    """R: every POST that a phone can queue carries an Idempotency-Key."""
    core = owner.fixture.core
    body = {"permit_id": "pt-1", "reason": "smell"}
    key = {"Idempotency-Key": "k1"}
    answers = await asyncio.gather(
        *(owner.act("permit.hold", body, key) for _ in range(5))
    )
    assert {status for status, _ in answers} == {200}
    assert sum(one.verb == "permit.hold" for one in core.requests) == 1
    other = {"permit_id": "pt-2", "reason": "smell"}
    status, problem = await owner.act("permit.hold", other, key)
    assert (status, problem["code"]) == (422, "gateway.key_reused")


async def test_a_refusal_names_people_in_both_languages(owner: Desk) -> None:
    core = owner.fixture.core
    core.refuse["permit.release"] = (
        "permit.retest_missing",
        {"gases": "h2s, o2"},
    )
    body = {"permit_id": "pt-1", "reason": "done"}
    status, problem = await owner.act("permit.release", body)
    assert status == 409
    assert problem["code"] == "permit.retest_missing"
    assert "硫化氢、氧气" in problem["sentences"]["zh"]
    assert "H₂S, O₂" in problem["sentences"]["en"]
    assert problem["params"] == {"gases": "h2s, o2"}


async def test_what_is_not_the_acts_own_type_never_reaches_the_core(
    owner: Desk,
) -> None:
    core = owner.fixture.core
    before = len(core.requests)
    for body in (
        {},
        {"permit_id": 7, "reason": "x"},
        {"permit_id": "pt-1", "reason": "x", "role": "owner"},
        {"permit_id": "pt-1", "reason": "x", "expected_version": "1"},
        {"permit_id": "pt-1", "reason": "x", "act_ms": -1},
        [1, 2],
    ):
        status, problem = await owner.act("permit.hold", body)
        assert (status, problem["code"]) == (422, "gateway.bad_request"), body
    status, problem = await owner.act("permit.fly", {})
    assert (status, problem["code"]) == (404, "gateway.unknown_act")
    assert len(core.requests) == before


async def test_without_the_hub_nothing_is_promised(owner: Desk) -> None:
    owner.fixture.link_down()
    replica = owner.fixture.gateway.replica
    await until(lambda: not replica.reachable, "the loss of the link")
    body = {"permit_id": "pt-1", "reason": "smell"}
    status, problem = await owner.act("permit.hold", body)
    assert (status, problem["code"]) == (503, "gateway.unreachable")
    status, hub = await owner.get("/api/v1/hub")
    assert (status, hub["reachable"]) == (200, False)


async def test_a_lost_answer_says_look_first(owner: Desk) -> None:
    """Design §5 Commands: what is not known to be done is not said to be done."""
    lane = owner.fixture._lane
    assert lane is not None
    lane.bind(lambda _: None, lambda _: None)
    task = asyncio.ensure_future(
        owner.act("permit.hold", {"permit_id": "pt-1", "reason": "x"})
    )
    uplink = owner.fixture.gateway.uplink
    await until(lambda: uplink._acts, "the act to wait for its answer")
    uplink.down("lost")
    status, problem = await task
    assert (status, problem["code"]) == (504, "gateway.unanswered")


async def test_more_waiting_acts_than_the_bound_are_refused(owner: Desk) -> None:
    uplink = owner.fixture.gateway.uplink
    loop = asyncio.get_running_loop()
    for number in range(links.WAITING):
        uplink._acts[f"w{number}"] = loop.create_future()
    body = {"permit_id": "pt-1", "reason": "smell"}
    status, problem = await owner.act("permit.hold", body)
    assert (status, problem["code"]) == (503, "gateway.busy")
    uplink._acts.clear()


async def test_a_stream_that_cannot_be_folded_is_asked_for_anew(owner: Desk) -> None:
    gateway = owner.fixture.gateway
    reasons: list[str] = []
    gateway.uplink.renew = reasons.append
    gateway.uplink.take(m.Events([b"\xc1 broken"], 1))
    assert len(reasons) == 1
    assert gateway.replica.bad_messages == 1
