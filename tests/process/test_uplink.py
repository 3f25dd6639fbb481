"""The uplink as a real process: killed at any moment, it loses and doubles nothing."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from core import config
from core.people.acts import MovePerson
from core.permits.acts import ClosePermit, HoldPermit, IssuePermit
from frontend_api.exchange import aq
from tests.support.site import NAMES, PUMP, QUIET, ROOT, RunningHub, Viewer
from tests.support.waiting import pause, until

SETTINGS = """
company: {{name: 总包, code: '91330100MA00000000'}}
position: {{longitude: 120.153576, latitude: 30.287459}}
mobile: '13800000000'
types: {{lift: '62'}}
platform:
  tickets: {url}/tickets
  alarms: {url}/alarms
  timeout_s: 0.5
  first_retry_s: 0.05
  retry_cap_s: 0.3
"""


def site() -> config.Bundle:
    """Return a site whose one kind of permit needs no meter."""
    people = tuple(
        config.Person(id=name, name=said, roles=(role,))
        for name, said, role in (
            ("qian", "钱明", "issuer"),
            ("sun", "孙强", "supervisor"),
            ("li", "李护", "guardian"),
            ("zhou", "周勇", "worker"),
        )
    )
    lift = config.PermitKind(
        id="lift", names=NAMES, safe_state="land_load", guardian=False
    )
    levels = (config.Level(id="ground", names=NAMES),)
    return config.Bundle(
        site=config.Site(id="site", names=NAMES, levels=levels, zones=(PUMP,)),
        people=people,
        permit_kinds=(lift,),
    )


class Park:
    """The simulated platform as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._store = folder / "park.jsonl"

    def start(self) -> None:
        command = [sys.executable, "-m", "frontend_api.exchange.simulator"]
        faults = json.dumps({"error": 0.1, "lost_answer": 0.2, "timeout": 0.05})
        more = ["--port", "0", "--store", str(self._store), "--faults", faults]
        self._process = subprocess.Popen(
            [*command, *more], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().decode()
        self.url = f"http://127.0.0.1:{said.split()[-1]}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    async def state(self) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/state") as answer,
        ):
            found: dict[str, Any] = await answer.json()
            return found


@asynccontextmanager
async def exchanging(folder: Path) -> AsyncIterator[tuple[RunningHub, Viewer, Park]]:
    """Yield a hub with an uplink, a viewer and the park's platform."""
    park = Park(folder)
    park.start()
    try:
        data = folder / "data"
        (data / "exchange").mkdir(parents=True)
        text = SETTINGS.format(url=park.url)
        (data / "exchange" / "settings.yaml").write_text(text, "utf-8")
        async with RunningHub(data, site()) as hub:
            yield hub, await hub.attach(), park
    finally:
        park.stop()


async def issue(viewer: Viewer) -> str:
    act = IssuePermit(
        kind="lift",
        zone_id="pump",
        title="吊装",
        supervisor_id="sun",
        guardian_id="li",
        workers=("zhou",),
        linked=(),
    )
    reply = await viewer.act("permit.issue", act, person="qian")
    assert reply.ok, reply
    return str(reply.result["permit_id"])


async def work(viewer: Viewer) -> str:
    """Issue a permit and hold it: two updates of one ticket."""
    permit = await issue(viewer)
    hold = HoldPermit(permit_id=permit, reason="风大")
    assert (await viewer.act("permit.hold", hold, person="qian")).ok
    return permit


async def close(viewer: Viewer, permit: str) -> None:
    away = MovePerson(person_id="zhou", zone_id="")
    assert (await viewer.act("person.move", away, person="sun")).ok
    version = viewer.state.permits.permits[permit].version
    act = ClosePermit(permit_id=permit)
    reply = await viewer.act("permit.close", act, person="qian", version=version)
    assert reply.ok, reply


async def all_arrived(park: Park, want: dict[str, str]) -> None:
    """Wait until the platform has the newest status of each permit."""
    for _ in range(600):
        told = {t["ID"]: t["TICKETSTATUS"] for t in (await park.state())["tickets"]}
        if told == want:
            return
        await pause(0.05)
    raise AssertionError(f"the platform has {told}, not {want}")


async def test_nothing_is_lost_or_doubled_when_the_uplink_is_killed(
    tmp_path: Path,
) -> None:
    """Issue part 8: kill -9 of the emitter between, during and after sending."""
    async with exchanging(tmp_path) as (hub, viewer, park):
        want: dict[str, str] = {}
        for turn in range(5):
            permits = [await work(viewer) for _ in range(2)]
            await until(lambda: hub.child("uplink").get("pid"), "uplink runs")
            if turn < 4:
                hub.kill("uplink")
            await close(viewer, permits[0])
            want[aq.uuid_of("ticket", permits[0])] = "3"
            want[aq.uuid_of("ticket", permits[1])] = "6"
        await all_arrived(park, want)
        told = await park.state()
        assert told["counts"]["stale"] == told["counts"]["rejected"] == 0
        # issue and hold of ten, close of five: each update once, whatever was repeated
        assert told["counts"]["accepted"] == 25


async def test_refused_records_are_an_alarm_until_a_person_settles_them(
    tmp_path: Path,
) -> None:
    """Issue part 8: dead letters are kept and raised; the hub goes on without."""
    async with exchanging(tmp_path) as (hub, viewer, park):
        async with aiohttp.ClientSession() as session:
            asked = {"reject": {"TICKETSTATUS": "2"}}
            async with session.post(f"{park.url}/faults", json=asked) as answer:
                assert answer.status == 200
        await issue(viewer)

        def raised() -> bool:
            open_ = viewer.state.alarms.open.values()
            return any(a.kind == "fault.exchange.dead" and a.active for a in open_)

        await until(raised, "refusal raised")
        outbox = [sys.executable, "-m", "core.cli", "aq", "outbox"]
        settle = [*outbox, "--data", str(hub.data), "--settle", "1", "--why", "电话"]
        done = subprocess.run(settle, cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        await until(lambda: not raised(), "alarm cleared")


async def test_without_settings_nothing_leaves(tmp_path: Path) -> None:
    """Off by default: no file, no process."""
    async with RunningHub(tmp_path / "data", site(), args=QUIET) as hub:
        assert "uplink" not in hub.status()["processes"]


def test_records_decode_as_structs() -> None:
    """The typed structs and the field tables tell the same."""
    assert msgspec.structs.fields(aq.Ticket)[0].name == aq.TICKET_FIELDS[0].name
    for kind, table in ((aq.Ticket, aq.TICKET_FIELDS), (aq.AqAlarm, aq.ALARM_FIELDS)):
        assert kind.__struct_fields__ == tuple(field.name for field in table)
