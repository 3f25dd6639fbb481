"""Two hosts on one wire, as two network namespaces that the test makes itself.

What runs in one is a Python process of its own, entered by ``ip netns exec``.
"""

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

#: A device of Ethernet frames, without a header of the kernel's own.
_TUNSETIFF, _TAP_BARE = 0x400454CA, 0x1002
ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def why_not() -> str:
    """Return why this machine cannot make two hosts; '' when it can."""
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "no ip or tc: install iproute2"
    probe = f"sh{os.getpid()}q"
    try:
        _ip("netns", "add", probe)
        _ip("netns", "del", probe)
        _ip("link", "add", probe, "type", "bridge")
        _ip("link", "del", probe)
    except subprocess.CalledProcessError as error:
        return f"no network namespaces: {error.stderr.decode().strip()}"
    return ""


class Wire:
    """Hold the namespaces ``hub`` and ``device``, and the bridge between them."""

    addresses = {"hub": "10.77.0.1", "device": "10.77.0.2"}

    def __init__(self) -> None:
        self._mark = f"{os.getpid() % 100_000}x{next(_numbers)}"
        self._bridge = f"b{self._mark}"

    def name(self, host: str) -> str:
        """Return a host's namespace."""
        return f"sh{self._mark}{host[0]}"

    def _port(self, host: str) -> str:
        return f"v{self._mark}{host[0]}"

    def make(self) -> None:
        """Lay the wire; raises CalledProcessError."""
        # A bridge that snoops would keep multicast from whoever has not joined yet.
        _ip("link", "add", self._bridge, "type", "bridge", "mcast_snooping", "0")
        _ip("link", "set", self._bridge, "up")
        for host in self.addresses:
            inner, port = f"e{self._mark}{host[0]}", self._port(host)
            _ip("link", "add", port, "type", "veth", "peer", "name", inner)
            _ip("link", "set", port, "master", self._bridge, "up")
            self._settle(host, inner)

    def _settle(self, host: str, device: str) -> None:
        """Make a host of a device: its namespace, address and way out."""
        space = self.name(host)
        inside = ("-n", space)
        _ip("netns", "add", space)
        _ip("link", "set", device, "netns", space)
        _ip(*inside, "link", "set", device, "name", "eth0")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "addr", "add", f"{self.addresses[host]}/24", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        # Without a way out the kernel sends no multicast.
        _ip(*inside, "route", "add", "default", "dev", "eth0")

    def netem(self, *words: str) -> str:
        """Let the wire lose, repeat and reorder; returns why the kernel cannot."""
        for host in self.addresses:
            command = ["tc", "qdisc", "replace", "dev", self._port(host), "root"]
            done = subprocess.run(
                [*command, "netem", *words],
                check=False,
                capture_output=True,
                timeout=20,
            )
            if done.returncode:
                return f"no netem: {done.stderr.decode().strip()}"
        return ""

    def remove(self) -> None:
        """Take all of it away."""
        for host in self.addresses:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self.name(host))
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", self._bridge)


class BadWire(Wire):
    """A wire of our own that loses, repeats and reorders, where the kernel cannot.

    Two TAP devices, and this process carries the frames between them.
    """

    def __init__(self, seed: int, lose: float, repeat: float, late: float) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._lose, self._repeat, self._late = lose, repeat, late
        self._ends: list[int] = []

    def make(self) -> None:
        """Lay the wire; raises CalledProcessError, OSError."""
        for host in self.addresses:
            self._ends.append(_tap(self._port(host)))
            self._settle(host, self._port(host))

    def carry(self) -> None:
        """Begin to carry frames on the running loop."""
        loop = asyncio.get_running_loop()
        one, other = self._ends
        loop.add_reader(one, self._carry, one, other)
        loop.add_reader(other, self._carry, other, one)

    def _carry(self, source: int, target: int) -> None:
        with contextlib.suppress(BlockingIOError):
            frame = os.read(source, 4096)
            if self._random.random() < self._lose:
                return
            copies = 1 + (self._random.random() < self._repeat)
            for _ in range(copies):
                late = self._random.random() < self._late
                pause = self._random.uniform(0.02, 0.08) if late else 0.0
                loop = asyncio.get_running_loop()
                loop.call_later(pause, self._put, target, frame)

    def _put(self, target: int, frame: bytes) -> None:
        if target in self._ends:
            with contextlib.suppress(OSError):  # its end may be down by now
                os.write(target, frame)

    def remove(self) -> None:
        """Take all of it away."""
        ends, self._ends = self._ends, []
        with contextlib.suppress(RuntimeError):  # the loop may have ended before
            for end in ends:
                asyncio.get_running_loop().remove_reader(end)
        for end in ends:
            os.close(end)
        super().remove()


def _tap(name: str) -> int:
    """Return the end of a new TAP device."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", name.encode(), _TAP_BARE))
    except OSError:
        os.close(end)
        raise
    return end


@contextlib.contextmanager
def wire(made: Wire | None = None) -> Iterator[Wire]:
    """Lay a wire for a test."""
    made = made or Wire()
    try:
        made.make()
        yield made
    finally:
        made.remove()


class Process:
    """A Python module in a namespace that prints one JSON object a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> dict[str, Any]:
        """Return the next line; the test's own time limit ends a hopeless wait."""
        assert self._process.stdout is not None
        data = await self._process.stdout.readline()
        assert data, "the process in the namespace has ended"
        found: dict[str, Any] = json.loads(data)
        return found

    def say(self, word: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())


@contextlib.asynccontextmanager
async def inside(
    laid: Wire, host: str, module: str, *args: str
) -> AsyncIterator[Process]:
    """Run a module on one of the hosts."""
    command = ["ip", "netns", "exec", laid.name(host), sys.executable, "-m", module]
    process = await asyncio.create_subprocess_exec(
        *command,
        *args,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        assert process.stdin is not None
        process.stdin.close()
