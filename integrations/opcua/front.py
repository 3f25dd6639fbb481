"""The simulator's front door: a TCP relay that can be silent, slow, rude or shut."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from core.api.clock import AsyncClock

_CHUNK = 65_536


class Front:
    """Relay one port to another, with what is wrong on the way back."""

    def __init__(self, host: str, port: int, behind: int, timer: AsyncClock) -> None:
        self.host, self.port, self._behind = host, port, behind
        self.faults: dict[str, Any] = {}
        self._timer = timer
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; a second start changes nothing."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, self.host, self.port, limit=_CHUNK
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()

    def drop(self) -> None:
        """Cut all connections, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    def fault(self, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        self.faults = dict(faults)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._open.add(writer)
        try:
            there = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            self._open.discard(writer)
            writer.close()
            return
        self._open.add(there[1])
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, there[1]))
                group.create_task(self._back(there[0], writer))
        except* OSError:
            pass  # cut on one side or the other: both are closed below
        finally:
            for each in (writer, there[1]):
                self._open.discard(each)
                each.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.faults.get("silent"):
                continue
            waited = 0.0
            while waited < float(self.faults.get("slow") or 0):
                await self._timer.sleep(0.05)
                waited += 0.05
            if self.faults.get("garbage"):
                data = os.urandom(len(data))
            if self.faults.get("half"):
                writer.write(data[: len(data) // 2])
                await writer.drain()
                break
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError
