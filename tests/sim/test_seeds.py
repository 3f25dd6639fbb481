"""Five hundred runs of the whole safety process, and those that once failed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.law import CREWS
from tests.sim.world import Simulation

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests" / "seeds"
#: Seeds of one test: few tests cost less than many, and share what they compiled.
BLOCK, BLOCKS = 25, 20
#: Steps of a run in the suite; the campaign (`script/simulate`) goes further.
STEPS = 50


def once_failed() -> list[int]:
    """Return the numbers in tests/seeds/*.txt: a number a line, # for remarks."""
    texts = [file.read_text() for file in sorted(SEEDS.glob("*.txt"))]
    lines = [line for text in texts for line in text.splitlines()]
    words = [line.partition("#")[0].strip() for line in lines]
    return [int(word) for word in words if word]


@pytest.mark.parametrize("seed", once_failed())
def test_seed_that_once_failed(seed: int) -> None:
    """Design §5: each broke a promise once; its line says which."""
    Simulation(seed).run()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_block_of_seeds(block: int) -> None:
    """Design §5 Time and simulation: a seed is a run, and every promise holds."""
    for seed in range(block * BLOCK + 1, (block + 1) * BLOCK + 1):
        world = Simulation(seed, STEPS)
        world.run()
        assert world.lawful == (len(CREWS) if world.law else 0)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [3, 98, 40])
def test_same_seed_writes_the_same_journal(seed: int) -> None:
    """Design §5: a failing seed is a bug report, in any process."""
    found = {
        subprocess.run(
            [sys.executable, "-m", "tests.sim.campaign", "--digest", str(seed)],
            cwd=ROOT,
            env={"PYTHONHASHSEED": salt, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(found) == 1


def test_a_broken_promise_names_seed_step_and_what_led_to_it() -> None:
    """The report of a failing seed is enough to begin the search."""
    world = Simulation(1, steps=0)
    world.note("somebody did something")
    with pytest.raises(
        AssertionError, match=r"seed 1, step 0: no loops(.|\n)*did some"
    ):
        world.fail("no loops", "many")
