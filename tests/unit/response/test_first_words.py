"""The first words, everywhere: nobody goes in after them (严禁盲目施救)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import texts
from core.response import first_words
from core.response.events import NoticeQueued
from tests.support.evac import NO_ENTRY, PLAIN, VOICE, Evac, speaker
from tests.support.yard import HOST, SIREN, box

ZH, EN = "严禁盲目施救", "No rescue without breathing apparatus"


@pytest.fixture
def yard() -> Evac:
    made = Evac()
    made.declare(HOST, speaker(voice=VOICE, plain=PLAIN, sign=NO_ENTRY))
    made.live(8)
    return made


def alarm(yard: Evac, kind: str, zone: str = "tank", mark: str = "") -> None:
    yard.kernel.alarms.raise_(
        f"zone:{zone}",
        kind,
        kind=kind,
        priority=1,
        zone_id=zone,
        life_safety=True,
        mark=mark,
    )
    yard.settle()


def tell(
    yard: Evac, zone: str = "tank", mark: str = "", about: str = "x"
) -> NoticeQueued:
    yard.kernel.notices.tell_persons(
        ["ann"], "notice.gas_alarm", {"zone_id": zone}, about, mark
    )
    found: NoticeQueued = yard.events(NoticeQueued)[-1]
    return found


@pytest.mark.parametrize("kind", ["sos", "fall", "gas.toxic", "gas.oxygen"])
def test_every_notice_begins_with_them(yard: Evac, kind: str) -> None:
    alarm(yard, kind)
    said = tell(yard)
    assert texts.render(said.code, said.params, "zh").startswith(ZH)
    assert texts.render(said.code, said.params, "en").startswith(EN)


@pytest.mark.parametrize(
    ("kind", "zone"), [("fault.lost", "tank"), ("sos", "hall"), ("sos", "yard")]
)
def test_only_where_they_are_meant(yard: Evac, kind: str, zone: str) -> None:
    alarm(yard, kind, zone)
    assert not tell(yard, zone).params.get("first")


def test_a_call_for_help_makes_the_voice_say_them_at_once(yard: Evac) -> None:
    """No evacuation is needed: the next man is already on the ladder."""
    yard.signal("tag-ann", "sos")
    assert yard.told("voice") == ["no_rescue"]
    assert yard.told("plain") == []


def test_the_voice_changes_from_leave_to_them(yard: Evac) -> None:
    yard.call("tank")
    assert yard.told("voice") == ["leave"]
    assert yard.told("plain") == [True]
    alarm(yard, "gas.toxic")
    yard.live(20)
    assert "no_rescue" in yard.told("voice")


def test_a_permit_that_is_held_there_says_them_once(yard: Evac) -> None:
    permit = yard.issued()
    yard.reading("h2s", 30.0)
    said = [n for n in yard.events(NoticeQueued) if n.about == permit]
    text = texts.render(said[0].code, said[0].params, "zh")
    assert text.count(ZH) == 1
    assert text.startswith(ZH)


def test_a_drill_says_that_it_is_one_before_them(yard: Evac) -> None:
    alarm(yard, "gas.toxic", mark="DRILL")
    said = tell(yard, mark="DRILL")
    text = texts.render(said.code, said.params, "zh")
    assert text.startswith("【演练】" + ZH)
    assert not tell(yard, about="y").params.get("first")  # nothing outside of it


# --- the no-entry lamp ------------------------------------------------------------


def test_a_held_space_shows_it_and_a_released_one_does_not(yard: Evac) -> None:
    permit = yard.issued()
    yard.live(12)
    assert yard.told("sign")[-1] is False
    yard.reading("h2s", 6.0)  # no alarm: the permit alone
    yard.live(3)
    assert yard.permit(permit).status == "held"
    assert yard.told("sign")[-1] is True
    yard.reading("h2s", 0.0)
    yard.live(20)
    assert yard.told("sign")[-1] is True  # never by a sensor's return


@pytest.mark.parametrize("danger", ["alarm", "evacuation", "silence"])
def test_it_is_lit_in_every_danger(yard: Evac, danger: str) -> None:
    if danger == "alarm":
        alarm(yard, "sos")
    elif danger == "evacuation":
        yard.call("tank")
    else:
        yard.dead.add("meter-tank")
        yard.live(75)
    yard.live(2)
    assert yard.told("sign")[-1] is True


def test_a_drill_does_not_light_it(yard: Evac) -> None:
    before = len(yard.told("sign"))
    yard.kernel.evacuations.start(("tank",), "evacuation.drill", mark="DRILL")
    alarm(yard, "gas.toxic", mark="DRILL")
    yard.live(3)
    assert True not in yard.told("sign")[before:]


def test_a_broken_disk_never_puts_it_out(yard: Evac) -> None:
    yard.call("tank")
    yard.live(2)
    yard.break_disk()
    for record in yard.kernel.evacuations.running():
        record.cleared_wall_ns = 1
    yard.live(10)
    assert yard.told("sign")[-1] is True


# --- drills and voices ------------------------------------------------------------


def test_in_a_drill_no_voice_says_that_it_is_real(yard: Evac) -> None:
    yard.declare(HOST, box(siren=SIREN))
    yard.kernel.evacuations.start(("tank",), "evacuation.drill", mark="DRILL")
    yard.settle()
    assert yard.told("voice") == ["drill"]
    assert yard.told("plain") == []
    assert yard.told("siren") == [True]


def test_what_is_real_takes_the_voice_over(yard: Evac) -> None:
    yard.kernel.evacuations.start(("tank",), "evacuation.drill", mark="DRILL")
    yard.settle()
    yard.call("tank")
    assert yard.told("voice") == ["drill", "leave"]
    assert yard.told("plain") == [True]


@given(
    st.lists(st.sampled_from([first_words.DRILL, first_words.NO_RESCUE]), max_size=2)
)
def test_first_words_never_hide_what_follows(codes: list[str]) -> None:
    params = {"first": " ".join(codes), "zone": "tank"}
    for language in texts.LANGUAGES:
        plain = texts.render("order.descend", {}, language)
        assert texts.render("order.descend", params, language).endswith(plain)
