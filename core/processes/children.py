"""One child of the keeper: what it is, how it is started, when it starts again."""

import contextlib
import enum
import os
import signal
import socket
import sys
from dataclasses import dataclass, field

from core.clock import NS
from core.processes.budget import Budget
from core.processes.control import CONTROL_FD, Channel, Packet
from core.processes.scribe import Scribe
from core.processes.spec import CORE, Spec

#: A child that has run this long is well again: its next failure starts anew.
WELL_S = 60.0
#: Pause between tries once the budget is spent; the fault is on everybody's page.
SLOW_S = 60.0
#: How far those step back that yield to the way of an alarm.
NICE = 5
_PLAIN = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")
_HIDDEN = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


class State(enum.StrEnum):
    """Name where a child stands."""

    WAITING = "waiting"
    RUNNING = "running"
    BACKOFF = "backoff"
    FAILED = "failed"
    """Its budget is spent: a fault, and it is tried again slowly."""
    STOPPED = "stopped"


def host_budget() -> Budget:
    """Return what an ordinary child may fail: 5 times in 10 minutes."""
    return Budget()


def link_budget() -> Budget:
    """Return how often a living child may lose its link to core in a minute."""
    return Budget(limit=6, window_s=60, first_s=0.1, cap_s=5, free=1)


def core_budget() -> Budget:
    """Return core's budget: at once, then quickly, and it is never given up."""
    return Budget(limit=5, window_s=60, first_s=0.25, cap_s=5, free=2)


@dataclass
class Child:
    """Hold one child's process and its history."""

    spec: Spec
    budget: Budget = field(default_factory=host_budget)
    state: State = State.WAITING
    pid: int = 0
    channel: Channel | None = None
    started_ns: int = 0
    start_at_ns: int = 0
    kill_at_ns: int = 0
    """When a child that was asked to stop is killed; 0: not asked."""
    link_at_ns: int = 0
    """When it gets a fresh link to core; 0: it has one."""
    links: Budget = field(default_factory=link_budget)
    wanted: bool = True
    detail: str = ""
    starts: int = 0
    scribe: Scribe | None = None
    """Reads what a driver that is not ours writes to its log."""

    def start(self, now_ns: int, greeting: Packet) -> None:
        """Start the process; raises OSError."""
        ours, theirs = Channel.pair()
        self._hush(now_ns)
        try:
            if self.spec.foreign:
                self.scribe = Scribe(self.spec.name, now_ns)
            log = self.scribe.writes if self.scribe is not None else -1
            self.pid = _spawn(self.spec, theirs, log)
            if self.spec.yields:
                _lower(self.pid)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            if self.scribe is not None:
                self.scribe.handed()
        self.state, self.started_ns, self.detail = State.RUNNING, now_ns, ""
        self.starts += 1
        self.kill_at_ns = 0
        if self.spec.speaks:
            self.channel = ours
            ours.send({**greeting, "op": "start", "name": self.spec.name})
        else:
            ours.close()

    def ended(self, now_ns: int, status: int) -> None:
        """Take the end of the process; plans the next start if it is wanted."""
        asked = self.kill_at_ns != 0
        self.close()
        self._hush(now_ns)
        self.pid = self.kill_at_ns = self.link_at_ns = 0
        self.detail = _describe(status)
        if self.spec.once:
            self.wanted = False
        if not self.wanted:
            self.state = State.STOPPED
        elif asked:
            self.state, self.start_at_ns = State.WAITING, now_ns
        else:
            self._failed(now_ns)

    def _failed(self, now_ns: int) -> None:
        if now_ns - self.started_ns > WELL_S * NS:
            self.budget.recovered()
        pause = self.budget.failed(now_ns)
        self.state = State.BACKOFF
        if self.spec.name != CORE and self.budget.spent(now_ns):
            self.state, pause = State.FAILED, SLOW_S
        self.start_at_ns = now_ns + int(pause * NS)

    def relay(self, now_ns: int) -> None:
        """Pass on what the process wrote to its log."""
        if self.scribe is not None:
            self.scribe.relay(now_ns)

    def _hush(self, now_ns: int) -> None:
        scribe, self.scribe = self.scribe, None
        if scribe is not None:
            scribe.close(now_ns)

    def could_not_start(self, now_ns: int, error: OSError) -> None:
        """Take a start that the system refused."""
        self.started_ns, self.detail = now_ns, str(error)
        self._failed(now_ns)

    def stop(self, now_ns: int, grace_s: float) -> None:
        """Ask the process to end; it is killed after ``grace_s``."""
        if not self.pid:
            self.state = State.STOPPED if not self.wanted else self.state
            return
        if self.kill_at_ns:
            return
        self.kill_at_ns = now_ns + int(grace_s * NS)
        if self.channel is None or not self.channel.send({"op": "stop"}):
            self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send a signal to the process, if it lives."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def close(self) -> None:
        """Close the control socket."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None


def _spawn(spec: Spec, control: socket.socket, log: int = -1) -> int:
    env = {k: v for k, v in os.environ.items() if _told(spec, k)}
    actions: list[tuple[int, ...]] = []
    if log >= 0:
        actions += [(os.POSIX_SPAWN_DUP2, log, each) for each in (1, 2)]
    if spec.speaks:
        # Above the number it will get, or dup2 would leave it closed on exec.
        control = _above(control)
        actions.append((os.POSIX_SPAWN_DUP2, control.fileno(), CONTROL_FD))
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", *spec.args],
            env,
            file_actions=actions,
            setsigmask=(),
            setsigdef=(signal.SIGINT, signal.SIGPIPE, signal.SIGTERM),
        )
    finally:
        if spec.speaks:
            control.close()


def _told(spec: Spec, variable: str) -> bool:
    """Say whether a child gets a variable: what others' code runs in gets few."""
    if spec.name.startswith("host:"):
        return variable in _PLAIN or variable.startswith("PYTHON")
    return variable not in _HIDDEN


def _lower(pid: int) -> None:
    """Take a process out of a real-time class that the hub may have, and be nice."""
    with contextlib.suppress(OSError):  # it may be gone already
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, pid, NICE)


def _above(sock: socket.socket) -> socket.socket:
    import fcntl

    fd = fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD_CLOEXEC, CONTROL_FD + 7)
    return socket.socket(fileno=fd)


def _describe(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit {code}"
