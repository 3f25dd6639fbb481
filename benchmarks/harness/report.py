"""Print what was measured, each figure beside what it is compared with."""

from statistics import median

from benchmarks.harness.results import Result, paired

#: Measured elsewhere on the same work (100 detectors, two shared cores): readings/s.
RECORDED = {"Home Assistant without recorder": 3_800, "Node-RED": 38_000}


def show(results: list[Result], rates: list[int]) -> None:
    """Print all figures."""
    floor = next((each for each in results if each.name == "paho"), None)
    for rate in rates:
        title = f"beside {rate:,} readings/s" if rate else "quiet"
        print(f"\nalarm path, {title}: publish -> command, ms")
        heads = ("p50", "p99", "all p99", "p50 x", "p99 x")
        print(" " * 12 + "".join(f"{head:>9}" for head in heads) + "  lost")
        for each in results:
            _alarms(each, floor, rate)
    print("(medians of the rounds; all p99: over all rounds; x: to paho, paired)")
    print("\nstart, seconds: process start -> first command; safety process -> armed")
    for each in results:
        armed = each.armed_s()
        tail = "" if armed is None else f"   armed {armed:.2f}"
        print(f"{each.name:<12}{each.first_s():8.2f}{tail}")
    _memory(results)
    _sustained(results, floor)
    speeds = [speed for each in results for speed in each.cpu]
    print(f"\ncpu_index {min(speeds):.1f}-{max(speeds):.1f} (compare only where alike)")


def _alarms(result: Result, floor: Result | None, rate: int) -> None:
    halves, tails = result.each_ms(rate, 0.5), result.each_ms(rate, 0.99)
    figures = [median(halves), median(tails), result.pooled_ms(rate, 0.99)]
    if floor is not None:
        figures.append(paired(halves, floor.each_ms(rate, 0.5)))
        figures.append(paired(tails, floor.each_ms(rate, 0.99)))
    shown = f"{result.name:<12}" + "".join(f"{each:9.2f}" for each in figures)
    lost = sum(run.lost for run in result.runs[rate])
    asked = lost + sum(len(run.latencies) for run in result.runs[rate])
    print(f"{shown}  {lost} of {asked}")


def _memory(results: list[Result]) -> None:
    print("\nmemory idle, PSS in MB: process tree and broker")
    for each in results:
        parts = ", ".join(f"{name} {mb:.1f}" for name, mb in each.parts_mb.items())
        print(f"{each.name:<12}{each.total_mb:8.1f}   ({parts})")


def _sustained(results: list[Result], floor: Result | None) -> None:
    if not any(each.tries for each in results):
        return
    print("\nsustained readings/s with the alarms' p99 under 1 s, none lost")
    for each in results:
        if each.sustained is None:
            continue
        shown = f"{each.name:<12}{each.sustained:8,.0f}"
        if floor is not None and floor.sustained:
            shown += f"   {each.sustained / floor.sustained:.0%} of paho"
        for name, rate in RECORDED.items():
            shown += f", {each.sustained / rate:.2f} x {name} (recorded elsewhere)"
        print(shown)
        _tries(each)


def _tries(result: Result) -> None:
    for rate, seconds, run, held in result.tries:
        p99 = max(run.latencies, default=float("inf"))
        print(
            f"    {rate:>8,.0f}/s {seconds:4.0f} s  {'held' if held else 'not '}  "
            f"worst {p99 * 1e3:7.1f} ms, lost {run.lost}, dropped {run.dropped}, "
            f"coalesced {run.coalesced:,}, unrecorded {run.unrecorded:,}, "
            f"sent {run.sent_rate:,.0f}/s, {run.cores:.2f} cores"
        )


def journal(figures: dict[str, float]) -> None:
    """Print the journal's figures (benchmarks/journal.py has the whole table)."""
    print("\njournal, events/s")
    for name, value in figures.items():
        print(f"{name:<46}{value:>12,.0f}")
