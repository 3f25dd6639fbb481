"""One group on all of the machine's networks: what it hears, and asking it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence

from integrations.runtime.discovery.reach import Network, networks

#: A datagram and the address that it came from.
Heard = Callable[[bytes, str], None]
_TTL = 4


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard(data, addr[0])

    def error_received(self, exc: Exception) -> None:
        """Pass over: a network that is away is asked again later."""


class Group:
    """Listen to a group and ask it from every network; close when done.

    ``open`` raises OSError where no socket can be had.
    """

    def __init__(self, address: str, port: int, heard: Heard) -> None:
        self._address, self._port, self._heard = address, port, heard
        self._transports: list[asyncio.DatagramTransport] = []
        self._askers: list[asyncio.DatagramTransport] = []
        self.networks: Sequence[Network] = ()

    async def open(self) -> None:
        """Join the group on each network, and make a socket to ask on each."""
        self.networks = networks()
        await self._serve(_listener(self._address, self._port, self.networks))
        for net in self.networks:
            self._askers.append(await self._serve(_asker(net.address)))

    async def _serve(self, sock: socket.socket) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Protocol(self._heard), sock=sock
            )
        except BaseException:
            sock.close()
            raise
        self._transports.append(transport)
        return transport

    def ask(self, data: bytes) -> None:
        """Send a datagram to the group from every network."""
        for transport in self._askers:
            with contextlib.suppress(OSError):
                transport.sendto(data, (self._address, self._port))

    def close(self) -> None:
        """Leave the group; idempotent."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()
        self._askers.clear()


def _listener(address: str, port: int, known: Sequence[Network]) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)
    try:
        sock.setblocking(False)
        # Others of this machine may listen too: a media server, an agent.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((address, port))
        joined = 0
        for net in known:
            member = struct.pack(
                "4s4s", socket.inet_aton(address), socket.inet_aton(net.address)
            )
            with contextlib.suppress(OSError):  # twice on one interface, or it left
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
                joined += 1
        if not joined:
            raise OSError(f"no network on which {address} can be joined")
    except BaseException:
        sock.close()
        raise
    return sock


def _asker(own: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
        out = socket.inet_aton(own)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, out)
        sock.bind((own, 0))
    except BaseException:
        sock.close()
        raise
    return sock
