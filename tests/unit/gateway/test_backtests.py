"""Back-tests asked for over the interface: in a process of their own, bounded."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.past import Past, rule, site
from tests.support.waiting import until
from tests.unit.gateway.conftest import Desk

BODY = """\
on_unknown: fault
triggers: [{trigger: reading, of: combustible, above: 8, unit: '%LEL'}]
actions: [{action: notify, chain: gas, code: notice.rule.gas_early}]
"""
PATH = "/api/v1/backtests"


@pytest.fixture
def lived(tmp_path: Path) -> tuple[int, int]:
    """A past in the gateway's own data folder."""
    past = Past(tmp_path / "data", site(2, (rule(BODY, 2),)), 2)
    past.live(20)
    first = past.now_ms()
    past.live(20)
    past.values["z1-0"] = 30.0
    past.live(30)
    last = past.now_ms()
    past.close()
    return first, last


async def ended(desk: Desk, number: str) -> dict[str, Any]:
    await until(desk.fixture.gateway.trials.idle, "the trial's end")
    _, found = await desk.get(f"{PATH}/{number}")
    return dict(found)


async def test_a_trial_is_followed_to_its_report(
    owner: Desk, lived: tuple[int, int]
) -> None:
    """Issue §4: the same from the API, with progress."""
    body = {"rule": "trial", "from_ms": lived[0], "to_ms": lived[1]}
    status, begun = await owner.post(PATH, body)
    assert status == 202 and begun["state"] == "running"
    status, other = await owner.post(PATH, body)
    assert (status, other["code"]) == (503, "gateway.busy")
    found = await ended(owner, begun["id"])
    assert found["error"] == ""
    assert found["done"] == 1.0
    assert [run["subject"] for run in found["report"]["runs"]] == ["zone:z1"]
    assert "would have acted 1 times" in found["text"]["en"]
    _, listed = await owner.get(PATH)
    assert [each["report"] for each in listed["items"]] == [None]


async def test_what_went_wrong_is_told(owner: Desk, lived: tuple[int, int]) -> None:
    """Errors name the place and the mend."""
    body = {"rule": "nobody", "from_ms": lived[0], "to_ms": lived[1]}
    _, begun = await owner.post(PATH, body)
    found = await ended(owner, begun["id"])
    assert found["state"] == "failed"
    assert "armed then: trial" in found["error"]


async def test_a_trial_is_ended_with_its_process(
    owner: Desk, lived: tuple[int, int]
) -> None:
    """Issue §4: no process is left behind; another one may begin."""
    body = {"rule": "trial", "from_ms": lived[0], "to_ms": lived[1]}
    _, begun = await owner.post(PATH, body)
    url = f"{owner.fixture.url}{PATH}/{begun['id']}"
    async with owner.session.delete(url, headers=owner.headers) as answer:
        assert answer.status == 204
    trials = owner.fixture.gateway.trials
    await until(trials.idle, "the trial's process ended")
    assert (await owner.get(PATH))[1]["items"] == []
    status, _ = await owner.post(PATH, body)
    assert status == 202


@pytest.mark.parametrize(
    "body",
    [
        {"rule": "../../etc/passwd.yaml", "from_ms": 0, "to_ms": 9},
        {"rule": "--data", "from_ms": 0, "to_ms": 9},
        {"rule": "trial", "from_ms": 9, "to_ms": 9},
        {"rule": "trial", "from_ms": 0, "to_ms": 9, "inputs": {"a b": 1}},
        {"rule": "trial", "from_ms": "x", "to_ms": 9},
        {"rule": "trial", "from_ms": 0, "to_ms": 9, "more": 1},
    ],
)
async def test_bad_questions_are_refused(owner: Desk, body: dict[str, Any]) -> None:
    """No path, no option and no endless span reaches the process."""
    status, found = await owner.post(PATH, body)
    assert (status, found["code"]) == (422, "gateway.bad_request")
