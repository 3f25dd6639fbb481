"""Watch the readings of conformance.yaml: none may ever be GOOD with a wrong value."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import msgspec

from core.api.quality import Quality
from core.api.reading import Reading
from integrations.runtime.kit.result import Broken
from integrations.runtime.kit.schema import WORDS, Point
from integrations.runtime.kit.side import Side, said, shown

#: How often states are looked at.
LOOK_S = 0.02
_MAX_WRONG = 20


def alike(got: Any, wanted: Any, tolerance: float) -> bool:
    """Say whether a value is the one that was wanted; numbers within tolerance.

    A text of numbers, such as a place, is compared number by number.
    """
    if isinstance(got, bool) or isinstance(wanted, bool):
        return isinstance(got, bool | int) and got == wanted
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return math.isclose(got, wanted, rel_tol=1e-6, abs_tol=tolerance)
    if isinstance(got, str) and isinstance(wanted, str):
        return got == wanted or _places(got, wanted, tolerance)
    return bool(got == wanted)


def _places(got: str, wanted: str, tolerance: float) -> bool:
    try:
        pairs = list(
            zip(map(float, got.split(",")), map(float, wanted.split(",")), strict=True)
        )
    except ValueError:
        return False
    return all(math.isclose(a, b, abs_tol=tolerance) for a, b in pairs)


def values(point: Point) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return what is set and what is expected, first and second."""
    first = point.set, point.set if point.expect is msgspec.UNSET else point.expect
    then = point.then
    if then is not None:
        expect = then.set if then.expect is msgspec.UNSET else then.expect
        return first, (then.set, expect)
    if first[0] != first[1]:
        return first, first
    value = first[0]
    if isinstance(value, bool):
        return first, (not value, not value)
    if isinstance(value, int | float):
        other = value / 2 if value else 1
        return first, (other, other)
    return first, first


class Watched:
    """Follow one reading; ``wrong`` holds every lie that was told as GOOD."""

    def __init__(self, side: Side, point: Point) -> None:
        self.point, self._side = point, side
        self.first, self.second = values(point)
        self.wanted: Any = self.first[1]
        self.judged = False
        """True once the wanted value has arrived: from then on it alone is right."""
        self.wrong: list[str] = []
        self.right = asyncio.Event()
        self.entity_id = ""
        self.count = 0

    @property
    def name(self) -> str:
        """Return the reading's name in the report."""
        return f"{self.point.device}/{self.point.entity}"

    def find(self) -> bool:
        """Begin to watch; False while the entity is not enrolled."""
        self.entity_id = self._side.entity_id(self.point.device, self.point.entity)
        if self.entity_id:
            self._side.watch(self.entity_id, self._take)
        return bool(self.entity_id)

    def want(self, value: Any) -> None:
        """Expect another value: until it has arrived the one before is right too."""
        if not alike(value, self.wanted, self.point.tolerance):
            self.judged = False
        self.wanted = value
        self.right.clear()
        reading = self._side.reading(self.entity_id)
        if self.judged and reading.quality is Quality.GOOD:
            self._take(reading)

    def _take(self, reading: Reading) -> None:
        self.count += 1
        if reading.quality is not Quality.GOOD:
            return
        if alike(reading.value, self.wanted, self.point.tolerance):
            self.judged = True
            self.right.set()
        elif self.judged and len(self.wrong) < _MAX_WRONG:
            told = f"{self.name} was GOOD with {shown(reading.value)}"
            self.wrong.append(f"{told}, and {shown(self.wanted)} is right")

    def words(self) -> set[str]:
        """Return the words for what the hub sees of it now."""
        quality = Quality(self._side.reading(self.entity_id).quality)
        found = {quality.name.lower()} & set(WORDS)
        if quality is not Quality.GOOD and self._side.lost(self.point.device):
            found.add("lost")
        return found

    def good(self) -> bool:
        """Say whether it is GOOD now, with the right value."""
        reading = self._side.reading(self.entity_id)
        return reading.quality is Quality.GOOD and alike(
            reading.value, self.wanted, self.point.tolerance
        )

    def now(self) -> str:
        """Return how it stands, for the report."""
        return f"{self.name} is {said(self._side.reading(self.entity_id))}"


class Lag:
    """Measure how late this machine lets us look, so that it is not the driver's."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_S
            await asyncio.sleep(LOOK_S)
            self.worst = max(self.worst, loop.time() - due)

    def take(self) -> float:
        """Return the worst lateness since the last time."""
        worst, self.worst = self.worst, 0.0
        return worst


async def until(
    holds: Callable[[], bool], limit_s: float, otherwise: Callable[[], str]
) -> float:
    """Wait until something holds; return the seconds; raises Broken."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not holds():
        if loop.time() - began > limit_s:
            raise Broken(otherwise())
        await asyncio.sleep(LOOK_S)
    return loop.time() - began
