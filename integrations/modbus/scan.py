"""Look for Modbus devices on a line or at addresses; reads only, and listens first.

What it may send is one table: identification and one register. A line on which
somebody else is master is left alone at once.
"""

import asyncio
import contextlib
import os
import termios
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import serial

from core.api import Refused
from integrations.modbus.scan_frames import (
    MAX_FRAME,
    READS,
    BadAnswer,
    foreign,
    identification,
    present,
    rtu_pdu,
    server_id,
)
from integrations.modbus.wire import crc16

LISTEN_S = 10.0
BAUDS, PARITIES = (9600, 19200, 4800, 38400), ("N", "E")
#: Tried at an address when no units were named; the first that answers counts.
TCP_UNITS = (1, 255, 0)
_CONNECT_S, _TCP_ANSWER_S, _LINE_ANSWER_S, _QUIET_S = 0.8, 1.0, 0.2, 0.03
_AT_ONCE, _PACE_S, _FEW = 16, 0.02, 8


class Answer(NamedTuple):
    """Hold one device that answered: where, as which unit, what it says of itself."""

    place: str
    unit: int
    function: int
    facts: dict[str, str]


class Tell(Protocol):
    """Who hears how the scan goes."""

    def step(self, step: str, done: int, total: int) -> None:
        """Hear what is being done: listening or asking."""

    def found(self, answer: Answer) -> None:
        """Hear of a device."""

    def note(self, code: str, **params: str | int) -> None:
        """Hear what a person must know."""


def covers(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of the devices that checked options name."""
    for bus in options.get("buses", ()):
        line = bus.get("serial", {}).get("port", "")
        places = {bus["tcp"]} if "tcp" in bus else {line, os.path.realpath(line)}
        for device in bus.get("devices", ()):
            for place in places:
                yield f"modbus:{place}/{device['unit']}"


# --- asking ------------------------------------------------------------------------


class Line(Protocol):
    """A way to one place at which several units may answer."""

    place: str

    async def ask(self, unit: int, pdu: bytes) -> bytes:
        """Return the answer's inside, b'' for silence; raises BadAnswer, OSError."""


async def _look(line: Line, unit: int) -> Answer | None:
    """Ask a unit whether it is there, and then who it is."""
    for function in (3, 4):
        answer = await line.ask(unit, READS[function])
        if not answer:
            return None
        if present(answer, function):
            return Answer(line.place, unit, function, await _who(line, unit))
    return None


async def _who(line: Line, unit: int) -> dict[str, str]:
    facts: dict[str, str] = {}
    for function, read in ((0x2B, identification), (0x11, server_id)):
        with contextlib.suppress(BadAnswer):
            answer = await line.ask(unit, READS[function])
            facts |= read(answer)
    return facts


class _Tcp:
    """One connection to one address."""

    def __init__(self, host: str, port: int) -> None:
        self.place = f"{host}:{port}"
        self._host, self._port, self._number = host, port, 0
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> "_Tcp":
        async with asyncio.timeout(_CONNECT_S):
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port, limit=2 * MAX_FRAME
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, unit: int, pdu: bytes) -> bytes:
        self._number += 1
        head = self._number.to_bytes(2, "big") + b"\0\0"
        length = (len(pdu) + 1).to_bytes(2, "big")
        self._writer.write(head + length + bytes([unit]) + pdu)
        try:
            async with asyncio.timeout(_TCP_ANSWER_S):
                while True:
                    got = await self._reader.readexactly(7)
                    size = int.from_bytes(got[4:6], "big") - 1
                    if got[2:4] != b"\0\0" or not 0 < size <= MAX_FRAME:
                        raise OSError("it does not speak Modbus")
                    answer = await self._reader.readexactly(size)
                    if got[:2] == head[:2]:  # else: late, for an earlier question
                        return answer
        except TimeoutError:
            return b""
        except asyncio.IncompleteReadError as error:
            raise OSError("it hung up") from error


async def scan_tcp(
    hosts: Sequence[str], port: int, units: Sequence[int], tell: Tell
) -> None:
    """Ask every address; ``units`` empty: the usual ones, until one answers."""
    done = 0
    tell.step("asking", 0, len(hosts))
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(host: str) -> None:
        nonlocal done
        try:
            with contextlib.suppress(OSError, TimeoutError):
                await _one_host(host, port, units, tell)
        finally:
            slots.release()
        done += 1
        tell.step("asking", done, len(hosts))

    async with asyncio.TaskGroup() as group:
        for host in hosts:
            await slots.acquire()
            group.create_task(one(host))
            await asyncio.sleep(_PACE_S)


async def _one_host(host: str, port: int, units: Sequence[int], tell: Tell) -> None:
    async with _Tcp(host, port) as line:
        found: list[Answer] = []
        for unit in units or TCP_UNITS:
            try:
                answer = await _look(line, unit)
            except BadAnswer:
                tell.note("discovery.collision", unit=unit)
                continue
            if answer is not None:
                found.append(answer)
                if not units:
                    break
        # A device that answers for whichever unit it is asked as is one device.
        anybody = len(found) == len(units) > 1 and await _anybody(line, units)
        for each in found[:1] if anybody else found:
            tell.found(each)


async def _anybody(line: Line, units: Sequence[int]) -> bool:
    stranger = next(unit for unit in range(247, 0, -1) if unit not in units)
    with contextlib.suppress(BadAnswer):
        return await _look(line, stranger) is not None
    return False


class _Serial:
    """A serial line that this scan alone holds."""

    def __init__(self, port: str, baud: int, parity: str) -> None:
        self.place = port
        try:
            self._port = serial.Serial(
                port,
                baud,
                parity=parity,
                timeout=0,
                write_timeout=1.0,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Refused("discovery.port_missing", target=port, why=why) from error
        self._arrived = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._arrived.set)
        self._byte_s = 11 / baud
        self._asked = 0
        self.answer_s = _LINE_ANSWER_S

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._port.fileno())
        self._port.close()

    def settings(self, baud: int, parity: str) -> bool:
        """Set the line; False: the adapter cannot."""
        try:
            self._port.baudrate, self._port.parity = baud, parity
            self._port.reset_input_buffer()
        except (ValueError, termios.error):
            return False
        self._byte_s = 11 / baud
        return True

    async def hear(self, seconds: float) -> bytes:
        """Return what comes within so long; raises OSError."""
        self._arrived.clear()
        if not self._port.in_waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
        return bytes(self._port.read(4096))

    async def ask(self, unit: int, pdu: bytes) -> bytes:
        stray = self._port.read(4096)
        if stray and not self._late(stray):
            raise Refused("discovery.other_master", target=self.place, count=len(stray))
        self._asked = unit
        frame = bytes([unit]) + pdu
        self._port.write(frame + crc16(frame))
        try:
            frame = await self._answer(self.answer_s + (len(pdu) + 3) * self._byte_s)
        except asyncio.CancelledError:
            # Who asks next must not take our answer for another master's word.
            await self._answer(self.answer_s)
            raise
        if not frame:
            return b""
        try:
            return rtu_pdu(frame, unit)
        except BadAnswer:
            self._refuse_others(frame)
            raise

    async def settle(self) -> None:
        """Let the rest of a broken answer pass; raises Refused, OSError."""
        self._refuse_others(await self.hear(0.1))

    def _refuse_others(self, heard: bytes) -> None:
        if foreign(heard, self._asked):
            raise Refused("discovery.other_master", target=self.place, count=len(heard))

    async def _answer(self, pause: float) -> bytes:
        """Return what comes until the line is quiet; b"" when nothing does."""
        frame = b""
        while len(frame) < 2 * MAX_FRAME and (part := await self.hear(pause)):
            frame += part
            pause = _QUIET_S + 4 * self._byte_s
        return frame

    def _late(self, stray: bytes) -> bool:
        """Say whether it is a slow device's answer to the question before."""
        with contextlib.suppress(BadAnswer):
            rtu_pdu(stray, self._asked)
            return True
        return False


async def listen(line: _Serial, tell: Tell, seconds: float) -> None:
    """Hear whether somebody else is master; raises Refused."""
    for second in range(int(seconds)):
        tell.step("listening", second, int(seconds))
        heard = await line.hear(1.0)
        if heard:
            raise Refused("discovery.other_master", target=line.place, count=len(heard))


async def scan_serial(
    port: str,
    settings: Sequence[tuple[int, str]],
    units: Sequence[int],
    tell: Tell,
    listen_s: float = LISTEN_S,
) -> None:
    """Listen, then ask each unit with each setting until some of one answer.

    Raises Refused: no such port, or a master that is there already.
    """
    line = _Serial(port, *settings[0])
    if len(units) <= _FEW:  # time enough for slow ones
        line.answer_s = _TCP_ANSWER_S
    try:
        await listen(line, tell, listen_s)
        total = len(settings) * len(units)
        for number, (baud, parity) in enumerate(settings):
            if not line.settings(baud, parity):
                tell.note(
                    "discovery.no_setting", target=port, setting=f"{baud} {parity}"
                )
                continue
            found = 0
            for at, unit in enumerate(units):
                tell.step("asking", number * len(units) + at, total)
                found += await _one_unit(line, unit, (baud, parity), tell)
            if found:  # a line has one setting
                break
        tell.step("asking", total, total)
    finally:
        line.close()


async def _one_unit(
    line: _Serial, unit: int, setting: tuple[int, str], tell: Tell
) -> bool:
    """Ask a unit twice where its answer is broken: then several have its address."""
    for _ in range(2):
        try:
            answer = await _look(line, unit)
        except BadAnswer:
            await line.settle()
            continue
        if answer is not None:
            baud, parity = setting
            facts = answer.facts | {"baudrate": str(baud), "parity": parity}
            tell.found(answer._replace(facts=facts))
        return answer is not None
    tell.note("discovery.collision", unit=unit)
    return False
