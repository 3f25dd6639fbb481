"""Every bundled integration reaches the grade that its manifest states (issue §4)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.api.packages import packages
from integrations.mqtt.broker import find_mosquitto
from integrations.runtime.kit import table
from integrations.runtime.kit.result import Report
from integrations.runtime.kit.schema import NAME

#: Only what needs a program that may be absent: integration → how to get it.
NEEDS = {"mqtt": find_mosquitto}
OURS = {name: each for name, each in packages().items() if each.ours}

pytestmark = [
    pytest.mark.timeout(900),
    # One worker runs the kit, which itself runs some integrations at a time.
    pytest.mark.xdist_group("conformance"),
]


def prove() -> dict[str, Report]:
    """Run the kit as people do; return its reports."""
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", "conformance", "--json", "--all"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONWARNINGS": ""},
    )
    assert done.returncode in (0, 1), done.stderr
    told: list[Any] = json.loads(done.stdout)
    reports = [msgspec.convert(each, Report) for each in told]
    return {each.name: each for each in reports}


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """Prove all; what fails beside the others is tried again alone."""
    return prove()


@pytest.mark.parametrize("name", sorted(OURS))
def test_it_reaches_what_its_manifest_states(
    name: str, reports: dict[str, Report]
) -> None:
    """Gold or better, and never less than is stated."""
    if name in NEEDS and NEEDS[name]() is None:
        pytest.skip("mosquitto is not installed: apt install mosquitto")
    assert (OURS[name].folder / NAME).is_file()
    report = reports[name]
    lacks = "\n".join(table.line(each) for each in table.lacks(report))
    assert report.holds, f"{table.summary(report)}\n{lacks}"
    assert report.stated_grade in ("gold", "platinum")
