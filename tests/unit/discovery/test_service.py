"""The discovery process: every listener by itself, and the gateway told of changes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from core import config
from core import state as states
from core.api.packages import Package, packages
from core.hub import CORE, Hub
from core.journal import envelope as envelopes
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.link import messages as m
from core.link.findings import Findings, ScanState, Sign
from core.registry.proposals_events import (
    FindingIgnored,
    FindingRecalled,
    ScanAsked,
    ScanStopped,
)
from integrations.runtime.discovery import service
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.radio import NotHere
from integrations.runtime.discovery.service import Discovery
from tests.support.kernel import make_hub
from tests.support.waiting import until
from tests.unit.discovery.sightings import sighting


class Ear:
    """A listener of the tests: it hears what it is told, or fails."""

    name = "mdns"
    runs = 0
    fails: BaseException | None = None
    hears = (sighting("mdns", "node", "mac:1"),)

    def __init__(self, _signs: Signs, board: Board) -> None:
        self._board = board

    async def run(self) -> None:
        type(self).runs += 1
        if self.fails is not None:
            raise self.fails
        for each in self.hears:
            self._board.seen(each)
        try:
            await asyncio.Event().wait()
        finally:
            self._board.forget("mdns:")


def ear(**fields: object) -> type[Ear]:
    return type("Ear", (Ear,), fields)


class Running:
    """A discovery process without a keeper, and what its gateway was told."""

    def __init__(self, discovery: Discovery) -> None:
        self.discovery = discovery
        self.told: list[m.Message] = []
        discovery.send = self.told.append
        self.hub: Hub = make_hub()

    def keys(self) -> list[str]:
        lists = [each for each in self.told if isinstance(each, Findings)]
        return [f.key for f in lists[-1].items if not f.ignored] if lists else []

    def scans(self) -> list[ScanState]:
        return [each for each in self.told if isinstance(each, ScanState)]

    def snapshot(self) -> None:
        data = states.dump(self.hub.state)
        bundle = config.dump(config.EMPTY)
        self.discovery.receive(m.Snapshot(0, self.hub.state.seq, data, bundle))

    def happens(self, body: Event) -> Envelope:
        wrapped = self.hub.emit(body, CORE)
        data = envelopes.encode(wrapped)
        self.discovery.receive(m.Events([data], self.hub.state.seq))
        return wrapped


@asynccontextmanager
async def running(**listeners: type[Ear]) -> AsyncIterator[Running]:
    made = Running(Discovery(listeners))
    stopping = asyncio.Event()
    serving = asyncio.create_task(made.discovery.run(stopping))
    await asyncio.sleep(0)
    made.snapshot()
    try:
        yield made
    finally:
        stopping.set()
        await serving


async def test_the_gateway_is_told_what_is_found() -> None:
    async with running(mdns=ear()) as made:
        await until(lambda: made.keys() == ["mac:1"], "the finding is told")
        assert made.discovery.status == {"mdns": "on"}
        made.told.clear()
        made.discovery.connected()
        await until(lambda: made.keys() == ["mac:1"], "a fresh gateway is told anew")


async def test_a_listener_that_fails_is_told_and_the_others_go_on() -> None:
    broken = ear(fails=OSError("the port is taken"))
    absent = ear(fails=NotHere("no Bluetooth adapter"))
    async with running(mdns=ear(), wsd=broken, ble=absent) as made:
        status = made.discovery.status
        await until(lambda: len(status) == 3 and made.keys(), "all have begun")
        assert status["mdns"] == "on"
        await until(lambda: status["wsd"] != "on", "it is told")
        assert status["wsd"] == "failed: OSError: the port is taken"
        assert status["ble"] == "absent: no Bluetooth adapter"
        assert (broken.runs, absent.runs) == (1, 1)  # no loop of errors


async def test_a_listener_that_failed_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "AGAIN_S", (0.01, 0.02))
    broken = ear(fails=RuntimeError("x"))
    async with running(mdns=broken):
        await until(lambda: broken.runs > 3, "it is tried again")


async def test_what_no_manifest_asks_for_is_not_listened_to() -> None:
    async with running(dhcp=ear(), ssdp=ear()) as made:
        found = {p.manifest.id: p.manifest.discovery for p in packages().values()}
        wanted = {
            name: "on" if any(getattr(t, name) for t in found.values()) else "off"
            for name in ("dhcp", "ssdp")
        }
        await until(lambda: made.discovery.status == wanted, "each says where it is")


async def test_listeners_begin_anew_when_a_manifest_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An integration that the site adds is listened for at once."""
    kind = ear()
    async with running(mdns=kind) as made:
        await until(lambda: kind.runs == 1, "it listens")
        known = packages()
        one = known["mqtt"]
        table = msgspec.structs.replace(one.manifest.discovery, mdns=("_new._tcp",))
        changed = msgspec.structs.replace(one.manifest, discovery=table)
        more = {**known, "mqtt": one._replace(manifest=changed)}
        monkeypatch.setattr(service, "manifests", lambda *_: more)
        made.discovery.receive(m.Armed("", config.dump(config.EMPTY)))
        await until(lambda: kind.runs == 2, "it listens anew")
        assert "_new._tcp" in made.discovery.signs.services()
        made.discovery.receive(m.Armed("", config.dump(config.EMPTY)))
        await until(made.keys, "the same manifests change nothing")
        assert kind.runs == 2


async def test_ignored_findings_leave_the_list_and_come_back() -> None:
    async with running(mdns=ear()) as made:
        await until(made.keys, "found")
        made.happens(FindingIgnored(key="mac:1"))
        await until(lambda: not made.keys(), "ignored")
        made.happens(FindingRecalled(key="mac:1"))
        await until(made.keys, "recalled")


# --- scans -------------------------------------------------------------------------


class Scanner(ModuleType):
    """A scanner that finds nothing until it is let go."""

    BAUDS, PARITIES, LISTEN_S = (9600,), ("N",), 10.0

    def __init__(self, work: Callable[..., object]) -> None:
        super().__init__("scanner")
        self._work = work

    async def scan_tcp(self, *given: object) -> None:
        found = self._work(*given)
        if asyncio.iscoroutine(found):
            await found


def scanned(made: Running, work: Callable[..., object]) -> None:
    scanner = Scanner(work)
    made.discovery.scans.scanner = lambda: ("modbus", scanner)  # type: ignore[method-assign]


def asked(number: str = "S1", target: str = "10.0.0.1-3") -> ScanAsked:
    return ScanAsked(scan_id=number, kind="modbus_tcp", target=target)


def last(made: Running) -> ScanState:
    return made.scans()[-1]


async def test_a_scan_is_told_step_by_step_to_its_end() -> None:
    async with running() as made:

        def work(hosts: list[str], port: int, units: object, tell: object) -> None:
            assert (hosts, port, units) == (
                ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
                502,
                (),
            )
            tell.step("asking", 3, 3)  # type: ignore[attr-defined]
            tell.note("discovery.collision", unit=4)  # type: ignore[attr-defined]

        scanned(made, work)
        made.happens(asked())
        await until(lambda: made.scans() and last(made).state == "done", "it ends")
        assert (last(made).done, last(made).total) == (3, 3)
        assert last(made).notes == (Sign("discovery.collision", {"unit": "4"}),)


async def test_one_scan_at_a_time_and_it_can_be_stopped() -> None:
    async with running() as made:
        scanned(made, lambda *_: asyncio.Event().wait())
        made.happens(asked("S1"))
        made.happens(asked("S2"))
        await until(lambda: len(made.scans()) > 1, "both are told")
        refused = [s for s in made.scans() if s.id == "S2"]
        assert [(s.state, s.code) for s in refused] == [("refused", "discovery.busy")]
        assert last(made).id == "S1"
        made.happens(ScanStopped(scan_id="another"))
        made.happens(ScanStopped(scan_id="S1"))
        await until(lambda: last(made).state == "stopped", "it is stopped")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("10.0.0.0/21", "discovery.too_wide"),
        ("8.8.8.0/24", "discovery.not_private"),
        ("10.0.0.9-3", "discovery.bad_target"),
        ("a plc", "discovery.bad_target"),
    ],
)
async def test_what_must_not_be_scanned_is_refused(target: str, code: str) -> None:
    async with running() as made:
        made.happens(asked(target=target))
        await until(lambda: made.scans() and last(made).state == "refused", "refused")
        assert last(made).code == code


async def test_a_scanner_that_fails_ends_its_scan_only() -> None:
    async with running(mdns=ear()) as made:

        def work(*_: object) -> None:
            raise KeyError("x")

        scanned(made, work)
        made.happens(asked())
        await until(lambda: made.scans() and last(made).state == "failed", "told")
        assert last(made).code == "discovery.scan_failed"
        assert made.discovery.status == {"mdns": "on"}


async def test_a_scan_of_before_is_not_begun_again() -> None:
    """A replica that is given all anew sees what was asked long ago."""
    made = Running(Discovery({}))
    made.hub.emit(asked(), CORE)
    made.snapshot()
    assert made.discovery.scans.state is None


def test_a_bad_package_of_the_site_hides_none_of_the_hubs_own(tmp_path: Path) -> None:
    folder = tmp_path / "custom_integrations" / "acme"
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text("id: [")
    assert set(service.manifests(config.EMPTY, tmp_path)) == set(packages())


def test_code_of_others_never_scans_here() -> None:
    made = Discovery({})
    found = {name: each._replace(ours=False) for name, each in packages().items()}
    made.scans.packages = found
    with pytest.raises(Exception, match=r"discovery\.no_scanner"):
        made.scans.scanner()
    assert isinstance(next(iter(found.values())), Package)
