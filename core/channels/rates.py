"""A rate limit kept: bursts that never exceed it in any window, and a reserve."""

from core.clock import NS


class Bucket:
    """Allow at most ``rate`` messages in any ``per_s`` seconds; 0: any number.

    Half may go at once and the rest flow in evenly, so that in any window there
    are never more than the rate. A part is kept for life safety, which therefore
    waits for no flood of the rest. It begins with that part and one more: nobody
    knows what another run of this process has sent.
    """

    def __init__(self, now_ns: int, rate: int, per_s: float, burst: int = 0) -> None:
        self.limited = rate > 0
        half = max(1, rate // 2)
        self._capacity = float(min(half, burst) if burst else half)
        flow = max(rate - int(self._capacity), 1)
        self._per_ns = flow / (per_s * NS)
        self._reserve = float(int(self._capacity) // 2)
        self._left = min(self._capacity, self._reserve + 1.0)
        self._at_ns, self._blocked_ns = now_ns, 0

    def take(self, now_ns: int, *, life: bool) -> bool:
        """Take one message's leave; False: it must wait."""
        if self.wait_ns(now_ns, life=life) > 0:
            return False
        self._left -= 1.0 if self.limited else 0.0
        return True

    def wait_ns(self, now_ns: int, *, life: bool) -> int:
        """Return how long until a message may go."""
        wait = max(0, self._blocked_ns - now_ns)
        if not self.limited:
            return wait
        self._flow(now_ns)
        missing = 1.0 + (0.0 if life else self._reserve) - self._left
        # One nanosecond more: a rounded token is no token.
        return max(wait, int(missing / self._per_ns) + 1 if missing > 1e-9 else 0)

    def spare(self, now_ns: int) -> int:
        """Return how many messages may go now beside the reserve."""
        if not self.limited:
            return 1_000
        self._flow(now_ns)
        return max(0, int(self._left - self._reserve))

    def block(self, now_ns: int, seconds: float) -> None:
        """Hear that the service takes no more for a while."""
        self._blocked_ns = max(self._blocked_ns, now_ns + int(seconds * NS))
        self._left = 0.0 if self.limited else self._left

    def _flow(self, now_ns: int) -> None:
        passed = max(0, now_ns - self._at_ns)
        self._at_ns = max(now_ns, self._at_ns)
        self._left = min(self._capacity, self._left + passed * self._per_ns)
