"""A disk that hangs delays nothing that protects, and permits nothing."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from automations.engine import make
from core.clock import SimClock
from core.journal.segment import RealSegmentFile
from core.link import messages as m
from core.link import pair
from core.link.pair import PairLane
from core.link.server import Server
from core.processes.assembly import Assembly
from core.processes.ledger import LoopLedger
from core.registry.ids import Ids
from tests.process.test_disk_full import staffed
from tests.support.loopback import DEVICE
from tests.support.site import Loop
from tests.support.waiting import until

HOST = "host:loop"


class Valve:
    """Let a disk's syncs through, or keep them waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.open.set()
        sync = RealSegmentFile.sync

        def wait(file: RealSegmentFile) -> None:
            assert self.open.wait(60.0)
            sync(file)

        monkeypatch.setattr(RealSegmentFile, "sync", wait)


class Hub:
    """The safety process without its sockets, on a real disk and virtual time."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimClock()
        self.ledger = LoopLedger(folder, self.clock, asyncio.get_running_loop())
        self.calls: list[Callable[[], object]] = []
        self.sent: list[m.Message] = []
        server = Server(self._message, lambda _peer, _reason: None)
        self.all = Assembly(
            self.ledger,
            server,
            Ids.seeded(self.clock, 1),
            self.clock,
            engine=make,
            bundles=self,
            secrets=lambda _names: {},
        )
        self.all.start(self.all.told)
        self.all.hub.load(staffed(Loop(folder)))
        server.adopt(HOST, self._lane, both=True)

    def read(self, digest: str) -> bytes:
        """Have no bundle."""
        raise FileNotFoundError(digest)

    def host(self, message: m.Message) -> None:
        """Let the host say something, and everything happen that follows."""
        self.ends[0].send(message)
        while self.calls:
            self.calls.pop(0)()
        self.all.turn()
        while self.calls:
            self.calls.pop(0)()

    def _message(self, peer: str, message: m.Message) -> None:
        self.all.desk.receive(peer, message)

    def _lane(
        self,
        receive: Callable[[m.Message], None],
        ended: Callable[[str], None],
    ) -> PairLane:
        ours, theirs = pair.connect(self.calls.append)
        ours.bind(receive, ended)
        theirs.bind(self.sent.append, lambda _reason: None)
        self.ends = [*getattr(self, "ends", []), theirs]
        return ours


async def test_hanging_disk_does_not_delay_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design §2: protective consumers act on accepted, whatever the disk does."""
    valve = Valve(monkeypatch)
    hub = Hub(tmp_path)
    hub.host(m.Hello(HOST, "host", "1"))
    hub.host(m.Declare(DEVICE, {"h2s": 1, "sos": 2, "siren": 3}))
    await until(
        lambda: hub.ledger.durable_seq == hub.all.hub.state.seq, "start durable"
    )
    valve.open.clear()
    hub.host(m.Readings(hub.clock.mono_ns(), [m.Row(1, 25.0)]))
    # No wait in between: the order left in the same turn as the reading came.
    assert [c.command.value for c in hub.sent if isinstance(c, m.Execute)] == [True]
    state = hub.all.hub.state
    assert hub.ledger.durable_seq < state.seq
    assert state.response.notices
    assert hub.ledger.healthy()
    hub.clock.advance(3.0)
    hub.all.states()
    assert not hub.ledger.healthy()
    kinds = {a.kind for a in hub.all.kernel.alarms.active()}
    assert {"gas.toxic", "fault.disk"} <= kinds
    valve.open.set()
    await until(lambda: hub.ledger.durable_seq == state.seq, "written late")
    hub.all.states()
    assert "fault.disk" not in {a.kind for a in hub.all.kernel.alarms.active()}
    assert hub.all.end()
    hub.ledger.close()
