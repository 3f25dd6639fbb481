"""Each kind of peer says what is its own; a host stays within its manifest."""

import msgspec
import pytest

from automations.integrations import contract
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.api.packages import packages
from core.config import Contract
from core.link import messages as m
from core.processes.voices import MAY, may
from core.registry.contract import event_breach
from core.registry.events import DeviceReported
from tests.support.office import LOOP, Office, raised
from tests.support.site import small_site

PEER = "host:loop"
CONTRACT = Contract(
    kinds=(EntityKind.GAS, EntityKind.OUTPUT),
    outputs=(OutputKind.SIREN,),
    events=("sos",),
    devices=2,
    entities=2,
)


def office(contract: Contract = CONTRACT) -> Office:
    made = Office()
    loop = msgspec.structs.replace(LOOP, contract=contract)
    made.hub.load(small_site(loop))
    made.join(PEER, "host")
    return made


def entity(uid: str, kind: EntityKind, output: OutputKind | None = None) -> Entity:
    made = Output(kind=output) if output else None
    return Entity(uid=uid, name=uid, kind=kind, quantity="h2s", unit="ppm", output=made)


GAS = entity("gas", EntityKind.GAS)
SIREN = entity("siren", EntityKind.OUTPUT, OutputKind.SIREN)
FAN = entity("fan", EntityKind.OUTPUT, OutputKind.FAN)


@pytest.mark.parametrize(
    "message",
    [
        m.ActRequest("1", "own", "config.arm", b""),
        m.NoticeResult("n", "app", "seen"),
        m.Checked(1),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_host_neither_acts_nor_answers_for_others(message: m.Message) -> None:
    """Design §5: a driver that runs wild acts as nobody."""
    made = office()
    before = made.hub.state.seq
    made.desk.receive(PEER, message)
    assert made.hub.state.seq == before
    assert made.desk.counters[f"{PEER}.unexpected"] == 1


def test_every_message_that_core_takes_has_a_speaker() -> None:
    told = set().union(*MAY.values())
    assert set(Office().desk._routes) == told


@pytest.mark.parametrize("peer", ["", "host", "stranger", "hosts:x", "cli"])
def test_an_unknown_peer_may_say_nothing_of_others(peer: str) -> None:
    allowed = MAY.get(peer, frozenset[type]())
    assert all(may(peer, kind) == (kind in allowed) for kind in MAY["host"])


@pytest.mark.parametrize(
    ("entities", "why"),
    [
        ((entity("x", EntityKind.LOCATION),), "kind:location"),
        ((GAS, FAN), "output:fan"),
        ((GAS, SIREN, entity("more", EntityKind.GAS)), "entities>2"),
    ],
    ids=["kind", "output", "entities"],
)
def test_a_device_beyond_the_manifest_is_refused_and_told(
    entities: tuple[Entity, ...], why: str
) -> None:
    made = office()
    device = Device(uid="d", name="D", entities=entities)
    made.desk.receive(PEER, m.Declare(device, {each.uid: 1 for each in entities}))
    assert made.kernel.registry.find_device(PEER, "d") is None
    assert made.kernel.registry.proposals == {}
    (alarm,) = made.kernel.alarms.active(kind_prefix="fault.contract")
    assert (alarm.source, alarm.params["what"]) == (PEER, why)


def test_a_device_within_it_is_taken_and_too_many_are_not() -> None:
    made = office()
    for uid in ("a", "b", "a", "c"):
        device = Device(uid=uid, name=uid, entities=(GAS, SIREN))
        made.desk.receive(PEER, m.Declare(device, {"gas": 1, "siren": 2}))
    assert made.kernel.registry.declared_by(PEER) == {"a", "b"}
    made.desk.receive(PEER, m.Withdraw("a"))
    device = Device(uid="c", name="c", entities=(GAS,))
    made.desk.receive(PEER, m.Declare(device, {"gas": 3}))
    assert made.kernel.registry.declared_by(PEER) == {"b", "c"}


def test_an_event_beyond_it_is_an_alarm_and_its_source_is_answered() -> None:
    made = office()
    heard: list[str] = []
    made.hub.on(DeviceReported, lambda body, _: heard.append(body.kind))
    for kind in ("gate", "sos"):
        made.desk.receive(PEER, m.DeviceEvent("d", kind, {}, f"e-{kind}"))
        made.turn()
    assert heard == ["sos"]
    assert raised(made, "fault.contract") == [PEER]
    answers = [e.event_id for e in made.seen[PEER] if isinstance(e, m.EventDurable)]
    assert answers == ["e-gate", "e-sos"]


@pytest.mark.parametrize("kind", ["sos", "fall"])
def test_a_call_for_help_counts_even_where_it_was_not_declared(kind: str) -> None:
    """Unknown is never safe: a manifest's mistake may not silence a person."""
    made = office(msgspec.structs.replace(CONTRACT, events=()))
    heard: list[str] = []
    made.hub.on(DeviceReported, lambda body, _: heard.append(body.kind))
    made.desk.receive(PEER, m.DeviceEvent("d", kind, {}, "e"))
    assert heard == [kind]
    assert raised(made, "fault.contract") == [PEER]


@pytest.mark.parametrize("name", ["modbus", "mqtt"])
def test_what_our_own_drivers_report_is_in_their_manifests(name: str) -> None:
    """Buttons of MQTT devices are called as their makers like."""
    held = contract(packages()[name].manifest)
    config = msgspec.structs.replace(LOOP, contract=held)
    for kind in ("sos", "fall", "gate", "scan", "button_short_press"):
        assert bool(event_breach(config, kind)) is (name == "modbus")


def test_names_of_counters_are_bounded() -> None:
    made = office()
    for number in range(3000):
        made.desk.receive(PEER, m.Counted({f"bad-{number}": 1}))
    assert len(made.desk.counters) <= 2001
    assert sum(made.desk.counters.values()) >= 3000


def test_another_key_under_the_same_uid_is_refused_and_told() -> None:
    """Addresses change only after proof; an impostor is silence and an alarm."""
    made = office(msgspec.structs.replace(CONTRACT, devices=9))
    device = Device(uid="d1", name="d1", entities=(GAS,), key_id="aa")
    made.desk.receive(PEER, m.Declare(device, {"gas": 1}))
    made.kernel.registry.proposals.clear()
    record = made.kernel.registry.find_device(PEER, "d1")
    assert record is not None and record.key_id == "aa"
    entity_id = record.entities[0]
    made.desk.receive(PEER, m.Readings(0, [m.Row(1, 3.0)]))
    for key in ("bb", ""):
        other = msgspec.structs.replace(device, key_id=key)
        made.desk.receive(PEER, m.Declare(other, {"gas": 1}))
        assert raised(made, "fault.identity")
        made.desk.receive(PEER, m.Readings(0, [m.Row(1, 0.0)]))
        assert made.kernel.readings.get(entity_id).value != 0.0
        assert made.kernel.readings.get(entity_id).quality > 0
    assert made.desk.counters[f"{PEER}.other_key"] == 2
    made.desk.receive(PEER, m.Declare(device, {"gas": 1}))
    alarm = made.kernel.alarms.find(f"device:{record.id}", "identity")
    assert alarm is None or not alarm.active
