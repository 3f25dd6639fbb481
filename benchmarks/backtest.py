"""Measure a back-test: how many times faster than it happened a rule is tried.

A made-up past of 300 detectors at 1 Hz, every reading another than the one before,
with a gas alarm in it, lies in a data folder as a hub leaves it. Each rule is played
on it. Run: python benchmarks/backtest.py
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from automations.backtest import Backtest
from core.config import Rule
from core.processes.trials import Report
from tests.support.past import Past, site
from tests.support.past import rule as made

ZONES, PER_ZONE = 100, 3
RULES = {
    "one zone, any": "of: combustible, zone: z7, above: 8, unit: '%LEL', for: 5s",
    "every zone, any": "of: combustible, above: 8, unit: '%LEL', for: 5s",
    "every zone, 2oo3": "of: combustible, above: 8, unit: '%LEL', fuse: 2oo3",
    "every zone, median": "of: combustible, above: 8, unit: '%LEL', fuse: median",
}


def rule(name: str, trigger: str) -> Rule:
    """Return a rule of the benchmark's site."""
    text = (
        "on_unknown: fault\n"
        f"triggers: [{{trigger: reading, {trigger}}}]\n"
        "actions: [{action: command, output: fan, value: true}]\n"
    )
    return made(text, ZONES, name.replace(" ", "-"))


def lived(folder: Path, minutes: int) -> tuple[int, int]:
    """Make the past; return its first and last ms."""
    past = Past(folder, site(ZONES), PER_ZONE)
    past.live(5)
    first = past.now_ms()
    past.live(60 * minutes // 2)
    past.values["z7-0"] = past.values["z7-1"] = 30.0
    past.live(60)
    past.values["z7-0"] = past.values["z7-1"] = 1.0
    past.live(60 * minutes - 60 * minutes // 2 - 60)
    last = past.now_ms()
    past.close()
    return first, last


def tried(
    folder: Path, span: tuple[int, int], one: Rule
) -> tuple[Report, float, float]:
    """Try one rule; return its report, the wall and the processor's seconds."""
    start, busy = time.perf_counter(), time.process_time()
    (report,) = Backtest(folder, *span, lambda _bundle: (one,)).run()
    return report, time.perf_counter() - start, time.process_time() - busy


def main() -> None:
    """Print the factor of each rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        span = lived(Path(name), wanted.minutes)
        seconds = (span[1] - span[0]) / 1000
        sys.stdout.write(
            f"{ZONES * PER_ZONE} entities at 1 Hz, {wanted.minutes} min of history\n"
        )
        for title, trigger in RULES.items():
            report, took, busy = tried(Path(name), span, rule(title, trigger))
            sys.stdout.write(
                f"{title:<20} {seconds / took:>8,.0f} x real time"
                f"  {took:6.2f} s ({seconds / busy:,.0f} x by processor time)"
                f"  {len(report.runs)} runs\n"
            )


if __name__ == "__main__":
    main()
