"""What channels deliver to, on loopback: mail, web hooks, bots, ntfy, Web Push."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.channels.push import Subscription, b64


@dataclass
class Taken:
    """One request that a sink took."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpSink:
    """Take every POST; ``answer`` is its answer, ``status`` a plain one."""

    taken: list[Taken] = field(default_factory=list)
    status: int = 200
    reply: dict[str, Any] = field(default_factory=dict)
    hang: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take one."""
        body = await request.read()
        headers = {k.lower(): v for k, v in request.headers.items()}
        self.taken.append(Taken(request.path_qs, headers, body))
        if self.hang:
            await self.over.wait()
        return web.json_response(self.reply, status=self.status)


@asynccontextmanager
async def http_sink(context: ssl.SSLContext | None = None) -> AsyncIterator[HttpSink]:
    """Serve a sink."""
    sink = HttpSink()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", sink.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    sink.port = runner.addresses[0][1]
    try:
        yield sink
    finally:
        sink.over.set()
        await runner.cleanup()


@asynccontextmanager
async def raw_sink(answer: bytes) -> AsyncIterator[int]:
    """Serve bytes that are no HTTP; returns the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class MailSink:
    """Take mail."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], bytes]] = []
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take one mail."""
        self.got.append((list(envelope.rcpt_tos), envelope.content))
        return "250 OK"


@asynccontextmanager
async def mail_sink() -> AsyncIterator[MailSink]:
    """Serve a sink for mail by SMTP."""
    sink = MailSink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="sink", loop=loop), "127.0.0.1", 0
    )
    sink.port = server.sockets[0].getsockname()[1]
    async with server:
        yield sink


class Browser:
    """Hold a browser's subscription, and read what only it can read (RFC 8291)."""

    def __init__(self, endpoint: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = bytes(range(16))
        self._public = self._key.public_key().public_bytes(
            serialization.Encoding.X962,
            serialization.PublicFormat.UncompressedPoint,
        )
        self.subscription = Subscription(
            endpoint=endpoint, p256dh=b64(self._public), auth=b64(self._auth)
        )

    def read(self, body: bytes) -> bytes:
        """Return a message's text."""
        salt, length = body[:16], body[20]
        assert int.from_bytes(body[16:20]) >= len(body) - 21 - length
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self._key.exchange(ec.ECDH(), point)
        info = b"WebPush: info\x00" + self._public + theirs
        secret = _hkdf(self._auth, shared, info, 32)
        key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\x00", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None)
        text, mark, _ = padded.rpartition(b"\x02")
        assert mark, "the last record ends with 2"
        return text


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
