"""'Are you there?': a lost guardian is asked, and only a place answers (GB 4.10 f)."""

import pytest

from core.api.errors import Refused
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.places import Found, Places
from core.permits.guardian_acts import GuardianHere
from core.permits.guardian_events import (
    GuardianAnswered,
    GuardianAsked,
    GuardianFound,
)
from core.permits.lifecycle import PermitStatus
from core.response.events import NoticeClosed, NoticeQueued
from tests.support.sources import Sources

HERE = GuardianHere(permit_id="p")
GIL = Cause(actor="person:gil")


@pytest.fixture
def yard() -> Sources:
    yard = Sources()
    yard.work("p")
    return yard


def lose(yard: Sources) -> None:
    yard.dead.add("gil")
    yard.live(12)


def proof(monkeypatch: pytest.MonkeyPatch, zone: str, age_s: float = 0.0) -> None:
    """Let every answer prove a zone, as a scan of its code would."""

    def of(_self: Places, _cause: Cause, zone_id: str) -> Found:
        truth = Truth.TRUE if zone_id == zone else Truth.UNKNOWN
        return Found(truth, "qr", None, age_s, "" if zone_id == zone else "wrong_code")

    monkeypatch.setattr(Places, "of", of)


def test_a_lost_guardian_is_asked_at_once_and_by_all_means(yard: Sources) -> None:
    lose(yard)
    asked = yard.events(GuardianAsked)
    assert [(e.permit_id, e.person_id) for e in asked] == [("p", "gil")]
    told = [n for n in yard.events(NoticeQueued) if n.code == "guardian.are_you_there"]
    assert [(n.person_id, n.channels) for n in told] == [("gil", ("screen", "sms"))]


def test_it_is_asked_once(yard: Sources) -> None:
    lose(yard)
    yard.live(50)
    assert len(yard.events(GuardianAsked)) == 1


def test_being_seen_again_settles_it(yard: Sources) -> None:
    lose(yard)
    yard.dead.clear()
    yard.live(3)
    assert len(yard.events(GuardianFound)) == 1 and yard.events(NoticeClosed)
    assert not yard.hub.state.permits.asked
    lose(yard)
    assert len(yard.events(GuardianAsked)) == 2


def test_a_bare_answer_is_no_position(yard: Sources) -> None:
    """A device's word resets no clock."""
    lose(yard)
    answer = yard.watch.here("gil", HERE, None, GIL)
    assert answer["zone_id"] == ""
    assert [e.zone_id for e in yard.events(GuardianAnswered)] == [""]
    facts = yard.about(yard.permit("p"))
    assert "guardian_present" not in facts
    assert "p" in yard.hub.state.permits.asked


@pytest.mark.parametrize(("zone", "outside"), [("tank", False), ("yard", True)])
def test_a_proven_place_counts_for_a_minute(
    yard: Sources, monkeypatch: pytest.MonkeyPatch, zone: str, outside: bool
) -> None:
    lose(yard)
    proof(monkeypatch, zone, age_s=20)
    assert yard.watch.here("gil", HERE, None, GIL)["zone_id"] == zone
    facts = yard.about(yard.permit("p"))
    assert facts["guardian_present"] is True
    assert facts["guardian_outside"] is outside
    yard.live(38)
    assert yard.about(yard.permit("p"))["guardian_present"] is True
    yard.live(3)
    assert "guardian_present" not in yard.about(yard.permit("p"))
    assert len(yard.events(GuardianAsked)) == 2


def test_what_is_seen_stands_before_what_is_claimed(
    yard: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(yard)
    proof(monkeypatch, "tank")
    yard.watch.here("gil", HERE, None, GIL)
    yard.dead.clear()
    yard.place("gil", "hall")
    assert yard.about(yard.permit("p"))["guardian_present"] is False


def test_only_the_one_who_is_asked_answers(yard: Sources) -> None:
    with pytest.raises(Refused, match=r"guardian\.not_asked"):
        yard.watch.here("gil", HERE, None, GIL)
    lose(yard)
    with pytest.raises(Refused, match=r"guardian\.not_asked"):
        yard.watch.here("max", HERE, None, Cause(actor="person:max"))


def test_the_next_guardian_takes_the_question_along(yard: Sources) -> None:
    lose(yard)
    yard.permit("p").guardian_id = "max"
    yard.live(2)
    assert not yard.hub.state.permits.asked
    assert len(yard.events(GuardianAsked)) == 1


def test_work_that_is_over_asks_nobody(yard: Sources) -> None:
    lose(yard)
    yard.permit("p").status = PermitStatus.COMPLETED
    yard.live(2)
    assert not yard.hub.state.permits.asked
    yard.permit("p").status = PermitStatus.HELD
    yard.live(2)
    assert len(yard.events(GuardianAsked)) == 1


def test_the_open_question_outlives_a_restart(yard: Sources) -> None:
    """Design §5: the state is a fold of the journal."""
    lose(yard)
    assert yard.replayed().permits.asked == yard.hub.state.permits.asked
    assert yard.hub.state.permits.asked["p"].person_id == "gil"


def test_after_a_start_tags_get_a_moment(yard: Sources) -> None:
    yard.restart(clean=True)
    yard.work("p")
    yard.advance(14)
    assert not yard.events(GuardianAsked)
    yard.advance(2)
    assert len(yard.events(GuardianAsked)) == 1
