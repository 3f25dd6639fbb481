"""Deliver what the outbox holds: one record a request, retried, never doubled.

A record counts as delivered only when the platform answers 2xx (or 409: known
already) with a JSON object that names the record: a login page in between proves
nothing.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import aiohttp
import msgspec

from core.clock import NS, AsyncClock
from frontend_api.exchange.outbox import Letter, Outbox
from frontend_api.exchange.settings import Platform

#: The platform says that this record is wrong: trying it again cannot help.
REFUSALS = (400, 413, 422)
DUPLICATE = 409
#: An answer longer than this is no answer of a platform.
_MAX_ANSWER = 64 << 10


class Answer(NamedTuple):
    """What became of one try: sent, dead or again; ``down``: nobody answered."""

    outcome: str
    detail: str = ""
    down: bool = False


class Emitter:
    """Send letters in order, one at a time; wait with growing pauses."""

    def __init__(
        self,
        outbox: Outbox,
        platform: Platform,
        timer: AsyncClock,
        token: str = "",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox, self._platform, self._timer = outbox, platform, timer
        self._token, self._changed = token, changed
        self._poke = asyncio.Event()
        # Jitter alone: hubs that lost their platform together do not return as one.
        self._random = random.Random()  # noqa: S311
        self._down = 0
        self._session: aiohttp.ClientSession

    def poke(self) -> None:
        """Hear that something may be owed."""
        self._poke.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._platform.timeout_s)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            self._session = session
            while True:
                await self._turn()

    async def _turn(self) -> None:
        self._poke.clear()
        now = self._timer.clock.wall_ns()
        letter = self._outbox.next(now, int(2 * self._platform.retry_cap_s * NS))
        if letter is None:
            await self._rest(now)
            return
        answer = await self._send(letter)
        now = self._timer.clock.wall_ns()
        if answer.outcome == "sent":
            self._outbox.sent(letter.n, now, answer.detail)
        elif answer.outcome == "dead":
            self._outbox.dead(letter.n, now, answer.detail)
        else:
            pause = self._pause(letter.tries)
            self._outbox.again(letter.n, now + int(pause * NS), answer.detail)
        self._changed()
        self._down = self._down + 1 if answer.down else 0
        if self._down:
            # Nobody is there: the other letters need not find that out each.
            await self._timer.sleep(self._pause(self._down - 1))

    async def _rest(self, now: int) -> None:
        due = self._outbox.due_ns()
        pause = self._platform.retry_cap_s if due is None else (due - now) / NS
        with_floor = max(min(pause, self._platform.retry_cap_s), 0.01)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(with_floor / self._timer.clock.speed):
                await self._poke.wait()

    def _pause(self, tries: int) -> float:
        grown = self._platform.first_retry_s * 2.0 ** min(tries, 30)
        capped = min(grown, self._platform.retry_cap_s)
        return float(capped * self._random.uniform(0.75, 1.0))

    async def _send(self, letter: Letter) -> Answer:
        url = getattr(self._platform, f"{letter.kind}s")
        headers = {"Idempotency-Key": f"{letter.id}/{letter.updated}"}
        try:
            async with self._session.post(
                url, data=letter.body, headers=headers, allow_redirects=False
            ) as reply:
                data = await reply.content.read(_MAX_ANSWER)
                return judge(letter.id, reply.status, data)
        except TimeoutError:
            return Answer("again", "timeout", down=True)
        except aiohttp.ClientError as bad:
            return Answer("again", f"{type(bad).__name__}: {bad}"[:200], down=True)


def judge(record_id: str, status: int, data: bytes) -> Answer:
    """Return what an HTTP answer means for a record."""
    try:
        said: Any = msgspec.json.decode(data)
    except msgspec.MsgspecError:
        said = None
    fields = said if isinstance(said, dict) else {}
    detail = " ".join(str(fields[k]) for k in ("field", "message") if fields.get(k))
    if status in REFUSALS and fields:
        return Answer("dead", f"{status} {detail}".strip())
    if 200 <= status < 300 or status == DUPLICATE:
        if fields.get("ID") == record_id:
            return Answer("sent", str(fields.get("result", "")))
        return Answer("again", f"{status}: the answer does not name the record")
    return Answer("again", f"{status} {detail}".strip())
