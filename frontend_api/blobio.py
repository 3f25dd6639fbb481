"""Bytes between HTTP and blobs: blocks in, ranges and headers out."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator

from aiohttp import web

from core.api.errors import Refused
from frontend_api.media import KNOWN
from frontend_api.problems import Problem

#: Bytes that go to a thread at once.
BLOCK = 256 << 10
#: A peer that says nothing, or takes nothing, for this long is given up.
IDLE_S = 30.0
#: Requests that may move bytes at once; more are told to come again.
STREAMS = 8
#: Of these, one person's: whoever opens many and dawdles keeps nobody out.
STREAMS_EACH = 6
OFFSET = "Upload-Offset"
LENGTH = "Upload-Length"
#: A blob is a document of its own origin that may run and load nothing.
_BLOB_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}
_STATUS = {
    "attachment.upload_unknown": 404,
    "attachment.missing": 404,
    "attachment.erased": 410,
    "attachment.size": 413,
    "attachment.too_long": 413,
    "attachment.media": 415,
    "attachment.media_wrong": 415,
    "attachment.range": 416,
    "attachment.hash": 422,
    "attachment.idle": 408,
    "attachment.not_yours": 403,
    "attachment.many_open": 429,
    "attachment.person_quota": 429,
    "attachment.busy": 503,
    "attachment.disk": 503,
    "attachment.damaged": 500,
    "attachment.disk_full": 507,
}


class Streams:
    """Count the requests that move bytes, each person's too."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return self._open.total() > 0

    @contextlib.contextmanager
    def of(self, person_id: str) -> Iterator[None]:
        """Count one more of a person; raises Problem where there is no room."""
        mine = self._open[person_id]
        if self._open.total() >= STREAMS or mine >= STREAMS_EACH:
            raise problem_of(Refused("attachment.busy"))
        self._open[person_id] += 1
        try:
            yield
        finally:
            self._open[person_id] -= 1
            self._open += Counter()  # who has none is not kept


def problem_of(no: Refused) -> Problem:
    """Return the problem of a refusal of this room."""
    status = _STATUS.get(no.refusal, 0)
    return Problem(no.refusal, status=status, **no.params)


def offset_of(request: web.Request) -> int:
    """Return the header Upload-Offset; raises Problem."""
    told = request.headers.get(OFFSET, "")
    if not (told.isascii() and told.isdigit() and len(told) <= 15):
        raise Problem("gateway.bad_request", reason=f"{OFFSET} is not a whole number")
    return int(told)


async def blocks(request: web.Request) -> AsyncIterator[bytes]:
    """Yield a body as it comes, in blocks that are worth a thread.

    What came before a cut is yielded too, and what comes slowly now and then: only
    who hands over bytes hears that another took over. Raises Problem for a silent
    peer.
    """
    parts: list[bytes] = []
    size = 0
    cut: Problem | None = None
    now = asyncio.get_running_loop().time
    begun = now()
    while cut is None:
        try:
            async with asyncio.timeout(IDLE_S):
                data = await request.content.readany()
        except TimeoutError:
            cut = problem_of(Refused("attachment.idle", seconds=int(IDLE_S)))
            data = b""
        except (ConnectionError, web.RequestPayloadError):
            cut = problem_of(Refused("attachment.cut"))
            data = b""
        parts.append(data)
        size += len(data)
        full = size >= BLOCK or now() - begun >= IDLE_S
        if full or (size and not data):
            yield b"".join(parts)
            parts, size, begun = [], 0, now()
        if not data:
            break
    if cut is not None:
        raise cut


def span_of(request: web.Request, size: int) -> tuple[int, int]:
    """Return the first byte and the one after the last; raises Problem."""
    try:
        wanted = request.http_range
    except ValueError:
        raise problem_of(Refused("attachment.range", size=size)) from None
    start, stop = wanted.start or 0, wanted.stop
    if start < 0:
        start = max(0, size + start)
    stop = size if stop is None else min(stop, size)
    if start >= stop:
        raise problem_of(Refused("attachment.range", size=size))
    return start, stop


def answer_of(
    name: str, media: str, start: int, stop: int, size: int
) -> web.StreamResponse:
    """Return the answer that a blob's content is streamed into."""
    part = (start, stop) != (0, size)
    ending = KNOWN.get(media, ("bin", 0))[0]
    headers = {
        "Content-Type": media,
        "Content-Length": str(stop - start),
        "Content-Disposition": f'attachment; filename="{name[:12]}.{ending}"',
        "ETag": f'"{name}"',
    }
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return web.StreamResponse(
        status=206 if part else 200, headers=headers | _BLOB_HEADERS
    )


def gather(pieces: Iterator[bytes]) -> bytes:
    """Return the next block of a blob; empty at its end."""
    parts: list[bytes] = []
    size = 0
    while size < BLOCK and (part := next(pieces, b"")):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def close(pieces: Iterator[bytes]) -> None:
    """Give a blob's file back."""
    if isinstance(pieces, Generator):
        pieces.close()
