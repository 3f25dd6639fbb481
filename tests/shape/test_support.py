"""What the other tests lean on holds."""

import asyncio

import pytest

from tests.support.virtual import run_virtual
from tests.support.waiting import until


def test_virtual_time_jumps_in_the_order_of_deadlines() -> None:
    """Design §8: virtual time, so a day passes without waiting."""
    told: list[tuple[float, str]] = []

    async def sleeper(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        told.append((asyncio.get_running_loop().time(), name))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for seconds, name in ((86_400, "day"), (60, "minute"), (3_600, "hour")):
                group.create_task(sleeper(seconds, name))

    run_virtual(main)
    assert [name for _, name in told] == ["minute", "hour", "day"]
    assert [round(at) for at, _ in told] == [60, 3_600, 86_400]


def test_virtual_time_refuses_a_task_left_behind() -> None:
    """Design §8: every long task has an owner."""
    left: list[asyncio.Task[None]] = []

    async def main() -> None:
        left.append(asyncio.get_running_loop().create_task(asyncio.sleep(9)))

    with pytest.raises(AssertionError, match="left behind"):
        run_virtual(main)
    assert left[0].cancelled()


async def test_a_hopeless_wait_says_what_it_waited_for() -> None:
    """Errors name the place: a peer that never comes is named."""
    with pytest.raises(AssertionError, match="in vain for: the siren"):
        await until(lambda: False, "the siren", limit_s=0)
