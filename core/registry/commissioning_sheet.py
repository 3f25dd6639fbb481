"""The sheet of causes and effects of a zone, made of the bundle; pure.

Each detector is a row: test gas is applied, the reading is seen, the alarm comes,
the work is held, the siren is heard, the message is seen. A line counts while the
detector and what it causes are as they were when it was shown.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from core.api.model import EntityKind, OutputKind
from core.config import Bundle, DeviceRule, Rule
from core.registry.by_hand import completed
from core.registry.commissioning_acts import STEPS
from core.registry.commissioning_state import Tick, ZoneSheet
from core.registry.declared import Rules
from core.registry.state import DeviceRecord, EntityRecord, RegistryState

#: Steps that the journal itself shows; a person's word does not stand in for it.
BY_JOURNAL = ("reading", "alarm")
#: Outputs that call people.
CALLS = (OutputKind.SIREN, OutputKind.STROBE, OutputKind.VOICE)


class Row(NamedTuple):
    """Hold one detector of a sheet: its fingerprint and what must be shown."""

    entity: EntityRecord
    device: DeviceRecord
    stamp: str
    steps: tuple[str, ...]


class Sheet(NamedTuple):
    """Hold a zone's sheet as the bundle and the registry make it now."""

    zone_id: str
    rows: tuple[Row, ...]
    stamp: str


def sheet(
    bundle: Bundle, registry: RegistryState, zone_id: str, rules: Rules | None = None
) -> Sheet:
    """Return the sheet of a zone; without detectors it has no rows.

    ``rules``: the bundle's, where sheets of several zones are made.
    """
    effects = _digest(_effects(bundle, registry, zone_id))
    steps = _steps(bundle, registry, zone_id)
    rules = rules or Rules(bundle)
    rows = []
    for device, entity in _here(registry, zone_id):
        if entity.declared.kind is EntityKind.GAS:
            cause = _digest(_cause(bundle, rules, device, entity))
            rows.append(Row(entity, device, f"{cause}.{effects}", steps))
    rows.sort(key=lambda row: (row.device.name, row.entity.declared.uid))
    stamps = [(row.entity.id, row.stamp) for row in rows]
    return Sheet(zone_id, tuple(rows), _digest([stamps, effects]))


def tick(done: ZoneSheet | None, row: Row, step: str) -> Tick | None:
    """Return how a line was shown, if that still counts."""
    found = done.ticks.get(f"{row.entity.id}/{step}") if done is not None else None
    return found if found is not None and found.stamp == row.stamp else None


def missing(made: Sheet, done: ZoneSheet | None) -> list[tuple[str, str]]:
    """Return the lines that nobody has shown, as entity id and step."""
    return [
        (row.entity.id, step)
        for row in made.rows
        for step in row.steps
        if tick(done, row, step) is None
    ]


def changed(made: Sheet, done: ZoneSheet) -> tuple[str, ...]:
    """Return which detectors are not as they were proved; ``zone`` for the rest."""
    found = [
        row.entity.id
        for row in made.rows
        if not done.ticks.get(f"{row.entity.id}/alarm")
        or _part(done.ticks[f"{row.entity.id}/alarm"].stamp) != _part(row.stamp)
    ]
    known = {row.entity.id for row in made.rows}
    shown = {key.partition("/")[0] for key in done.ticks}
    return (*found, *sorted(shown - known)) or ("zone",)


def standing(made: Sheet, done: ZoneSheet | None) -> str:
    """Return none, testing, ready, protected or changed."""
    if done is None:
        return "none"
    if done.signed_by:
        return "protected" if done.sheet == made.stamp else "changed"
    if done.begun_by:
        return "testing" if missing(made, done) or not made.rows else "ready"
    return "changed" if done.lapsed else "none"


def outputs(registry: RegistryState, zone_id: str) -> list[EntityRecord]:
    """Return what calls the people of a zone."""
    return [
        each
        for _, each in _here(registry, zone_id)
        if each.declared.output is not None and each.declared.output.kind in CALLS
    ]


def _here(
    registry: RegistryState, zone_id: str
) -> Iterator[tuple[DeviceRecord, EntityRecord]]:
    """Yield the entities of a zone with their devices."""
    for device in registry.devices.values():
        if device.zone_id == zone_id:
            for entity_id in device.entities:
                yield device, registry.entities[entity_id]


def _steps(bundle: Bundle, registry: RegistryState, zone_id: str) -> tuple[str, ...]:
    """Return what must be shown here: no siren is heard where none serves."""
    left = set()
    if not outputs(registry, zone_id):
        left.add("siren")
    if not bundle.permit_kinds:
        left.add("hold")
    return tuple(each for each in STEPS if each not in left)


# --- fingerprints -----------------------------------------------------------------


def _cause(
    bundle: Bundle, rules: Rules, device: DeviceRecord, entity: EntityRecord
) -> Any:
    """Return all that makes a detector what it is."""
    quantity = entity.declared.quantity
    host = next((e for e in bundle.integrations if e.id == device.integration), None)
    return (
        *(device.integration, device.uid, device.key_id, device.serial),
        entity.declared,
        _rule(rules, device),
        [each for each in bundle.quantities if each.id == quantity],
        (host.integration, _about(host.options, device.uid)) if host else None,
    )


def _rule(rules: Rules, device: DeviceRecord) -> DeviceRule | None:
    known = device.known_as or (device.integration, device.uid)
    return completed(rules.find(*known), device)


def _about(options: object, uid: str) -> object:
    """Return a host's options without what they say of other devices."""
    if isinstance(options, dict):
        return {str(key): _about(value, uid) for key, value in options.items()}
    if isinstance(options, list | tuple):
        return [
            _about(each, uid)
            for each in options
            if not (isinstance(each, dict) and each.get("uid", uid) != uid)
        ]
    return options


def _effects(bundle: Bundle, registry: RegistryState, zone_id: str) -> Any:
    """Return all that a detector of the zone may cause there."""
    zone = next((each for each in bundle.site.zones if each.id == zone_id), None)
    served = [
        (device.uid, each.declared)
        for device, each in _here(registry, zone_id)
        if each.declared.output is not None
    ]
    return (
        (zone.neighbours, zone.upstream, zone.leave) if zone else None,
        sorted(served, key=lambda each: (each[0], each[1].uid)),
        [
            (rule.id, rule.hash, rule.zone_modes.get(zone_id, rule.mode))
            for rule in bundle.rules
            if _touches(rule, zone_id)
        ],
        bundle.chains,
    )


def _touches(rule: Rule, zone_id: str) -> bool:
    for trigger in rule.triggers:
        named = trigger.fields.get("zone", "all")
        zones = named if isinstance(named, tuple | list) else (named,)
        if {"all", zone_id} & {str(each) for each in zones}:
            return True
    return False


def _digest(value: Any) -> str:
    encoded = msgspec.msgpack.encode(value, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:16]


def _part(stamp: str) -> str:
    return stamp.partition(".")[0]


def shown(rows: Iterable[Row], done: ZoneSheet) -> int:
    """Return how many lines count as shown."""
    return sum(tick(done, row, step) is not None for row in rows for step in row.steps)
