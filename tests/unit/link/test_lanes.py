"""Lanes: sockets and in-process pairs behave alike; overflow and bad bytes close."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from core.link import messages as m
from core.link import pair
from core.link.client import Client
from core.link.lane import Lane, SocketLane
from core.link.server import CREDIT, Server
from tests.support.waiting import until


class End:
    """One end of a lane, and what it saw."""

    def __init__(self) -> None:
        self.lane: Lane
        self.seen: list[m.Message | str] = []

    def take(self, message: m.Message) -> None:
        self.seen.append(message)

    def ended(self, reason: str) -> None:
        self.seen.append(f"ended: {reason}")


Ends = Callable[[int], tuple[End, End]]


def socket_ends(limit: int) -> tuple[End, End]:
    ends = End(), End()
    for end, sock in zip(ends, socket.socketpair(), strict=True):
        end.lane = SocketLane(
            asyncio.get_running_loop(), sock, end.take, end.ended, limit=limit
        )
    return ends


def pair_ends(limit: int) -> tuple[End, End]:
    ends = End(), End()
    later = asyncio.get_running_loop().call_soon
    for end, lane in zip(ends, pair.connect(later, limit), strict=True):
        lane.bind(end.take, end.ended)
        end.lane = lane
    return ends


both = pytest.mark.parametrize("make", [socket_ends, pair_ends])


@both
async def test_messages_arrive_in_order(make: Ends) -> None:
    """Design §3: the in-process pair is the same interface."""
    left, right = make(1 << 20)
    sent = [m.Ping(n) for n in range(2_000)]
    for message in sent:
        left.lane.send(message)
    right.lane.send(m.Alive(7))
    await until(lambda: len(right.seen) == 2_000 and left.seen, "all messages")
    assert right.seen == sent
    assert left.seen == [m.Alive(7)]
    left.lane.close()
    await until(lambda: right.seen[-1] == "ended: lost", "end")
    assert left.seen == [m.Alive(7)]


@both
async def test_what_was_sent_before_the_close_still_arrives(make: Ends) -> None:
    left, right = make(1 << 20)
    left.lane.send(m.Ping(1))
    left.lane.close()
    left.lane.send(m.Ping(2))
    await until(lambda: len(right.seen) == 2, "message and end")
    assert right.seen == [m.Ping(1), "ended: lost"]


@both
async def test_bad_bytes_close_with_the_reason(make: Ends) -> None:
    """Bad input: the peer is closed, precisely, and nothing else happens."""
    left, right = make(1 << 20)
    left.lane.send(m.Ping(1))
    left.lane.send_frame(b"\x01\0\0\0\xc1")
    left.lane.send(m.Ping(2))
    await until(lambda: len(right.seen) == 2, "message and end")
    assert right.seen[0] == m.Ping(1)
    assert str(right.seen[1]).startswith("ended: frame_malformed")
    assert right.lane.closed
    await until(lambda: left.seen, "left saw it")
    left.lane.close()


async def test_peer_that_does_not_read_overflows_and_is_closed() -> None:
    """Named overflow policy of the safety lane: closed, to begin anew."""
    ours, theirs = socket.socketpair()
    end = End()
    end.lane = SocketLane(
        asyncio.get_running_loop(), ours, end.take, end.ended, limit=100_000
    )
    for _ in range(100):
        end.lane.send(m.Result("x" * 10_000, "delivered"))
        await asyncio.sleep(0)
        if end.seen:
            break
    assert end.seen == ["ended: overflow"]
    end.lane.send(m.Ping(1))
    theirs.close()


def test_halted_pair_overflows_and_is_closed() -> None:
    calls: list[Callable[[], None]] = []
    left, right = pair.connect(calls.append, limit=1_000)
    one, two = End(), End()
    left.bind(one.take, one.ended)
    right.bind(two.take, two.ended)
    right.halt()
    for _ in range(20):
        left.send(m.Result("x" * 100, "delivered"))
    while calls:
        calls.pop(0)()
    assert one.seen == ["ended: overflow"]
    assert right.closed == "lost"


async def test_safety_is_taken_before_telemetry() -> None:
    """Design §2: the safety lane is never behind telemetry."""
    seen: list[str] = []
    server = Server(lambda _p, message: seen.append(type(message).__name__), print)
    safety, telemetry = socket.socketpair(), socket.socketpair()
    server.attach(
        asyncio.get_running_loop(),
        "host:a",
        ["safety", "telemetry"],
        [safety[0], telemetry[0]],
    )
    client = Client(lambda: m.Hello("host:a", "host", "1"), lambda _: None)
    client.attach(["safety", "telemetry"], [safety[1], telemetry[1]])
    await until(lambda: seen == ["Hello"], "hello")
    assert client.telemetry is not None
    assert client.safety is not None
    client.telemetry.send(m.Readings(1, [m.Row(1, 1.0)]))
    client.telemetry.flush()
    client.send(m.Alive(1))
    client.safety.flush()
    await until(lambda: len(seen) == 3, "all")
    assert seen == ["Hello", "Alive", "Readings"]
    client.detach()
    server.close()


async def test_credit_comes_back_as_frames_are_taken() -> None:
    """Design §3: credit windows."""
    server = Server(lambda _p, _m: None, lambda _p, _r: None)
    safety, telemetry = socket.socketpair(), socket.socketpair()
    server.attach(
        asyncio.get_running_loop(),
        "host:a",
        ["safety", "telemetry"],
        [safety[0], telemetry[0]],
    )
    credits: list[m.Message] = []
    client = Client(lambda: m.Hello("host:a", "host", "1"), credits.append)
    client.attach(["safety", "telemetry"], [safety[1], telemetry[1]])
    assert client.telemetry is not None
    for number in range(CREDIT):
        client.telemetry.send(m.Readings(number, []))
    await until(
        lambda: sum(c.frames for c in credits if isinstance(c, m.Credit)) == CREDIT,
        "credit returned",
    )
    client.detach()
    server.close()


async def test_large_snapshot_arrives_whole() -> None:
    """Frames stay below a megabyte; the client hands the snapshot on in one."""
    ours, theirs = socket.socketpair()
    seen: list[m.Message] = []
    client = Client(lambda: m.Hello("v", "viewer", "1"), seen.append)
    client.attach(["safety"], [theirs])
    end = End()
    end.lane = SocketLane(asyncio.get_running_loop(), ours, end.take, end.ended)
    state, bundle = bytes(range(256)) * 9_000, b"bundle" * 9
    parts = [state[at : at + 500_000] for at in range(0, len(state), 500_000)]
    for number, part in enumerate(parts):
        more = number < len(parts) - 1
        end.lane.send(m.Snapshot(1, 5, part, b"" if number else bundle, more))
    end.lane.send(m.Ping(3))
    await until(lambda: seen and m.Alive(3) in end.seen, "snapshot and answer")
    assert seen == [m.Snapshot(1, 5, state, bundle)]
    client.detach()
    end.lane.close()


async def test_replaced_peer_is_not_mistaken_for_its_successor() -> None:
    lost: list[tuple[str, str]] = []
    server = Server(lambda _p, _m: None, lambda p, r: lost.append((p, r)))
    first, second = socket.socketpair(), socket.socketpair()
    server.attach(asyncio.get_running_loop(), "cli:1", ["safety"], [first[0]])
    server.attach(asyncio.get_running_loop(), "cli:1", ["safety"], [second[0]])
    first[1].close()
    await asyncio.sleep(0)
    assert lost == [("cli:1", "replaced")]
    assert server.peers("cli") == ["cli:1"]
    second[1].close()
    await until(lambda: len(lost) == 2, "second lost")
    assert server.peers("cli") == []
