"""The geometry worker as a process: it is killed, it hangs, and core knows."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import msgspec

from automations.packs.compile import find, load
from core import config
from core.clock import RealClock
from core.geometry.shapes import Disc, Hazard
from core.permits.conflicts_acts import ShowConflicts
from core.permits.life_acts import BookPermit
from core.processes.children import NICE
from tests.support.site import RunningHub, Viewer, small_site
from tests.support.waiting import pause, until

HOUR_MS = 3_600_000
PUMP = Hazard(
    id="pump-1", kind="leak_capable", level="ground", shape=Disc(at=(5.0, 5.0))
)


def plant() -> config.Bundle:
    """Return the small site under the law, with a leak-capable pump in its zone."""
    site = small_site()
    return msgspec.structs.replace(
        site,
        site=msgspec.structs.replace(site.site, hazards=(PUMP,)),
        people=(config.Person(id="sue", name="sue", roles=("supervisor",)),),
        packs=(load(find("cn-hazchem")),),
    )


async def booked(viewer: Viewer) -> str:
    """Book hot work for the next hours; return its id."""
    now_ms = RealClock().wall_ns() // 1_000_000
    act = BookPermit(
        kind="hot-1",
        zone_id="pump",
        title="weld",
        unit="unit 1",
        supervisor_id="sue",
        from_ms=now_ms + HOUR_MS,
        to_ms=now_ms + 3 * HOUR_MS,
        emergency=True,
    )
    reply = await viewer.act("permit.book", act, person="sue")
    assert reply.ok, reply
    return str(reply.result["permit_id"])


async def asked(viewer: Viewer, permit_id: str) -> dict[str, Any]:
    """Return what core knows of a permit's conflicts."""
    act = ShowConflicts(permit_id=permit_id)
    reply = await viewer.act("permit.conflicts", act, person="sue")
    assert reply.ok, reply
    return dict(reply.result)


async def becomes(viewer: Viewer, permit_id: str, *, known: bool, wait: float) -> None:
    """Wait until core knows, or does not know any more."""
    async with asyncio.timeout(wait):
        while (await asked(viewer, permit_id))["known"] is not known:
            await pause(0.1)


async def test_core_knows_only_while_the_worker_answers(tmp_path: Path) -> None:
    """Measured outside core; while it hangs or is gone, nobody knows."""
    async with RunningHub(tmp_path / "data", plant()) as hub:
        viewer = await hub.attach()
        permit_id = await booked(viewer)
        await becomes(viewer, permit_id, known=True, wait=30)
        answer = await asked(viewer, permit_id)
        assert answer["count"] == 1
        (shown,) = json.loads(answer["conflicts"])
        assert (shown["rule"], shown["other"]) == ("hot-leak", "hazard:pump-1")
        old = hub.child("geometry")["pid"]
        core = os.getpriority(os.PRIO_PROCESS, hub.child("core")["pid"])
        assert os.getpriority(os.PRIO_PROCESS, old) == min(core + NICE, 19)

        hub.kill("geometry", signal.SIGSTOP)
        await becomes(viewer, permit_id, known=False, wait=30)
        os.kill(old, signal.SIGKILL)
        await becomes(viewer, permit_id, known=True, wait=30)
        assert hub.child("geometry")["pid"] != old


async def test_a_site_without_distances_has_no_worker(tmp_path: Path) -> None:
    """Design §3: workers start on first use."""
    async with RunningHub(tmp_path / "data", small_site()) as hub:
        await until(lambda: hub.child("archive"), "children started")
        assert hub.child("geometry") == {}
