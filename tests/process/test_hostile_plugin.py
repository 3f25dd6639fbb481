"""A driver that is not ours, run by the real hub: what it tries, it does not get."""

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.registry.events import DeviceReported
from integrations.runtime import landlock
from tests.process.test_config_faults import published
from tests.support.site import RunningHub
from tests.support.waiting import until

HOSTILE = Path(__file__).parent / "hostile"
SITE = """
site: {id: s, names: {en: S, zh: 站}, language: en}
levels: [{id: l, names: {en: L, zh: 层}, z: 0}]
zones: [{id: z, names: {en: Z, zh: 区}, level: l, polygon: [[0,0],[9,0],[9,9]]}]
people: [{id: own, name: Own, roles: [owner]}]
integrations:
  - id: wild
    integration: hostile
    options:
      data: DATA
      keeper: KEEPER
      core: CORE
      allowed: ALLOWED
      forbidden: FORBIDDEN
"""
FEATURES = 6
"""The version of Landlock that knows all that is tried here."""

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        landlock.version() < FEATURES or platform.machine() != "x86_64",
        reason=f"needs Landlock {FEATURES} and x86-64: this kernel confines less",
    ),
]


@pytest.fixture
def doors() -> Iterator[tuple[int, int]]:
    """Two ports that answer: one that the driver may reach, and one that not."""
    with (
        socket.create_server(("127.0.0.1", 0)) as allowed,
        socket.create_server(("127.0.0.1", 0)) as forbidden,
    ):
        yield allowed.getsockname()[1], forbidden.getsockname()[1]


def configure(folder: Path, hub: RunningHub, doors: tuple[int, int]) -> None:
    """Write a site that runs the hostile driver."""
    shutil.copytree(HOSTILE, folder / "custom_integrations" / "hostile")
    text = SITE.replace("DATA", str(hub.data))
    text = text.replace("KEEPER", str(hub.process.pid))
    text = text.replace("CORE", str(hub.child("core")["pid"]))
    text = text.replace("ALLOWED", str(doors[0])).replace("FORBIDDEN", str(doors[1]))
    (folder / "site.yaml").write_text(text, "utf-8")


async def test_a_hostile_driver_gets_nothing(
    tmp_path: Path, doors: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design §5 Security: over 60 things are tried; each is refused and counted."""
    monkeypatch.setenv("A_SECRET_OF_THE_SHELL", "x")
    folder = tmp_path / "config"
    folder.mkdir()
    async with RunningHub(tmp_path / "data") as hub:
        configure(folder, hub, doors)
        assert await published(str(folder), "--data", str(hub.data)) == 0
        viewer = await hub.attach()

        def counters() -> dict[str, int]:
            return viewer.hosts.counters

        await until(lambda: "host:wild.finished" in counters(), "all is tried")
        found = {name.removeprefix("host:wild."): n for name, n in counters().items()}
        got = sorted(name for name in found if name.startswith("got."))
        refused = [name for name in found if name.startswith("refused.")]
        assert got == []
        assert len(refused) >= 60, refused
        assert found["unexpected"] == 3  # an act, a channel's word, a measure
        assert found["beyond_manifest"] >= 9  # devices, a kind, an event
        alarms = viewer.state.alarms.open.values()
        assert "fault.contract" in {each.kind for each in alarms}
        assert not any(isinstance(body, DeviceReported) for body, _ in viewer.events)
        assert hub.process.poll() is None
        assert hub.child("core")["starts"] == 1


async def test_code_that_was_changed_after_the_publish_does_not_start(
    tmp_path: Path, doors: tuple[int, int]
) -> None:
    """What is armed is what was looked at; the refusal names the mend."""
    folder = tmp_path / "config"
    folder.mkdir()
    async with RunningHub(tmp_path / "data") as hub:
        configure(folder, hub, doors)
        driver = folder / "custom_integrations" / "hostile" / "driver.py"
        assert await published(str(folder), "--data", str(hub.data)) == 0
        await until(lambda: hub.child("host:wild").get("state") == "running", "it runs")
        driver.write_text(driver.read_text("utf-8") + "\n# more\n", "utf-8")
        hub.kill("host:wild")
        await until(lambda: hub.child("host:wild")["starts"] >= 2, "tried again")
        await until(
            lambda: "is not what was published" in hub.log.read_text("utf-8"), "refused"
        )


async def test_a_form_that_reaches_out_is_refused_by_name(
    tmp_path: Path, doors: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The publisher runs no line of others' code beside its own."""
    folder = tmp_path / "config"
    folder.mkdir()
    async with RunningHub(tmp_path / "data") as hub:
        configure(folder, hub, doors)
        flow = folder / "custom_integrations" / "hostile" / "flow.py"
        mark = tmp_path / "mark"
        flow.write_text(
            f"open({str(mark)!r}, 'w')\n" + flow.read_text("utf-8"), "utf-8"
        )
        assert await published(str(folder), "--data", str(hub.data)) == 2
        assert "its form does not answer: PermissionError" in capsys.readouterr().err
        assert not mark.exists()
        flow.write_text((HOSTILE / "flow.py").read_text("utf-8"), "utf-8")
        site = folder / "site.yaml"
        site.write_text(
            site.read_text("utf-8").replace(f"allowed: {doors[0]}", "allowed: 99999")
        )
        assert await published(str(folder), "--data", str(hub.data)) == 2
        said = capsys.readouterr().err
        assert "site.yaml:13:16: integrations.0.options.allowed" in said
        assert os.path.exists(folder)


async def test_a_driver_that_floods_its_log_is_cut_short(
    tmp_path: Path, doors: tuple[int, int]
) -> None:
    """Every queue has a bound: neither the disk nor what others say is lost to it."""
    folder = tmp_path / "config"
    folder.mkdir()
    async with RunningHub(tmp_path / "data") as hub:
        configure(folder, hub, doors)
        driver = folder / "custom_integrations" / "hostile" / "driver.py"
        flood = "import sys\nsys.stderr.write('keeper: a lie\\n' * 5000)\n"
        driver.write_text(driver.read_text("utf-8") + flood, "utf-8")
        assert await published(str(folder), "--data", str(hub.data)) == 0
        await until(
            lambda: "host:wild: writes more than" in hub.log.read_text("utf-8"), "cut"
        )
        viewer = await hub.attach()
        await until(lambda: "host:wild.finished" in viewer.hosts.counters, "it runs on")
        lines = hub.log.read_text("utf-8").splitlines()
        lies = [line for line in lines if line.endswith("keeper: a lie")]
        assert 0 < len(lies) < 500
        assert all(line.startswith("host:wild: ") for line in lies)
