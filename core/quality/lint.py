"""Look over a device's declaration: names and units that the field does not use."""

import difflib
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from core.api.model import Device, Entity, EntityKind
from core.api.reading import Value
from core.quality.classes import class_of, quantities, usual
from core.readings.units import canonical, is_known

#: Gases that limits, tests and permits know by these names.
GASES: Final = frozenset(
    "h2s co co2 so2 no no2 nh3 cl2 hcl hf hcn ph3 o2 o3 ch4 c3h8 c2h5oh h2 lel voc sf6"
    " benzene eto".split()
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: A critical entity that speaks so seldom tells of its loss too late.
_SLOW_S: Final = 60.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one finding; its text is ``quality.<code>``."""

    code: str
    entity: str
    params: dict[str, Value] = {}


def lint(device: Device) -> list[Finding]:
    """Return what a technician should mend or confirm; empty: nothing to say."""
    found = [each for entity in device.entities for each in _entity(entity)]
    names: dict[str, str] = {}
    for entity in device.entities:
        twin = names.setdefault(entity.name.strip().casefold(), entity.uid)
        if twin != entity.uid:
            found.append(_say("name_twice", entity, other=twin))
    return found


def _entity(entity: Entity) -> Iterator[Finding]:
    measured = entity.kind in (EntityKind.GAS, EntityKind.SENSOR)
    if not entity.name.strip():
        yield _say("no_name", entity)
    if entity.unit and not is_known(entity.unit):
        yield _say("unit_unknown", entity, unit=entity.unit)
    elif entity.unit and canonical(entity.unit) != entity.unit:
        yield _say(
            "unit_spelling", entity, unit=entity.unit, use=canonical(entity.unit)
        )
    if measured:
        yield from _quantity(entity)
    if entity.kind is EntityKind.GAS and entity.full_scale is None:
        yield _say("no_full_scale", entity)
    if entity.critical and entity.max_age_s > _SLOW_S:
        yield _say("slow_for_critical", entity, seconds=entity.max_age_s)


def _quantity(entity: Entity) -> Iterator[Finding]:
    name = entity.quantity
    known = GASES | quantities()
    if not name:
        yield _say("no_quantity", entity)
    elif not _NAME.fullmatch(name):
        yield _say("quantity_spelling", entity, quantity=name, use=_slug(name))
    elif name not in known:
        near = difflib.get_close_matches(name, sorted(known), 1, 0.75)
        if near:
            yield _say("quantity_near", entity, quantity=name, use=near[0])
        elif entity.kind is EntityKind.GAS:
            yield _say("gas_unknown", entity, quantity=name)
    if class_of(entity) != "other" and entity.max_age_s < usual(entity).interval_s:
        yield _say(
            "age_below_rate",
            entity,
            seconds=entity.max_age_s,
            interval=usual(entity).interval_s,
        )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _say(code: str, entity: Entity, **params: Value) -> Finding:
    return Finding(code=code, entity=entity.uid, params=params)
