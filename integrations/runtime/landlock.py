"""Landlock: which files, ports and processes this process may still reach.

Rules only take away; they hold for every thread and child, and nobody lifts them.
Source: Linux UAPI linux/landlock.h. Each kernel knows some version of it: what it
does not know is left out and told.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""System calls; the same numbers on every architecture."""
_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_BIND, _CONNECT = 1, 2
_ABSTRACT, _SIGNAL = 1, 2
_READ_ONLY = _READ | _LIST
#: What a rule on a file, rather than a folder, may hold.
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_FIRST_RIGHTS = 13
_REFER, _TRUNC, _NET, _DEV, _SCOPE = 2, 3, 4, 5, 6
"""The versions that brought renames, truncation, ports, devices and scopes."""


class Reach(NamedTuple):
    """Say what stays within reach; all else is refused.

    Paths that do not exist are left out. ``bind`` and ``connect`` are TCP ports.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    devices: tuple[Path, ...] = ()
    bind: tuple[int, ...] = ()
    connect: tuple[int, ...] = ()


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("fd", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("access", ctypes.c_uint64), ("port", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the kernel's version of Landlock, 0 when it has none."""
    return max(int(_libc.syscall(_CREATE, None, 0, _VERSION)), 0)


def restrict(reach: Reach) -> tuple[str, ...]:
    """Take away all but ``reach`` from this thread and what it starts, for ever.

    Returns what this kernel could not take away: files, ports, signals. Call it
    before any thread is started. Raises OSError.
    """
    known = version()
    if not known:
        return ("files", "ports", "signals")
    files = _file_rights(known)
    ruleset = _Ruleset(files)
    size = 8
    if known >= _NET:
        ruleset.net, size = _BIND | _CONNECT, 16
    if known >= _SCOPE:
        ruleset.scoped, size = _ABSTRACT | _SIGNAL, 24
    fd = _call(_CREATE, ctypes.byref(ruleset), size, 0)
    try:
        _allow(fd, reach.read, _READ_ONLY | _EXECUTE, files)
        _allow(fd, reach.write, files & ~_EXECUTE, files)
        _allow(fd, reach.devices, _READ | _WRITE | _IOCTL, files)
        if known >= _NET:
            for port in reach.bind:
                _rule(fd, _NET_PORT, _Port(_BIND, port))
            for port in reach.connect:
                _rule(fd, _NET_PORT, _Port(_CONNECT, port))
        no_new_privileges()
        _call(_RESTRICT, fd, 0)
    finally:
        os.close(fd)
    missing = (("ports", _NET), ("signals", _SCOPE))
    return tuple(name for name, since in missing if known < since)


def no_new_privileges() -> None:
    """Let no program that this process starts be more than it is; raises OSError."""
    if _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")


def _file_rights(known: int) -> int:
    rights = (1 << _FIRST_RIGHTS) - 1
    for since, right in ((_REFER, 1 << 13), (_TRUNC, _TRUNCATE), (_DEV, _IOCTL)):
        if known >= since:
            rights |= right
    return rights


def _allow(ruleset: int, paths: Iterable[Path], rights: int, known: int) -> None:
    for path in paths:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there needs no rule
        try:
            folder = path.is_dir()
            given = rights & known & (~0 if folder else _OF_FILES)
            _rule(ruleset, _PATH_BENEATH, _Beneath(given, fd))
        finally:
            os.close(fd)


def _rule(ruleset: int, kind: int, rule: ctypes.Structure) -> None:
    _call(_ADD, ruleset, kind, ctypes.byref(rule), 0)


def _call(number: int, *args: object) -> int:
    result = int(_libc.syscall(number, *args))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "landlock")
    return result
