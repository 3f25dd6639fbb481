"""Measure the live table: rows a second with limits and history on.

Beside it, in the same run and alternating, a bare dict update per row: the floor
that no table in Python can go below. Run: python benchmarks/readings.py
"""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.link import messages as m
from tests.support.detectors import HOST, detector, site
from tests.support.kernel import Bench, make_kernel

DEVICES = 100
NORMAL = {"h2s": 1.0, "o2": 20.9, "ch4": 2.0}
ALARM = {"h2s": 9.0, "o2": 18.0, "ch4": 40.0}
QUANTITIES = ("h2s", "o2", "ch4")


def make_bench() -> Bench:
    """Return a kernel with 100 detectors of three gases each."""
    bench = make_kernel(site())
    for number in range(DEVICES):
        bench.declare(HOST, detector(f"g{number}", *QUANTITIES))
    return bench


def make_frames(
    bench: Bench, rows: int, per_frame: int, normal: dict[str, float]
) -> list[m.Readings]:
    """Return frames of readings around ``normal`` with a little noise."""
    dice = random.Random(1)
    handles = sorted(bench._handles.items(), key=lambda item: item[1])
    made = []
    for start in range(0, rows, per_frame):
        frame = []
        for index in range(start, min(start + per_frame, rows)):
            (_, _, quantity), handle = handles[index % len(handles)]
            value = normal[quantity] + dice.random() * 0.2
            frame.append(m.Row(handle, value, 0, 0, index + 1))
        made.append(m.Readings(0, frame))
    return made


def floor(frames: list[m.Readings], table: dict[int, m.Row]) -> float:
    """Return seconds for one dict update per row."""
    start = time.perf_counter()
    for frame in frames:
        for row in frame.rows:
            table[row.handle] = row
    return time.perf_counter() - start


def live(frames: list[m.Readings], bench: Bench) -> float:
    """Return seconds for the live table, display and history drained."""
    receive = bench.kernel.readings.receive
    start = time.perf_counter()
    for frame in frames:
        receive(HOST, frame)
    bench.kernel.readings.drain_live()
    bench.kernel.readings.drain_history()
    return time.perf_counter() - start


def main() -> None:
    """Alternate both and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--per-frame", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    wanted = parser.parse_args()
    bench = make_bench()
    frames = make_frames(bench, wanted.rows, wanted.per_frame, NORMAL)
    bare, table, worst = [], [], []
    for _ in range(wanted.rounds):
        bare.append(wanted.rows / floor(frames, {}))
        # Counters begin anew: the same frames must be news each round.
        for point in bench.kernel.readings.points.values():
            point.seq = 0
        table.append(wanted.rows / live(frames, bench))
    assert bench.kernel.readings.table.strays == 0
    frames = make_frames(bench, wanted.rows, wanted.per_frame, ALARM)
    for _ in range(wanted.rounds):
        for point in bench.kernel.readings.points.values():
            point.seq = 0
        worst.append(wanted.rows / live(frames, bench))
    assert len(bench.kernel.alarms.active()) == DEVICES * len(QUANTITIES)
    dict_rate, live_rate = statistics.median(bare), statistics.median(table)
    print(f"bare dict update  {dict_rate:12,.0f} rows/s")
    print(f"live table        {live_rate:12,.0f} rows/s  (limits, history, display)")
    print(f"all in alarm      {statistics.median(worst):12,.0f} rows/s")
    print(f"share of floor    {live_rate / dict_rate:12.1%}")


if __name__ == "__main__":
    main()
