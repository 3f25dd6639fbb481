"""Play a device that announces itself: ``mdns`` or ``wsd``; ``bye`` ends it."""

import asyncio
import json
import random
import socket
import struct
import sys
import time

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

MAC = "246f28aabbcc"
UUID = "2419d68a-2dd2-21b2-a205-2857be001122"
GROUP, PORT = "239.255.255.250", 3702


def tell(**fields: object) -> None:
    """Print one line, with the machine's time."""
    sys.stdout.write(json.dumps({**fields, "at": time.monotonic()}) + "\n")
    sys.stdout.flush()


async def bye() -> None:
    """Wait until the test says so."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.readline()


async def mdns(address: str) -> None:
    """Announce an ESPHome node with an address too many, as some do."""
    zeroconf = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    served = await asyncio.start_server(lambda _r, w: w.close(), address, 6053)
    info = AsyncServiceInfo(
        "_esphomelib._tcp.local.",
        "gas-node._esphomelib._tcp.local.",
        addresses=[socket.inet_aton(each) for each in ("169.254.7.7", address)],
        port=6053,
        properties={"mac": MAC, "friendly_name": "Gas node"},
        server="gas-node.local.",
    )
    tell(event="ready")
    await (await zeroconf.async_register_service(info))
    tell(event="announced")
    await bye()
    await (await zeroconf.async_unregister_service(info))
    tell(event="gone")
    await zeroconf.async_close()
    served.close()


_WORD = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header/><e:Body>'
    "{open}<a:EndpointReference><a:Address>urn:uuid:{uuid}</a:Address>"
    "</a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>"
    "<d:Scopes>onvif://www.onvif.org/name/Gate</d:Scopes>"
    "<d:XAddrs>http://{address}/onvif/device_service</d:XAddrs>{close}"
    "</e:Body></e:Envelope>"
)


def word(kind: str, address: str) -> bytes:
    """Return a Hello, a Bye or an answer to a probe."""
    tags = (
        ["d:ProbeMatches", "d:ProbeMatch"] if kind == "ProbeMatches" else [f"d:{kind}"]
    )
    opened = "".join(f"<{tag}>" for tag in tags)
    closed = "".join(f"</{tag}>" for tag in reversed(tags))
    return _WORD.format(open=opened, close=closed, uuid=UUID, address=address).encode()


class Camera(asyncio.DatagramProtocol):
    """Answer every probe from its own address, at the port that asked."""

    def __init__(self, address: str, answers: socket.socket) -> None:
        self._address, self._answers = address, answers

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a word that somebody says to the group."""
        if b"/Probe</" in data:
            self._answers.sendto(word("ProbeMatches", self._address), addr)


async def wsd(address: str, *, hello: bool) -> None:
    """Say hello, or only answer probes; say bye."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((GROUP, PORT))
    member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    own.bind((address, 0))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Camera(address, own), sock=sock
    )
    tell(event="ready")
    if hello:
        own.sendto(word("Hello", address), (GROUP, PORT))
    tell(event="announced")
    await bye()
    own.sendto(word("Bye", address), (GROUP, PORT))
    tell(event="gone")
    transport.close()
    own.close()


def noise(address: str) -> None:
    """Say to every group what no device says: chance, and words cut anywhere."""
    chance = random.Random(5)
    words = [word("Hello", address), b"NOTIFY * HTTP/1.1\r\nNT: x\r\nUSN: y\r\n", b""]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        out = socket.inet_aton(address)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, out)
        for group, port in (("224.0.0.251", 5353), (GROUP, PORT), (GROUP, 1900)):
            for _ in range(300):
                whole = chance.choice(words)
                cut = whole[: chance.randrange(len(whole) + 1)]
                sock.sendto(cut + chance.randbytes(chance.randrange(60)), (group, port))


async def main() -> None:
    """Play what the first argument says, at the address of the second."""
    kind, address = sys.argv[1:3]
    if "--noise" in sys.argv:
        noise(address)
    if kind == "mdns":
        await mdns(address)
    else:
        await wsd(address, hello=kind == "wsd-hello")


if __name__ == "__main__":
    asyncio.run(main())
