"""One camera: its pictures judged, its reports heard, its losses told."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from core.api import AuthError, Device, DeviceError, Host, Quality, Value
from core.api.clock import NS
from integrations.camera import happenings, health
from integrations.camera.fetch import BadAnswer, Fetch
from integrations.camera.frame import Frame, Latest
from integrations.camera.happenings import Happenings
from integrations.camera.judge import Judge, Verdict
from integrations.camera.pictures import NoPicture, Pictures
from integrations.camera.replies import Info
from integrations.camera.reports import Reports
from integrations.camera.source import Source

#: Every entity is told this often, changed or not.
BEAT_S = 2.0
#: Pauses between attempts grow from the first to the last.
_FIRST_S, _LAST_S = 0.5, 8.0
#: A connection that stood so long was one: the next pause is short again.
_STEADY_S = 5.0


class Camera:
    """Keep one camera; `run` ends only for credentials that are refused."""

    def __init__(
        self, host: Host, options: Mapping[str, Any], password: str, language: str
    ) -> None:
        self.host, self.options = host, options
        self.uid: str = options["uid"]
        self.reason = "camera.connecting"
        self.denied = False
        self._password, self._language = password, language
        self._info: Info | None = None
        self._handles: dict[str, int] = {}
        self.frames = Latest()
        self._judge = Judge(
            options["frozen_s"],
            options["masks"],
            options["reference"],
            options["still"],
        )
        self.pictures = Pictures(
            host.clock,
            fps=options["fps"] * host.timer.clock.speed,
            width=options["width"],
            masks=options["masks"],
            took=self.frames.put,
            bad=lambda: host.count("camera.bad_picture", "", self.uid),
        )
        self.source: Source | None = None
        self.happenings = Happenings(options["events"], self._tell)
        self.reports = Reports(self)
        self.verdict: Verdict | None = None
        self._seen_ns: deque[int] = deque(maxlen=16)
        self._link: bool | None = None
        self._failed = ""
        """Why no more pictures come, while the last one still counts."""

    @property
    def sees(self) -> bool:
        """Say whether it is asked for pictures at all."""
        return bool(self.options["picture"] != "none")

    # --- what the hub is told -----------------------------------------------------

    def declare(self) -> None:
        """Tell the hub what this camera is; again when it has told more of itself."""
        seen = (
            ()
            if not self.sees
            else health.entities(
                self._language, self._max_age_s, critical=self.options["critical"]
            )
        )
        told = tuple(
            happenings.entity(
                uid,
                self._language,
                self.reports.max_age_s,
                critical=self.options["critical"],
            )
            for uid in self.happenings.uids
        )
        info = self._info
        self.host.declare(
            Device(
                uid=self.uid,
                name=self.options.get("name", self.uid),
                manufacturer=info.manufacturer if info else "",
                model=info.model if info else "",
                serial=info.serial if info else self.options.get("serial_number", ""),
                suggested_zone=self.options.get("zone"),
                entities=seen + told,
            )
        )
        self._handles = {
            each.uid: self.host.handle(self.uid, each.uid) for each in seen + told
        }

    @property
    def _max_age_s(self) -> float:
        return max(3 * BEAT_S, 2 * float(self.options["lost_s"]))

    def _tell(self, uid: str, value: Value, quality: Quality, reason: str) -> None:
        handle = self._handles.get(uid)
        if handle is not None:
            self.host.report(handle, value, quality, reason)

    def knows(self, info: Info) -> None:
        """Take up what the camera has told of itself."""
        if info != self._info:
            self._info = info
            self.declare()

    def linked(self) -> None:
        """Tell when the camera as a whole is lost, or is back."""
        up = self.reports.heard or self.verdict is not None
        if up is not self._link:
            self._link = up
            self.host.link_state(self.uid, up, "" if up else self.reason)

    def refused(self) -> None:
        """Stop for good: its credentials are wrong, and asking on would lock us out."""
        self.denied = True
        self.reason = "device.auth"
        self._lost()
        self.happenings.closed("device.auth", heard=self.reports.was_heard)
        self.reports.heard = False
        self._link = None
        self.linked()

    # --- life ---------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until cancelled; raises AuthError (in a group) when refused."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(), name=f"camera {self.uid} beat")
            if self.sees:
                group.create_task(self._judging(), name=f"camera {self.uid} judge")
                group.create_task(self.again(self._see, self.unseen))
            if self.reports.wanted:
                group.create_task(self.again(self.reports.hear, self.reports.lost))
            if self.options["recorder"]:
                group.create_task(self.again(self.reports.recorded, self._unrecorded))

    def fetch(self) -> Fetch:
        """Return a new session with the camera."""
        return Fetch(self.options, self._password)

    async def again(
        self, work: Callable[[], Awaitable[None]], lost: Callable[[str], None]
    ) -> None:
        """Do something again and again, with growing pauses; raises AuthError."""
        pause = _FIRST_S
        while True:
            began = self.host.clock.mono_ns()
            try:
                await work()
                lost("camera.ended")
            except AuthError:
                raise
            except NoPicture as error:
                lost(error.reason)
            except BadAnswer as error:
                self.host.count(error.code, str(error), self.uid)
                lost(error.code)
            except (DeviceError, OSError, TimeoutError) as error:
                lost(getattr(error, "code", "camera.unreachable"))
            if self.host.clock.mono_ns() - began > _STEADY_S * NS:
                pause = _FIRST_S
            await self.host.timer.sleep(pause)
            pause = min(2 * pause, _LAST_S)

    async def _see(self) -> None:
        async with self.fetch() as fetch:
            source = Source(self.options, fetch, self.host.clock, self.host.timer)
            self.source = source
            info = await source.connect()
            if info is not None:
                self.knows(info)
            await source.deliver(self.pictures)

    async def _judging(self) -> None:
        """Judge the newest picture, again and again; none for too long is a loss."""
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    frame = await self.frames.get()
            except TimeoutError:
                if self.verdict is not None:
                    self.reason = self._failed or "camera.silent"
                self._lost()
                continue
            self._look(frame)

    def _patience(self) -> float:
        return float(self.options["lost_s"]) / self.host.timer.clock.speed

    def _look(self, frame: Frame) -> None:
        self._seen_ns.append(frame.at_ns)
        self._failed = ""
        before, verdict = self.verdict, self._judge.look(frame.pixels, frame.at_ns)
        if verdict.old and before is not None:
            verdict = verdict._replace(brightness=before.brightness)
        self.verdict = verdict
        if before is None:
            self.linked()
        self._show()

    def _show(self) -> None:
        if self.verdict is None:
            return
        proven = self._judge.proven
        for uid, read in health.seen(self.verdict, self._rate(), proven=proven).items():
            self._tell(uid, *read)

    def _rate(self) -> float:
        times = self._seen_ns
        span = (times[-1] - times[0]) / NS if len(times) > 1 else 0.0
        return (len(times) - 1) / span if span > 0 else 0.0

    def unseen(self, reason: str) -> None:
        """Hear that pictures have ended, and why; they may come back before long."""
        self._failed = reason
        if self.verdict is None:
            self.reason = reason
            self._lost()

    def _lost(self) -> None:
        if self.verdict is not None:
            self._judge.forget()
        self.verdict = None
        self._seen_ns.clear()
        self._gone()
        self.linked()

    def _gone(self) -> None:
        if self.sees:
            heard = self.pictures.number > 0
            for uid, read in health.gone(self.reason, heard=heard).items():
                self._tell(uid, *read)

    def _unrecorded(self, _reason: str) -> None:
        self.host.count("camera.no_recording", self.reason, self.uid)

    async def _beat(self) -> None:
        """Tell everything every two seconds: silence of this driver is a loss."""
        while True:
            await self.host.timer.sleep(BEAT_S)
            if self.verdict is None:
                self._gone()
            else:
                self._show()
            self.happenings.beat(self.host.clock.mono_ns())

    def diagnostics(self) -> dict[str, Any]:
        """Return counters and states; no picture, no address, no credential."""
        mjpeg = self.source.mjpeg if self.source else None
        return {
            "uid": self.uid,
            "protocol": self.options["protocol"],
            "picture": self.options["picture"],
            "sees": self.verdict is not None,
            "hears": self.reports.heard,
            "reason": "" if self._link else self.reason,
            "judged_late": self.frames.skipped,
            "skipped": mjpeg.skipped if mjpeg else 0,
            **self.pictures.counters,
            **self.reports.counters,
        }
