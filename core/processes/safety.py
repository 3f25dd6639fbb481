"""The safety process: the kernel on a real loop, with sockets, timers and a disk."""

import gc
import importlib
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from core.processes import lean  # isort: split

from core.clock import NS
from core.hub import Room
from core.kernel import Kernel
from core.link import messages as m
from core.link.server import Server
from core.processes import heap
from core.processes.assembly import Assembly
from core.processes.blind import RETRY_S, BlindLedger, open_ledger
from core.processes.child import Control, rename
from core.processes.control import Packet, close_all
from core.processes.ledger import SLOW_NS, Notice
from core.processes.loop import Loop, Timer
from core.processes.pulse import BEAT_S
from core.processes.wanted import wanted
from core.processes.watchdog import LIMIT_S, Probe
from core.registry.ids import Ids
from core.registry.secrets import Secrets

LIVE_S, HISTORY_S, STATES_S, PROBE_S = 0.25, 0.5, 1.0, 2.0
#: Replicas get a turn's events so much later: a siren's way goes first.
FLUSH_S = 0.01
#: Errors of our own within a minute after which the process starts afresh.
MAX_ERRORS = 5
#: What the archive may leave unread before its rows stay in the room's bound.
ARCHIVE_LIMIT = 4 << 20
HISTORY_ROWS = 20_000

__all__ = ["Safety", "lean", "main"]


class _Folder:
    """Read published bundles from the data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: str) -> bytes:
        """Return a bundle's bytes; raises OSError."""
        return (self._folder / f"{digest}.bundle").read_bytes()


class Safety:
    """Own the kernel and all that drives it."""

    def __init__(self, control: Control) -> None:
        self._control = control
        clock = control.clock
        self._clock = clock
        self.server = Server(self._message, self._lost)
        self._loop = Loop(lambda error: self._failed("loop", error))
        secrets = Secrets(control.data)
        self._ledger = open_ledger(control.data, clock, self._loop)
        # A disk is as slow as it is, whatever the speed of the site's clock.
        self._ledger.slow_ns = int(SLOW_NS * max(clock.speed, 1.0))
        self._all = Assembly(
            self._ledger,
            self.server,
            Ids(clock),
            clock,
            engine=_engine(),
            bundles=_Folder(control.data / "bundles"),
            secrets=lambda names: {n: secrets.get_or_create(n) for n in names},
        )
        self._all.armed, self._all.restart = self._tell_children, self._restart
        self.kernel, self.hub = self._all.kernel, self._all.hub
        self.hub.failed = lambda error: self._failed("a room", error)
        self.kernel.power.stop = lambda: control.send({"op": "end"})
        self.desk, self.health = self._all.desk, self._all.health
        self.pulse = self._all.pulse
        self.probe: Probe
        self._points: dict[int, str] = {}
        self._errors: deque[int] = deque(maxlen=MAX_ERRORS)
        self._timer: Timer | None = None
        self._timer_ns = 0
        self._turning = self._prompt = self._flushing = self._clean = False
        self._told = (0, 0)

    # --- life -----------------------------------------------------------------

    def run(self) -> int:
        """Serve until the keeper says stop; returns the exit status."""
        self._all.start(self._journal)
        self._turn()
        # Only now: what peers say waits in their sockets until we are armed.
        self._control.serve(self._loop, self._ending, self._peer, self._packet)
        self._control.send({"op": "ready"})
        self._tell_children()
        # Its limit is real time, whatever the speed of the site's clock.
        limit_s = LIMIT_S * max(self._clock.speed, 1.0)
        self.probe = Probe(self._clock, self._loop.call_soon, limit_s)
        self.kernel.lamps.well = self.probe.well
        for every, work in (
            (LIVE_S, self.desk.live),
            (HISTORY_S, self._history),
            (STATES_S, self._all.states),
            (PROBE_S, self._probe),
            (BEAT_S, self.pulse.beat),
            (RETRY_S, self._disk_back),
        ):
            self._repeat(every, work)
        _settle_memory()
        self._loop.run()
        return 0 if self._clean else 1

    def _ending(self) -> None:
        """End in order; the loop ends with this turn."""
        if self._loop.stopped:
            return
        self._loop.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._clean = self._all.end()
        self.server.close()
        self._control.close()

    # --- turns ----------------------------------------------------------------

    def _turn_soon(self) -> None:
        if not self._turning:
            self._turning = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Run one due timer, send what this turn made, arm the next timer.

        One: what came meanwhile is heard before the timers that are due as well.
        """
        self._turning = False
        self._guard("timers", self.hub.step)
        if self._prompt:
            self._flush()
        elif not self._flushing and self._told != self._tellable():
            self._flushing = True
            self._loop.call_later(FLUSH_S, self._flush)
        due = self.hub.timers.next_ns()
        if due is not None and (self._timer is None or due != self._timer_ns):
            if self._timer is not None:
                self._timer.cancel()
            self._timer_ns = due
            pause = self._clock.real_s(due - self._clock.mono_ns())
            self._timer = self._loop.call_later(pause, self._timed)

    def _flush(self) -> None:
        self._flushing = self._prompt = False
        self._told = self._tellable()
        self.desk.flush()

    def _tellable(self) -> tuple[int, int]:
        return self.hub.state.seq, self.hub.journal.durable_seq

    def _timed(self) -> None:
        self._timer = None
        self._turn()

    def _repeat(self, every: float, work: Callable[[], object]) -> None:
        def again() -> None:
            self._loop.call_later(every, again)
            self._guard(work.__name__, work)
            self._turn_soon()

        self._loop.call_soon(again)

    # --- peers ----------------------------------------------------------------

    def _peer(self, name: str, lanes: list[str], socks: list[socket.socket]) -> None:
        if "safety" not in lanes or len(lanes) != len(socks):
            close_all(socks)
            return
        self.server.attach(self._loop, name, lanes, socks)

    def _message(self, peer: str, message: m.Message) -> None:
        try:
            self.desk.receive(peer, message)
            # Who asks for an act reads what it did.
            self._prompt = self._prompt or type(message) is m.ActRequest
            if type(message) is m.Hello and peer == "archive":
                self._names_again()
        except Exception as error:  # noqa: BLE001 - the border to other processes:
            # one message may not take the others of its lane with it.
            self._failed(f"{peer} {type(message).__name__}", error)
        self._turn_soon()

    def _lost(self, peer: str, reason: str) -> None:
        self.desk.lost(peer)
        if reason != "replaced":
            if reason not in ("lost", "closed"):
                self.desk.count(f"{peer.partition(':')[0]}.closed")
                _log(f"{peer}: link closed: {reason}")
            self._control.send({"op": "closed", "name": peer})
        if peer.startswith("host:"):
            self._guard("host lost", lambda: self.pulse.lost(peer, reason))
        self._turn_soon()

    def _packet(self, packet: Packet) -> None:
        if packet["op"] == "state":
            name, state = str(packet["name"]), str(packet["state"])
            self._guard(
                "process state",
                lambda: self.health.process(name, state, str(packet["detail"])),
            )
            self._turn_soon()

    def _restart(self, name: str) -> None:
        _log(f"{name}: its loop has not answered: started afresh")
        self._control.send({"op": "restart", "name": name})

    def _tell_children(self) -> None:
        specs = wanted(self.hub.bundle, self._control.data)
        packet = {"op": "children", "list": [spec.plain() for spec in specs]}
        self._control.send(packet)

    # --- steady work ----------------------------------------------------------

    def _journal(self, notice: Notice) -> None:
        self._guard("journal", lambda: self._all.told(notice))
        self._turn_soon()

    def _history(self) -> None:
        archive = self.server.get("archive")
        lane = archive.telemetry if archive is not None else None
        if lane is None or lane.pending > ARCHIVE_LIMIT:
            return  # the room keeps rows within its bound, and counts the rest
        batch = self.kernel.readings.drain_history()
        self._points.update(batch.names)
        if not (batch.rows or batch.names or batch.lost):
            return
        for at in range(0, max(len(batch.rows), 1), HISTORY_ROWS):
            rows = batch.rows[at : at + HISTORY_ROWS]
            first = at == 0
            names = batch.names if first else {}
            lane.send(m.History(rows, names, batch.lost if first else 0))

    def _names_again(self) -> None:
        archive = self.server.get("archive")
        if archive is not None and archive.telemetry is not None:
            points = list(self._points.items())
            for at in range(0, len(points), HISTORY_ROWS):
                part = dict(points[at : at + HISTORY_ROWS])
                archive.telemetry.send(m.History([], part))

    def _disk_back(self) -> None:
        if isinstance(self._ledger, BlindLedger):
            self._ledger.look(_afresh)

    def _probe(self) -> None:
        ticking = self._clock.mono_ns() - self.health.ticked_ns < 5 * NS * max(
            self._clock.speed, 1.0
        )
        if ticking and self.probe.well():
            self._control.send({"op": "watchdog"})
        self.probe.beat()

    # --- errors of our own ----------------------------------------------------

    def _guard(self, where: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a room's error is an alarm and
            # is counted; too many and the process starts afresh from its journal.
            self._failed(where, error)

    def _failed(self, where: str, error: BaseException) -> None:
        import traceback  # late: a hub without errors starts without it

        sys.stderr.write(
            f"core: error in {where}\n{''.join(traceback.format_exception(error))}"
        )
        sys.stderr.flush()
        now = self._clock.mono_ns()
        self._errors.append(now)
        full = len(self._errors) == MAX_ERRORS
        if full and now - self._errors[0] < 60 * NS:
            _log(f"{MAX_ERRORS} errors within a minute: starting afresh")
            os._exit(70)
        self.health.error(where, error)


def _engine() -> Callable[[Kernel], Room]:
    """Return the automation engine's maker, loaded by name (design §4)."""
    make: Callable[[Kernel], Room] = importlib.import_module("automations.engine").make
    return make


def _settle_memory() -> None:
    """Keep what lives for ever out of the collector's way."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    heap.gather()


def _afresh() -> None:
    _log("the journal can be opened again: starting afresh")
    os._exit(75)


def _log(line: str) -> None:
    sys.stderr.write(f"core: {line}\n")
    sys.stderr.flush()


def main() -> int:
    """Run the safety process as the keeper's child."""
    control = Control.greet()
    rename("sh-core")
    return Safety(control).run()


if __name__ == "__main__":
    sys.exit(main())
