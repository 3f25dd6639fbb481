"""HTTP to one camera: its own address only, bounded answers, deadlines, digest.

No redirect is followed and no address that a camera names is called: credentials go
to the place that the site's options name, and nowhere else.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from core.api import AuthError, ConfigError, DeviceError

#: Any answer of a camera; a picture may be as large as the decoder takes.
MAX_ANSWER = 1 << 20
CONNECT_S, ANSWER_S = 5.0, 10.0
_REFUSED = (401, 403)


class Unanswered(DeviceError):
    """A camera did not answer, or not as it should."""

    code = "camera.unreachable"


class BadAnswer(DeviceError):
    """A camera answered what makes no sense; it is counted as bad input."""

    code = "camera.bad_answer"


class CutShort(BadAnswer):
    """An answer ended in its middle."""

    code = "camera.cut_short"


def path_of(url: str) -> str:
    """Return path and query of an address, the rest is never believed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    query = f"?{parts.query}" if parts.query else ""
    return (parts.path or "/") + query


class Fetch:
    """Hold the session with one camera; use it as an ``async with``."""

    def __init__(self, options: Mapping[str, Any], password: str) -> None:
        scheme = "https" if options.get("tls") else "http"
        host = options["address"]
        host = f"[{host}]" if ":" in host else host
        self.base = f"{scheme}://{host}:{options['port']}"
        self.user: str = options.get("username", "")
        self.password = password
        self._basic = options.get("auth") == "basic"
        self._pin: str = options.get("fingerprint", "")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Fetch":
        middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = ()
        auth = None
        if self.user and self._basic:
            auth = aiohttp.BasicAuth(self.user, self.password, "utf-8")
        elif self.user:
            digest = aiohttp.DigestAuthMiddleware(self.user, self.password)
            middlewares = (digest,)
        self._session = aiohttp.ClientSession(
            auth=auth,
            middlewares=middlewares,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=6, force_close=True, ssl=self._tls()),
        )
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    def _tls(self) -> ssl.SSLContext | aiohttp.Fingerprint | bool:
        if not self._pin:
            return True
        try:
            return aiohttp.Fingerprint(bytes.fromhex(self._pin.replace(":", "")))
        except ValueError as error:
            wrong = "fingerprint: give the certificate's SHA-256, 64 hex digits"
            raise ConfigError(wrong) from error

    @asynccontextmanager
    async def open(
        self, method: str, path: str, *, most_s: float | None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield an accepted answer; raises AuthError, Unanswered.

        ``most_s``: the whole exchange's deadline; None for a stream.
        """
        if self._session is None:
            raise Unanswered("not open")
        timeout = aiohttp.ClientTimeout(
            total=most_s, sock_connect=CONNECT_S, sock_read=None if most_s else 60.0
        )
        try:
            async with self._session.request(
                method,
                self.base + path,
                timeout=timeout,
                allow_redirects=False,
                **more,
            ) as response:
                if response.status in _REFUSED:
                    raise AuthError(f"HTTP {response.status}")
                yield response
        except aiohttp.ClientPayloadError as error:
            raise CutShort("an answer ended in its middle") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unanswered(type(error).__name__) from error

    async def get(self, path: str, most: int = MAX_ANSWER) -> bytes:
        """Return the body of a page; raises AuthError, Unanswered."""
        async with self.open("GET", path, most_s=ANSWER_S) as response:
            if response.status != 200:
                raise Unanswered(f"HTTP {response.status}")
            return await body_of(response, most)

    async def post(
        self, path: str, data: bytes, headers: Mapping[str, str], most_s: float
    ) -> tuple[int, bytes]:
        """Return status and body; raises AuthError, Unanswered."""
        async with self.open(
            "POST", path, most_s=most_s, data=data, headers=headers
        ) as response:
            return response.status, await body_of(response, MAX_ANSWER)

    @asynccontextmanager
    async def stream(
        self, path: str, silent_s: float
    ) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """Yield content type and pieces of an endless answer.

        Raises AuthError; Unanswered also when nothing comes for ``silent_s``.
        """
        async with self.open("GET", path, most_s=None) as response:
            if response.status != 200:
                raise Unanswered(f"HTTP {response.status}")
            kind = response.headers.get("Content-Type", "")
            yield kind, _pieces(response, silent_s)


async def _pieces(
    response: aiohttp.ClientResponse, silent_s: float
) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(silent_s):
            piece = await response.content.readany()
        if not piece:
            raise Unanswered("the stream ended")
        yield piece


async def body_of(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return an answer's body; raises Unanswered for one that is too large."""
    found = bytearray()
    async for piece in response.content.iter_chunked(1 << 16):
        found += piece
        if len(found) > most:
            raise Unanswered("an answer of more than a megabyte")
    return bytes(found)
