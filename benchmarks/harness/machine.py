"""Processes that the benchmark starts, what they cost, and how fast this core is."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def real_time() -> bool:
    """Put this process and all it will start before other work; needs root."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        return False
    return True


def cpu_index() -> float:
    """Return how fast this core is now: million turns a second of a bare loop."""
    best = 0.0
    for _ in range(5):
        began, total = time.perf_counter(), 0
        for number in range(200_000):
            total += number & 3
        best = max(best, 0.2 / (time.perf_counter() - began))
    return best


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def pss_mb(pids: list[int]) -> float:
    """Return the proportional set size of processes, in megabytes (2^20)."""
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
    return kilobytes / 1024


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time that processes have used so far."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = _stat(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def name_of(pid: int) -> str:
    """Return a process's own name; '' when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def started_s(pid: int) -> float:
    """Return when a process started, in seconds of CLOCK_BOOTTIME (10 ms steps)."""
    return int(_stat(pid)[19]) / _TICK


def boot_s() -> float:
    """Return the seconds since the machine's start."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


class Process:
    """A child in a session of its own, with its words in a log file."""

    def __init__(
        self, command: list[str], log: Path, env: dict[str, str] | None = None
    ) -> None:
        with log.open("ab") as words:
            self._popen = subprocess.Popen(
                command,
                stdout=words,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def alive(self) -> bool:
        """Say whether it still runs."""
        return self._popen.poll() is None

    def stop(self, patience_s: float = 15.0) -> None:
        """Ask it to end, and what it started; kill what does not."""
        pids = tree(self.pid)
        if self.alive():
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(patience_s)
            except subprocess.TimeoutExpired:
                for pid in pids:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
                self._popen.wait(5)


class Broker:
    """A private mosquitto on loopback that keeps nothing, without Nagle's delay."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        settings = {
            "listener": f"{self.port} 127.0.0.1",
            "allow_anonymous": "true",
            "persistence": "false",
            "set_tcp_nodelay": "true",
            "sys_interval": "1",
            "log_type": "error",
        }
        if os.geteuid() == 0:
            settings["user"] = "root"
        file = folder / "mosquitto.conf"
        file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = Process([program, "-c", str(file)], folder / "mosquitto.log")
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.02)
        raise RuntimeError("mosquitto did not start; is it installed?")

    def stop(self) -> None:
        """End it."""
        self.process.stop(5)


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has gone is fine."""
    with contextlib.suppress(OSError):
        os.kill(pid, number)
