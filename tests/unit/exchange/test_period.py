"""A period's folder verifies offline, and every change in it is named."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core import config
from core.alarms.events import AlarmClosed, AlarmRaised, AlarmReturned
from core.journal import verify
from core.processes.events import ConfigArmed
from frontend_api.commands import export
from frontend_api.paper import fonts
from frontend_api.paper.seal import Sealer
from tests.unit.exchange.conftest import BUNDLE, Told
from tests.unit.paper.conftest import write_hub

SPAN = ["--period", "2026-07-01T00:00:00", "2026-07-02T00:00:00"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a hub's folder with a permit, a hold and an alarm."""
    try:
        fonts.find()
    except fonts.FontMissing as missing:
        pytest.skip(str(missing))
    told = Told()
    told.tell(ConfigArmed(hash=config.digest(config.dump(BUNDLE)), by="test"))
    raised = AlarmRaised(
        alarm_id="A1",
        source="entity:e1",
        condition="high",
        kind="gas.toxic",
        priority=1,
        zone_id="tank",
    )
    told.tell(raised)
    permit = told.issue(title="=2+3 清罐")
    told.hold(permit, "H1", "gas")
    told.tell(AlarmReturned(alarm_id="A1"))
    told.tell(AlarmClosed(alarm_id="A1"))
    return write_hub(tmp_path_factory.mktemp("period") / "data", told)


@pytest.fixture(scope="module")
def exported(hub: Path) -> Path:
    """Return the folder of the period; tests that change it take a copy."""
    folder = hub.parent / "period"
    words = ["--data", str(hub), *SPAN, "--bundle", str(folder)]
    assert export.main(words) == 0
    return folder


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as data:
        return list(csv.DictReader(data))


def test_folder_holds_and_proves_the_period(
    hub: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue part 8: PDF, CSV, journal slice with proofs, verified offline."""
    folder = exported
    names = {file.name for file in folder.iterdir()}
    tables = {"permits.csv", "alarms.csv", "blanks.csv", "events.csv"}
    proofs = {"journal.slice", "manifest.json"}
    papers = {"summary.pdf", "permits.pdf"}
    assert names == papers | {"README.txt"} | tables | proofs
    (permit,) = rows(folder / "permits.csv")
    assert (permit["status"], permit["holds"]) == ("held", "1")
    assert permit["content"] == "'=2+3 清罐"  # never a formula
    (alarm,) = rows(folder / "alarms.csv")
    assert alarm["raised"] < alarm["returned"] < alarm["closed"]
    assert len(rows(folder / "events.csv")) == 6
    assert (folder / "summary.pdf").read_bytes().startswith(b"%PDF")
    key = Sealer.of(hub).public.hex()
    assert key in (folder / "README.txt").read_text("utf-8")
    assert verify.main([str(folder), "--key", key]) == 0
    assert verify.main([str(folder), "--key", "11" * 32]) == 1
    assert "signed to 6" in capsys.readouterr().out


def _change(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / name
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(bytes(data))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_change("permits.csv"), "permits.csv: the file was changed"),
        (_change("summary.pdf"), "summary.pdf: the file was changed"),
        (_change("manifest.json"), "manifest.json: the manifest's signature"),
        (_change("journal.slice"), "DAMAGED"),
        (lambda f: (f / "alarms.csv").unlink(), "alarms.csv: the file is missing"),
        (lambda f: (f / "more.csv").touch(), "more.csv: the manifest does not name"),
    ],
    ids=["csv", "pdf", "manifest", "slice", "missing", "extra"],
)
def test_each_change_is_named(
    change: Callable[[Path], None],
    said: str,
    exported: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Design §5: verify names what is wrong."""
    folder = tmp_path / "copy"
    shutil.copytree(exported, folder)
    change(folder)
    assert verify.main([str(folder)]) == 1
    assert said in capsys.readouterr().out


def test_period_without_events_is_refused(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(hub), "--period", "2020-01-01", "2020-01-02"]
    assert export.main([*words, "--bundle", str(hub.parent / "p")]) == 1
    assert "no event" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        export.main([*words])
