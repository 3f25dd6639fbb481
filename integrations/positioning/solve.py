"""Where a tag is from its distances to surveyed anchors, and how sure that is.

Weighted Gauss-Newton in the plan at the height at which a tag is worn. One range
through a wall is too long by metres: whatever does not fit is left out, and the
radius told covers every explanation that does fit, and the largest error of one
range that the others could not have shown (as satellite receivers prove
theirs: receiver autonomous integrity monitoring).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

#: Radius that holds 95 % of a round normal error, in its standard deviations.
R95 = 2.45
#: Chi-square at 99.9 % for 1, 2, … degrees of freedom: beyond it ranges disagree.
CHI2 = (10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88, 29.59)
#: More do not help and cost time; the nearest are the truest.
MOST = 10
LEAST = 3
#: Anchors nearer to one line than this share of its length see a mirrored place.
FLAT = 0.25
_STEPS = 25
_DONE_M = 1e-4


class Anchor(NamedTuple):
    """A surveyed anchor: metres of the site, and the floor that it serves."""

    x: float
    y: float
    z: float
    floor: float = 0.0


@dataclass(slots=True, frozen=True, kw_only=True)
class Limits:
    """Say how good ranges are, and how bad a place may be and still be one."""

    sigma_m: float = 0.15
    """Standard deviation of a range in sight of the anchor."""
    height_m: float = 1.2
    """Over the floor, where a tag is worn."""
    height_sigma_m: float = 0.4
    nlos_m: float = 3.0
    """Most that a wall or a body makes a range too long."""
    hdop: float = 4.0
    accuracy_m: float = 5.0


@dataclass(slots=True, frozen=True, kw_only=True)
class Solution:
    """A place in the site's frame; ``why`` is '' for a place that proves something."""

    x: float
    y: float
    z: float
    accuracy_m: float
    """Radius that holds the true place."""
    why: str = ""
    used: tuple[str, ...] = ()
    residuals: Mapping[str, float] = field(default_factory=dict)
    """Measured less computed, of every anchor of the floor, left out ones too."""


class _Row(NamedTuple):
    anchor: str
    x: float
    y: float
    dz: float
    r: float


class _Fit(NamedTuple):
    x: float
    y: float
    sse: float
    covariance: tuple[float, float, float]
    """xx, xy, yy."""
    rows: Sequence[_Row]


def solve(
    ranges: Mapping[str, float], anchors: Mapping[str, Anchor], limits: Limits
) -> Solution | None:
    """Return the place that the ranges (metres) tell; None when they tell none."""
    floors: dict[float, list[_Row]] = {}
    for name, metres in ranges.items():
        anchor = anchors.get(name)
        if anchor is not None and metres > 0:
            dz = anchor.z - anchor.floor - limits.height_m
            row = _Row(name, anchor.x, anchor.y, dz, metres)
            floors.setdefault(anchor.floor, []).append(row)
    found = [
        (floor, solution)
        for floor, rows in floors.items()
        if len(rows) >= LEAST
        and (solution := _on_floor(rows, floor + limits.height_m, limits)) is not None
    ]
    if not found:
        return None
    # Slabs stop most of what goes between floors: its own floor hears a tag best.
    found.sort(key=lambda each: (each[1].why != "", -len(each[1].used)))
    best = found[0][1]
    if len(found) > 1 and not found[1][1].why and not best.why:
        if len(found[1][1].used) == len(best.used):
            return _doubt(best, "level_unclear")
    return best


def _doubt(found: Solution, why: str) -> Solution:
    return Solution(
        x=found.x,
        y=found.y,
        z=found.z,
        accuracy_m=found.accuracy_m,
        why=why,
        used=found.used,
        residuals=found.residuals,
    )


def _on_floor(rows: list[_Row], z: float, limits: Limits) -> Solution | None:
    rows = sorted(rows, key=lambda row: row.r)[:MOST]
    start = _start(rows)
    if start is None:
        return None
    whole = _fit(rows, start, limits)
    if whole is None:
        return None
    fits = [whole] if _agrees(whole) else _without(rows, limits, 2)
    if not fits:
        return _told(whole, z, limits, "ranges_disagree", [whole], rows)
    best = min(fits, key=lambda fit: fit.sse)
    why = _geometry(best, limits)
    found = _told(best, z, limits, why, fits, rows)
    if not why and found.accuracy_m > limits.accuracy_m:
        return _doubt(found, "inaccurate")
    return found


def _without(rows: list[_Row], limits: Limits, most: int) -> list[_Fit]:
    """Return every fit that agrees once one row, or two, are left out."""
    if len(rows) <= LEAST or not most:
        return []
    tried = []
    for index in range(len(rows)):
        rest = rows[:index] + rows[index + 1 :]
        start = _start(rest)
        fit = _fit(rest, start, limits) if start is not None else None
        if fit is not None:
            tried.append((fit, rest))
    fits = [fit for fit, _ in tried if _agrees(fit)]
    if fits or not tried:
        return fits
    _, rest = min(tried, key=lambda each: each[0].sse)
    return _without(rest, limits, most - 1)


def _agrees(fit: _Fit) -> bool:
    return fit.sse <= CHI2[len(fit.rows) - 3]


def _start(rows: Sequence[_Row]) -> tuple[float, float] | None:
    """Return a first place by the differences of the circles; None on one line."""
    mx = sum(row.x for row in rows) / len(rows)
    my = sum(row.y for row in rows) / len(rows)
    level = [max(row.r * row.r - row.dz * row.dz, 0.0) for row in rows]
    mean = sum(level) / len(rows)
    square = sum((r.x - mx) ** 2 + (r.y - my) ** 2 for r in rows) / len(rows)
    xx = xy = yy = bx = by = 0.0
    for row, d2 in zip(rows, level, strict=True):
        dx, dy = row.x - mx, row.y - my
        right = (dx * dx + dy * dy - square - d2 + mean) / 2
        xx, xy, yy = xx + dx * dx, xy + dx * dy, yy + dy * dy
        bx, by = bx + dx * right, by + dy * right
    det = xx * yy - xy * xy
    if det <= 1e-4 * (xx + yy) ** 2:
        return None
    return mx + (bx * yy - by * xy) / det, my + (by * xx - bx * xy) / det


def _normal(
    rows: Sequence[_Row], x: float, y: float, limits: Limits
) -> tuple[float, float, float, float, float, float]:
    """Return the normal matrix (xx, xy, yy), its right side and the squared sum."""
    variance, tilt = limits.sigma_m**2, limits.height_sigma_m**2
    xx = xy = yy = bx = by = sse = 0.0
    for row in rows:
        dx, dy = x - row.x, y - row.y
        p = math.sqrt(dx * dx + dy * dy + row.dz * row.dz) or 1e-6
        gx, gy, gz = dx / p, dy / p, row.dz / p
        w = 1.0 / (variance + tilt * gz * gz)
        e = row.r - p
        xx, xy, yy = xx + w * gx * gx, xy + w * gx * gy, yy + w * gy * gy
        bx, by, sse = bx + w * gx * e, by + w * gy * e, sse + w * e * e
    return xx, xy, yy, bx, by, sse


def _fit(
    rows: Sequence[_Row], start: tuple[float, float], limits: Limits
) -> _Fit | None:
    """Return the least squares place near ``start``; None when it runs away."""
    x, y = start
    xx, xy, yy, bx, by, sse = _normal(rows, x, y, limits)
    damp = 1e-6
    for _ in range(_STEPS):
        ax, ay = xx * (1 + damp) + 1e-9, yy * (1 + damp) + 1e-9
        det = ax * ay - xy * xy
        if det <= 0:
            return None
        sx, sy = (bx * ay - by * xy) / det, (by * ax - bx * xy) / det
        new = _normal(rows, x + sx, y + sy, limits)
        if new[5] > sse + 1e-12:
            damp = max(damp, 1e-3) * 10
            if damp > 1e9:
                break
            continue
        x, y, damp = x + sx, y + sy, damp / 10
        xx, xy, yy, bx, by, sse = new
        if sx * sx + sy * sy < _DONE_M * _DONE_M:
            break
    det = xx * yy - xy * xy
    if det <= 1e-9 * (xx + yy) ** 2:
        return None
    return _Fit(x, y, sse, (yy / det, -xy / det, xx / det), rows)


def _geometry(fit: _Fit, limits: Limits) -> str:
    """Say what is wrong with where the anchors stand; '' when nothing is."""
    xx = xy = yy = 0.0
    for row in fit.rows:
        dx, dy = fit.x - row.x, fit.y - row.y
        p = math.sqrt(dx * dx + dy * dy + row.dz * row.dz) or 1e-6
        xx, xy, yy = xx + dx * dx / p / p, xy + dx * dy / p / p, yy + dy * dy / p / p
    det = xx * yy - xy * xy
    if det <= 0 or (xx + yy) / det > limits.hdop**2:
        return "geometry"
    return "mirror" if _mirrored(fit, limits) else ""


def _mirrored(fit: _Fit, limits: Limits) -> bool:
    """Say whether a place on the other side of the anchors' line fits as well."""
    rows, n = fit.rows, len(fit.rows)
    mx, my = sum(r.x for r in rows) / n, sum(r.y for r in rows) / n
    xx = sum((r.x - mx) ** 2 for r in rows)
    yy = sum((r.y - my) ** 2 for r in rows)
    xy = sum((r.x - mx) * (r.y - my) for r in rows)
    root = math.hypot(xx - yy, 2 * xy)
    if xx + yy - root > FLAT * FLAT * (xx + yy + root):
        return False
    turn = math.atan2(2 * xy, xx - yy)
    dx, dy = fit.x - mx, fit.y - my
    c, s = math.cos(turn), math.sin(turn)
    other = _fit(rows, (mx + c * dx + s * dy, my + s * dx - c * dy), limits)
    if other is None or not _agrees(other):
        return False
    return math.hypot(other.x - fit.x, other.y - fit.y) > 1.0


def _told(
    best: _Fit,
    z: float,
    limits: Limits,
    why: str,
    fits: Sequence[_Fit],
    rows: Sequence[_Row],
) -> Solution:
    radius = max(
        _radius(fit, limits) + math.hypot(fit.x - best.x, fit.y - best.y)
        for fit in fits
    )
    residuals = {
        row.anchor: row.r - math.hypot(best.x - row.x, best.y - row.y, row.dz)
        for row in rows
    }
    return Solution(
        x=best.x,
        y=best.y,
        z=z,
        accuracy_m=radius,
        why=why,
        used=tuple(row.anchor for row in best.rows),
        residuals=residuals,
    )


def _radius(fit: _Fit, limits: Limits) -> float:
    """Return the radius of chance, and of one wrong range that nobody noticed."""
    cxx, cxy, cyy = fit.covariance
    worst = (cxx + cyy) / 2 + math.hypot((cxx - cyy) / 2, cxy)
    freedom = len(fit.rows) - 2
    scale = max(1.0, fit.sse / freedom)
    variance, tilt = limits.sigma_m**2, limits.height_sigma_m**2
    hidden, most = 0.0, math.sqrt(CHI2[freedom - 1])
    for row in fit.rows:
        dx, dy = fit.x - row.x, fit.y - row.y
        p = math.sqrt(dx * dx + dy * dy + row.dz * row.dz) or 1e-6
        gx, gy, gz = dx / p, dy / p, row.dz / p
        w = 1.0 / (variance + tilt * gz * gz)
        ax, ay = w * (cxx * gx + cxy * gy), w * (cxy * gx + cyy * gy)
        seen = 1.0 - (ax * gx + ay * gy)
        bias = limits.nlos_m
        if seen > 1e-6:
            bias = min(bias, most / math.sqrt(w * seen))
        hidden = max(hidden, math.hypot(ax, ay) * bias)
    return R95 * math.sqrt(worst * scale) + hidden
