"""A simulated helmet of JT/T 808: dials the hub as a real one does."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from core.api.clock import NS, AsyncClock
from integrations.helmet import body, profile
from integrations.helmet.frame import Frame, FrameError, Splitter, build, parse, unbcd
from integrations.helmet.profile import Item

Say = Callable[[dict[str, Any]], None]
RETRY_S = 0.1
NONSENSE = b"\x7e\x01\x02\x03 no frame at all \x7d\x7e"


class SimulatedTerminal:
    """Hold one terminal: its values, alarm bits, faults and connection."""

    def __init__(
        self,
        options: Mapping[str, Any],
        mine: Mapping[str, Any],
        code: str,
        timer: AsyncClock,
        say: Say,
    ) -> None:
        self.uid = f"jt808-{mine['phone'].lstrip('0')}"
        self._phone, self._code = mine["phone"], code
        self._place = "127.0.0.1", options["port"]
        self._interval_s = options["heartbeat_s"] / 2
        self._profile = profile.load(mine.get("profile") or options["profile"])
        self._new = mine["phone"].startswith("0000")
        self._timer, self._say = timer, say
        self.faults: dict[str, Any] = {}
        self.values: dict[str, float] = {"signal": 20, "satellites": 9}
        self.place = (31.2, 121.5)
        self.alarm = 0
        self._seq = 0
        self._kept: bytes = b""
        """The last report, for faults that say it again."""
        self._writer: asyncio.StreamWriter | None = None
        self._admitted = False
        self.stopped = False

    # --- the control line -----------------------------------------------------

    def put(self, entity: str, value: Any) -> None:
        """Let an entity have a value; a location is "lat,lon"."""
        if entity == "location":
            lat, lon = (float(each) for each in str(value).split(","))
            self.place = lat, lon
        elif self._item(entity) is None:
            raise KeyError(entity)
        else:
            self.values[entity] = float(value)

    def event(self, kind: str) -> None:
        """Set the alarm bit of an event until the hub has answered."""
        for bit, name in {0: "sos", **self._profile.alarms}.items():
            if name == kind:
                self.alarm |= 1 << bit
                return
        raise KeyError(kind)

    def _item(self, entity: str) -> tuple[int, Item] | None:
        for number, items in self._profile.items.items():
            for item in items:
                if item.entity == entity:
                    return number, item
        return None

    def drop(self) -> None:
        """Cut the connection."""
        if self._writer is not None:
            self._writer.transport.abort()

    # --- life -----------------------------------------------------------------

    async def run(self) -> None:
        """Dial, report, and dial again, until cancelled."""
        while True:
            if not self.stopped:
                with suppress(OSError, asyncio.IncompleteReadError):
                    await self._connected()
            await self._timer.sleep(RETRY_S)

    async def _connected(self) -> None:
        async with asyncio.timeout(5.0):
            reader, writer = await asyncio.open_connection(*self._place)
        self._writer, self._admitted = writer, False
        try:
            code = self._code.encode()
            self._write(body.AUTH, bytes([len(code)]) + code if self._new else code)
            async with asyncio.TaskGroup() as group:
                reporting = group.create_task(self._report())
                try:
                    await self._read(reader)
                finally:
                    reporting.cancel()
        finally:
            writer.transport.abort()
            self._writer = None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        splitter = Splitter()
        while data := await reader.read(4096):
            for raw in splitter.feed(data):
                with suppress(FrameError):
                    self._heard(parse(raw))

    def _heard(self, frame: Frame) -> None:
        if frame.id == body.GENERAL:
            _, number, result = body.answer(frame.body)
            if number == body.AUTH:
                self._admitted = result == body.DONE
                self._say({"event": "auth", "device": self.uid, "result": result})
            elif number == body.LOCATION and result == body.DONE and self.alarm:
                self._say({"event": "answered", "device": self.uid})
                self.alarm = 0
        elif frame.id == body.TEXT:
            text = frame.body[2 if self._new else 1 :].decode("gbk", "replace")
            self._say({"event": "spoken", "device": self.uid, "text": text})
            done = body.general(frame.seq, frame.id, body.DONE)
            if not self.faults.get("silent"):
                self._write(body.ANSWER, done)

    async def _report(self) -> None:
        while True:
            if self._admitted:
                self._turn()
            pause = self._interval_s / float(self.faults.get("rate", 1))
            await self._timer.sleep(pause + float(self.faults.get("slow", 0)))

    def _turn(self) -> None:
        writer = self._writer
        if writer is None or self.faults.get("silent"):
            return
        if self.faults.get("garbage"):
            writer.write(NONSENSE)
        elif self.faults.get("frozen") or self.faults.get("replay"):
            writer.write(self._kept)
        else:
            data = self._frame(body.LOCATION, self.report())
            if self.faults.get("half"):
                writer.write(data[: len(data) // 2])
                return
            self._kept = data
            writer.write(data)

    def report(self, at: float | None = None) -> bytes:
        """Return the body of a position report as things stand; ``at`` dates it."""
        wall = self._timer.clock.wall_ns() / NS if at is None else at
        wall += float(self.faults.get("clock_s", 0))
        told = datetime.fromtimestamp(wall, UTC) + timedelta(hours=8)
        lat, lon = (round(abs(each) * 1e6) for each in self.place)
        found = self.alarm.to_bytes(4, "big") + b"\0\0\0\x03"
        found += lat.to_bytes(4, "big") + lon.to_bytes(4, "big")
        found += bytes(6) + unbcd(f"{told:%y%m%d%H%M%S}")
        for number, items in self._profile.items.items():
            if any(item.entity in self.values for item in items):
                found += self._encoded(number, items)
        return found

    def _encoded(self, number: int, items: tuple[Item, ...]) -> bytes:
        sizes = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4}
        data = bytearray(max(item.at + sizes[item.type] for item in items))
        for item in items:
            value = self.values.get(item.entity)
            if value is None:
                continue
            size = sizes[item.type]
            place = slice(item.at, item.at + size)
            if item.bit is not None:
                raw = int.from_bytes(data[place], "big") | int(bool(value)) << item.bit
            else:
                raw = round((value - item.offset) / item.scale)
            signed = item.type.startswith("i")
            data[place] = raw.to_bytes(size, "big", signed=signed)
        return bytes([number, len(data)]) + bytes(data)

    def _frame(self, number: int, content: bytes) -> bytes:
        self._seq = (self._seq + 1) & 0xFFFF
        version = 1 if self._new else None
        return build(Frame(number, self._phone, self._seq, content, version))

    def _write(self, number: int, content: bytes) -> None:
        if self._writer is not None:
            self._writer.write(self._frame(number, content))
