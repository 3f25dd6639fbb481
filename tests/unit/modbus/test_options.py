"""Options, manifest, texts, permissions: what a site writes and what it is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol
import yaml

from core.api import ConfigError
from core.texts import LANGUAGES, catalogue, render
from integrations import modbus
from integrations.modbus import bus, flow
from integrations.modbus.integration import ModbusIntegration
from tests.support.host import FakeHost

FOLDER = Path(modbus.__file__).parent
XNX = {
    "unit": 3,
    "profile": "honeywell-xnx",
    "uid": "xnx-3",
    "quantities": {"gas": "h2s"},
}
MIDAS = {**XNX, "profile": "honeywell-midas", "uid": "midas-1"}


def site(*devices: dict[str, Any], **bus_: Any) -> dict[str, Any]:
    place = bus_ or {"tcp": "192.0.2.7:502"}
    return {"buses": [{"id": "b1", **place, "devices": list(devices)}]}


def test_options_of_a_small_site_pass() -> None:
    """The shape that the documentation shows."""
    checked = flow.schema()(site(XNX, serial={"port": "/dev/ttyUSB0", "parity": "E"}))
    assert checked["buses"][0]["devices"][0]["uid"] == "xnx-3"


@pytest.mark.parametrize(
    ("options", "path", "says"),
    [
        (site({**XNX, "profile": "xnx"}), "profile", "there is no 'xnx'"),
        (site({**XNX, "unit": 300}), "unit", "expected 0-255"),
        (site({**XNX, "unit": 0}, serial={"port": "/dev/x"}), "unit", "1-247"),
        (site(XNX, {**XNX, "uid": "two"}), "unit", "unit 3"),
        (site(XNX, {**XNX, "unit": 4}), "uid", "another device too"),
        (site(XNX, tcp="192.0.2.7"), "tcp", "host:port"),
        (site(XNX, tcp=""), "tcp", "expected a text"),
        (site({**XNX, "quantities": {}}), "devices", "quantities: {gas: h2s}"),
        (site(MIDAS), "devices", "units: {gas: ppm}"),
        (site({**XNX, "outputs": {"gas": "siren"}}), "gas", "no such entity"),
        (site({**XNX, "units": {"gsa": "ppm"}}), "gsa", "no such entity 'gsa'"),
        ({"buses": []}, "buses", "length"),
    ],
)
def test_fault_in_the_options_names_the_place(
    options: dict[str, Any], path: str, says: str
) -> None:
    """Publishing: the path leads to line and column, the text to the mend."""
    with pytest.raises(vol.MultipleInvalid) as caught:
        flow.schema()(options)
    error = caught.value.errors[0]
    assert says in error.error_message
    assert path in [str(part) for part in error.path]


async def test_integration_refuses_options_with_their_place() -> None:
    """ConfigError: stopped until the configuration changes."""
    with pytest.raises(ConfigError, match=r"buses\.0\.devices\.0\.unit"):
        ModbusIntegration(FakeHost(site({**XNX, "unit": -1})))


async def test_diagnostics_hide_the_network() -> None:
    """Support sees counters, not the site's addresses."""
    options = site({**MIDAS, "units": {"gas": "ppm"}}, tcp="gas.plant.example:502")
    told = json.dumps(ModbusIntegration(FakeHost(options)).diagnostics())
    assert "midas-1" in told
    assert "honeywell-midas v1" in told
    assert "plant" not in told


def test_missing_serial_permission_names_group_and_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered with the command that grants it."""
    port = tmp_path / "ttyUSB0"
    port.touch()
    assert bus.serial_problem(str(port)) is None
    # Root may open everything, so the answer of the kernel is put in its mouth.
    monkeypatch.setattr("os.access", lambda *_: False)
    problem = bus.serial_problem(str(port))
    assert problem is not None and problem.reason == "modbus.serial_permission"
    group = port.group()
    assert problem.params["command"] == f"sudo usermod -aG {group} $USER"
    assert f"`sudo usermod -aG {group} $USER`" in str(problem)
    text = render(problem.reason, problem.params, "en")
    assert f"sudo usermod -aG {group} $USER" in text


def test_missing_serial_port_is_told() -> None:
    """Errors name the place."""
    problem = bus.serial_problem("/dev/serial/by-id/none")
    assert problem is not None and problem.reason == "modbus.serial_missing"


def test_every_reason_has_its_sentences() -> None:
    """Codes of driver and profiles, in Chinese and English."""
    used = set()
    for file in FOLDER.rglob("*.py"):
        used |= set(re.findall(r'"modbus\.([a-z_]+)"', file.read_text("utf-8")))
    verdict = re.compile(
        r"\b(?:uncertain|test|inhibited|stale|fault|not_present):([a-z_]+)"
    )
    for file in FOLDER.rglob("*.yaml"):
        used |= set(verdict.findall(file.read_text("utf-8")))
    used |= {f"exception_{n}" for n in range(1, 12)}
    known = catalogue()
    for code in sorted(used):
        assert set(known[f"modbus.{code}"]) == set(LANGUAGES), code
    ours = json.loads((FOLDER.parents[1] / "core/texts/modbus.json").read_text("utf-8"))
    assert {f"modbus.{code}" for code in used} == set(ours), "sentences nobody says"


def test_manifest_states_what_the_core_may_accept() -> None:
    """Plugin contract: kinds, places, latency, heartbeat, fail-safe."""
    manifest = yaml.safe_load((FOLDER / "manifest.yaml").read_text("utf-8"))
    assert manifest["integration"].endswith(":ModbusIntegration")
    assert set(manifest["names"]) == {"zh", "en"}
    assert manifest["kinds"] == ["gas", "sensor", "binary", "output"]
    assert manifest["worst_case_latency_s"] > 0
