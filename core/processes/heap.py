"""A process's memory as the machine sees it: big pages, and what is given back."""

import contextlib
import ctypes

#: Of Linux 6.1; an older kernel refuses it, and all is as before.
_MADV_COLLAPSE = 25
_BIG_PAGE = 2 << 20
_MAPS = "/proc/self/maps"


def give_back() -> None:
    """Return to the machine what starting has left free within the process."""
    with contextlib.suppress(AttributeError):  # a libc without malloc_trim
        ctypes.CDLL(None).malloc_trim(0)


def gather() -> int:
    """Gather the heap in big pages, and return how many bytes; 0 where none are.

    An alarm's way touches objects all over the heap. In small pages the processor
    looks up the place of nearly each of them in tables that are not in its cache.
    """
    libc, gathered = ctypes.CDLL(None), 0
    try:
        with open(_MAPS, encoding="utf-8") as maps:
            parts = [line.split() for line in maps]
    except OSError:
        return 0
    for part in parts:
        if part[1] != "rw-p" or part[5:] not in ([], ["[heap]"]):
            continue
        low, high = (int(end, 16) for end in part[0].split("-"))
        first = -(-low // _BIG_PAGE) * _BIG_PAGE
        for at in range(first, high - _BIG_PAGE + 1, _BIG_PAGE):
            where, size = ctypes.c_void_p(at), ctypes.c_size_t(_BIG_PAGE)
            if libc.madvise(where, size, _MADV_COLLAPSE) == 0:
                gathered += _BIG_PAGE
    return gathered
