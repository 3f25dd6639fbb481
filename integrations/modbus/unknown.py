"""The worker that looks at a Modbus unit whose map nobody knows; it only reads.

One question on standard input, one answer on standard output. A decoding that agrees
with the display at zero and with span gas becomes a profile of the site; any other
one may, too, but is no evidence until it does (issue 5 §2).
"""

import asyncio
import hashlib
import resource
import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.api import ConfigError
from core.api.documents import parse
from core.api.said import Said
from core.api.telling import both
from core.api.unknown_map import MapAnswer, MapAsk, Point
from integrations.modbus import load
from integrations.modbus.bus import Bus, BusError, ExceptionAnswer, Serial, Tcp
from integrations.modbus.decodings import TABLES, every, matched, read, register

FOLDER = ("profiles", "modbus")
#: Hours between bump tests of what cannot tell its own faults.
BUMP_H = 24.0
_MEMORY, _SECONDS, _ANSWER_S, _BLOCK = 768 << 20, 30, 1.0, 16
UNREAD = -1


def place(ask: MapAsk) -> Tcp | Serial:
    """Return where the unit is; raises ConfigError."""
    if ask.place.startswith("/"):
        return Serial(port=ask.place, baudrate=ask.baudrate, parity=ask.parity)
    host, _, port = ask.place.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ConfigError(
            Said(
                "expected host:port or a serial port, found {place!r}", place=ask.place
            )
        )
    return Tcp(host.strip("[]"), int(port))


async def live(ask: MapAsk) -> list[int]:
    """Return the registers as they are now; what is refused is -1."""
    bus = Bus(place(ask))
    await bus.connect()
    try:
        found: list[int] = []
        for at in range(0, ask.count, _BLOCK):
            found += await _block(bus, ask, at, min(_BLOCK, ask.count - at))
        return found
    finally:
        bus.close()


async def _block(bus: Bus, ask: MapAsk, at: int, count: int) -> list[int]:
    """Read some registers; a block that is refused is read one by one."""
    function, first = TABLES[ask.table], ask.first + at
    try:
        return await bus.read(function, first, count, ask.unit, _ANSWER_S)
    except ExceptionAnswer:
        if count == 1:
            return [UNREAD]
    return [(await _block(bus, ask, at + each, 1))[0] for each in range(count)]


def profile(ask: MapAsk) -> MapAnswer:
    """Write a profile of the site; raises ConfigError and ValueError.

    Its file is named by its content, so that another map is another profile.
    """
    decodings = every(ask.first, ask.registers, ask.table, ask.points)
    proven = matched(ask.decoding, decodings)
    made = _yaml(ask, proven=proven)
    text = yaml.safe_dump(made, allow_unicode=True, sort_keys=False)
    load.parse(parse(text, f"{ask.profile}.yaml"))
    folder = Path(ask.data).joinpath(*FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = hashlib.sha256(text.encode()).hexdigest()[:8]
    file = folder / f"{ask.profile}-{stamp}.yaml"
    part = file.with_suffix(".part")
    part.write_text(text, "utf-8")
    part.replace(file)
    return MapAnswer(
        profile=str(file), evidence=proven, bump_every_h=made.get("bump_every_h")
    )


def _yaml(ask: MapAsk, *, proven: bool) -> dict[str, Any]:
    where, scale = register(ask.decoding, ask.table)
    order = ask.decoding.split(":")[2]
    function = int(where.function)
    value: dict[str, Any] = {
        "address": where.address,
        "function": function,
        "type": where.type,
    }
    if order != "-":
        value["word_order"] = order
    made: dict[str, Any] = {
        "profile": ask.profile.replace("-", "_"),
        "version": 1,
        "names": {"en": ask.en or ask.profile, "zh": ask.zh or ask.profile},
        "manufacturer": "unknown",
        "model": "map matched against its display",
        "source": "display at zero and with span gas" if proven else "not matched",
        "evidence": proven,
        "registers": {"value": value},
        "entities": {
            "gas": {
                "kind": "gas",
                "names": {"en": ask.en or ask.quantity, "zh": ask.zh or ask.quantity},
                "quantity": ask.quantity,
                "unit": ask.unit_text,
                "from": "value",
                "scale": scale,
                "range": [-ask.full_scale, ask.full_scale],
            }
        },
        "vectors": [],
    }
    _tell_faults(ask, made, function)
    made["vectors"] = list(_vectors(ask, made, proven=proven))
    return made


def _tell_faults(ask: MapAsk, made: dict[str, Any], function: int) -> None:
    """Let a status register judge the value; without one it owes bump tests."""
    if ask.status is None:
        made["bump_every_h"] = BUMP_H
        return
    made["registers"]["status"] = {
        "address": ask.status,
        "function": function,
        "type": "u16",
    }
    made["quality"] = {
        "status": {
            "from": "status",
            "map": {ask.status_good: "good"},
            "otherwise": "fault:device_fault",
        }
    }


def _vectors(ask: MapAsk, made: dict[str, Any], *, proven: bool) -> Any:
    """Yield what was matched as the profile's own test vectors."""
    now = {"live": Point(shown=0.0, registers=ask.registers)}
    for name, point in (ask.points or now).items():
        registers = point.registers
        value = read(ask.decoding, ask.first, registers, ask.table)
        image = {
            ask.first + number: raw for number, raw in enumerate(registers) if raw >= 0
        }
        expect: dict[str, Any] = {"value": value, "quality": "good"}
        if not proven:
            expect = {"quality": "uncertain", "reason": "status_unknown"}
        yield {"name": name, ask.table: image, "expect": {"gas": expect}}


def answer(ask: MapAsk) -> MapAnswer:
    """Return the answer to one question."""
    try:
        if ask.op == "profile":
            return profile(ask)
        found = ask.registers if ask.op == "decode" else asyncio.run(live(ask))
        made = every(ask.first, found, ask.table, ask.points)
        return MapAnswer(registers=found, decodings=made)
    except BusError as no:
        return MapAnswer(problem=both(str(no)))
    except (ConfigError, ValueError, OSError, TimeoutError) as no:
        return MapAnswer(problem=both(no if str(no) else type(no).__name__))


def main() -> int:
    """Answer the question on standard input; exit status 0 when it was one."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        ask = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=MapAsk)
    except msgspec.MsgspecError as bad:
        sys.stderr.write(f"unknown map: {bad}\n")
        return 2
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer(ask)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
