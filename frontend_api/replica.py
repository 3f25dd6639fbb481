"""The gateway's only state: a replica folded from the link's snapshot and stream."""

import importlib
import pkgutil
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

import core
from core import config
from core import state as states
from core.clock import Clock
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.link import messages as m
from core.link.findings import Proposals, Proposed
from core.people.events import PersonErased
from frontend_api.nameless import nameless

#: Events kept for the timeline; older ones are in the journal.
KEPT_EVENTS = 2000
MS = 1_000_000
#: Devices whose bad input is kept, and its kinds; the oldest devices go first.
MAX_BAD_DEVICES, MAX_BAD = 500, 20

#: Sections of the view that an event type's family can change.
TOUCHES: dict[str, tuple[str, ...]] = {
    "alarm": ("zones", "responses", "groups", "alarming", "risks"),
    "permit": ("permits", "zones", "responses", "risks"),
    "guardian": ("permits",),
    "person": ("people", "zones", "evacuations"),
    "evacuation": ("evacuations", "zones", "responses", "risks"),
    "sirens": ("zones",),
    "visitor": ("visitors", "evacuations"),
    "drill": ("evacuations", "drill_plans", "zones"),
    "notice": ("notices", "responses"),
    "command": ("outputs", "responses"),
    "output": ("outputs", "responses", "devices"),
    "device": ("devices", "outputs", "zones", "risks", "service", "proposals"),
    "wear": ("devices", "people"),
    "discovery": ("proposals",),
    "run": ("runs", "responses"),
    "task": ("tasks",),
    "plan": ("plan_runs",),
    "round": ("round_runs",),
    "sheet": ("sheets",),
    "hub": ("hub", "people"),
    "commission": ("zones",),
    "config": ("hub",),
    "gas": ("hub",),
    "clock": ("hub",),
    "journal": ("hub",),
}
SECTIONS = (
    "zones",
    "people",
    "responses",
    "permits",
    "evacuations",
    "visitors",
    "drill_plans",
    "notices",
    "outputs",
    "devices",
    "runs",
    "tasks",
    "plan_runs",
    "round_runs",
    "sheets",
    "seconds",
    "hub",
    "groups",
    "alarming",
    "risks",
    "service",
    "proposals",
)


def load_rooms(module: str) -> None:
    """Import the events or acts of every room: ``module`` and ``<thing>_module``."""
    for room in pkgutil.iter_modules(core.__path__, "core."):
        if not room.ispkg:
            continue
        package = importlib.import_module(room.name)
        for part in pkgutil.iter_modules(package.__path__, f"{room.name}."):
            last = part.name.rpartition(".")[2]
            if last == module or last.endswith(f"_{module}"):
                importlib.import_module(part.name)


class Bad(NamedTuple):
    """Hold one kind of a device's bad input: how often, the last frame, when."""

    times: int
    frame: str
    at_ms: int


class Kept(NamedTuple):
    """One event as it was folded."""

    body: Event
    envelope: Envelope


class Replica:
    """Fold the link's messages; tell listeners which sections they touched.

    ``on_alarm`` hears each alarm event at once; ``on_touch`` hears sections;
    ``on_reset`` hears that everything must be sent anew (snapshot, bundle, link).
    """

    def __init__(self, clock: Clock) -> None:
        load_rooms("events")
        load_rooms("state")
        self.clock = clock
        self.state = states.SiteState()
        self.bundle = config.EMPTY
        self.bundle_hash = ""
        self.durable = 0
        self.live: dict[str, m.LiveRow] = {}
        self.hosts = m.HostStates(states={}, unmonitored=[])
        self.bad_input: dict[str, dict[str, Bad]] = {}
        """Device id → what of its input was bad, since this gateway's start."""
        self.proposed: list[Proposed] = []
        """Devices that hosts have declared and nobody has enrolled."""
        self.reachable = False
        self.since_ms = self.now_ms()
        self.events: deque[Kept] = deque(maxlen=KEPT_EVENTS)
        self.bad_messages = 0
        self.on_touch: list[Callable[[tuple[str, ...]], None]] = []
        self.on_event: list[Callable[[Kept], None]] = []
        self.on_live: list[Callable[[list[m.LiveRow]], None]] = []
        self.on_reset: list[Callable[[], None]] = []

    def now_ms(self) -> int:
        """Return the site's wall time in milliseconds."""
        return self.clock.wall_ns() // MS

    @property
    def cursor(self) -> tuple[int, int]:
        """Return the (epoch, seq) that the replica has folded."""
        return self.state.epoch, self.state.seq

    def receive(self, message: m.Message) -> None:
        """Take one message of the core; others than a replica's are passed over."""
        match message:
            case m.Snapshot():
                self._snapshot(message)
            case m.Events():
                self._events(message)
            case m.Armed():
                self._arm(message.bundle)
                self.bundle_hash = message.hash
                self._reset()
            case m.Live():
                self._live(message)
            case m.HostStates():
                self.hosts = message
                self._touch(("hub", "zones"))
            case m.BadInput():
                self._bad_input(message)
            case Proposals():
                self.proposed = message.items
                self._touch(("waiting", "proposals"))
            case _:
                return

    def _bad_input(self, message: m.BadInput) -> None:
        for device_id, counts in message.devices.items():
            known = self.bad_input.setdefault(device_id, {})
            for name, (count, frame) in counts.items():
                before = known[name].times if name in known else 0
                if name in known or len(known) < MAX_BAD:
                    known[name] = Bad(before + count, frame, self.now_ms())
        while len(self.bad_input) > MAX_BAD_DEVICES:
            del self.bad_input[next(iter(self.bad_input))]

    def link(self, up: bool) -> None:
        """Hear that the hub is reachable, or lost: what is shown grows old."""
        if up != self.reachable:
            self.reachable, self.since_ms = up, self.now_ms()
            self._touch(("hub",))

    def _snapshot(self, message: m.Snapshot) -> None:
        self.state = states.load(message.state)
        self._arm(message.bundle)
        self.bundle_hash = config.digest(message.bundle)
        self.durable = max(self.durable, message.seq)
        self._reset()

    def _arm(self, data: bytes) -> None:
        """Take a bundle; whoever was erased has no name in it any more."""
        erased = self.state.people.cards.erased
        self.bundle = nameless(config.load(data), erased)

    def _events(self, message: m.Events) -> None:
        self.durable = message.durable
        for data in message.envelopes:
            envelope = envelopes.decode(data)
            if (envelope.epoch, envelope.seq) <= self.cursor:
                continue  # told twice after a reconnect
            kept = Kept(fold.replay(self.state, envelope), envelope)
            self.events.append(kept)
            if isinstance(kept.body, PersonErased):
                self.bundle = nameless(self.bundle, [kept.body.person_id])
            self._touch(TOUCHES.get(envelope.type.partition(".")[0], ()))
            for listener in self.on_event:
                listener(kept)
        self._touch(())

    def _live(self, message: m.Live) -> None:
        if message.full:
            self.live = {}
        for row in message.rows:
            self.live[row.entity_id] = row
        for listener in self.on_live:
            listener(message.rows)

    def _touch(self, sections: tuple[str, ...]) -> None:
        for listener in self.on_touch:
            listener(sections)

    def _reset(self) -> None:
        for listener in self.on_reset:
            listener()

    # --- small look-ups that several views share -------------------------------

    def roles(self, person_id: str) -> set[str]:
        """Return a person's roles: the journal's, else the bundle's."""
        told = self.state.people.roles.get(person_id)
        named = {p.id: p.roles for p in self.bundle.people}.get(person_id, ())
        return set(told if told is not None else ()) | set(named)

    def zone_of_entity(self, entity_id: str) -> str | None:
        """Return the zone of an entity's device."""
        entity = self.state.registry.entities.get(entity_id)
        device = self.state.registry.devices.get(entity.device_id) if entity else None
        return device.zone_id if device else None

    def positions(self, rows: list[m.LiveRow]) -> dict[str, tuple[float, ...]]:
        """Return persons' x, y, z and quality from the rows of their tags."""
        found: dict[str, tuple[float, ...]] = {}
        registry = self.state.registry
        for row in rows:
            entity = registry.entities.get(row.entity_id)
            if entity is None or entity.declared.kind != "location":
                continue
            device = registry.devices.get(entity.device_id)
            place = _coordinates(row.value)
            if device is not None and device.person_id and place is not None:
                found[device.person_id] = (*place, float(row.quality))
        return found


def _coordinates(value: object) -> tuple[float, float, float] | None:
    """Parse "x,y,z" or "x,y"; None for a zone id or nonsense."""
    if not isinstance(value, str):
        return None
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        return None
    if len(numbers) == 2:
        numbers.append(0.0)
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None


MessageError = (msgspec.MsgspecError, ValueError, KeyError)
