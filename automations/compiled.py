"""A rule made ready to run: closures for its expressions, tables for matching."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple

from automations.scope import Scope
from core.alarms.state import AlarmRecord
from core.api.reading import Value
from core.config import Rule, Step, Trigger
from core.logic import tree
from core.logic.evaluate import compile_truth
from core.logic.truth import Truth

if TYPE_CHECKING:
    from core.kernel import Kernel

#: Triggers that are levels in every form; the rest are moments, or both.
LEVELS = frozenset({"reading", "state", "detection", "mqtt", "weather"})
Condition = Callable[[Scope], Truth]


class Compiled:
    """Hold one armed rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.id = rule.id
        self.condition = _closure(rule.condition, Truth.TRUE)
        default = tree.All(
            (
                tree.Not(tree.Name("triggered")),
                tree.Compare("==", tree.Name("active_alarms"), tree.Literal(0)),
            )
        )
        self.closes = _closure(rule.closes or default, Truth.TRUE, protective=False)
        self.vital = rule.life_safety
        """True when it may only do less than enforce by two persons."""
        self.standing: Callable[[str], Truth] = lambda _subject: Truth.FALSE
        """Says whether a level trigger of the rule holds for a subject."""
        self.sources: dict[str, Callable[[str | None], tuple[Value, int]]] = {}
        """The rule's named values: zone of the subject → value and quality."""
        zones = {zone for each in rule.triggers for zone in _words(each, "zone")}
        everywhere = "all" in zones or any(
            not _words(each, "zone") for each in rule.triggers
        )
        self.zones = frozenset() if everywhere else frozenset(zones)
        """Zones that the rule looks at; none named means everywhere."""
        self.when: dict[str, Condition] = {}
        self._collect(rule.steps)
        self.watches_gas = any(
            kind == "gas" or kind.startswith("gas.")
            for trigger in rule.triggers
            if trigger.platform == "alarm"
            for kind in _words(trigger, "kind")
        )
        self._active: dict[str, int] = {}
        self._active_of = (0, -1)
        self._alarms = [
            _alarms(index, trigger)
            for index, trigger in enumerate(rule.triggers)
            if trigger.platform in ("alarm", "supervision")
        ]

    def _collect(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.when is not None:
                self.when[step.path] = _closure(step.when, Truth.TRUE)
            for branch in (*step.branches, step.on_failure):
                self._collect(branch)

    def active(self, kernel: "Kernel") -> dict[str, int]:
        """Return how many active alarms match, by subject; counted once a change."""
        state = kernel.hub.state
        if self._alarms and self._active_of != (id(state), kernel.alarms.turn):
            self._active_of = (id(state), kernel.alarms.turn)
            self._active.clear()
            for record in kernel.alarms.active():
                index = self.matching_alarm(record)
                if index is not None:
                    subject = self.subject(index, record.zone_id, record.source)
                    self._active[subject] = self._active.get(subject, 0) + 1
        return self._active

    def matching_alarm(self, record: AlarmRecord) -> int | None:
        """Return the first alarm trigger that a record matches."""
        for each in self._alarms:
            if (
                record.priority <= each.priority
                and f"{record.kind}.".startswith(each.kinds)
                and (not each.zones or record.zone_id in each.zones)
            ):
                return each.number
        return None

    def is_moment(self, index: int) -> bool:
        """Say whether a trigger is a moment; the others are levels that stand."""
        trigger = self.rule.triggers[index]
        if trigger.platform == "presence":
            return trigger.fields.get("event") in ("enter", "leave")
        if trigger.platform == "permit":
            return "to" in trigger.fields
        return trigger.platform not in LEVELS

    def matching_event(
        self,
        platform: str,
        kind: str,
        zone: str | None,
        fits: Callable[[Trigger], bool] = lambda _: True,
    ) -> int | None:
        """Return the first trigger of a platform that an event matches."""
        for index, trigger in enumerate(self.rule.triggers):
            wanted = _words(trigger, "event") or _words(trigger, "to")
            if (
                trigger.platform == platform
                and self.is_moment(index)
                and (not wanted or kind in wanted)
                and _zone_in(trigger, zone)
                and fits(trigger)
            ):
                return index
        return None

    def subject(self, index: int, zone: str | None, source: str) -> str:
        """Return the subject that keys the run."""
        wanted = self.rule.triggers[index].subject
        if wanted == "zone":
            return f"zone:{zone}" if zone else "site"
        if wanted == "site" or not source.startswith(f"{wanted}:"):
            return "site" if wanted == "site" else source
        return source


def compile_rule(rule: Rule, gases: Collection[str] = ()) -> Compiled:
    """Return the rule ready to run; raises when it cannot.

    ``gases`` are the site's gases: a rule that reads one is life safety.
    """
    made = Compiled(rule)
    made.vital = rule.life_safety or any(
        set(_words(trigger, "of")) & set(gases) for trigger in rule.triggers
    )
    return made


def _closure(
    node: tree.Node | None, default: Truth, *, protective: bool = True
) -> Condition:
    if node is None:
        return lambda _scope: default
    return compile_truth(node, protective=protective)


class _Alarms(NamedTuple):
    """Hold which alarms a trigger matches."""

    number: int
    priority: int
    kinds: tuple[str, ...]
    """Each with a full stop behind it: a kind stands for those below it too."""
    zones: frozenset[str]
    """None named: everywhere."""


def _alarms(index: int, trigger: Trigger) -> _Alarms:
    default = ("fault",) if trigger.platform == "supervision" else ()
    zones = frozenset(_words(trigger, "zone"))
    return _Alarms(
        index,
        _number(trigger, "priority", 4),
        tuple(f"{kind}." for kind in _words(trigger, "kind") or default),
        frozenset() if "all" in zones else zones,
    )


def _words(trigger: Trigger, key: str) -> tuple[str, ...]:
    value = trigger.fields.get(key, ())
    return tuple(value) if isinstance(value, tuple | list) else (str(value),)


def _number(trigger: Trigger, key: str, default: int) -> int:
    value = trigger.fields.get(key, default)
    return value if isinstance(value, int) else default


def _zone_in(trigger: Trigger, zone: str | None) -> bool:
    zones = _words(trigger, "zone")
    return not zones or "all" in zones or zone in zones
