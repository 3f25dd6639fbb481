"""Judge values by their limits and tell the alarms (design §5 Truth)."""

from typing import TYPE_CHECKING

from core.api.reading import Value
from core.journal.envelope import Cause
from core.readings.point import ACTS, GOOD, LimitState, Point

if TYPE_CHECKING:
    from core.alarms.alarms import Alarms


class Limits:
    """Raise and clear the limit alarms of points."""

    def __init__(self, alarms: "Alarms") -> None:
        self._alarms = alarms
        self.pending: set[Point] = set()
        """Points with a value beyond a limit that must still be sustained."""

    def judge(
        self,
        point: Point,
        low: float,
        high: float,
        quality: int,
        zone_id: str | None,
        now: int,
        *,
        proven: bool,
    ) -> None:
        """Judge one reading, or the extremes of several.

        Beyond a limit acts whatever the quality in ACTS; back to normal needs
        GOOD (``quality``). ``proven`` says that the driver itself called it GOOD:
        after boot such a match needs no sustain.
        """
        waiting = False
        for state in point.limits:
            if quality in ACTS and state.beyond(low, high):
                if state.since is None:
                    state.since = now
                due = now - state.since >= state.sustain_ns
                if due or (state.boot and proven):
                    self._raise(point, state, low, high, zone_id)
                waiting = waiting or not state.active
            elif quality == GOOD:
                state.since = None
                if state.active and state.normal(low, high):
                    self._clear(point, state)
            if proven:
                state.boot = False
            waiting = waiting or (state.since is not None and not state.active)
        if waiting:
            self.pending.add(point)
        else:
            self.pending.discard(point)
        point.settle()

    def overdue(self, point: Point, zone_id: str | None, now: int) -> None:
        """Raise what stayed beyond its limit although nothing more was heard."""
        waiting = False
        for state in point.limits:
            if state.since is None or state.active:
                continue
            if now - state.since >= state.sustain_ns:
                value = point.value if isinstance(point.value, float) else None
                shown = state.above if value is None else value
                self._raise(point, state, shown, shown, zone_id)
            else:
                waiting = True
        if not waiting:
            self.pending.discard(point)
        point.settle()

    def adopt(self, point: Point) -> None:
        """Take over from the journal which limit alarms of a point are active."""
        source = f"entity:{point.entity_id}"
        for state in point.limits:
            record = self._alarms.find(source, state.limit.condition)
            state.active = record is not None and record.active and not record.mark
        point.settle()

    def _raise(
        self,
        point: Point,
        state: LimitState,
        low: float,
        high: float,
        zone_id: str | None,
    ) -> None:
        if state.active:
            return
        state.active = True
        limit = state.limit
        above = high >= state.above
        self._alarms.raise_(
            f"entity:{point.entity_id}",
            limit.condition,
            kind=limit.kind,
            priority=limit.priority,
            zone_id=zone_id,
            life_safety=limit.life_safety,
            latching=limit.latching,
            params=_facts(point, high if above else low, _bound(state, above)),
            cause=_cause(point),
        )

    def _clear(self, point: Point, state: LimitState) -> None:
        state.active = False
        self._alarms.clear(
            f"entity:{point.entity_id}", state.limit.condition, cause=_cause(point)
        )


def _bound(state: LimitState, above: bool) -> float:
    return state.above if above else state.below


def _facts(point: Point, value: float, bound: float) -> dict[str, Value]:
    return {
        "name": point.declared.name,
        "quantity": point.declared.quantity,
        "value": round(value, 4),
        "limit": round(bound, 4),
        "unit": point.unit,
    }


def _cause(point: Point) -> Cause:
    return Cause(actor=f"device:{point.device_id}", evidence=(point.entity_id,))
