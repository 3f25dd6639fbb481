"""The whole tree of processes: starts, deaths, hangs, crash loops, stops."""

import asyncio
import contextlib
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from core.processes.acts import ArmConfig
from core.processes.events import HubStarted
from core.processes.guest import ask
from tests.support.site import QUIET, Loop, RunningHub, Viewer, loop_hub, small_site
from tests.support.waiting import until


def raised(viewer: Viewer, kind: str) -> list[str]:
    """Return the sources of open, active alarms of a kind."""
    return [
        alarm.source
        for alarm in viewer.state.alarms.open.values()
        if alarm.kind.startswith(kind) and alarm.active
    ]


async def test_cold_start_arms_and_handles_an_alarm(tmp_path: Path) -> None:
    """Design §2: reading → limit → alarm, through real processes."""
    async with loop_hub(tmp_path) as (hub, viewer, loop):
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")
        assert set(hub.status()["processes"]) == {"core", "archive", "host:loop"}


async def test_core_killed_continues_and_the_host_keeps_its_session(
    tmp_path: Path,
) -> None:
    """Design §3: hosts outlive core; open alarms survive it."""
    async with loop_hub(tmp_path) as (hub, viewer, loop):
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")
        await until(lambda: viewer.durable >= viewer.state.seq, "alarm durable")
        host = hub.child("host:loop")["pid"]
        old = hub.kill("core")
        await until(lambda: not viewer.connected, "viewer lost core")
        await until(
            lambda: hub.ready() and hub.child("core")["pid"] != old, "core back"
        )
        again = await hub.attach()
        assert again.state.epoch == viewer.state.epoch + 1
        assert raised(again, "gas.toxic")
        assert hub.child("host:loop")["pid"] == host
        loop.tell(value=2.0)
        await until(lambda: not raised(again, "gas.toxic"), "redeclared and heard")
        assert [note for note in loop.notes() if "started" in note] == [
            f"{host} started"
        ]


async def test_host_killed_is_a_fault_and_comes_back(tmp_path: Path) -> None:
    """Design §3: while a host is away its zone is unmonitored, an alarm."""
    async with loop_hub(tmp_path) as (hub, viewer, _loop):
        old = hub.kill("host:loop")
        await until(lambda: raised(viewer, "fault.host"), "fault.host")
        await until(lambda: "pump" in viewer.hosts.unmonitored, "zone unmonitored")
        await until(lambda: not raised(viewer, "fault.host"), "host back")
        await until(lambda: "pump" not in viewer.hosts.unmonitored, "zone monitored")
        assert hub.child("host:loop")["pid"] != old


async def test_host_that_hangs_is_a_fault_and_is_started_afresh(tmp_path: Path) -> None:
    """Reliability §3: a stopped process is noticed by its unanswered pings."""
    async with loop_hub(tmp_path) as (hub, viewer, _loop):
        old = hub.kill("host:loop", signal.SIGSTOP)
        await until(lambda: raised(viewer, "fault.host"), "fault.host")
        await until(lambda: not raised(viewer, "fault.host"), "host back", 30)
        assert hub.child("host:loop")["pid"] != old


async def test_host_that_is_killed_again_and_again_comes_back(tmp_path: Path) -> None:
    """Reliability §5: with growing pauses; the budget itself is a unit test."""
    async with loop_hub(tmp_path) as (hub, viewer, _loop):
        for _ in range(3):
            old = hub.kill("host:loop")
            await until(partial(_runs_anew, hub, old), "host again")
        await until(lambda: not raised(viewer, "fault.host"), "host heard")


def _runs_anew(hub: RunningHub, old: int) -> bool:
    return hub.child("host:loop").get("pid", 0) not in (0, old)


async def test_driver_error_leaves_the_process_alive(tmp_path: Path) -> None:
    """The border to plugins: an error restarts the driver with back-off."""
    async with loop_hub(tmp_path) as (hub, _viewer, loop):
        pid = hub.child("host:loop")["pid"]
        loop.tell(fail="device")
        await until(lambda: len(loop.notes()) == 2, "driver started again")
        assert loop.notes() == [f"{pid} started"] * 2


async def test_event_is_acknowledged_once_it_is_durable(tmp_path: Path) -> None:
    """Design §2: a repeat of the same event is harmless, also after a restart."""
    async with loop_hub(tmp_path) as (hub, _viewer, loop):
        loop.tell(event="sos", id="e-1")
        await until(lambda: "durable e-1" in " ".join(loop.notes()), "durable")
        old = hub.kill("core")
        await until(
            lambda: hub.ready() and hub.child("core")["pid"] != old, "core back"
        )
        again = await hub.attach()
        await until(lambda: "loop" in again.hosts.states or again.live, "host back")
        loop.tell(event="sos", id="e-1")
        await until(lambda: " ".join(loop.notes()).count("durable e-1") == 2, "again")
        await hub.stop()
        told = [b for b, _ in hub.journal() if b.name_ == "device.reported"]
        assert len(told) == 1


async def test_archive_killed_loses_nothing_but_history(tmp_path: Path) -> None:
    """Design §3: the archive may die."""
    async with loop_hub(tmp_path) as (hub, viewer, loop):
        await until(lambda: hub.child("archive")["state"] == "running", "archive")
        old = hub.kill("archive")
        await until(lambda: hub.child("archive")["pid"] not in (0, old), "archive back")
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")


async def test_stop_is_clean_and_the_next_start_knows_it(tmp_path: Path) -> None:
    """Design §5 After a stop: a clean stop is told from an unclean one."""
    hub = RunningHub(tmp_path / "data", small_site())
    async with hub:
        pass
    assert hub.process.returncode == 0
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        await until(lambda: viewer.durable >= viewer.state.seq, "start durable")
        hub.kill("core")
        await until(
            lambda: hub.child("core").get("starts") == 2 and hub.ready(), "back"
        )
    starts = [b for b, _ in hub.journal() if isinstance(b, HubStarted)]
    assert [start.clean for start in starts] == [True, True, False]


async def test_refused_bundle_leaves_the_last_good_one(tmp_path: Path) -> None:
    """Design §5 Configuration: also after a restart; the refusal is an alarm."""
    hub = RunningHub(tmp_path / "data", small_site())
    async with hub:
        viewer = await hub.attach()
        good = viewer.state.hub.config_hash
        bad = "0" * 64
        reply = await viewer.act("config.arm", ArmConfig(hash=bad))
        assert (reply.ok, reply.code) == (False, "config.unreadable")
        await until(lambda: raised(viewer, "fault.config.bundle"), "fault.config")
        assert viewer.state.hub.config_hash == good
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        assert viewer.state.hub.config_hash == good
        assert [zone.id for zone in viewer.bundle.site.zones] == ["pump"]


async def test_damaged_bundle_falls_back_at_start(tmp_path: Path) -> None:
    """Design §5 Configuration: the bundle before it is armed instead."""
    hub = RunningHub(tmp_path / "data", small_site())
    async with hub:
        first = (await hub.attach()).state.hub.config_hash
        second = await hub.arm(small_site(Loop(tmp_path).config()))
    (tmp_path / "data" / "bundles" / f"{second}.bundle").write_bytes(b"changed")
    async with RunningHub(tmp_path / "data") as hub:
        viewer = await hub.attach()
        assert viewer.state.hub.config_hash == first
        assert raised(viewer, "fault.config.bundle")


async def test_keeper_killed_takes_its_children_along(tmp_path: Path) -> None:
    """Design §3: nothing of the tree goes on without the keeper (PDEATHSIG)."""
    async with loop_hub(tmp_path) as (hub, _viewer, _loop):
        pids = [child["pid"] for child in hub.status()["processes"].values()]
        hub.process.kill()
        await until(
            lambda: not any(Path(f"/proc/{pid}/comm").exists() for pid in pids),
            "children gone",
        )


async def test_keeper_killed_and_started_again_continues(tmp_path: Path) -> None:
    """Design §3: systemd restarts the keeper; the site goes on where it was."""
    async with loop_hub(tmp_path) as (hub, viewer, loop):
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")
        await until(lambda: viewer.durable >= viewer.state.seq, "alarm durable")
        hub.process.kill()
        hub.process.wait()
        await hub.start()
        again = await hub.attach()
        # Its driver, started beside core, may have said that the gas is gone.
        assert [a for a in again.state.alarms.open.values() if a.kind == "gas.toxic"]
        assert not raised(again, "fault.disk")
        await until(lambda: again.live, "host back, from the keeper's memory")


async def test_site_clock_may_run_twenty_times_as_fast(tmp_path: Path) -> None:
    """Design §5 Time: --speed scales the site's clock, not the checks of processes."""
    loop = Loop(tmp_path)
    hub = RunningHub(
        tmp_path / "data", small_site(loop.config()), args=("--speed", "20", *QUIET)
    )
    async with hub:
        viewer = await hub.attach()
        await until(lambda: viewer.hears, "reading")
        loop.tell(value=25.0)
        await until(lambda: raised(viewer, "gas.toxic"), "gas alarm")
        first = viewer.events[-1][1].mono_ns
        loop.tell(value=1.0)
        await until(lambda: not raised(viewer, "gas.toxic"), "back to normal")
        assert viewer.events[-1][1].mono_ns > first
        assert not raised(viewer, "fault.host")
        assert hub.child("core")["starts"] == 1


async def test_second_hub_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """One writer: the second says who holds the folder and ends."""
    async with RunningHub(tmp_path / "data") as hub:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "core.cli",
            "run",
            "--data",
            str(hub.data),
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode == 2
        assert b"already runs" in errors


@pytest.mark.parametrize("name", ["no-such-process"])
async def test_restart_of_an_unknown_process_is_refused(
    tmp_path: Path, name: str
) -> None:

    async with RunningHub(tmp_path / "data") as hub:
        answer, _ = ask(hub.data, {"op": "restart", "name": name})
        assert answer["op"] == "refused"
        answer, _ = ask(hub.data, {"op": "nonsense"})
        assert "unknown request" in answer["detail"]


async def test_malformed_frame_closes_its_peer_and_nothing_else(tmp_path: Path) -> None:
    """Bad input never ends a process; the peer is told and gets another link."""
    async with RunningHub(tmp_path / "data", small_site()) as hub:
        answer, (sock,) = ask(hub.data, {"op": "attach"})
        assert answer["name"].startswith("cli:")
        sock.settimeout(10)
        sock.sendall(b"\x05\0\0\0\xc1\xc1\xc1\xc1\xc1")
        assert sock.recv(100) == b""
        sock.close()
        viewer = await hub.attach()
        assert viewer.connected
        assert hub.child("core")["starts"] == 1


async def test_service_manager_hears_of_start_watchdog_and_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocols §12: READY once armed, WATCHDOG while alarms run, STOPPING."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        told: list[bytes] = []

        def hears(word: bytes) -> bool:
            with contextlib.suppress(BlockingIOError):
                told.append(manager.recv(100))
            return word in told

        async with RunningHub(tmp_path / "data"):
            await until(lambda: hears(b"WATCHDOG=1"), "watchdog fed")
        await until(lambda: hears(b"STOPPING=1"), "stopping told")
    assert told[0] == b"READY=1"
