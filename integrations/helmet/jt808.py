"""The server that helmets of JT/T 808 dial."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from core.api import Command, DeviceError, Host
from integrations.helmet.session import Session
from integrations.helmet.terminal import Terminal, plain

#: Connections at once, of terminals and of strangers.
MAX_SESSIONS: Final = 1_000
#: Terminals remembered that no configuration lists.
MAX_UNLISTED: Final = 1_000


class Jt808:
    """Listen, and know every terminal that ever proved itself here."""

    def __init__(
        self, host: Host, options: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> None:
        self.host, self._options, self._secrets = host, options, secrets
        self.terminals: dict[str, Terminal] = {}
        self._strangers: dict[str, Terminal] = {}
        self.sessions: set[Session] = set()
        for each in options["terminals"]:
            terminal = self._make(each["phone"])
            self.terminals[terminal.phone] = terminal
            terminal.worn.declare()

    async def run(self) -> None:
        """Serve until cancelled; DeviceError when the port cannot be had."""
        place = self._options["host"], self._options["port"]
        try:
            server = await asyncio.start_server(self._connected, *place, backlog=100)
        except OSError as error:
            raise DeviceError(f"port {place[1]} cannot be opened: {error}") from error
        try:
            async with server:
                await server.serve_forever()
        finally:
            for session in list(self.sessions):
                session.close()
            for terminal in self.terminals.values():
                await terminal.close()

    def _make(self, phone: str) -> Terminal:
        return Terminal(self.host, phone, self._options, self._secrets)

    def terminal(self, phone: str) -> Terminal:
        """Return a terminal by its number; one that is new is a stranger still."""
        key = plain(phone)
        found = self.terminals.get(key) or self._strangers.get(key)
        if found is None:
            while len(self._strangers) >= MAX_UNLISTED:
                del self._strangers[next(iter(self._strangers))]
            found = self._strangers[key] = self._make(phone)
        return found

    def joined(self, terminal: Terminal, session: Session) -> None:
        """Take a terminal's newest connection; the one before it is over."""
        self._strangers.pop(terminal.phone, None)
        self.terminals[terminal.phone] = terminal
        before, terminal.session = terminal.session, session
        if before is not None and before is not session:
            before.close()

    async def command(self, command: Command) -> bool:
        """Carry a command out; False when the device is none of this door."""
        for terminal in self.terminals.values():
            if terminal.worn.uid == command.device_uid:
                await terminal.command(command)
                return True
        return False

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if len(self.sessions) >= MAX_SESSIONS:
            self.host.count("helmet.too_many")
            writer.close()
            return
        session = Session(self, reader, writer)
        self.sessions.add(session)
        try:
            why = await session.run()
        finally:
            self.sessions.discard(session)
        terminal = session.terminal
        if terminal is not None and terminal.session is session:
            terminal.session = None
            terminal.worn.lost(why)

    def diagnostics(self) -> dict[str, Any]:
        """Return what each terminal did; its number is cut, its codes are absent."""
        return {
            "port": self._options["port"],
            "connections": len(self.sessions),
            "terminals": [
                {
                    "uid": f"…{terminal.phone[-4:]}",
                    "up": terminal.worn.up,
                    **terminal.worn.counters,
                }
                for terminal in list(self.terminals.values())[:200]
            ],
        }
