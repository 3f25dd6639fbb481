"""Listen as the hub does, and print the list of findings whenever it changes."""

import asyncio
import json
import sys

from core.api.packages import packages
from core.clock import RealClock
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.service import LISTENERS
from tests.unit.discovery.sightings import SIGNS


async def main() -> None:
    """Run the named listener until the end of standard input."""
    board = Board(RealClock())
    bundled = Signs(package.manifest for package in packages().values())
    signs = bundled if "--bundled" in sys.argv else SIGNS
    listener = LISTENERS[sys.argv[1]](signs, board)

    def tell() -> None:
        found = [
            {"key": f.key, "name": f.name, "address": f.address, "port": f.port}
            for f in board.findings()
        ]
        sys.stdout.write(json.dumps({"found": found}) + "\n")
        sys.stdout.flush()

    board.changed = tell
    tell()
    await listener.run()


if __name__ == "__main__":
    asyncio.run(main())
