"""Measure one evaluation of a permit's rules, in µs, kind by kind.

Beside it, alternating in the same run, the floor: one dict lookup per fact that the
rules read. The bound is 200 µs for 30 rules. Run: python benchmarks/permit_rules.py
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from automations.packs.compile import find, load_source
from automations.packs.vectors import Suite
from core.permits.pack import Kind, Phase
from core.permits.pack_rules import Facts, Rules, evaluate

KINDS = ("hot-special", "confined", "temp-power", "height-4")
BOUND_US = 200.0


def main(argv: list[str]) -> int:
    """Print µs per evaluation; exit status 1 beyond the bound for 30 rules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=400)
    options = parser.parse_args(argv)
    suite = Suite(load_source(find("cn-hazchem")))
    slowest = 0.0
    print("kind          phase  rules  facts  best µs  median µs  floor µs  per 30")
    for kind_id in KINDS:
        kind = suite.pack.kind(kind_id)
        assert kind is not None
        rules = suite.rules[kind_id]
        for phase in (Phase.START, Phase.RUN):
            best, median, floor = measure(kind, rules, suite.base, phase, options)
            count = len(rules.by_phase[phase])
            share = best / count * 30
            slowest = max(slowest, share)
            print(
                f"{kind_id:<13} {phase:<6} {count:>5} {len(rules.facts[phase]):>6} "
                f"{best:>8.1f} {median:>10.1f} {floor:>9.1f} {share:>7.1f}"
            )
    print(f"slowest for 30 rules: {slowest:.1f} µs (bound {BOUND_US:.0f} µs)")
    return 0 if slowest <= BOUND_US else 1


def measure(
    kind: Kind, rules: Rules, facts: Facts, phase: Phase, options: argparse.Namespace
) -> tuple[float, float, float]:
    """Return best and median µs of an evaluation, and of the floor."""
    names = sorted(rules.facts[phase])
    spent, floors = [], []
    for _ in range(options.rounds):
        start = time.perf_counter()
        for _ in range(options.calls):
            evaluate(kind, rules, facts, phase)
        middle = time.perf_counter()
        for _ in range(options.calls):
            for name in names:
                facts.get(name)
        end = time.perf_counter()
        spent.append((middle - start) / options.calls * 1e6)
        floors.append((end - middle) / options.calls * 1e6)
    spent.sort()
    return spent[0], spent[len(spent) // 2], min(floors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
