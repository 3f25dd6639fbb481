"""Hear what one camera reports: ONVIF's pull point or ISAPI's alert stream."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from core.api import DeviceError
from core.api.clock import NS
from integrations.camera import alerts, happenings, soap
from integrations.camera.fetch import Fetch
from integrations.camera.multipart import Documents
from integrations.camera.onvif import PULL_S, Onvif
from integrations.camera.pictures import NoPicture
from integrations.camera.source import OtherDevice, Source

if TYPE_CHECKING:
    from integrations.camera.camera import Camera

#: Firmware from 5.5.0 on beats each 10 s, and is lost after three (ISAPI guide).
ISAPI_SILENT_S = 30.0
ISAPI_BEAT_NS = 10 * NS
#: What a network may hold up; no beat is late before.
LEAST_NS = 6 * NS
_STREAM = "/ISAPI/Event/notification/alertStream"
#: A recorder tells more often than each 5 s how far it has come.
_RECORDED_S = 4.0


class Beat:
    """Learn how often a stream beats: firmware before 5.5.0 each 0.3 s, later 10 s."""

    def __init__(self, now_ns: int) -> None:
        self._last = now_ns
        self._gaps: deque[int] = deque([ISAPI_BEAT_NS] * 2, maxlen=4)

    def heard(self, now_ns: int) -> None:
        """Take one beat."""
        self._gaps.append(now_ns - self._last)
        self._last = now_ns

    @property
    def due_ns(self) -> int:
        """Return until when there must be another."""
        longest = min(max(self._gaps), ISAPI_BEAT_NS)
        return self._last + max(3 * longest, LEAST_NS)


class Reports:
    """Keep the stream of one camera's reports; the camera tells what comes of it."""

    def __init__(self, camera: "Camera") -> None:
        self._camera = camera
        self.heard = False
        """Whether reports can be heard now."""
        self.was_heard = False
        self._beat = Beat(0)
        self.counters = {"reports": 0, "bad_reports": 0, "unknown_reports": 0}

    @property
    def wanted(self) -> bool:
        """Say whether the camera is listened to."""
        return bool(self._camera.options["events"])

    @property
    def max_age_s(self) -> float:
        """Return the age of a report that is too old: three of its beats."""
        return ISAPI_SILENT_S if self._isapi else 3.0 * PULL_S

    @property
    def _isapi(self) -> bool:
        return bool(self._camera.options["protocol"] == "isapi")

    async def hear(self) -> None:
        """Hear reports until the stream breaks; raises Auth-, DeviceError."""
        camera = self._camera
        async with camera.fetch() as fetch:
            host = camera.host
            source = Source(camera.options, fetch, host.clock, host.timer)
            info = await source.connect()
            if info is not None:
                camera.knows(info)
            if source.onvif is not None:
                await self._pull(source.onvif)
                return
            await self._listen(fetch)

    async def _listen(self, fetch: Fetch) -> None:
        """Take alerts until the stream ends, or is silent for three of its beats."""
        async with fetch.stream(_STREAM, ISAPI_SILENT_S) as (_kind, pieces):
            self._opened(silence_ends=True)
            documents = Documents(alerts.NAME, alerts.MAX_ALERT)
            self._beat = Beat(self._camera.host.clock.mono_ns())
            while True:
                try:
                    async with asyncio.timeout(self._patience()):
                        piece = await anext(pieces)
                except TimeoutError as error:
                    raise NoPicture("camera.silent") from error
                dropped = documents.dropped
                for document in documents.feed(piece):
                    self._alert(document)
                for _ in range(documents.dropped - dropped):
                    self._bad("cut short")

    def _patience(self) -> float:
        """Return how long a beat may still fail to come, in real seconds."""
        host = self._camera.host
        left = self._beat.due_ns - host.clock.mono_ns()
        if left <= 0:
            raise NoPicture("camera.silent")
        return host.timer.clock.real_s(left)

    async def _pull(self, onvif: Onvif) -> None:
        await onvif.subscribe()
        try:
            opened = False
            while True:
                notices = await onvif.pull()
                if not opened:
                    self._opened(silence_ends=False)
                    opened = True
                for notice in notices:
                    told = happenings.of_notice(notice)
                    self._take(told, notice.topic)
        finally:
            self.heard = False
            await self._unsubscribe(onvif)

    async def _unsubscribe(self, onvif: Onvif) -> None:
        try:
            await onvif.unsubscribe()
        except (DeviceError, soap.SoapError):
            self.counters["unsubscribe_failed"] = 1  # it runs out within a minute

    def _opened(self, *, silence_ends: bool) -> None:
        now = self._camera.host.clock.mono_ns()
        self._camera.happenings.opened(now, silence_ends=silence_ends)
        self.heard = self.was_heard = True
        self._camera.linked()

    def lost(self, reason: str) -> None:
        """Hear that there are no reports now, and why."""
        self.heard = False
        if not self._camera.sees:
            self._camera.reason = reason
        self._camera.happenings.closed(reason, heard=self.was_heard)
        self._camera.linked()

    def _alert(self, document: bytes) -> None:
        try:
            alert = alerts.alert(document)
        except soap.SoapError:
            self._bad(document[:100].decode("utf-8", "replace"))
            return
        if alert.kind == "videoloss" and not alert.active:
            now = self._camera.host.clock.mono_ns()
            self._beat.heard(now)
            self._camera.happenings.lives(now)
        own = self._camera.options["event_channels"]
        if not own or alert.channel in (0, *own):
            self._take(happenings.of_alert(alert), alert.kind)

    def _take(self, told: list[happenings.Told], what: str) -> None:
        camera = self._camera
        self.counters["reports"] += 1
        if not told:
            self.counters["unknown_reports"] += 1
            return
        now = camera.host.clock.mono_ns()
        full = camera.happenings.full
        if camera.happenings.take(told, now):
            camera.declare()
        if camera.happenings.full > full:
            camera.host.count("camera.too_many_reports", what, camera.uid)
        camera.happenings.beat(now)

    def _bad(self, detail: str) -> None:
        self.counters["bad_reports"] += 1
        self._camera.host.count("camera.bad_report", detail, self._camera.uid)

    # --- the camera's own recorder --------------------------------------------------

    async def recorded(self) -> None:
        """Tell how far the camera itself has recorded, while it goes on."""
        camera = self._camera
        async with camera.fetch() as fetch:
            host = camera.host
            source = Source(camera.options, fetch, host.clock, host.timer)
            await source.connect()
            if source.onvif is None:
                raise OtherDevice("it is no ONVIF camera")
            last = 0
            while True:
                until = await source.onvif.recorded_until()
                if until > last:
                    last = until
                    params = {"until_ms": until * 1000 // NS}
                    name = f"{camera.uid}/{params['until_ms']}"
                    await host.event(camera.uid, "recording.beat", params, name)
                await host.timer.sleep(_RECORDED_S)
