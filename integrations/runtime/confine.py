"""Take from this process what a driver that is not ours has no need of.

Files, ports, other processes and programs, privileges, memory: each is given up
before a line of the driver is read, and none comes back (design §5 Security).
"""

import contextlib
import ctypes
import importlib.util
import os
import resource
import sys
import threading
import types
from pathlib import Path

import msgspec

from core.api.errors import ConfigError
from core.api.manifest import digest
from core.api.said import Said
from core.config import Code
from integrations.runtime import filter as calls
from integrations.runtime import landlock

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _CLEAR_ALL = 4, 24, 47, 4
_CAPABILITIES = 64
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAP_VERSION = 0x20080522
_MB = 1 << 20
#: Each thread's stack: a driver's threads count against its memory.
_STACK = 1 << 20
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE")

#: What Python and its libraries read of a system.
_SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib"),
    *("/usr/share/zoneinfo", "/usr/share/ca-certificates", "/etc/ssl", "/etc/pki"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf"),
    *("/etc/gai.conf", "/etc/services", "/etc/localtime", "/etc/ld.so.cache"),
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
)


def confine(code: Code, data: Path) -> tuple[str, ...]:
    """Confine this process to what ``code`` says; returns what could not be taken.

    Raises ConfigError when the code is not what was published, or when the hub's
    data lie within what a driver may read; OSError.
    """
    folder = Path(code.folder)
    if digest(folder) != code.digest:
        raise ConfigError(
            Said(
                "{folder}: its code is not what was published; run 'safehold publish'",
                folder=folder,
            )
        )
    readable = _readable(folder)
    for each in readable:
        if data.resolve().is_relative_to(each.resolve()):
            raise ConfigError(
                Said(
                    "{data}: lies in {each}, which drivers may read",
                    data=data,
                    each=each,
                )
            )
    _environment()
    _limits(code)
    _privileges()
    missing = landlock.restrict(
        landlock.Reach(
            read=readable,
            devices=(*map(Path, code.devices), Path("/dev/null")),
            bind=code.listens,
            connect=code.connect,
        )
    )
    landlock.no_new_privileges()
    sockets = calls.Sockets(
        udp=code.udp, netlink=code.netlink, bluetooth=code.bluetooth
    )
    return missing if calls.restrict(sockets) else (*missing, "calls")


def parse(text: str) -> Code:
    """Return the code of a command line's argument; raises ConfigError."""
    try:
        return msgspec.json.decode(text, type=Code)
    except msgspec.MsgspecError as error:
        raise ConfigError(Said("--code: {error}", error=error)) from error


def admit(code: Code) -> None:
    """Let the package be imported by its name, from its own folder alone.

    The folders above it may hold anything, and are not within reach.
    """
    parent, folder = code.module.rpartition(".")[0], Path(code.folder)
    if parent:
        above = types.ModuleType(parent)
        above.__path__ = []
        sys.modules[parent] = above
    spec = importlib.util.spec_from_file_location(
        code.module,
        folder / "__init__.py",
        submodule_search_locations=[str(folder)],
    )
    if spec is None or spec.loader is None:
        raise ConfigError(
            Said("{folder}: has no __init__.py that can be read", folder=folder)
        )
    package = importlib.util.module_from_spec(spec)
    sys.modules[code.module] = package
    spec.loader.exec_module(package)


def _readable(folder: Path) -> tuple[Path, ...]:
    ours = Path(__file__).parents[2]
    packages = [ours / name for name in ("core", "integrations")]
    # Site packages lie in the prefix; a checkout's own folder is not given.
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    return (folder, *packages, *sorted(prefixes), *map(Path, _SYSTEM))


def _environment() -> None:
    """Forget what others may have put there; Python's own copy is the first."""
    for name in [each for each in os.environ if each not in _KEPT]:
        del os.environ[name]
    os.chdir("/")


def _limits(code: Code) -> None:
    threading.stack_size(_STACK)
    for limit, most in (
        (resource.RLIMIT_DATA, code.memory_mb * _MB),
        (resource.RLIMIT_NOFILE, code.files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 64),
    ):
        with contextlib.suppress(ValueError):  # it is lower already
            resource.setrlimit(limit, (most, most))


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def _privileges() -> None:
    """Give up every capability, which root has and a service user has not."""
    libc = ctypes.CDLL(None, use_errno=True)
    for each in range(_CAPABILITIES):
        libc.prctl(_PR_CAPBSET_DROP, each, 0, 0, 0)
    libc.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    number = _CAPSET.get(os.uname().machine)
    if number is not None:
        header = _CapHeader(_CAP_VERSION, 0)
        none = (ctypes.c_uint32 * 6)()
        if libc.syscall(number, ctypes.byref(header), ctypes.byref(none)):
            raise OSError(ctypes.get_errno(), "capabilities")
