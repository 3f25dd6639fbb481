"""Hints from the machine's table of neighbours: whose maker an address tells."""

import asyncio
from pathlib import Path

from core.api.identity import key, mac_of
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Sighting

TABLE = Path("/proc/net/arp")
LOOK_S, TTL_S = 5.0, 600.0
_MAX_LINES, _COMPLETE = 4_096, 0x2


def parse(text: str) -> list[tuple[str, str]]:
    """Return (address, hardware address) of the neighbours that answered."""
    found = []
    for line in text.splitlines()[1:_MAX_LINES]:
        words = line.split()
        if len(words) < 6:
            continue
        try:
            flags = int(words[2], 16)
        except ValueError:
            continue
        mac = mac_of(words[3])
        if mac and flags & _COMPLETE:
            found.append((words[0][:45], mac))
    return found


class NeighbourListener:
    """Read the table, and nothing else, until cancelled; OSError without one."""

    name = "dhcp"

    def __init__(self, signs: Signs, board: Board, table: Path = TABLE) -> None:
        self._signs, self._board, self._table = signs, board, table

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                self.look()
                await asyncio.sleep(LOOK_S)
        finally:
            self._board.forget("dhcp:")

    def look(self) -> None:
        """Take what stands in the table; raises OSError."""
        for address, mac in parse(self._table.read_text("ascii", "replace")):
            matches = self._signs.dhcp(mac)
            if matches:
                self._board.seen(
                    Sighting(
                        source=f"dhcp:{mac}",
                        kind="dhcp",
                        slot="dhcp",
                        name="",
                        address=address,
                        keys=(key("mac", mac),),
                        facts={"mac": mac},
                        matches=matches,
                        hint=True,
                    ),
                    TTL_S,
                )
