"""Recorded input replayed to parsers, and parsers fuzzed with what is near it."""

import asyncio
import importlib
import json
import random
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from integrations.runtime.kit.bench import Bench
from integrations.runtime.kit.faults import Skipped
from integrations.runtime.kit.result import Broken
from integrations.runtime.kit.schema import Excused, Parser
from integrations.runtime.kit.static import plain

#: Cases for each parser, and how long one may take.
CASES = 1_500
CASE_S = 0.25
_SIZES = (0, 1, 2, 3, 7, 16, 64, 300, 1_500)
_BIG = 70_000


def _load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise Broken(f"{name}: {error}") from error


# --- traces -------------------------------------------------------------------


def files(bench: Bench) -> list[Path]:
    """Return the recorded traces of the integration."""
    return sorted((bench.package.folder / "traces").glob("*.jsonl"))


async def replays(bench: Bench) -> str:
    """Give every recorded line to its parser; what must come out comes out."""
    found = files(bench)
    if not found:
        raise Broken("no traces/*.jsonl in its folder")
    count = 0
    for file in found:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                _replay(line, f"{file.name}:{number}")
                count += 1
    if not count:
        raise Broken("the traces hold no line")
    return f"{count} lines"


def _replay(line: str, where: str) -> None:
    try:
        trace: dict[str, Any] = json.loads(line)
        parse = _load(trace["parse"])
        given = _given(trace)
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(f"{where}: no trace: {error!r}") from error
    try:
        out = plain(parse(given))
    except Exception as error:
        if type(error).__name__ == trace.get("error"):
            return
        raise Broken(f"{where}: {type(error).__name__}: {error}") from error
    if "error" in trace:
        raise Broken(f"{where}: {trace['error']} expected, {out!r} came")
    if not covers(out, trace.get("expect")):
        raise Broken(f"{where}: {out!r} came, {trace.get('expect')!r} is right")


def _given(trace: dict[str, Any]) -> Any:
    if "hex" in trace:
        return bytes.fromhex(trace["hex"])
    return trace["text"] if "text" in trace else trace["json"]


def covers(out: Any, expect: Any) -> bool:
    """Say whether a result has all that is expected; a mapping may have more."""
    if isinstance(expect, dict) and isinstance(out, dict):
        return all(key in out and covers(out[key], expect[key]) for key in expect)
    if isinstance(expect, list) and isinstance(out, list | tuple):
        pairs = zip(out, expect, strict=False)
        return len(out) == len(expect) and all(covers(a, b) for a, b in pairs)
    if isinstance(expect, float) and isinstance(out, int | float):
        return abs(out - expect) <= max(1e-9, abs(expect) * 1e-6)
    return bool(out == expect)


# --- fuzz ---------------------------------------------------------------------


async def fuzzed(bench: Bench) -> str:
    """Throw at each parser what is near good input: its own error, or none."""
    parsers = bench.contract.parsers
    if isinstance(parsers, Excused):
        raise Skipped(parsers.not_applicable)
    if not parsers:
        raise Broken("conformance.yaml names no parsers; or say why there are none")
    for each in parsers:
        await asyncio.to_thread(fuzz, each, _seeds(bench, each), _worked_ns)
    return f"{len(parsers)} parsers, {CASES} cases each"


def _worked_ns() -> int:
    """Return this thread's own processor time: others' load is not the parser's."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return int((used.ru_utime + used.ru_stime) * 1e9)


def _seeds(bench: Bench, parser: Parser) -> list[bytes]:
    """Return good input: of conformance.yaml, and of the traces."""
    texts = parser.takes != "bytes"
    found = [s.encode() if texts else bytes.fromhex(s) for s in parser.seeds]
    for file in files(bench):
        for line in file.read_text("utf-8").splitlines():
            trace = json.loads(line) if line.startswith("{") else {}
            if trace.get("parse") == parser.parse:
                given = _given(trace)
                if isinstance(given, bytes):
                    found.append(given)
                else:
                    text = given if isinstance(given, str) else json.dumps(given)
                    found.append(text.encode())
    return found


def fuzz(parser: Parser, seeds: list[bytes], now: Callable[[], int]) -> None:
    """Throw cases at a parser, timed by ``now`` (ns); raises Broken."""
    parse = _load(parser.parse)
    allowed = tuple(_load(name) for name in parser.errors) or None
    home = parser.parse.partition(":")[0].rpartition(".")[0]
    chance = random.Random(parser.parse)  # noqa: S311 - a run can be repeated
    for case in cases(chance, seeds):
        given = _as(parser.takes, case)
        began = now()
        try:
            parse(given)
        except Exception as error:
            if not _named(error, allowed, home):
                name = f"{type(error).__name__}: {error}"[:160]
                raise Broken(f"{parser.parse}: {name} from {_short(given)}") from error
        if now() - began > CASE_S * 1e9:
            raise Broken(f"{parser.parse}: slower than {CASE_S} s on {_short(given)}")


def _named(
    error: Exception, allowed: tuple[type[Exception], ...] | None, home: str
) -> bool:
    """Say whether an error is the parser's own."""
    if allowed is not None:
        return isinstance(error, allowed)
    module = type(error).__module__
    return module == home or module.startswith((f"{home}.", "core.api."))


def _short(given: Any) -> str:
    text = given.hex() if isinstance(given, bytes) else repr(given)
    return text if len(text) <= 80 else f"{text[:80]}… ({len(text)})"


def _as(takes: str, case: bytes) -> Any:
    if takes == "bytes":
        return case
    text = case.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
    if takes == "text":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def cases(chance: random.Random, seeds: list[bytes]) -> Iterator[bytes]:
    """Yield noise, good input, and good input that was spoilt."""
    for size in _SIZES:
        yield chance.randbytes(size)
        yield bytes(size)
        yield b"\xff" * size
    yield chance.randbytes(_BIG)
    yield from seeds
    for _ in range(CASES):
        base = chance.choice(seeds) if seeds and chance.random() < 0.85 else b""
        yield _spoilt(chance, base or chance.randbytes(chance.choice(_SIZES)))


def _spoilt(chance: random.Random, base: bytes) -> bytes:
    data = bytearray(base)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
            case 3:
                data[at:at] = data[: chance.randint(0, 40)]
            case _ if at < len(data):
                data[at] = chance.choice(b'\x00\xff\x7f\x80"{}[],-0.9')
            case _:
                data += b"\x00"
    return bytes(data)
