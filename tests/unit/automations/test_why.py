"""Why a rule did not fire at a moment, told from the past itself (R26)."""

import datetime as dt
from pathlib import Path

import pytest

from frontend_api.commands.trace import main
from tests.support.past import Past, rule, site

BODY = """\
on_unknown: fault
triggers:
  - trigger: reading
    of: combustible
    zone: [z0, z1]
    above: 8
    unit: '%LEL'
    for: 60s
conditions: people_inside > 5
actions: [{action: notify, chain: gas, code: notice.rule.gas_early}]
"""


@pytest.fixture
def lived(tmp_path: Path) -> tuple[Path, int]:
    past = Past(tmp_path, site(2, (rule(BODY, 2),)), 2)
    past.live(40)
    past.values["z1-0"] = 30.0
    past.silent = {"z0-0"}
    past.live(30)
    at = past.now_ms()
    past.live(10)
    past.close()
    return tmp_path, at


def iso(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat()


def asked(lived: tuple[Path, int], *more: str) -> int:
    words = ["--data", str(lived[0]), "--rule", "trial", "--at", iso(lived[1])]
    return main([*words, *more])


def test_it_names_the_level_the_condition_and_the_inputs(
    lived: tuple[Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """R26: "did not fire because …", with inputs and their quality."""
    assert asked(lived) == 0
    said = capsys.readouterr().out
    assert "zone:z1: it holds, for " in said and "of the 60 s needed" in said
    assert "it did not fire because its condition does not hold" in said
    assert "zone:z0: it could not be known" in said
    assert "STALE" in said and "z1-0 · gas: 30" in said
    assert "limit 8" in said


def test_it_is_told_for_one_zone_in_chinese(
    lived: tuple[Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Human text in both languages by codes."""
    assert asked(lived, "--zone", "z0", "--language", "zh") == 0
    said = capsys.readouterr().out
    assert "zone:z0：无法判断" in said and "z1" not in said
    assert "backtest." not in said


def test_a_rule_that_was_not_armed_is_named(
    lived: tuple[Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors name the place and the mend."""
    words = ["--data", str(lived[0]), "--rule", "nobody", "--at", iso(lived[1])]
    assert main(words) == 1
    assert "armed then: trial" in capsys.readouterr().err
