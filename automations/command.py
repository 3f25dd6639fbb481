"""``safehold publish``: check a configuration folder, compile it, put it in force."""

import argparse
import asyncio
import sys
from pathlib import Path

from automations.publish import compile_checked, store, summary
from core import texts
from core.api.errors import ConfigError
from core.processes.acts import ArmConfig
from core.processes.caller import LinkEnded, ask_core
from core.processes.guest import NotRunning, ask

_ARM_S = 15.0


class NotArmed(Exception):
    """The hub refused a bundle, or did not answer; the last good one stays armed."""


def main(argv: list[str]) -> int:
    """Publish; exit status 0, 1 when the hub refuses, 2 when the files are wrong."""
    options = _options(argv)
    try:
        bundle, data = compile_checked(Path(options.folder))
    except (ConfigError, OSError) as bad:
        sys.stderr.write(f"{bad}\n")
        return 2
    sys.stdout.write(f"checked: {summary(bundle)}\n")
    if options.check:
        return 0
    folder = Path(options.data).resolve()
    try:
        digest = store(data, folder)
        asyncio.run(arm(folder, digest, options.wait))
    except NotRunning as nobody:
        sys.stderr.write(
            f"stored as {digest[:12]}, not armed: {nobody}; "
            f"with '--config {options.folder}' it arms this at its start\n"
        )
        return 1
    except (NotArmed, OSError, TimeoutError) as bad:
        sys.stderr.write(f"not armed, the last good configuration stays: {bad}\n")
        return 1
    sys.stdout.write(f"armed: {digest[:12]}\n")
    return 0


async def arm(data: Path, digest: str, wait_s: float = 0.0) -> None:
    """Ask the running hub to put a stored bundle in force.

    ``wait_s`` is how long a hub may still be starting. Raises NotRunning,
    NotArmed with the hub's own reason, or TimeoutError.
    """
    async with asyncio.timeout(_ARM_S + wait_s):
        while True:
            try:
                answer, socks = ask(data, {"op": "attach"})
            except NotRunning:
                if wait_s <= 0:
                    raise
            else:
                if answer["op"] == "done":
                    break
                if wait_s <= 0:
                    raise NotArmed(str(answer.get("detail", "the hub is starting")))
            wait_s -= 0.1
            await asyncio.sleep(0.1)
        try:
            reply = await ask_core("publish", ArmConfig(hash=digest), socks)
        except LinkEnded as ended:
            raise NotArmed(str(ended)) from ended
    if not reply.ok:
        raise NotArmed(texts.render(reply.code, dict(reply.params), "en"))


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold publish",
        description="Check a configuration folder, compile it and put it in force.",
    )
    parser.add_argument("folder", help="folder with site.yaml and its companions")
    parser.add_argument("--data", default="", help="folder of the hub's data")
    parser.add_argument("--check", action="store_true", help="only check")
    parser.add_argument("--wait", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if not options.check and not options.data:
        parser.error("--data names the hub's data folder (or give --check)")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
