"""Messages count, name and fit (R13); what cannot be named stays readable."""

import msgspec
import pytest

from core.channels.lanes import Item, Packet, Rank
from core.channels.words import Writer, clip, reply_code
from core.config import EMPTY, Bundle, Level, Names, Site, Zone
from core.response.notices_config import NoticePolicy
from core.response.state import NoticeRecord
from tests.unit.channels.test_outbox import notice

PIT = Zone(id="pit", names=Names(zh="污水井", en="Sump"), level="g", polygon=())
SITE = Site(
    id="s",
    names=Names(zh="三号工地", en="Site Three"),
    zones=(PIT,),
    levels=(Level(id="g", names=Names(zh="地面", en="Ground")),),
)
BUNDLE = msgspec.structs.replace(
    EMPTY, site=SITE, notices=NoticePolicy(link="https://hub.example:8443")
)


def writer(*records: NoticeRecord, bundle: Bundle = BUNDLE) -> Writer:
    names = {f"p{n}": f"人{n}" for n in range(100)}
    return Writer(bundle, {r.id: r for r in records}, names)


def packet(*parts: tuple[int, ...]) -> Packet:
    return Packet(
        parts=tuple(
            tuple(
                Item(
                    notice_id=f"n{n}",
                    channel="team",
                    person_id=f"p{n}",
                    rank=Rank.LIFE,
                    about=(str(part),),
                    since_ns=0,
                )
                for n in part
            )
            for part in parts
        )
    )


def leave(number: int, **fields: object) -> NoticeRecord:
    return notice(
        number, "team", code="notice.permit_expired", params={"zone": "pit"}, **fields
    )


def test_one_notice_in_both_languages_with_its_zone_and_number() -> None:
    said = writer(leave(1)).message(packet((1,)), 2048, group=False)
    assert said.title == "三号工地"
    assert "污水井" in said.body
    assert "Sump" in said.body
    assert said.body.endswith("https://hub.example:8443/notices  #n1")


def test_a_group_is_told_for_whom_it_is() -> None:
    records = [leave(n) for n in range(30)]
    said = writer(*records).message(packet(tuple(range(30))), 2048, group=True)
    assert "→ 人0、人1、人2、人3、人4、人5 等 30 人" in said.body
    assert "and others, 30 people" in said.body


def test_a_digest_counts_kinds_and_notices() -> None:
    records = [leave(n) for n in range(40)]
    parts = [(n, n + 20) for n in range(20)]
    said = writer(*records).message(packet(*parts), 18_000, group=True)
    assert "40 条通知（20 类）" in said.body
    assert "另有 8 类" in said.body


@pytest.mark.parametrize("limit", [120, 300, 536, 2048])
def test_it_fits_the_service(limit: int) -> None:
    """devices.md §7: 2048 bytes at one bot."""
    records = [leave(n) for n in range(40)]
    parts = [(n,) for n in range(40)]
    said = writer(*records).message(packet(*parts), limit, group=True)
    assert len(f"{said.title}\n{said.body}".encode()) <= limit + 1


def test_an_sms_is_short_and_asks_for_its_code() -> None:
    records = [leave(n) for n in range(40)]
    text = writer(*records).short(packet(*[(n,) for n in range(40)]), 536)
    assert len(text.encode("utf-16-be")) <= 536
    assert text.endswith(f"回复{reply_code('n0')}确认")


def test_a_drill_is_marked() -> None:
    said = writer(leave(1, mark="DRILL")).message(packet((1,)), 2048, group=False)
    assert said.title == "[DRILL] 三号工地"


def test_a_notice_that_has_ended_leaves_the_rest_readable() -> None:
    said = writer(leave(1)).message(packet((1,), (2,)), 2048, group=False)
    assert "污水井" in said.body


def test_a_cut_never_falls_into_a_character() -> None:
    for room in range(4, 40):
        assert len(clip("井下气体报警井下气体报警", room).encode()) <= room


def test_reply_codes_are_four_digits_and_differ() -> None:
    codes = {reply_code(f"n{n}") for n in range(500)}
    assert all(len(code) == 4 for code in codes)
    assert len(codes) > 450
