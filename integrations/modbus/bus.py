"""The only place that knows pymodbus: one client on one port, one request at a time.

The library is pinned and its API hidden here, because it changes each minor. It has
swallowed cancellation before, so every request has a hard deadline of our own, after
which the client is killed and rebuilt.
"""

import asyncio
import grp
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse

from core.api import DeviceError
from integrations.modbus.profile import Function, SerialDefaults
from integrations.modbus.wire import Sieve

CONNECT_S = 3.0
#: Grace after a request's own timeout before the client counts as hung.
OVERRUN_S = 0.5
#: Silence that the client would answer by closing the line; we decide that.
_NEVER = 1 << 30

# Its messages name frames, not devices; what matters is counted and reported here.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class BusError(DeviceError):
    """A request failed; ``reason`` is the code that a reading will carry."""

    code = "modbus.request"

    def __init__(self, reason: str, message: str = "", **params: str) -> None:
        super().__init__(message or reason, reason=reason, **params)
        self.reason = reason


class LinkError(BusError):
    """The port itself cannot be used: refused, unplugged, forbidden, hung."""


class NoAnswer(BusError):
    """The device did not answer in time, or not with a good frame."""


class ExceptionAnswer(BusError):
    """The device answered with a Modbus exception."""


class Tcp(msgspec.Struct, frozen=True):
    """Name a Modbus TCP server or gateway."""

    host: str
    port: int = 502


class Serial(msgspec.Struct, frozen=True, kw_only=True):
    """Name a serial line and its settings."""

    port: str
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1
    bytesize: int = 8

    @property
    def quiet_s(self) -> float:
        """Return the 3.5 characters of silence that part two frames."""
        return max(0.00175, 3.5 * 11 / self.baudrate)


def place_of(bus: Mapping[str, Any], maker: SerialDefaults) -> Tcp | Serial:
    """Return where a bus of the options is; line settings default to the maker's."""
    if "tcp" in bus:
        host, _, port = bus["tcp"].rpartition(":")
        return Tcp(host.strip("[]"), int(port))
    settings = {
        "baudrate": maker.baudrate,
        "parity": maker.parity,
        "stopbits": maker.stopbits,
        "bytesize": maker.bytesize,
    }
    return Serial(**{**settings, **bus["serial"]})


def serial_problem(path: str) -> LinkError | None:
    """Return why a serial port cannot be opened, with the mend, or None."""
    port = Path(path)
    if not port.exists():
        return LinkError("modbus.serial_missing", f"{path}: no such port", port=path)
    if os.access(path, os.R_OK | os.W_OK):
        return None
    gid = port.stat().st_gid
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    command = f"sudo usermod -aG {group} $USER"
    return LinkError(
        "modbus.serial_permission",
        f"{path}: only group {group} may open it; run `{command}`, then log in again",
        port=path,
        group=group,
        command=command,
    )


class Bus:
    """Make requests on one port; raises LinkError, NoAnswer or ExceptionAnswer.

    Not reentrant: the port's task is its only user.
    """

    def __init__(self, place: Tcp | Serial) -> None:
        self.place = place
        self.requests = 0
        self.rebuilt = 0
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._sieve = Sieve(isinstance(place, Serial))
        self._pending = False

    @property
    def connected(self) -> bool:
        """Say whether requests can be made."""
        return self._client is not None and self._client.connected

    async def connect(self) -> None:
        """Open the port; raises LinkError with what is wrong and the mend."""
        self.close()
        problem = None
        if isinstance(self.place, Serial):
            problem = serial_problem(self.place.port)
        if problem is not None:
            raise problem
        client = self._client = self._build()
        client.set_max_no_responses(_NEVER)
        try:
            async with asyncio.timeout(CONNECT_S + OVERRUN_S):
                opened = await client.connect()
        except (TimeoutError, OSError, ModbusException) as failure:
            self.close()
            raise LinkError("modbus.link_down", str(failure)) from failure
        _honour_cancel()
        if not opened:
            self.close()
            serial = isinstance(self.place, Serial)
            raise LinkError("modbus.serial_busy" if serial else "modbus.link_down")

    def _build(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        # Reconnecting is ours: the library's would hide the loss from the site.
        hooks: dict[str, Any] = {
            "reconnect_delay": 0,
            "timeout": CONNECT_S,
            "retries": 0,
            "trace_packet": self._sieve.trace,
            "trace_connect": self._traced,
        }
        place = self.place
        if isinstance(place, Tcp):
            return AsyncModbusTcpClient(place.host, port=place.port, **hooks)
        return AsyncModbusSerialClient(
            place.port,
            baudrate=place.baudrate,
            parity=place.parity,
            stopbits=place.stopbits,
            bytesize=place.bytesize,
            **hooks,
        )

    def _traced(self, connected: bool) -> None:
        """End a pending request at once when the peer goes away."""
        client = self._client
        if connected or client is None or not self._pending:
            return
        if not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ConnectionException("lost"))

    def close(self) -> None:
        """Drop the client; the next connect builds a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def read(
        self, function: int, address: int, count: int, unit: int, timeout_s: float
    ) -> list[int]:
        """Return ``count`` registers (or bits as 0 and 1) of one table."""
        client = self._need()
        calls = {
            Function.COILS: client.read_coils,
            Function.DISCRETE: client.read_discrete_inputs,
            Function.HOLDING: client.read_holding_registers,
            Function.INPUT: client.read_input_registers,
        }
        call = calls[Function(function)]
        answer = await self._ask(
            client, call(address, count=count, device_id=unit), timeout_s
        )
        if function <= Function.DISCRETE:
            return [int(bit) for bit in answer.bits[:count]]
        return list(answer.registers)

    async def write_coil(
        self, address: int, state: bool, unit: int, timeout_s: float
    ) -> None:
        """Set one coil; returns when the device has echoed the request."""
        client = self._need()
        await self._ask(
            client, client.write_coil(address, state, device_id=unit), timeout_s
        )

    def _need(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        if self._client is None or not self._client.connected:
            raise LinkError("modbus.link_down")
        return self._client

    async def _ask(
        self,
        client: AsyncModbusTcpClient | AsyncModbusSerialClient,
        request: Any,
        timeout_s: float,
    ) -> Any:
        client.ctx.comm_params.timeout_connect = timeout_s
        self.requests += 1
        self._pending = True
        try:
            async with asyncio.timeout(timeout_s + OVERRUN_S) as limit:
                answer = await request
        except TimeoutError as failure:
            raise self._overrun() from failure
        except (ConnectionException, OSError) as failure:
            raise LinkError("modbus.link_down", str(failure)) from failure
        except ModbusException as failure:
            _honour_cancel()
            if limit.expired():
                raise self._overrun() from failure
            if not client.connected:
                raise LinkError("modbus.link_down") from failure
            raise NoAnswer(self._sieve.heard) from failure
        finally:
            self._pending = False
        _honour_cancel()
        if isinstance(self.place, Serial):
            await asyncio.sleep(self.place.quiet_s)
        if isinstance(answer, ExceptionResponse):
            raise ExceptionAnswer(f"modbus.exception_{answer.exception_code}")
        return answer

    def _overrun(self) -> LinkError:
        """Kill the client: it kept a request beyond every deadline."""
        self.rebuilt += 1
        self.close()
        return LinkError("modbus.overrun")


def _honour_cancel() -> None:
    """Cancel the caller when the library has swallowed its cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
