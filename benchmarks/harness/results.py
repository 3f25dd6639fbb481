"""What was measured of one system, and the figures that are made of it."""

import math
import statistics
from dataclasses import dataclass, field

from benchmarks.harness.probe import Run, rank
from benchmarks.harness.stand import Start

Try = tuple[float, float, Run, bool]


@dataclass
class Result:
    """Hold everything that one system did."""

    name: str
    starts: list[Start] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    runs: dict[int, list[Run]] = field(default_factory=dict)
    total_mb: float = math.nan
    parts_mb: dict[str, float] = field(default_factory=dict)
    sustained: float | None = None
    tries: list[Try] = field(default_factory=list)

    def each_ms(self, rate: int, share: float) -> list[float]:
        """Return the quantile of each round, in milliseconds."""
        return [rank(run.latencies, share) * 1e3 for run in self.runs[rate]]

    def pooled_ms(self, rate: int, share: float) -> float:
        """Return a quantile over the alarms of all rounds, in milliseconds."""
        every = [each for run in self.runs[rate] for each in run.latencies]
        return rank(every, share) * 1e3

    def first_s(self) -> float:
        """Return the median time from start to first command."""
        return statistics.median(start.first_s for start in self.starts)

    def armed_s(self) -> float | None:
        """Return the median time from the safety process's start to armed."""
        found = [start.armed_s for start in self.starts if start.armed_s is not None]
        return statistics.median(found) if found else None


def paired(ours: list[float], floor: list[float]) -> float:
    """Return the median of the ratios round by round."""
    pairs = zip(ours, floor, strict=True)
    return statistics.median(a / b for a, b in pairs)
