"""Wait for real peers: the only place in the tests that sleeps by the wall."""

import asyncio
import time
from collections.abc import Callable

STEP_S = 0.01


async def until(holds: Callable[[], object], what: str, limit_s: float = 40.0) -> None:
    """Return as soon as ``holds()`` is true; fail naming ``what`` after the limit.

    The limit only ends a hopeless wait, it measures nothing: keep it generous.
    """
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, f"waited {limit_s} s in vain for: {what}"
        await asyncio.sleep(STEP_S)


def until_sync(holds: Callable[[], object], what: str, limit_s: float = 40.0) -> None:
    """Do what `until` does, for tests without a loop."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, f"waited {limit_s} s in vain for: {what}"
        time.sleep(STEP_S)


async def pause(seconds: float) -> None:
    """Let real time pass between random acts upon real processes."""
    await asyncio.sleep(seconds)
