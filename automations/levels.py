"""The level triggers of the armed rules: judged at once, at arm time, each second.

Levels, not only edges (R1): a hazard that stands at boot is seen at boot. UNKNOWN
for longer than a moment does what the rule's on_unknown declares, never nothing.
"""

import math
from collections.abc import Callable, Iterable
from typing import Protocol

from automations.compiled import Compiled
from automations.level import Level, Watch, rests
from automations.selecting import Catalogue, Lacking
from automations.upwind import Upwind
from automations.values import ReadingValue, permits_value
from automations.watch_people import PresenceWatch
from automations.watch_permit import PermitWatch
from automations.watch_reading import ReadingWatch
from automations.watch_weather import WeatherWatch
from automations.watching import Interval, Judged, Params, Watched
from core.api.reading import Reading
from core.clock import NS
from core.kernel import Kernel
from core.logic.truth import Truth, any_of
from core.people.events import PersonMoved
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceZoned

#: Levels that are first judged so soon after a start need no sustain.
STARTING_TICKS = 3
#: The same reason for not firing is told at most this often for one subject.
SKIP_S = 60.0

_KINDS: dict[str, Callable[..., Watched]] = {
    "reading": ReadingWatch,
    "state": ReadingWatch,
    "detection": ReadingWatch,
    "mqtt": ReadingWatch,
    "weather": WeatherWatch,
    "presence": PresenceWatch,
    "permit": PermitWatch,
}


class Rules(Protocol):
    """What the engine does for a level that fires, or cannot be known."""

    def guard(self, rule_id: str, work: Callable[..., object], *args: object) -> None:
        """Do work for a rule; an error is an alarm with the rule's id."""

    def level_fires(
        self, rule: Compiled, index: int, subject: str, params: Params, *, again: bool
    ) -> bool:
        """Start or join a run; False: a condition kept it from acting."""

    def level_unknown(
        self, rule: Compiled, index: int, subject: str, params: Params
    ) -> None:
        """Do what on_unknown declares."""

    def level_known(self, rule: Compiled, index: int, subject: str) -> None:
        """Hear that it can be judged again."""

    def level_skipped(
        self, rule: Compiled, index: int, subject: str, why: str, params: Params
    ) -> None:
        """Write down why it does not fire (R26)."""

    def level_lacks(self, rule: Compiled, index: int, lacking: list[Lacking]) -> None:
        """Hear what a selector of the rule does not find; [] when all is there."""

    def level_finds(self, rule: Compiled, index: int, entities: Iterable[str]) -> None:
        """Hear which entities a selector of the rule finds."""


class Levels:
    """Judge every level trigger; tell the engine what fires."""

    def __init__(self, kernel: Kernel, rules: Rules) -> None:
        self._kernel, self._hub, self._rules = kernel, kernel.hub, rules
        self._watches: dict[tuple[str, int], Watch] = {}
        self._by_entity: dict[str, list[Watch]] = {}
        self._values: list[tuple[Compiled, ReadingWatch]] = []
        """Named values of rules: they follow readings for rates."""
        self._named: dict[tuple[str, str], tuple[str, ReadingValue]] = {}
        """(rule, name) → the rule's hash and its value: unchanged ones go on (R7)."""
        self._feeds: dict[str, list[ReadingWatch]] = {}
        self._upwind = Upwind(kernel)
        self._heard: set[str] = set()
        """Entities whose readings are followed; there is no way to stop that."""
        self._stale = False
        self.whole_ticks = 10
        """Seconds between two looks at what only readings can change."""
        self._ticks = 0
        """Seconds since the start, as far as it matters for new levels."""
        for kind in (DeviceEnrolled, DeviceZoned, DeviceRemoved):
            self._hub.on(kind, lambda _body, _: self._registry_changed())
        self._hub.on(PersonMoved, lambda _body, _: self._moved())

    # --- set-up -----------------------------------------------------------------

    def arm(self, rules: Iterable[Compiled]) -> None:
        """Take up the level triggers; those of unchanged rules go on (R7)."""
        old, self._watches = self._watches, {}
        self._values.clear()
        values, self._named = self._named, {}
        for rule in rules:
            # One that cannot be made leaves the others (R9).
            self._rules.guard(rule.id, self._arm, rule, old, values)
        self._resolve()

    def _arm(
        self,
        rule: Compiled,
        old: dict[tuple[str, int], Watch],
        values: dict[tuple[str, str], tuple[str, ReadingValue]],
    ) -> None:
        for index, trigger in enumerate(rule.rule.triggers):
            if trigger.platform in _KINDS and not rule.is_moment(index):
                made = _KINDS[trigger.platform](self._kernel, trigger)
                watch = Watch(rule, index, made)
                before = old.get(watch.key)
                if before and before.rule.rule.hash == rule.rule.hash:
                    watch.levels, watch.watched = before.levels, before.watched
                self._watches[watch.key] = watch
        rule.standing = self._standing(rule)
        self._make_values(rule, values)

    def _make_values(
        self, rule: Compiled, old: dict[tuple[str, str], tuple[str, ReadingValue]]
    ) -> None:
        for name, trigger in rule.rule.values.items():
            if trigger.platform == "permits":
                rule.sources[name] = permits_value(self._kernel, trigger)
            else:
                before, kept = old.get((rule.id, name), ("", None))
                same = kept is not None and before == rule.rule.hash
                made = kept if kept and same else ReadingValue(self._kernel, trigger)
                self._named[rule.id, name] = rule.rule.hash, made
                rule.sources[name] = made
                self._values.append((rule, made.watched))

    def boot(self) -> None:
        """Let the first TRUE after a start need no sustain (design §5 Deadlines)."""
        self._ticks = 0
        for watch in self._watches.values():
            watch.levels.clear()

    def renew(self, rule: Compiled) -> None:
        """Let every level of a rule that still holds fire anew: its mode changed."""
        for watch in self._watches.values():
            if watch.rule is rule:
                for level in watch.levels.values():
                    level.fired = level.ended = False

    def _registry_changed(self) -> None:
        if not self._stale:
            self._stale = True
            # Once for all devices that one host announces.
            self._hub.after(0.0, "rules.resolve", self._resolve)

    def _resolve(self) -> None:
        self._stale = False
        self._by_entity, self._feeds = {}, {}
        self._upwind.resolve(self._kernel.registry.entities())
        catalogue = Catalogue(self._kernel, self._upwind)
        for rule, value in self._values:
            self._rules.guard(rule.id, self._resolve_value, rule, value, catalogue)
        for watch in self._watches.values():
            self._rules.guard(watch.rule.id, self._resolve_watch, watch, catalogue)

    def _resolve_value(
        self, rule: Compiled, value: ReadingWatch, catalogue: Catalogue
    ) -> None:
        # A value's selector belongs to its rule: what it lacks is told so.
        lacking = value.resolve(catalogue)
        self._rules.level_lacks(rule, _value_index(rule, value), lacking)
        for entity in value.members.found:
            self._feeds.setdefault(entity.id, []).append(value)
            self._listen(entity.id)

    def _resolve_watch(self, watch: Watch, catalogue: Catalogue) -> None:
        lacking = watch.watched.resolve(catalogue)
        watch.refused = any(each.zone_id is None for each in lacking)
        watch.missing = frozenset(f"zone:{each.zone_id}" for each in lacking)
        self._rules.level_lacks(watch.rule, watch.index, lacking)
        if isinstance(watch.watched, ReadingWatch):
            found = [each.id for each in watch.watched.members.found]
            self._rules.level_finds(watch.rule, watch.index, found)
            self._follow(watch, watch.watched)

    def _follow(self, watch: Watch, watched: ReadingWatch) -> None:
        for entity in watched.members.found:
            self._by_entity.setdefault(entity.id, []).append(watch)
            self._listen(entity.id)

    def _listen(self, entity_id: str) -> None:
        if entity_id not in self._heard:
            self._heard.add(entity_id)
            self._kernel.readings.watch(entity_id, self._read)

    def _standing(self, rule: Compiled) -> Callable[[str], Truth]:
        mine = [w for w in self._watches.values() if w.rule is rule]

        def standing(subject: str) -> Truth:
            found = [w.levels[subject].truth for w in mine if subject in w.levels]
            return any_of(found)

        return standing

    def refused(self) -> set[str]:
        """Return the rules of which no trigger can be armed: a selector is empty."""
        return {
            rule.id
            for rule in {watch.rule for watch in self._watches.values()}
            if len(rule.rule.triggers)
            == sum(w.refused for w in self._watches.values() if w.rule is rule)
        }

    def watch(self, rule_id: str, index: int) -> Watch | None:
        """Return a rule's level trigger; None: it is a moment, or an alarm's."""
        return self._watches.get((rule_id, index))

    def calm(self, entity_id: str) -> Interval | None:
        """Return between which numbers an entity changes no level; None: unknown."""
        low, high = -math.inf, math.inf
        watched = [watch.watched for watch in self._by_entity.get(entity_id, ())]
        if any(value.tracks for value in self._feeds.get(entity_id, ())):
            return None
        for each in watched:
            own = each.calm(entity_id) if isinstance(each, ReadingWatch) else None
            if own is None:
                return None
            low, high = max(low, own[0]), min(high, own[1])
        return low, high

    # --- judging ----------------------------------------------------------------

    def tick(self) -> None:
        """Judge every level (R1): what only readings can change, less often."""
        self._ticks += 1
        self._turn()
        for number, watch in enumerate(list(self._watches.values())):
            again = (self._ticks + number) % self.whole_ticks == 0
            whole = self._ticks <= STARTING_TICKS or again
            self._rules.guard(watch.rule.id, self._judge_all, watch, whole)

    def _turn(self) -> None:
        """Look at the wind, where a selector goes by it."""
        going = [
            watch
            for watch in self._watches.values()
            if isinstance(watch.watched, ReadingWatch)
            and watch.watched.members.around == "upstream"
        ]
        if going and self._upwind.turned():
            for watch in going:
                if isinstance(watch.watched, ReadingWatch):
                    watch.watched.members.turned()
                self._rules.guard(watch.rule.id, self._judge_all, watch)

    def _judge_all(self, watch: Watch, whole: bool = True) -> None:
        if watch.refused:
            return
        told = not whole and getattr(watch.watched, "is_told", False)
        levels = watch.levels
        present = set(watch.watched.subjects())
        subjects = (present | levels.keys()) - watch.missing
        if told:
            subjects = {each for each in subjects if not rests(levels.get(each))}
        for subject in sorted(subjects):
            self._judge(watch, subject)
            if subject not in present and levels[subject].truth is Truth.FALSE:
                del levels[subject]

    def _read(self, reading: Reading) -> None:
        for value in self._feeds.get(reading.entity_id, ()):
            value.hear(reading)
        for watch in self._by_entity.get(reading.entity_id, ()):
            self._rules.guard(watch.rule.id, self._heard_of, watch, reading)

    def _heard_of(self, watch: Watch, reading: Reading) -> None:
        watched = watch.watched
        if watch.refused or not isinstance(watched, ReadingWatch):
            return
        watched.hear(reading)
        calm: bool | None = None
        for subject in watched.members.of(reading.entity_id):
            level = watch.levels.get(subject)
            if level is not None and level.truth is Truth.FALSE:
                calm = watched.is_calm(reading) if calm is None else calm
                if calm:
                    continue
            if subject not in watch.missing:
                self._judge(watch, subject)

    def _moved(self) -> None:
        for watch in list(self._watches.values()):
            if isinstance(watch.watched, ReadingWatch):
                watch.watched.members.moved()
            if isinstance(watch.watched, PresenceWatch):
                self._rules.guard(watch.rule.id, self._judge_all, watch)

    def _judge(self, watch: Watch, subject: str) -> None:
        level = watch.levels.get(subject)
        if level is None:
            level = watch.levels[subject] = Level(
                boot=self._ticks < STARTING_TICKS
                and not isinstance(watch.watched, PermitWatch)
            )
        judged = watch.watched.judge(subject, held=level.fired)
        level.truth = judged.truth
        if judged.truth is Truth.UNKNOWN:
            self._unknown(watch, subject, level, judged)
        else:
            level.unknown = None
            if level.doubted:
                level.doubted = False
                self._rules.level_known(watch.rule, watch.index, subject)
            if judged.truth is Truth.TRUE:
                self._true(watch, subject, level, judged)
            else:
                self._false(watch, subject, level, judged)

    def _true(self, watch: Watch, subject: str, level: Level, judged: Judged) -> None:
        now = self._hub.clock.mono_ns()
        began = level.since is None
        level.since = level.since or now
        if level.fired:
            return
        since = level.since if judged.since_ns is None else judged.since_ns
        left = 0 if level.boot else since + watch.sustain_ns - now
        if left <= 0:
            level.fired = self._rules.level_fires(
                watch.rule, watch.index, subject, judged.params, again=level.ended
            )
            level.ended = level.ended and not level.fired
        elif began:
            key = f"rules.sustain {watch.rule.id} {watch.index} {subject}"
            self._hub.timers.at(now + left, key, lambda: self._again(watch, subject))

    def _again(self, watch: Watch, subject: str) -> None:
        if self._watches.get(watch.key) is watch:
            self._rules.guard(watch.rule.id, self._judge, watch, subject)

    def _false(self, watch: Watch, subject: str, level: Level, judged: Judged) -> None:
        if level.since is not None and not level.fired and watch.sustain_ns:
            self._skip(watch, subject, level, "not_sustained", judged.params)
        elif judged.why:
            self._skip(watch, subject, level, judged.why, judged.params)
        level.ended = level.ended or level.fired
        level.since, level.fired, level.boot = None, False, False

    def _unknown(
        self, watch: Watch, subject: str, level: Level, judged: Judged
    ) -> None:
        now = self._hub.clock.mono_ns()
        if judged.why:
            self._skip(watch, subject, level, judged.why, judged.params)
        level.doubted = True
        if level.unknown is None:
            level.unknown = now
        if now - level.unknown >= watch.grace_ns:
            self._rules.level_unknown(watch.rule, watch.index, subject, judged.params)

    def skip(
        self, rule: Compiled, index: int, subject: str, why: str, params: Params
    ) -> None:
        """Tell why a level does not fire, at most once a minute."""
        watch = self._watches.get((rule.id, index))
        level = watch.levels.get(subject) if watch is not None else None
        if watch is not None and level is not None:
            self._skip(watch, subject, level, why, params)

    def _skip(
        self, watch: Watch, subject: str, level: Level, why: str, params: Params
    ) -> None:
        now = self._hub.clock.mono_ns()
        last = level.skipped.get(why)
        if last is None or now - last >= SKIP_S * NS:
            level.skipped[why] = now
            self._rules.level_skipped(watch.rule, watch.index, subject, why, params)


def _value_index(rule: Compiled, value: ReadingWatch) -> int:
    """Return a number for a value's selector that no trigger has."""
    found = [getattr(each, "watched", None) for each in rule.sources.values()]
    return len(rule.rule.triggers) + found.index(value)
