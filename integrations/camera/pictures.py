"""Pictures of one camera, whatever its source is and whatever its decoder does.

RTSP is pulled by the decoder's process itself; MJPEG and snapshots are fetched here
and handed to it. A decoder that does not answer within its time is killed, and its
camera is lost until another one delivers: nothing here waits for it.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from urllib.parse import quote, urlsplit

from core.api import AuthError, DeviceError
from core.api.clock import NS, AsyncClock, Clock
from integrations.camera import frame
from integrations.camera.fetch import Fetch, Unanswered
from integrations.camera.frame import HEAD, NOTE, BadRecord, Frame, Polygon
from integrations.camera.multipart import Parts, StreamError

MAX_JPEG = 8 << 20
#: A decoder opens its stream within this, and then answers within that.
OPEN_S, STUCK_S = 15.0, 10.0
_KILLED_S = 5.0


class NoPicture(DeviceError):
    """There is no picture to be had now; ``reason`` is a code."""

    code = "camera.no_picture"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def with_credentials(url: str, user: str, password: str) -> str:
    """Return an RTSP address with credentials; it goes to the decoder only."""
    parts = urlsplit(url)
    if not user:
        return url
    secret = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    return parts._replace(netloc=secret + parts.netloc.rpartition("@")[2]).geturl()


class Pictures:
    """Run one decoder and hand its pictures on, the newest first.

    ``took`` is called with each picture, ``bad`` for each that could not be decoded;
    neither may wait.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        fps: float,
        width: int,
        masks: Sequence[Polygon],
        took: Callable[[Frame], None],
        bad: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock, self._took, self._bad = clock, took, bad
        self._job = {"fps": fps, "width": width, "masks": frame.as_json(masks)}
        self._pause_s = 1 / fps
        self.number = 0
        self.counters = {"pictures": 0, "bad": 0, "killed": 0, "started": 0}

    async def pull(self, url: str) -> None:
        """Deliver a stream's pictures until it ends; raises Auth-, DeviceError."""
        async with self._decoder(url) as process:
            limit = OPEN_S
            while True:
                await self._answer(process, limit)
                limit = max(STUCK_S, 3 * self._pause_s)

    async def feed(self, source: AsyncGenerator[bytes, None]) -> None:
        """Deliver the pictures of a source of JPEGs; raises Auth-, DeviceError."""
        async with contextlib.aclosing(source):
            jpeg = await anext(source)  # no decoder for a camera that is not there
            async with self._decoder("") as process:
                stdin = process.stdin
                if stdin is None:
                    raise NoPicture("camera.decoder")
                while True:
                    stdin.write(len(jpeg).to_bytes(4, "big") + jpeg)
                    await self._answer(process, STUCK_S)
                    jpeg = await anext(source)

    async def _answer(self, process: asyncio.subprocess.Process, limit: float) -> None:
        """Take one record; a decoder that is stuck or mad is killed."""
        try:
            async with asyncio.timeout(limit):
                await self._record(process)
        except (TimeoutError, BadRecord, BrokenPipeError, ConnectionError) as error:
            self.counters["killed"] += 1
            raise NoPicture("camera.decoder_stuck") from error
        except asyncio.IncompleteReadError as error:
            raise NoPicture("camera.decoder_died") from error

    async def _record(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise BadRecord("no pipes")
        await process.stdin.drain()
        kind, width, height, size = frame.head(
            await process.stdout.readexactly(HEAD.size)
        )
        body = await process.stdout.readexactly(size)
        if kind == NOTE:
            self._note(body)
            return
        self.number += 1
        self.counters["pictures"] += 1
        pixels = frame.picture(body, width, height)
        self._took(Frame(pixels, self._clock.mono_ns(), self.number))

    def _note(self, body: bytes) -> None:
        try:
            facts = json.loads(body)
            failed = facts.get("failed")
        except (ValueError, AttributeError) as error:
            raise BadRecord("no JSON") from error
        if failed == "auth":
            raise AuthError("RTSP: 401")
        if failed:
            raise NoPicture(f"camera.{str(failed)[:40]}")
        if facts.get("bad"):
            self.counters["bad"] += 1
            self._bad()

    @contextlib.asynccontextmanager
    async def _decoder(self, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "integrations.camera.decoder"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 20,
        )
        self.counters["started"] += 1
        try:
            if process.stdin is None:
                raise NoPicture("camera.decoder")
            # By the pipe: what stands on a command line, every process can read.
            job = json.dumps({**self._job, "url": url}) + "\n"
            process.stdin.write(job.encode())
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_KILLED_S):
                    await process.communicate()


# --- sources of JPEGs ----------------------------------------------------------------


async def snapshots(
    fetch: Fetch, path: str, timer: AsyncClock, fps: float
) -> AsyncGenerator[bytes, None]:
    """Yield a camera's snapshots at the pace that is wanted."""
    while True:
        began = timer.clock.mono_ns()
        yield await fetch.get(path, MAX_JPEG)
        spent = (timer.clock.mono_ns() - began) / NS
        await timer.sleep(max(1 / fps - spent, 0.02))


class Mjpeg:
    """Read an endless MJPEG and yield the newest picture each time."""

    def __init__(self, fetch: Fetch, path: str, timer: AsyncClock, fps: float) -> None:
        self._fetch, self._path = fetch, path
        self._timer, self._fps = timer, fps
        self._newest: bytes | None = None
        self._arrived = asyncio.Event()
        self.skipped = 0

    async def pictures(self) -> AsyncGenerator[bytes, None]:
        """Yield pictures; one that is overtaken is skipped and counted."""
        silent_s = max(5.0, 3 / self._fps)
        async with self._fetch.stream(self._path, silent_s) as (kind, pieces):
            loop = asyncio.get_running_loop()
            reading = loop.create_task(self._read(kind, pieces), name="mjpeg")
            reading.add_done_callback(lambda _: self._arrived.set())
            try:
                while True:
                    yield await self._next(reading)
                    await self._timer.sleep(1 / self._fps)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _next(self, reading: "asyncio.Task[None]") -> bytes:
        while self._newest is None:
            if reading.done():
                await reading
                raise Unanswered("the stream ended")
            self._arrived.clear()
            await self._arrived.wait()
        found, self._newest = self._newest, None
        return found

    async def _read(self, kind: str, pieces: AsyncIterator[bytes]) -> None:
        parts = Parts(kind, MAX_JPEG)
        try:
            async for piece in pieces:
                for part in parts.feed(piece):
                    self.skipped += self._newest is not None
                    self._newest = part.body
                    self._arrived.set()
        except StreamError as error:
            raise NoPicture("camera.no_stream") from error
        except TimeoutError as error:
            raise NoPicture("camera.silent") from error
