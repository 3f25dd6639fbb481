"""Control sockets: packets with sockets, and who may come in."""

import os
import socket
from pathlib import Path

import pytest

from core.processes import control
from core.processes.control import PACKET, Channel
from core.processes.guest import NotRunning, ask


def channels() -> tuple[Channel, Channel]:
    ours, theirs = Channel.pair()
    return ours, Channel(theirs)


def test_packet_carries_sockets() -> None:
    """ADR 4: ends of pairs go by SCM_RIGHTS, closed on exec."""
    one, two = channels()
    left, right = socket.socketpair()
    assert one.send({"op": "peer", "n": 1}, left)
    left.close()
    got = two.receive()
    assert got is not None
    packet, (passed,) = got
    assert packet == {"op": "peer", "n": 1}
    assert not os.get_inheritable(passed.fileno())
    passed.send(b"x")
    assert right.recv(1) == b"x"
    for each in (passed, right, one, two):
        each.close()


def test_nothing_yet_gone_and_malformed_are_told_apart() -> None:
    one, two = channels()
    assert two.receive() is None
    for data in (b"{", b"[]", b'{"no":1}', b'{"op":1}', b"\xff"):
        one.sock.send(data)
        with pytest.raises(ValueError):
            two.receive()
    one.close()
    with pytest.raises(EOFError):
        two.receive()
    assert not two.send({"op": "x"})
    two.close()


def test_packet_that_is_too_large_is_a_mistake_of_ours() -> None:
    one, two = channels()
    with pytest.raises(ValueError, match="bytes"):
        one.send({"op": "x" * PACKET})
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("uid", "welcome"), [(0, True), (os.geteuid(), True), (54321, False)]
)
def test_only_the_hubs_own_user_comes_in(
    monkeypatch: pytest.MonkeyPatch, uid: int, welcome: bool
) -> None:
    """Design §3: peers checked by SO_PEERCRED."""
    one, two = socket.socketpair()
    assert control.peer_uid(one) == os.geteuid()
    monkeypatch.setattr(control, "peer_uid", lambda _sock: uid)
    assert control.allowed(one) is welcome
    one.close()
    two.close()


def test_notify_reaches_the_service_manager(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Protocols §12: sd_notify by a datagram socket."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        control.notify("READY=1")
        assert sock.recv(100) == b"READY=1"
    control.notify("READY=1")  # nobody listens: no error
    monkeypatch.delenv("NOTIFY_SOCKET")
    control.notify("READY=1")


def test_asking_where_no_hub_runs_names_the_socket(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match=r"run/keeper\.sock"):
        ask(tmp_path, {"op": "status"})
