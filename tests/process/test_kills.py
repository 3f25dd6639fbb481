"""Kill -9 at random points while alarms arrive: nothing acknowledged is lost."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from core import config
from core.journal import verify
from core.people.acts import Act
from core.permits.acts import HoldPermit, IssuePermit
from core.permits.lifecycle import PermitStatus
from core.processes.guest import ask
from core.registry.events import DeviceReported
from core.response.acts import StartEvacuation
from tests.support.site import NAMES, Loop, RunningHub, Viewer, small_site
from tests.support.waiting import pause, until

PEOPLE = (
    config.Person(id="iva", name="Iva", roles=("issuer", "safety_officer")),
    config.Person(id="wu", name="Wu", roles=("worker", "supervisor")),
)
KIND = config.PermitKind(
    id="work", names=NAMES, safe_state="order.leave", guardian=False, reaction_s=600
)
VICTIMS = ("core", "core", "host:loop", "archive")


async def did(viewer: Viewer, act: Act) -> dict[str, object]:
    reply = await viewer.act(act.verb_, act, "iva")
    assert reply.ok, reply
    return dict(reply.result)


async def burden(viewer: Viewer) -> tuple[str, str]:
    """Put a held permit and an evacuation on the hub; return their ids."""
    issued = await did(
        viewer,
        IssuePermit(
            kind="work", zone_id="pump", title="t", supervisor_id="wu", workers=("wu",)
        ),
    )
    permit = str(issued["permit_id"])
    await did(viewer, HoldPermit(permit_id=permit, reason="test"))
    started = await did(viewer, StartEvacuation(zones=("pump",), reason="test"))
    evacuation = str(started["evacuation_id"])
    await until(lambda: evacuation in viewer.state.response.evacuations, "its event")
    await until(lambda: viewer.durable >= viewer.state.seq, "burden durable")
    return permit, evacuation


async def alarms_arrive(loop: Loop, stop: asyncio.Event) -> int:
    """Send events and swinging values until told to stop; return how many."""
    number = 0
    while not stop.is_set():
        number += 1
        try:
            loop.tell(event="sos", id=f"e-{number}")
            loop.tell(value=25.0 if number % 3 else 1.0)
        except OSError:
            pass  # the driver is dead at this moment
        await pause(0.02)
    return number


async def kill_at_random(hub: RunningHub, rng: random.Random) -> None:
    """Kill one process at a random moment; return when the hub is armed again."""
    await pause(rng.random() * 0.4)
    victim = rng.choice(VICTIMS)
    before = hub.child(victim)["starts"]
    ask(hub.data, {"op": "restart", "name": victim})
    await until(lambda: hub.child(victim)["starts"] > before, f"{victim} again")
    await until(hub.ready, "armed")


def check_journal(hub: RunningHub, loop: Loop) -> None:
    """Every acknowledged event stands once in an unbroken chain; nothing released."""
    assert verify.main([str(hub.data / "journal")]) == 0
    stored = hub.journal()
    told = Counter(b.event_id for b, _ in stored if isinstance(b, DeviceReported))
    acknowledged = {
        note.split()[-1] for note in loop.notes() if note.split()[1] == "durable"
    }
    assert acknowledged
    lost = {event for event in acknowledged if told[f"host:loop/{event}"] != 1}
    assert not lost, f"acknowledged and not stored once: {lost}"
    seqs = [(e.epoch, e.seq) for _, e in stored]
    assert [seq for _, seq in seqs] == list(range(1, len(seqs) + 1))
    assert not {b.name_ for b, _ in stored} & {"permit.released", "evacuation.cleared"}


async def campaign(folder: Path, seed: int, kills: int) -> None:
    """Kill processes ``kills`` times, then compare what was told with what is."""
    rng, loop, stop = random.Random(seed), Loop(folder), asyncio.Event()
    bundle = msgspec.structs.replace(
        small_site(loop.config()), people=PEOPLE, permit_kinds=(KIND,)
    )
    async with RunningHub(folder / "data", bundle) as hub:
        viewer = await hub.attach()
        await until(lambda: viewer.hears, "reading")
        permit, evacuation = await burden(viewer)
        async with asyncio.TaskGroup() as group:
            group.create_task(alarms_arrive(loop, stop))
            for _ in range(kills):
                await kill_at_random(hub, rng)
            await until(lambda: "durable" in " ".join(loop.notes()), "an event")
            stop.set()
        again = await hub.attach()
        assert again.state.permits.permits[permit].status is PermitStatus.HELD
        assert evacuation in again.state.response.evacuations
        await until(
            lambda: (
                [a for a in again.state.alarms.open.values() if a.kind == "sos"]
                or again.state.alarms.open
            ),
            "alarms are open",
        )
    check_journal(hub, loop)


@pytest.mark.parametrize("seed", [1])
async def test_kills_at_random_points_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Reliability §3; the campaign of 200 is below."""
    await campaign(tmp_path, seed, kills=6)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", [11, 12])
async def test_two_hundred_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Issue: kill -9 of every process at random points, at least 200 times."""
    await campaign(tmp_path, seed, kills=100)
