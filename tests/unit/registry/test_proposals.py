"""What people decide about findings is journalled; what waits is told (R27)."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.link.findings import Proposals
from core.registry import proposals
from core.registry.proposals_acts import (
    IgnoreFinding,
    RecallFinding,
    StartScan,
    StopScan,
)
from core.registry.proposals_events import FindingIgnored, ScanAsked, ScanStopped
from tests.support.detectors import HOST, detector, site
from tests.support.kernel import make_kernel
from tests.support.office import DEVICE, Office


def ignored(bench: object) -> set[str]:
    return set(bench.hub.state.registry.ignored)  # type: ignore[attr-defined]


def test_ignoring_survives_every_restart() -> None:
    """Issue: ignoring is remembered."""
    bench = make_kernel(site())
    bench.act("boss", IgnoreFinding(key="mac:1", keys=("mac:1", "uuid:1"), name="Cam"))
    bench.restart(clean=False)
    record = bench.hub.state.registry.ignored["mac:1"]
    assert (record.keys, record.name) == (("mac:1", "uuid:1"), "Cam")
    assert record.by == "person:boss"
    assert record.wall_ns > 0
    bench.act("boss", RecallFinding(key="mac:1"))
    bench.restart(clean=True)
    assert ignored(bench) == set()


def test_ignoring_twice_is_once() -> None:
    bench = make_kernel(site())
    for _ in range(2):
        bench.act("boss", IgnoreFinding(key="mac:1"))
    assert len(bench.events(FindingIgnored)) == 1


def test_what_is_not_ignored_cannot_be_recalled() -> None:
    bench = make_kernel(site())
    reply = bench.act("boss", RecallFinding(key="mac:1"))
    assert (reply.ok, reply.code) == (False, "discovery.not_ignored")


def test_the_list_of_ignored_findings_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proposals, "MAX_IGNORED", 3)
    bench = make_kernel(site())
    for number in range(3):
        bench.act("boss", IgnoreFinding(key=f"mac:{number}"))
    full = bench.act("boss", IgnoreFinding(key="mac:9"))
    assert (full.code, full.params) == ("discovery.ignored_full", {"most": 3})
    assert bench.act("boss", IgnoreFinding(key="mac:1")).ok  # it is already


def test_a_scan_is_an_act_with_a_name() -> None:
    bench = make_kernel(site())
    done = bench.act(
        "boss", StartScan(kind="modbus_tcp", target="10.0.0.0/28", units=(1, 4))
    )
    (asked,) = bench.events(ScanAsked)
    assert asked.scan_id == done.result["scan_id"]
    assert (asked.kind, asked.target, asked.units) == (
        "modbus_tcp",
        "10.0.0.0/28",
        (1, 4),
    )
    bench.act("boss", StopScan(scan_id=asked.scan_id))
    assert [each.scan_id for each in bench.events(ScanStopped)] == [asked.scan_id]
    wrong = StartScan(kind="modbus_tcp", target="10.0.0.1", units=(4, 1))
    assert bench.act("boss", wrong).code == "discovery.bad_units"


def test_a_worker_may_neither_ignore_nor_scan() -> None:
    for kind in (IgnoreFinding, RecallFinding, StartScan, StopScan):
        assert kind.roles_ == {"maintainer", "safety_officer", "owner"}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=20))
def test_the_journal_alone_tells_what_is_ignored(
    steps: list[tuple[bool, int]],
) -> None:
    bench, model = make_kernel(site()), set[str]()
    for hides, number in steps:
        key = f"mac:{number}"
        if hides:
            bench.act("boss", IgnoreFinding(key=key))
            model.add(key)
        elif key in model:
            bench.act("boss", RecallFinding(key=key))
            model.discard(key)
    bench.restart(clean=False)
    assert ignored(bench) == model


NEW = msgspec.structs.replace(DEVICE, uid="new")


def told(office: Office) -> list[Proposals]:
    return [m for m in office.of("gateway", Proposals) if isinstance(m, Proposals)]


def test_the_gateway_is_told_what_waits_whenever_it_changes() -> None:
    office = Office()
    office.join("gateway", "gateway")
    registry = office.kernel.registry
    for _ in range(2):
        office.desk.host_states()
        office.turn()
    registry.declare("host:other", NEW, {"h2s": 1})
    for _ in range(2):
        office.desk.host_states()
        office.turn()
    assert [len(each.items) for each in told(office)] == [0, 1]
    (row,) = told(office)[-1].items
    assert (row.host, row.uid, row.kinds) == ("other", "new", ("gas:h2s",))
    registry.withdraw("host:other", "new")
    office.desk.host_states()
    office.turn()
    assert told(office)[-1].items == []


def test_a_gateway_that_comes_late_is_told_what_waits() -> None:
    office = Office()
    office.kernel.registry.declare("host:other", NEW, {"h2s": 1})
    office.desk.host_states()
    office.join("gateway", "gateway")
    office.turn()
    assert [row.uid for row in told(office)[0].items] == ["new"]


def test_a_row_of_a_wild_device_is_bounded() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("x" * 400, *(f"q{n}" for n in range(60))))
    feed = proposals.ProposalFeed(bench.kernel.registry)
    message = feed.changed()
    assert message is not None
    assert len(message.items[0].kinds) == 24
    assert feed.changed() is None
