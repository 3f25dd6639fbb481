"""Selectors: which entities a trigger or a value looks at, found by part and place."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from core.api.model import EntityKind
from core.config import Trigger
from core.kernel import Kernel
from core.registry.state import EntityRecord

if TYPE_CHECKING:
    from automations.upwind import Upwind

GAS_PARTS = ("combustible", "toxic", "oxygen")
EVERYWHERE = "all"


class Lacking(NamedTuple):
    """Say what a selector did not find: then nothing is armed for it (R10)."""

    zone_id: str | None
    why: str
    """none, few or unit."""


def words(trigger: Trigger, key: str) -> tuple[str, ...]:
    """Return a field's words; a field that is not there has none."""
    value = trigger.fields.get(key, ())
    return tuple(value) if isinstance(value, tuple | list) else (str(value),)


def number(trigger: Trigger, key: str) -> float | None:
    """Return a field's number, or None where it is not set."""
    value = trigger.fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def named_zones(trigger: Trigger) -> tuple[str, ...]:
    """Return the zones that a trigger names; none means everywhere."""
    zones = words(trigger, "zone")
    return () if EVERYWHERE in zones else zones


def kind_of(trigger: Trigger, what: str) -> str:
    """Return what a run calls its trigger: platform, thing, and the trigger's id."""
    named = str(trigger.fields.get("id", ""))
    return ".".join(each for each in (trigger.platform, what, named) if each)


class Catalogue:
    """Index the site's entities by part and place, once for all selectors."""

    def __init__(self, kernel: Kernel, upwind: "Upwind | None" = None) -> None:
        self.upwind = upwind
        classes = {q.id: q.gas_class for q in kernel.hub.bundle.quantities}
        registry = kernel.registry
        self.worn: set[str] = set()
        """Entities that a person wears: they are wherever that person is."""
        self._by_word: dict[str, list[EntityRecord]] = {}
        self._by_place: dict[tuple[str, str | None], list[EntityRecord]] = {}
        for entity in registry.entities():
            declared = entity.declared
            if declared.kind is EntityKind.OUTPUT:
                continue
            device = registry.device(entity.device_id)
            zone = device.zone_id if device else None
            if device is not None and zone is None and device.person_id is not None:
                self.worn.add(entity.id)
            part = classes.get(declared.quantity, "")
            is_gas = bool(part) or declared.kind is EntityKind.GAS
            for word in {declared.quantity, part, "gas" if is_gas else ""} - {""}:
                self._by_word.setdefault(word, []).append(entity)
                self._by_place.setdefault((word, zone), []).append(entity)

    def find(
        self, words: Collection[str], zones: Collection[str]
    ) -> list[EntityRecord]:
        """Return the entities of some parts in some zones, and all that are worn."""
        found: dict[str, EntityRecord] = {}
        for word in words:
            if not zones:
                found |= {e.id: e for e in self._by_word.get(word, ())}
                continue
            for zone in (*sorted(zones), None):
                for entity in self._by_place.get((word, zone), ()):
                    if zone is not None or entity.id in self.worn:
                        found[entity.id] = entity
        return list(found.values())


class Members:
    """Hold the entities of a selector by the subject of its trigger.

    What a person wears is where that person is, so it is placed when asked.
    """

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        self._kernel, self._trigger = kernel, trigger
        self._wanted = frozenset(words(trigger, "of"))
        self._zones = named_zones(trigger)
        self.around = str(trigger.fields.get("around", ""))
        self._upwind: Upwind | None = None
        self._downstream: dict[str, list[str]] = {}
        """Zone → zones that it is upstream of, now."""
        self.found: list[EntityRecord] = []
        self.worn: frozenset[str] = frozenset()
        self._by_subject: dict[str, list[EntityRecord]] = {}
        self._of: dict[str, list[str]] = {}
        self._stale = False

    def resolve(self, catalogue: "Catalogue") -> list[Lacking]:
        """Look the entities up anew; return what cannot be armed."""
        zones: set[str] = set(self._zones)
        self._upwind = catalogue.upwind if self.around == "upstream" else None
        for zone in self._zones if self.around else ():
            zones |= (
                self._upwind.may_be(zone)
                if self._upwind is not None
                else self._kernel.site.neighbours(zone)
            )
        self.found = self._mapped() or catalogue.find(self._wanted, zones)
        self.worn = frozenset(e.id for e in self.found if e.id in catalogue.worn)
        self._by_subject = self._grouped()
        return list(self._lacking())

    def _mapped(self) -> list[EntityRecord]:
        """Return the entity that a topic of the broker is mapped to."""
        if self._trigger.platform != "mqtt":
            return []
        names = (words(self._trigger, "device")[0], words(self._trigger, "entity")[0])
        registry = self._kernel.registry
        entity = registry.entity(registry.find("mqtt", *names) or "")
        return [entity] if entity is not None else []

    def moved(self) -> None:
        """Hear that people moved: what they wear may be in another zone."""
        self._stale = self._stale or bool(self.worn)

    def turned(self) -> None:
        """Hear that the wind blows from elsewhere."""
        self._stale = self._stale or self._upwind is not None

    def subjects(self) -> dict[str, list[EntityRecord]]:
        """Return the entities by subject, worn ones where they are now."""
        if self._stale:
            self._stale = False
            self._by_subject = self._grouped()
        return self._by_subject

    def of(self, entity_id: str) -> list[str]:
        """Return the subjects that an entity speaks for."""
        self.subjects()
        return self._of.get(entity_id, [])

    def _grouped(self) -> dict[str, list[EntityRecord]]:
        grouped: dict[str, list[EntityRecord]] = {
            f"zone:{zone}": []
            for zone in self._zones
            if self._trigger.subject == "zone"
        }
        self._downstream = {}
        if self._upwind is not None:
            all_zones = [zone.id for zone in self._kernel.site.zones()]
            for zone in self._zones or all_zones:
                for other in self._upwind.of(zone):
                    self._downstream.setdefault(other, []).append(zone)
        self._of = {each.id: list(self._subjects_of(each)) for each in self.found}
        for entity in self.found:
            for subject in self._of[entity.id]:
                grouped.setdefault(subject, []).append(entity)
        return grouped

    def _subjects_of(self, entity: EntityRecord) -> Iterator[str]:
        place = place_of(self._kernel, entity)
        here = [place] if place is not None else []
        if self._upwind is not None:
            here += sorted(self._downstream.get(place or "", ()))
        elif self.around and place is not None:
            here += sorted(self._kernel.site.neighbours(place))
        seen = [zone for zone in here if not self._zones or zone in self._zones]
        if not seen and (self._zones or self._trigger.subject == "zone"):
            return
        subject = self._trigger.subject
        if subject == "zone":
            yield from (f"zone:{zone}" for zone in seen)
        else:
            yield self._single(subject, entity)

    def _single(self, subject: str, entity: EntityRecord) -> str:
        device = self._kernel.registry.device(entity.device_id)
        if subject == "person" and device is not None and device.person_id:
            return f"person:{device.person_id}"
        return "site" if subject == "site" else f"device:{entity.device_id}"

    def _lacking(self) -> Iterator[Lacking]:
        if not self.found:
            yield Lacking(None, "none")
            return
        if self._trigger.subject != "zone":
            if not self._by_subject and not self.worn:
                yield Lacking(None, "none")
            return
        needed = votes_of(self._trigger)[1]
        for subject, members in self._by_subject.items():
            zone = subject.removeprefix("zone:")
            if not members and not self.worn:
                yield Lacking(zone, "none")
            elif len(members) + len(self.worn) < needed:
                yield Lacking(zone, "few")


def place_of(kernel: Kernel, entity: EntityRecord) -> str | None:
    """Return an entity's zone: its device's, or where its wearer was last found."""
    device = kernel.registry.device(entity.device_id)
    if device is None or device.zone_id is not None or device.person_id is None:
        return device.zone_id if device else None
    presence = kernel.people.where(device.person_id)
    return (presence.zone_id or presence.last_zone_id) if presence else None


def votes_of(trigger: Trigger) -> tuple[int, int]:
    """Return (needed, of how many) of a vote such as 2oo3; (0, 0) where none is."""
    word = str(trigger.fields.get("fuse", "any"))
    needed, found, total = word.partition("oo")
    if found and needed.isdigit() and total.isdigit():
        return int(needed), int(total)
    return 0, 0


def entity_ids(groups: Iterable[list[EntityRecord]]) -> set[str]:
    """Return the ids of all entities of some groups."""
    return {entity.id for group in groups for entity in group}
