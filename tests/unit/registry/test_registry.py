"""Enrolment, lasting ids, handles (design §5 Security; R10, R21, R27)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.deadlines import Deadline
from core.permits.events import PermitClosed, PermitIssued
from core.registry.acts import EnrolDevice, RemoveDevice, ZoneDevice
from core.registry.events import DeviceEnrolled
from core.registry.waiting import MAX_PROPOSALS
from tests.support.detectors import HOST, detector, read, say, site
from tests.support.kernel import Bench, make_kernel
from tests.support.yard import Yard


def enrolled(bench: Bench) -> int:
    return len(bench.events(DeviceEnrolled))


def issue(bench: Bench, zone: str) -> None:
    bench.hub.emit(
        PermitIssued(
            permit_id="p1",
            kind="confined-space",
            zone_id=zone,
            title="Entry",
            issuer_id="boss",
            supervisor_id="boss",
            guardian_id="ann",
            workers=(),
            linked=(),
            valid=Deadline.after(bench.clock, 3600),
        )
    )


def test_a_rule_enrols_and_the_site_knows_better() -> None:
    bench = make_kernel(site(name="Pit detector", max_age_s=5.0))
    bench.declare(HOST, detector("g1", "h2s", "o2"))
    record = bench.kernel.registry.find_device("sim", "g1")
    assert record is not None
    assert (record.name, record.zone_id) == ("Pit detector", "pit")
    entity = bench.kernel.registry.entity(record.entities[0])
    assert entity is not None
    assert (entity.declared.critical, entity.declared.max_age_s) == (True, 5.0)
    assert bench.kernel.registry.proposals == {}


def test_discovery_only_proposes() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("x9", "h2s"))
    registry = bench.kernel.registry
    assert enrolled(bench) == 0
    assert [p.device.uid for p in registry.proposals.values()] == ["x9"]
    say(bench, "x9", "h2s", 50.0)
    assert bench.kernel.alarms.active() == []
    answer = bench.act("tech", EnrolDevice(integration="sim", uid="x9", zone_id="yard"))
    assert answer.ok
    assert registry.proposals == {}
    say(bench, "x9", "h2s", 50.0)
    assert [r.zone_id for r in bench.kernel.alarms.active()] == ["yard"]


def test_what_a_person_enrolled_a_device_cannot_unsay() -> None:
    """Design §5 Security: no downgrade by a declaration."""
    bench = make_kernel(site())
    bench.declare(HOST, detector("x9", "h2s", "o2"))
    act = EnrolDevice(
        integration="sim", uid="x9", zone_id="yard", name="Mine", critical=True
    )
    assert bench.act("tech", act).ok
    bench.declare(HOST, detector("x9", "h2s"))
    assert enrolled(bench) == 1
    record = bench.kernel.registry.find_device(HOST, "x9")
    assert record is not None
    assert (record.name, len(record.entities)) == ("Mine", 2)


def test_ids_are_given_once() -> None:
    """R10: neither a new declaration nor a restart changes an id."""
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    first = bench.entity(HOST, "g1", "h2s")
    bench.declare(HOST, detector("g1", "h2s"))
    assert enrolled(bench) == 1, "the same declaration is no news"
    bench.declare(HOST, detector("g1", "o2", "h2s"))
    assert enrolled(bench) == 2
    assert bench.entity(HOST, "g1", "h2s") == first
    bench.restart()
    assert bench.entity(HOST, "g1", "h2s") == first
    assert enrolled(bench) == 2


@given(st.lists(st.sets(st.sampled_from(("h2s", "o2", "co", "lel"))), max_size=6))
def test_ids_and_entities_outlast_every_declaration(news: list[set[str]]) -> None:
    """R10, and: a device cannot drop a detector by not naming it."""
    bench = make_kernel(site())
    known: dict[str, str] = {}
    for quantities in news:
        bench.declare(HOST, detector("g1", *sorted(quantities)))
        for uid in quantities:
            known.setdefault(uid, bench.entity(HOST, "g1", uid))
        assert known == {uid: bench.entity(HOST, "g1", uid) for uid in known}
    assert bench.hub.state == bench.replayed()


def test_the_exact_rule_beats_the_longest_prefix() -> None:
    rules = tuple(
        config.DeviceRule(integration="modbus", uid=uid, zone=zone)
        for uid, zone in (("*", None), ("g*", "yard"), ("g1", "pit"))
    )
    bundle = config.Bundle(
        site=site().site,
        devices=rules,
        integrations=(config.IntegrationConfig(id="sim", integration="modbus"),),
    )
    bench = make_kernel(bundle)
    for uid, zone in (("g1", "pit"), ("g2", "yard"), ("k", None)):
        bench.declare(HOST, detector(uid, "h2s"))
        record = bench.kernel.registry.find_device("modbus", uid)
        assert record is not None
        assert record.zone_id == zone


def test_a_suggested_zone_counts_only_where_it_exists() -> None:
    bench = make_kernel(site(zone=None))
    for uid, suggested, zone in (("g1", "yard", "yard"), ("g2", "moon", None)):
        bench.declare(HOST, Device(uid=uid, name=uid, suggested_zone=suggested))
        record = bench.kernel.registry.find_device(HOST, uid)
        assert record is not None
        assert record.zone_id == zone


def test_a_new_bundle_enrols_rezones_and_keeps_ids() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("x9", "h2s"))
    bench.declare(HOST, detector("g1", "h2s"))
    first = bench.entity(HOST, "g1", "h2s")
    rule = config.DeviceRule(integration="sim", uid="*", zone="yard")
    bench.hub.load(config.Bundle(site=site().site, devices=(rule,)))
    for uid in ("g1", "x9"):
        record = bench.kernel.registry.find_device(HOST, uid)
        assert record is not None
        assert record.zone_id == "yard"
    assert bench.entity(HOST, "g1", "h2s") == first


def test_a_new_bundle_reaches_devices_whose_host_is_away() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    bench._devices.clear()
    bench.bundle = site(zone="yard")
    bench.restart()
    record = bench.kernel.registry.find_device(HOST, "g1")
    assert record is not None
    assert record.zone_id == "yard"


def test_a_host_that_came_back_may_number_its_handles_anew() -> None:
    """A row must never land on another detector."""
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    bench.declare(HOST, detector("g2", "h2s"))
    say(bench, "g1", "h2s", 1.0)
    say(bench, "g2", "h2s", 2.0)
    bench.kernel.registry.lost(HOST)
    strays = bench.kernel.readings.table.strays
    say(bench, "g1", "h2s", 3.0)
    assert bench.kernel.readings.table.strays == strays + 1
    registry = bench.kernel.registry
    registry.declare(HOST, detector("g1", "h2s"), {"h2s": 2})
    registry.declare(HOST, detector("g2", "h2s"), {"h2s": 1})
    say(bench, "g1", "h2s", 4.0)  # handle 1 is g2's now
    assert read(bench, "g2", "h2s").value == 4.0
    assert read(bench, "g1", "h2s").value == 1.0
    assert registry.point(HOST, 77) is None


def test_outputs_are_found_by_the_zone_they_serve() -> None:
    siren = Output(kind=OutputKind.SIREN)
    bench = make_kernel(site(outputs={"s": Output(kind=OutputKind.FAN)}))
    entities = tuple(
        Entity(uid=uid, name=uid, kind=EntityKind.OUTPUT, output=siren)
        for uid in ("s", "t")
    )
    bench.declare(HOST, Device(uid="g1", name="relay", entities=entities))
    registry = bench.kernel.registry
    (fan,) = registry.outputs("pit", OutputKind.FAN)
    assert fan.declared.uid == "s"
    (found,) = registry.outputs("pit", OutputKind.SIREN)
    assert found.declared.uid == "t"
    assert registry.outputs("yard", OutputKind.SIREN) == []
    assert registry.host_of(found.device_id) == HOST
    assert registry.host_of("nobody") == ""
    assert registry.device_of(found.id) == registry.device(found.device_id)
    assert len(registry.entities(quantity="h2s")) == 0


def test_proposals_are_bounded_and_shed_with_a_count() -> None:
    """R21."""
    bench = make_kernel(site())
    for number in range(MAX_PROPOSALS + 3):
        bench.declare(HOST, Device(uid=f"x{number}", name="x"))
    registry = bench.kernel.registry
    assert (len(registry.proposals), registry.proposals.shed) == (MAX_PROPOSALS, 3)
    registry.withdraw(HOST, "x9")
    assert len(registry.proposals) == MAX_PROPOSALS - 1
    registry.lost(HOST)
    assert registry.proposals == {}


# --- acts --------------------------------------------------------------------------


def hand_enrolled(bench: Bench) -> str:
    bench.declare(HOST, detector("x9", "h2s"))
    act = EnrolDevice(integration="sim", uid="x9", zone_id="yard")
    return str(bench.act("tech", act).result["device_id"])


def test_zone_and_remove_wait_for_the_permits_of_the_zone() -> None:
    bench = make_kernel(site())
    device_id = hand_enrolled(bench)
    issue(bench, "yard")
    for act in (
        ZoneDevice(device_id=device_id, zone_id="pit"),
        RemoveDevice(device_id=device_id),
    ):
        answer = bench.act("tech", act)
        assert (answer.ok, answer.code) == (False, "device.needed_by_permit")
    bench.hub.emit(PermitClosed(permit_id="p1", person_id="boss"))
    assert bench.act("tech", ZoneDevice(device_id=device_id, zone_id="pit")).ok
    say(bench, "x9", "h2s", 50.0)
    assert [r.zone_id for r in bench.kernel.alarms.active()] == ["pit"]
    assert bench.act("tech", RemoveDevice(device_id=device_id)).ok
    assert bench.kernel.registry.device(device_id) is None
    assert bench.kernel.readings.points == {}
    assert ("sim", "x9") in bench.kernel.registry.proposals
    assert bench.hub.state == bench.replayed()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (EnrolDevice(integration="sim", uid="nobody"), "device.not_proposed"),
        (
            EnrolDevice(integration="sim", uid="x1", zone_id="moon"),
            "site.zone_unknown",
        ),
        (ZoneDevice(device_id="nobody", zone_id=None), "device.unknown"),
        (RemoveDevice(device_id="nobody"), "device.unknown"),
    ],
)
def test_refusals_name_the_mend(act: EnrolDevice, code: str) -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("x1", "h2s"))
    assert bench.act("tech", act).code == code
    assert bench.act("ann", act).code == "act.role"


def test_what_the_configuration_says_is_changed_there() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    record = bench.kernel.registry.find_device(HOST, "g1")
    assert record is not None
    zone = ZoneDevice(device_id=record.id, zone_id="yard")
    assert bench.act("tech", zone).code == "device.zone_by_configuration"
    remove = RemoveDevice(device_id=record.id)
    assert bench.act("tech", remove).code == "device.enrolled_by_configuration"


def test_a_host_never_speaks_for_another_hosts_device() -> None:
    """R27: the same uid at two hosts of one integration is two devices."""
    other = config.IntegrationConfig(id="two", integration="sim")
    bench = make_kernel(msgspec.structs.replace(site(), integrations=(other,)))
    bench.declare("host:two", detector("g1", "h2s"))
    assert bench.kernel.registry.find_device("sim", "g1") is not None
    assert bench.kernel.registry.find_device("host:sim", "g1") is None


def test_a_detector_is_not_removed_while_nothing_can_be_written() -> None:
    """Design §2: what takes protection away waits for the disk."""
    yard = Yard()
    device = yard.kernel.registry.find_device("host:field", "meter-tank")
    assert device is not None
    yard.break_disk()
    for act in (RemoveDevice(device_id=device.id), ZoneDevice(device_id=device.id)):
        assert yard.act("sam", act).code == "journal.not_durable"
