"""What the host process offers its integration: both lanes to core, made easy."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from core.api import Command, CommandState, Device, DeviceError, Quality, Value
from core.clock import AsyncClock, Clock
from core.link import messages as m
from core.link.client import Client
from core.link.frames import FrameError
from integrations.runtime import diagnose
from integrations.runtime.coalesce import Coalescer

#: Rows in one frame: well under its megabyte, and 10 ms of core's time.
FRAME_ROWS = 4_096
#: Bytes that core may leave unread before readings are coalesced.
PENDING = 128 << 10
#: Events that may wait for the disk at once; more are refused to the driver.
MAX_EVENTS = 1_000
#: Results that are told again after a restart of core.
KEPT_RESULTS = 128
RETRY_S, RESEND_S, COUNTED_S = 0.05, 15.0, 10.0
MAX_COUNTERS = 200
#: Devices whose own counters are told at once; the others' come the next time.
MAX_FAULTY = 200

_PLAIN = frozenset({float, bool, str, int, type(None)})
_BIG = 1 << 62

log = logging.getLogger(__name__)


class HostLink:
    """Implement `core.api.Host` on a `Client`.

    A turn's first reading leaves at once, the others of that turn together.
    Declarations, lost devices, unproven events and late results are told again to
    a core that restarted.
    """

    def __init__(self, clock: Clock, timer: AsyncClock, name: str) -> None:
        self.clock, self.timer = clock, timer
        self.options: Mapping[str, Any] = {}
        self.name = name
        self.execute: Callable[[Command], None] = lambda _command: None
        self.facts: Callable[[], dict[str, Any]] = self.diagnostics
        """What is answered when somebody asks for diagnostics."""
        self.welcomed = asyncio.Event()
        self.client = Client(self._hello, self._message, on_down=self._down)
        self._loop = asyncio.get_running_loop()
        self._devices: dict[str, tuple[Device, dict[str, int]]] = {}
        self._handles: dict[tuple[str, str], int] = {}
        self._rows: list[m.Row] = []
        self._coalescer = Coalescer()
        self._gathering = False
        self._retry: asyncio.TimerHandle | None = None
        self._credit = 0
        self._events: dict[str, tuple[m.DeviceEvent, asyncio.Future[None]]] = {}
        self._results: OrderedDict[str, m.Result] = OrderedDict()
        self._links: dict[str, m.LinkState] = {}
        self._counts: dict[str, int] = {}
        self._details: dict[str, str] = {}
        self._faulty: dict[str, dict[str, tuple[int, str]]] = {}
        self.totals: dict[str, int] = {}
        self._counting: asyncio.TimerHandle | None = None

    # --- what the integration calls ------------------------------------------

    def declare(self, device: Device) -> None:
        """Announce a device or its change."""
        handles = {e.uid: self.handle(device.uid, e.uid) for e in device.entities}
        self._devices[device.uid] = (device, handles)
        if self.welcomed.is_set():
            self._declare(device, handles)

    def withdraw(self, device_uid: str) -> None:
        """Say that a device has gone for good."""
        if self._devices.pop(device_uid, None) is not None:
            self._links.pop(device_uid, None)
            self._send(m.Withdraw(device_uid))

    def handle(self, device_uid: str, entity_uid: str) -> int:
        """Return the entity's number, stable in this process."""
        return self._handles.setdefault(
            (device_uid, entity_uid), len(self._handles) + 1
        )

    def report(
        self,
        handle: int,
        value: Value,
        quality: int = 0,
        reason: str = "",
        measured_ns: int = 0,
        source_seq: int = 0,
    ) -> None:
        """Queue a reading for the telemetry lane; never blocks, never raises."""
        kind = value.__class__
        if kind is not float and (kind not in _PLAIN or kind is int):
            value, quality, reason = self._plain(value, quality, reason)
        self._rows.append(
            m.Row(handle, value, quality, measured_ns, source_seq, reason)
        )
        if not self._gathering:
            # A turn's first reading leaves at once, the others together after it.
            self._gathering = True
            self._loop.call_soon(self._gathered)
            self._flush()

    async def event(
        self, device_uid: str, kind: str, params: Mapping[str, Value], event_id: str
    ) -> None:
        """Put a discrete event on the safety lane; returns when it is durable.

        Raises DeviceError when too many wait: do not acknowledge the source.
        """
        waiting = self._events.get(event_id)
        if waiting is None:
            if len(self._events) >= MAX_EVENTS:
                self.count("events_refused", event_id)
                raise DeviceError("too many events wait for the disk")
            message = m.DeviceEvent(device_uid, kind, dict(params), event_id)
            waiting = message, self._loop.create_future()
            self._events[event_id] = waiting
            self._send(message)
        while not waiting[1].done():
            # A lost answer must not keep the source waiting for ever.
            done, _ = await asyncio.wait([waiting[1]], timeout=RESEND_S)
            if not done:
                self._send(waiting[0])

    def result(self, command_id: str, state: CommandState, detail: str = "") -> None:
        """Report a command's progress or terminal state."""
        result = m.Result(command_id, state, detail)
        self._results[command_id] = result
        self._results.move_to_end(command_id)
        if len(self._results) > KEPT_RESULTS:
            self._results.popitem(last=False)
        self._send(result)

    def link_state(self, device_uid: str, up: bool, detail: str = "") -> None:
        """Say that the driver lost or regained a device; '' is all of them."""
        message = m.LinkState(device_uid, up, detail)
        if up:
            self._links.pop(device_uid, None)
        else:
            self._links[device_uid] = message
        self._send(message)

    def count(self, name: str, detail: str = "", device_uid: str = "") -> None:
        """Count bad input; logged once per name, told to core every 10 s."""
        if name not in self.totals and len(self.totals) >= MAX_COUNTERS:
            name, detail = "other", ""
        if name not in self.totals:
            log.warning("%s: %s %s", self.name, name, detail[:200])
        self.totals[name] = self.totals.get(name, 0) + 1
        self._counts[name] = self._counts.get(name, 0) + 1
        self._details[name] = detail[:200]
        if device_uid in self._devices and (
            device_uid in self._faulty or len(self._faulty) < MAX_FAULTY
        ):
            faulty = self._faulty.setdefault(device_uid, {})
            faulty[name] = faulty.get(name, (0, ""))[0] + 1, detail[:200]
        if self._counting is None:
            self._counting = self._loop.call_later(COUNTED_S, self._tell_counts)

    # --- what the process calls ----------------------------------------------

    def finished(self, command_id: str) -> m.Result | None:
        """Return what was last reported of a command."""
        return self._results.get(command_id)

    def diagnostics(self) -> dict[str, Any]:
        """Return the host's own counters."""
        return {
            "counters": dict(self.totals),
            "coalesced": self._coalescer.count,
            "events_waiting": len(self._events),
            "credit": self._credit,
            "devices": len(self._devices),
        }

    def close(self) -> None:
        """Send what waits and end the link."""
        self._flush()
        self._tell_counts()
        for timer in (self._counting, self._retry):
            if timer is not None:
                timer.cancel()
        self.client.detach("stopped")
        for _, future in self._events.values():
            future.cancel()

    # --- the link -------------------------------------------------------------

    def _hello(self) -> m.Hello:
        return m.Hello(name=self.name, role="host", version="1")

    def _send(self, message: m.Message) -> None:
        """Send within a session; what must not be lost is told again at the next."""
        if self.welcomed.is_set():
            self.client.send(message)

    def _down(self, _reason: str) -> None:
        self.welcomed.clear()
        self._credit = 0

    def _message(self, message: m.Message) -> None:
        if isinstance(message, m.Execute):
            self.execute(message.command)
        elif isinstance(message, m.Credit):
            self._credit += message.frames
            if self._coalescer:
                self._flush()
        elif isinstance(message, m.EventDurable):
            waiting = self._events.pop(message.event_id, None)
            if waiting is not None and not waiting[1].done():
                waiting[1].set_result(None)
        elif isinstance(message, m.Diagnose):
            secrets = dict(self.options.get("secrets", {})).values()
            self._send(m.Diagnosis(message.id, diagnose.answer(self.facts(), secrets)))
        elif isinstance(message, m.Welcome):
            self._welcome(message)
        else:
            self.count("unexpected", type(message).__name__)

    def _welcome(self, welcome: m.Welcome) -> None:
        self.options = dict(welcome.options)
        if welcome.secrets:
            self.options["secrets"] = dict(welcome.secrets)
        self._credit = welcome.credit
        self.welcomed.set()
        for device, handles in self._devices.values():
            self._declare(device, handles)
        owed: list[m.Message] = [*self._links.values()]
        owed += [message for message, _ in self._events.values()]
        owed += self._results.values()
        for message in owed:
            self.client.send(message)
        self._flush()

    def _declare(self, device: Device, handles: dict[str, int]) -> None:
        try:
            self.client.send(m.Declare(device, handles))
        except FrameError as error:
            self.count("device_too_large", f"{device.uid}: {error.detail}")

    # --- telemetry ------------------------------------------------------------

    def _plain(self, value: Value, quality: int, reason: str) -> tuple[Value, int, str]:
        """Return a value that the link can carry; what is none becomes a fault."""
        if value.__class__ is int and -_BIG <= value <= _BIG:
            return value, quality, reason
        try:
            return float(value), quality, reason  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            self.count("value_unusable", repr(value)[:80])
            return None, Quality.FAULT, "wrong_type"

    def _gathered(self) -> None:
        self._gathering = False
        self._flush()

    def _again(self) -> None:
        self._retry = None
        self._flush()

    def _flush(self) -> None:
        rows = self._rows
        if not rows and not self._coalescer:
            return
        lane, now = self.client.telemetry, self.clock.mono_ns()
        held = lane is None or self._credit <= 0 or lane.pending > PENDING
        self._rows = []
        if held or self._coalescer:
            # What was coalesced is older: core must not take it for the last word.
            for row in rows:
                self._coalescer.add(row, now)
            rows = []
        if held:
            if lane is not None and self._retry is None:
                self._retry = self._loop.call_later(RETRY_S, self._again)
            return
        coalesced = self._coalescer.take()
        half = FRAME_ROWS // 2
        for at in range(0, len(coalesced), half):
            self._frame(m.Readings(now, [], coalesced[at : at + half]))
        for at in range(0, len(rows), FRAME_ROWS):
            self._frame(m.Readings(now, rows[at : at + FRAME_ROWS]))
        if self.client.telemetry is not None:
            self.client.telemetry.flush()  # not another turn of the loop later

    def _frame(self, frame: m.Readings) -> None:
        lane = self.client.telemetry
        if lane is None:
            return
        try:
            lane.send(frame)
            self._credit -= 1
        except FrameError as error:
            self.count("readings_refused", error.detail)

    def _tell_counts(self) -> None:
        self._counting = None
        if self._counts and self.welcomed.is_set():
            self._send(m.Counted(self._counts, self._details, self._faulty))
            self._counts, self._details, self._faulty = {}, {}, {}
