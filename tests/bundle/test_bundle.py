"""The offline bundle installs the hub without root and without a network."""

import os
import re
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "{}.{}".format(*sys.version_info)
# One group: the bundle is packed once, by one worker.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("bundle")]


def run(
    *command: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with all that it says."""
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
        env=env,
        cwd=cwd,
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


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a new user: a home, a path, and no package index."""
    return {
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PATH": f"{Path(sys.base_prefix, 'bin')}:{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
    }


@pytest.fixture(scope="module")
def share(bundle: Path, bare: dict[str, str]) -> Path:
    """Install the bundle as a new user; return where it went."""
    done = run(bundle / "install.sh", "--no-start", env=bare)
    assert done.returncode == 0, done.stderr
    return Path(bare["HOME"], ".local/share/safehold")


def test_bundle_installs_without_network(
    bundle: Path, share: Path, bare: dict[str, str]
) -> None:
    """Issue: without root or internet one bundle installs the hub as a service."""
    home = Path(bare["HOME"])
    unit = (home / ".config/systemd/user/safehold.service").read_text(encoding="utf-8")
    for line in (
        "Type=notify",
        "WatchdogSec=",
        f'ExecStart="{share}/app/bin/safehold"',
    ):
        assert line in unit
    assert "@HOME@" not in unit
    assert stat.S_IMODE((share / "data").stat().st_mode) == 0o700
    told = run(home / ".local/bin/safehold", "--version", env=bare)
    assert told.returncode == 0, told.stderr
    assert (bundle / "VERSION").read_text(encoding="ascii").strip() in told.stdout


def test_second_install_keeps_what_is_there(
    bundle: Path, share: Path, bare: dict[str, str]
) -> None:
    """A hub that runs is not changed under its feet by the same bundle."""
    for kept in (share / "data" / "kept", share / "app" / "kept"):
        kept.touch()
    assert run(bundle / "install.sh", "--no-start", env=bare).returncode == 0
    assert (share / "data" / "kept").exists()
    assert (share / "app" / "kept").exists()
    assert len(list(share.glob("app-*"))) == 1


def plain(name: str) -> str:
    """Return a library's name in the one spelling of all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_bundle_lists_every_licence(bundle: Path) -> None:
    """Issue: wheels, web app, licence list."""
    rows = (bundle / "LICENCES.txt").read_text(encoding="utf-8").splitlines()
    assert all(len(row.split("\t")) == 3 and row.split("\t")[2] for row in rows)
    listed = {plain(row.split()[0]) for row in rows}
    wheels = {plain(p.name.split("-")[0]) for p in (bundle / "wheels").glob("*.whl")}
    assert wheels <= listed
    assert (bundle / "licences" / "msgspec").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_missing_serial_permission_is_answered_with_the_command() -> None:
    """Issue: a missing permission is answered with the command that grants it."""
    installer = (ROOT / "hub_image/bundle/install.sh").read_text(encoding="utf-8")
    done = run(
        *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
        *("sh", "-c", installer, "install.sh", "--check"),
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]},
        # Nobody may not enter a folder that is its owner's alone.
        cwd=Path("/"),
    )
    assert done.returncode == 0, done.stderr
    assert "sudo usermod -aG " in done.stdout
