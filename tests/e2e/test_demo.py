"""The scripted day from a command line: played, proved, told, and refused when bad."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import scenario as scenarios
from demo.chance import Chance
from demo.stage import HERE

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

SPEED = "6"
DOCS = Path(__file__).resolve().parents[2] / "docs"
#: What a code without its sentence, an id or an unfilled place looks like.
RAW = re.compile(
    r"[a-z_]+\.[a-z_.]+ \([a-z_]+=|\b01[0-9A-Z]{24}\b|\{[a-z_]+\}|\w+\(\w+="
)


def safehold(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "core.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the data folder of a day that went as written."""
    data = tmp_path_factory.mktemp("day") / "data"
    done = safehold("demo", "--once", "--data", data, "--speed", SPEED)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "all in order" in done.stdout
    yield data


def test_the_day_is_proved_without_the_hub(day: Path) -> None:
    """`--once` leaves a journal that verifies."""
    assert safehold("verify", day / "journal").returncode == 0


def test_one_flipped_bit_is_found_and_named(day: Path, tmp_path: Path) -> None:
    """Verify finds any one bit flipped and names its frame."""
    copy = tmp_path / "journal"
    shutil.copytree(day / "journal", copy)
    segment = min(copy.glob("*.seg*"))
    data = bytearray(segment.read_bytes())
    data[3000] ^= 0x10
    segment.write_bytes(data)
    done = safehold("verify", copy)
    assert done.returncode == 1
    assert segment.name in done.stdout + done.stderr


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_day_is_told_in_sentences(day: Path, language: str) -> None:
    """Design §5: events carry codes; people read sentences, names and places."""
    done = safehold("events", "--data", day, "--language", language)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(maxsplit=4)[4] for line in done.stdout.splitlines()]
    assert len(lines) > 100
    assert not [line for line in lines if RAW.search(line)]
    told = safehold(
        "trace", "--data", day, "--rule", "gas-response", "--language", language
    )
    assert told.returncode == 0
    body = told.stdout.splitlines()[2:]
    assert not [line for line in body if RAW.search(line)]
    assert {"zh": "结果：完成", "en": "outcome: done"}[language] in told.stdout


def test_a_rule_in_shadow_only_writes_down(day: Path) -> None:
    """Issue §4: the demonstration shows a shadowed rule."""
    told = safehold("trace", "--data", day, "--rule", "look-after-hold")
    assert told.returncode == 0
    assert "mode shadow" in told.stdout
    assert "would have been done" in told.stdout


def test_an_expected_alarm_is_suppressed_by_design(day: Path) -> None:
    """ISA-18.2: declared on the site, written down, and called again at its end."""
    done = safehold("events", "--data", day, "--language", "en")
    told = done.stdout
    assert "look at the ventilation" in told.lower()
    assert told.index("maintenance") < told.lower().index("look at the ventilation")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_rule_is_tried_on_the_day(day: Path, language: str) -> None:
    """Issue §4: the demonstration shows a back-test report."""
    words = ["backtest", "gas-response", "--data", str(day), "--from=-1h"]
    tried = safehold(*words, "--language", language)
    assert tried.returncode == 0, tried.stderr
    assert not [line for line in tried.stdout.splitlines() if RAW.search(line)]
    said = {"zh": "规则本会动作 1 次", "en": "would have acted 1 times"}
    assert said[language] in tried.stdout
    assert {"zh": "实际", "en": "really"}[language] in tried.stdout


def test_a_slice_of_the_day_proves_itself(day: Path, tmp_path: Path) -> None:
    """An export is verified stand-alone."""
    file = tmp_path / "slice.export"
    done = safehold(
        "export", "--data", day, "--to", file, "--first", "5", "--last", "60"
    )
    assert done.returncode == 0, done.stderr
    assert safehold("verify", file).returncode == 0


def test_a_day_that_goes_otherwise_names_the_step(tmp_path: Path) -> None:
    """Exit 0 only when every expected event happened in order.

    The guide's own scenario is played, with one more demand that nothing meets.
    """
    file = tmp_path / "short.yaml"
    guide = (DOCS / "demo.md").read_text("utf-8")
    short = guide.partition("```yaml\n")[2].partition("```")[0]
    file.write_text(
        f"{short}  - expect: {{event: sirens.silenced, within_s: 1}}\n", "utf-8"
    )
    data = tmp_path / "data"
    done = safehold(
        "demo", "--once", "--data", data, "--speed", SPEED, "--scenario", file
    )
    assert done.returncode == 1
    assert "step 7: no sirens.silenced within 1 s" in done.stdout
    assert safehold("verify", data / "journal").returncode == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: x\n", "expected id, names and a list of steps"),
        ("id: x\nnames: {}\nsteps: [{jump: {}}]\n", "step 1 begins with one of say"),
        ("id: x\nnames: {}\nsteps: [{wait: {s: soon}}]\n", "step 1 (wait): Expected"),
        (
            "id: x\nnames: {}\nsteps: [{wait: {s: 1}}, {say: {zh: 早}}]\n",
            "step 2 (say): Object missing required field `en`",
        ),
        (
            "id: x\nnames: {}\nsteps:\n  - sim: {to: radio, order: {}}\n",
            "step 1 (sim): to: 'radio' is no simulator; known: modbus, mqtt",
        ),
        (
            "id: x\nnames: {}\nsteps:\n  - expect: {event: alarm.rised}\n",
            "step 1 (expect): there is no event 'alarm.rised'; meant: alarm.raised",
        ),
        (
            "id: x\nnames: {}\nsteps:\n  - act: {by: li, verb: permit.relase}\n",
            "step 1 (act): there is no act 'permit.relase'; meant: permit.release",
        ),
    ],
)
def test_a_bad_scenario_names_the_step_and_the_mend(
    tmp_path: Path, text: str, said: str
) -> None:
    """An error names file, place and the mend; nothing starts."""
    file = tmp_path / "bad.yaml"
    file.write_text(text, "utf-8")
    done = safehold("demo", "--once", "--scenario", file, "--data", tmp_path / "data")
    assert done.returncode == 2
    assert f"{file}: " in done.stderr
    assert said in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_used_folder_is_not_overwritten(day: Path) -> None:
    """A journal is never written over: the folder is named and left alone."""
    done = safehold("demo", "--once", "--data", day)
    assert done.returncode == 2
    assert f"{day} holds a journal already" in done.stderr


def test_the_same_seed_is_the_same_day() -> None:
    """A day can be had again."""
    first, again, other = Chance(3), Chance(3), Chance(4)
    drawn = [first.around(20.0) for _ in range(20)]
    assert drawn == [again.around(20.0) for _ in range(20)]
    assert drawn != [other.around(20.0) for _ in range(20)]
    assert all(19.6 <= value <= 20.4 for value in drawn)


def test_every_scenario_that_ships_can_be_read() -> None:
    """Each file beside the first one is checked as it would be when played."""
    for file in sorted((HERE / "scenarios").glob("*.yaml")):
        assert scenarios.read(file).steps
