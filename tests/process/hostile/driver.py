"""Try every door; count each as ``got`` or ``refused`` under its name.

Calls of the kernel are made with arguments that would do no harm if they were let
through: who is refused is told so before they are looked at.
"""

import asyncio
import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from core.api import Command, Device, Entity, EntityKind, Integration
from core.link import messages as m

_libc = ctypes.CDLL(None, use_errno=True)
Deed = Callable[[], object]


class Refusal(Exception):
    """The kernel did not say that it refuses."""


def call(number: int, *args: int) -> None:
    """Make a system call of x86-64; a refusal is PermissionError."""
    if _libc.syscall(number, *args) < 0:
        code = ctypes.get_errno()
        if code == errno.EPERM:
            raise PermissionError(code, "refused")
        raise Refusal(os.strerror(code))


def many(make: Callable[[], object], count: int) -> None:
    """Take more and more."""
    kept = [make() for _ in range(count)]
    assert kept


class Hostile(Integration):
    """Do all of it once, then lie."""

    async def run(self) -> None:
        """Try, tell, and then speak as somebody else."""
        for name, deed in {**self._files(), **self._others(), **self._kernel()}.items():
            self._try(name, deed)
        self._try("names", lambda: socket.getaddrinfo("example.com", 80))
        for name, deed in self._bounds().items():
            self._try(name, deed)
        self._lie()
        self.host.count("finished")
        await asyncio.Event().wait()

    async def command(self, command: Command) -> None:
        """Do nothing."""

    def _try(self, name: str, deed: Deed) -> None:
        try:
            deed()
        except (OSError, LookupError, MemoryError, RuntimeError, ValueError) as error:
            self.host.count(f"refused.{name}", f"{type(error).__name__}: {error}")
        except BaseException as error:  # noqa: BLE001 - any other end is a find
            self.host.count(f"got.{name}", f"{type(error).__name__}: {error}")
        else:
            self.host.count(f"got.{name}")

    def _option(self, name: str) -> Any:
        return self.host.options[name]

    def _files(self) -> dict[str, Deed]:
        data, here = Path(self._option("data")), Path(__file__)
        segment, keys = data / "journal" / "00000001.seg", data / "keys"
        return {
            "journal": segment.read_bytes,
            "journal_cut": lambda: os.truncate(segment, 0),
            "keys": (keys / "journal.key").read_bytes,
            "secrets": (keys / "secrets.json").read_bytes,
            "data_list": lambda: os.listdir(data),
            "bundle_write": lambda: (data / "bundles" / "x.bundle").write_bytes(b"x"),
            "keeper_file": lambda: (data / "keeper.json").write_text("[]"),
            "shadow": lambda: Path("/etc/shadow").read_text("utf-8"),
            "passwd": lambda: Path("/etc/passwd").read_text("utf-8"),
            "home": lambda: os.listdir(Path("/root")),
            "own_code": lambda: here.write_text("x", "utf-8"),
            "others_code": lambda: Path(m.__file__).write_text("x", "utf-8"),
            "temporary": tempfile.NamedTemporaryFile,
            "link": lambda: os.symlink("/etc/shadow", "/tmp/hostile-link"),
            "remove": lambda: os.unlink(segment),
            "core_memory": lambda: open(f"/proc/{self._option('core')}/mem", "rb"),
            "environment": lambda: open("/proc/self/environ", "rb").read(),
            "variable": lambda: os.environ["A_SECRET_OF_THE_SHELL"],
            "disk": lambda: open("/dev/vda", "rb"),
            "terminal": lambda: open("/dev/tty", "rb"),
        }

    def _others(self) -> dict[str, Deed]:
        core, keeper = self._option("core"), self._option("keeper")
        door = str(Path(self._option("data")) / "run" / "control.sock")
        address = ("127.0.0.1", self._option("forbidden"))

        def unix(name: str) -> None:
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(name)

        def kind(family: int, way: int, protocol: int = 0) -> Deed:
            return lambda: socket.socket(family, way, protocol)

        return {
            "program": lambda: subprocess.run(["/bin/true"], check=True),
            "shell": lambda: os.posix_spawn("/bin/sh", ["sh"], {}),
            "fork": os.fork,
            "kill_keeper": lambda: os.kill(keeper, 0),
            "kill_core": lambda: os.kill(core, signal.SIGCONT),
            "renice": lambda: os.setpriority(os.PRIO_PROCESS, core, 19),
            "affinity": lambda: os.sched_setaffinity(core, {0}),
            "connect": lambda: socket.create_connection(address, 5),
            "listen": lambda: socket.create_server(("127.0.0.1", 0)),
            "control": lambda: unix(door),
            "abstract": lambda: unix("\0hostile"),
            "datagrams": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
            "udp": kind(socket.AF_INET, socket.SOCK_DGRAM),
            "udp6": kind(socket.AF_INET6, socket.SOCK_DGRAM),
            "raw": kind(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
            "packet": kind(socket.AF_PACKET, socket.SOCK_RAW),
            "netlink": kind(socket.AF_NETLINK, socket.SOCK_RAW),
            "bluetooth": kind(31, socket.SOCK_RAW, 1),
            "vsock": kind(socket.AF_VSOCK, socket.SOCK_STREAM),
        }

    def _kernel(self) -> dict[str, Deed]:
        core = self._option("core")
        numbers: dict[str, tuple[int, ...]] = {
            "ptrace": (101, 16, core, 0, 0),
            "read_memory": (310, core, 0, 0, 0, 0, 0),
            "mount": (165, 0, 0, 0, 0, 0),
            "unshare": (272, 0x10000000),
            "namespace": (308, -1, 0),
            "root": (161, 0),
            "identity": (105, 4_000_000_000),
            "capabilities": (126, 0, 0),
            "clock": (227, 99, 0),
            "name": (170, 0, -1),
            "module": (175, 0, 0, 0),
            "programs_of_kernel": (321, 99, 0, 0),
            "counters": (298, 0, 0, -1, -1, 0),
            "faults": (323, -1),
            "ring": (425, 0, 0),
            "keyring": (250, 99, 0, 0),
            "anonymous_file": (319, 0, 0),
            "process_handle": (434, core, 0),
            "outlive": (157, 1, 0, 0, 0, 0),
            "be_dumped": (157, 4, 1, 0, 0, 0),
            "clone": (56, 17, 0, 0, 0, 0),
        }
        return {name: partial(call, *each) for name, each in numbers.items()}

    def _bounds(self) -> dict[str, Deed]:
        most = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        hold = threading.Event()

        def thread() -> None:
            threading.Thread(target=hold.wait, args=(5.0,), daemon=True).start()

        return {
            "limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, most),
            "files": lambda: many(lambda: os.dup(0), 100_000),
            "memory": lambda: many(lambda: bytearray(1 << 20), 4_000),
            "threads": lambda: many(thread, 2_000),
        }

    def _lie(self) -> None:
        send = self.host.client.send  # type: ignore[attr-defined]
        send(m.ActRequest("lie", "owner", "config.arm", b"\x80"))
        send(m.NoticeResult("n", "app", "acknowledged"))
        send(m.Checked(1))
        send(m.Result("no-such-command", "confirmed"))
        send(m.Hello("gateway", "gateway", "1"))
        gas = Entity(uid="gas", name="gas", kind=EntityKind.GAS, quantity="h2s")
        bad = Entity(uid="x", name="x", kind=EntityKind.LOCATION)
        for number in range(10):
            self.host.declare(Device(uid=f"d{number}", name="d", entities=(gas,)))
        self.host.declare(Device(uid="d0", name="d", entities=(bad,)))
        send(m.DeviceEvent("d0", "scan", {}, "lie-1"))
