"""The gateway's side of the link: the replica's feed, acts and questions."""

import asyncio
import itertools
from collections.abc import Callable
from typing import TypeVar

import msgspec

from core.api.model import Entity
from core.link import messages as m
from frontend_api.problems import Problem
from frontend_api.replica import MessageError, Replica

ACT_S = 10.0
QUERY_S = 5.0
#: Acts and questions that may wait for an answer at once; more are refused.
WAITING = 256
VERSION = "1"

Answer = TypeVar("Answer", m.ActReply, m.QueryReply, m.Diagnosis)


class Uplink:
    """Feed the replica, match answers to those who wait.

    ``send`` and ``renew`` are the link's: renew ends the session, so that the
    core begins a new one with a snapshot.
    """

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.send: Callable[[m.Message], None] = lambda _: None
        self.renew: Callable[[str], None] = lambda _: None
        self._acts: dict[str, asyncio.Future[m.ActReply]] = {}
        self._queries: dict[str, asyncio.Future[m.QueryReply]] = {}
        self._diagnoses: dict[str, asyncio.Future[m.Diagnosis]] = {}
        self._numbers = itertools.count(1)

    def hello(self) -> m.Hello:
        """Return the words that open a session."""
        epoch, seq = self.replica.cursor
        return m.Hello(
            name="gateway", role="gateway", version=VERSION, epoch=epoch, seq=seq
        )

    def take(self, message: m.Message) -> None:
        """Take one message of the core."""
        if isinstance(message, m.ActReply):
            _settle(self._acts, message)
        elif isinstance(message, m.QueryReply):
            _settle(self._queries, message)
        elif isinstance(message, m.Diagnosis):
            _settle(self._diagnoses, message)
        else:
            self._fold(message)

    def _fold(self, message: m.Message) -> None:
        try:
            self.replica.receive(message)
        except MessageError as wrong:
            # A replica that missed a step shows wrong things: take all anew.
            self.replica.bad_messages += 1
            self.renew(f"the stream cannot be folded: {wrong}")
            return
        if isinstance(message, m.Snapshot):
            self.replica.link(True)

    def down(self, reason: str = "") -> None:
        """Hear that the link ended: those who wait learn that they must look."""
        self.replica.link(False)
        _abandon(self._acts)
        _abandon(self._queries)
        _abandon(self._diagnoses)

    async def act(self, request: m.ActRequest) -> m.ActReply:
        """Ask the core for an act and wait for its answer."""
        return await self._ask(self._acts, request.id, request, ACT_S)

    async def query(
        self,
        entities: list[str],
        from_ms: int,
        to_ms: int,
        points: int,
        declared: dict[str, Entity] | None = None,
    ) -> m.QueryReply:
        """Ask the archive for history, and how good that of ``declared`` ones is."""
        number = f"q{next(self._numbers)}"
        query = m.Query(
            id=number,
            entities=entities,
            from_ms=from_ms,
            to_ms=to_ms,
            points=points,
            declared=declared or {},
        )
        try:
            return await self._ask(self._queries, number, query, QUERY_S)
        except Problem:
            raise Problem("gateway.no_history") from None

    async def diagnose(self, host: str) -> m.Diagnosis:
        """Ask a host for its diagnostics, through core."""
        number = f"d{next(self._numbers)}"
        asked = m.Diagnose(number, host)
        return await self._ask(self._diagnoses, number, asked, QUERY_S)

    async def _ask(
        self,
        waiting: dict[str, asyncio.Future[Answer]],
        key: str,
        message: m.Message,
        limit_s: float,
    ) -> Answer:
        if not self.replica.reachable:
            raise Problem("gateway.unreachable")
        if len(waiting) >= WAITING:
            raise Problem("gateway.busy")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting[key] = future
        try:
            self.send(message)
            async with asyncio.timeout(limit_s):
                return await future
        except TimeoutError:
            raise Problem("gateway.unanswered") from None
        finally:
            waiting.pop(key, None)


def _settle(waiting: dict[str, asyncio.Future[Answer]], answer: Answer) -> None:
    future = waiting.get(answer.id)
    if future is not None and not future.done():
        future.set_result(answer)


def _abandon(waiting: dict[str, asyncio.Future[Answer]]) -> None:
    for future in waiting.values():
        if not future.done():
            future.set_exception(Problem("gateway.unanswered"))
    waiting.clear()


def encode_act(act: msgspec.Struct) -> bytes:
    """Return an act's bytes for the link."""
    return msgspec.msgpack.encode(act)
