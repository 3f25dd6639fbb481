"""A running permit keeps the version of its pack."""

import functools

import msgspec
import pytest

from automations.packs.compile import find, load
from core import config, state
from core.clock import SimClock
from core.deadlines import Deadline
from core.hub import Hub
from core.permits.life_state import Life
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Pack
from core.permits.packs import Packs, digest_of, dump
from core.permits.packs_events import PackArmed
from core.permits.state import PermitRecord
from core.processes.events import ConfigArmed
from core.registry.ids import Ids
from tests.support.kernel import MemoryJournal, RecordingLinks, make_hub

OTHER = "us-osha"


@functools.cache
def pack(version: str = "1") -> Pack:
    return msgspec.structs.replace(load(find(OTHER)), version=version)


def bundle(*packs: Pack) -> config.Bundle:
    return msgspec.structs.replace(config.EMPTY, packs=packs)


def room(hub: Hub, *packs: Pack) -> Packs:
    made = Packs(hub)
    hub.rooms = [made]
    hub.load(bundle(*packs))
    hub.recover(clean=True)
    return made


def again(hub: Hub, *packs: Pack) -> tuple[Hub, Packs]:
    """Start a hub on the same state and another bundle."""
    fresh = make_hub()
    fresh.state = state.load(state.dump(hub.state))
    return fresh, room(fresh, *packs)


def arm(hub: Hub, *packs: Pack) -> None:
    hub.load(bundle(*packs))
    hub.emit(ConfigArmed(hash="0" * 64, by="person:li"))


def permit(hub: Hub, version: str, kind: str = "welding") -> PermitRecord:
    made = PermitRecord(
        id=f"p-{version[:6]}-{len(hub.state.permits.permits)}",
        kind=kind,
        zone_id="tank",
        title="",
        issuer_id="li",
        supervisor_id="li",
        guardian_id="",
        workers=[],
        linked=[],
        valid=Deadline.after(hub.clock, 60.0),
        status=PermitStatus.ACTIVE,
        issued_wall_ns=0,
        life=Life(pack=version),
    )
    hub.state.permits.permits[made.id] = made
    return made


def test_a_kind_is_compiled_once_for_each_version() -> None:
    packs = room(make_hub(), pack())
    version = packs.current("welding")
    assert version == digest_of(pack())
    ruled = packs.kind((version, "welding"))
    assert ruled is not None
    assert (ruled.kind.id, ruled.pack) == ("welding", pack())
    assert packs.kind((version, "welding")) is ruled
    assert packs.kind((version, "tunnel")) is None
    assert packs.current("tunnel") is None


def test_a_permit_is_judged_by_its_own_version_after_a_re_arm_and_a_restart() -> None:
    hub = make_hub()
    packs = room(hub, pack("1"))
    old = permit(hub, digest_of(pack("1")))
    arm(hub, pack("2"))
    for each in (packs, again(hub, pack("2"))[1], again(hub)[1]):
        ruled = each.kind(old)
        assert ruled is not None
        assert ruled.pack.version == "1"
    assert packs.current("welding") == digest_of(pack("2"))
    new = permit(hub, digest_of(pack("2")))
    ruled = packs.kind(new)
    assert ruled is not None
    assert ruled.pack.version == "2"


def test_the_journal_holds_each_version_once() -> None:
    hub = make_hub()
    written: list[PackArmed] = []
    hub.on(PackArmed, lambda body, _: written.append(body))
    room(hub, pack("1"))
    permit(hub, digest_of(pack("1")))
    for version in ("1", "2", "2", "1", "2"):
        arm(hub, pack(version))
        hub.advance()
    carried = [(each.digest, bool(each.data)) for each in written]
    one, two = digest_of(pack("1")), digest_of(pack("2"))
    # Version 2 was forgotten when nobody needed it, so it is carried once more.
    assert carried == [(one, True), (two, True), (one, False), (two, True)]
    assert hub.state.permits.packs.current == {OTHER: two}


@pytest.mark.parametrize("status", list(PermitStatus))
def test_versions_that_nobody_needs_are_forgotten(status: PermitStatus) -> None:
    hub = make_hub()
    room(hub, pack("1"))
    old = permit(hub, digest_of(pack("1")))
    old.status = status
    arm(hub, pack("2"))
    kept = digest_of(pack("1")) in hub.state.permits.packs.data
    assert kept == (status not in (PermitStatus.CLOSED, PermitStatus.REJECTED))
    arm(hub)
    assert hub.state.permits.packs.current == {}
    assert (digest_of(pack("2")) in hub.state.permits.packs.data) is False


def test_a_version_that_cannot_be_read_judges_nothing() -> None:
    """A newer release's pack is UNKNOWN here: it permits nothing."""
    hub = make_hub()
    packs = room(hub)
    newer = msgspec.msgpack.decode(dump(pack()))
    newer["drones"] = True
    data = msgspec.msgpack.encode(newer)
    hub.emit(PackArmed(pack_id=OTHER, digest="d" * 64, data=data))
    assert packs.kind(permit(hub, "d" * 64)) is None
    assert packs.kind(permit(hub, "e" * 64)) is None


def test_a_bundle_that_was_refused_leaves_no_version_behind() -> None:
    hub = make_hub()
    packs = room(hub, pack("1"))
    hub.load(bundle(pack("2")))
    hub.load(bundle(pack("1")))
    hub.advance()
    assert list(hub.state.permits.packs.data) == [digest_of(pack("1"))]
    assert packs.current("welding") == digest_of(pack("1"))


def test_a_version_that_the_disk_lost_is_written_again() -> None:
    """A permit may outlive this run, so its pack must reach the disk."""
    clock, journal = SimClock(), MemoryJournal()
    hub = Hub(clock, Ids.seeded(clock, 1), journal, RecordingLinks())
    written: list[PackArmed] = []
    hub.on(PackArmed, lambda body, _: written.append(body))
    journal.broken = True
    room(hub, pack())
    hub.not_durable()
    for _ in range(5):
        clock.advance(1.0)
        hub.advance()
    assert len(written) == 1
    journal.broken = False
    clock.advance(1.0)
    hub.advance()
    journal.sync()
    hub.durable(journal.durable_seq)
    assert [bool(each.data) for each in written] == [True, True]
    clock.advance(5.0)
    hub.advance()
    assert len(written) == 2
