"""The simulator as a process, and the person who aligns a camera before it."""

import getpass
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integrations.camera import look, scene
from tests.protocol.camera_site import SECRET, camera


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    file = tmp_path / "cameras.yaml"
    cameras = [camera("gate", picture="snapshot", events=[])]
    given = {"cameras": cameras, "secrets": {"camera.password": SECRET}}
    file.write_text(yaml.safe_dump(given), "utf-8")
    command = [sys.executable, "-m", "integrations.camera.simulator"]
    with subprocess.Popen(
        [*command, "--options", str(file), "--stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()  # whoever steers it has gone
            assert process.wait(20) == 0


def _said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


def _tell(process: "subprocess.Popen[str]", **request: Any) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    return _said(process)


def test_a_person_takes_a_picture_and_a_reference(
    simulator: "subprocess.Popen[str]",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Privacy: one picture, where the person said, for that person alone."""
    ready = _said(simulator)
    assert ready["event"] == "ready"
    assert ready["secrets"] == {"camera.password": SECRET}
    assert SECRET not in json.dumps(ready["options"])
    assert _tell(simulator, device="gate", set={"brightness": 50}) == {"ok": True}
    assert "error" in _tell(simulator, device="nobody", set={"brightness": 1})
    assert "error" in _tell(simulator, device="gate", fault={"hungry": True})
    assert "error" in _tell(simulator, do="dance")
    options, wanted = tmp_path / "options.yaml", tmp_path / "gate.jpg"
    options.write_text(yaml.safe_dump(ready["options"]), "utf-8")
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: SECRET)
    monkeypatch.setattr(
        sys, "argv", ["look", str(options), "gate", "--picture", str(wanted)]
    )
    assert look.main() == 0
    line = capsys.readouterr().out.strip()
    (reference,) = yaml.safe_load(line)["reference"]
    assert scene.reference(reference).shape == (scene.ROWS, scene.COLUMNS)
    assert wanted.read_bytes().startswith(b"\xff\xd8")
    assert wanted.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: "wrong")
    assert look.main() == 1
    monkeypatch.setattr(sys, "argv", ["look", str(options), "shed"])
    assert look.main() == 2
