"""What a hostile day does: garbage, spoofs, drills, slow disks (design §5; R1, R6)."""

import pytest

from core.alarms.acts import AcknowledgeAlarm, ResetAlarm
from core.alarms.events import AlarmRaised
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.api.reading import Value
from core.clock import NS
from core.hub import CORE
from core.journal import fold
from core.journal.envelope import Effect, Envelope
from core.journal.events import Unknown
from core.link.messages import Extremes, Readings
from core.logic.truth import Truth
from core.people.acts import MovePerson
from core.registry.events import DeviceReported
from core.response.acts import (
    AccountPerson,
    ClearEvacuation,
    ReleaseOutput,
    SilenceSirens,
)
from core.response.events import (
    CommandMoved,
    EvacuationReopened,
    NoticeQueued,
    SirensResounded,
)
from core.response.roll_acts import StartDrill
from tests.support.kernel import make_hub
from tests.support.yard import HOST, SIREN, Yard, box


@pytest.fixture
def yard() -> Yard:
    return Yard()


def siren_orders(yard: Yard) -> list[bool | float | str]:
    return [
        sent.command.value
        for sent in yard.executed()
        if sent.command.entity_uid == "siren"
    ]


# --- one room's error ---------------------------------------------------------


def test_one_rooms_error_stops_neither_the_ticks_nor_the_other_rooms(
    yard: Yard,
) -> None:
    """R1: levels are judged each second, whatever one room does."""
    ticked = []

    class Bad:
        def tick(self) -> None:
            raise LookupError("a room's own error")

    class Last:
        def tick(self) -> None:
            ticked.append(yard.clock.mono_ns())

    yard.hub.rooms[:0] = [Bad()]  # type: ignore[list-item]
    yard.hub.rooms.append(Last())  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(LookupError):
            yard.advance(1.0)
        yard.hub.advance()
    assert len(ticked) >= 3


def test_one_listeners_error_keeps_an_alarm_from_nobody() -> None:
    """Design §5: an exception never drops an alarm."""
    hub, heard = make_hub(), []

    def bad(_body: AlarmRaised, _: Envelope) -> None:
        raise LookupError("a listener's own error")

    hub.on(AlarmRaised, bad)
    hub.on(AlarmRaised, lambda body, _: heard.append(body.alarm_id))
    alarm = AlarmRaised(
        alarm_id="a", source="zone:tank", condition="x", kind="sos", priority=1
    )
    with pytest.raises(LookupError):
        hub.emit(alarm)
    assert heard == ["a"]


# --- who acts -----------------------------------------------------------------


@pytest.mark.parametrize("peer", ["archive", "notifier", "uplink", "host:x"])
def test_only_the_gateway_speaks_for_persons(yard: Yard, peer: str) -> None:
    """Design §5 Security: no other process has seen anybody's password."""
    act = MovePerson(person_id="ann", zone_id="yard")
    assert yard.act("sam", act, peer=peer).code == "act.peer"


def test_the_operator_is_no_person(yard: Yard) -> None:
    """Design §5: the hub's system user ends no protection, and signs as itself."""
    quiet = SilenceSirens(zone_id="tank")
    assert yard.act("sue", quiet, peer="cli:1").code == "act.peer"
    assert yard.act("sam", MovePerson(person_id="ann", zone_id=""), peer="cli:1").ok
    assert yard.envelopes()[-1].cause.actor == "os:sam"


# --- where people are ---------------------------------------------------------


@pytest.mark.parametrize("fix", ["nan,nan,0", "inf,1,0", "1e999,0,0", "nowhere", ""])
def test_a_position_that_is_none_puts_nobody_outside(yard: Yard, fix: str) -> None:
    """Design §5: unknown never counts as outside."""
    yard.live(20)
    yard.places["ann"] = fix
    yard.live(5)
    assert yard.kernel.people.in_zone("ann", "tank") is not Truth.FALSE
    assert "ann" in {line.person_id for line in yard.kernel.people.inside(["tank"])}


def test_a_worn_device_is_no_gate(yard: Yard) -> None:
    """R27: a helmet cannot say that its wearer, or anybody, has left."""
    yard.signal("tag-bob", "gate", person_id="ann", direction="out", zone_id="tank")
    assert yard.kernel.people.in_zone("ann", "tank") is Truth.TRUE


def test_what_nobody_enrolled_ends_no_call_for_help(yard: Yard) -> None:
    """R27: discovery only proposes; a stranger cannot call a rescue off."""

    def say(active: bool) -> None:
        params: dict[str, Value] = {"device_uid": "tag-ann", "active": active}
        yard.hub.emit(DeviceReported(device_id="", kind="sos", params=params))

    say(True)
    found = yard.kernel.alarms.find("person:ann", "sos")
    assert found is not None
    say(False)
    assert found.active


# --- a newer release's journal ------------------------------------------------


def test_two_zones_of_one_unknown_protective_type_are_both_held(yard: Yard) -> None:
    """Design §5 Journal: it holds its zone, and the next one its own."""
    for zone in ("tank", "hall"):
        body = Unknown(name="zone.flooded", zone_id=zone)
        wrapped = Envelope(
            epoch=1,
            seq=yard.hub.state.seq,
            id="x",
            type="zone.flooded",
            version=9,
            wall_ns=0,
            sync=True,
            boot_id="b",
            mono_ns=0,
            cause=CORE,
            effect=Effect.PROTECTIVE,
        )
        fold.apply(yard.hub.state, body, wrapped)
    assert "journal" in str(yard.issue().params["bad"])


# --- evacuations --------------------------------------------------------------


def test_a_real_evacuation_is_none_of_a_drills(yard: Yard) -> None:
    """Design §5 Alarms: a drill never covers what is real, and ends at it."""
    drill = str(yard.act("sam", StartDrill(zones=("tank",))).result["evacuation_id"])
    response = yard.hub.state.response
    assert set(response.drills[drill].roll) == {"ann", "bob"}
    real = yard.kernel.evacuations.start(("tank",), "gas.toxic")
    assert set(response.evacuations) == {real}
    assert response.evacuations[real].mark == ""
    assert set(response.evacuations[real].roll) == {"ann", "bob"}
    facts = response.drills[drill].drill
    assert facts is not None
    assert facts.why == "real_alarm"
    again = yard.act("sam", StartDrill(zones=("tank",)))
    assert again.code == "drill.evacuation"


def test_an_all_clear_that_was_lost_calls_people_out_again(yard: Yard) -> None:
    """Design §2: what a permissive act took away comes back with it."""
    number = yard.kernel.evacuations.start(("tank",), "gas.toxic")
    for person in ("ann", "bob"):
        yard.place(person, "gate")
        yard.act("max", AccountPerson(evacuation_id=number, person_id=person))
    yard.journal.held = True
    yard.ask("sam", ClearEvacuation(evacuation_id=number))
    told = len(yard.events(NoticeQueued))
    yard.break_disk()
    assert yard.events(EvacuationReopened)
    new = yard.events(NoticeQueued)[told:]
    assert {n.person_id for n in new} == {"ann", "bob"}
    assert {n.about for n in new} == {number}


# --- sirens -------------------------------------------------------------------


def test_a_siren_whose_host_was_away_sounds_when_it_is_back(yard: Yard) -> None:
    """R1: an evacuation is a level; its siren is tried until it sounds."""
    yard.kernel.evacuations.start(("tank",), "gas.toxic")
    first = len(siren_orders(yard))
    while len(siren_orders(yard)) == first:  # nobody answers: the first one expires
        yard.live(1)
        assert yard.clock.mono_ns() < 60 * NS
    yard.result(yard.executed()[-1].command.id, "confirmed")
    done = len(siren_orders(yard))
    yard.live(60)
    assert len(siren_orders(yard)) == done


def test_a_siren_enrolled_while_people_are_called_out_sounds() -> None:
    """R1."""
    yard = Yard()
    yard.declare(HOST, box())
    yard.kernel.evacuations.start(("tank",), "gas.toxic")
    loud = Device(
        uid="box-tank",
        name="relays",
        entities=(
            Entity(uid="horn", name="horn", kind=EntityKind.OUTPUT, output=SIREN),
        ),
    )
    yard.declare(HOST, loud)
    yard.live(20)
    assert "horn" in {sent.command.entity_uid for sent in yard.executed()}


def test_silence_ends_while_somebody_with_work_there_cannot_be_found(
    yard: Yard,
) -> None:
    """Design §5 Alarms: 3 min with people inside; unknown is never outside."""
    yard.issued(workers=("max",), zone_id="tank")
    yard.place("ann", "gate")
    yard.place("bob", "gate")
    yard.kernel.evacuations.start(("tank",), "gas.toxic")
    yard.result(yard.executed()[-1].command.id, "confirmed")
    yard.dead.add("max")  # was in the yard, is found nowhere
    yard.live(30)
    assert yard.act("sue", SilenceSirens(zone_id="tank")).ok
    yard.result(yard.executed()[-1].command.id, "confirmed")
    yard.live(170)
    assert not yard.events(SirensResounded)
    yard.live(30)
    assert [b.why for b in yard.events(SirensResounded)] == ["people_inside"]
    assert siren_orders(yard)[-1] is True


def test_an_output_without_a_zone_is_not_released_in_a_hazard(yard: Yard) -> None:
    """Unknown is never safe: what serves no known zone may serve this one."""
    loose = Device(
        uid="box-loose",
        name="relays",
        entities=(
            Entity(uid="horn", name="horn", kind=EntityKind.OUTPUT, output=SIREN),
        ),
    )
    yard.declare(HOST, loose)
    yard.kernel.evacuations.start(("tank",), "gas.toxic")
    entity = yard.entity(HOST, "box-loose", "horn")
    reply = yard.act("sue", ReleaseOutput(entity_id=entity, reason="quiet"))
    assert reply.code == "output.hazard"


# --- what stands until a person resets it ---------------------------------------


def latched(yard: Yard) -> str:
    """Raise a combustible alarm that latches, and let the meter read low again."""
    number = yard.kernel.alarms.raise_(
        "zone:tank",
        "over_range",
        kind="gas.combustible",
        priority=1,
        zone_id="tank",
        life_safety=True,
        latching=True,
    )
    yard.settle()
    yard.kernel.alarms.clear("zone:tank", "over_range")
    yard.settle()
    return number


def test_a_bead_that_reads_low_in_rich_gas_permits_nothing(yard: Yard) -> None:
    """Design §5 Alarms: latched, it stands until a named person resets it (D6)."""
    yard.declare(
        HOST, box(siren=SIREN, fan=Output(kind=OutputKind.FAN, contact_zone="tank"))
    )
    permit = yard.issued()
    fan = yard.entity(HOST, "box-tank", "fan")
    number = latched(yard)
    assert yard.permit(permit).status == "held"
    yard.live(2)
    assert yard.retest(permit).ok
    assert "alarm" in str(yard.release(permit).params)
    assert not yard.issue(kind="lifting", guardian_id="").ok
    assert yard.kernel.commands.why_not(fan, True) == "ex.contact_inside"
    yard.act("sam", AcknowledgeAlarm(alarm_id=number))
    assert yard.act("sam", ResetAlarm(alarm_id=number, reason="aired")).ok
    yard.live(2)
    assert yard.release(permit).ok
    assert yard.kernel.commands.why_not(fan, True) is None


def test_no_all_clear_over_a_latched_alarm(yard: Yard) -> None:
    """Design §5 Alarms."""
    number = yard.kernel.evacuations.start(("tank",), "gas.combustible")
    latched(yard)
    for person in ("ann", "bob"):
        yard.place(person, "gate")
        yard.act("max", AccountPerson(evacuation_id=number, person_id=person))
    assert yard.act("sam", ClearEvacuation(evacuation_id=number)).code == (
        "evacuation.alarm_active"
    )


def test_gas_at_an_unknown_place_may_be_here(yard: Yard) -> None:
    """Unknown is never safe: a worn meter whose wearer nobody can find."""
    permit = yard.issued()
    yard.kernel.alarms.raise_(
        "entity:worn", "high", kind="gas.toxic", priority=1, life_safety=True
    )
    assert not yard.issue(kind="lifting", guardian_id="").ok
    yard.live(35)
    assert yard.permit(permit).status == "held"


def test_an_order_under_way_is_not_sent_again_into_a_cloud(yard: Yard) -> None:
    """Design §5 Commands: nothing that is not Ex switches inside the cloud."""
    yard.declare(HOST, box(fan=Output(kind=OutputKind.FAN, contact_zone="tank")))
    fan = yard.entity(HOST, "box-tank", "fan")
    assert yard.kernel.commands.order(fan, True, why="air") is not None
    yard.reading("lel", 40.0)
    sent = len(yard.executed())
    yard.kernel.commands.host_back(HOST)
    yard.settle()
    assert len(yard.executed()) == sent
    assert [m.detail for m in yard.events(CommandMoved)] == ["ex.contact_inside"]


def test_a_button_pressed_while_core_was_busy_was_pressed(yard: Yard) -> None:
    """R21: what is coalesced keeps its extremes; a call is never lost."""
    button = Device(
        uid="tag-max",
        name="button",
        entities=(
            Entity(uid="sos", name="sos", kind=EntityKind.BINARY, quantity="sos"),
        ),
    )
    yard.declare(HOST, button)
    yard.report(HOST, "tag-max", "sos", False)
    handle = yard._handles[HOST, "tag-max", "sos"]
    row = Extremes(handle, False, 0.0, 1.0, 0, 0, 3, yard.clock.mono_ns())
    frame = Readings(sent_ns=yard.clock.mono_ns(), rows=[], coalesced=[row])
    yard.kernel.readings.receive(HOST, frame)
    assert yard.kernel.alarms.find("person:max", "sos") is not None


def test_one_rooms_error_at_the_start_lets_the_others_recover(yard: Yard) -> None:
    """Design §5 After a stop: the rest of the hub protects, and says what failed."""
    recovered = []

    class Bad:
        def recover(self, clean: bool) -> None:
            raise LookupError("a room's own error")

        def tick(self) -> None:
            recovered.append("ticks")

    class Last(Bad):
        def recover(self, clean: bool) -> None:
            recovered.append("last")

    yard.hub.rooms[:] = [Bad(), Last()]  # type: ignore[list-item]
    with pytest.raises(LookupError):
        yard.hub.recover(clean=False)
    assert recovered == ["last", "ticks", "ticks"]
