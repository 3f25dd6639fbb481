"""How often a process may be started again: back-off, and a bound on failures."""

from collections import deque

from core.clock import NS


class Budget:
    """Give the pause before the next start; ``spent`` after too many failures.

    Failures within ``window_s`` count (bounded: only the last ``limit`` are
    kept). The pause doubles from ``first_s`` to ``cap_s``; it never ends.
    """

    def __init__(
        self,
        *,
        limit: int = 5,
        window_s: float = 600.0,
        first_s: float = 1.0,
        cap_s: float = 60.0,
        free: int = 0,
    ) -> None:
        self._window_ns = int(window_s * NS)
        self._first_s, self._cap_s, self._free = first_s, cap_s, free
        self._failures: deque[int] = deque(maxlen=limit)
        self._streak = 0

    def failed(self, now_ns: int) -> float:
        """Count one failure at boot time ``now_ns``; return the pause in seconds."""
        if self._failures and now_ns - self._failures[-1] > self._window_ns:
            self._streak = 0
        self._failures.append(now_ns)
        self._streak += 1
        doubled = self._streak - 1 - self._free
        if doubled < 0:
            return 0.0
        return min(self._first_s * 2.0 ** min(doubled, 30), self._cap_s)

    def spent(self, now_ns: int) -> bool:
        """Say whether all the failures that are allowed fell into the window."""
        failures = self._failures
        full = len(failures) == failures.maxlen
        return full and now_ns - failures[0] <= self._window_ns

    def recovered(self) -> None:
        """Forget the streak: the process has run well for long enough."""
        self._streak = 0
