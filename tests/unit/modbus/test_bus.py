"""The library may hang or swallow a cancellation; the hub does neither."""

import asyncio
from typing import Any

import pytest
from pymodbus.exceptions import ModbusIOException

from integrations.modbus.bus import Bus, LinkError, Tcp


class Client:
    """Stand in for the library's client at its worst."""

    connected = True

    def __init__(self, swallow: bool) -> None:
        self.swallow = swallow
        self.closed = False
        self.ctx: Any = type("Ctx", (), {"comm_params": type("Params", (), {})()})()

    async def read_holding_registers(self, _address: int, **_: int) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.swallow:
                raise ModbusIOException("cancelled, says the library") from None
            raise

    read_coils = read_discrete_inputs = read_input_registers = read_holding_registers

    def close(self) -> None:
        self.closed = True


def bus(client: Client) -> Bus:
    made = Bus(Tcp("192.0.2.1"))
    made._client = client  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("swallow", [True, False])
async def test_request_that_hangs_kills_the_client(swallow: bool) -> None:
    """A client that hangs: kill and rebuild on a deadline that is overrun."""
    client = Client(swallow)
    held = bus(client)
    with pytest.raises(LinkError, match="overrun"):
        await held.read(3, 0, 1, 1, 0.01)
    assert client.closed
    assert not held.connected
    assert held.rebuilt == 1


@pytest.mark.parametrize("swallow", [True, False])
async def test_cancellation_gets_through(swallow: bool) -> None:
    """pymodbus#3009: a swallowed cancellation is honoured."""
    held = bus(Client(swallow))
    task = asyncio.get_running_loop().create_task(held.read(3, 0, 1, 1, 10.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
