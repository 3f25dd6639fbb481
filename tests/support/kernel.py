"""The whole kernel on virtual time, with a journal in memory and recorded links.

`make_kernel(bundle)` returns a `Bench`: it drives clock and timers, speaks for
hosts and persons, and restarts the kernel from what its journal has on disk.
"""

import itertools
from typing import Any

from core import config, state
from core.api.model import Device
from core.api.quality import Quality
from core.api.reading import Value
from core.clock import NS, SimClock
from core.config import Bundle
from core.hub import Hub, encode_act
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event, decode_body
from core.kernel import Kernel
from core.link import messages as m
from core.people.acts import Act
from core.processes.events import HubStarted, HubStopped
from core.registry.ids import Ids


class MemoryJournal:
    """A journal door: keeps bytes; may be slow (`held`) or broken."""

    def __init__(self) -> None:
        self.durable_seq = 0
        self.stored: list[bytes] = []
        """What is on disk."""
        self.backlog: list[tuple[int, bytes]] = []
        """What was accepted and is not on disk yet."""
        self.held = False
        self.broken = False

    def accept(
        self, seq: int, data: bytes, effect: Effect, key: str, kind: str
    ) -> None:
        self.backlog.append((seq, data))
        if not self.held and not self.broken:
            self.sync()

    def healthy(self) -> bool:
        return not self.broken

    def sync(self) -> None:
        """Put the backlog on disk."""
        self.stored += [data for _, data in self.backlog]
        if self.backlog:
            self.durable_seq = self.backlog[-1][0]
        self.backlog.clear()


class RecordingLinks:
    """A link door: keeps what was sent, by peer."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, m.Message]] = []
        self.connected: dict[str, list[str]] = {}

    def send(self, peer: str, message: m.Message) -> None:
        self.sent.append((peer, message))

    def peers(self, role: str) -> list[str]:
        return self.connected.get(role, [])

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the messages of one type, oldest first."""
        return [message for _, message in self.sent if isinstance(message, kind)]


def make_hub(clock: SimClock | None = None, seed: int = 1) -> Hub:
    """Return a hub without rooms."""
    clock = clock or SimClock()
    return Hub(clock, Ids.seeded(clock, seed), MemoryJournal(), RecordingLinks())


class Bench:
    """Drive one kernel."""

    def __init__(self, bundle: Bundle, seed: int = 1) -> None:
        self.bundle = bundle
        self.clock = SimClock()
        self.journal = MemoryJournal()
        self.links = RecordingLinks()
        self._seed = itertools.count(seed * 1000)
        self._numbers = itertools.count(1)
        self._handles: dict[tuple[str, str, str], int] = {}
        self._devices: dict[tuple[str, str], Device] = {}
        self.start(clean=True)

    # --- life -----------------------------------------------------------------

    def start(self, clean: bool) -> None:
        """Start a kernel on what is on disk, as the safety process does."""
        self.journal.backlog.clear()
        ids = Ids.seeded(self.clock, next(self._seed))
        self.kernel = Kernel(self.clock, ids, self.journal, self.links)
        self.hub = self.kernel.hub
        self.hub.state = self.replayed()
        self.hub.state.epoch += 1
        self.hub.emit(
            HubStarted(version="test", clean=clean, boot_id=self.clock.boot_id)
        )
        self.hub.load(self.bundle)
        self.hub.recover(clean)
        self.settle()

    def restart(self, clean: bool = False, reboot: str = "") -> None:
        """Stop and start again; hosts live on and tell again what they know."""
        if clean:
            self.hub.emit(HubStopped(reason="test"))
            self.settle()
        if reboot:
            self.clock.reboot(reboot)
        self.start(clean)
        for (host, _), device in self._devices.items():
            self.declare(host, device)

    def replayed(self) -> state.SiteState:
        """Return the state that the bytes on disk tell."""
        found = state.SiteState()
        for data in self.journal.stored:
            fold.replay(found, envelopes.decode(data))
        return found

    def settle(self) -> None:
        """Let due timers run and tell the hub what became of its events."""
        self.hub.advance()
        if self.journal.broken:
            self.hub.not_durable()
        else:
            if not self.journal.held:
                self.journal.sync()
            self.hub.durable(self.journal.durable_seq)

    def break_disk(self) -> None:
        """Let the disk fail from now on."""
        self.journal.broken = True
        self.settle()

    def mend_disk(self) -> None:
        """Let the disk work again: the backlog is written late."""
        self.journal.broken = False
        self.settle()

    def advance(self, seconds: float) -> None:
        """Let virtual time go on, timer by timer."""
        end = self.clock.mono_ns() + int(seconds * NS)
        while True:
            due = self.hub.timers.next_ns()
            if due is None or due > end:
                break
            self.clock.advance_to(max(due, self.clock.mono_ns()))
            self.settle()
        self.clock.advance_to(end)
        self.settle()

    # --- hosts ----------------------------------------------------------------

    def declare(self, host: str, device: Device) -> None:
        """Let a host announce a device."""
        self._devices[host, device.uid] = device
        handles = {}
        for entity in device.entities:
            key = (host, device.uid, entity.uid)
            handles[entity.uid] = self._handles.setdefault(key, len(self._handles) + 1)
        self.kernel.registry.declare(host, device, handles)
        self.settle()

    def report(
        self,
        host: str,
        device_uid: str,
        entity_uid: str,
        value: Value,
        quality: Quality = Quality.GOOD,
    ) -> None:
        """Let a host report one reading, measured now."""
        row = m.Row(self._handles[host, device_uid, entity_uid], value, int(quality))
        message = m.Readings(sent_ns=self.clock.mono_ns(), rows=[row])
        self.kernel.readings.receive(host, message)
        self.settle()

    def entity(self, host: str, device_uid: str, entity_uid: str) -> str:
        """Return an entity's id."""
        found = self.kernel.registry.find(host, device_uid, entity_uid)
        assert found is not None, f"{host}/{device_uid}/{entity_uid} is not enrolled"
        return found

    # --- persons --------------------------------------------------------------

    def act(
        self,
        person_id: str,
        act: Act,
        version: int | None = None,
        peer: str = "gateway",
    ) -> m.ActReply:
        """Let a person act; return the answer, which must come."""
        number = f"act-{next(self._numbers)}"
        request = m.ActRequest(
            id=number,
            person_id=person_id,
            verb=act.verb_,
            body=encode_act(act),
            expected_version=version,
        )
        self.kernel.access.receive(peer, request)
        self.settle()
        replies = [r for r in self.links.of(m.ActReply) if r.id == number]
        assert len(replies) == 1, f"{act.verb_} was answered {len(replies)} times"
        reply: m.ActReply = replies[0]
        return reply

    # --- what happened --------------------------------------------------------

    def events(self, kind: type[Event] | None = None) -> list[Any]:
        """Return the events accepted and kept, oldest first."""
        data = self.journal.stored + [d for _, d in self.journal.backlog]
        bodies = [decode_body(envelopes.decode(d)) for d in data]
        return [b for b in bodies if kind is None or isinstance(b, kind)]

    def envelopes(self) -> list[Envelope]:
        """Return the envelopes on disk."""
        return [envelopes.decode(data) for data in self.journal.stored]

    def codes(self, kind: type[Event], field: str) -> list[Any]:
        """Return one field of every event of a type."""
        return [getattr(body, field) for body in self.events(kind)]


def make_kernel(bundle: Bundle = config.EMPTY, seed: int = 1) -> Bench:
    """Return a started kernel with its bundle in force."""
    return Bench(bundle, seed)
