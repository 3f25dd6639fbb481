"""``safehold key``: list devices' keys; agree to one, or revoke it, at the hub itself.

Who may run it is the hub's own system user. It stands in for the second person
where a site has nobody left who could agree to a new key.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from core.clock import RealClock
from core.people.acts import Act
from core.people.keys_acts import ApproveKey, RevokeKey
from core.processes.guest import NotRunning
from core.texts.sentences import add_option
from frontend_api.ledgers.apply import NotDone
from frontend_api.ledgers.site import Site, attached


def main(argv: list[str]) -> int:
    """Do what the line says; status 0, 1 when it is refused, 2 without a hub."""
    options = _options(argv)
    try:
        return asyncio.run(_run(options, Path(options.data).resolve()))
    except NotDone as no:
        sys.stderr.write(f"safehold key: {no}\n")
        return 1
    except (NotRunning, OSError) as bad:  # TimeoutError is an OSError
        sys.stderr.write(f"safehold key: {bad}\n")
        return 2


async def _run(options: argparse.Namespace, data: Path) -> int:
    async with attached(data, RealClock(), options.by, options.language) as site:
        if options.do == "list":
            _list(site)
            return 0
        acts: dict[str, Act] = {
            "approve": ApproveKey(key_id=options.key),
            "revoke": RevokeKey(key_id=options.key, why="by_hand"),
        }
        await site.act(acts[options.do])
    sys.stdout.write(f"{options.do}: {options.key}\n")
    return 0


def _list(site: Site) -> None:
    for key in site.replica.state.people.keys.keys.values():
        standing = key.revoked or ("pending" if key.pending else "active")
        owner = key.person_id or "-"
        sys.stdout.write(f"{key.id} {owner} {standing} {key.device} {key.label}\n")


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="safehold key", description="List, agree to or revoke devices' keys."
    )
    parser.add_argument("do", choices=("list", "approve", "revoke"))
    parser.add_argument("key", nargs="?", default="", help="id of the key")
    parser.add_argument("--data", required=True, help="folder of the hub's data")
    parser.add_argument("--by", default="", help="in whose name, by id")
    add_option(parser)
    options = parser.parse_args(argv)
    if options.do != "list" and not (options.key and options.by):
        parser.error("name the key, and --by in whose name it is done")
    return options
