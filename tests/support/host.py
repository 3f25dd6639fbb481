"""A host that writes down what an integration tells it; stands in for the core."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from core.api import CommandState, Device, Integration, Quality, Value
from core.clock import AsyncClock, Clock, RealClock


class Report(NamedTuple):
    """One reading as the driver gave it."""

    value: Value
    quality: Quality
    reason: str
    measured_ns: int = 0
    source_seq: int = 0


class Event(NamedTuple):
    """One discrete event as the driver gave it."""

    device_uid: str
    kind: str
    params: dict[str, Value]
    event_id: str


class FakeHost:
    """Record declare, report, event, result and link_state; keeps real time."""

    def __init__(self, options: Mapping[str, Any], speed: float = 1.0) -> None:
        real = RealClock(speed)
        self.clock: Clock = real
        self.timer = AsyncClock(real)
        self.options = options
        self.devices: dict[str, Device] = {}
        self.declared: list[Device] = []
        self.withdrawn: list[str] = []
        self.reports: dict[tuple[str, str], list[Report]] = {}
        self.events: list[Event] = []
        self.durable = asyncio.Event()
        """Cleared: `event` waits, as it does while the core's disk is full."""
        self.durable.set()
        self.results: dict[str, list[tuple[CommandState, str]]] = {}
        self.links: dict[str, tuple[bool, str]] = {}
        self.link_history: list[tuple[str, bool, str]] = []
        self.counts: dict[str, int] = {}
        self.details: dict[str, list[str]] = {}
        self._points: list[tuple[str, str]] = []

    def declare(self, device: Device) -> None:
        self.devices[device.uid] = device
        self.declared.append(device)

    def withdraw(self, device_uid: str) -> None:
        self.devices.pop(device_uid, None)
        self.withdrawn.append(device_uid)

    def handle(self, device_uid: str, entity_uid: str) -> int:
        point = (device_uid, entity_uid)
        if point not in self._points:
            self._points.append(point)
        return self._points.index(point)

    def report(
        self,
        handle: int,
        value: Value,
        quality: int = Quality.GOOD,
        reason: str = "",
        measured_ns: int = 0,
        source_seq: int = 0,
    ) -> None:
        told = Report(value, Quality(quality), reason, measured_ns, source_seq)
        self.reports.setdefault(self._points[handle], []).append(told)

    async def event(
        self, device_uid: str, kind: str, params: Mapping[str, Value], event_id: str
    ) -> None:
        self.events.append(Event(device_uid, kind, dict(params), event_id))
        await self.durable.wait()

    def result(self, command_id: str, state: CommandState, detail: str = "") -> None:
        self.results.setdefault(command_id, []).append((state, detail))

    def link_state(self, device_uid: str, up: bool, detail: str = "") -> None:
        self.links[device_uid] = (up, detail)
        self.link_history.append((device_uid, up, detail))

    def count(self, name: str, detail: str = "", device_uid: str = "") -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        self.details.setdefault(name, []).append(detail)

    def last(self, device_uid: str, entity_uid: str) -> Report | None:
        """Return the newest reading of an entity."""
        found = self.reports.get((device_uid, entity_uid))
        return found[-1] if found else None

    def states(self, command_id: str) -> list[CommandState]:
        """Return the states that a command went through, in order."""
        return [state for state, _ in self.results.get(command_id, [])]


class Running:
    """Run an integration for the length of an ``async with``."""

    def __init__(self, integration: Integration) -> None:
        self.integration = integration

    async def __aenter__(self) -> Integration:
        self._task = asyncio.get_running_loop().create_task(self.integration.run())
        return self.integration

    async def __aexit__(self, *_exc: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
