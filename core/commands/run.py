"""``safehold run``: be the keeper of one data folder."""

import argparse
import os
import sys
from pathlib import Path

from core.clock import RealClock
from core.processes.keeper import AlreadyRunning, Keeper


def main(argv: list[str]) -> int:
    """Run the hub until a signal ends it; returns the exit status."""
    options = _options(argv)
    data = Path(options.data).resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _writable(data)
        keeper = Keeper(data, _greeting(options), _extra(options))
    except FileExistsError:
        sys.stderr.write(f"safehold run: --data {data}: a file, not a folder\n")
        return 2
    except OSError as error:
        why = error.strerror or str(error)
        sys.stderr.write(f"safehold run: --data {data}: {why}\n")
        return 2
    except AlreadyRunning as error:
        sys.stderr.write(f"safehold run: {error}; 'safehold stop' ends it\n")
        return 2
    return keeper.run()


def _writable(data: Path) -> None:
    """Refuse a folder without rights; a known site is protected all the same."""
    if os.access(data, os.W_OK | os.X_OK):
        return
    if not (data / "journal").is_dir():
        raise PermissionError("no right to write there: choose or chown a folder")
    sys.stderr.write(f"safehold run: {data} cannot be written: going on without\n")


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold run", description="Run the hub on a data folder."
    )
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument(
        "--config", default="", help="configuration folder to publish at the start"
    )
    parser.add_argument("--host", default="", help="address of the web page")
    parser.add_argument("--port", default="", help="port of the web page")
    parser.add_argument("--cert", default="", help="TLS certificate chain (PEM)")
    parser.add_argument("--key", default="", help="TLS key (PEM)")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="clock speed, 1 to 20 (for demos)"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=["archive", "discovery", "gateway", "notifier", "uplink"],
        help="leave a process out; may be repeated",
    )
    options = parser.parse_args(argv)
    if not 1.0 <= options.speed <= 20.0:
        parser.error(f"--speed {options.speed:g} is outside 1 to 20")
    return options


def _greeting(options: argparse.Namespace) -> dict[str, object]:
    """Return what every child is told; one clock's origin for all of them."""
    clock = RealClock()
    return {"clock": [options.speed, clock.mono_ns(), clock.wall_ns()]}


def _extra(options: argparse.Namespace) -> dict[str, object]:
    gateway = [
        part
        for name in ("host", "port", "cert", "key")
        if getattr(options, name)
        for part in (f"--{name}", getattr(options, name))
    ]
    return {
        "gateway": gateway,
        "without": options.without,
        "config": str(Path(options.config).resolve()) if options.config else "",
    }
