"""The contract of an integration: what it gets and what it owes."""

import abc
from collections.abc import Mapping
from typing import Any, Protocol

from core.api.command import Command, CommandState
from core.api.model import Device
from core.api.quality import Quality
from core.api.reading import Value
from core.clock import AsyncClock, Clock


class Host(Protocol):
    """What the host process offers an integration."""

    clock: Clock
    timer: AsyncClock
    options: Mapping[str, Any]
    """The integration's section of the site's configuration, secrets included."""

    def declare(self, device: Device) -> None:
        """Announce a device or its change; it proposes, the core enrols."""

    def withdraw(self, device_uid: str) -> None:
        """Say that a device has gone for good (its discovery was removed)."""

    def handle(self, device_uid: str, entity_uid: str) -> int:
        """Return the small integer that `report` wants; stable in this process."""

    def report(
        self,
        handle: int,
        value: Value,
        quality: int = Quality.GOOD,
        reason: str = "",
        measured_ns: int = 0,
        source_seq: int = 0,
    ) -> None:
        """Queue a reading for the telemetry lane; never blocks, never raises.

        Batched once per loop iteration. When the lane has no credit, readings
        of one handle are coalesced (last, min, max, worst quality, count).
        """

    async def event(
        self, device_uid: str, kind: str, params: Mapping[str, Value], event_id: str
    ) -> None:
        """Put a discrete event (sos, gate, fall) on the safety lane.

        Returns when the core has it durable; only then may the driver
        acknowledge it to its own peer. ``event_id`` makes repeats harmless.
        """

    def result(self, command_id: str, state: CommandState, detail: str = "") -> None:
        """Report a command's progress or terminal state on the safety lane."""

    def link_state(self, device_uid: str, up: bool, detail: str = "") -> None:
        """Say that the driver lost or regained a device; detail is a code."""

    def count(self, name: str, detail: str = "", device_uid: str = "") -> None:
        """Count a bad frame, topic or request; logged once per name.

        ``detail`` is the last offending frame, as hex or text without secrets;
        the device's page shows it. ``device_uid`` '' is the driver as a whole.
        """


class Integration(abc.ABC):
    """Drive devices of one kind; runs inside its own host process."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @abc.abstractmethod
    async def run(self) -> None:
        """Serve until cancelled.

        Raise DeviceError to be restarted with back-off, AuthError to stop
        until the configuration changes.
        """

    @abc.abstractmethod
    async def command(self, command: Command) -> None:
        """Carry out a command and report every state by `Host.result`.

        CONFIRMED only from a read-back of the device (requirement 1.15).
        """

    def at_once(self, command: Command) -> bool:
        """Carry out a command without waiting, where the driver can.

        True: it is under way, and its states will be reported. False: nothing was
        done, and `command` is to be awaited.
        """
        return False

    def diagnostics(self) -> dict[str, Any]:
        """Return counters and states for support, secrets redacted."""
        return {}
