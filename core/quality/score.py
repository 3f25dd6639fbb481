"""How an entity did over a span: what was covered, good, and taken out."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.quality.classes import Usual
from core.quality.filters import GOOD, Cleaned, Sample, clean, number

#: A silence of this many intervals is a gap, and never shorter than the least.
_MISSED: Final = 3.0
_LEAST_GAP_MS: Final = 15_000
#: Points that a whole share of each kind of trouble costs.
_COSTS: Final = {"quality": 60, "range": 80, "rate": 60, "spike": 40, "stuck": 60}
_DRIFTED: Final = 20


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what came of a span; ``points`` from 0 (nothing usable) to 100."""

    points: float
    samples: int
    covered: float
    """Share of the span in which it spoke as often as it should."""
    good: float
    """Share of the samples that were GOOD."""
    gaps: int
    longest_gap_s: float
    taken_out: dict[str, int] = {}
    """Filter → samples."""
    drift: float | None = None
    """How far the quiet value has strayed from its zero; None: not judged."""
    drifted: bool = False


def score(
    stretches: Iterable[Sequence[Sample]],
    usual: Usual,
    span: tuple[int, int],
    interval_s: float,
) -> Score:
    """Judge stretches of samples; each was spoken without a silence within.

    ``span``: wall milliseconds, from and to. Points are 100 × covered, less what
    each filter's share of the samples costs, less 20 for a drifted zero.
    """
    kept = [stretch for stretch in stretches if stretch]
    samples = [sample for stretch in kept for sample in stretch]
    gaps = _gaps(kept, span, max(_MISSED * interval_s * 1000, _LEAST_GAP_MS))
    length = max(span[1] - span[0], 1)
    covered = max(0.0, 1.0 - sum(gaps) / length) if samples else 0.0
    rows = list(clean(samples, usual))
    taken: dict[str, int] = {}
    for row in rows:
        if row.filter:
            taken[row.filter] = taken.get(row.filter, 0) + 1
    drift = _drift(rows, usual)
    drifted = drift is not None and usual.drift is not None and abs(drift) > usual.drift
    cost = sum(_COSTS[name] * count / len(rows) for name, count in taken.items())
    points = max(0.0, 100.0 * covered - cost - (_DRIFTED if drifted else 0))
    return Score(
        points=round(points, 1),
        samples=len(samples),
        covered=round(covered, 4),
        good=round(sum(s.quality == GOOD for s in samples) / max(len(samples), 1), 4),
        gaps=len(gaps),
        longest_gap_s=max(gaps, default=0) / 1000,
        taken_out=taken,
        drift=drift,
        drifted=drifted,
    )


def _gaps(
    stretches: list[Sequence[Sample]], span: tuple[int, int], most_ms: float
) -> list[int]:
    """Return the silences that were too long, in milliseconds."""
    edges = [(stretch[0].ms, stretch[-1].ms) for stretch in stretches]
    silences = []
    last = span[0]
    for start, end in edges:
        silences.append(start - last)
        last = max(last, end)
    silences.append(span[1] - last)
    return [silence for silence in silences if silence > most_ms]


def _drift(rows: list[Cleaned], usual: Usual) -> float | None:
    """Return how far the quiet half of the values lies from zero."""
    if usual.drift is None:
        return None
    kept = (number(row.value) for row in rows)
    values = sorted(abs(n - usual.zero) for n in kept if n is not None)
    if len(values) < 8:
        return None
    quiet = values[: len(values) // 2]
    return quiet[len(quiet) // 2]
