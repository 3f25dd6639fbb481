"""Deadlines that survive restarts and clock steps (design §5, R7, R22)."""

import msgspec

from core.clock import NS, Clock


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """Store when something falls due: start, duration, boot, wall, sync state.

    ``protective`` ones fire at once when the time cannot be known, marked
    ``late_unknown``; permissive ones expire.
    """

    duration_ns: int
    start_mono_ns: int
    start_wall_ns: int
    boot_id: str
    synced: bool
    protective: bool = True

    @classmethod
    def after(
        cls, clock: Clock, seconds: float, *, protective: bool = True
    ) -> "Deadline":
        """Return a deadline ``seconds`` from now."""
        return cls(
            duration_ns=int(seconds * NS),
            start_mono_ns=clock.mono_ns(),
            start_wall_ns=clock.wall_ns(),
            boot_id=clock.boot_id,
            synced=clock.synced(),
            protective=protective,
        )

    def remaining_ns(self, clock: Clock) -> int | None:
        """Return what is left (negative when late), or None when unknowable."""
        if clock.boot_id == self.boot_id:
            return self.start_mono_ns + self.duration_ns - clock.mono_ns()
        if self.synced and clock.synced():
            return self.start_wall_ns + self.duration_ns - clock.wall_ns()
        return None
