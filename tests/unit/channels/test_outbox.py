"""What is owed to whom: quiet hours, ranks, groups, dead channels (R13, R30)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.alarms.state import AlarmRecord
from core.channels.lanes import Outcome, Packet, Rank
from core.channels.outbox import Outbox, Target, rank
from core.channels.services import secret_name
from core.clock import SimClock
from core.config import EMPTY, Bundle, Names
from core.response.notices_config import NoticeChannel, NoticePolicy
from core.response.state import NoticeRecord
from core.state import SiteState

TEAM = NoticeChannel(id="team", names=Names(zh="群", en="Team"), rate=20)
POLICY = NoticePolicy(channels=(TEAM,), quiet=((22 * 60, 6 * 60),))
#: 23:13 and 12:06 in Shanghai on some days.
NIGHT_S, NOON_S = 1_790_003_600, 1_790_050_000
BUNDLE = msgspec.structs.replace(EMPTY, notices=POLICY)


def address(person_id: str, channel: str) -> str:
    known = {
        "team": "wecombot://12345678-aaaa-bbbb-cccc-1234567890ab",
        "mail": f"mailto://mail.example?to={person_id}@site.example",
        "sms": "+8613800000000",
        "bad": "not an address",
        "dead": f"json://dead.example/{person_id}",
    }
    return known.get(channel, "")


def notice(number: int, *channels: str, **fields: Any) -> NoticeRecord:
    filled: dict[str, Any] = {
        "id": f"n{number}",
        "person_id": f"p{number}",
        "role": "worker",
        "code": "notice.gas_alarm",
        "params": {},
        "about": "a1",
        "level": 0,
        "chain": "",
        "mark": "",
        "queued_wall_ns": 0,
        "respond": None,
    }
    channel_states = dict.fromkeys(channels, "queued")
    return NoticeRecord(**{**filled, **fields, "channels": channel_states})


def state(*notices: NoticeRecord) -> SiteState:
    made = SiteState()
    made.response.notices = {each.id: each for each in notices}
    return made


class Desk:
    """Drive an outbox; ``answers`` says what becomes of each host's messages."""

    def __init__(self, wall_s: int = NOON_S, bundle: Bundle = BUNDLE) -> None:
        self.clock = SimClock(wall_ns=wall_s * 1_000_000_000)
        self.outbox = Outbox(self.clock, address)
        self.outbox.arm(bundle)
        self.told: list[Outcome] = []
        self.packets: list[tuple[Target, Packet]] = []
        self.answers: dict[str, str] = {}

    def turn(self, state: SiteState) -> None:
        known = {each.item.key for each in self.told}
        self.told += self.outbox.look(state, known)
        self.told += self.outbox.held()
        for target, packet in list(self.outbox.due(lambda _: True)):
            self.packets.append((target, packet))
            answer = self.answers.get(target.scheme, "")
            self.told += self.outbox.done(target, answer)

    def run(self, state: SiteState, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.turn(state)
            self.clock.advance(0.5)

    def states(self, number: int) -> dict[str, str]:
        found = [o for o in self.told if o.item.notice_id == f"n{number}"]
        return {o.item.channel: f"{o.state} {o.detail}".strip() for o in found}


class TestOwed:
    def test_each_channel_ends_on_its_own(self) -> None:
        desk = Desk()
        desk.answers["json"] = "unreachable"
        desk.run(state(notice(1, "mail", "dead", "bad", "none", "screen")), 60)
        assert desk.states(1) == {
            "mail": "sent",
            "dead": "failed unreachable",
            "bad": "failed bad_address",
            "none": "failed no_address",
        }

    def test_a_group_gets_one_message_that_names_all(self) -> None:
        desk = Desk()
        desk.run(state(*(notice(n, "team") for n in range(30))), 5)
        (packet,) = [packet for _, packet in desk.packets]
        assert len(packet.items) == 30
        assert len(packet.parts) == 1

    @pytest.mark.parametrize("field", ["acknowledged", "gone"])
    def test_what_was_answered_is_not_sent(self, field: str) -> None:
        desk = Desk()
        owed = state(notice(1, "mail"))
        desk.outbox.look(owed)
        if field == "gone":
            owed.response.notices.clear()
        else:
            owed.response.notices["n1"].acknowledged = True
        desk.run(owed, 5)
        assert not desk.packets

    def test_no_secret_is_shown(self) -> None:
        target = Target("ntfys://user:password@host.example/topic", group=False)
        assert "password" not in f"{target!r} {target.host} {target.key}"
        assert secret_name("sue", "mail") == "contact.sue.mail"


class TestQuietHours:
    def test_what_may_wait_waits_for_morning(self) -> None:
        desk = Desk(NIGHT_S)
        owed = state(notice(1, "mail", may_wait=True, about=""))
        desk.run(owed, 60)
        assert not desk.packets
        desk.clock.advance(8 * 3600)
        desk.run(owed, 5)
        assert desk.states(1) == {"mail": "sent"}

    def test_all_else_does_not(self) -> None:
        desk = Desk(NIGHT_S)
        desk.run(state(notice(1, "mail")), 5)
        assert desk.states(1) == {"mail": "sent"}

    def test_ones_own_hours_stand_before_the_sites(self) -> None:
        owed = state(notice(1, "mail", may_wait=True, about=""))
        owed.response.quiet["p1"] = []
        desk = Desk(NIGHT_S)
        desk.run(owed, 5)
        assert desk.packets
        owed.response.quiet["p1"] = [(11 * 60, 15 * 60)]
        desk = Desk(NOON_S)
        desk.run(owed, 5)
        assert not desk.packets

    def test_nobody_knows_the_time_so_nothing_waits(self) -> None:
        """Unknown is never safe."""
        desk = Desk(NIGHT_S)
        desk.clock.trusted = False
        desk.run(state(notice(1, "mail", may_wait=True, about="")), 5)
        assert desk.packets


def alarm(*, life_safety: bool) -> AlarmRecord:
    return AlarmRecord(
        id="a1",
        source="entity:x",
        condition="high",
        kind="gas.toxic",
        priority=2,
        zone_id=None,
        life_safety=life_safety,
        latching=False,
        params={},
        mark="",
        raised_wall_ns=0,
        raised_mono_ns=0,
        raised_seq=1,
    )


def test_life_safety_is_known_by_what_it_is_about() -> None:
    owed = state(notice(1, "mail", may_wait=True))
    one = owed.response.notices["n1"]
    assert rank(owed, one) is Rank.MAY_WAIT
    owed.alarms.open["a1"] = alarm(life_safety=True)
    assert rank(owed, one) is Rank.LIFE
    owed.alarms.open.clear()
    one.code = "order.leave"
    assert rank(owed, one) is Rank.LIFE
    one.code, one.may_wait = "notice.gas_alarm", False
    assert rank(owed, one) is Rank.URGENT


CHANNELS = st.lists(
    st.sampled_from(["team", "mail", "dead", "bad", "none"]),
    min_size=1,
    unique=True,
)
KINDS = st.sampled_from(["order.leave", "notice.gas_alarm", "card.expiring"])
ANSWERS = st.sampled_from(["", "unreachable", "timeout", "too_many", "tls", "gone"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(KINDS, CHANNELS, st.booleans()), min_size=1, max_size=25),
    st.fixed_dictionaries(dict.fromkeys(("wecombot", "mailto", "json"), ANSWERS)),
    st.booleans(),
)
def test_life_safety_is_never_held_back(
    owed: list[tuple[str, list[str], bool]], answers: dict[str, str], night: bool
) -> None:
    """Quiet hours, rate limits, dead channels: each is tried or told in 30 s.

    And every notice that is not waiting for morning ends on every channel.
    """
    records = [
        notice(n, *channels, code=code, about=f"a{n % 3}", may_wait=wait)
        for n, (code, channels, wait) in enumerate(owed)
    ]
    desk = Desk(NIGHT_S if night else NOON_S)
    desk.answers = answers
    world = state(*records)
    desk.run(world, 30)
    tried = {i.key for _, p in desk.packets for i in p.items}
    tried |= {o.item.key for o in desk.told}
    for record in records:
        if record.code == "order.leave":
            assert {(record.id, channel) for channel in record.channels} <= tried
        elif record.may_wait and night:
            assert not any(key[0] == record.id for key in tried)
    desk.run(world, 1300)
    for number, record in enumerate(records):
        if not (night and rank(world, record) is Rank.MAY_WAIT):
            assert desk.states(number).keys() == record.channels.keys()
