"""A proxy between driver and simulator: it does to the wire what sites do.

For simulators that do not know these faults themselves: silent, garbage, slow, half,
and the connection dropped, stopped and begun again.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

FAULTS = frozenset({"silent", "garbage", "slow", "half"})
ACTS = frozenset({"drop", "stop", "start"})
_CHUNK = 1 << 16
_CONNECT_S = 5.0
#: Bytes of noise before each piece of the device's own.
_NOISE = 24


class Wire:
    """Pass one TCP port on, as well as the faults let it."""

    def __init__(self, host: str, port: int, seed: int = 1) -> None:
        self.host, self.target = host, port
        self.port = 0
        self.faults: dict[str, Any] = {}
        self._random = random.Random(seed)  # noqa: S311 - noise, no secret
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, self.host, self.port, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse and cut all; idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Cut every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with suppress(asyncio.CancelledError):  # by `stop`: the task's very end
            await self._join(reader, writer)

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(writer)
        far = None
        try:
            async with asyncio.timeout(_CONNECT_S):
                far_reader, far = await asyncio.open_connection(self.host, self.target)
            self._writers.add(far)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, far, spoil=False))
                group.create_task(self._pass_on(far_reader, writer, spoil=True))
        except* (OSError, TimeoutError, _Cut):
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        spoil: bool,
    ) -> None:
        """Hand bytes on; only what the device says is spoilt."""
        while data := await reader.read(_CHUNK):
            if self.faults.get("slow"):
                await asyncio.sleep(float(self.faults["slow"]))
            if self.faults.get("silent"):
                continue
            if spoil:
                data = self._spoilt(data)
            writer.write(data)
            await writer.drain()
            if spoil and self.faults.get("half"):
                raise _Cut
        raise _Cut

    def _spoilt(self, data: bytes) -> bytes:
        if self.faults.get("garbage"):
            return self._random.randbytes(_NOISE) + data
        if self.faults.get("half"):
            return data[: max(1, len(data) // 2)]
        return data


class _Cut(Exception):
    """One side has gone: the other goes too."""


class Wires:
    """Hold the proxies of one run, one for each port that the options name."""

    def __init__(self) -> None:
        self._wires: dict[tuple[str, int], Wire] = {}

    def __bool__(self) -> bool:
        return bool(self._wires)

    async def through(self, found: list[Any]) -> Callable[[Any], Any]:
        """Make a proxy for every place; return what changes a place to its proxy's."""
        for value in found:
            host, port = _place(value)
            if port and (host, port) not in self._wires:
                wire = self._wires[host, port] = Wire(host, port)
                await wire.start()
        return self._instead

    def _instead(self, value: Any) -> Any:
        wire = self._wires.get(_place(value))
        if wire is None:
            return value
        if isinstance(value, str):
            return f"{value.rpartition(':')[0]}:{wire.port}"
        return {**value, "port": wire.port} if isinstance(value, dict) else wire.port

    def fault(self, name: str, value: Any) -> None:
        """Set a fault of `FAULTS` on every wire; '' clears all."""
        for wire in self._wires.values():
            wire.faults = {name: value} if name else {}
            # What is on its way now would still be whole.
            if name in ("garbage", "half"):
                wire.drop()

    async def act(self, what: str) -> None:
        """Carry out an act of `ACTS` on every wire."""
        for wire in self._wires.values():
            if what == "drop":
                wire.drop()
            elif what == "stop":
                await wire.stop()
            else:
                await wire.start()

    async def close(self) -> None:
        """Take every proxy down."""
        for wire in self._wires.values():
            with suppress(OSError):
                await wire.stop()
        self._wires.clear()


def _place(value: Any) -> tuple[str, int]:
    """Return host and port of an option: a port, a map with one, or host:port."""
    if isinstance(value, dict):
        host = value.get("host", value.get("address", "127.0.0.1"))
        port = value.get("port", 0)
        return str(host), port if isinstance(port, int) else 0
    if isinstance(value, int) and not isinstance(value, bool):
        return "127.0.0.1", value
    if isinstance(value, str):
        host, _, port = value.rpartition(":")
        return host.strip("[]") or "127.0.0.1", int(port) if port.isdecimal() else 0
    return "", 0
