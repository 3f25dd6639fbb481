"""Pins, upgrade and one step back by the commands, before a real hub (R25)."""

import asyncio
from pathlib import Path

import pytest

from automations.blueprint_command import main as blueprint
from core.config import Rule
from tests.process.test_config_faults import published
from tests.support.site import RunningHub
from tests.support.waiting import until
from tests.unit.automations.test_blueprint_pins import Place


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(blueprint, list(arguments))


async def armed(hub: RunningHub) -> Rule:
    """Return the one rule as a fresh look at the hub finds it."""
    viewer = await hub.attach()
    (rule,) = viewer.bundle.rules
    return rule


async def test_upgrade_and_rollback_are_acts_and_survive_publish_and_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path)
    folder, data = str(place.folder), str(place.data)
    async with RunningHub(place.data) as hub:
        assert await published(folder, "--data", data) == 0
        first = await armed(hub)
        place.room("1.1.0", priority=1)
        assert await published(folder, "--data", data) == 0
        assert "stays at room 1.0.0; 1.1.0 is there" in capsys.readouterr().out
        assert (await armed(hub)).hash == first.hash

        move = ("room-1", "--data", data, "--folder", folder)
        assert await command("upgrade", *move) == 0
        told = capsys.readouterr().out
        assert "room 1.0.0 → 1.1.0" in told
        assert "- when an alarm: kind machine.hot; priority 2" in told
        assert "+ when an alarm: kind machine.hot; priority 1" in told
        assert "nothing is armed yet" in told
        assert (await armed(hub)).version == "1.0.0"
        assert await command("upgrade", *move, "--yes") == 0
        assert (await armed(hub)).version == "1.1.0"
        assert await published(folder, "--data", data) == 0
        assert (await armed(hub)).version == "1.1.0"
    async with RunningHub(place.data) as hub:
        capsys.readouterr()
        assert await command("pins", "--data", data) == 0
        assert "room@1.1.0#" in capsys.readouterr().out
        assert await command("rollback", *move[:3], "--yes") == 0
        viewer = await hub.attach()
        (rule,) = viewer.bundle.rules
        assert (rule.version, rule.hash) == ("1.0.0", first.hash)
        earlier = viewer.state.hub.earlier
        await until(lambda: earlier["room-1"].version == "1.1.0", "rule.upgraded")
        assert await published(folder, "--data", data) == 0
        assert (await armed(hub)).version == "1.0.0"


async def test_a_draft_of_files_waits_for_the_page(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with RunningHub(place.data) as hub:
        assert (
            await published(str(place.folder), "--data", str(place.data), "--draft")
            == 0
        )
        viewer = await hub.attach()
        assert viewer.bundle.rules == ()
    (draft,) = (place.data / "drafts").glob("*.json")
    assert '"kind":"files"' in draft.read_text("utf-8")
