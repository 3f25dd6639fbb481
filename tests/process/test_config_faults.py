"""A wrong configuration changes nothing: the last good one stays in force."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from automations.command import main as publish
from automations.publish import store
from core import config
from core.processes.acts import ArmConfig
from tests.process.test_hub import raised
from tests.support.site import RunningHub, small_site
from tests.support.waiting import until
from tests.unit.automations.test_language import SITE


def folder(tmp_path: Path, text: str = SITE) -> Path:
    """Return a configuration folder with a site.yaml."""
    found = tmp_path / "config"
    found.mkdir(exist_ok=True)
    (found / "site.yaml").write_text(text, "utf-8")
    return found


async def published(*args: str) -> int:
    """Run ``safehold publish`` beside the test's own loop."""
    return await asyncio.to_thread(publish, list(args))


async def armed(hub: RunningHub) -> str:
    """Return the hash that a fresh look at the hub finds in force."""
    viewer = await hub.attach()
    assert [zone.id for zone in viewer.bundle.site.zones] == ["tank"]
    return viewer.state.hub.config_hash


async def test_broken_folder_names_the_place_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design §5 Configuration: file, line, column; also after a restart."""
    good, data = folder(tmp_path), tmp_path / "data"
    async with RunningHub(data) as hub:
        assert await published(str(good), "--data", str(data)) == 0
        digest = await armed(hub)
        broken = folder(tmp_path, SITE.replace("level: ground", "level: attic"))
        capsys.readouterr()
        assert await published(str(broken), "--data", str(data)) == 2
        said = capsys.readouterr().err
        assert f"{broken / 'site.yaml'}:7:" in said
        assert "'attic' is no level" in said
        assert await armed(hub) == digest
    async with RunningHub(data) as hub:
        assert await armed(hub) == digest


async def test_bundle_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    """It is told, it is an alarm, and the last good one stays."""
    data = tmp_path / "data"
    newer = msgspec.structs.replace(small_site(), version=99)
    async with RunningHub(data) as hub:
        assert await published(str(folder(tmp_path)), "--data", str(data)) == 0
        digest = await armed(hub)
        wrong = store(config.dump(newer), data)
        viewer = await hub.attach()
        reply = await viewer.act("config.arm", ArmConfig(hash=wrong))
        assert (reply.ok, reply.code) == (False, "config.invalid")
        assert "newer hub" in str(reply.params["detail"])
        await until(lambda: raised(viewer, "fault.config"), "fault.config")
        assert await armed(hub) == digest


async def test_damaged_bundle_is_mended_by_publishing_again(tmp_path: Path) -> None:
    """Refused as changed, the one before it in force, an alarm; then mended."""
    data, good = tmp_path / "data", folder(tmp_path)
    async with RunningHub(data) as hub:
        assert await published(str(good), "--data", str(data)) == 0
        first = await armed(hub)
        again = folder(tmp_path, SITE.replace("en: Tank", "en: Vessel"))
        assert await published(str(again), "--data", str(data)) == 0
        second = await armed(hub)
    file = data / "bundles" / f"{second}.bundle"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    async with RunningHub(data) as hub:
        assert await armed(hub) == first
        viewer = await hub.attach()
        assert raised(viewer, "fault.config")
        assert await published(str(again), "--data", str(data)) == 0
        assert await armed(hub) == second
        await until(lambda: not raised(viewer, "fault.config"), "fault over")
