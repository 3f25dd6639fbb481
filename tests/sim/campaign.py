"""The slow campaign: thousands of seeds, with a bar, and the failing ones by name.

Seeds run in worker processes; a failing one prints its whole report.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from core.clock import NS, RealClock
from tests.sim.failure import Violation
from tests.sim.world import Simulation

#: Seeds of one worker process: small enough for a lively bar.
CHUNK = 20
_BAR = 30
#: Exit status of a worker that found failing seeds; 1 is a crash of its own.
_FAILED = 3


def digest(seed: int) -> str:
    """Return the hash of all journal bytes that a seed's run leaves."""
    world = Simulation(seed)
    world.run()
    found = hashlib.sha256()
    for name in world.disk.list():
        found.update(name.encode() + world.disk.read(name))
    return found.hexdigest()


def play(first: int, count: int) -> int:
    """Run seeds in this process; returns how many failed."""
    failed = 0
    for seed in range(first, first + count):
        try:
            Simulation(seed).run()
        except Violation as broken:
            failed += 1
            sys.stdout.write(f"FAILED {seed}\n{broken}\n")
            sys.stdout.flush()
    return failed


def _worker(first: int, count: int) -> tuple[int, str]:
    args = ["-m", "tests.sim.campaign", "--play", str(first), "--seeds", str(count)]
    done = subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, _FAILED):
        return count, f"FAILED {first} to {first + count - 1}: {done.stderr}"
    return count, done.stdout


def _chunks(first: int, count: int) -> Iterator[tuple[int, int]]:
    for at in range(first, first + count, CHUNK):
        yield at, min(CHUNK, first + count - at)


def campaign(first: int, count: int, jobs: int) -> int:
    """Run many seeds side by side; returns 1 when any failed."""
    clock = RealClock()
    begun, done, failed = clock.mono_ns(), 0, list[str]()
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_worker, at, size) for at, size in _chunks(first, count)}
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for each in ended:
                size, text = each.result()
                done += size
                failed += [w for w in text.splitlines() if w.startswith("FAILED")]
                sys.stdout.write(text)
            spent = (clock.mono_ns() - begun) / NS
            _show(done, count, len(failed), spent)
    sys.stderr.write("\n")
    spent = (clock.mono_ns() - begun) / NS
    sys.stdout.write(
        f"{count} seeds from {first} in {spent:.0f} s: {len(failed)} failed\n"
    )
    sys.stdout.write("".join(f"{line}\n" for line in failed))
    return 1 if failed else 0


def _show(done: int, count: int, failed: int, spent: float) -> None:
    filled = "#" * (done * _BAR // count)
    left = spent / done * (count - done)
    line = f"[{filled:<{_BAR}}] {done}/{count}, {failed} failed, {left:.0f} s left"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line} ")
    elif done * 20 // count != (done - CHUNK) * 20 // count:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="script/simulate", description="Run the whole safety process by seeds."
    )
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--from", type=int, default=1, dest="first", help="first seed")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side"
    )
    parser.add_argument("--play", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--digest", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.digest is not None:
        sys.stdout.write(digest(options.digest) + "\n")
        return 0
    if options.play is not None:
        return _FAILED if play(options.play, options.seeds) else 0
    return campaign(options.first, options.seeds, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
