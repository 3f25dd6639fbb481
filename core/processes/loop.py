"""The safety process's own loop: sockets, timers and what is said from threads.

It offers what this process uses of an asyncio loop, under the same names, so that
lanes and control sockets run on either. Without asyncio the process starts a third
faster and a message costs less on its way (ADR 8). No coroutines, no futures.
"""

import contextlib
import heapq
import os
import select
import signal
from collections import deque
from collections.abc import Callable
from typing import Any

from core.clock import NS, loop_ns

#: A loop without work looks around this often at least.
_LONGEST_S = 60.0
_READ = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_WRITE = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR
Work = tuple[Callable[..., object], tuple[Any, ...]]


class Timer:
    """Hold one call that is due later."""

    __slots__ = ("call", "due_ns")

    def __init__(self, due_ns: int, call: Callable[[], object]) -> None:
        self.due_ns = due_ns
        self.call: Callable[[], object] | None = call

    def __lt__(self, other: "Timer") -> bool:
        return self.due_ns < other.due_ns

    def cancel(self) -> None:
        """Make it do nothing; idempotent."""
        self.call = None


class Loop:
    """Call back for readable sockets, due timers and queued work, one at a time.

    ``failed`` hears of each error of a callback; the loop goes on (design §5).
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._ready: deque[Work] = deque()
        self._timers: list[Timer] = []
        self._readers: dict[int, Callable[[], object]] = {}
        self._writers: dict[int, Callable[[], object]] = {}
        self._poll = select.epoll()
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.stopped = False
        self.add_reader(self._wake, self._woken)

    # --- life -----------------------------------------------------------------

    def run(self) -> None:
        """Serve until `stop`, then give the descriptors back."""
        while not self.stopped:
            self._once()
        self._poll.close()
        os.close(self._wake)
        os.close(self._waker)

    def stop(self) -> None:
        """End after this turn."""
        self.stopped = True

    # --- what is to be done ---------------------------------------------------

    def call_soon(self, call: Callable[..., object], *args: Any) -> None:
        """Call in the next turn, in the order of asking."""
        self._ready.append((call, args))

    def call_soon_threadsafe(self, call: Callable[..., object], *args: Any) -> None:
        """Call soon, asked from another thread; raises RuntimeError when it ended."""
        if self.stopped:
            raise RuntimeError("the loop has ended")
        self._ready.append((call, args))
        self._rouse()

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call after so many real seconds."""
        timer = Timer(loop_ns() + int(max(seconds, 0.0) * NS), call)
        heapq.heappush(self._timers, timer)
        return timer

    def add_signal_handler(self, number: int, call: Callable[[], object]) -> None:
        """Call in the loop when the signal comes."""

        def heard(*_: object) -> None:
            self._ready.append((call, ()))
            self._rouse()

        signal.signal(number, heard)

    def add_reader(self, fd: int, call: Callable[[], object]) -> None:
        """Call whenever the descriptor has something to read, or has ended."""
        self._readers[fd] = call
        self._watch(fd)

    def remove_reader(self, fd: int) -> None:
        """Stop looking for something to read; unknown ones are fine."""
        if self._readers.pop(fd, None) is not None:
            self._watch(fd)

    def add_writer(self, fd: int, call: Callable[[], object]) -> None:
        """Call whenever the descriptor takes bytes."""
        self._writers[fd] = call
        self._watch(fd)

    def remove_writer(self, fd: int) -> None:
        """Stop looking for room to write; unknown ones are fine."""
        if self._writers.pop(fd, None) is not None:
            self._watch(fd)

    # --- inside ---------------------------------------------------------------

    def _watch(self, fd: int) -> None:
        wanted = (select.EPOLLIN if fd in self._readers else 0) | (
            select.EPOLLOUT if fd in self._writers else 0
        )
        if not wanted:
            with contextlib.suppress(OSError):  # closing it has done the same
                self._poll.unregister(fd)
            return
        try:
            self._poll.modify(fd, wanted)
        except FileNotFoundError:
            self._poll.register(fd, wanted)

    def _once(self) -> None:
        """Take one turn: what the sockets say, what is due, what was asked for."""
        for fd, said in self._poll.poll(self._pause_s()):
            # An earlier call of this turn may have closed this one's socket.
            if said & _READ and (call := self._readers.get(fd)) is not None:
                self._do(call, ())
            if said & _WRITE and (call := self._writers.get(fd)) is not None:
                self._do(call, ())
        timers = self._timers
        if timers:
            now = loop_ns()
            while timers and timers[0].due_ns <= now:
                due = heapq.heappop(timers).call
                if due is not None:
                    self._do(due, ())
        # What is asked for meanwhile waits for the next turn, behind the sockets.
        ready = self._ready
        for _ in range(len(ready)):
            self._do(*ready.popleft())

    def _pause_s(self) -> float:
        if self._ready or self.stopped:
            return 0.0
        if not self._timers:
            return _LONGEST_S
        left = (self._timers[0].due_ns - loop_ns()) / NS
        return min(max(left, 0.0), _LONGEST_S)

    def _do(self, call: Callable[..., object], args: tuple[Any, ...]) -> None:
        try:
            call(*args)
        except Exception as error:  # noqa: BLE001 - the border of every callback:
            # one error may not end the loop that everybody's alarms run through.
            self._failed(error)

    def _rouse(self) -> None:
        try:
            os.write(self._waker, b"\0")
        except BlockingIOError:
            return  # it is full of calls to wake already
        except OSError as error:
            raise RuntimeError("the loop has ended") from error

    def _woken(self) -> None:
        try:
            os.read(self._wake, 4096)
        except BlockingIOError:
            return
