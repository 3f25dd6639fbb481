"""Devices that were found and wait for a person, and who follows the registry."""

from typing import Protocol

import msgspec

from core.api.model import Device
from core.clock import Clock

#: Proposals kept; the oldest goes first, counted (R21).
MAX_PROPOSALS = 500


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a device that was found and waits for a person's enrolment."""

    host: str
    device: Device
    seen_wall_ns: int


class Listener(Protocol):
    """Who keeps tables derived from the registry."""

    def device_changed(self, device_id: str) -> None:
        """A device was enrolled, changed, zoned or removed."""

    def device_gone(self, device_id: str) -> None:
        """A device's announcement was withdrawn; it stays enrolled."""

    def handles_changed(self, host: str) -> None:
        """A host's handles mean something else now."""


class Waiting(dict[tuple[str, str], Proposal]):
    """Keep what was declared and nobody enrolled, by host and uid."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.shed = 0
        self.pressed: dict[tuple[str, str], int] = {}
        """Host and uid → boot time at which an unknown device last called."""

    def propose(self, host: str, device: Device) -> None:
        """Keep a device for a person to enrol; the oldest goes first."""
        key = (host, device.uid)
        if key not in self and len(self) >= MAX_PROPOSALS:
            del self[next(iter(self))]
            self.shed += 1
        self[key] = Proposal(
            host=host, device=device, seen_wall_ns=self._clock.wall_ns()
        )

    def press(self, host: str, uid: str) -> None:
        """Hear that a device which nobody enrolled called by itself."""
        self.pressed.pop((host, uid), None)
        self.pressed[host, uid] = self._clock.mono_ns()
        if len(self.pressed) > MAX_PROPOSALS:
            del self.pressed[next(iter(self.pressed))]
