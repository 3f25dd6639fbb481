"""The stopwatch, which also plays the sirens: publish a reading, time the command."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.harness import wire, work

_DROPPED = "$SYS/broker/publish/messages/dropped"
#: An alarm is quiet again after this; the site's siren stays on.
HOLD_S = 1.0
#: An alarm unanswered for so long is lost.
LOST_S = 10.0
TRY_S = 0.025


class NeverAnswered(Exception):
    """The system under test gave no command."""


@dataclass
class Run:
    """What one timed piece found; latencies in seconds."""

    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    dropped: int = 0
    asked_rate: float = 0.0
    sent_rate: float = 0.0
    cores: float = 0.0
    coalesced: int = 0
    unrecorded: int = 0


def rank(values: list[float], share: float) -> float:
    """Return the nearest-rank quantile; infinite without values."""
    ordered = sorted(values)
    if not ordered:
        return float("inf")
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


class Probe(asyncio.Protocol):
    """Publish readings and hear commands on one connection."""

    def __init__(self, detectors: int) -> None:
        self.detectors = detectors
        self.dropped = 0
        self._dice = random.Random(7)
        self._numbers = {work.order_topic(n): n for n in range(detectors)}
        self._asked: dict[int, float] = {}
        self._latencies: list[float] = []
        self._answers: dict[int, float] = {}
        self._inbox = bytearray()
        self._ready = asyncio.Event()
        self._transport: asyncio.Transport

    async def open(self, port: int) -> "Probe":
        """Connect and hear commands from then on."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", port)
        self._transport.write(wire.connect(f"probe-{time.time_ns()}"))
        self._transport.write(wire.subscribe("siren/+/set", _DROPPED))
        async with asyncio.timeout(10):
            await self._ready.wait()
        return self

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    # --- asyncio's side -----------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio sets TCP_NODELAY itself."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Stop the watches of the commands that came."""
        now = time.perf_counter()
        self._inbox += data
        for kind, flags, body in wire.packets(self._inbox):
            if kind == wire.PUBLISH:
                self._heard(now, *wire.message(flags, body))
            elif kind == wire.SUBACK:
                self._ready.set()

    def _heard(self, now: float, topic: str, payload: bytes) -> None:
        number = self._numbers.get(topic)
        if number is None:
            if topic == _DROPPED:
                self.dropped = int(payload)
            return
        asked = self._asked.pop(number, None)
        if asked is not None:
            self._latencies.append(now - asked)
            self._answers[number] = now
        # A siren says that it sounds: its read-back ends the command.
        self.publish(work.state_topic(number), payload)

    # --- the site's side ----------------------------------------------------

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish at once."""
        self._transport.write(wire.publish(topic, payload, retain))

    def alarm(self, number: int) -> None:
        """Publish a reading beyond the limit and start its watch."""
        self._asked[number] = time.perf_counter()
        self.publish(work.reading_topic(number), work.alarming(self._dice))

    def calm(self, number: int) -> None:
        """Publish a reading below the limit."""
        self.publish(work.reading_topic(number), work.quiet(self._dice))

    async def measure(self, numbers: list[int], rate: float) -> Run:
        """Alarm each detector once, ``rate`` a second with jitter, open loop."""
        self._asked.clear()
        self._latencies = []
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        for turn, number in enumerate(numbers):
            due = began + (turn + self._dice.random()) / rate
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            self.alarm(number)
            loop.call_later(HOLD_S, self.calm, number)
        await asyncio.sleep(HOLD_S + 0.1)
        late = time.perf_counter() + LOST_S - HOLD_S
        while self._asked and time.perf_counter() < late:
            await asyncio.sleep(0.02)
        run = Run(self._latencies, len(self._asked))
        self._asked.clear()
        return run

    async def first_answer(
        self, number: int, patience_s: float, alive: Callable[[], bool]
    ) -> float:
        """Alarm and calm one detector until it is answered; returns when it was."""
        self._answers.pop(number, None)
        end = time.perf_counter() + patience_s
        while time.perf_counter() < end and alive():
            for act in (self.alarm, self.calm):
                act(number)
                await asyncio.sleep(TRY_S)
                if number in self._answers:
                    self.calm(number)
                    return self._answers[number]
        raise NeverAnswered(f"no command within {patience_s:.0f} s of the start")

    async def all_answer(self, patience_s: float) -> None:
        """Alarm and calm all detectors until each was answered once."""
        end = time.perf_counter() + patience_s
        while left := [n for n in range(self.detectors) if n not in self._answers]:
            if time.perf_counter() > end:
                raise NeverAnswered(f"{len(left)} detectors gave no command")
            for number in left:
                self.alarm(number)
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.3)
            for number in left:
                self.calm(number)
            await asyncio.sleep(0.3)
