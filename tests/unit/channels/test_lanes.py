"""Lanes: nothing is lost, nothing waits for another address, all ends (R13, R14)."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from core.channels.lanes import (
    HELD_S,
    LIFE_S,
    MOST,
    Item,
    Lane,
    Outcome,
    Rank,
)
from core.channels.rates import Bucket
from core.channels.services import Service
from core.clock import NS

GROUP = Service(rate=20, per_s=60.0, block_s=600.0)
PLAIN = Service()


def item(number: int, rank: Rank = Rank.URGENT, about: str = "", at: int = 0) -> Item:
    return Item(
        notice_id=f"n{number}",
        channel="team",
        person_id=f"p{number}",
        rank=rank,
        about=(about or str(number),),
        since_ns=at,
    )


def lane(service: Service = PLAIN) -> Lane:
    return Lane(service, Bucket(0, service.rate, service.per_s, service.burst))


@dataclass
class Run:
    """Drive a lane on virtual time; answers say what becomes of each message."""

    lane: Lane
    now: int = 0
    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    messages: list[tuple[int, int]] = field(default_factory=list)

    def note(self, outcomes: list[Outcome]) -> None:
        for each in outcomes:
            {"sent": self.sent, "failed": self.failed}[each.state].append(
                each.item.notice_id
            )

    def until(self, seconds: float, answer: str = "") -> None:
        """Let time pass; each message takes a tenth of a second."""
        ends = self.now + int(seconds * NS)
        while self.now < ends:
            self.note(self.lane.held(self.now))
            packet = self.lane.due(self.now)
            if packet is None:
                wake = self.lane.wake_ns(self.now)
                self.now = min(max(wake, self.now + NS // 10), self.now + NS, ends)
                continue
            self.messages.append((self.now, len(packet.items)))
            self.now += NS // 10
            self.note(self.lane.done(self.now, answer))


class TestGroups:
    def test_thirty_people_of_one_event_are_one_message(self) -> None:
        """devices.md §7: one gas event at 30 people exceeds 20 a minute."""
        run = Run(lane(GROUP))
        for number in range(30):
            run.lane.offer(item(number, Rank.LIFE, "gas"))
        run.until(5)
        assert [count for _, count in run.messages] == [30]
        assert len(run.sent) == 30

    def test_a_flood_becomes_few_messages_and_all_are_told(self) -> None:
        run = Run(lane(GROUP))
        for number in range(150):
            run.lane.offer(item(number))
            run.until(0.2)
        run.until(120)
        assert sorted(run.sent) == sorted(f"n{n}" for n in range(150))
        for begin, _ in run.messages:
            inside = [1 for at, _ in run.messages if begin <= at < begin + 60 * NS]
            assert len(inside) <= 20

    def test_life_safety_goes_first_and_at_once_behind_a_flood(self) -> None:
        run = Run(lane(GROUP))
        for number in range(100):
            run.lane.offer(item(number))
            run.until(0.5)
        run.lane.offer(item(999, Rank.LIFE, at=run.now))
        begun = run.now
        run.until(10)
        at = next(at for at, _ in run.messages if at >= begun)
        assert at - begun <= 6 * NS
        assert "n999" in run.sent

    def test_too_many_blocks_and_core_hears_of_life_safety_that_waits(self) -> None:
        run = Run(lane(GROUP))
        run.lane.offer(item(1, Rank.LIFE))
        run.until(0.5, "too_many")
        run.until(HELD_S + 15, "too_many")
        assert run.failed == ["n1"]
        run.until(700)
        assert run.sent == ["n1"]
        assert run.messages[1][0] >= 600 * NS


class TestFailures:
    def test_a_dead_address_is_told_after_three_tries(self) -> None:
        run = Run(lane())
        run.lane.offer(item(1))
        run.until(120, "unreachable")
        assert (len(run.messages), run.failed) == (3, ["n1"])
        assert not run.lane.waiting

    def test_life_safety_is_tried_on(self) -> None:
        run = Run(lane())
        run.lane.offer(item(1, Rank.LIFE))
        run.until(200, "unreachable")
        assert run.failed == ["n1"]
        run.until(60)
        assert run.sent == ["n1"]

    def test_and_not_for_ever(self) -> None:
        run = Run(lane())
        run.lane.offer(item(1, Rank.LIFE))
        run.until(LIFE_S + 120, "unreachable")
        assert (run.failed, run.lane.waiting) == (["n1"], {})

    def test_what_no_try_mends_ends_at_once(self) -> None:
        run = Run(lane())
        run.lane.offer(item(1, Rank.LIFE))
        run.until(30, "gone")
        assert (len(run.messages), run.failed) == (1, ["n1"])

    def test_new_life_safety_does_not_wait_for_a_pause(self) -> None:
        run = Run(lane())
        run.lane.offer(item(1))
        run.until(5, "unreachable")
        before = len(run.messages)
        run.lane.offer(item(2, Rank.LIFE, at=run.now))
        assert run.lane.wake_ns(run.now) == run.now
        run.until(0.5, "unreachable")
        assert len(run.messages) == before + 1

    def test_all_that_waits_goes_along_with_a_try(self) -> None:
        """Dead for a minute, 40 notices: not 40 times a deadline."""
        run = Run(lane())
        for number in range(40):
            run.lane.offer(item(number, at=run.now))
            run.until(1, "timeout")
        assert len(run.messages) < 12
        run.until(60)
        assert len(run.sent) + len(run.failed) == 40


class TestBounds:
    def test_a_full_lane_gives_back_what_matters_least(self) -> None:
        full = lane()
        for number in range(MOST):
            rank = Rank.MAY_WAIT if number == 5 else Rank.URGENT
            assert full.offer(item(number, rank)) is None
        urgent, life = item(900), item(901, Rank.LIFE)
        given_back = full.offer(urgent)
        assert given_back is not None
        assert given_back.notice_id == "n5"
        assert full.offer(item(902)) is not None
        given_back = full.offer(life)
        assert given_back is not None
        assert given_back.rank is Rank.URGENT
        assert life.key in full.waiting
        assert len(full.waiting) == MOST

    def test_the_same_twice_is_once(self) -> None:
        one = lane()
        one.offer(item(1))
        one.offer(item(1))
        assert len(one.waiting) == 1

    def test_what_was_answered_is_forgotten_unless_it_is_on_its_way(self) -> None:
        one = lane()
        one.offer(item(1))
        one.offer(item(2))
        assert one.due(0) is not None
        flies = one.flying
        assert flies is not None
        one.forget([("n1", "team"), ("n2", "team"), ("n3", "team")])
        assert {key[0] for key in one.waiting} == {i.notice_id for i in flies.items}


ANSWERS = st.sampled_from(
    ["", "unreachable", "timeout", "too_many", "refused", "gone", "tls"]
)
OFFERS = st.lists(
    st.tuples(st.sampled_from(list(Rank)), st.integers(0, 5), ANSWERS),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(OFFERS, st.sampled_from([GROUP, PLAIN]))
def test_everything_offered_ends_and_life_safety_is_told_in_time(
    offers: list[tuple[Rank, int, str]], service: Service
) -> None:
    """Each notice is sent or core hears of it; life safety within half a minute."""
    run = Run(lane(service))
    begun: dict[str, int] = {}
    for number, (rank, pause, answer) in enumerate(offers):
        run.lane.offer(item(number, rank, at=run.now))
        begun[f"n{number}"] = run.now
        run.until(pause, answer)
        for notice, at in begun.items():
            life = offers[int(notice[1:])][0] is Rank.LIFE
            told = notice in run.sent or notice in run.failed
            if life and run.now - at > 30 * NS:
                assert told, notice
    run.until(2000)
    assert {*run.sent, *run.failed} == set(begun)
    assert not run.lane.waiting
