"""A disk that cannot be opened, or is full, stops nothing that protects."""

from pathlib import Path

from core.processes.acts import ArmConfig
from tests.process.test_hub import raised
from tests.support.mounts import mount
from tests.support.site import Loop, RunningHub, small_site
from tests.support.waiting import until


async def test_read_only_disk_still_sounds_and_refuses_permission(
    tmp_path: Path, journal_disk: Path
) -> None:
    """Design §2: protective acts go on, permissive ones are refused, a fault tells."""
    loop = Loop(tmp_path)
    bundle = small_site(loop.config())
    async with RunningHub(tmp_path / "data", bundle) as hub:
        viewer = await hub.attach()
        await until(lambda: viewer.hears, "reading")
        digest = viewer.state.hub.config_hash
    assert mount("-o", "remount,ro", str(journal_disk))
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        await until(lambda: raised(viewer, "fault.disk"), "fault.disk")
        await until(lambda: viewer.hears, "the known site is still monitored")
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")
        reply = await viewer.act("config.arm", ArmConfig(hash=digest))
        assert (reply.ok, reply.code) == (False, "journal.not_durable")
    assert hub.process.returncode == 0


async def test_damaged_journal_is_told_and_the_hub_goes_on(tmp_path: Path) -> None:
    """Reliability §1: damage is a fault that a person must see, not a stop."""
    async with RunningHub(tmp_path / "data", small_site()):
        pass
    (segment,) = (tmp_path / "data" / "journal").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[700] ^= 0xFF
    segment.write_bytes(data)
    for snapshot in (tmp_path / "data" / "journal").glob("*.snap"):
        snapshot.unlink()
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        found = viewer.state.alarms.open.values()
        assert [a.latched for a in found if a.kind == "fault.journal"] == [True]


async def test_damaged_key_is_told_and_the_hub_protects(tmp_path: Path) -> None:
    """A new key would break the proof: nothing is written until it is restored."""
    loop = Loop(tmp_path)
    async with RunningHub(tmp_path / "data", small_site(loop.config())):
        pass
    (key,) = (p for p in (tmp_path / "data" / "keys").iterdir() if p.suffix != ".json")
    whole = key.read_bytes()
    key.write_bytes(whole[:-1])
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        await until(lambda: raised(viewer, "fault.disk"), "fault.disk")
        await until(lambda: viewer.hears, "the known site is still monitored")
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")
    key.write_bytes(whole)
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        await until(lambda: viewer.durable >= viewer.state.seq, "durable again")
