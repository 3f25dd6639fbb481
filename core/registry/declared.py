"""What the site makes of a device's declaration: its rule, then its record."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from core.api.model import Device, Entity
from core.config import Bundle, DeviceRule
from core.permits import ways
from core.registry.state import DeviceRecord, EntityRecord


def bare(host: str) -> str:
    """Return the id of a host's configuration from its name as a link peer."""
    return host.removeprefix("host:")


def kind_of(bundle: Bundle, integration: str) -> str:
    """Return the integration that a host's configuration runs."""
    for each in bundle.integrations:
        if each.id == integration:
            return each.integration
    return integration


#: Devices whose rule is remembered.
_KNOWN = 20_000


class Rules:
    """Find the rule that enrols a device: exact uid first, then longest prefix.

    Of rules that are alike the bundle's first counts.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._exact: dict[tuple[str, str], tuple[int, DeviceRule]] = {}
        self._prefixes: list[DeviceRule] = []
        self._found: dict[tuple[str, str], DeviceRule | None] = {}
        for number, rule in enumerate(bundle.devices):
            if rule.uid.endswith("*"):
                self._prefixes.append(rule)
            else:
                self._exact.setdefault((rule.integration, rule.uid), (number, rule))
        self._prefixes.sort(key=lambda rule: -len(rule.uid))

    def find(self, integration: str, uid: str) -> DeviceRule | None:
        """Return the rule of a device; None: it waits for a person."""
        key = (integration, uid)
        if key not in self._found:
            if len(self._found) >= _KNOWN:  # devices that were only proposed, too
                self._found.clear()
            self._found[key] = self._find(integration, uid)
        return self._found[key]

    def _find(self, integration: str, uid: str) -> DeviceRule | None:
        names = {integration, kind_of(self.bundle, integration)}
        exact = [self._exact[n, uid] for n in names if (n, uid) in self._exact]
        if exact:
            return min(exact, key=lambda each: each[0])[1]
        for rule in self._prefixes:
            if rule.integration in names and uid.startswith(rule.uid[:-1]):
                return rule
        return None


def patched(device: Device, rule: DeviceRule) -> Device:
    """Return the declaration with what the site knows better."""
    every = "*" in rule.critical
    entities = tuple(
        Entity(
            uid=each.uid,
            name=each.name,
            kind=each.kind,
            quantity=each.quantity,
            unit=each.unit,
            max_age_s=each.max_age_s if rule.max_age_s is None else rule.max_age_s,
            critical=each.critical or every or each.uid in rule.critical,
            full_scale=each.full_scale,
            output=rule.outputs.get(each.uid, each.output),
        )
        for each in device.entities
    )
    return replace(device, name=rule.name or device.name, entities=entities)


def merged(
    device: Device, known: Iterable[EntityRecord], record: DeviceRecord | None = None
) -> Device:
    """Return the declaration with what it no longer says of itself.

    A device cannot drop a detector by leaving it out of its announcement: the
    entity stays, and falls silent. Nor can it unsay that it owes bump tests. Only
    a person removes (design §5 Security).
    """
    named = {each.uid for each in device.entities}
    gone = tuple(r.declared for r in known if r.declared.uid not in named)
    bumps = [device.bump_every_h, record.bump_every_h if record else None]
    owed = min((each for each in bumps if each is not None), default=None)
    return replace(device, entities=device.entities + gone, bump_every_h=owed)


def differs(
    record: DeviceRecord,
    known: Iterable[EntityRecord],
    device: Device,
    zone_id: str | None,
    person_id: str | None,
) -> bool:
    """Say whether a declaration changes what is on record."""
    head = (record.name, record.manufacturer, record.model)
    tail = (record.serial, record.key_id, record.bump_every_h)
    return (
        head != (device.name, device.manufacturer, device.model)
        or tail != (device.serial, device.key_id, device.bump_every_h)
        or (record.zone_id, record.person_id) != (zone_id, person_id)
        or {e.declared.uid: e.declared for e in known}
        != {e.uid: e for e in device.entities}
    )


def loosened(known: Iterable[EntityRecord], device: Device) -> tuple[str, ...]:
    """Return what a declaration promises less of, as entity uid and field.

    A wider range is a coarser reading; an Ex rating that rises by the device's own
    word is no better than one that falls: both are a person's to judge.
    """
    now = {each.uid: each for each in device.entities}
    found: list[str] = []
    for record in known:
        new = now.get(record.declared.uid)
        if new is None:
            found.append(record.declared.uid)
        elif new != record.declared:
            changes = ways.fields(new.uid, record.declared, new, _PROMISES)
            found += [change.path for change in ways.loosened(changes)]
    return tuple(found)


_PROMISES: Final[ways.Table] = {
    "name": ways.words,
    "max_age_s": ways.less,
    "critical": ways.on,
    "full_scale": ways.less,
}
