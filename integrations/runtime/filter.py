"""A filter of system calls: what no driver of a device ever needs is refused.

Landlock guards files and ports; this guards the rest of the kernel's doors: other
programs, other processes' memory, raw and foreign sockets, namespaces, the clock.
Source: Linux UAPI linux/seccomp.h, linux/filter.h, linux/audit.h.
"""

import ctypes
import errno
import os
import socket
import struct
from typing import NamedTuple

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_LOAD, _EQUAL, _HAS, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH = 0, 4
_X32 = 0x40000000
_TYPE_MASK = 0x7FF & ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_CLONE_THREAD = 0x10000

#: Refused with EPERM, by name: the number on x86-64 and on aarch64 (-1: it has none).
REFUSED: dict[str, tuple[int, int]] = {
    # Other programs.
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, -1),
    "vfork": (58, -1),
    # Other processes.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kcmp": (312, 272),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    "setrlimit": (160, 164),
    # The machine.
    "reboot": (169, 142),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "quotactl": (179, 60),
    "vhangup": (153, 58),
    # File systems and namespaces.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "mknod": (133, -1),
    "mknodat": (259, 33),
    # Who it is.
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setgroups": (116, 159),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "capset": (126, 91),
    # Doors of the kernel that no driver opens.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "personality": (135, 92),
    "seccomp": (317, 277),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "vmsplice": (278, 75),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mq_open": (240, 180),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}


class _Machine(NamedTuple):
    column: int
    audit: int
    socket: int
    socketpair: int
    clone: int
    clone3: int
    kill: int
    tgkill: int
    tkill: int
    prlimit: int
    prctl: int


_MACHINES = {
    "x86_64": _Machine(0, 0xC000003E, 41, 53, 56, 435, 62, 234, 200, 302, 157),
    "aarch64": _Machine(1, 0xC00000B7, 198, 199, 220, 435, 129, 131, 130, 261, 167),
}


class Sockets(NamedTuple):
    """Say which kinds of sockets may still be made; TCP always may."""

    udp: bool = False
    netlink: bool = False
    bluetooth: bool = False
    raw: bool = False


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def supported() -> bool:
    """Say whether this machine's numbers are known here."""
    return os.uname().machine in _MACHINES


def restrict(sockets: Sockets) -> bool:
    """Filter this thread and what it starts, for ever; False where it cannot be.

    Needs `landlock.no_new_privileges`. Raises OSError.
    """
    if not supported():
        return False
    code = b"".join(_program(_MACHINES[os.uname().machine], sockets))
    kept = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0):
        code_ = ctypes.get_errno()
        if code_ == errno.EINVAL:
            return False  # a kernel without filters
        raise OSError(code_, os.strerror(code_), "seccomp")
    return True


def _line(code: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value & 0xFFFFFFFF)


def _low(argument: int) -> bytes:
    """Load the low half of an argument."""
    return _line(_LOAD, 0, 0, 16 + 8 * argument)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Do the body, which ends by returning, for one system call."""
    if number < 0:
        return []
    return [
        _line(_LOAD, 0, 0, _NUMBER),
        _line(_EQUAL, 0, len(body), number),
        *body,
    ]


_NO = _line(_RETURN, 0, 0, _ERROR | errno.EPERM)
_YES = _line(_RETURN, 0, 0, _ALLOW)


def _program(machine: _Machine, sockets: Sockets) -> list[bytes]:
    lines = [
        _line(_LOAD, 0, 0, _ARCH),
        _line(_EQUAL, 1, 0, machine.audit),
        _line(_RETURN, 0, 0, _KILL),  # numbers of another machine mean other calls
        _line(_LOAD, 0, 0, _NUMBER),
        _line(_HAS, 0, 1, _X32),
        _line(_RETURN, 0, 0, _KILL),
    ]
    for numbers in REFUSED.values():
        lines += _when(numbers[machine.column], [_NO])
    # glibc asks clone3 first, whose flags no filter can read, and then clone.
    lines += _when(machine.clone3, [_line(_RETURN, 0, 0, _ERROR | errno.ENOSYS)])
    thread = [_low(0), _line(_HAS, 0, 1, _CLONE_THREAD), _YES, _NO]
    lines += _when(machine.clone, thread)
    for number in (machine.kill, machine.tgkill):
        lines += _when(number, [_low(0), _line(_EQUAL, 0, 1, os.getpid()), _YES, _NO])
    lines += _when(machine.tkill, [_NO])
    lines += _when(machine.prlimit, _reading(2))
    tied = [_line(_EQUAL, 0, 1, _PR_SET_PDEATHSIG), _NO]
    lines += _when(
        machine.prctl,
        [_low(0), *tied, _line(_EQUAL, 0, 1, _PR_SET_DUMPABLE), _NO, _YES],
    )
    lines += _when(machine.socketpair, _pairs())
    lines += _when(machine.socket, _families(sockets))
    return [*lines, _YES]


def _reading(argument: int) -> list[bytes]:
    """Allow a call whose pointer to new values is null: it only asks."""
    high = _line(_LOAD, 0, 0, 20 + 8 * argument)
    null = [_line(_EQUAL, 1, 0, 0), _NO]
    return [_low(argument), *null, high, *null, _YES]


def _kind(argument: int) -> list[bytes]:
    return [_low(argument), _line(_AND, 0, 0, _TYPE_MASK)]


def _pairs() -> list[bytes]:
    """Allow pairs of streams: a pair of datagrams could be sent elsewhere."""
    return [*_kind(1), _line(_EQUAL, 0, 1, socket.SOCK_STREAM), _YES, _NO]


def _families(sockets: Sockets) -> list[bytes]:
    kinds = [socket.SOCK_STREAM]
    kinds += [socket.SOCK_DGRAM] if sockets.udp else []
    kinds += [socket.SOCK_RAW] if sockets.raw else []
    whole = [16] if sockets.netlink else []
    whole += [31] if sockets.bluetooth else []
    lines: list[bytes] = []
    for family in whole:
        lines += [_low(0), _line(_EQUAL, 0, 1, family), _YES]
    for family in (socket.AF_INET, socket.AF_INET6):
        body = _kind(1)
        for kind in kinds:
            body += [_line(_EQUAL, 0, 1, kind), _YES]
        body.append(_NO)
        lines += [_low(0), _line(_EQUAL, 0, len(body), family), *body]
    return [*lines, _NO]
