"""One task per port: commands first, then whichever device has waited longest."""

import asyncio
import heapq
import itertools
from collections.abc import Sequence

from core.api import KEEP, Command, CommandState, Host, Value
from integrations.modbus.bus import Bus, BusError, ExceptionAnswer, LinkError, NoAnswer
from integrations.modbus.profile import Coil, EntityMap
from integrations.modbus.session import NS, Session

RECONNECT_S = (0.5, 15.0)
#: Unanswered requests in a row, over all devices, after which the port is reopened.
REOPEN_AFTER = 6
#: Commands that wait for one port; beyond it a command fails at once as `queue_full`.
QUEUE = 64
_ATTEMPTS = 3
_READ_BACKS = 3
_READ_BACK_S = 0.1
_WORDS = {True: True, False: False, "on": True, "off": False}


class Pending:
    """A command on its way: exactly one terminal state, told once."""

    def __init__(
        self, host: Host, command: Command, session: Session, output: EntityMap
    ) -> None:
        self.host = host
        self.command = command
        self.session = session
        self.output = output
        self.done = asyncio.Event()
        self.attempts = 0
        self.reason = "modbus.not_sent"

    def finish(self, state: CommandState, reason: str = "") -> None:
        """Tell the terminal state; later ones are ignored."""
        if self.done.is_set():
            return
        self.done.set()
        if state is not CommandState.CONFIRMED:
            self.session.counters["commands_failed"] += 1
        self.host.result(self.command.id, state, reason)

    def expire(self) -> None:
        """End the command at its deadline with what stood in its way."""
        self.finish(CommandState.EXPIRED, self.reason)


class Port:
    """Own one bus and its devices; `run` ends only by cancellation."""

    def __init__(
        self, host: Host, bus_id: str, bus: Bus, sessions: Sequence[Session]
    ) -> None:
        self.host = host
        self.id = bus_id
        self.bus = bus
        self.sessions = list(sessions)
        self.reason = ""
        self.connects = 0
        self.answers = 0
        self._order = itertools.count()
        self._queue: list[tuple[int, int, int, Pending]] = []
        self._wake = asyncio.Event()
        self._misses = 0

    async def run(self) -> None:
        """Keep the port open and its devices polled."""
        delay = RECONNECT_S[0]
        try:
            while True:
                served = self.answers
                try:
                    await self.bus.connect()
                    self.connects += 1
                    self.reason = ""
                    await self._serve()
                except LinkError as problem:
                    self._down(problem)
                # Only an answer proves a port; one that opens and fails backs off.
                if self.answers > served:
                    delay = RECONNECT_S[0]
                # A command that waits is worth knocking for, long before its deadline.
                await self._pause(RECONNECT_S[0] if self._queue else delay)
                delay = min(2 * delay, RECONNECT_S[1])
        finally:
            self.bus.close()

    def _down(self, problem: LinkError) -> None:
        self.bus.close()
        if problem.reason != self.reason:
            self.host.count(problem.reason, f"{self.id}: {problem}")
        self.reason = problem.reason
        for *_, pending in self._queue:
            pending.reason = problem.reason
        for session in self.sessions:
            session.lost(problem.reason)
            session.due_ns = self.host.clock.mono_ns()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until the next command comes."""
        self._wake.clear()
        timer = self.host.timer.call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _serve(self) -> None:
        """Poll and command until the link fails (LinkError)."""
        self._misses = 0
        while True:
            await self._commands()
            session = min(self.sessions, key=lambda s: (s.due_ns, s.asked))
            wait_ns = session.due_ns - self.host.clock.mono_ns()
            if wait_ns > 0:
                await self._pause(wait_ns / NS)
            else:
                await self._poll(session)

    async def _poll(self, session: Session) -> None:
        # Whoever was asked longest ago goes first, also on a port that keeps failing.
        session.asked = next(self._order)
        try:
            for block in session.profile.blocks:
                await self._commands()
                words = await self.bus.read(
                    block.function,
                    block.address,
                    block.count,
                    session.unit,
                    session.timeout_s,
                )
                session.take(block, words)
        except NoAnswer as problem:
            session.no_answer(problem.reason)
            await self._missed()
        except ExceptionAnswer as problem:
            self._answered()
            session.exception(problem.reason)
        else:
            self._answered()
            session.answered()

    def _answered(self) -> None:
        self._misses = 0
        self.answers += 1

    async def _missed(self) -> None:
        """Reopen a port on which nobody answers any more: it may be half open."""
        self._misses += 1
        if self._misses >= REOPEN_AFTER:
            self._misses = 0
            await self.bus.connect()
            self.connects += 1

    async def command(
        self, command: Command, session: Session, output: EntityMap
    ) -> None:
        """Carry out a command; returns when its terminal state was told."""
        pending = Pending(self.host, command, session, output)
        session.counters["commands"] += 1
        if len(self._queue) >= QUEUE:
            pending.finish(CommandState.FAILED, "modbus.queue_full")
            return
        if _state(command.value) is None:
            pending.finish(CommandState.FAILED, "modbus.bad_value")
            return
        left_s = (command.deadline_ns - self.host.clock.mono_ns()) / NS
        if left_s <= 0:
            pending.expire()
            return
        # A moment early, so that our reason is told and not only that time is up.
        timer = self.host.timer.call_later(left_s * 0.98, pending.expire)
        self._push(pending, next(self._order))
        try:
            await pending.done.wait()
        finally:
            timer.cancel()
            # Whoever gave up on it must never see it carried out afterwards.
            pending.done.set()

    def _push(self, pending: Pending, order: int) -> None:
        # First attempts go before repeats: a dead relay never delays a live one.
        entry = (pending.attempts, pending.command.priority, order, pending)
        heapq.heappush(self._queue, entry)
        self._wake.set()

    async def _commands(self) -> None:
        while self._queue:
            *_, order, pending = heapq.heappop(self._queue)
            if pending.done.is_set():
                continue
            if pending.session.written.get(pending.output.uid, -1) > order:
                # A repeat must not undo what was decided after it.
                pending.finish(CommandState.FAILED, "modbus.superseded")
                continue
            try:
                await self._carry_out(pending, order)
            except LinkError as problem:
                pending.reason = problem.reason
                self._push(pending, order)
                raise

    async def _carry_out(self, pending: Pending, order: int) -> None:
        session, coil = pending.session, pending.output.coil
        wanted = _state(pending.command.value)
        if coil is None or wanted is None:
            return
        inverted = session.inverted(pending.output.uid)
        level = (wanted == coil.on_state) != inverted
        pending.attempts += 1
        try:
            # A word that prolongs what is: what has tripped stays tripped.
            keeps = pending.command.priority == KEEP
            if keeps and not await self._read_back(pending, coil, level):
                pending.finish(CommandState.FAILED, "modbus.tripped")
                return
            await self.bus.write_coil(
                coil.address, level, session.unit, session.timeout_s
            )
            session.written[pending.output.uid] = order
            if not pending.done.is_set():
                self.host.result(pending.command.id, CommandState.DELIVERED)
            confirmed = await self._read_back(pending, coil, level)
        except NoAnswer as problem:
            self._unanswered(pending, order, problem)
            return
        except ExceptionAnswer as problem:
            pending.finish(CommandState.FAILED, problem.reason)
            return
        self._answered()
        if not confirmed:
            pending.finish(CommandState.FAILED, "modbus.read_back_differs")
            return
        session.proven(pending.output.uid, wanted)
        pending.finish(CommandState.CONFIRMED)

    def _unanswered(self, pending: Pending, order: int, problem: BusError) -> None:
        pending.reason = problem.reason
        if pending.attempts < _ATTEMPTS:
            self._push(pending, order)
        else:
            pending.finish(CommandState.FAILED, problem.reason)

    async def _read_back(self, pending: Pending, coil: Coil, level: bool) -> bool:
        """Say whether the device shows the level that was written."""
        session = pending.session
        for attempt in range(_READ_BACKS):
            if attempt:
                await asyncio.sleep(_READ_BACK_S)
            bits = await self.bus.read(
                coil.read_function,
                coil.read_address,
                1,
                session.unit,
                session.timeout_s,
            )
            if bool(bits[0]) == level:
                return True
        return False


def _state(value: Value) -> bool | None:
    """Return what a command asks of a coil, or None when it makes no sense."""
    return _WORDS.get(value) if isinstance(value, bool | int | float | str) else None
