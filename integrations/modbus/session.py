"""One device on a port: what it is, what was last read, how well it answers."""

from collections.abc import Mapping
from typing import Any

from core.api import Device, Entity, Host, Output, OutputKind, Quality
from integrations.modbus import decode, load, schema
from integrations.modbus.profile import Block, EntityMap, Image, Profile
from integrations.modbus.window import Window

NS = 1_000_000_000
#: One lost answer is noise on a line; two in a row are a lost device.
LOST_AFTER = 2
#: A silent device costs its bus a time-out, so it is asked more rarely.
SILENT_POLL_S = 10.0
_RETRY_S = 0.2


class Session:
    """Keep one device's state; the port's task calls it, nothing here waits."""

    def __init__(
        self, host: Host, options: Mapping[str, Any], language: str = "en"
    ) -> None:
        self.host = host
        self.uid: str = options["uid"]
        self.unit: int = options["unit"]
        self.profile: Profile = load.load(options["profile"])
        self.poll_s: float = options.get("poll_s", self.profile.poll_s)
        self.timeout_s: float = options.get("timeout_s", self.profile.timeout_s)
        self.due_ns = 0
        self.asked = 0
        self.up: bool | None = None
        self.counters = {
            "polls": 0,
            "silent": 0,
            "bad_frame": 0,
            "wrong_unit": 0,
            "exception": 0,
            "commands": 0,
            "commands_failed": 0,
        }
        self.last_reason = ""
        self.written: dict[str, int] = {}
        self._options = options
        self._language = language
        self._image: Image = {}
        self._failures = 0
        self._beat: float | int | None = None
        self._beat_ns = 0
        self._beat_moved = False
        self._units: dict[str, str] = dict(options.get("units", {}))
        self._unlearned = {
            uid
            for uid, entity in self._entities().items()
            if entity.unit_from is not None and uid not in self._units
        }
        self._handles: dict[str, int] = {}
        self._windows = self._derived()

    def _derived(self) -> dict[str, Window]:
        bands = self._options.get("bands", {})
        return {
            uid: Window(entity.derive, bands.get(uid, ()))
            for uid, entity in self._entities().items()
            if entity.derive is not None
        }

    def _entities(self) -> dict[str, EntityMap]:
        """Return the entities that the site uses: all but unassigned channels."""
        chosen = self._options.get("outputs", {})
        left_out = self._options.get("without", ())
        return {
            uid: entity
            for uid, entity in self.profile.entities.items()
            if uid not in left_out
            and (entity.coil is None or entity.output or uid in chosen)
        }

    def declare(self) -> None:
        """Tell the hub what this device is; again when a unit was learned."""
        entities = self._entities()
        self.host.declare(
            Device(
                uid=self.uid,
                name=self._options.get("name") or self.profile.names[self._language],
                manufacturer=self.profile.manufacturer,
                model=self.profile.model,
                serial=self._options.get("serial_number", ""),
                suggested_zone=self._options.get("zone"),
                entities=tuple(self._entity(e) for e in entities.values()),
                bump_every_h=self.profile.bump_every_h,
            )
        )
        self._handles = {uid: self.host.handle(self.uid, uid) for uid in entities}

    def _entity(self, entity: EntityMap) -> Entity:
        quantities = self._options.get("quantities", {})
        output = None
        if entity.coil is not None:
            output = _output(self._options.get("outputs", {}).get(entity.uid), entity)
        return Entity(
            uid=entity.uid,
            name=entity.names[self._language],
            kind=entity.kind,
            quantity=quantities.get(entity.uid, entity.quantity),
            unit=self._units.get(entity.uid, entity.unit or ""),
            max_age_s=max(5.0, 5 * self.poll_s),
            critical=entity.critical,
            full_scale=entity.range[1] if entity.range else None,
            output=output,
        )

    def output(self, entity_uid: str) -> EntityMap | None:
        """Return the output of that name when the site uses it."""
        entity = self._entities().get(entity_uid)
        return entity if entity is not None and entity.coil is not None else None

    def inverted(self, entity_uid: str) -> bool:
        """Say whether ON means an open coil at this channel (trip on loss)."""
        chosen = self._options.get("outputs", {}).get(entity_uid)
        return isinstance(chosen, Mapping) and bool(chosen.get("inverted", False))

    def take(self, block: Block, words: list[int]) -> None:
        """Keep what one request brought."""
        for index, word in enumerate(words):
            self._image[block.function, block.address + index] = word

    def answered(self) -> None:
        """Judge and report a complete poll."""
        now = self.host.clock.mono_ns()
        self._ok(now)
        age = self._heartbeat_age(now)
        self._learn_units()
        found = decode.decode(
            self.profile, self._image, heartbeat_age_s=age, units=self._units
        )
        for uid, handle in self._handles.items():
            window = self._windows.get(uid)
            judged = window.take(now, found[uid]) if window else found[uid]
            value, quality, reason = judged
            if uid in self._unlearned and quality not in decode.VALUELESS:
                # Not a fault of the device: a number without its unit is no value.
                value, quality = None, Quality.NOT_PRESENT
                reason = "modbus.unit_unknown"
            if self.profile.entities[uid].coil is not None and self.inverted(uid):
                value = None if value is None else not value
            self.host.report(handle, value, quality, reason)
        self._image.clear()

    def _ok(self, now: int) -> None:
        self.counters["polls"] += 1
        self._failures = 0
        self.last_reason = ""
        self._schedule(now, self.poll_s)
        self._link(True, "")

    def _learn_units(self) -> None:
        """Adopt the device's units once; a later change is a fault, not a unit.

        A newly learned unit counts from the next poll on: the declaration goes by
        the other lane, and a number must never meet the wrong unit there.
        """
        learned = False
        for uid in sorted(self._unlearned):
            if uid in self._units:
                self._unlearned.discard(uid)
                continue
            entity = self.profile.entities[uid]
            unit = decode.unit_of(self.profile, entity, self._image)
            if unit is not None:
                self._units[uid] = unit
                learned = True
        if learned:
            self.declare()

    def _heartbeat_age(self, now: int) -> float | None:
        """Return how long the heartbeat has stood still; None: never seen to move."""
        beat = self.profile.beat
        if beat is None:
            return 0.0
        found = decode.number(self.profile.registers[beat.register], self._image)
        if found != self._beat:
            # The first value only says what it is, not that it moves.
            self._beat_moved = self._beat is not None
            self._beat, self._beat_ns = found, now
        age = (now - self._beat_ns) / NS
        return age if self._beat_moved or age > beat.max_interval_s else None

    def proven(self, entity_uid: str, state: bool) -> None:
        """Report an output's state as its read-back has just shown it."""
        self.host.report(self._handles[entity_uid], state)

    def no_answer(self, reason: str) -> None:
        """Count silence or a broken frame; twice in a row the device is lost."""
        now = self.host.clock.mono_ns()
        self._count(reason)
        self._failures += 1
        if self._failures < LOST_AFTER and self.up:
            self._schedule(now, min(_RETRY_S, self.poll_s))
            return
        backoff = self.poll_s * 2 ** min(self._failures - LOST_AFTER + 1, 8)
        self._schedule(now, max(min(backoff, SILENT_POLL_S), self.poll_s))
        self.lost(reason)

    def exception(self, reason: str) -> None:
        """Report an exception answer: the device lives, but cannot measure."""
        self._count(reason)
        self._failures = 0
        self._schedule(self.host.clock.mono_ns(), self.poll_s)
        self._link(True, "")
        self._report_all(Quality.FAULT, reason)

    def lost(self, reason: str) -> None:
        """Report that the device, or its whole port, cannot be reached."""
        heard = self.counters["polls"] > 0
        self._link(False, reason)
        self._report_all(Quality.FAULT if heard else Quality.NOT_PRESENT, reason)

    def _report_all(self, quality: Quality, reason: str) -> None:
        self._image.clear()
        for handle in self._handles.values():
            self.host.report(handle, None, quality, reason)

    def _count(self, reason: str) -> None:
        name = reason.removeprefix(schema.REASON)
        kind = "exception" if name.startswith("exception") else name
        self.counters[kind] = self.counters.get(kind, 0) + 1
        self.last_reason = reason
        self.host.count(reason, f"{self.uid} (unit {self.unit})")

    def _link(self, up: bool, reason: str) -> None:
        if self.up is not up:
            self.up = up
            self.host.link_state(self.uid, up, reason)

    def _schedule(self, now: int, seconds: float) -> None:
        """Keep the rhythm of a live device; count anything else from now."""
        start = self.due_ns if seconds == self.poll_s else now
        self.due_ns = max(start + int(seconds * NS), now)


def _output(chosen: str | Mapping[str, Any] | None, entity: EntityMap) -> Output:
    """Return an output's declaration from the site's choice, else the profile's."""
    if isinstance(chosen, str) or chosen is None:
        return Output(kind=OutputKind(chosen or str(entity.output)))
    return Output(
        kind=OutputKind(chosen["kind"]),
        ex_rated=chosen.get("ex_rated", False),
        contact_zone=chosen.get("contact_zone"),
        outside_air=chosen.get("outside_air", False),
        fail_safe=chosen.get("fail_safe", "hold_last"),
    )
