"""The one door to time: nobody else imports ``time`` (design §5)."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

NS = 1_000_000_000
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Earliest believable wall time (2025-01-01): before it the clock was never set.
WALL_FLOOR_NS = 1_735_689_600 * NS


def loop_ns() -> int:
    """Return real nanoseconds for a loop's timers; they stand still in suspend."""
    return time.monotonic_ns()


class Clock(Protocol):
    """Tell wall and boot time; the two axes never mix."""

    boot_id: str

    def wall_ns(self) -> int:
        """Return UTC nanoseconds since 1970; may step at any moment."""

    def mono_ns(self) -> int:
        """Return nanoseconds since boot, suspend included; never steps."""

    def synced(self) -> bool:
        """Say whether wall time can be trusted (NTP, RTC or two persons)."""


class RealClock:
    """Read the machine's clocks, scaled by ``speed`` from a shared origin.

    ``origin_ns`` (CLOCK_BOOTTIME) and ``wall_origin_ns`` make several processes
    of one site agree when ``--speed`` is not 1.
    """

    def __init__(
        self, speed: float = 1.0, origin_ns: int = 0, wall_origin_ns: int = 0
    ) -> None:
        self.speed = speed
        self._origin = origin_ns
        self._wall_origin = wall_origin_ns
        self.boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "noboot"
        self.wall_ns: Callable[[], int] = self._wall_ns
        """Returns UTC nanoseconds since 1970."""
        self.mono_ns: Callable[[], int] = self._mono_ns
        """Returns nanoseconds since boot."""
        if speed == 1.0:
            # An alarm asks twenty times on its way: each a call of the machine alone.
            self.wall_ns = time.time_ns
            self.mono_ns = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)

    def _wall_ns(self) -> int:
        raw = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self._origin
        return self._wall_origin + int(raw * self.speed)

    def _mono_ns(self) -> int:
        raw = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self._origin
        return self._origin + int(raw * self.speed)

    def synced(self) -> bool:
        """Say whether wall time can be trusted."""
        return self.wall_ns() >= WALL_FLOOR_NS

    def real_s(self, span_ns: int) -> float:
        """Turn a span of this clock into real seconds for a loop's timer."""
        return max(span_ns, 0) / NS / self.speed


class SimClock:
    """Virtual time: moves only when told; wall can step apart from mono."""

    def __init__(
        self, wall_ns: int = 1_790_000_000 * NS, boot_id: str = "sim-boot-1"
    ) -> None:
        self.boot_id = boot_id
        self.trusted = True
        self._mono = 10 * NS
        self._wall_offset = wall_ns - self._mono

    def wall_ns(self) -> int:
        """Return UTC nanoseconds since 1970."""
        return self._mono + self._wall_offset

    def mono_ns(self) -> int:
        """Return nanoseconds since boot."""
        return self._mono

    def synced(self) -> bool:
        """Say whether wall time can be trusted."""
        return self.trusted and self.wall_ns() >= WALL_FLOOR_NS

    def advance_to(self, mono_ns: int) -> None:
        """Move both axes forward to ``mono_ns``; refuses to go back."""
        if mono_ns < self._mono:
            raise ValueError(f"time cannot go back: {mono_ns} < {self._mono}")
        self._mono = mono_ns

    def advance(self, seconds: float) -> None:
        """Move both axes forward."""
        self.advance_to(self._mono + int(seconds * NS))

    def step_wall(self, seconds: float) -> None:
        """Step wall time alone, as NTP or a person would."""
        self._wall_offset += int(seconds * NS)

    def reboot(self, boot_id: str) -> None:
        """Start a new boot: mono falls back to near zero, wall goes on."""
        wall = self.wall_ns()
        self.boot_id = boot_id
        self._mono = 1 * NS
        self._wall_offset = wall - self._mono


class AsyncClock:
    """Sleep and call later on a scaled clock within an asyncio loop."""

    def __init__(self, clock: RealClock) -> None:
        self.clock = clock

    async def sleep(self, seconds: float) -> None:
        """Sleep ``seconds`` of the site's clock."""
        import asyncio  # late: the keeper needs clocks and no loop

        await asyncio.sleep(max(seconds, 0) / self.clock.speed)

    def call_later(
        self, seconds: float, callback: Callable[[], object]
    ) -> "asyncio.TimerHandle":
        """Call back after ``seconds`` of the site's clock."""
        import asyncio

        loop = asyncio.get_running_loop()
        return loop.call_later(max(seconds, 0) / self.clock.speed, callback)
