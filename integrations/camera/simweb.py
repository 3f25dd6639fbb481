"""The web side of a simulated camera: pages, digest, streams, and how they fail."""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from integrations.camera import soap
from integrations.camera.simonvif import answer
from integrations.camera.simulated import BEAT_S, SimulatedCamera

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]*))')
_MARK = "MIME_boundary"
_FPS = 5.0
_ALERTS = {
    "motion": "VMD",
    "tamper": "tamperdetection",
    "videoloss": "videoloss",
    "flame": "fireDetection",
    "smoke": "smokeDetection",
    "heat": "TMA",
    "intrusion": "fielddetection",
    "input": "IO",
}


class Web:
    """Serve one camera on one port."""

    def __init__(self, camera: SimulatedCamera) -> None:
        self._camera = camera
        self.port: int = camera.options["port"]
        self._nonce = secrets.token_hex(16)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; a free port is kept for the next time."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/onvif/{tail:.*}", self._soap)
        app.router.add_get("/onvif/snapshot", self._open(self._picture))
        app.router.add_get("/snapshot", self._open(self._picture))
        app.router.add_get("/mjpeg", self._open(self._mjpeg))
        isapi = "/ISAPI/Streaming/channels/{track}"
        app.router.add_get(f"{isapi}/picture", self._open(self._picture))
        app.router.add_get(f"{isapi}/httpPreview", self._open(self._mjpeg))
        app.router.add_get("/ISAPI/System/deviceInfo", self._open(self._device))
        stream = "/ISAPI/Event/notification/alertStream"
        app.router.add_get(stream, self._open(self._alerts))
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more; cut what is open."""
        self.drop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def drop(self) -> None:
        """Cut every connection in its middle, and forget every pull point."""
        self._camera.drop_points()
        if self._runner is None or self._runner.server is None:
            return
        for each in self._runner.server.connections:
            if each.transport is not None:
                each.transport.abort()

    # --- how it fails ---------------------------------------------------------------

    async def _hold(self) -> None:
        """Wait out what delays every answer."""
        faults = self._camera.faults
        if faults.slow:
            await asyncio.sleep(faults.slow)
        await self._camera.speaks.wait()

    async def _send(
        self, request: web.Request, body: bytes, kind: str, status: int = 200
    ) -> web.StreamResponse:
        """Send an answer as the faults let it be: noise, or half of it."""
        await self._hold()
        if self._camera.faults.garbage:
            body = os.urandom(len(body))
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
        response.content_length = len(body)
        await response.prepare(request)
        if self._camera.faults.half:
            await response.write(body[: len(body) // 2])
            if request.transport is not None:
                request.transport.close()
            return response
        await response.write(body)
        return response

    # --- who asks -------------------------------------------------------------------

    def _open(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if self._camera.user and not self._allowed(request):
                await self._hold()
                challenge = f'Digest realm="sim", qop="auth", nonce="{self._nonce}"'
                headers = {"WWW-Authenticate": challenge}
                return web.Response(status=401, headers=headers)
            with contextlib.suppress(ConnectionError):
                return await handler(request)
            return web.Response()

        return guarded

    def _allowed(self, request: web.Request) -> bool:
        told = {
            name: quoted or plain
            for name, quoted, plain in _FIELD.findall(
                request.headers.get("Authorization", "")
            )
        }
        if told.get("nonce") != self._nonce:
            return False
        camera = self._camera
        one = _md5(f"{camera.user}:sim:{camera.password}")
        two = _md5(f"{request.method}:{told.get('uri', '')}")
        middle = ":".join(told.get(name, "") for name in ("nonce", "nc", "cnonce"))
        return told.get("response") == _md5(f"{one}:{middle}:auth:{two}")

    # --- pages ----------------------------------------------------------------------

    async def _soap(self, request: web.Request) -> web.StreamResponse:
        base = f"http://{request.host}"
        asked = await request.read()
        found = await answer(self._camera, request.path, asked, base)
        kind = "application/soap+xml; charset=utf-8"
        with contextlib.suppress(ConnectionError):
            return await self._send(request, found.body, kind, found.status)
        return web.Response()

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        return await self._send(request, self._camera.jpeg(), "image/jpeg")

    async def _device(self, request: web.Request) -> web.StreamResponse:
        camera = self._camera
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<DeviceInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
            f"<deviceName>{camera.uid}</deviceName><model>SIM-CAM</model>"
            f"<serialNumber>{camera.serial}</serialNumber>"
            f"<macAddress>{camera.mac}</macAddress></DeviceInfo>"
        )
        return await self._send(request, body.encode(), "application/xml")

    # --- streams --------------------------------------------------------------------

    async def _stream(
        self, request: web.Request, kind: str, bodies: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """Send parts for ever; a faulty one is noise, cut short, or none."""
        await self._hold()
        mixed = {"Content-Type": f"multipart/mixed; boundary={_MARK}"}
        response = web.StreamResponse(headers=mixed)
        await response.prepare(request)
        async for body in bodies:
            faults = self._camera.faults
            await self._hold()
            sent = os.urandom(len(body)) if faults.garbage else body
            head = f"--{_MARK}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
            whole = head.encode() + b"\r\n\r\n" + sent + b"\r\n"
            if faults.half:
                await response.write(whole[: -len(body) // 2])
                if request.transport is not None:
                    request.transport.close()
                break
            await response.write(whole)
        return response

    async def _mjpeg(self, request: web.Request) -> web.StreamResponse:
        return await self._stream(request, "image/jpeg", self._pictures())

    async def _pictures(self) -> AsyncIterator[bytes]:
        while True:
            yield self._camera.jpeg()
            await asyncio.sleep(1 / (_FPS * self._camera.faults.rate))

    async def _alerts(self, request: web.Request) -> web.StreamResponse:
        return await self._stream(request, "application/xml", self._told())

    async def _told(self) -> AsyncIterator[bytes]:
        """Yield what is active, again and again; that it has ended is never told."""
        count = 0
        while True:
            count += 1
            yield self._alert("videoloss", "inactive", count)
            for uid, value in self._camera.values.items():
                kind, _, number = uid.partition(".")
                if value and kind in _ALERTS:
                    yield self._alert(_ALERTS[kind], "active", count, number)
            try:
                async with asyncio.timeout(BEAT_S / self._camera.faults.rate):
                    await self._camera.changed.wait()
            except TimeoutError:
                continue

    def _alert(self, kind: str, state: str, count: int, number: str = "") -> bytes:
        heat = self._camera.values.get("temperature.1")
        more = f"<inputIOPortID>{number}</inputIOPortID>" if number else ""
        if kind == "TMA" and heat is not None:
            more = (
                "<DetectionRegionList><DetectionRegionEntry><TMA><ruleID>1</ruleID>"
                "<thermometryUnit>celsius</thermometryUnit>"
                f"<currTemperature>{heat}</currTemperature></TMA>"
                "</DetectionRegionEntry></DetectionRegionList>"
            )
        return (
            '<EventNotificationAlert version="2.0"'
            ' xmlns="http://www.isapi.org/ver20/XMLSchema"><channelID>1</channelID>'
            f"<dateTime>{soap.stamp(self._camera.wall_ns())}</dateTime>"
            f"<activePostCount>{count}</activePostCount><eventType>{kind}</eventType>"
            f"<eventState>{state}</eventState>"
            f"<eventDescription>{kind} alarm</eventDescription>{more}"
            "</EventNotificationAlert>"
        ).encode()


def _md5(text: str) -> str:
    # RFC 7616 with MD5, which is what cameras speak.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
