"""Measure how late a lost detector is told: 10,000 deaths on virtual time.

Each trial is one critical detector that declares how old its word may be (its
interval, 0.5 to 60 s), speaks in it with jitter, and dies at a moment of its own, among
199 others. Aim: the alarm within 3 × the declared interval, not one missed, and none
that lives called lost. What a driver tells of a lost link comes earlier: the
conformance kit measures it. Run: python benchmarks/loss.py [--trials 10000]
"""

import argparse
import random
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.alarms.events import AlarmRaised
from core.journal.envelope import Envelope
from core.link import messages as m
from tests.support.detectors import HOST, detector, site
from tests.support.kernel import Bench, make_kernel

AT_ONCE, WITHIN = 200, 3.0
NS = 1_000_000_000


class Trial(NamedTuple):
    """Hold one detector: its interval, its last word, and when it was told lost."""

    uid: str
    interval_s: float
    last_ns: int
    told_ns: int

    @property
    def intervals(self) -> float:
        """Return how many intervals after its last word it was told."""
        return (self.told_ns - self.last_ns) / NS / self.interval_s


class Yard:
    """Let many detectors speak and die in one kernel."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.bench: Bench = make_kernel(site(lost_s=None))
        self.told: dict[str, int] = {}
        self.bench.hub.on(AlarmRaised, self._raised)

    def _raised(self, body: AlarmRaised, envelope: Envelope) -> None:
        if body.kind == "fault.lost":
            self.told.setdefault(body.source.partition(":")[2], envelope.mono_ns)

    def run(self) -> list[Trial]:
        """Return the trials of one yard; everything of it is dead at the end."""
        intervals = {
            f"g{n}": self._random.choice((0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0))
            for n in range(AT_ONCE)
        }
        for number, (uid, interval) in enumerate(intervals.items()):
            device = detector(uid, "h2s", max_age_s=interval)
            self.bench.kernel.registry.declare(HOST, device, {"h2s": number + 1})
        self.bench.settle()
        began = self.bench.clock.mono_ns()
        last = self._speak(intervals, began)
        self.bench.advance(200.0)
        return [self._trial(uid, intervals[uid], last[uid]) for uid in intervals]

    def _speak(self, intervals: dict[str, float], began: int) -> dict[str, int]:
        """Let each speak until it dies; return when each spoke last."""
        words: list[tuple[int, int, str]] = []
        for number, (uid, interval) in enumerate(intervals.items()):
            at, death = 0.0, self._random.uniform(0, 6 * interval)
            while at <= death:
                words.append((began + int(at * NS), number + 1, uid))
                at += interval * self._random.uniform(0.7, 1.3)
        last: dict[str, int] = {}
        for when, handle, uid in sorted(words):
            gap = (when - self.bench.clock.mono_ns()) / NS
            if gap > 0:
                self.bench.advance(gap)
            now = self.bench.clock.mono_ns()
            rows = [m.Row(handle, self._random.uniform(0.0, 1.0))]
            self.bench.kernel.readings.receive(HOST, m.Readings(now, rows))
            last[uid] = now
        return last

    def _trial(self, uid: str, interval: float, last: int) -> Trial:
        entity = self.bench.kernel.registry.find(HOST, uid, "h2s") or ""
        return Trial(uid, interval, last, self.told.get(entity, 0))


def main() -> int:
    """Print how late the deaths were told; exit status 1 when one was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    wanted = parser.parse_args().trials
    trials: list[Trial] = []
    while len(trials) < wanted:
        trials += Yard(len(trials)).run()
        sys.stderr.write(f"\r{len(trials)} of {wanted}")
    sys.stderr.write("\n")
    missed = [each for each in trials if not each.told_ns]
    early = [each for each in trials if each.told_ns and each.told_ns < each.last_ns]
    late = sorted(each.intervals for each in trials if each.told_ns)
    sys.stdout.write(
        f"{len(trials)} deaths: {len(missed)} missed, {len(early)} called lost alive\n"
        f"told after {late[0]:.2f} to {late[-1]:.2f} intervals (aim: up to {WITHIN})\n"
    )
    return int(bool(missed or early) or late[-1] > WITHIN)


if __name__ == "__main__":
    sys.exit(main())
