"""Measure the way of an alarm: a reading published, the siren's command received.

    python benchmarks/alarm_path.py [--quick] [--rounds N] [--systems paho,safehold]

A private mosquitto on loopback, 100 detectors, the rule h2s > 10 -> siren ON. The
systems take turns, each round in a fresh life, and ratios are taken to the bare paho
client of the same run. docs/benchmarks.md says what each figure means.
"""

import argparse
import asyncio
import compileall
import contextlib
import os
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "integrations", "automations", "frontend_api")
sys.path.insert(0, str(ROOT))

from benchmarks import journal  # noqa: E402
from benchmarks.harness import machine, report  # noqa: E402
from benchmarks.harness.home_assistant import HomeAssistant  # noqa: E402
from benchmarks.harness.results import Result  # noqa: E402
from benchmarks.harness.stand import Stand, kept_up  # noqa: E402
from benchmarks.harness.systems import NodeRed, Paho, Safehold, System  # noqa: E402

#: The systems that can be measured, by the name that ``--systems`` takes.
ALL: dict[str, type[System]] = {
    each.name: each for each in (Paho, Safehold, NodeRed, HomeAssistant)
}
#: Rungs of the search for the highest rate: a tenth between two of them.
LADDER = [round(9_000 * 1.1**step, -2) for step in range(24)]


def say(text: str) -> None:
    """Show on the error stream what is being done."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<70}")
    else:
        sys.stderr.write(text + "\n")
    sys.stderr.flush()


async def alarms(stands: list[Stand], results: list[Result], plan: argparse.Namespace):  # type: ignore[no-untyped-def]
    """Time alarms quiet and beside the background, in turns."""
    for turn in range(plan.rounds):
        for stand, result in zip(stands, results, strict=True):
            say(f"round {turn + 1}/{plan.rounds}: {stand.system.name}")
            async with stand.life() as start:
                result.starts.append(start)
                result.cpu.append(machine.cpu_index())
                await asyncio.sleep(stand.system.settle_s)
                for rate in plan.rates:
                    run = await stand.measure(rate)
                    result.runs.setdefault(rate, []).append(run)
                if turn == plan.rounds - 1:
                    await asyncio.sleep(plan.idle)
                    weigh(stand, result)


def weigh(stand: Stand, result: Result) -> None:
    """Weigh the process tree with its broker, idle after every detector spoke."""
    pids = machine.tree(stand.pid)
    result.total_mb = machine.pss_mb([*pids, stand.broker_pid])
    for pid in pids:
        name = machine.name_of(pid)
        result.parts_mb[name] = result.parts_mb.get(name, 0) + machine.pss_mb([pid])
    result.parts_mb["broker"] = machine.pss_mb([stand.broker_pid])


class Search:
    """Find the highest rung of the ladder that one system keeps up with."""

    def __init__(self, stand: Stand, result: Result, plan: argparse.Namespace) -> None:
        self._stand, self._result, self._seconds = stand, result, plan.seconds
        self._ladder = LADDER[:: 3 if plan.quick else 1]
        self._low, self._high = -1, len(self._ladder)
        self._next = len(self._ladder) // 2

    @property
    def done(self) -> bool:
        """Say whether the highest rung that held and the next one are known."""
        return self._high - self._low <= 1

    async def step(self) -> None:
        """Try one rung in a life of its own."""
        rung = self._next
        held = await self._holds(self._ladder[rung], self._seconds)
        if held:
            self._low = rung
        else:
            self._high = rung
        self._next = (self._low + self._high) // 2

    async def confirm(self, factor: float) -> None:
        """Hold the rung for longer; go down until one holds."""
        while self._low >= 0 and factor:
            if await self._holds(self._ladder[self._low], self._seconds * factor):
                break
            self._low -= 1
        self._result.sustained = self._ladder[self._low] if self._low >= 0 else 0.0

    async def _holds(self, rate: float, seconds: float) -> bool:
        system = self._stand.system
        before = system.unrecorded()
        async with self._stand.life():
            await asyncio.sleep(self._stand.system.settle_s)
            run = await self._stand.measure(int(rate), seconds)
            run.coalesced = system.coalesced(self._stand.pid)
        run.unrecorded = system.unrecorded() - before
        held = kept_up(run)
        self._result.tries.append((rate, seconds, run, held))
        say(f"sustained: {system.name} {rate:,.0f}/s {'held' if held else 'not held'}")
        return held


async def sustained(
    stands: list[Stand], results: list[Result], plan: argparse.Namespace
) -> None:
    """Search in turns, then confirm."""
    pairs = zip(stands, results, strict=True)
    searches = [Search(stand, result, plan) for stand, result in pairs]
    while left := [search for search in searches if not search.done]:
        for search in left:
            await search.step()
    for search in searches:
        await search.confirm(plan.confirm)


async def measure(plan: argparse.Namespace, folder: Path) -> list[Result]:
    """Measure all systems of the plan."""
    stands: list[Stand] = []
    results = [Result(name) for name in plan.systems]
    try:
        for name in plan.systems:
            say(f"first start: {name}")
            stand = Stand(ALL[name], plan.detectors, folder, plan.alarms)
            stands.append(stand)
            await stand.open()
        await alarms(stands, results, plan)
        if plan.sustain:
            await sustained(stands, results, plan)
    finally:
        for stand in stands:
            stand.close(keep=plan.keep)
    return results


@contextlib.contextmanager
def workplace(where: Path, keep: bool) -> Iterator[Path]:
    """Make a folder on a real disk, and take it away again."""
    folder = Path(tempfile.mkdtemp(prefix="alarm-path-", dir=where))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def options(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line and fill in what --quick leaves out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two minutes at most")
    parser.add_argument("--systems", default="paho,safehold,node-red,home-assistant")
    parser.add_argument("--detectors", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--rates", default="0,2000")
    parser.add_argument("--alarms", type=float, default=40.0, help="alarms a second")
    parser.add_argument("--folder", type=Path, default=ROOT, help="on a real disk")
    parser.add_argument("--idle", type=float, help="seconds before memory is read")
    parser.add_argument("--no-sustain", dest="sustain", action="store_false")
    parser.add_argument("--no-journal", dest="journal", action="store_false")
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    plan = parser.parse_args(argv)
    plan.rounds = plan.rounds or (2 if plan.quick else 6)
    plan.rates = [int(rate) for rate in plan.rates.split(",")]
    plan.seconds, plan.confirm = (2.5, 0.0) if plan.quick else (4.0, 3.0)
    if plan.idle is None:
        plan.idle = 4.0 if plan.quick else 10.0
    plan.systems = [each for each in plan.systems.split(",") if _here(each)]
    return plan


def _here(name: str) -> bool:
    why = ALL[name].missing()
    if why:
        print(f"{name}: {why}")
    return not why


def _ended(*_: object) -> None:
    raise KeyboardInterrupt  # unwinds: nothing that was started stays behind


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    signal.signal(signal.SIGTERM, _ended)
    plan = options(argv)
    for package in PACKAGES:  # as an installed hub has them; a clone may not
        compileall.compile_dir(ROOT / package, quiet=1)
    figures = None
    with workplace(plan.folder, plan.keep) as folder:
        if plan.journal:
            events, rounds = (4_000, 1) if plan.quick else (10_000, 3)
            figures = journal.rounds(folder, events, rounds)
        first = machine.real_time()
        results = asyncio.run(measure(plan, folder))
    say("")
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}, ", end="")
    print(
        "real-time priority"
        if first
        else "NO real-time priority (needs root): other "
        "work on this machine adds milliseconds to p99"
    )
    report.show(results, plan.rates)
    if figures is not None:
        report.journal({name: statistics.median(v) for name, v in figures.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
