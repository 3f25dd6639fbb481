"""The kit's proxy: what it does to the wire, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from integrations.runtime.kit.wire import Wires

WORDS = b"thirty-two bytes of a good frame"


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def through() -> AsyncIterator[tuple[Wires, int]]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wires = Wires()
    change = await wires.through([port])
    try:
        yield wires, change(port)
    finally:
        await wires.close()
        server.close()


async def heard(port: int, size: int = 1000) -> bytes:
    """Say the words and return what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(WORDS)
    try:
        async with asyncio.timeout(20):
            return await reader.read(size)
    finally:
        writer.close()


async def test_it_passes_on_what_is_said() -> None:
    async with through() as (_, port):
        assert await heard(port) == WORDS


async def test_garbage_and_half_frames() -> None:
    async with through() as (wires, port):
        wires.fault("garbage", True)
        noise = await heard(port)
        assert len(noise) > len(WORDS) and not noise.startswith(WORDS)
        wires.fault("half", True)
        assert await heard(port) == WORDS[: len(WORDS) // 2]
        wires.fault("", None)
        assert await heard(port) == WORDS


async def test_silence_says_nothing_and_cuts_nothing() -> None:
    async with through() as (wires, port):
        wires.fault("silent", True)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WORDS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        wires.fault("", None)
        writer.write(WORDS)
        assert await reader.read(1000) == WORDS
        writer.close()


async def test_stop_refuses_and_start_serves_at_the_same_place() -> None:
    async with through() as (wires, port):
        await wires.act("stop")
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        await wires.act("start")
        assert await heard(port) == WORDS


async def test_every_way_to_name_a_place() -> None:
    async with through() as (wires, port):
        change = await wires.through([f"127.0.0.1:{port}"])
        text = change(f"127.0.0.1:{port}")
        assert text.startswith("127.0.0.1:") and text != f"127.0.0.1:{port}"
        assert change({"host": "127.0.0.1", "port": port, "tls": False})["port"] != port
        assert change("elsewhere:1") == "elsewhere:1"
