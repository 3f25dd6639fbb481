"""Where a camera's pictures and reports come from, by the protocol that it speaks."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.api import DeviceError
from core.api.clock import AsyncClock, Clock
from integrations.camera import alerts, soap
from integrations.camera.fetch import BadAnswer, Fetch, path_of
from integrations.camera.onvif import Onvif
from integrations.camera.pictures import Mjpeg, Pictures, snapshots, with_credentials
from integrations.camera.replies import Info

RTSP_PORT = 554


class OtherDevice(DeviceError):
    """Another camera answers at this address."""

    code = "camera.other_device"


class Source:
    """Deliver one camera's pictures; made anew for each attempt."""

    def __init__(
        self, options: Mapping[str, Any], fetch: Fetch, clock: Clock, timer: AsyncClock
    ) -> None:
        self._options, self._fetch, self._timer = options, fetch, timer
        self.onvif = Onvif(fetch, clock) if options["protocol"] == "onvif" else None
        self.mjpeg: Mjpeg | None = None

    async def connect(self) -> Info | None:
        """Return who answers, None where the protocol does not tell.

        Raises AuthError; DeviceError, also for another camera than the expected.
        """
        found: Info | None = None
        mac = ""
        if self.onvif is not None:
            found = await self.onvif.connect()
        elif self._options["protocol"] == "isapi":
            data = await self._fetch.get("/ISAPI/System/deviceInfo")
            try:
                device = alerts.device(data)
            except soap.SoapError as error:
                raise BadAnswer(str(error)) from error
            found = Info("Hikvision", device.model, device.serial, "")
            mac = _plain(device.mac)
        wanted = _plain(self._options.get("serial_number", ""))
        if found and wanted and wanted not in (_plain(found.serial), mac):
            raise OtherDevice("its serial number is another one")
        return found

    async def deliver(self, pictures: Pictures) -> None:
        """Hand pictures on until there are no more; raises Auth-, DeviceError."""
        kind, fps = self._options["picture"], self._options["fps"]
        if kind == "rtsp":
            url = await self._stream()
            await pictures.pull(
                with_credentials(url, self._fetch.user, self._fetch.password)
            )
        elif kind == "mjpeg":
            path = self._options.get("path") or self._isapi("httpPreview")
            self.mjpeg = Mjpeg(self._fetch, path, self._timer, fps)
            await pictures.feed(self.mjpeg.pictures())
        else:
            path = await self._snapshot()
            await pictures.feed(snapshots(self._fetch, path, self._timer, fps))

    async def _stream(self) -> str:
        """Return the RTSP address: the path may be the camera's, the host is ours."""
        options = self._options
        port = options.get("rtsp_port", 0)
        path = options.get("path", "")
        if not path and self.onvif is not None:
            profile = await self.onvif.profile(options["stream"])
            told = await self.onvif.stream(profile)
            path = path_of(told)
            port = port or port_of(told)
        elif not path:
            path = f"/Streaming/Channels/{self._track}"
        host = options["address"]
        host = f"[{host}]" if ":" in host else host
        return f"rtsp://{host}:{port or RTSP_PORT}{path}"

    async def _snapshot(self) -> str:
        if self._options.get("path"):
            return str(self._options["path"])
        if self.onvif is not None:
            profile = await self.onvif.profile(self._options["stream"])
            return await self.onvif.snapshot(profile)
        return self._isapi("picture")

    def _isapi(self, what: str) -> str:
        return f"/ISAPI/Streaming/channels/{self._track}/{what}"

    @property
    def _track(self) -> int:
        track: int = self._options["channel"] * 100 + self._options["stream"] + 1
        return track


def port_of(url: str) -> int:
    """Return the port of an address; 0 where it names none that makes sense."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
