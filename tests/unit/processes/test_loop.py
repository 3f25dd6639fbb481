"""The safety process's own loop: order, timers, threads, signals, errors."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from core.link.lane import SocketLane
from core.link.messages import Message, Ping
from core.processes.loop import Loop


class Stand:
    """A loop, what failed in it, and what was done."""

    def __init__(self) -> None:
        self.failed: list[BaseException] = []
        self.done: list[object] = []
        self.loop = Loop(self.failed.append)

    def mark(self, what: object) -> Callable[[], None]:
        """Return a call that notes itself."""
        return lambda: self.done.append(what)

    def run(self) -> list[object]:
        """Run until somebody stops it; returns what was done."""
        guard = self.loop.call_later(60.0, self.loop.stop)
        self.loop.run()
        assert guard.call is not None, "stopped by its limit"
        return self.done


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_what_is_asked_for_comes_in_order_and_in_the_next_turn(stand: Stand) -> None:
    loop = stand.loop

    def first() -> None:
        stand.done.append("first")
        loop.call_soon(stand.mark("of the next turn"))
        loop.call_soon(loop.stop)

    loop.call_soon(first)
    loop.call_soon(stand.mark("second"))
    assert stand.run() == ["first", "second", "of the next turn"]


def test_timers_come_by_their_time_and_a_cancelled_one_not_at_all(
    stand: Stand,
) -> None:
    loop = stand.loop
    loop.call_later(0.02, loop.stop)
    loop.call_later(0.01, stand.mark("late"))
    loop.call_later(0.0, stand.mark("early"))
    loop.call_later(0.005, stand.mark("never")).cancel()
    assert stand.run() == ["early", "late"]


def test_a_socket_is_read_when_it_has_something_and_never_after(
    stand: Stand, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair

    def read() -> None:
        stand.done.append(ours.recv(10))
        stand.loop.remove_reader(ours.fileno())
        theirs.send(b"unheard")
        stand.loop.call_later(0.01, stand.loop.stop)

    stand.loop.add_reader(ours.fileno(), read)
    theirs.send(b"heard")
    assert stand.run() == [b"heard"]
    stand.loop.remove_reader(ours.fileno())  # an unknown one is fine


def test_a_callback_may_close_the_socket_of_the_next_in_the_same_turn(
    stand: Stand,
) -> None:
    """Two sockets are ready at once; whoever is heard first ends the other."""
    one, other = socket.socketpair()

    def end_of(mine: socket.socket, its: socket.socket) -> Callable[[], None]:
        def act() -> None:
            stand.done.append("heard")
            for sock in (mine, its):
                stand.loop.remove_reader(sock.fileno())
                sock.close()
            stand.loop.call_soon(stand.loop.stop)

        return act

    stand.loop.add_reader(one.fileno(), end_of(one, other))
    stand.loop.add_reader(other.fileno(), end_of(other, one))
    one.send(b"a")
    other.send(b"b")
    assert stand.run() == ["heard"]
    assert stand.failed == []


def test_an_error_is_told_and_the_loop_goes_on(
    stand: Stand, pair: tuple[socket.socket, socket.socket]
) -> None:
    """Design §5: one room's error may not end the loop of all alarms."""
    ours, theirs = pair

    def broken() -> None:
        ours.recv(10)
        raise ValueError("broken")

    stand.loop.add_reader(ours.fileno(), broken)
    theirs.send(b"x")
    stand.loop.call_later(0.0, lambda: 1 // 0)
    stand.loop.call_soon([].pop)
    stand.loop.call_later(0.02, stand.loop.stop)
    stand.run()
    assert {type(each) for each in stand.failed} == {
        ValueError,
        ZeroDivisionError,
        IndexError,
    }


def test_a_thread_wakes_the_loop_and_is_refused_when_it_ended(stand: Stand) -> None:
    loop = stand.loop

    def work() -> None:
        for number in range(1000):
            loop.call_soon_threadsafe(stand.done.append, number)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=work)
    thread.start()
    assert stand.run() == list(range(1000))
    thread.join(30.0)
    with pytest.raises(RuntimeError):
        loop.call_soon_threadsafe(loop.stop)


def test_a_signal_is_heard_in_the_loop(stand: Stand) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    stand.loop.add_signal_handler(signal.SIGUSR1, stand.loop.stop)
    try:
        stand.loop.call_later(
            0.01, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        )
        stand.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert stand.loop.stopped


def test_lanes_run_on_it_and_a_slow_reader_gets_everything(stand: Stand) -> None:
    """What does not fit into the socket leaves as the peer takes it."""
    ours, theirs = socket.socketpair()
    got: list[Message] = []
    end: list[str] = []
    count = 60_000

    def take(message: Message) -> None:
        got.append(message)
        if len(got) == count:
            left.close()

    def ended(reason: str) -> None:
        end.append(reason)
        stand.loop.stop()

    left = SocketLane(stand.loop, ours, take, end.append)
    right = SocketLane(stand.loop, theirs, got.append, ended)
    right._receive = take
    for number in range(count):
        left.send(Ping(number))
    assert left.pending > 0
    stand.run()
    assert [each.number for each in got if isinstance(each, Ping)] == [*range(count)]
    assert end == ["lost"]


def test_it_gives_its_descriptors_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        stand = Stand()
        stand.loop.call_soon(stand.loop.stop)
        stand.run()
    assert len(os.listdir("/proc/self/fd")) == before
