"""Measure the rule engine: beside Home Assistant, and as unrelated rules grow.

First: 100 rules "above a limit → order an output, which answers", driven in process,
alternating with 100 Home Assistant automations `numeric_state → service` where one is
installed (--ha PYTHON, the Python that imports homeassistant). Ours journal each step,
hash-chained bytes included, and wait for the output's answer; theirs call a function.

Second: what one reading costs while the site has 10 to 1,000 armed rules on 3,000
entities; only the rules of its own zone may matter. Run: python benchmarks/rules.py
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from automations.engine import Engine
from core.api.command import CommandState
from core.api.model import Device
from core.config import Rule
from core.link import messages as m
from core.logic.events import RunFinished
from tests.support.kernel import Bench, make_kernel
from tests.support.past import HOST, fan, gas, rule, site

RULES, ROUNDS = 100, 20
GROWTH = (10, 100, 300, 1000)
ENTITIES, ZONES = 3000, 1000
_HA = Path(__file__).parent / "harness" / "ha_rules.py"


def text(zone: str) -> str:
    """Write a rule of one zone."""
    return (
        "on_unknown: fault\n"
        f"triggers: [{{trigger: reading, of: combustible, zone: {zone}, above: 10,"
        " unit: '%LEL'}]\n"
        "actions: [{action: command, output: fan, value: true}]\n"
    )


class Site:
    """Drive a kernel with the engine, its outputs answering at once."""

    def __init__(self, zones: int, per_zone: int, rules: int) -> None:
        made: tuple[Rule, ...] = tuple(
            rule(text(f"z{n}"), zones, f"r{n}") for n in range(rules)
        )
        self.bench: Bench = make_kernel(site(zones, made))
        hub = self.bench.hub
        hub.rooms.append(Engine(self.bench.kernel))
        hub.load(hub.bundle)
        self._handles: dict[str, int] = {}
        for zone in range(zones):
            for number in range(per_zone):
                self._declare(gas(f"z{zone}-{number}"))
            if zone < rules:
                self._declare(fan(f"z{zone}-fan", f"z{zone}"))
        self.bench.settle()
        self.finished = 0
        hub.on(RunFinished, self._finished)

    def _finished(self, _body: RunFinished, _envelope: object) -> None:
        self.finished += 1

    def _declare(self, device: Device) -> None:
        """Announce a device among many: the hub looks once for all of them."""
        handle = self._handles[device.uid] = len(self._handles) + 1
        handles = {device.entities[0].uid: handle}
        self.bench.kernel.registry.declare(HOST, device, handles)

    def handle(self, uid: str) -> int:
        """Return the handle of a detector."""
        return self._handles[uid]

    def read(self, handles: list[int], value: float) -> None:
        """Let detectors report in one frame, as a host hands them on."""
        frame = m.Readings(0, [m.Row(handle, value) for handle in handles])
        self.bench.kernel.readings.receive(HOST, frame)

    def answer(self) -> None:
        """Let the outputs confirm what they were told, then time pass."""
        sent, self.bench.links.sent = self.bench.links.sent, []
        for _, message in sent:
            if isinstance(message, m.Execute):
                state = CommandState.CONFIRMED
                result = m.Result(command_id=message.command.id, state=state)
                self.bench.kernel.commands.result(HOST, result)
        self.bench.settle()
        self.bench.journal.stored.clear()


def ours() -> tuple[float, float]:
    """Return (readings a second that fire nothing, runs a second)."""
    made = Site(RULES, 1, RULES)
    handles = [made.handle(f"z{number}-0") for number in range(RULES)]
    for value in (1.0, 1.5):
        made.read(handles, value)
        made.bench.advance(20)
    gc.collect()
    gc.freeze()  # as the hub does once it is up
    calm = fired = 0.0
    for number in range(ROUNDS):
        start = time.process_time()
        made.read(handles, 2.0 + number % 7)
        calm += time.process_time() - start
        made.finished = 0
        start = time.process_time()
        made.read(handles, 11.0 + number % 7)
        made.answer()
        fired += time.process_time() - start
        made.read(handles, 1.0)
        made.bench.advance(2)
        if made.finished != RULES:
            raise SystemExit(f"{made.finished} runs of {RULES} ended")
    return RULES * ROUNDS / calm, RULES * ROUNDS / fired


def theirs(python: str) -> tuple[float, float]:
    """Return the same of Home Assistant."""
    words = [python, str(_HA), str(RULES), str(ROUNDS)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, timeout=300
    )
    found = json.loads(done.stdout.splitlines()[-1])
    if found["ran"] != found["of"]:
        raise SystemExit(f"Home Assistant ran {found['ran']} of {found['of']}")
    return found["calm"], found["fired"]


def beside(python: str, rounds: int) -> None:
    """Print both, alternating in one run."""
    mine, other = [], []
    for _ in range(rounds):
        mine.append(ours())
        if python:
            other.append(theirs(python))
    calm, fired = (statistics.median(each) for each in zip(*mine, strict=True))
    _say(f"safehold        {calm:>9,.0f} readings/s judged  {fired:>7,.0f} runs/s")
    if not other:
        _say("home-assistant  not installed: name its Python with --ha")
        return
    calm2, fired2 = (statistics.median(each) for each in zip(*other, strict=True))
    _say(f"home-assistant  {calm2:>9,.0f} states/s judged    {fired2:>7,.0f} runs/s")
    _say(
        f"factor          {calm / calm2:>9.1f}                   {fired / fired2:>7.1f}"
    )


def growth(rounds: int) -> None:
    """Print what a reading costs as unrelated rules grow; processor time."""
    _say(f"\n{ENTITIES} entities; cost of one reading, calm and beyond its limit")
    for rules in GROWTH:
        made = Site(ZONES, ENTITIES // ZONES, rules)
        handles = [made.handle(f"z{n}-{each}") for n in range(10) for each in range(3)]
        firsts = handles[::3]
        made.read(handles, 1.0)
        made.bench.advance(1)
        calm, fired = [], []
        for number in range(rounds):
            calm.append(_spent(made, handles, 2.0 + number % 7))
            fired.append(_spent(made, firsts, 11.0 + number % 7))
            made.answer()
            made.read(handles, 1.0)
            made.bench.advance(2)
        _say(
            f"{rules:>5} rules  {statistics.median(calm) * 1e6:>7.1f} µs calm"
            f"  {statistics.median(fired) * 1e6:>8.1f} µs that starts a run"
        )


def _spent(made: Site, handles: list[int], value: float) -> float:
    start = time.process_time()
    made.read(handles, value)
    return (time.process_time() - start) / len(handles)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ha", default="", help="Python that imports homeassistant")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    beside(wanted.ha, wanted.rounds)
    growth(wanted.rounds)


if __name__ == "__main__":
    main()
