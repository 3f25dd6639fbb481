"""Which gases a permit needs, and what a reading of them proves (G1–G7).

A reading is evidence only where it is GOOD and its meter is calibrated and in date;
a value beyond a limit counts against the work whatever is wrong with its meter.
"""

from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from core.api.model import EntityKind
from core.api.quality import NEVER_ACTS, Quality
from core.api.reading import Reading
from core.config import Quantity
from core.hub import Hub
from core.people.events import PersonMoved
from core.permits.gas_limits import Verdict, acceptance, convert, judge
from core.permits.pack import GasLimit, Kind, Pack
from core.permits.state import PermitRecord
from core.readings.calibration import Meters, State
from core.readings.readings import Readings
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceZoned

CLASSES: Final = ("oxygen", "combustible", "toxic")
#: A zero may lie below nothing by this share of what is accepted.
_ZERO_SHARE: Final = 0.1
_GOOD, _FAILED, _UNKNOWN = Quality.GOOD, Verdict.FAILED, Verdict.UNKNOWN


class Live(NamedTuple):
    """Hold a live reading with what it proves."""

    reading: Reading
    value: float
    verdict: Verdict
    meter: State
    evidence: bool


class Needed(NamedTuple):
    """Hold the gases that a permit's tests must cover, with their limits."""

    limits: dict[str, GasLimit | None]
    open: tuple[str, ...]
    """Words of the pack for which no gas stands: then nothing is known."""

    @property
    def whole(self) -> bool:
        """Say whether every word has its gases."""
        return bool(self.limits) and not self.open


class Samples:
    """Find the gases of a permit and judge readings by its pack's limits."""

    def __init__(self, hub: Hub, readings: Readings, meters: Meters) -> None:
        self._hub, self._readings, self._meters = hub, readings, meters
        self._quantities: dict[str, Quantity] = {}
        self._needed: dict[str, tuple[object, Needed]] = {}
        self._wearers: set[str] | None = None
        """Who wears a gas meter; None: to be derived."""
        hub.on(DeviceEnrolled, self._changed)
        hub.on(DeviceZoned, self._changed)
        hub.on(DeviceRemoved, self._changed)
        hub.on(PersonMoved, self._moved)

    def arm(self) -> None:
        """Take the site's quantities from the bundle."""
        self._quantities = {each.id: each for each in self._hub.bundle.quantities}
        self._changed()

    def _changed(self, *_: Any) -> None:
        self._needed.clear()
        self._wearers = None

    def _moved(self, body: PersonMoved, _: Any) -> None:
        """Look anew where a worn meter went."""
        if self._wearers is None:
            registry = self._hub.state.registry
            self._wearers = {
                device.person_id
                for device in registry.devices.values()
                if device.person_id is not None
                for each in device.entities
                if registry.entities[each].declared.kind is EntityKind.GAS
            }
        if body.person_id in self._wearers:
            self._needed.clear()

    def today(self) -> date | None:
        """Return the site's day; None while the clock is not to be trusted."""
        return self._meters.days.today()

    def zone_of(self, entity_id: str) -> str | None:
        """Return where a meter is: its device's zone, or where its wearer is."""
        point = self._readings.points.get(entity_id)
        return self._readings.table.zone_of(point) if point is not None else None

    # --- what is needed -------------------------------------------------------

    def needed(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Needed:
        """Return what a kind's tests must cover.

        A class stands for the gases of it that the zone's meters measure or the
        analysis names; oxygen for the pack's own where nothing else says.
        """
        key = (permit.zone_id, permit.gas.named, kind, id(pack))
        known = self._needed.get(permit.id)
        if known is not None and known[0] == key:
            return known[1]
        words = kind.gas.gases if kind.gas is not None else ()
        found = {word: self._gases(word, permit, pack) for word in words}
        gases = dict.fromkeys(gas for each in found.values() for gas in each)
        made = Needed(
            limits={gas: self.limit(pack, gas) for gas in gases},
            open=tuple(word for word, each in found.items() if not each),
        )
        key = (permit.zone_id, list(permit.gas.named), kind, id(pack))
        self._needed[permit.id] = (key, made)
        return made

    def _gases(self, word: str, permit: PermitRecord, pack: Pack) -> tuple[str, ...]:
        if word not in CLASSES:
            return (word,)
        found = {g for g in permit.gas.named if self._class(g, pack) == word}
        for quantity in self._quantities.values():
            if quantity.gas_class == word and self._readings.current(
                permit.zone_id, quantity.id
            ):
                found.add(quantity.id)
        if not found and word == "oxygen":
            found = {each.id for each in pack.limits if each.gas_class == "oxygen"}
        return tuple(sorted(found))

    def _class(self, gas: str, pack: Pack) -> str:
        limit, quantity = pack.limit(gas), self._quantities.get(gas)
        if limit is not None:
            return limit.gas_class
        return quantity.gas_class if quantity is not None else ""

    def limit(self, pack: Pack, gas: str) -> GasLimit | None:
        """Return a pack's limit of a gas, with the LEL and molar mass of the site.

        The pack's own numbers stand first: a site may only fill in what is open.
        """
        limit, quantity = pack.limit(gas), self._quantities.get(gas)
        if limit is None or quantity is None:
            return limit
        return msgspec.structs.replace(
            limit,
            lel_vol=limit.lel_vol or quantity.lel_vol,
            molar_mass=limit.molar_mass or quantity.molar_mass,
        )

    # --- what is measured -----------------------------------------------------

    def rich(self, permit: PermitRecord) -> bool:
        """Say whether the work is on oxygen equipment or in such surroundings."""
        said = permit.life.declared.get("on_oxygen_equipment")
        return said is not None and said.value is True

    def verdict(
        self, permit: PermitRecord, limit: GasLimit | None, value: float, unit: str
    ) -> Verdict:
        """Return what a value proves by the limit of its own gas."""
        if value >= 0 and limit is not None and limit.gas_class != "oxygen":
            return judge(limit, value, unit)
        if value < 0 and limit is not None and limit.gas_class != "oxygen":
            # A zero that lies a little too low is nothing, not less than nothing.
            drift = judge(limit, -value / _ZERO_SHARE, unit)
            value = 0.0 if drift is Verdict.PASSED else value
        return judge(
            limit,
            value,
            unit,
            rich=self.rich(permit),
            check_cause=self._hub.state.permits.gas.oxygen_check,
        )

    def live(
        self, permit: PermitRecord, gas: str, limit: GasLimit | None
    ) -> list[Live]:
        """Return every meter's reading of a gas where the work is, judged now."""
        points, seen = self._readings.points, self._meters.seen
        return [
            self.judged(permit, limit, each, seen(points[each.entity_id].device_id))
            for each in self._readings.current(permit.zone_id, gas)
        ]

    def judged(
        self,
        permit: PermitRecord,
        limit: GasLimit | None,
        reading: Reading,
        meter: State,
    ) -> Live:
        """Return a reading with what it proves; no number is UNKNOWN."""
        value, good = number(reading), reading.quality is _GOOD
        if value is None or (not good and reading.quality in NEVER_ACTS):
            return Live(reading, 0.0, _UNKNOWN, meter, evidence=False)
        verdict = self.verdict(permit, limit, value, reading.unit)
        evidence = good and meter.proven and verdict is not _UNKNOWN
        if not evidence and verdict is not _FAILED:
            verdict = _UNKNOWN
        return Live(reading, value, verdict, meter, evidence)


def share(limit: GasLimit | None, value: float, unit: str) -> float | None:
    """Return a value as its fact shows it: %vol, %LEL or % of the limit."""
    if limit is None:
        return None
    value = max(value, 0.0)
    if limit.gas_class == "combustible" and unit == "%LEL":
        return value
    amount = convert(limit, value, unit)
    if amount is None or limit.gas_class == "oxygen":
        return amount
    if limit.gas_class == "combustible":
        return amount / limit.lel_vol * 100 if limit.lel_vol else None
    most = acceptance(limit)
    return amount / most * 100 if most else None


def number(reading: Reading) -> float | None:
    """Return a reading's number; None for text, switches and nothing."""
    value = reading.value
    if value.__class__ is float:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
