"""The archive: keeps what core forwards, answers the gateway's questions."""

import asyncio
import gc
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from core.processes import lean  # isort: split

from core.link import messages as m
from core.link.client import Client, Side
from core.link.frames import FrameError
from core.processes.child import Control, rename
from core.processes.history import HistoryFile, put_aside
from core.quality import sift

FLUSH_S, TRIM_S = 5.0, 30.0
#: Rows that wait for the disk; beyond it the newest are lost, counted.
MAX_ROWS = 600_000
TRIM_ROUNDS = 20
KEEP_MS = 90 * 86_400_000
MAX_BYTES = 4 << 30
MAX_POINTS, MAX_ENTITIES, MAX_QUERIES = 2_000, 50, 16

__all__ = ["Archive", "lean", "main"]
T = TypeVar("T")
Work = Coroutine[Any, Any, None]


class Archive:
    """Collect rows on the loop, write and read them on one thread."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._client = Client(self._hello, self._message, self._session)
        self._names: dict[int, str] = {}
        self._rows: dict[int, list[m.HistoryRow]] = {}
        self._waiting = self._lost = 0
        self._writing = False
        self._counts: dict[str, int] = {}
        self._details: dict[str, str] = {}
        self._asker = Side(self._asked)
        self._queries = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(1, "archive")
        self._judge = ThreadPoolExecutor(1, "judge")
        self._file: HistoryFile
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> int:
        """Serve until the keeper says stop."""
        self._loop = asyncio.get_running_loop()
        self._control.listen(
            lambda _name, lanes, socks: self._client.attach(lanes, socks),
            on_side=self._asker.attach,
        )
        await self._do(self._open)
        self._repeat(FLUSH_S, self._flush)
        self._repeat(TRIM_S, self._trim)
        gc.freeze()
        await self._control.stopping.wait()
        for task in list(self._tasks):
            await asyncio.wait([task], timeout=FLUSH_S)
        await self._flush()
        await self._do(self._file.close)
        self._client.detach("stopped")
        self._control.close()
        self._judge.shutdown(cancel_futures=True)
        self._thread.shutdown()
        return 0

    # --- core -----------------------------------------------------------------

    def _hello(self) -> m.Hello:
        return m.Hello(name="archive", role="archive", version="1")

    def _session(self) -> None:
        """Begin anew: another core gives other numbers to the points."""
        self._spread()
        self._names = {}

    def _message(self, message: m.Message) -> None:
        if not isinstance(message, m.History):
            return
        if message.names:
            self._names.update(message.names)
        self._lost += message.lost
        if self._waiting + len(message.rows) > MAX_ROWS:
            self._lost += len(message.rows)
            return
        self._waiting += len(message.rows)
        rows = self._rows
        for row in message.rows:
            point = rows.get(row.point)
            if point is None:
                point = rows[row.point] = []
            point.append(row)

    def _spread(self) -> dict[str, list[m.HistoryRow]]:
        """Return and forget what waits, by entity; unknown points are lost."""
        found: dict[str, list[m.HistoryRow]] = {}
        for point, rows in self._rows.items():
            name = self._names.get(point)
            if name is None:
                self._lost += len(rows)
            else:
                found[name] = rows
        self._rows, self._waiting = {}, 0
        return found

    def _count(self, name: str, detail: str = "", by: int = 1) -> None:
        self._counts[name] = self._counts.get(name, 0) + by
        self._details[name] = detail[:200]

    # --- the file -------------------------------------------------------------

    def _open(self) -> None:
        self._file = HistoryFile(self._control.data)
        if self._file.damaged:
            self._count("history_damaged", f"put aside as {self._file.damaged}")

    async def _do(self, work: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._thread, work)

    async def _flush(self) -> None:
        """Write what waits; a disk that refuses loses it, counted."""
        if self._writing:
            return
        rows, lost = self._spread(), self._lost
        self._lost = 0
        wall_ms = self._control.clock.wall_ns() // 1_000_000
        self._writing = True
        try:
            if rows or lost:
                await self._do(partial(self._file.write, rows, lost, wall_ms))
        except sqlite3.Error as error:
            gone = lost + sum(map(len, rows.values()))
            self._lost += gone
            self._count("history_lost", str(error), gone)
            await self._mend(error)
        finally:
            self._writing = False
        if self._counts:
            self._client.send(m.Counted(self._counts, self._details))
            self._counts, self._details = {}, {}

    async def _mend(self, error: sqlite3.Error) -> None:
        """Put a file aside that has become damaged; a full disk is only waited for."""
        if isinstance(error, sqlite3.OperationalError):
            return
        await self._do(self._file.close)
        name = put_aside(self._file.path)
        self._count("history_damaged", f"put aside as {name}")
        await self._do(self._open)

    async def _trim(self) -> None:
        before = self._control.clock.wall_ns() // 1_000_000 - KEEP_MS
        try:
            for _ in range(TRIM_ROUNDS):
                if not await self._do(partial(self._file.trim, before, MAX_BYTES)):
                    return
        except sqlite3.Error as error:
            self._count("trim_failed", str(error))

    # --- questions ------------------------------------------------------------

    def _asked(self, message: m.Message) -> None:
        if not isinstance(message, m.Query):
            return
        error = ""
        if max(len(message.entities), len(message.declared)) > MAX_ENTITIES:
            error = f"at most {MAX_ENTITIES} entities in one query"
        elif self._queries >= MAX_QUERIES:
            error = "too many queries at once"
        if error:
            self._reply(m.QueryReply(message.id, {}, error))
            return
        self._queries += 1
        self._own(self._query(message))

    async def _query(self, query: m.Query) -> None:
        points = min(max(query.points, 1), MAX_POINTS)
        series = {}
        try:
            await self._flush()
            for entity in query.entities:
                span = partial(
                    self._file.read, entity, query.from_ms, query.to_ms, points
                )
                series[entity] = await self._do(span)
            reply = m.QueryReply(query.id, series, sifted=await self._sifted(query))
        except sqlite3.Error as error:
            reply = m.QueryReply(query.id, {}, str(error))
        finally:
            self._queries -= 1
        self._reply(reply)

    async def _sifted(self, query: m.Query) -> bytes:
        """Judge the past of what is declared; on a thread that no flush waits for."""
        answer: sift.Answer = {}
        span = query.from_ms, query.to_ms
        for entity_id, entity in query.declared.items():
            parts = await self._do(
                partial(sift.stretches, self._file, entity_id, *span)
            )
            answer[entity_id] = await self._loop.run_in_executor(
                self._judge, partial(sift.sift, parts, entity, *span)
            )
        return sift.dump(answer) if answer else b""

    def _reply(self, reply: m.QueryReply) -> None:
        try:
            self._asker.send(reply)
        except FrameError:
            detail = "too much for one answer: ask for fewer entities or points"
            self._asker.send(m.QueryReply(reply.id, {}, detail))

    # --- tasks ----------------------------------------------------------------

    def _repeat(self, every: float, work: Callable[[], Work]) -> None:
        def again() -> None:
            if not self._control.stopping.is_set():
                self._loop.call_later(every, again)
                self._own(work())

        self._loop.call_later(every, again)

    def _own(self, work: Work) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def main() -> int:
    """Run the archive as the keeper's child."""
    control = Control.greet()
    rename("sh-archive")
    return asyncio.run(Archive(control).run())


if __name__ == "__main__":
    sys.exit(main())
