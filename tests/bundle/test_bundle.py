"""The offline bundle installs the hub without root and without a network."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "{}.{}".format(*sys.version_info)
pytestmark = [pytest.mark.timeout(600)]


def run(
    *command: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with all that it says."""
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=500, env=env
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack a bundle for the running Python and unpack it."""
    out = tmp_path_factory.mktemp("bundle")
    done = run(ROOT / "script/bundle", "--python", PYTHON, "--out", out)
    if done.returncode and ("ConnectionError" in done.stderr or "HTTP" in done.stderr):
        pytest.skip("packing needs the package index, which is out of reach")
    assert done.returncode == 0, done.stderr
    archive = Path(done.stdout.split()[-1])
    with tarfile.open(archive) as packed:
        packed.extractall(out, filter="data")
    return out / archive.name.removesuffix(".tar.gz")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a new user: a home, a path, and no package index."""
    return {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.base_prefix, 'bin')}:{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
    }


def test_bundle_installs_without_network(bundle: Path, bare: dict[str, str]) -> None:
    """Issue: without root or internet one bundle installs the hub as a service."""
    done = run(bundle / "install.sh", "--no-start", env=bare)
    assert done.returncode == 0, done.stderr
    home = Path(bare["HOME"])
    told = run(home / ".local/bin/safehold", "--version", env=bare)
    assert told.returncode == 0, told.stderr
    assert (bundle / "VERSION").read_text(encoding="ascii").strip() in told.stdout
    unit = home / ".config/systemd/user/safehold.service"
    text = unit.read_text(encoding="utf-8")
    assert "WatchdogSec=" in text
    assert "Type=notify" in text
    assert "@HOME@" not in text


def test_second_install_keeps_what_is_there(bundle: Path, bare: dict[str, str]) -> None:
    """A hub that runs is not changed under its feet by the same bundle."""
    for _ in range(2):
        assert run(bundle / "install.sh", "--no-start", env=bare).returncode == 0
        share = Path(bare["HOME"], ".local/share/safehold")
        (share / "data" / "kept").touch()
        (share / "app" / "same").touch()
    assert sorted(p.name for p in share.glob("app/same")) == ["same"]
    assert (share / "data" / "kept").exists()
    assert len(list(share.glob("app-*"))) == 1


def test_bundle_lists_every_licence(bundle: Path) -> None:
    """Issue: wheels, web app, licence list."""
    rows = (bundle / "LICENCES.txt").read_text(encoding="utf-8").splitlines()
    assert all(len(row.split("\t")) == 3 and row.split("\t")[2] for row in rows)
    listed = {row.split()[0].lower().replace("_", "-") for row in rows}
    wheels = {
        p.name.split("-")[0].lower().replace("_", "-")
        for p in (bundle / "wheels").glob("*.whl")
    }
    assert wheels <= listed
    assert (bundle / "licences" / "msgspec").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_missing_serial_permission_is_answered_with_the_command(
    bundle: Path, bare: dict[str, str]
) -> None:
    """Issue: a missing permission is answered with the command that grants it."""
    for folder in (bundle, *bundle.parents[:2]):
        folder.chmod(0o755)
    stranger = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = run(*stranger, bundle / "install.sh", "--check", env=bare)
    assert done.returncode == 0, done.stderr
    assert "sudo usermod -aG " in done.stdout
