"""The keeper: starts every other process and hands out the sockets between them.

Standard library only, single-threaded, no data of its own: what it must not
lose is one small file with the last list of children (ADR 4).
"""

import contextlib
import fcntl
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from core.clock import NS, RealClock
from core.processes import memory
from core.processes.children import Child, State, core_budget
from core.processes.control import Channel, Packet, close_all, notify
from core.processes.door import Door
from core.processes.fixed import core_spec, fixed_children
from core.processes.spec import CORE, Spec

#: Core that does not say that its alarm loop runs is killed after this.
CORE_SILENT_S = 20.0
#: The same while it starts: replaying a long journal takes its time.
CORE_STARTING_S = 120.0
STOP_CORE_S = 8.0
STOP_S = 3.0
TICK_S = 1.0
#: Pairs of children that talk without core.
SIDE_PAIRS = (("gateway", "archive"), ("gateway", "discovery"))


class AlreadyRunning(Exception):
    """Another keeper serves this data folder."""


class Keeper:
    """Run the children until a signal or a request says stop."""

    def __init__(self, data: Path, greeting: Packet, options: Packet) -> None:
        self.data = data
        self._lock = _lock(data)
        self._fixed = {
            spec.name: spec for spec in fixed_children({**options, "data": str(data)})
        }
        self.clock = RealClock()
        self.greeting = {**greeting, "keeper": os.getpid(), "data": str(data)}
        self.children: dict[str, Child] = {}
        self.stopping = self.ready = self.finished = False
        self._selector = selectors.DefaultSelector()
        self._fed_ns = self._ticked_ns = self.clock.mono_ns()
        self._guests = 0
        self.door = Door(self, data / "run")

    # --- life -----------------------------------------------------------------

    def run(self) -> int:
        """Start all and serve; returns the exit status."""
        wake = self._catch_signals()
        core = Child(core_spec(), core_budget())
        self.children[CORE] = core
        self._start(core)
        for spec in (*memory.load(self.data), *self._fixed.values()):
            self.children[spec.name] = Child(spec)
        self.watch(wake, lambda: _drain(wake))
        try:
            self.door.open()
        except OSError as error:
            _log(f"no control socket: {error}")  # the hub protects without it
        try:
            while not self.finished:
                self._turn()
        finally:
            self.door.close()
            for child in self.children.values():
                child.signal(signal.SIGKILL)
        return 0

    def stop(self) -> None:
        """Begin the orderly end: core first, then all others."""
        if self.stopping:
            return
        self.stopping = True
        notify("STOPPING=1")
        for child in self.children.values():
            child.wanted = False
        self.children[CORE].stop(self.clock.mono_ns(), STOP_CORE_S)

    def watch(self, sock: socket.socket | Channel, act: Callable[[], None]) -> None:
        """Call ``act`` whenever a socket has something to read."""
        self._selector.register(sock, selectors.EVENT_READ, act)

    def unwatch(self, sock: socket.socket | Channel) -> None:
        """Stop looking at a socket; unknown ones are fine."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._pause()):
            # An earlier act of this turn may have closed this one's socket.
            if key.fileobj in self._registered():
                key.data()
        self._reap()
        now = self.clock.mono_ns()
        self._check_core(now)
        self._start_due(now)
        self._link_due(now)
        self._look_after(now)
        if self.stopping:
            self._end_others(now)

    def _pause(self) -> float:
        """Return the seconds until something falls due, a tick at most."""
        now = self.clock.mono_ns()
        due = [now + int(TICK_S * NS)]
        for child in self.children.values():
            times = (child.start_at_ns, child.kill_at_ns, child.link_at_ns)
            due += [at for at in times if at > now]
        return (min(due) - now) / NS

    def _registered(self) -> Iterable[object]:
        return [key.fileobj for key in self._selector.get_map().values()]

    def _catch_signals(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._wake_writer = theirs
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        return ours

    # --- children -------------------------------------------------------------

    def _start(self, child: Child) -> None:
        now = self.clock.mono_ns()
        try:
            child.start(now, self.greeting)
        except OSError as error:
            child.could_not_start(now, error)
            self.tell(child)
            return
        if child.channel is not None:
            self.watch(child.channel, lambda: self._hear(child))
        if child.spec.name == CORE:
            self.ready, self._fed_ns = False, now
            for other in self.children.values():
                self.tell(other)
                self._link(other)
        else:
            self.tell(child)
            self._link(child)
        self._link_sides(child)

    def _link(self, child: Child) -> None:
        core = self.children[CORE]
        if child is core or child.channel is None or core.channel is None:
            return
        names = list(child.spec.lanes)
        ends = [socket.socketpair() for _ in names]
        for_core, for_child = [a for a, _ in ends], [b for _, b in ends]
        peer = {"op": "peer", "lanes": names}
        told = core.channel.send({**peer, "name": child.spec.name}, *for_core)
        told &= child.channel.send({**peer, "name": CORE}, *for_child)
        if not told:
            child.link_at_ns = self.clock.mono_ns() + NS  # one is too busy to read
        close_all(for_core + for_child)

    def _link_due(self, now: int) -> None:
        for child in self.children.values():
            if child.link_at_ns and child.link_at_ns <= now:
                child.link_at_ns = 0
                self._link(child)

    def _relink(self, name: str) -> None:
        """Give a child whose link ended another; one that loses many is killed."""
        child = self.children.get(name)
        if child is None or not child.pid:
            return
        now = self.clock.mono_ns()
        pause = child.links.failed(now)
        if child.links.spent(now):
            _log(f"{name}: its links end again and again: killed")
            child.signal(signal.SIGKILL)
        else:
            # If it is dying, its end is known before this.
            child.link_at_ns = now + int(max(pause, 0.05) * NS)

    def _link_sides(self, started: Child) -> None:
        for left, right in SIDE_PAIRS:
            if started.spec.name not in (left, right):
                continue
            one, two = self.children.get(left), self.children.get(right)
            if not (one and two and one.channel and two.channel):
                continue
            ends = list(socket.socketpair())
            peer = {"op": "peer", "lanes": ["safety"]}
            one.channel.send({**peer, "name": right}, ends[0])
            two.channel.send({**peer, "name": left}, ends[1])
            close_all(ends)

    def attach(self) -> tuple[str, socket.socket] | None:
        """Return a link to core for a guest of the control door, or None."""
        core = self.children[CORE]
        if core.channel is None:
            return None
        self._guests += 1
        name = f"cli:{self._guests}"
        ours, theirs = socket.socketpair()
        sent = core.channel.send(
            {"op": "peer", "name": name, "lanes": ["safety"]}, ours
        )
        ours.close()
        if not sent:
            theirs.close()
            return None
        return name, theirs

    def restart(self, name: str, *, asked: bool = False) -> bool:
        """Kill a child so that it starts afresh; False when there is none.

        ``asked``: by a person, so that it is no failure of the child.
        """
        child = self.children.get(name)
        if child is None:
            return False
        if not child.pid:
            child.start_at_ns = 0
            return True
        if asked:
            child.kill_at_ns = self.clock.mono_ns()
        child.signal(signal.SIGKILL)
        return True

    def tell(self, child: Child) -> None:
        """Tell core how a child stands."""
        core = self.children[CORE]
        if core.channel is not None and child is not core:
            core.channel.send(
                {
                    "op": "state",
                    "name": child.spec.name,
                    "state": child.state,
                    "detail": child.detail,
                    "starts": child.starts,
                }
            )

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in list(self.children.values()):
                if child.pid == pid:
                    self._ended(child, status)

    def _ended(self, child: Child, status: int) -> None:
        if child.channel is not None:
            self._hear(child)  # its last words may still stand there
        if child.channel is not None:
            self.unwatch(child.channel)
        child.ended(self.clock.mono_ns(), status)
        if child.state is not State.STOPPED:
            _log(f"{child.spec.name} ended: {child.detail}")
        elif not self.stopping and not child.spec.once:
            self.children.pop(child.spec.name, None)
        self.tell(child)

    def _start_due(self, now: int) -> None:
        for child in list(self.children.values()):
            if child.pid or not child.wanted or child.start_at_ns > now:
                continue
            if child.spec.early or self.ready or child.starts:
                self._start(child)

    def _look_after(self, now: int) -> None:
        for child in self.children.values():
            child.relay(now)
            if child.kill_at_ns and child.kill_at_ns <= now:
                child.signal(signal.SIGKILL)

    def _check_core(self, now: int) -> None:
        core = self.children[CORE]
        slept = now - self._ticked_ns > 5 * TICK_S * NS
        self._ticked_ns = now
        if slept or not core.pid:
            self._fed_ns = now  # a machine or keeper that stood still proves nothing
        allowed = CORE_SILENT_S if self.ready else CORE_STARTING_S
        if now - self._fed_ns > allowed * NS and not core.kill_at_ns:
            _log(f"core has been silent for {allowed:.0f} s: killed")
            core.signal(signal.SIGKILL)
            self._fed_ns = now

    def _end_others(self, now: int) -> None:
        if self.children[CORE].pid:
            return
        for child in self.children.values():
            child.stop(now, STOP_S)
        self.finished = not any(child.pid for child in self.children.values())

    # --- what children say ----------------------------------------------------

    def _hear(self, child: Child) -> None:
        while child.channel is not None:
            try:
                got = child.channel.receive()
            except EOFError:
                self.unwatch(child.channel)
                child.close()
                return
            except ValueError as error:
                _log(f"{child.spec.name}: {error}")
                child.signal(signal.SIGKILL)
                return
            if got is None:
                return
            close_all(got[1])
            if child.spec.name == CORE:
                self._core_says(got[0])

    def _core_says(self, packet: Packet) -> None:
        op = packet["op"]
        if op == "ready":
            self.ready, self._fed_ns = True, self.clock.mono_ns()
            notify("READY=1")
        elif op == "watchdog":
            self._fed_ns = self.clock.mono_ns()
            notify("WATCHDOG=1")
        elif op == "end":
            _log("core asks for the end: the power is about to go")
            self.stop()
        elif op == "closed":
            self._relink(str(packet.get("name", "")))
        elif op == "restart":
            self.restart(str(packet.get("name", "")))
        elif op == "children":
            self._want(packet)
        else:
            _log(f"core: unknown packet {op}")

    def _want(self, packet: Packet) -> None:
        try:
            specs = [Spec.parse(fields) for fields in packet["list"]]
        except (KeyError, TypeError, ValueError) as error:
            _log(f"core: list of children refused: {error!r}")
            return
        memory.save(self.data, specs)
        fixed = {CORE, *self._fixed}
        wanted = {spec.name: spec for spec in specs if spec.name not in fixed}
        now = self.clock.mono_ns()
        for name in [n for n in self.children if n not in wanted and n not in fixed]:
            gone = self.children[name]
            gone.wanted = False
            gone.stop(now, STOP_S)
            if not gone.pid:
                del self.children[name]
        for name, spec in wanted.items():
            self._adopt(name, spec, now)

    def _adopt(self, name: str, spec: Spec, now: int) -> None:
        child = self.children.get(name)
        if child is None:
            # Core may tell of it while all end: it is kept for the next start.
            self.children[name] = Child(spec, wanted=not self.stopping)
            return
        child.wanted = not self.stopping
        if child.spec != spec:
            child.spec, child.start_at_ns = spec, now
            child.stop(now, STOP_S)


def _lock(data: Path) -> int:
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(folder)
        raise AlreadyRunning(f"a hub already runs on {data}") from error
    return folder


def _drain(wake: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        wake.recv(4096)


def _log(line: str) -> None:
    sys.stderr.write(f"keeper: {line}\n")
    sys.stderr.flush()
