"""Cards, trainings, companies: who may do which work today (H2, H4, rows 1.66-1.71)."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config
from core.clock import NS
from core.link.messages import ActReply
from core.logic.truth import Truth
from core.people import acts
from core.people.events import (
    CardExpiring,
    CardRecorded,
    CompanyEnded,
    PersonRecorded,
)
from core.response.events import NoticeQueued
from tests.support.yard import Yard, bundle

BLOB = "ab" * 32


class Office(Yard):
    """A yard whose people have companies."""

    def __init__(self) -> None:
        super().__init__()
        people = tuple(
            msgspec.structs.replace(p, company="north" if p.id in "annbob" else "")
            for p in bundle().people
        )
        self.bundle = msgspec.structs.replace(bundle(), people=people)
        self.hub.load(self.bundle)

    def days(self, count: float) -> None:
        """Let days pass at once; the next ticks see them."""
        self.clock.advance(count * 86_400)
        self.advance(2)

    def day(self, after: int = 0) -> str:
        today = self.kernel.cards.today()
        assert today is not None
        return (today + timedelta(days=after)).isoformat()

    def card(self, person: str = "ann", days: int = 100, **more: str) -> str:
        act = acts.RecordCard(
            person_id=person,
            trade="hot_work",
            kind="special_operation",
            valid_to=self.day(days),
            document=BLOB,
            **more,
        )
        reply = self.act("sam", act)
        assert reply.ok, (reply.code, reply.params)
        return str(reply.result["card_id"])

    def company(self, days: int | None = None) -> ActReply:
        valid_to = "" if days is None else self.day(days)
        return self.act(
            "sam", acts.RecordCompany(company_id="north", valid_to=valid_to)
        )

    def why(self, person: str = "ann") -> tuple[Truth, str]:
        found = self.kernel.cards.judge(person, "hot_work")
        return found.truth, found.why


@pytest.fixture
def office() -> Office:
    return Office()


def test_nobody_has_a_card_until_it_is_recorded(office: Office) -> None:
    """H4: card present, right trade, same person."""
    assert office.why() == (Truth.FALSE, "no_card")
    office.card()
    assert office.kernel.cards.valid("ann", "hot_work") is Truth.TRUE
    assert office.kernel.cards.valid("ann", "electric") is Truth.FALSE
    assert office.kernel.cards.valid("bob", "hot_work") is Truth.FALSE


def test_a_card_counts_through_its_last_day(office: Office) -> None:
    """H4: in date, by the site's own day."""
    office.card(days=1)
    office.days(1)
    assert office.why() == (Truth.TRUE, "")
    office.days(1)
    assert office.why() == (Truth.FALSE, "expired")


def test_the_day_is_the_sites_own(office: Office) -> None:
    wall = datetime.fromtimestamp(office.clock.wall_ns() / NS, UTC)
    local = wall + timedelta(hours=8)
    assert office.kernel.cards.today() == local.date()
    zone = msgspec.structs.replace(office.bundle.site, time_zone="Nowhere/Else")
    office.hub.load(msgspec.structs.replace(office.bundle, site=zone))
    assert office.kernel.cards.today() == (wall + timedelta(hours=14)).date()


def test_an_untrusted_clock_leaves_every_card_unknown(office: Office) -> None:
    """Design §5: while wall time is untrusted validity is UNKNOWN."""
    office.card()
    office.clock.trusted = False
    assert office.why() == (Truth.UNKNOWN, "clock_untrusted")
    office.days(400)
    assert not office.events(CompanyEnded)


def test_the_registrys_word_lowers_and_never_unknown_raises(office: Office) -> None:
    """1.75: unknown is never valid."""
    card = office.card()
    unknown = acts.DoubtCard(card_id=card, verdict="unknown", source="http")
    for doubt, truth in (
        (unknown, Truth.UNKNOWN),
        (msgspec.structs.replace(unknown, verdict="mismatch"), Truth.FALSE),
        (msgspec.structs.replace(unknown, verdict="expired"), Truth.FALSE),
    ):
        assert office.act("sam", doubt).ok
        assert office.kernel.cards.valid("ann", "hot_work") is truth
    office.act("sam", acts.VerifyCard(card_id=card, source="http", evidence=BLOB))
    assert office.why() == (Truth.TRUE, "")


def test_not_begun_and_overdue_reviews_do_not_count(office: Office) -> None:
    office.card("ann", valid_from=office.day(2))
    office.card("bob", review_by=office.day(-1))
    assert office.why("ann") == (Truth.FALSE, "not_yet")
    assert office.why("bob") == (Truth.FALSE, "review_overdue")


def test_a_withdrawn_card_counts_no_more_and_another_may(office: Office) -> None:
    card = office.card()
    assert office.act("sam", acts.WithdrawCard(card_id=card, code="lost")).ok
    assert office.why() == (Truth.FALSE, "withdrawn")
    again = office.act("sam", acts.WithdrawCard(card_id=card, code="lost"))
    assert again.code == "card.withdrawn"
    office.card()
    assert office.why() == (Truth.TRUE, "")


def test_the_end_is_told_thirty_seven_and_one_day_before_and_once(
    office: Office,
) -> None:
    """1.68: expiry notice."""
    office.card(days=31)
    office.advance(2)
    assert not office.events(CardExpiring)
    for _ in range(34):
        office.days(1)
    assert office.codes(CardExpiring, "days") == [30, 7, 1, 0]
    told = [n for n in office.events(NoticeQueued) if n.code.startswith("card.")]
    assert [n.params["days"] for n in told] == [30, 7, 1, 0]
    assert {n.person_id for n in told} == {"sam"}
    office.restart(clean=True)
    office.advance(2)
    assert len(office.events(CardExpiring)) == 4


def test_a_companys_end_takes_cards_and_roles_in_one_event(office: Office) -> None:
    """A company's end date revokes its cards."""
    office.card("ann")
    office.card("gil")
    assert office.company(days=1).ok
    office.days(3)
    (ended,) = office.events(CompanyEnded)
    assert (ended.code, ended.people) == ("contract_over", ("ann", "bob"))
    assert office.why("ann") == (Truth.FALSE, "company_ended")
    assert office.kernel.access.roles("ann") == frozenset()
    assert office.kernel.access.roles("gil") == {"guardian"}
    office.restart(clean=True)
    office.advance(2)
    assert len(office.events(CompanyEnded)) == 1
    assert office.kernel.access.roles("bob") == frozenset()


def test_a_company_that_comes_back_needs_cards_and_roles_anew(office: Office) -> None:
    office.card("ann")
    assert office.act("sam", acts.EndCompany(company_id="north")).ok
    assert office.company().ok
    assert office.why("ann") == (Truth.FALSE, "withdrawn")
    assert office.kernel.access.roles("ann") == frozenset()
    office.card("ann")
    assert office.why("ann") == (Truth.TRUE, "")


def test_a_bundle_brings_nobody_into_an_ended_company(office: Office) -> None:
    office.act("sam", acts.EndCompany(company_id="north"))
    late = config.Person(id="lee", name="lee", roles=("worker",), company="north")
    people = (*office.bundle.people, late)
    office.hub.load(msgspec.structs.replace(office.bundle, people=people))
    office.advance(2)
    assert office.kernel.access.roles("lee") == frozenset()
    record = acts.RecordPerson(person_id="new", fields=BLOB, company_id="north")
    assert office.act("sam", record).code == "company.ended"


def test_an_owner_keeps_the_hub_when_their_company_ends(office: Office) -> None:
    office.act_claim("ann")
    office.card("ann")
    assert office.act("sam", acts.EndCompany(company_id="north")).ok
    assert "owner" in office.kernel.access.roles("ann")
    assert office.why("ann")[0] is Truth.FALSE


def test_training_counts_until_its_day(office: Office) -> None:
    """H2: the guardian is trained and examined."""
    cards = office.kernel.cards
    assert cards.trained("gil", "guardian") is Truth.FALSE
    act = acts.RecordTraining(
        person_id="gil", topic="guardian", valid_to=office.day(10)
    )
    assert office.act("sam", act).ok
    assert cards.trained("gil", "guardian") is Truth.TRUE
    office.clock.trusted = False
    assert cards.trained("gil", "guardian") is Truth.UNKNOWN
    office.clock.trusted = True
    office.days(11)
    assert cards.trained("gil", "guardian") is Truth.FALSE


def test_a_recorded_stranger_is_a_worker_and_an_erased_one_is_nothing(
    office: Office,
) -> None:
    """Design §5 Personal data."""
    record = acts.RecordPerson(person_id="p-1", fields=BLOB, company_id="north")
    assert office.act("sam", record).result["enrolled"] is True
    office.card("p-1")
    assert office.kernel.access.roles("p-1") == {"worker"}
    assert office.kernel.cards.company_of("p-1") == "north"
    assert office.act("sam", acts.ErasePerson(person_id="p-1")).ok
    assert office.kernel.access.roles("p-1") == frozenset()
    assert office.why("p-1")[0] is Truth.FALSE
    assert office.act("sam", record).code == "person.erased"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (acts.WithdrawCard(card_id="none", code="lost"), "card.unknown"),
        (acts.EndCompany(company_id="none"), "company.unknown"),
        (acts.RecordTraining(person_id="none", topic="a"), "act.person_unknown"),
        (acts.RecordCompany(company_id="x", valid_to="2026-02-30"), "card.no_such_day"),
    ],
)
def test_wrong_acts_are_named(office: Office, act: acts.Act, code: str) -> None:
    assert office.act("sam", act).code == code
    assert office.act("ann", act).code == "act.role"


def test_what_the_disk_failed_is_taken_back(office: Office) -> None:
    """Design §2: permissive acts stand only once they are durable."""
    office.company(days=50)
    was = msgspec.msgpack.encode(office.hub.state.people)
    office.journal.held = True
    for act in (
        acts.RecordCompany(company_id="north", valid_to=office.day(500)),
        acts.RecordCompany(company_id="south"),
        acts.RecordPerson(person_id="p-1", fields=BLOB),
        acts.RecordTraining(person_id="gil", topic="guardian"),
        acts.RecordCard(
            person_id="gil",
            trade="hot_work",
            kind="other",
            valid_to=office.day(9),
            document=BLOB,
        ),
    ):
        office.ask("sam", act)
    assert office.events(CardRecorded)
    assert office.events(PersonRecorded)
    office.journal.held = False
    office.break_disk()
    cards = office.kernel.cards
    assert cards.valid("gil", "hot_work") is Truth.FALSE
    assert cards.trained("gil", "guardian") is Truth.FALSE
    assert not office.kernel.access.known("p-1")
    now = office.hub.state.people
    before = msgspec.msgpack.decode(was, type=type(now))
    assert now.cards.companies == before.cards.companies
    assert now.roles == before.roles
    office.mend_disk()
    assert office.replayed().people == office.hub.state.people


def test_an_end_does_not_wait_for_the_disk(office: Office) -> None:
    """Nothing protective waits for anything permissive."""
    card = office.card()
    office.break_disk()
    assert office.act("sam", acts.WithdrawCard(card_id=card, code="lost")).ok
    assert office.act("sam", acts.EndCompany(company_id="north")).ok
    assert office.company().code == "journal.not_durable"


@given(st.integers(-400, 400), st.integers(-400, 400), st.booleans(), st.booleans())
def test_a_card_is_valid_only_within_its_days(
    start: int, end: int, trusted: bool, known: bool
) -> None:
    """H4 over all dates: TRUE needs a trusted day within both ends."""
    office = _shared()
    office.clock.trusted = True
    today = date.fromisoformat(office.day())
    cards = office.hub.state.people.cards.cards
    cards.clear()
    office.kernel.cards.arm()
    if start <= end and known:
        office.card(days=end, valid_from=(today + timedelta(days=start)).isoformat())
    office.clock.trusted = trusted
    inside = known and trusted and start <= 0 <= end
    truth = office.kernel.cards.valid("ann", "hot_work")
    assert (truth is Truth.TRUE) == inside
    if not known or start > end:
        assert truth is Truth.FALSE
    elif not trusted:
        assert truth is Truth.UNKNOWN


_OFFICES: list[Office] = []


def _shared() -> Office:
    if not _OFFICES:
        _OFFICES.append(Office())
    return _OFFICES[0]
