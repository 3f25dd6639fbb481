"""The kit finds out what is wrong: whole integrations with one fault each.

Each begins as `safehold new-integration` writes it, which passes everything, and is
then made worse in one place.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integrations.runtime.kit.new import create

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("kit"),
]


def prove(site: Path, *only: str) -> dict[str, dict[str, Any]]:
    """Run the kit on it; return its findings by check, the whole under ''."""
    command = [sys.executable, "-m", "core.cli", "conformance", "acme", "--json"]
    command += ["--site", str(site)]
    for name in only:
        command += ["--only", name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=_clean()
    )
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    return {"": report, **{each["check"]: each for each in report["results"]}}


def _clean() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": ""}


def spoil(site: Path, file: str, old: str, new: str) -> None:
    """Make the integration worse in one place."""
    path = site / "custom_integrations" / "acme" / file
    text = path.read_text("utf-8")
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new), "utf-8")


BEAT = "if frame.seq <= self._seq:"
CASES: dict[str, tuple[tuple[str, str, str], str, str]] = {
    "believes whatever is old": (
        ("integration.py", BEAT, "if False:"),
        "replay",
        "was GOOD with",
    ),
    "does not see that it stands still": (
        ("integration.py", BEAT, "if frame.seq < self._seq:"),
        "frozen",
        "expected stale",
    ),
    "never grows old": (
        ("integration.py", "max_age_s=SILENT_S,\n            critical", "critical"),
        "heartbeat and ages",
        "above three heartbeats",
    ),
    "waits for ever": (
        ("integration.py", "SILENT_S = 1.5", "SILENT_S = 60.0"),
        "silent",
        "12.5 GOOD",
    ),
    "counts no bad input": (
        ("integration.py", "self.host.count(", "print("),
        "bad input counted",
        "counted none",
    ),
    "dies of garbage": (
        ("wire.py", "except (msgspec.MsgspecError, UnicodeError, Rec", "except (Rec"),
        "parsers fuzzed",
        "DecodeError",
    ),
    "tells its secret in the log": (
        (
            "integration.py",
            'writer.write(json.dumps({"token"',
            'print(token, flush=True)\n            writer.write(json.dumps({"token"',
        ),
        "diagnostics",
        "the log tells the secret",
    ),
    "says nothing of wrong credentials": (
        ("integration.py", "raise AuthError(", "raise DeviceError("),
        "wrong credentials",
        "no link_state with 'auth'",
    ),
    "takes another identity with each start": (
        (
            "integration.py",
            'uid="siren",',
            "uid=f\"siren-{self.host.options['port']}\",",
        ),
        "moved, same identity",
        "new identities",
    ),
}
#: A whole run of each: what is only told beside the others.
WHOLE = {"bad input counted"}


@pytest.mark.parametrize("name", CASES)
def test_it_finds_out(name: str, tmp_path: Path) -> None:
    """Issue §4: never GOOD with a wrong value, loss told in time, secrets kept."""
    create("acme", tmp_path)
    (file, old, new), check, told = CASES[name]
    words = [each.replace("@", "acme") for each in (old, new)]
    spoil(tmp_path, file, *words)
    others = ("garbage", "half") if check in WHOLE else ()
    found = prove(tmp_path, *others, check)
    assert found[check]["outcome"] == "failed", found
    assert told in found[check]["why"]


def test_it_holds_an_integration_to_what_its_manifest_states(tmp_path: Path) -> None:
    """A proof test that the guide does not tell is no S5."""
    create("acme", tmp_path)
    spoil(tmp_path, "README.md", "## Proof test", "## Afterwards")
    found = prove(tmp_path)
    assert not found[""]["holds"]
    assert (found[""]["grade"], found[""]["step"]) == ("platinum", "S4")
    failed = [k for k, v in found.items() if k and v["outcome"] == "failed"]
    assert failed == ["proof test in the guide"]


def test_it_refuses_what_the_manifest_does_not_state(tmp_path: Path) -> None:
    create("acme", tmp_path)
    spoil(tmp_path, "manifest.yaml", "kinds: [gas, output]", "kinds: [output]")
    found = prove(tmp_path, "devices declared")
    assert "beyond the manifest: kind:gas" in found["devices declared"]["why"]
