"""An empty site finds its devices, is enrolled over the API, and meets its incident.

Issue 5, "Done when": nothing is configured but the place, its people and its rules.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core import config
from core.processes.events import ConfigArmed
from core.registry.events import DeviceEnrolled
from core.registry.secrets import NAME
from demo.stage import HERE
from frontend_api.commands.story import Story

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of a site that was set up and met its incident."""
    data = tmp_path_factory.mktemp("empty") / "data"
    words = ["demo", "--once", "--empty", "--data", str(data), "--speed", "6"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "core.cli", *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "all in order" in done.stdout
    return data


def test_it_began_with_nothing_and_everything_was_proved(day: Path) -> None:
    told = list(Story(day).tell())
    armed = [kept.body.hash for kept in told if isinstance(kept.body, ConfigArmed)]
    bundles = [
        config.load((day / "bundles" / f"{each}.bundle").read_bytes()) for each in armed
    ]
    assert (bundles[0].integrations, bundles[0].devices) == ((), ())
    made = {each.id: each.made for each in bundles[-1].integrations}
    assert made == {"modbus": "hub", "mqtt": "hub"}
    enrolled = {
        kept.body.device.uid: kept
        for kept in told
        if isinstance(kept.body, DeviceEnrolled) and kept.body.proof is not None
    }
    text = (HERE / "site" / "devices.yaml").read_text("utf-8")
    assert set(enrolled) == {each["uid"] for each in yaml.safe_load(text)["devices"]}
    for kept in enrolled.values():
        assert kept.envelope.cause.actor == "person:zhao"


def test_the_relays_contacts_are_where_the_technician_said(day: Path) -> None:
    """What is stated at the enrolment counts as a file's word (requirement 1.15)."""
    (relays,) = (
        kept.body
        for kept in Story(day).tell()
        if isinstance(kept.body, DeviceEnrolled)
        and kept.body.device.uid == "relays-1"
        and kept.body.proof is not None
    )
    outputs = {each.uid: each.output for each in relays.device.entities}
    fan = outputs["ch2"]
    assert fan is not None
    assert (fan.ex_rated, fan.contact_zone, fan.outside_air) == (True, "yard", True)


def test_no_secret_left_its_store(day: Path) -> None:
    """Secrets stand in one 0600 file: not in bundle, journal, log or draft."""
    store = day / "keys" / NAME
    assert store.stat().st_mode & 0o777 == 0o600
    secrets = [value.encode() for value in json.loads(store.read_text()).values()]
    assert secrets
    # The broker's own password file holds hashes and is not the hub's to share.
    for file in day.rglob("*"):
        if file.is_file() and "keys" not in file.relative_to(day).parts:
            data = file.read_bytes()
            assert not [value for value in secrets if value in data], file
