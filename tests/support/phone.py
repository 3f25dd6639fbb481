"""A phone that brings attachments to a running gateway, and loses its network."""

import asyncio
import contextlib
import hashlib
import io
import socket
import struct
from typing import Any

from yarl import URL

from frontend_api.attachments import Attachments
from frontend_api.guard import COOKIE
from tests.support.waiting import until
from tests.ui.fixture_server import Fixture
from tests.unit.gateway.conftest import Desk

JPEG = b"\xff\xd8\xff\xe0" + b"picture " * 40
HEAD = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
MIB = 1 << 20


def film(size: int) -> bytes:
    """Return a film's beginning and bytes that differ from place to place."""
    block = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(251))
    return (HEAD + block * (size // len(block) + 1))[:size]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def part_of(fixture: Fixture) -> Attachments:
    """Return the gateway's attachments, free to use any disk."""
    found = fixture.gateway.attachments
    found.uploads.limits = found.uploads.limits._replace(floor_bytes=0)
    return found


class Phone:
    """Upload as a phone does: by offsets, over and over until it is whole."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        part_of(desk.fixture)

    async def begin(self, data: bytes | int, **more: Any) -> tuple[int, Any]:
        size = data if isinstance(data, int) else len(data)
        asked = {
            "purpose": "evidence", "permit_id": "pt-1", "media": "video/mp4",
            "size": size,
        }  # fmt: skip
        return await self.desk.post("/api/v1/attachments", asked | more)

    async def offset(self, upload: str) -> int:
        url = f"{self.desk.fixture.url}/api/v1/uploads/{upload}"
        async with self.desk.session.head(url) as answer:
            assert answer.status == 200
            return int(answer.headers["Upload-Offset"])

    async def append(self, upload: str, at: int | str, data: Any) -> tuple[int, Any]:
        url = f"{self.desk.fixture.url}/api/v1/uploads/{upload}"
        headers = self.desk.headers | {"Upload-Offset": str(at)}
        data = io.BytesIO(data) if isinstance(data, bytes) else data
        async with self.desk.session.patch(url, data=data, headers=headers) as answer:
            if answer.status == 204:
                return 204, int(answer.headers["Upload-Offset"])
            return answer.status, await answer.json(content_type=None)

    async def finish(self, upload: str, sha256: str) -> tuple[int, Any]:
        path = f"/api/v1/uploads/{upload}/finish"
        return await self.desk.post(path, {"sha256": sha256})

    async def bring(self, data: bytes, media: str = "image/jpeg", **more: Any) -> str:
        """Upload all at once; return the blob's name."""
        status, upload = await self.begin(data, media=media, **more)
        assert status == 201, upload
        assert await self.append(upload["id"], 0, data) == (204, len(data))
        status, done = await self.finish(upload["id"], digest(data))
        assert status == 200, done
        return str(done["done"])

    async def resume(self, upload: str, data: bytes) -> int:
        """Send what is missing; return how often the hub named another offset."""
        for turn in range(20):
            at = await self.offset(upload)
            status, told = await self.append(upload, at, data[at:])
            if status == 204:
                assert told == len(data)
                return turn
            assert (status, told["code"]) == (409, "attachment.offset"), told
        raise AssertionError("the offset never stood still")


async def cut(
    phone: Phone, upload: str, at: int, data: bytes, *, reset: bool, taken: int = 0
) -> None:
    """Begin a PATCH on a TCP connection of its own, and lose it in mid-chunk.

    ``taken``: the offset that the hub must tell before the cut.
    """
    url = URL(phone.desk.fixture.url)
    session = phone.desk.session.cookie_jar.filter_cookies(url)[COOKIE].value
    _, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"PATCH /api/v1/uploads/{upload} HTTP/1.1\r\nHost: {url.authority}\r\n"
        f"Origin: {phone.desk.fixture.url}\r\nCookie: {COOKIE}={session}\r\n"
        f"Upload-Offset: {at}\r\nContent-Length: {len(data) + 1}\r\n\r\n"
    )
    writer.write(head.encode() + data)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    here = part_of(phone.desk.fixture)
    await until(lambda: here._streams, "the request to be under way")
    while await phone.offset(upload) < taken:
        pass  # each look is a request of its own, so this takes turns
    if reset:
        raw = writer.get_extra_info("socket")
        gone = struct.pack("ii", 1, 0)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def ended(connections: int) -> None:
    """Wait until no more tasks run than before a connection was lost."""
    await until(lambda: len(asyncio.all_tasks()) <= connections, "lost ones to end")
