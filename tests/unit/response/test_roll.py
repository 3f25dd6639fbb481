"""Who is counted, and by what (issue: roll call; a tag is a device and no person)."""

import msgspec
import pytest

from core.api.errors import Refused
from core.journal.envelope import Cause
from core.people import signing
from core.response import roll
from core.response.acts import AccountPerson
from core.response.events import NoticeQueued, RollChanged
from core.response.roll_acts import (
    AddToRoll,
    CheckIn,
    SignInVisitor,
    SignOutVisitor,
)
from core.response.roll_events import VisitorSignedIn
from tests.support.evac import Evac


@pytest.fixture
def yard() -> Evac:
    return Evac()


def tick(yard: Evac, number: str, person: str, **changes: object) -> str:
    act = AccountPerson(evacuation_id=number, person_id=person, **changes)  # type: ignore[arg-type]
    return yard.act("max", act).code


# --- ticks and their undoing ------------------------------------------------------


def test_a_mistake_is_taken_back_and_stays_in_the_journal(yard: Evac) -> None:
    record = yard.call()
    assert tick(yard, record.id, "ann") == ""
    assert tick(yard, record.id, "ann", status="missing") == ""
    line = record.roll["ann"]
    assert (line.status, line.method, line.by) == ("missing", "undo", "max")
    told = [b.status for b in yard.events(RollChanged) if b.person_id == "ann"]
    assert told == ["accounted", "missing"]


def test_who_stands_at_the_point_is_seen_again_when_a_tick_goes(yard: Evac) -> None:
    record = yard.call()
    yard.place("ann", "gate")
    tick(yard, record.id, "ann")
    tick(yard, record.id, "ann", status="missing")
    assert record.roll["ann"].status == "device_seen"


def test_a_tick_taken_back_too_late_is_called_at_once(yard: Evac) -> None:
    record = yard.call()
    for person in ("ann", "bob"):
        tick(yard, record.id, person)
    yard.live(130)
    tick(yard, record.id, "bob", status="missing")
    assert record.roll["bob"].late
    alarm = yard.kernel.alarms.find("zone:tank", f"late.{record.id}")
    assert alarm is not None
    assert alarm.active


def test_nobody_ticks_themselves_from_inside(yard: Evac) -> None:
    yard.place("max", "tank")
    record = yard.call()
    assert tick(yard, record.id, "max") == "evacuation.inside"


def test_rescue_is_by_name_of_somebody_known(yard: Evac) -> None:
    record = yard.call()
    refused = tick(yard, record.id, "bob", status="rescue", rescuer="nobody")
    assert refused == "act.person_unknown"
    assert tick(yard, record.id, "bob", status="rescue", rescuer="sue") == ""
    assert yard.events(RollChanged)[-1].rescuer == "sue"


# --- people without a tag ---------------------------------------------------------


def test_a_visitor_is_looked_for_where_the_host_is(yard: Evac) -> None:
    yard.act("max", SignInVisitor(badge="V7", host_id="ann"))
    yard.act("max", SignInVisitor(badge="V8", host_id="sue"))
    record = yard.call("tank")
    assert "visitor:V7" in record.roll
    assert "visitor:V8" not in record.roll
    told = [n for n in yard.events(NoticeQueued) if n.code == "notice.bring_out"]
    assert [(n.person_id, n.params["badge"]) for n in told] == [("ann", "V7")]


def test_a_visitor_of_whom_nobody_knows_is_looked_for_everywhere(yard: Evac) -> None:
    """Unknown is never safe."""
    yard.act("max", SignInVisitor(badge="V9"))
    record = yard.call("hall")
    assert not record.roll["visitor:V9"].certain


def test_a_group_is_accounted_for_only_when_it_is_complete(yard: Evac) -> None:
    yard.act("max", SignInVisitor(badge="delivery", count=4, zone_id="tank"))
    record = yard.call("tank")
    tick(yard, record.id, "visitor:delivery", count=3)
    line = record.roll["visitor:delivery"]
    assert (line.status, line.seen, line.count) == ("missing", 3, 4)
    tick(yard, record.id, "visitor:delivery", count=4)
    assert line.status == "accounted"


def test_who_came_through_the_gate_without_a_tag_may_be_anywhere(yard: Evac) -> None:
    """The gate says when they came, not where they went."""
    yard.bundle_of("new", "worker")
    yard.signal("gate-tank", "gate", person_id="new", direction="in", zone_id="yard")
    record = yard.call("hall")
    assert record.roll["new"].zone_id == "yard"
    assert not record.roll["new"].certain


def test_a_gate_counts_visitors_by_badge(yard: Evac) -> None:
    yard.signal("gate-tank", "gate", visitor="V1", direction="in")
    assert "V1" in yard.hub.state.response.visitors
    yard.signal("tag-ann", "gate", visitor="V1", direction="out")  # worn: no gate
    assert "V1" in yard.hub.state.response.visitors
    yard.signal("gate-tank", "gate", visitor="V1", direction="out")
    assert not yard.hub.state.response.visitors


def test_one_who_comes_late_joins_a_running_roll(yard: Evac) -> None:
    record = yard.call("tank")
    yard.live(3)
    yard.act("max", SignInVisitor(badge="late", zone_id="tank"))
    assert record.roll["visitor:late"].joined_wall_ns > record.started_wall_ns


def test_a_way_out_that_the_disk_lost_counts_in_again(yard: Evac) -> None:
    yard.act("max", SignInVisitor(badge="V2", count=3, host_id="ann"))
    yard.journal.held = True
    yard.ask("max", SignOutVisitor(badge="V2"))
    assert not yard.hub.state.response.visitors
    yard.journal.held = False
    yard.break_disk()
    back = yard.hub.state.response.visitors["V2"]
    assert (back.count, back.host_id) == (3, "ann")
    assert len(yard.events(VisitorSignedIn)) == 2


def test_signing_out_takes_nobody_off_a_running_roll(yard: Evac) -> None:
    yard.act("max", SignInVisitor(badge="V3", zone_id="tank"))
    record = yard.call("tank")
    yard.act("max", SignOutVisitor(badge="V3"))
    assert record.roll["visitor:V3"].status == "missing"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (SignOutVisitor(badge="none"), "visitor.unknown"),
        (SignInVisitor(badge="x", zone_id="moon"), "site.zone_unknown"),
        (SignInVisitor(badge="x", host_id="nobody"), "act.person_unknown"),
    ],
)
def test_nonsense_about_visitors_is_refused(
    yard: Evac, act: SignInVisitor | SignOutVisitor, code: str
) -> None:
    assert yard.act("max", act).code == code


# --- added by hand, checked in ----------------------------------------------------


def test_a_marshal_adds_who_is_on_no_list(yard: Evac) -> None:
    record = yard.call("tank")
    number = record.id
    assert yard.act("max", AddToRoll(evacuation_id=number, person_id="ivy")).ok
    assert yard.act("max", AddToRoll(evacuation_id=number, badge="two", count=2)).ok
    assert record.roll["visitor:two"].count == 2
    for act, code in (
        (AddToRoll(evacuation_id=number, person_id="ivy"), "roll.already"),
        (AddToRoll(evacuation_id=number), "roll.one_of"),
        (AddToRoll(evacuation_id=number, person_id="who"), "act.person_unknown"),
    ):
        assert yard.act("max", act).code == code


@pytest.mark.parametrize(
    ("method", "status", "how"),
    [
        ("pin_witness", "accounted", "pin"),
        ("face", "accounted", "face"),
        ("key", "device_seen", "tag"),
        ("terminal", "device_seen", "tag"),
    ],
)
def test_a_pin_or_a_face_is_a_person_and_a_card_is_a_device(
    yard: Evac, monkeypatch: pytest.MonkeyPatch, method: str, status: str, how: str
) -> None:
    record = yard.call("tank")
    yard.place("ann", "gate")
    told = signing.Statement(
        v=1,
        hub="",
        person="ann",
        verb="",
        body=msgspec.Raw(b"{}"),
        at=0,
        method=method,  # type: ignore[arg-type]
    )
    monkeypatch.setattr(roll, "statement", lambda _cause: told)
    handler = yard.kernel.access._handlers[CheckIn]
    handler("ann", CheckIn(evacuation_id=record.id), None, Cause(actor="person:ann"))
    assert (record.roll["ann"].status, record.roll["ann"].method) == (status, how)


def test_nobody_checks_in_from_inside_or_unsigned(yard: Evac) -> None:
    record = yard.call("tank")
    act = CheckIn(evacuation_id=record.id)
    assert yard.act("ann", act).code == "signature.required"
    handler = yard.kernel.access._handlers[CheckIn]
    with pytest.raises(Refused, match=r"evacuation\.inside"):
        handler("ann", act, None, Cause(actor="person:ann"))
