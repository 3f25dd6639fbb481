"""Timers on the boot clock, kept by their keys."""

import heapq
import itertools
from collections.abc import Callable


class Timers:
    """Call back at boot-clock times; one timer per key."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._live: dict[str, tuple[int, Callable[[], None]]] = {}
        self._order = itertools.count()

    def at(self, mono_ns: int, key: str, callback: Callable[[], None]) -> None:
        """Arm or move the timer of ``key``."""
        number = next(self._order)
        self._live[key] = (number, callback)
        heapq.heappush(self._heap, (mono_ns, number, key))

    def cancel(self, key: str) -> None:
        """Disarm a timer; unknown keys are fine."""
        self._live.pop(key, None)

    def next_ns(self) -> int | None:
        """Return when the earliest timer falls due."""
        while self._heap and not self._is_live(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ns: int) -> Callable[[], None] | None:
        """Remove and return one due callback, in order of time, then of arming."""
        due = self.next_ns()
        if due is None or due > now_ns:
            return None
        _, _, key = heapq.heappop(self._heap)
        return self._live.pop(key)[1]

    def _is_live(self, entry: tuple[int, int, str]) -> bool:
        live = self._live.get(entry[2])
        return live is not None and live[0] == entry[1]
