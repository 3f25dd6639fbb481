"""The gateway's side of the link: the replica's feed, acts and questions."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from core.link import messages as m
from frontend_api.problems import Problem
from frontend_api.replica import MessageError, Replica

ACT_S = 10.0
QUERY_S = 5.0
#: Acts and questions that may wait for an answer at once; more are refused.
WAITING = 256
VERSION = "0.1.0"

Answer = TypeVar("Answer", m.ActReply, m.QueryReply)


class LinkClosed(Exception):
    """The other side of the link is gone."""


class Link(Protocol):
    """One session with the core, whatever carries it."""

    def send(self, message: m.Message) -> None:
        """Queue a message; raises LinkClosed when the core is gone."""

    async def receive(self) -> m.Message:
        """Return the next message; raises LinkClosed."""


class LinkSource(Protocol):
    """Where a link comes from, and a fresh one after the core's restart."""

    async def connect(self) -> Link:
        """Wait for a link to the core."""


class Uplink:
    """Keep the link, feed the replica, match answers to those who wait."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._link: Link | None = None
        self._acts: dict[str, asyncio.Future[m.ActReply]] = {}
        self._queries: dict[str, asyncio.Future[m.QueryReply]] = {}
        self._numbers = itertools.count(1)
        self.on_ready: Callable[[], None] = lambda: None

    async def run(self, source: LinkSource) -> None:
        """Serve link after link until cancelled."""
        while True:
            link = await source.connect()
            try:
                await self._serve(link)
            except LinkClosed:
                self._lost()

    async def _serve(self, link: Link) -> None:
        epoch, seq = self.replica.cursor
        link.send(
            m.Hello(
                name="gateway", role="gateway", version=VERSION, epoch=epoch, seq=seq
            )
        )
        self._link = link
        while True:
            message = await link.receive()
            self.replica.link(True)
            self._take(message)

    def _take(self, message: m.Message) -> None:
        if isinstance(message, m.ActReply):
            _settle(self._acts, message)
        elif isinstance(message, m.QueryReply):
            _settle(self._queries, message)
        elif isinstance(message, m.Ping) and self._link is not None:
            self._link.send(m.Alive(message.number))
        else:
            try:
                self.replica.receive(message)
            except MessageError:
                # A replica that missed a step shows wrong things: take all anew.
                self.replica.bad_messages += 1
                self.replica.state.epoch = self.replica.state.seq = 0
                raise LinkClosed("the stream cannot be folded") from None
            if isinstance(message, m.Snapshot):
                self.on_ready()

    def _lost(self) -> None:
        self._link = None
        self.replica.link(False)
        _abandon(self._acts)
        _abandon(self._queries)

    async def act(self, request: m.ActRequest) -> m.ActReply:
        """Ask the core for an act and wait for its answer."""
        return await self._ask(self._acts, request.id, request, ACT_S)

    async def query(
        self, entities: list[str], from_ms: int, to_ms: int, points: int
    ) -> m.QueryReply:
        """Ask the archive for history."""
        number = f"q{next(self._numbers)}"
        query = m.Query(
            id=number, entities=entities, from_ms=from_ms, to_ms=to_ms, points=points
        )
        try:
            return await self._ask(self._queries, number, query, QUERY_S)
        except Problem:
            raise Problem("gateway.no_history") from None

    async def _ask(
        self,
        waiting: dict[str, asyncio.Future[Answer]],
        key: str,
        message: m.Message,
        limit_s: float,
    ) -> Answer:
        if self._link is None:
            raise Problem("gateway.unreachable")
        if len(waiting) >= WAITING:
            raise Problem("gateway.busy")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting[key] = future
        try:
            self._link.send(message)
            async with asyncio.timeout(limit_s):
                return await future
        except LinkClosed:
            raise Problem("gateway.unreachable") from None
        except TimeoutError:
            raise Problem("gateway.unanswered") from None
        finally:
            waiting.pop(key, None)


def _settle(waiting: "dict[str, asyncio.Future[Answer]]", answer: Answer) -> None:
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
