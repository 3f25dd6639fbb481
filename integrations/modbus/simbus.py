"""Real Modbus servers for simulated devices: TCP, and RTU on a pseudo terminal."""

import asyncio
import functools
import logging
import os
import pty
import socket
import tty
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from integrations.modbus.simulated import SimulatedDevice
from integrations.modbus.wire import crc16

# It would print the last frames at each dropped connection, which we make on purpose.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class _Store:
    """Stand where the server keeps its registers: ask the devices instead."""

    def __init__(self, devices: Sequence[SimulatedDevice]) -> None:
        self.devices = {device.unit: device for device in devices}

    def device_ids(self) -> list[int]:
        return list(self.devices)

    def _device(self, unit: int) -> SimulatedDevice:
        device = self.devices.get(unit)
        if device is None or device.faults.silent:
            raise NoSuchIdException(f"unit {unit} is silent")
        return device

    async def async_getValues(
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | ExcCodes:
        device = self._device(device_id)
        if device.faults.exception:
            return ExcCodes(device.faults.exception)
        found = device.read(func_code, address, count)
        return ExcCodes.ILLEGAL_ADDRESS if found is None else found

    async def async_setValues(
        self, device_id: int, func_code: int, address: int, values: list[int]
    ) -> ExcCodes | None:
        device = self._device(device_id)
        if device.faults.exception:
            return ExcCodes(device.faults.exception)
        if device.write(func_code, address, bool(values[0])):
            return None
        return ExcCodes.ILLEGAL_ADDRESS


class _Line:
    """Send answers as the device's faults make them: late, broken, mislabelled."""

    def __init__(self, store: _Store, serial: bool) -> None:
        self.store = store
        self.serial = serial

    def attach(self, handler: ServerRequestHandler) -> ServerRequestHandler:
        handler.trace_packet = functools.partial(self._trace, handler)
        return handler

    def _trace(
        self, handler: ServerRequestHandler, sending: bool, data: bytes
    ) -> bytes:
        if not sending or not data:
            return data
        device = self.store.devices.get(data[0 if self.serial else 6])
        if device is None:
            return data
        if not self.serial:  # a line's frames bear no number to be known by
            data = device.again(data)
        spoilt = self._spoil(device, data)
        if device.faults.half:
            asyncio.get_running_loop().call_soon(_cut, handler)
        if device.faults.slow_s:
            loop = asyncio.get_running_loop()
            loop.call_later(device.faults.slow_s, _send_late, handler, spoilt)
            return b""
        return spoilt

    def _spoil(self, device: SimulatedDevice, data: bytes) -> bytes:
        faults = device.faults
        if faults.answer_as is not None:
            unit = bytes([faults.answer_as])
            if self.serial:
                body = unit + data[1:-2]
                data = body + crc16(body)
            else:
                data = data[:6] + unit + data[7:]
        if faults.bad_crc:
            # TCP has no checksum of its own: there the header breaks instead.
            broken = bytearray(data)
            broken[-1 if self.serial else 2] ^= 0xFF
            data = bytes(broken)
        if faults.noise:
            return os.urandom(len(data))
        if faults.half:
            return data[: len(data) // 2]
        return bytes.fromhex(faults.garbage) + data


def _send_late(handler: ServerRequestHandler, data: bytes) -> None:
    if handler.transport is not None:
        handler.send(data)


def _cut(handler: ServerRequestHandler) -> None:
    """End a connection in the middle of a frame; a line has none."""
    transport = handler.transport
    if isinstance(transport, asyncio.Transport) and transport.get_extra_info(
        "peername"
    ):
        handler.close()


class _TcpServer(ModbusTcpServer):
    line: _Line

    def callback_new_connection(self) -> ServerRequestHandler:
        return self.line.attach(super().callback_new_connection())


class _SerialServer(ModbusSerialServer):
    line: _Line

    def callback_new_connection(self) -> ServerRequestHandler:
        return self.line.attach(super().callback_new_connection())


def _unused() -> SimDevice:
    """Return a device that satisfies the server until our store replaces it."""
    return SimDevice(1, simdata=SimData(0, datatype=DataType.REGISTERS))


def free_port(host: str) -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class TcpBus:
    """Serve devices over Modbus TCP."""

    def __init__(self, address: str, devices: Sequence[SimulatedDevice]) -> None:
        host, _, port = address.rpartition(":")
        self.host = host
        self.port = int(port) or free_port(host)
        self._store = _Store(devices)
        self._server: _TcpServer | None = None

    async def start(self) -> None:
        """Listen; raises RuntimeError when the address is taken."""
        server = _TcpServer(
            _unused(), address=(self.host, self.port), ignore_missing_devices=True
        )
        _prepare(server, self._store, serial=False)
        await server.serve_forever(background=True)
        self._server = server

    async def stop(self) -> None:
        """Close the listener and every connection."""
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()

    def drop(self) -> None:
        """Close every connection, as a gateway that restarts."""
        if self._server is not None:
            for connection in list(self._server.active_connections.values()):
                connection.close()


class SerialBus:
    """Serve devices as RTU on a pty; ``link`` is a symlink to the hub's end.

    Two ptys are joined by a pump, because the server too wants a port by name. A
    pty knows no baud rate: line timing is not simulated.
    """

    def __init__(self, link: str, devices: Sequence[SimulatedDevice]) -> None:
        self.link = Path(link)
        self._store = _Store(devices)
        self._server: _SerialServer | None = None
        self._files: list[int] = []

    async def start(self) -> None:
        """Open both ptys, join them and serve."""
        hub, hub_end = _pty()
        ours, ours_end = _pty()
        self._files = [hub, hub_end, ours, ours_end]
        loop = asyncio.get_running_loop()
        loop.add_reader(hub, _pump, hub, ours)
        loop.add_reader(ours, _pump, ours, hub)
        path = os.ttyname(hub_end)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(path)
        server = _SerialServer(
            _unused(),
            port=os.ttyname(ours_end),
            framer=FramerType.RTU,
            ignore_missing_devices=True,
        )
        _prepare(server, self._store, serial=True)
        await server.serve_forever(background=True)
        self._server = server

    async def stop(self) -> None:
        """Unplug: the hub's end hangs up and the link goes."""
        server, self._server = self._server, None
        if server is None:
            return
        await server.shutdown()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._files[0])
        loop.remove_reader(self._files[2])
        for file in self._files:
            os.close(file)
        self._files = []
        self.link.unlink(missing_ok=True)

    def drop(self) -> None:
        """Do nothing: a line has no connection; `stop` unplugs it."""


def _prepare(
    server: _TcpServer | _SerialServer, store: _Store, *, serial: bool
) -> None:
    held: Any = store
    server.context = held
    server.line = _Line(store, serial)


def _pty() -> tuple[int, int]:
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, slave


def _pump(source: int, target: int) -> None:
    """Hand bytes on; what nobody reads is dropped, as on a line."""
    with suppress(BlockingIOError):
        data = os.read(source, 4096)
        os.write(target, data)
