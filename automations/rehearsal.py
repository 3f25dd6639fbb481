"""A kernel on virtual time with obedient devices, for rehearsing rules.

The whole kernel runs, not a model of it: what a rehearsal shows is what the
site would do (R25). Nothing reaches a real device.
"""

from collections.abc import Callable

from automations.engine import make
from core.api.command import Command, CommandState
from core.api.reading import Value
from core.clock import NS, SimClock
from core.config import Bundle
from core.journal.envelope import Cause, Effect, Envelope
from core.journal.events import Event
from core.kernel import Kernel
from core.link import messages as m
from core.processes.events import HubStarted
from core.registry.ids import Ids

HOST = "host:rehearsal"


class MemoryJournal:
    """Take events and call them durable at once."""

    def __init__(self) -> None:
        self.durable_seq = 0

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        """Count the event as written."""
        self.durable_seq = seq

    def healthy(self) -> bool:
        """Say that permissive acts may go on."""
        return True


class Devices:
    """Carry out every command at once, unless told that an output is stuck."""

    def __init__(self) -> None:
        self.stuck: set[str] = set()
        self.commands: list[Command] = []
        self.deliver: Callable[[m.Result], None] = lambda _result: None

    def send(self, peer: str, message: m.Message) -> None:
        """Play the host process."""
        if isinstance(message, m.Execute):
            command = message.command
            self.commands.append(command)
            if command.device_uid not in self.stuck:
                self.deliver(
                    m.Result(command_id=command.id, state=CommandState.CONFIRMED)
                )

    def peers(self, role: str) -> list[str]:
        """Name the one host."""
        return [HOST] if role == "host" else []


class Rehearsal:
    """Drive a kernel step by step and keep every event with its time."""

    def __init__(self, bundle: Bundle, seed: int = 1, wall_ns: int = 0) -> None:
        self.clock = SimClock(wall_ns) if wall_ns else SimClock()
        self.devices = Devices()
        self.kernel = Kernel(
            self.clock,
            Ids.seeded(self.clock, seed),
            MemoryJournal(),
            self.devices,
            make,
        )
        self.events: list[tuple[float, Event, Envelope]] = []
        self._start_ns = self.clock.mono_ns()
        hub = self.kernel.hub
        hub.on_everything(self._keep)
        hub.emit(HubStarted(version="rehearsal", clean=True, boot_id="rehearsal"))
        hub.load(bundle)
        hub.recover(True)
        self.devices.deliver = self._result

    def _keep(self, body: Event, envelope: Envelope, _data: bytes) -> None:
        at = (self.clock.mono_ns() - self._start_ns) / NS
        self.events.append((at, body, envelope))

    def _result(self, result: m.Result) -> None:
        # A device answers after the command has been written down, never within it.
        key = f"rehearsal.{result.command_id}"
        self.kernel.hub.after(
            0.0, key, lambda: self.kernel.commands.result(HOST, result)
        )

    def emit(self, body: Event) -> None:
        """Put a given fact into the journal, such as a permit that stands."""
        self.kernel.hub.emit(body, Cause(actor="hub:rehearsal"))

    def time(self) -> float:
        """Return the virtual time that has passed, in seconds."""
        return (self.clock.mono_ns() - self._start_ns) / NS

    def read(self, handle: int, value: Value, quality: int = 0) -> None:
        """Let a device report one reading."""
        row = m.Row(handle, value, quality)
        frame = m.Readings(sent_ns=self.clock.mono_ns(), rows=[row])
        self.kernel.readings.receive(HOST, frame)

    def run_to(self, seconds: float) -> None:
        """Advance virtual time, running every timer at its own moment."""
        hub, until = self.kernel.hub, self._start_ns + int(seconds * NS)
        due = hub.advance()
        while due is not None and due <= until:
            self.clock.advance_to(max(due, self.clock.mono_ns()))
            due = hub.advance()
        self.clock.advance_to(max(until, self.clock.mono_ns()))
        hub.advance()
