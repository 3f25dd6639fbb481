"""Deadlines that survive restarts and clock steps (design §5, R7, R22)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from core.clock import NS, Clock

if TYPE_CHECKING:
    from core.hub import Hub
    from core.journal.envelope import Envelope


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
            passed = clock.wall_ns() - self.start_wall_ns
            # Before its own start: one of the two walls was wrong.
            return self.duration_ns - passed if passed >= 0 else None
        return None


def moment(envelope: "Envelope") -> Deadline:
    """Return when an event was accepted, as a deadline of no length.

    What remains of it is less than nothing: the time since, or None.
    """
    return Deadline(
        duration_ns=0,
        start_mono_ns=envelope.mono_ns,
        start_wall_ns=envelope.wall_ns,
        boot_id=envelope.boot_id,
        synced=envelope.sync,
    )


def fire_after(
    hub: "Hub", deadline: Deadline, key: str, callback: Callable[[bool], None]
) -> None:
    """Call ``callback(late_unknown)`` when a deadline falls due; one per ``key``.

    One whose time cannot be known falls due at once with ``late_unknown`` True:
    a protective one then acts, a permissive one ends (design §5 Deadlines). It
    never calls back before this returns, so that a start can arm all of them.
    """
    left = deadline.remaining_ns(hub.clock)
    at_ns = hub.clock.mono_ns() + max(left or 0, 0)
    hub.timers.at(at_ns, key, lambda: callback(left is None))
