"""The site's own past on virtual time, with rules that only pretend to act.

What happened is folded as the journal has it; the archive's readings are heard at
their own moments. Rooms answer questions of that past and do nothing themselves.
"""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from automations.backtest_doors import Doors
from automations.backtest_history import (
    CALM,
    GOES_ON,
    LOUD,
    WINDOW_MS,
    Calm,
    Heard,
    PastFile,
    Reel,
    Strip,
)
from automations.engine import Engine
from automations.rehearsal import Devices, MemoryJournal
from core import config
from core.api.quality import Quality
from core.api.reading import Reading
from core.clock import NS, SimClock
from core.config import Bundle, Rule
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.journal.reader import Event as Stored
from core.journal.reader import events as stored_events
from core.journal.segment import RealDisk
from core.kernel import Kernel
from core.processes.events import ConfigArmed
from core.readings.point import Point
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceZoned
from core.registry.ids import Ids

MS = 1_000_000
#: What rules did then is compared with, not played again.
_OURS = ("run.", "rule.")
_LIVE = frozenset({Quality.GOOD, Quality.UNCERTAIN})
Choose = Callable[[Bundle], tuple[Rule, ...]]


class Gap:
    """Count one entity's silences: they are UNKNOWN, and told so."""

    __slots__ = ("since", "spans")

    def __init__(self, since: int) -> None:
        self.spans: list[tuple[int, int]] = []
        self.since: int | None = since

    def end(self, ms: int) -> None:
        """Hear that it speaks again, or that nobody listens any more."""
        if self.since is not None and ms > self.since:
            self.spans.append((self.since, ms))
        self.since = None


class Player:
    """Play a span of the past to an engine; ``choose`` takes the rules to try."""

    def __init__(self, data: Path, from_ms: int, to_ms: int, choose: Choose) -> None:
        self._data, self.from_ms, self.to_ms = data, from_ms, to_ms
        self._choose = choose
        self.clock = SimClock(from_ms * MS, boot_id="backtest")
        self.base_ns = self.clock.mono_ns()
        self.rules: tuple[Rule, ...] = ()
        ids = Ids.seeded(self.clock, 1)
        self.kernel = Kernel(self.clock, ids, MemoryJournal(), Devices())
        self.hub = self.kernel.hub
        self.hub.deafen()
        self.reel = Reel(PastFile(data))
        self._watchers: dict[str, list[Callable[[Reading], None]]] = {}
        self._hearing = False
        self._added: list[str] = []
        """Entities that came in the window which is being played."""
        self._bad: set[str] = set()
        """Followed entities that cannot be believed now."""
        self.gaps: dict[str, Gap] = {}
        self.events = 0
        self.progress: Callable[[int], None] = lambda _ms: None
        self.happened: Callable[[Event, Envelope], None] = lambda _body, _: None
        self._disk = RealDisk(data / "journal")
        self._past = self._stored()
        self._next: Envelope | None = None
        readings = self.kernel.readings
        # The rooms ask the archive instead of a live table; nobody judges limits.
        readings.get = self.reading  # type: ignore[method-assign]
        readings.watch = self._watch  # type: ignore[method-assign]
        readings.unmonitored = self._blind  # type: ignore[method-assign]
        readings.supervision.adopt = _nothing  # type: ignore[method-assign]
        readings.limits.adopt = _nothing  # type: ignore[method-assign]
        self.engine = Engine(self.kernel)
        # Here every silence is told at its moment: nothing changes unheard.
        self.engine.levels.whole_ticks = 600
        self.doors = Doors(self.kernel)

    # --- the journal --------------------------------------------------------------

    def _stored(self) -> Iterator[Envelope]:
        for stored in stored_events(self._disk):
            if isinstance(stored, Stored):
                envelope = envelopes.decode(stored.payload)
                if not envelope.type.startswith(_OURS):
                    yield envelope

    def begin(self) -> None:
        """Fold what was before the span, and arm the rules on it."""
        hash_ = ""
        for envelope in self._past:
            if envelope.wall_ns >= self.from_ms * MS:
                self._next = envelope
                break
            body = fold.replay(self.hub.state, envelope)
            if isinstance(body, ConfigArmed):
                hash_ = body.hash
        if hash_:
            self._load(hash_)
        self.engine.recover(True)
        self._tick_at(self.clock.mono_ns() + NS)

    def _load(self, hash_: str) -> None:
        bundle = config.load((self._data / "bundles" / f"{hash_}.bundle").read_bytes())
        self._hearing = False
        self.hub.bundle = bundle
        kernel = self.kernel
        kernel.site.arm()
        kernel.access.arm()
        kernel.registry.recover(True)
        for room in (kernel.readings, kernel.people, kernel.packs, kernel.surroundings):
            room.arm()
        self._hearing = True
        self.rules = self._choose(bundle)
        # Under a name of their own: what a rule said of itself then is history.
        tried = tuple(
            msgspec.structs.replace(rule, id=f"trial.{rule.id}") for rule in self.rules
        )
        self.hub.bundle = msgspec.structs.replace(bundle, rules=tried)
        self.engine.arm()
        self._follow()

    def _enrolled(self, device_id: str) -> None:
        """Let the rooms see a device that came, went or was put elsewhere."""
        self._hearing = False
        self.kernel.registry.recover(True)
        self.kernel.readings.device_changed(device_id)
        self.kernel.people.arm()
        self._hearing = True
        # The engine looks its selectors up anew by a timer of its own.
        self.hub.after(0.0, "backtest.follow", self._follow)

    # --- readings -----------------------------------------------------------------

    def _follow(self) -> None:
        """Play what the rules listen to; what cannot matter is not taken apart."""
        points = self.kernel.readings.points
        followed = {each for each in self._watchers if each in points}
        if any(rule.watches_gas for rule in self.engine.rules.values()):
            # Such a rule acts on zones that nobody watches: it hears each silence.
            followed |= {each for each, point in points.items() if point.critical}
        for entity_id in followed:
            age = points[entity_id].max_age_ns // MS
            self.reel.follow(entity_id, age, self._calm(entity_id))
            if entity_id not in self.gaps:
                self.gaps[entity_id] = Gap(self.now_ms())
                self._added.append(entity_id)
                self._bad.add(entity_id)

    def _calm(self, entity_id: str) -> Calm:
        return self.engine.levels.calm(entity_id) or LOUD

    def _watch(self, entity_id: str, callback: Callable[[Reading], None]) -> None:
        if self._hearing:
            self._watchers.setdefault(entity_id, []).append(callback)

    def _blind(self) -> set[str]:
        """Return the zones with a critical detector that cannot be believed."""
        readings = self.kernel.readings
        critical = [readings.points.get(entity_id) for entity_id in self._bad]
        zones = {
            readings.table.zone_of(point)
            for point in critical
            if point is not None and point.critical
        }
        return {zone for zone in zones if zone is not None}

    def now_ms(self) -> int:
        """Return the virtual wall time in ms."""
        return self.from_ms + (self.clock.mono_ns() - self.base_ns) // MS

    def reading(self, entity_id: str) -> Reading:
        """Return what the archive has of an entity at this moment; gaps are gaps."""
        point = self.kernel.readings.points.get(entity_id)
        if point is None:
            return Reading(entity_id=entity_id, value=None, reason="not_enrolled")
        now, age = self.now_ms(), point.max_age_ns // MS
        strip = self.reel.strips.get(entity_id)
        if strip is not None:
            sample = strip.at(now)
        else:
            sample = self.reel.ask(entity_id, age, now)
        if sample is None:
            return Reading(entity_id=entity_id, value=None, reason="no_history")
        heard_ns = self.base_ns + (sample.at_ms - self.from_ms) * MS
        gone = sample.until_ms < now and sample.quality < Quality.STALE
        return Reading(
            entity_id=entity_id,
            value=sample.value,
            unit=point.unit,
            quality=Quality.STALE if gone else Quality(sample.quality),
            reason="silent" if gone else "",
            measured_ns=heard_ns,
            received_ns=heard_ns,
        )

    # --- time ---------------------------------------------------------------------

    def play(self) -> None:
        """Play the span from its beginning to its end."""
        start = self.from_ms - WINDOW_MS  # what stood at the beginning is heard
        for begin in range(start, self.to_ms, WINDOW_MS):
            end = min(begin + WINDOW_MS, self.to_ms)
            self._window(self.reel.heard(begin, end), end)
            self.progress(min(end, self.to_ms))
        for gap in self.gaps.values():
            gap.end(self.to_ms)
        self.hub.timers.cancel("hub.tick")

    def _window(self, heard: list[Heard], end: int) -> None:
        self._added.clear()
        due = self._advance(self.now_ms())
        coming = deque(heard)
        while coming or due <= end:
            ms = min(coming[0][0] if coming else end, end)
            if ms >= due:
                due = self._advance(ms)
            if self._added:
                # A device came: what it says in this window is heard too.
                new, self._added = self._added, []
                more = self.reel.heard(self.now_ms(), end, new)
                coming = deque(sorted([*coming, *more], key=lambda each: each[0]))
            elif coming:
                due = self._one(coming.popleft(), due)
        self._advance(end)

    def _one(self, heard: Heard, due: int) -> int:
        """Hear one thing; return what comes next by itself."""
        ms, entity_id, kind, stretch = heard
        strip = self.reel.strips[entity_id]
        if kind != GOES_ON:
            strip.take(stretch)
            if kind == CALM and not strip.loud:
                return due
        strip.loud = kind != CALM
        self._hear(strip, max(ms, self.from_ms))
        return self._due()

    def _hear(self, strip: Strip, ms: int) -> None:
        self._to(ms)
        if strip.silent:
            strip.silent = False
            self.gaps[strip.entity_id].end(ms)
        self._tell(strip)

    def _tell(self, strip: Strip) -> None:
        reading = self.reading(strip.entity_id)
        if reading.quality in _LIVE:
            self._bad.discard(strip.entity_id)
        else:
            self._bad.add(strip.entity_id)
        for heard in self._watchers.get(strip.entity_id, ()):
            heard(reading)

    def _age(self) -> None:
        """Let silence be heard: a reading that grew old is a reading gone."""
        now = self.now_ms()
        for strip in self.reel.strips.values():
            if strip.until_ms < now and not strip.silent:
                sample = strip.at(now)
                strip.silent = strip.loud = True
                ended = sample.until_ms if sample is not None else self.from_ms
                self.gaps[strip.entity_id].since = max(ended, self.from_ms)
                self._tell(strip)

    def _tick_at(self, due: int) -> None:
        self.hub.timers.at(due, "hub.tick", lambda: self._tick(due))

    def _tick(self, due: int) -> None:
        self._tick_at(due + NS)
        self._age()
        self.engine.tick()

    def _due(self) -> int:
        """Return the ms of what comes next by itself: a timer or a stored event."""
        timer = self.hub.timers.next_ns()
        due = 1 << 62
        if timer is not None:
            due = self.from_ms + (timer - self.base_ns) // MS
        if self._next is not None:
            due = min(due, self._next.wall_ns // MS)
        return due

    def _advance(self, ms: int) -> int:
        """Let time pass to a moment, with timers and events in their order."""
        while (due := self._due()) <= ms:
            self._to(due)
            if self._next is not None and self._next.wall_ns // MS <= due:
                self._happen(self._next)
                self._next = next(self._past, None)
            self.hub.advance()
            if self._added:
                return due  # what they say must be heard from now on
        self._to(ms)
        return due

    def _to(self, ms: int) -> None:
        mono = self.base_ns + (ms - self.from_ms) * MS
        if mono > self.clock.mono_ns():
            self.clock.advance_to(mono)

    def _happen(self, envelope: Envelope) -> None:
        self.events += 1
        self.clock.trusted = envelope.sync
        seq = self.hub.state.seq + 1
        body = self.hub.replay(msgspec.structs.replace(envelope, seq=seq))
        self.happened(body, envelope)
        if isinstance(body, ConfigArmed):
            self._load(body.hash)
        elif isinstance(body, DeviceEnrolled | DeviceZoned | DeviceRemoved):
            self._enrolled(body.device_id)

    def rest(self) -> Iterator[Envelope]:
        """Yield what was stored after the span; nothing of it is folded."""
        if self._next is not None:
            yield self._next
        yield from self._past

    def close(self) -> None:
        """Close what was read."""
        self.reel.file.close()


def _nothing(point: Point) -> None:
    """Judge nothing: the journal has what limits and supervision said then."""
