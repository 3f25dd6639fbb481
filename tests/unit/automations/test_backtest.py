"""A rule on the site's own past: what it would have done, and what was done (R26)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from automations.backtest import Backtest
from automations.backtest_choice import Choice
from automations.backtest_command import main
from core.alarms.acts import JudgeAlarm
from core.api.errors import ConfigError
from core.config import Rule
from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.logic.events import RunStarted
from core.processes.trials import Report
from tests.support.past import Past, rule, site

ZONES = 3
ANY = """\
on_unknown: fault
triggers:
  - {trigger: reading, of: combustible, above: 8, unit: '%LEL', for: 5s, hysteresis: 1}
actions:
  - {action: command, output: fan, value: true}
  - {action: notify, chain: gas, code: notice.rule.gas_early}
"""


def only(one: Rule) -> Choice:
    class Only(Choice):
        def __call__(self, _bundle: object) -> tuple[Rule, ...]:
            return (one,)

    return Only("", {})


class Lived:
    """A past with a leak in z1, a silence in z2 and a rule that really acted."""

    def __init__(self, folder: Path, body: str = ANY) -> None:
        self.folder, self.rule = folder, rule(body, ZONES)
        past = self.past = Past(folder, site(ZONES, (self.rule,)), 3)
        past.live(30)
        self.from_ms = past.now_ms()
        past.live(30)
        past.values["z1-0"] = past.values["z1-1"] = 30.0
        past.live(40)
        past.values["z1-0"] = past.values["z1-1"] = 1.0
        past.live(30)
        past.silent = {"z2-0"}
        past.live(50)
        past.silent = set()
        past.live(30)
        self.to_ms = past.now_ms()

    def judge(self, verdict: Literal["true", "nuisance"]) -> None:
        """Let a person say what the gas alarm was worth, when it is all over."""
        alarms = self.past.bench.hub.state.alarms.open.values()
        alarm = next(each for each in alarms if each.kind == "gas.combustible")
        act = JudgeAlarm(alarm_id=alarm.id, verdict=verdict)
        assert self.past.bench.act("sue", act).ok

    def tried(self, one: Rule | None = None) -> Report:
        trial = Backtest(self.folder, self.from_ms, self.to_ms, only(one or self.rule))
        (report,) = trial.run()
        return report

    def really(self) -> list[tuple[str, int]]:
        """Return (subject, ms) of the runs that there really were."""
        found = []
        for data in self.past.bench.journal.stored:
            envelope = envelopes.decode(data)
            body = decode_body(envelope)
            if isinstance(body, RunStarted):
                found.append((body.subject, envelope.wall_ns // 1_000_000))
        return found


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Lived]:
    made = Lived(tmp_path)
    made.judge("true")
    made.past.close()
    yield made


@pytest.mark.parametrize("fuse", ["any", "2oo3", "median", "max"])
def test_the_trial_fires_when_the_rule_really_fired(tmp_path: Path, fuse: str) -> None:
    """Issue §4: the past is played as it was; only what is thin is left out."""
    made = Lived(tmp_path, ANY.replace("for: 5s", f"for: 5s, fuse: {fuse}"))
    made.past.close()
    really = made.really()
    tried = [(run.subject, run.at_ms) for run in made.tried().runs]
    assert [subject for subject, _ in tried] == [subject for subject, _ in really]
    assert really
    for (_, one), (_, other) in zip(tried, really, strict=True):
        assert abs(one - other) <= 1_100


def test_it_tells_what_it_would_have_done_on_which_inputs(lived: Lived) -> None:
    """R26: inputs with their quality, and each thing done, beside what was done."""
    (run,) = lived.tried().runs
    assert run.subject == "zone:z1" and run.outcome == "done"
    assert [each.quality for each in run.inputs] == [0, 0, 0]
    assert run.inputs[0].value >= 30.0  # type: ignore[operator]
    assert [did.what for did in run.would] == ["command", "notice"]
    assert "command" in {did.what for did in run.really}
    assert {did.by for did in run.really} == {"rule:trial"}


def test_runs_are_compared_with_verdicts(lived: Lived) -> None:
    """Issue §4: how that compares with verdicts, those given later among them."""
    report = lived.tried()
    assert report.verdicts == {"true": 1}
    assert report.missed == []


def test_a_true_alarm_that_it_would_have_missed_is_named(lived: Lived) -> None:
    """A rule that never fires is not good because it never errs."""
    deaf = rule(ANY.replace("above: 8", "above: 90"), ZONES)
    report = lived.tried(deaf)
    assert report.runs == []
    assert [alarm.kind for alarm in report.missed] == ["gas.combustible"]


def test_gaps_are_unknown_and_told(lived: Lived) -> None:
    """Issue §4: a gap in the history is UNKNOWN, said, and never filled."""
    report = lived.tried()
    (gap,) = report.silences
    assert gap.name.startswith("z2-0")
    assert 35 <= gap.total_s <= 52
    assert [doubt.kind for doubt in report.doubts] == ["fault.unknown"]
    assert report.doubts[0].zone_id == "z2"


def test_a_steady_value_is_no_gap_and_a_silence_within_it_is(tmp_path: Path) -> None:
    """Issue §4: what was said is known, what was not said is not."""
    made = Past(tmp_path, site(1), 1)
    made.noise.random = lambda: 0.0  # type: ignore[method-assign]
    made.live(30)
    first = made.now_ms()
    made.live(200)
    made.silent = {"z0-0"}
    made.live(60)
    made.silent = set()
    made.live(100)
    last = made.now_ms()
    made.close()
    trial = Backtest(tmp_path, first, last, only(rule(ANY, 1)))
    (report,) = trial.run()
    (gap,) = report.silences
    assert len(gap.spans) == 1
    assert 45 <= gap.total_s <= 62


def test_nothing_of_the_site_is_touched(lived: Lived) -> None:
    """A trial writes nothing: neither journal nor history nor bundle."""

    def files() -> dict[str, bytes]:
        return {
            str(file): file.read_bytes()
            for file in lived.folder.rglob("*")
            if file.is_file() and not file.name.endswith(("-shm", "-wal"))
        }

    before = files()
    lived.tried()
    assert files() == before


def test_the_command_prints_a_report_in_both_languages(
    lived: Lived, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue §4: ``safehold backtest`` as text and as JSON."""
    data = ["--data", str(lived.folder), "--from=-3min"]
    assert main(["trial", *data]) == 0
    english = capsys.readouterr().out
    assert "would have acted 1 times" in english and "judged true" in english
    assert "backtest." not in english
    assert main(["trial", *data, "--language", "zh"]) == 0
    chinese = capsys.readouterr().out
    assert "本会动作 1 次" in chinese and "backtest." not in chinese
    assert main(["trial", *data, "--json", "--progress"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert '"done":1.000' in lines[-2]
    whole = msgspec.json.decode(lines[-1], type=dict[str, msgspec.Raw])
    assert len(msgspec.json.decode(whole["report"], type=Report).runs) == 1
    assert "would have acted" in msgspec.json.decode(whole["text"])["en"]


def test_another_input_is_tried_without_arming_it(
    lived: Lived, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue §4: a rule is tried before it is armed."""
    words = ["combustible-early-warning", "--data", str(lived.folder), "--from=-3min"]
    words += ["--input", "zones=[z1]", "--input", "chain=gas"]
    assert main([*words, "--input", "level=20"]) == 0
    assert "would have acted 1 times" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "no rule or blueprint 'nobody'"),
        (["trial", "--from", "2026-01-01T00:00"], "with its offset"),
        (["trial", "--input", "level"], "NAME=VALUE"),
        (["trial", "--from", "2036-01-01T00:00Z"], "nothing lies between"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_mend(
    lived: Lived, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """Errors name the place and the mend."""
    assert main([*words, "--data", str(lived.folder)]) == 1
    assert said in capsys.readouterr().err


def test_two_instances_must_be_told_apart() -> None:
    """A name that means two rules is asked again."""
    one = msgspec.structs.replace(rule(ANY, ZONES, "one"), blueprint="b")
    two = msgspec.structs.replace(rule(ANY, ZONES, "two"), blueprint="b")
    with pytest.raises(ConfigError, match="name one: one, two"):
        Choice("b", {})(site(ZONES, (one, two)))
