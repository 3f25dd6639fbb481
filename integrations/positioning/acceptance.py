"""The acceptance test of AQ 3064.3 on recorded walks against surveyed points.

    python -m integrations.positioning.acceptance --fixes FIXES.jsonl --walk WALK.yaml

FIXES has a line for each place that the hub told:
``{"t": 12.4, "tag": "dwm-3b5c", "x": 3.1, "y": 4.0, "accuracy": 0.6}`` (seconds,
metres of the site; ``accuracy`` may be missing). WALK says where the tags truly were:

    walks:
      - {tag: dwm-3b5c, from: 10, to: 70, at: [3.0, 4.0]}
      - {tag: dwm-3b5c, path: [[80, 3, 4], [90, 13, 4], [100, 13, 12]]}
    fence: {polygon: [[0, 0], [15, 0], [15, 15], [0, 15]], margin: 1.5}

Prints a line per clause and ends with 1 when one does not hold.
"""

import argparse
import bisect
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core.api import ConfigError, documents
from core.api.said import Said
from core.api.telling import reader, say

#: Share of errors that the standard's limits hold for: one standard deviation.
SHARE = 0.6827
STATIC_M, MOVING_M = 3.0, 5.0
UPLOADS_A_MIN = 30.0
WARN_S = 5.0
MISSED, FALSE = 0.10, 0.15
#: The hub's own promise: the circle that it tells holds the tag.
HELD = 0.95
#: A zone is entered when a fix has stood in it for so long, as in the hub.
DWELL_S = 1.5

Point2 = tuple[float, float]


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One place as it was told."""

    t: float
    tag: str
    x: float
    y: float
    accuracy: float | None = None


class Walk(msgspec.Struct, frozen=True, kw_only=True, rename={"begin": "from"}):
    """Say where a tag truly was: at a point, or along surveyed points by times."""

    tag: str
    begin: float | None = None
    to: float | None = None
    at: Point2 | None = None
    path: tuple[tuple[float, float, float], ...] = ()

    def span(self) -> tuple[float, float]:
        """Return when it began and ended."""
        if self.path:
            return self.path[0][0], self.path[-1][0]
        return self.begin or 0.0, self.to or 0.0

    def where(self, t: float) -> Point2:
        """Return the true place at a time within the span."""
        if not self.path:
            return self.at or (0.0, 0.0)
        index = bisect.bisect([p[0] for p in self.path], t)
        if index >= len(self.path):
            return self.path[-1][1:]
        (t0, x0, y0), (t1, x1, y1) = self.path[max(index - 1, 0)], self.path[index]
        share = (t - t0) / (t1 - t0) if t1 > t0 else 0.0
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """Describe the fence; nearer than ``margin`` to its line nothing is judged."""

    polygon: tuple[Point2, ...]
    margin: float = 1.5


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold a WALK file."""

    walks: tuple[Walk, ...]
    fence: Fence | None = None


class Clause(NamedTuple):
    """One clause's outcome."""

    name: str
    value: str
    limit: str
    holds: bool | None
    """None: nothing was recorded that could show it."""


def judge(fixes: Iterable[Fix], plan: Plan) -> list[Clause]:
    """Return every clause of the test."""
    told: dict[str, list[Fix]] = {}
    for fix in sorted(fixes, key=lambda each: each.t):
        told.setdefault(fix.tag, []).append(fix)
    pairs = [(walk, _of(told.get(walk.tag, []), walk)) for walk in plan.walks]
    still = [each for each in pairs if not each[0].path]
    moving = [each for each in pairs if each[0].path]
    found = [
        _error("static error", still, STATIC_M),
        _error("moving error", moving, MOVING_M),
        _uploads(pairs),
        _held(pairs),
    ]
    if plan.fence is not None:
        found += _fenced(pairs, plan.fence)
    return found


_Pairs = Sequence[tuple[Walk, Sequence[Fix]]]


def _of(fixes: Sequence[Fix], walk: Walk) -> list[Fix]:
    begin, end = walk.span()
    return [fix for fix in fixes if begin <= fix.t <= end]


def _off(walk: Walk, fix: Fix) -> float:
    return math.dist((fix.x, fix.y), walk.where(fix.t))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _error(name: str, pairs: _Pairs, limit: float) -> Clause:
    errors = [_off(walk, fix) for walk, fixes in pairs for fix in fixes]
    said = f"{limit:g} m at 68.27 %"
    if not errors:
        # A walk without a single fix fails; no walk at all shows nothing.
        return Clause(name, "no fix", said, False if pairs else None)
    found = percentile(errors, SHARE)
    return Clause(name, f"{found:.2f} m", said, found <= limit)


def _uploads(pairs: _Pairs) -> Clause:
    rates = []
    for walk, fixes in pairs:
        begin, end = walk.span()
        if end > begin:
            rates.append(60 * len(fixes) / (end - begin))
    said = f"{UPLOADS_A_MIN:g} a minute"
    if not rates:
        return Clause("uploads", "no walk", said, None)
    least = min(rates)
    # A span cuts off one fix at most.
    return Clause("uploads", f"{least:.0f} a minute", said, least >= UPLOADS_A_MIN - 1)


def _held(pairs: _Pairs) -> Clause:
    told = [
        _off(walk, fix) <= fix.accuracy
        for walk, fixes in pairs
        for fix in fixes
        if fix.accuracy is not None
    ]
    said = f"{HELD:.0%} within their circle"
    if not told:
        return Clause("accuracy told", "none", said, None)
    share = sum(told) / len(told)
    return Clause("accuracy told", f"{share:.1%}", said, share >= HELD)


# --- the fence --------------------------------------------------------------------


def inside(polygon: Sequence[Point2], at: Point2) -> bool:
    """Say whether a point lies in a polygon."""
    x, y = at
    found = False
    x1, y1 = polygon[-1]
    for x2, y2 in polygon:
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
        x1, y1 = x2, y2
    return found


def to_line(polygon: Sequence[Point2], at: Point2) -> float:
    """Return the distance of a point from a polygon's line."""
    least = math.inf
    x1, y1 = polygon[-1]
    for x2, y2 in polygon:
        dx, dy = x2 - x1, y2 - y1
        size = dx * dx + dy * dy
        along = ((at[0] - x1) * dx + (at[1] - y1) * dy) / size if size else 0.0
        along = min(1.0, max(0.0, along))
        least = min(least, math.dist(at, (x1 + along * dx, y1 + along * dy)))
        x1, y1 = x2, y2
    return least


class _Tally(NamedTuple):
    entries: int
    missed: int
    stays: int
    false: int
    slowest: float


def _fenced(pairs: _Pairs, fence: Fence) -> list[Clause]:
    parts = [_tally(walk, fixes, fence) for walk, fixes in pairs]
    entries, missed = sum(p.entries for p in parts), sum(p.missed for p in parts)
    stays, false = sum(p.stays for p in parts), sum(p.false for p in parts)
    slow = max((p.slowest for p in parts), default=0.0)
    found = []
    for name, bad, of, limit in (
        ("fence, missed", missed, entries, MISSED),
        ("fence, false", false, stays, FALSE),
    ):
        said = f"under {limit:.0%}"
        holds = bad < limit * of if of else None
        found.append(Clause(name, f"{bad} of {of}", said, holds))
    holds = slow <= WARN_S if entries > missed else None
    found.append(Clause("fence, warned", f"{slow:.1f} s", f"{WARN_S:g} s", holds))
    return found


def _tally(walk: Walk, fixes: Sequence[Fix], fence: Fence) -> _Tally:
    """Count a walk's stays well inside and well outside, and what was warned."""
    warned = _warned(fixes, fence)
    entries = missed = stays = false = 0
    slowest = 0.0
    for deep, begin, end in _stays(walk, fence):
        if deep and end - begin >= WARN_S:
            entries += 1
            first = next((t for t, on in warned if on and t >= begin), math.inf)
            if _last(warned, begin):
                first = begin  # warned already, while it was near the line
            if first - begin > WARN_S:
                missed += 1
            else:
                slowest = max(slowest, first - begin)
        elif not deep:
            stays += 1
            false += any(on and begin < t <= end for t, on in warned)
    return _Tally(entries, missed, stays, false, slowest)


def _last(warned: Sequence[tuple[float, bool]], at: float) -> bool:
    before = [on for t, on in warned if t <= at]
    return bool(before and before[-1])


def _warned(fixes: Sequence[Fix], fence: Fence) -> list[tuple[float, bool]]:
    """Return when the hub says 'inside' and when it says 'outside' again."""
    found: list[tuple[float, bool]] = []
    state, other_since = False, None
    for fix in fixes:
        now = inside(fence.polygon, (fix.x, fix.y))
        if now == state:
            other_since = None
        elif other_since is None:
            other_since = fix.t
        elif fix.t - other_since >= DWELL_S:
            state, other_since = now, None
            found.append((fix.t, state))
    return found


def _stays(walk: Walk, fence: Fence) -> list[tuple[bool, float, float]]:
    """Return (inside?, from, to) of each time well clear of the fence's line."""
    begin, end = walk.span()
    found: list[tuple[bool, float, float]] = []
    current: tuple[bool, float] | None = None
    steps = max(1, int((end - begin) / 0.1))
    for step in range(steps + 1):
        t = begin + (end - begin) * step / steps
        at = walk.where(t)
        clear = to_line(fence.polygon, at) >= fence.margin - 1e-9
        deep = inside(fence.polygon, at)
        if current is not None and (not clear or deep != current[0]):
            found.append((*current, t))
            current = None
        if clear and current is None:
            current = deep, t
    if current is not None:
        found.append((*current, end))
    return found


# --- the tool ---------------------------------------------------------------------


def read_fixes(file: Path) -> list[Fix]:
    """Return the fixes of a file; raises ConfigError with the line's number."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Fix))
        except msgspec.MsgspecError as error:
            raise ConfigError(
                Said("{file}:{number}: {error}", file=file, number=number, error=error)
            ) from error
    return found


def read_plan(file: Path) -> Plan:
    """Return the walks of a file; raises ConfigError."""
    data: Mapping[str, Any] = documents.read(file).data
    try:
        return msgspec.convert(data, Plan)
    except msgspec.ValidationError as error:
        raise ConfigError(Said("{file}: {error}", file=file, error=error)) from error


def table(clauses: Sequence[Clause]) -> str:
    """Return the outcome as text, a line per clause."""
    words = {True: "pass", False: "FAIL", None: "not shown"}
    return "\n".join(
        f"{c.name:<16} {c.value:>14}   limit {c.limit:<26} {words[c.holds]}"
        for c in clauses
    )


def main() -> int:
    """Judge recorded walks; exit status 1 when a clause does not hold."""
    parser = argparse.ArgumentParser(prog="integrations.positioning.acceptance")
    parser.add_argument("--fixes", type=Path, required=True)
    parser.add_argument("--walk", type=Path, required=True)
    asked = parser.parse_args()
    try:
        clauses = judge(read_fixes(asked.fixes), read_plan(asked.walk))
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"{say(error, reader())}\n")
        return 2
    sys.stdout.write(table(clauses) + "\n")
    return int(any(clause.holds is False for clause in clauses))


if __name__ == "__main__":
    sys.exit(main())
