"""The statutory form as people filled it in under the law (GB 30871-2022 annex A)."""

import pytest

from core.permits import life_acts as a
from frontend_api.paper import filled
from tests.support.signer import send
from tests.support.works import Works


@pytest.fixture(scope="module")
def site() -> Works:
    """Return a site with one permit at work."""
    made = Works()
    made.started()
    return made


@pytest.fixture
def words() -> filled.Words:
    """Return names as they are, in Chinese."""
    return filled.Words("zh", str, str, str)


def test_a_signature_tells_who_when_and_where(site: Works, words: filled.Words) -> None:
    """The paper shows what each signature proved."""
    (permit,) = site.hub.state.permits.permits.values()
    signed = permit.life.signed["approver"]
    told = filled.signature(permit, "approver", words)
    assert told.startswith(f"eve  {signed.wall_ns}")
    assert "在现场" in told
    assert "补录" not in told
    assert filled.signature(permit, "accept", words) == ""


def test_measures_gas_and_hazards_are_filled_in(
    site: Works, words: filled.Words
) -> None:
    """Measures one by one, the newest test of each gas and place."""
    (permit,) = site.hub.state.permits.permits.values()
    first = next(iter(permit.life.measures))
    assert filled.mark(permit, first, words)[0] == "是√ 否□"
    assert filled.mark(permit, "none of it", words)[0] == words.say("yes_no")
    assert "blanket" in filled.hazards(permit)
    rows = filled.tests(permit, words)
    assert len(rows) == len({row[0] for row in rows}) > 0
    assert {row[3] for row in rows} == {"合格"}
    assert {row[5] for row in rows} == {"gil"}


def test_what_was_entered_later_is_marked(words: filled.Words) -> None:
    """A late entry is marked and visible, on paper too."""
    site = Works()
    permit_id = site.analysed(site.applied(site.booked()))
    permit = site.permit(permit_id)
    act = a.SignPermit(
        permit_id=permit_id, slot="compiler", content=permit.life.content
    )
    site.pass_time(11)
    at = site.clock.wall_ns() // 1_000_000 - 540_000
    reply = send(site, "sue", act, site.phones["sue"].sign(act.verb_, act, at=at))
    assert reply.ok, reply
    permit = site.permit(permit_id)
    assert permit.life.signed["compiler"].late
    assert "补录" in filled.signature(permit, "compiler", words)
