"""Packs through the real publish and the real hub."""

from pathlib import Path

import pytest

from core.permits.packs import digest_of
from tests.process.test_config_faults import published
from tests.support.site import RunningHub
from tests.support.waiting import until
from tests.unit.packs.test_custom import PICKED, STEP, dock
from tests.unit.packs.test_site import site


async def in_force(hub: RunningHub) -> tuple[str, str, tuple[str, ...]]:
    """Return what a fresh look finds: the bundle's hash, the pack's, its overlays."""
    viewer = await hub.attach()
    (pack,) = viewer.bundle.packs
    held = viewer.state.permits.packs
    await until(lambda: held.current == {"dock": digest_of(pack)}, "pack.armed")
    assert digest_of(pack) in held.data
    return viewer.state.hub.config_hash, digest_of(pack), pack.overlays


async def test_a_broken_pack_is_refused_whole_and_the_last_good_one_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, line and clause; nothing changes, also after a restart."""
    data, folder = tmp_path / "data", tmp_path / "config"
    folder.mkdir()
    dock(folder)
    async with RunningHub(data) as hub:
        assert await published(str(folder), "--data", str(data)) == 0
        first = await in_force(hub)
        file = folder / "custom_packs" / "dock" / "pack.yaml"
        good = file.read_text("utf-8")
        line = good[: good.index("require: valid")].count("\n") + 1
        file.write_text(good.replace("valid_left_min > 0", "valid_left > 0"), "utf-8")
        capsys.readouterr()
        assert await published(str(folder), "--data", str(data)) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"{file}:{line}:")
        assert "dock rule 6" in said
        assert await in_force(hub) == first
    async with RunningHub(data) as hub:
        assert await in_force(hub) == first


async def test_a_verification_step_is_in_force_the_same_day(tmp_path: Path) -> None:
    """An overlay beside the site's YAML, published while the hub runs."""
    data, folder = tmp_path / "data", tmp_path / "config"
    folder.mkdir()
    dock(folder)
    async with RunningHub(data) as hub:
        assert await published(str(folder), "--data", str(data)) == 0
        first = await in_force(hub)
        laid = PICKED + "pack_overlays: [overlays/step.yaml]\n"
        site(folder, laid, step=STEP)
        assert await published(str(folder), "--data", str(data)) == 0
        second = await in_force(hub)
    assert first[2] == ()
    assert second[2] == ("same-day@2",)
    assert first[1] != second[1]
