"""One node of a server: what it is, what was last heard of it, what that proves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from core.api import Entity, EntityKind, Output, OutputKind, Quality, Value
from integrations.opcua import nodes
from integrations.opcua.quality import Verdict, judge

NS = 1_000_000_000
MAX_TEXT = 256
_EXACT = 1 << 53
#: Qualities whose value nobody can vouch for.
_VALUELESS = frozenset({Quality.FAULT, Quality.NOT_PRESENT, Quality.INHIBITED})

_WRONG_TYPE = Verdict(Quality.FAULT, "opcua.wrong_type")
_NOT_A_NUMBER = Verdict(Quality.FAULT, "opcua.not_a_number")
_OVER = Verdict(Quality.UNCERTAIN, "opcua.over_range")
_UNDER = Verdict(Quality.UNCERTAIN, "opcua.under_range")
_UNHEARD = Verdict(Quality.NOT_PRESENT, "opcua.waiting")
_REPLAYED = Verdict(Quality.STALE, "opcua.replayed")
_FUTURE = Verdict(Quality.UNCERTAIN, "opcua.future")


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """Say which node an entity is and how its value becomes one of ours."""

    entity: Entity
    node: nodes.NodeRef
    write: nodes.NodeRef | None = None
    scale: float = 1.0
    offset: float = 0.0
    low: float | None = None
    high: float | None = None
    on: float | bool | str = True
    off: float | bool | str = False


def compiled(
    uid: str, said: Mapping[str, Any], namespace: str, max_age_s: float, language: str
) -> Map:
    """Return the map of one entity's checked options; raises NodeError."""
    output = said.get("output")
    names = said.get("names", {})
    low, high = said.get("range", (None, None))
    kind = EntityKind(said["kind"])
    node = nodes.parse(said["node"], namespace)
    write = nodes.parse(said["write"], namespace) if "write" in said else node
    return Map(
        entity=Entity(
            uid=uid,
            name=said.get("name") or names.get(language) or uid,
            kind=kind,
            quantity=said.get("quantity", ""),
            unit=said.get("unit", ""),
            max_age_s=said.get("max_age_s", max_age_s),
            critical=said.get("critical", False),
            full_scale=high,
            output=_output(output) if output else None,
        ),
        node=node,
        write=write if output else None,
        scale=said.get("scale", 1.0),
        offset=said.get("offset", 0.0),
        low=low,
        high=high,
        on=said.get("on", True),
        off=said.get("off", False),
    )


def _output(said: Mapping[str, Any]) -> Output:
    return Output(
        kind=OutputKind(said["kind"]),
        ex_rated=said.get("ex_rated", False),
        contact_zone=said.get("contact_zone"),
        outside_air=said.get("outside_air", False),
        fail_safe=said.get("fail_safe", "hold_last"),
    )


def convert(said: Map, raw: object) -> tuple[Value, Verdict | None]:
    """Return a node's value as the entity's, and what is wrong with it."""
    kind = said.entity.kind
    if kind is EntityKind.OUTPUT:
        for value, word in ((True, said.on), (False, said.off)):
            if type(raw) is type(word) and raw == word:
                return value, None
        return None, _WRONG_TYPE
    if kind is EntityKind.BINARY:
        if isinstance(raw, bool) or (isinstance(raw, int) and raw in (0, 1)):
            return bool(raw), None
        return None, _WRONG_TYPE
    if kind is EntityKind.LOCATION or isinstance(raw, str):
        if isinstance(raw, str) and kind in (EntityKind.LOCATION, EntityKind.SENSOR):
            return raw[:MAX_TEXT], None
        return None, _WRONG_TYPE
    return _number(said, raw)


def _number(said: Map, raw: object) -> tuple[Value, Verdict | None]:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None, _WRONG_TYPE
    if not math.isfinite(raw) or (isinstance(raw, int) and abs(raw) > _EXACT):
        return None, _NOT_A_NUMBER
    value = raw * said.scale + said.offset
    if not math.isfinite(value):
        return None, _NOT_A_NUMBER
    if said.high is not None and value > said.high:
        return value, _OVER
    if said.low is not None and value < said.low:
        return value, _UNDER
    return value, None


class Point:
    """Judge one node's data values; nothing here waits.

    A value whose source time lies before the last one's was sent again: it says
    nothing of now. One from the future says that a clock is wrong.
    """

    def __init__(self, said: Map, handle: int) -> None:
        self.map, self.handle = said, handle
        self.value: Value = None
        self.at_ns = 0
        """The source's own wall time of the value, 0 when it tells none."""
        self.heard = 0
        self._verdict = _UNHEARD
        self._newest_ns = 0

    def clear(self, verdict: Verdict = _UNHEARD) -> None:
        """Forget what was heard: another session begins."""
        self.value, self.at_ns, self._newest_ns = None, 0, 0
        self._verdict = verdict

    def restart_clock(self) -> None:
        """Forget the order of times: the server's clock has been set."""
        self._newest_ns = 0

    def take(self, data: ua.DataValue, now_ns: int, tolerance_ns: int) -> bool:
        """Take a data value; ``now_ns`` is the server's time, 0 when not known.

        Returns False for what was sent again.
        """
        self.heard += 1
        status = data.StatusCode.value if data.StatusCode is not None else 0
        variant = data.Value
        raw = variant.Value if variant is not None else None
        verdict = judge(status)
        if raw is None and verdict.quality not in _VALUELESS:
            verdict = Verdict(Quality.NOT_PRESENT, "opcua.no_data")
        value: Value = None
        if verdict.quality not in _VALUELESS:
            value, wrong = convert(self.map, raw)
            if wrong is not None and wrong.quality > verdict.quality:
                verdict = wrong
        at_ns = wall_ns(data.SourceTimestamp or data.ServerTimestamp)
        self.value, self._verdict, self.at_ns = value, verdict, at_ns
        if not at_ns:
            return True
        if at_ns < self._newest_ns:
            if verdict.quality < _REPLAYED.quality:
                self._verdict = _REPLAYED
            return False
        if not now_ns or at_ns <= now_ns + tolerance_ns:
            self._newest_ns = at_ns
        return True

    def verdict(self, now_ns: int, tolerance_ns: int) -> tuple[Value, Verdict]:
        """Return the value and what it proves at the server's time ``now_ns``."""
        future = bool(now_ns and self.at_ns > now_ns + tolerance_ns)
        if future and self._verdict.quality < _FUTURE.quality:
            return self.value, _FUTURE
        return self.value, self._verdict


def wall_ns(time: Any) -> int:
    """Return a timestamp's UTC nanoseconds, 0 for none or an impossible one."""
    if time is None:
        return 0
    try:
        if time.tzinfo is None:
            from datetime import UTC

            time = time.replace(tzinfo=UTC)
        return max(0, int(time.timestamp() * NS))
    except (ValueError, OverflowError, AttributeError):
        return 0
