"""What the permit pages read of the law, and of one permit under it."""

from pathlib import Path

import aiohttp
import msgspec
import pytest

from frontend_api.law import DERIVED
from frontend_api.law_views import KindLaw, PermitFile
from tests.support.works import Works
from tests.ui.works_server import WorksServer, running


def test_people_are_asked_for_nothing_that_the_hub_tells_itself() -> None:
    """A fact has one source; nobody declares what one derives."""
    assert Works().kernel.permits.judge.facts.derived == DERIVED


async def asked(server: WorksServer, path: str, person: str = "sue") -> bytes:
    """Read as a person who is logged in; fails unless the answer is good."""
    cookie = server.session(person)
    jar = {cookie["name"]: cookie["value"]}
    async with (
        aiohttp.ClientSession(cookies=jar) as session,
        session.get(server.url + path, timeout=aiohttp.ClientTimeout(20)) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.read()


@pytest.mark.parametrize("kind", ["hot-special", "confined"])
async def test_a_kind_tells_all_that_its_form_asks(tmp_path: Path, kind: str) -> None:
    """Forms, measures, chains and questions are the pack's data."""
    async with running(WorksServer(tmp_path)) as server:
        data = await asked(server, f"/api/v1/permit_kinds/{kind}")
    law = msgspec.json.decode(data, type=KindLaw)
    assert law.fields
    assert law.measures
    assert [slot.phase for slot in law.slots][-1] == "close"
    assert not {question.fact for question in law.questions} & DERIVED
    assert all(question.names.zh and question.names.en for question in law.questions)


async def test_a_file_tells_who_must_act_and_what_is_missing(tmp_path: Path) -> None:
    """What is missing, who must act, which interlock is not TRUE."""
    async with running(WorksServer(tmp_path)) as server:
        permit_id = server.works.applied(server.works.booked("confined"))
        server.flush()
        path = f"/api/v1/permits/{permit_id}/file"
        mine = msgspec.json.decode(await asked(server, path), type=PermitFile)
        other = msgspec.json.decode(await asked(server, path, "ann"), type=PermitFile)
    assert [(due.verb, due.mine) for due in mine.due] == [("permit.analyse", True)]
    assert [(due.verb, due.mine) for due in other.due] == [("permit.analyse", False)]
    assert mine.fields["space"] == ["tank 1"]
    assert {found.truth for found in mine.open} <= {"false", "unknown"}
    assert all(found.clause for found in mine.open if found.name.startswith("rule."))
