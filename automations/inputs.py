"""What a rule looked at when it fired or did not: readings with their quality (R26)."""

from typing import TYPE_CHECKING

from automations.compiled import Compiled
from automations.scope import place
from automations.watch_reading import ReadingWatch
from core.api.reading import Reading, Value
from core.kernel import Kernel
from core.logic.events import RunInput

if TYPE_CHECKING:
    from automations.levels import Levels

#: Inputs that one run keeps; the one that decided is the first.
KEPT = 16
_MS = 1_000_000


def of(
    kernel: Kernel,
    levels: "Levels",
    rule: Compiled,
    index: int,
    subject: str,
    params: dict[str, Value],
) -> tuple[RunInput, ...]:
    """Return what a trigger and the rule's named values went by, at this moment."""
    found: dict[str, RunInput] = {}
    watch = levels.watch(rule.id, index)
    decisive = str(params.get("source", "")).removeprefix("entity:")
    ids = [decisive] if kernel.registry.entity(decisive) is not None else []
    if watch is not None and isinstance(watch.watched, ReadingWatch):
        members = watch.watched.members.subjects().get(subject, ())
        ids += [each.id for each in members]
        readings = [watch.watched.reading(each) for each in ids[:KEPT]]
    else:
        readings = [kernel.readings.get(each) for each in ids]
    now = kernel.hub.clock.mono_ns()
    for reading in readings:
        found.setdefault(reading.entity_id, _of_reading(reading, now))
    zone = place(kernel, subject) if rule.sources else None
    for name, source in rule.sources.items():
        value, quality = source(zone)
        found[name] = RunInput(f"value:{name}", value, int(quality))
    return tuple(found.values())[:KEPT]


def seen(kernel: Kernel, entity_ids: list[str]) -> tuple[RunInput, ...]:
    """Return how some entities read, with quality and age; as many as are kept."""
    now = kernel.hub.clock.mono_ns()
    return tuple(
        _of_reading(kernel.readings.get(each), now) for each in entity_ids[:KEPT]
    )


def _of_reading(reading: Reading, now: int) -> RunInput:
    heard = reading.measured_ns or reading.received_ns
    return RunInput(
        f"entity:{reading.entity_id}",
        reading.value,
        int(reading.quality),
        max(now - heard, 0) // _MS if heard else -1,
        reading.unit,
    )


def name_of(kernel: Kernel, entity_id: str) -> str:
    """Name an entity by its device and itself; an unknown one by its id."""
    entity = kernel.registry.entity(entity_id)
    device = kernel.registry.device_of(entity_id)
    if entity is None or device is None:
        return entity_id
    names = dict.fromkeys((device.name, entity.declared.name))
    return " · ".join(each for each in names if each)
