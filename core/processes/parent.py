"""Tie a child's life to its keeper's."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with(keeper: int = 0) -> None:
    """Be killed when the parent dies; ends at once if it is dead already.

    ``keeper`` is the parent's pid, where the child was told it. The tie goes on
    through an exec, so a companion may call this and become another program.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if keeper and os.getppid() != keeper:
        os._exit(0)
