"""What was said of a device by hand: as a rule of the site, and how it was proved."""

from collections.abc import Iterator
from typing import Final

import msgspec

from core.api.errors import Refused
from core.api.model import Device
from core.clock import NS
from core.config import DeviceRule, IntegrationConfig
from core.registry.facts import Facts, Possession
from core.registry.state import DeviceRecord, EntityRecord

#: A button that was pressed longer ago proves nothing.
PRESS_S: Final = 60.0
#: Letters and digits of a label that are enough, where not all were typed.
_TAIL: Final = 6
_DEEP: Final = 12


def completed(found: DeviceRule | None, record: DeviceRecord) -> DeviceRule | None:
    """Return the rule in force for a device: the site's files before a person."""
    facts = record.facts
    if found is None and facts is not None:
        found = from_facts(facts, record)
    if record.bump_every_h is None:
        return found
    if found is None:
        found = DeviceRule(integration=record.integration, uid=record.uid)
    if found.bump_every_h is not None:
        return found
    return msgspec.structs.replace(found, bump_every_h=record.bump_every_h)


def from_facts(facts: Facts, record: DeviceRecord) -> DeviceRule:
    """Return what a person stated as a rule of the site."""
    fields = {name: getattr(facts, name) for name in facts.__struct_fields__}
    return DeviceRule(
        integration=record.integration, uid=record.uid, name=record.name, **fields
    )


def kept(
    host: str, record: DeviceRecord | None, known: list[EntityRecord]
) -> DeviceRule:
    """Return what a person said at enrolment: a device cannot unsay it."""
    critical = tuple(e.declared.uid for e in known if e.declared.critical)
    if record is None:
        return DeviceRule(integration=host, uid="", critical=critical)
    rule = from_facts(record.facts or Facts(), record)
    return msgspec.structs.replace(
        rule, integration=host, critical=(*critical, *rule.critical)
    )


def check(
    given: Possession | None,
    device: Device,
    config: IntegrationConfig | None,
    pressed_ns: int | None,
    now_ns: int,
) -> Possession | None:
    """Return the proof as it is recorded; raises Refused when it proves nothing.

    ``pressed_ns``: boot time at which the device last called by itself.
    """
    wanted = config.contract.proof if config and config.contract else ()
    if given is None:
        if wanted:
            raise Refused("device.proof_needed", kinds=", ".join(wanted))
        return None
    if wanted and given.kind not in wanted:
        raise Refused("device.proof_kind", kind=given.kind, kinds=", ".join(wanted))
    proven = {
        "wired": lambda: _wired(given.detail, config),
        "code": lambda: _labelled(given.detail, device),
        "button": lambda: (
            pressed_ns is not None and now_ns - pressed_ns <= PRESS_S * NS
        ),
        "pairing": lambda: bool(device.key_id),
        "key": lambda: bool(device.key_id),
    }[given.kind]()
    if not proven:
        raise Refused(f"device.proof_{given.kind}", uid=device.uid)
    return given


def _labelled(typed: str, device: Device) -> bool:
    """Say whether a label's code is the device's own uid or serial, or its end."""
    code = _plain(typed)
    for name in (_plain(device.uid), _plain(device.serial)):
        if code and (code == name or (len(code) >= _TAIL and name.endswith(code))):
            return True
    return False


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def _wired(named: str, config: IntegrationConfig | None) -> bool:
    """Say whether the port or bus is one that the integration was set up with."""
    return config is not None and bool(named) and named in _words(config.options, 0)


def _words(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEP:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _words(each, depth + 1)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _words(each, depth + 1)
