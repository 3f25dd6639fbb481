"""A known power end, from the operator's command to the hub's orderly stop."""

import asyncio
from pathlib import Path

from core.commands.status import stop
from core.permits.lifecycle import PermitStatus
from tests.process.test_disk_full import issued, staffed
from tests.support.site import Loop, RunningHub
from tests.support.waiting import until


async def test_hub_announces_holds_and_stops(tmp_path: Path) -> None:
    """Design §5 After a stop: released only by persons, also after the restart."""
    hub = RunningHub(tmp_path / "data", staffed(Loop(tmp_path)))
    async with hub:
        permit = await issued(hub)
        viewer = await hub.attach()
        assert await in_thread("--data", str(hub.data), "--power-end", "4") == 0
        await until(lambda: viewer.seen("permit.held"), "permit held")
        await until(lambda: viewer.seen("notice.queued"), "people are told")
        await until(lambda: hub.process.poll() is not None, "hub ended by itself")
    assert hub.process.returncode == 0
    last = hub.journal()[-1][0]
    assert (last.name_, getattr(last, "reason", "")) == ("hub.stopped", "power_end")
    async with RunningHub(hub.data) as hub:
        viewer = await hub.attach()
        held = viewer.state.permits.permits[permit]
        assert held.status is PermitStatus.HELD
        assert [h.hold.code for h in held.holds.values()] == ["power_end"]


async def in_thread(*argv: str) -> int:
    """Run the command's own loop beside the test's."""
    return await asyncio.to_thread(stop, list(argv))
