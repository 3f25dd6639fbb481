"""Drivers that fail, hang or turn for ever: they cost their own zone, nobody else's."""

import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from core.response.events import CommandIssued, CommandMoved
from tests.process.test_config_faults import published
from tests.support.site import RunningHub, Viewer
from tests.support.waiting import until

STUCK = Path(__file__).parent / "stuck"
RUNS = ("run_fail", "run_hang", "run_spin")
COMMANDS = ("command_fail", "command_hang", "command_spin")
SITE = """
site: {id: s, names: {en: S, zh: 站}, language: en}
levels: [{id: l, names: {en: L, zh: 层}, z: 0}]
zones:
  - {id: well, names: {en: W, zh: 好}, level: l, polygon: [[0,0],[9,0],[9,9]]}
  - {id: ill, names: {en: I, zh: 坏}, level: l, polygon: [[20,0],[29,0],[29,9]]}
people:
  - {id: own, name: Own, roles: [owner]}
  - {id: sam, name: Sam, roles: [safety_officer, issuer, guardian, supervisor]}
notify:
  - id: gas
    steps: [{roles: [safety_officer], channels: [screen], respond_within: 60s}]
automations:
  - id: gas-response
    blueprint: gas-alarm-response
    input: {zones: [well], chain: gas}
"""

pytestmark = pytest.mark.timeout(180)


def written() -> str:
    """Write a site of a good driver, and of every bad one beside it."""
    hosts, devices = [], []
    for how in ("well", *RUNS, *COMMANDS):
        name = how.replace("_", "-")
        hosts.append(f"  - {{id: {name}, integration: stuck, options: {{how: {how}}}}}")
        zone = "ill" if how in RUNS else "well"
        siren = f"{{kind: siren, ex_rated: true, contact_zone: {zone}}}"
        devices.append(
            f"  - {{integration: {name}, uid: meter-{how}, zone: {zone}, lost: 4s,"
            f" critical: [gas], outputs: {{siren: {siren}}}}}"
        )
    return "\n".join([SITE, "integrations:", *hosts, "devices:", *devices]) + "\n"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """Run a hub with all of them."""
    folder = tmp_path / "config"
    shutil.copytree(STUCK, folder / "custom_integrations" / "stuck")
    (folder / "site.yaml").write_text(written(), "utf-8")
    async with RunningHub(tmp_path / "data") as hub:
        assert await published(str(folder), "--data", str(hub.data)) == 0
        yield hub


class Seen:
    """Ask a viewer about drivers by their failure."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def states(self, how: str) -> set[str]:
        """Return the states that the siren's commands went through."""
        registry, events = self.viewer.state.registry, self.viewer.events
        of = {d.id for d in registry.devices.values() if d.uid == f"meter-{how}"}
        mine = {
            body.command_id
            for body, _ in events
            if isinstance(body, CommandIssued)
            and registry.entities[body.entity_id].device_id in of
        }
        return {
            body.state
            for body, _ in events
            if isinstance(body, CommandMoved) and body.command_id in mine
        }

    def ended(self, how: str) -> bool:
        """Say whether the siren's command came to an end that is told."""
        return bool(self.states(how) & {"failed", "expired"})

    def told(self, host: str) -> bool:
        """Say whether a host's fault was raised."""
        raised = [
            body for body, _ in self.viewer.events if body.name_ == "alarm.raised"
        ]
        return any(
            (getattr(body, "kind", ""), getattr(body, "source", ""))
            == ("fault.host", host)
            for body in raised
        )


async def test_bad_drivers_keep_no_alarm_from_acting(hub: RunningHub) -> None:
    """Issue §Tests: an exception, a hang and an endless loop in a driver."""
    viewer = await hub.attach()
    seen = Seen(viewer)
    await until(lambda: "confirmed" in seen.states("well"), "the good siren sounds")
    # The others are proven by a fault each, and never taken for sounding.
    for how in COMMANDS:
        await until(partial(seen.ended, how), how)
    for how in ("run_hang", "run_spin", "command_hang", "command_spin"):
        host = f"host:{how.replace('_', '-')}"
        await until(partial(seen.told, host), f"{host} is told")
        await until(partial(again, hub, host), f"{host} afresh")
    await until(lambda: "ill" in viewer.hosts.unmonitored, "its zone is unmonitored")
    await until(
        lambda: viewer.hosts.counters.get("host:run-fail.driver_error", 0) >= 2,
        "a failing driver is tried again",
    )
    assert hub.child("core")["starts"] == 1
    assert hub.child("host:well")["starts"] == 1
    await gas_goes_on(viewer)


def again(hub: RunningHub, host: str) -> bool:
    """Say whether the keeper has started a host afresh."""
    return bool(hub.child(host)["starts"] >= 2)


async def gas_goes_on(viewer: Viewer) -> None:
    """The good meter's readings come all the while."""

    def last() -> int:
        entities = viewer.state.registry.entities.values()
        devices = viewer.state.registry.devices
        gas = next(
            e.id
            for e in entities
            if e.declared.uid == "gas" and devices[e.device_id].uid == "meter-well"
        )
        row = viewer.live.get(gas)
        return row.received_wall_ns if row is not None and row.quality == 0 else 0

    await until(lambda: last() > 0, "a reading")
    before = last()
    await until(lambda: last() > before, "a newer reading")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("raise ZeroDivisionError('a form of mistakes')", "ZeroDivisionError"),
        ("while True: pass", "no answer within"),
        ("import threading; threading.Event().wait()", "no answer within"),
    ],
)
async def test_a_form_that_does_not_answer_is_refused(
    tmp_path: Path,
    form: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An exception, an endless loop and a hang in the form of the options."""
    monkeypatch.setattr("automations.integrations._ANSWER_S", 3.0)
    folder = tmp_path / "config"
    package = folder / "custom_integrations" / "stuck"
    shutil.copytree(STUCK, package)
    flow = package / "flow.py"
    text = flow.read_text("utf-8")
    flow.write_text(text.replace("    return", f"    {form}\n    return"), "utf-8")
    (folder / "site.yaml").write_text(written(), "utf-8")
    assert await published(str(folder), "--check") == 2
    assert said in capsys.readouterr().err
