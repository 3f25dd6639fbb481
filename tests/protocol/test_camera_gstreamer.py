"""RTSP against a server of another make: GStreamer's, where Debian's is installed."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.api import AuthError, Quality
from integrations.camera.flow import schema
from integrations.camera.integration import CameraIntegration
from tests.support.host import FakeHost, Running
from tests.support.waiting import until

PYTHON = Path("/usr/bin/python3")
#: A server on a free port: H.264 and JPEG, one picture that moves, one that does not.
SERVER = """
import gi, sys
gi.require_version("Gst", "1.0"); gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer as Rtsp
Gst.init(None)
server = Rtsp.RTSPServer()
server.set_address("127.0.0.1"); server.set_service("0")
auth, token = Rtsp.RTSPAuth(), Rtsp.RTSPToken()
token.set_string("media.factory.role", "user")
auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
auth.add_digest("hub", "rtsp-pass", token)
server.set_auth(auth)
def add(path, pattern, encoder):
    factory = Rtsp.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(
        f"( videotestsrc is-live=true pattern={pattern} kt=2 kx2=20 ky2=20 !"
        " video/x-raw,format=I420,width=640,height=360,framerate=10/1 !"
        f" {encoder} name=pay0 )"
    )
    role = "user,media.factory.access=(boolean)true"
    role += ",media.factory.construct=(boolean)true"
    factory.add_role_from_structure(Gst.Structure.new_from_string(role))
    server.get_mount_points().add_factory(path, factory)
H264 = (
    "x264enc tune=zerolatency sliced-threads=false speed-preset=ultrafast"
    " key-int-max=%d"
    " ! rtph264pay config-interval=-1 pt=96"
)
add("/keys", "zone-plate", H264 % 5)
add("/rare", "zone-plate", H264 % 100)
add("/still", "checkers-8", H264 % 5)
add("/jpeg", "zone-plate", "jpegenc ! rtpjpegpay pt=26")
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""


def _missing() -> str:
    """Return why there is no such server here; '' when there is one."""
    needs = "import gi; gi.require_version('GstRtspServer', '1.0')"
    elements = ("x264enc", "rtph264pay", "jpegenc", "rtpjpegpay")
    look = (
        f"{needs}; gi.require_version('Gst', '1.0'); from gi.repository import Gst;"
        f" Gst.init(None); assert all(map(Gst.ElementFactory.find, {elements!r}))"
    )
    if not PYTHON.exists():
        return f"no {PYTHON}"
    done = subprocess.run([PYTHON, "-c", look], capture_output=True, check=False)
    return "" if done.returncode == 0 else "no GStreamer RTSP server (gir1.2-gst-rtsp)"


WHY = _missing()
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "there is one")


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-c", SERVER, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield int(line)
    finally:
        process.kill()
        await process.communicate()


def _options(port: int, path: str, **more: Any) -> dict[str, Any]:
    camera = {
        "uid": "c",
        "protocol": "rtsp",
        "address": "127.0.0.1",
        "rtsp_port": port,
        "path": path,
        "username": "hub",
        "password": "rtsp",
        "fps": 2.0,
        "lost_s": 5.0,
        "frozen_s": 4.0,
        **more,
    }
    checked: dict[str, Any] = schema()({"cameras": [camera]})
    return checked


@pytest.mark.parametrize("path", ["/keys", "/rare", "/jpeg"])
async def test_streams_of_another_make_are_seen(path: str) -> None:
    """protocols.md §6: H.264 with many or few key pictures, and RTP/JPEG."""
    async with _server() as port:
        host = FakeHost({**_options(port, path), "secrets": {"rtsp": "rtsp-pass"}})
        async with Running(CameraIntegration(host)):

            def sees() -> bool:
                last, rate = host.last("c", "health"), host.last("c", "rate")
                good = last is not None and last.quality is Quality.GOOD
                return good and rate is not None and float(rate.value or 0) > 1.4

            await until(sees, f"{path} is seen at its rate", 50.0)


async def test_a_still_stream_is_frozen_though_it_is_encoded_anew() -> None:
    """A frozen camera goes on encoding: its key pictures are the same all the same."""
    async with _server() as port:
        options = _options(port, "/still")
        host = FakeHost({**options, "secrets": {"rtsp": "rtsp-pass"}})
        async with Running(CameraIntegration(host)):

            def frozen() -> bool:
                last = host.last("c", "health")
                return last is not None and last.reason == "camera.frozen"

            await until(frozen, "frozen", 50.0)


async def test_a_wrong_password_is_told() -> None:
    async with _server() as port:
        options = _options(port, "/keys")
        host = FakeHost({**options, "secrets": {"rtsp": "wrong"}})
        with pytest.raises(AuthError):
            async with asyncio.timeout(40):
                await CameraIntegration(host).run()
    assert host.links["c"] == (False, "device.auth")
