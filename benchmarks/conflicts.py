"""Measure the conflict check of one new permit against those that stand, in ms.

The works of a plant lie scattered at its own density; beside them once all in one
yard, the worst case. Each check is what the worker does: one message in, the answer
out, both encoded. The bound is 20 ms against 1,000. Run: python benchmarks/conflicts.py
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from automations.packs.compile import find, load
from core.geometry.shapes import Area, Disc, Hazard, Polygon, Sector, Work
from core.geometry.surveyor import Surveyor
from core.link import frames
from core.link import messages as m
from core.permits.conflicts import as_rule

BOUND_MS = 20.0
SIZES = (10, 100, 1_000, 3_000)
#: Square metres of plan for each permit: 1,000 of them on 60 hectares.
SPACE_M2 = 600.0
DAY = 86_400_000_000_000
LEVELS = {"ground": 0.0, "deck": 6.0, "roof": 12.0}


def main(argv: list[str]) -> int:
    """Print ms per check by number of permits; exit status 1 beyond the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    late = False
    print(
        "permits  plan      pairs each  best ms  median ms  99 % ms  without index ms"
    )
    for dense in (False, True):
        for size in SIZES if not dense else (1_000,):
            row = measure(size, dense, options)
            kind = "one yard" if dense else "plant"
            print(
                f"{size:>7}  {kind:<8} {row[0]:>11.1f} {row[1]:>8.2f} {row[2]:>10.2f} "
                f"{row[3]:>8.2f} {row[4]:>17.1f}"
            )
            late |= size == 1_000 and row[2] > BOUND_MS
    print(f"bound: median of 1,000 within {BOUND_MS:.0f} ms: {'no' if late else 'yes'}")
    return int(late)


def measure(
    size: int, dense: bool, options: argparse.Namespace
) -> tuple[float, float, float, float, float]:
    """Return pairs of a new permit, then best, median, 99 % and brute-force ms."""
    some = random.Random(options.seed)
    side = 150.0 if dense else (SPACE_M2 * size) ** 0.5
    surveyor = Surveyor()
    pack = load(find("cn-hazchem"))
    rules = {"p": [as_rule(each) for each in pack.distances]}
    families = [kind.family for kind in pack.kinds]
    list(surveyor.take(m.Plan(1, LEVELS, rules)))
    list(surveyor.take(m.Works(2, hazards=list(hazards(some, side, size)))))
    for at in range(0, size, 50):
        part = [
            work(some, side, f"w{number}", families)
            for number in range(at, min(at + 50, size))
        ]
        list(surveyor.take(m.Works(3 + at, changed=part)))
    spent, pairs = [], 0
    for number in range(options.checks):
        new = work(some, side, f"new{number}", families)
        wire = frames.encode(m.Works(10_000 + number, changed=[new]))
        begin = time.perf_counter()
        answer_to(surveyor, wire)
        spent.append((time.perf_counter() - begin) * 1e3)
        pairs += surveyor.engine.of(new.id).count
        list(surveyor.take(m.Works(10_000 + number, gone=[new.id])))
    spent.sort()
    brute = brute_ms(surveyor, work(some, side, "brute", families))
    middle, last = spent[len(spent) // 2], spent[len(spent) * 99 // 100]
    return pairs / options.checks, spent[0], middle, last, brute


def answer_to(surveyor: Surveyor, wire: bytes) -> list[bytes]:
    """Take one frame and return the answer's frames, as the worker does."""
    came: list[m.Message] = []
    frames.Decoder().feed(wire, came.append)
    return [frames.encode(answer) for answer in surveyor.take(came[0])]


def brute_ms(surveyor: Surveyor, new: Work) -> float:
    """Return what measuring one work against every other costs, with no index."""
    engine = surveyor.engine
    engine.update([new], [])
    begin = time.perf_counter()
    engine.against_all(new.id)
    return (time.perf_counter() - begin) * 1e3


def hazards(some: random.Random, side: float, size: int) -> Iterator[Hazard]:
    """Yield one hazard for each three permits."""
    kinds = ("leak_capable", "release_flammable_gas", "buried_pipe")
    for number in range(size // 3):
        at = some.uniform(0, side), some.uniform(0, side)
        shape = Disc(at=at, radius_m=some.uniform(0.2, 3))
        yield Hazard(
            id=str(number), kind=some.choice(kinds), level="ground", shape=shape
        )


def work(some: random.Random, side: float, name: str, families: list[str]) -> Work:
    """Return a work of an eight-hour shift somewhere within two days."""
    x, y, half = some.uniform(0, side), some.uniform(0, side), some.uniform(1, 6)
    outline = ((x - half, y - half), (x + half, y - half), (x + half, y + half))
    family = some.choice(families)
    swept = None
    if family == "lifting":
        swept = Sector(at=(x, y), radius_m=20, from_deg=0, to_deg=120)
    area = Area(
        level=some.choice(list(LEVELS)),
        shape=Polygon(points=(*outline, (x - half, y + half))),
        z_high_m=some.choice((2.0, 5.0, 12.0)),
        swept=swept,
        also=("painting",) if some.random() < 0.1 else (),
    )
    begin = some.choice((0, DAY // 3, DAY * 2 // 3, DAY))
    zone = f"z{int(x // 40)}.{int(y // 40)}"
    return Work(name, "p", family, zone, area, begin, begin + DAY // 3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
