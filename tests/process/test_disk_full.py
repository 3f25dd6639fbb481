"""A disk that fills up while an alarm stands: all that protects goes on."""

import os
from pathlib import Path

import msgspec

from automations import blueprint
from automations.compile_rule import instantiate
from core import config
from core.clock import RealClock
from core.hub import Hub
from core.journal.checkpoint import load_signer
from core.journal.reader import segments
from core.journal.segment import RealDisk
from core.journal.verify import main as verify
from core.people.acts import MovePerson
from core.permits.acts import IssuePermit
from core.processes.ledger import Ledger
from core.registry.events import DeviceReported
from core.registry.ids import Ids
from tests.process.test_hub import raised
from tests.support.kernel import RecordingLinks
from tests.support.site import NAMES, Loop, RunningHub, Viewer, small_site
from tests.support.waiting import until

ROLES = {"ivy": ("issuer",), "sue": ("supervisor",), "ann": ("worker",)}
#: What the last segment still takes: less than a start writes.
ROOM = 2_000
FORM = IssuePermit(
    kind="lift", zone_id="pump", title="lift", supervisor_id="sue", workers=("ann",)
)


def staffed(loop: Loop) -> config.Bundle:
    """Return the small site with people, a kind of permit and the gas blueprint."""
    rule = instantiate(
        blueprint.read(blueprint.SHIPPED / "gas-alarm-response.yaml"),
        rule_id="gas",
        mode="enforce",
        given={"chain": "gas"},
        zones={"pump"},
        chains={"gas"},
    )
    step = config.ChainStep(
        roles=("supervisor",), channels=("screen",), respond_s=600.0
    )
    kind = config.PermitKind(id="lift", names=NAMES, safe_state="land", guardian=False)
    return msgspec.structs.replace(
        small_site(loop.config()),
        people=tuple(
            config.Person(id=person, name=person, roles=roles)
            for person, roles in ROLES.items()
        ),
        permit_kinds=(kind,),
        chains=(config.NotifyChain(id="gas", steps=(step,)),),
        rules=(rule,),
    )


def fill_journal(data: Path) -> None:
    """Fill up the segments that the journal has; the disk must be full by now.

    Nothing is deleted: a file system may give freed blocks back late.
    """
    disk, clock = RealDisk(data / "journal"), RealClock()
    ledger = Ledger(disk, load_signer(RealDisk(data / "keys"), clock), clock)
    hub = Hub(clock, Ids(clock), ledger, RecordingLinks())
    hub.state = ledger.replay()
    ledger.start(lambda _notice: None)
    last = disk.folder / segments(disk)[-1]
    while (room := last.stat().st_size - len(last.read_bytes().rstrip(b"\0"))) > ROOM:
        text = "x" * min(8_000, max(room - ROOM - 1_000, 10))
        hub.emit(DeviceReported(device_id="", kind="noise", params={"text": text}))
        while ledger.pump() == 0:
            pass
    ledger.close()
    disk.close()


def fill_disk(folder: Path) -> Path:
    """Take what the file system has left."""
    filler = folder / ".filler"
    free = os.statvfs(folder)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize))
    return filler


async def issued(hub: RunningHub) -> str:
    """Issue a permit in the monitored zone; return its id."""
    viewer = await hub.attach()
    await until(lambda: viewer.hears, "reading")
    reply = await viewer.act("permit.issue", FORM, "ivy")
    assert reply.ok, reply
    return str(reply.result["permit_id"])


def told(viewer: Viewer) -> set[str]:
    """Return the types of the events that are not durable."""
    return {body.name_ for body, env in viewer.events if env.seq > viewer.durable}


def full(viewer: Viewer) -> bool:
    """Say whether the hub knows that its disk is full."""
    alarms = viewer.state.alarms.open.values()
    return any(a.active and a.condition == "journal_disk_full" for a in alarms)


async def test_alarm_on_a_full_disk(tmp_path: Path, journal_disk: Path) -> None:
    """Design §2: accepted acts, durable permits; written late, and verified."""
    loop = Loop(tmp_path)
    hub = RunningHub(tmp_path / "data", staffed(loop))
    async with hub:
        permit = await issued(hub)
    filler = fill_disk(journal_disk)
    fill_journal(hub.data)
    async with RunningHub(hub.data) as hub:
        viewer = await hub.attach()
        await until(lambda: viewer.hears, "reading")
        # The first events may still find room: what is told meanwhile fills it.
        for turn in range(20):
            move = MovePerson(person_id="ann", zone_id="pump" if turn % 2 else "")
            reply = await viewer.act("person.move", move, "sue")
            assert reply.ok, reply
        await until(lambda: full(viewer), "fault.disk")
        loop.tell(value=25.0)
        await until(lambda: "command siren True" in " ".join(loop.notes()), "siren")
        wanted = {"alarm.raised", "command.issued", "notice.queued", "permit.held"}
        await until(lambda: wanted <= told(viewer), "all accepted, nothing durable")
        assert viewer.state.permits.permits[permit].holds
        reply = await viewer.act("permit.issue", FORM, "ivy")
        assert (reply.ok, reply.code) == (False, "journal.not_durable")
        filler.unlink()
        await until(lambda: viewer.durable >= viewer.state.seq, "written late")
        await until(lambda: not raised(viewer, "fault.disk"), "fault over")
    assert hub.process.returncode == 0
    assert wanted <= {body.name_ for body, _ in hub.journal()}
    assert verify([str(journal_disk)]) == 0
