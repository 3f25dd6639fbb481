"""`safehold import` against a real hub, and without one."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from core import config
from core.clock import NS, RealClock
from frontend_api.ledgers.command import main
from tests.support.site import ROOT, RunningHub, small_site
from tests.unit.ledgers.people import HEADS, csv_bytes
from tests.unit.ledgers.test_plan import A, B, row


def _end() -> str:
    now = datetime.fromtimestamp(RealClock().wall_ns() / NS, UTC)
    return (now + timedelta(days=300)).strftime("%Y.%m.%d")


def ledger(folder: Path, *rows: list[str], encoding: str = "gb18030") -> Path:
    file = folder / "台账.csv"
    file.write_bytes(csv_bytes([HEADS, *rows], encoding))
    return file


async def run(*args: str | Path) -> tuple[int, str, str]:
    """Run the command; return its status and what it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "core.cli", "import", *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=50,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def test_people_come_in_and_go_through_a_real_hub(tmp_path: Path) -> None:
    """Row 1.50: a site's ledger is in within minutes; erased people are gone."""
    officer = config.Person(id="sam", name="赵安", roles=("safety_officer",))
    site = msgspec.structs.replace(small_site(), people=(officer,))
    file = ledger(tmp_path, row(end=_end()), row(id=B, name="李四", end="长期"))
    data = tmp_path / "data"
    good = ("people", file, "--mapping", "cn-cards", "--data", data)
    rejects = tmp_path / "rejects.csv"
    async with RunningHub(data, site) as hub:
        status, out, err = await run(*good, "--check", "--language", "zh")
        assert (status, "接受 1 行，拒绝 1 行" in out) == (1, True), err
        viewer = await hub.attach()
        assert not viewer.state.people.cards.persons
        status, out, err = await run(*good, "--by", "nobody")
        assert status == 1
        assert "does not know 'nobody'" in err
        status, out, err = await run(*good, "--by", "sam", "--rejects", rejects)
        assert (status, "2 records made" in out) == (1, True), err
        viewer = await hub.attach()
        ((person_id, _),) = viewer.state.people.cards.persons.items()
        assert [c.trade for c in viewer.state.people.cards.cards.values()] == [
            "hot_work"
        ]
        listed = rejects.read_text("utf-8-sig")
        assert listed.splitlines()[1].startswith("3,有效期至,ledger.no_date,")
        status, out, err = await run("erase", person_id, "--data", data, "--by", "sam")
        assert (status, err) == (0, "")
        viewer = await hub.attach()
        assert person_id in viewer.state.people.cards.erased
    stored = b"".join(p.read_bytes() for p in (data / "journal").glob("*.seg"))
    assert A.encode() not in stored
    assert "张伟".encode() not in stored


def test_a_file_is_checked_without_any_hub(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ledger(tmp_path, row(end=_end()), encoding="utf-8-sig")
    good = ("people", file, "--mapping", "cn-cards")
    assert main([*map(str, good), "--check"]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert "张伟" in out
    assert A not in out
    for args, said in (
        ((*good, "--data", tmp_path, "--by", "sam"), "keeper.sock"),
        ((*good,), "--data names"),
        ((*good, "--data", tmp_path), "--by names"),
        (("people", tmp_path / "no.csv", *good[2:], "--check"), "No such file"),
        (("people", file, "--mapping", tmp_path / "no.yaml", "--check"), "No such"),
        (("people", file, "--mapping", "cn-roster", "--check"), "No header"),
    ):
        try:
            status = main(list(map(str, args)))
        except SystemExit as usage:
            status = int(str(usage.code))
        assert status in (1, 2), args
        assert said in capsys.readouterr().err
