"""What simulators share: every control line gets one answer, whatever it says."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.simulating import FAULTS, Desk, Plant


class Bench(Plant):
    """A plant of one device, 'd1', with one entity, 'gas'."""

    def __init__(self) -> None:
        super().__init__({})
        self.done: list[Any] = []

    async def start(self) -> dict[str, Any]:
        return {"options": {}}

    async def stop(self) -> None:
        self.done.append("stopped")

    async def do(self, what: str) -> None:
        if what not in ("drop", "stop", "start"):
            raise ValueError(f"cannot do {what!r}")
        self.done.append(what)

    def put(self, uid: str, entity: str, value: Any) -> None:
        known: dict[str, dict[str, object]] = {"d1": {"gas": 0}}
        known[uid][entity] = known[uid][entity], float(value)
        self.done.append((uid, entity, value))

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        self.done.append((uid, dict(faults)))


async def asked(desk: Desk, **request: Any) -> dict[str, Any]:
    return await desk.control(json.dumps(request))


async def test_lines_are_carried_out_in_the_order_of_their_words() -> None:
    plant = Bench()
    desk = Desk(plant)
    assert await asked(desk, device="d1", set={"gas": 3}, fault={}) == {"ok": True}
    assert await asked(desk, do="drop") == {"ok": True}
    assert plant.done == [("d1", "gas", 3), ("d1", {}), "drop"]
    assert await asked(desk, do="quit") == {"ok": True}
    assert desk.done.is_set()


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"device": "d2", "set": {"gas": 1}}, "d2"),
        ({"device": "d1", "set": {"ch4": 1}}, "ch4"),
        ({"device": "d1", "set": {"gas": "much"}}, "much"),
        ({"device": "d1", "fault": {"broken": True}}, "unknown fault 'broken'"),
        ({"device": "d1", "state": "warm"}, "no state 'warm'"),
        ({"device": "d1", "event": "sos"}, "no event 'sos'"),
        ({"do": "dance"}, "cannot do 'dance'"),
        ({}, "do"),
    ],
)
async def test_what_cannot_be_done_is_told(request_: dict[str, Any], told: str) -> None:
    answer = await asked(Desk(Bench()), **request_)
    assert told in answer["error"]


@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=6),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["device", "set", "fault", "do", "event", "d1"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=8,
        ).map(json.dumps),
    )
)
async def test_any_line_is_answered(line: bytes | str) -> None:
    """Fuzz: a wrong line costs an answer, never the simulator."""
    answer = await Desk(Bench()).control(line)
    assert answer == {"ok": True} or set(answer) == {"error"}


async def test_a_line_nested_beyond_reason_is_answered() -> None:
    assert "error" in await Desk(Bench()).control("[" * 60_000)


def test_the_faults_are_the_kits() -> None:
    """The contract of the conformance kit: uniform names."""
    from integrations.runtime.kit import schema

    assert set(schema.FAULTS) == FAULTS
