"""The options of a site's ``camera`` section, checked when it is published."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import voluptuous as vol

from core.api.checks import flag
from core.api.said import Said
from integrations.camera import happenings

_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}")
_PATH = re.compile(r"/[\x21-\x7e]{0,400}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}:?){32}")
_POINTS = (3, 32)
_MASKS = _REFERENCES = 16
#: What a camera is, by the protocol that it speaks: the source of its pictures.
_PICTURE = {"onvif": "rtsp", "isapi": "rtsp", "rtsp": "rtsp", "http": "snapshot"}


def _matching(pattern: re.Pattern[str], example: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise vol.Invalid(
            Said(
                "expected something like {example!r}, found {value!r}",
                example=example,
                value=value,
            )
        )

    return check


def _text(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= 200:
        return value
    raise vol.Invalid(Said("expected 1-200 characters, found {value!r}", value=value))


def _user(value: object) -> str:
    return "" if value == "" else _text(value)


def _number(low: float, high: float) -> Callable[[object], float]:
    def check(value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            if low <= value <= high:
                return float(value)
        raise vol.Invalid(
            Said(
                "expected a number of {low}-{high}, found {value!r}",
                low=low,
                high=high,
                value=value,
            )
        )

    return check


def _whole(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            if low <= value <= high:
                return value
        raise vol.Invalid(
            Said(
                "expected a whole number of {low}-{high}, found {value!r}",
                low=low,
                high=high,
                value=value,
            )
        )

    return check


def _one_of(*words: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        names = list(words)
        raise vol.Invalid(
            Said("expected one of {names}, found {value!r}", names=names, value=value)
        )

    return check


def _report(value: object) -> str:
    base, _, number = str(value).partition(".")
    kind = happenings.KINDS.get(base)
    if kind is None or bool(number) is not kind.numbered:
        names = [f"{k}.1" if v.numbered else k for k, v in happenings.KINDS.items()]
        raise vol.Invalid(
            Said("expected one of {names}, found {value!r}", names=names, value=value)
        )
    return _matching(re.compile(r"[a-z]+(\.[a-z0-9_]{1,20})?"), "input.1")(value)


def _reference(value: object) -> str:
    # numpy is not needed where no reference is given.
    from integrations.camera import scene

    try:
        scene.reference(str(value))
    except scene.BadReference as error:
        raise vol.Invalid(Said("{error}", error=error)) from error
    return str(value)


def _label(en: str, zh: str, help_en: str = "", help_zh: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"label": {"en": en, "zh": zh}}
    if help_en:
        found["help"] = {"en": help_en, "zh": help_zh}
    return found


_PORT = _whole(1, 65_535)
_SHARE = _number(0, 1)
_POINT = vol.All([_SHARE], vol.Length(min=2, max=2))
_MASK = vol.All([_POINT], vol.Length(min=_POINTS[0], max=_POINTS[1]))
_PLACE: dict[Any, Any] = {
    vol.Required(
        "uid",
        description=_label(
            "Identity",
            "标识",
            *(
                "From the serial number or MAC address; it keeps its history.",
                "取自序列号或 MAC 地址；更换地址后历史记录不变。",
            ),
        ),
    ): _matching(_UID, "cam-44196bd2485"),
    vol.Optional("name", description=_label("Name", "名称")): _text,
    vol.Optional(
        "zone", description=_label("Zone that it sees", "所监视的区域")
    ): _text,
    vol.Required("protocol", default="onvif", description=_label("Protocol", "协议")): (
        _one_of(*_PICTURE)
    ),
    vol.Required("address", description=_label("Address", "地址")): _matching(
        _HOST, "192.0.2.10"
    ),
    vol.Optional("port", description=_label("Port", "端口")): _PORT,
    vol.Optional("rtsp_port", description=_label("RTSP port", "RTSP 端口")): _PORT,
    vol.Optional("tls", default=False, description=_label("HTTPS", "HTTPS")): flag,
    vol.Optional(
        "fingerprint", description=_label("Certificate's SHA-256", "证书 SHA-256 指纹")
    ): _matching(_HEX, "0a:1b:… (32 bytes)"),
    vol.Optional("username", default="", description=_label("User", "用户名")): (_user),
    vol.Optional(
        "password", description={"secret": True, **_label("Password", "密码")}
    ): _text,
    vol.Optional(
        "auth",
        default="digest",
        description=_label(
            "Authentication",
            "认证方式",
            *(
                "basic sends the password readable: only with HTTPS.",
                "basic 以明文发送密码：仅在 HTTPS 上使用。",
            ),
        ),
    ): _one_of("digest", "basic"),
    vol.Optional(
        "serial_number",
        description=_label(
            "Serial number",
            "序列号",
            *(
                "Another camera at this address is then refused.",
                "填写后，同一地址上的其他摄像机将被拒绝。",
            ),
        ),
    ): _text,
}
_SEEING: dict[Any, Any] = {
    vol.Optional("picture", description=_label("Source of pictures", "图像来源")): (
        _one_of("rtsp", "mjpeg", "snapshot", "none")
    ),
    vol.Optional("path", description=_label("Path of pictures", "图像路径")): _matching(
        _PATH, "/stream1"
    ),
    vol.Optional(
        "stream",
        default=0,
        description=_label(
            "Stream",
            "码流",
            *(
                "0 is the main stream, 1 the first sub-stream.",
                "0 为主码流，1 为子码流。",
            ),
        ),
    ): _whole(0, 15),
    vol.Optional("channel", default=1, description=_label("Channel", "通道")): (
        _whole(1, 256)
    ),
    vol.Optional(
        "fps", default=1.0, description=_label("Pictures per second", "每秒帧数")
    ): _number(0.2, 2),
    vol.Optional(
        "width", default=640, description=_label("Width in pixels", "图像宽度（像素）")
    ): _whole(160, 1920),
    vol.Optional(
        "masks",
        default=list,
        description=_label(
            "Hidden areas",
            "隐私遮挡区",
            *(
                "Polygons of points 0-1; nothing there is ever looked at or handed on.",
                "由 0-1 坐标点组成的多边形；其中内容不会被查看或传出。",
            ),
        ),
    ): vol.All([_MASK], vol.Length(max=_MASKS)),
    vol.Optional(
        "reference",
        default=list,
        description=_label(
            "View as it was aligned",
            "对准后的参考视图",
            *(
                "Texts of 'python -m integrations.camera.look', for day and night.",
                "由 'python -m integrations.camera.look' 给出；白天、夜间各一条。",
            ),
        ),
    ): vol.All([_reference], vol.Length(max=_REFERENCES)),
}
_JUDGING: dict[Any, Any] = {
    vol.Optional(
        "frozen_s",
        default=20.0,
        description=_label("Frozen after (s)", "画面静止判定（秒）"),
    ): _number(3, 3_600),
    vol.Optional(
        "lost_s",
        default=5.0,
        description=_label("Lost after (s)", "画面丢失判定（秒）"),
    ): _number(1, 600),
    vol.Optional(
        "still",
        default=0.05,
        description=_label("Change that counts as none", "视为无变化的差值"),
    ): _number(0, 2),
    vol.Optional(
        "critical",
        default=True,
        description=_label(
            "Its loss leaves the zone unmonitored", "失效时区域视为无监控"
        ),
    ): flag,
    vol.Optional(
        "events",
        description=_label(
            "Reports",
            "上报事件",
            *(
                "Reports that the camera is to make, such as flame or input.1.",
                "摄像机应上报的事件，如 flame、input.1。",
            ),
        ),
    ): vol.All([_report], vol.Length(max=happenings.MAX_ENTITIES)),
    vol.Optional(
        "event_channels",
        default=list,
        description=_label(
            "Channels whose reports are its own",
            "属于本机的上报通道",
            *(
                "ISAPI behind a recorder: its number there; empty: all.",
                "经录像机的 ISAPI：其在录像机上的通道号；空为全部。",
            ),
        ),
    ): vol.All([_whole(1, 256)], vol.Length(max=16)),
    vol.Optional(
        "recorder",
        default=False,
        description=_label("It records by itself (ONVIF G)", "自带录像（ONVIF G）"),
    ): flag,
}
_CAMERA = vol.Schema({**_PLACE, **_SEEING, **_JUDGING})
_SHAPE = vol.Schema(
    {
        vol.Required("cameras"): vol.All([_CAMERA], vol.Length(min=1, max=64)),
        vol.Optional("language", default="en"): _one_of("en", "zh"),
    }
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(vol.All(_SHAPE, _cross_check))


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that checked options need."""
    found = [c["password"] for c in options.get("cameras", ()) if "password" in c]
    return tuple(dict.fromkeys(found))


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made from a finding of discovery."""
    lasting = facts.get("serial") or facts.get("mac") or facts.get("key", "")
    lasting = lasting.removeprefix("urn:").replace("urn:uuid:", "uuid:")
    plain = "".join(c if c.isalnum() else "-" for c in lasting.lower() if c.isascii())
    camera: dict[str, Any] = {
        "uid": f"cam-{plain.strip('-')}"[:64],
        "protocol": "onvif",
        "address": facts.get("address", ""),
    }
    port = facts.get("port", "")
    if port.isascii() and port.isdecimal() and 0 < int(port) < 65_536:
        camera["port"] = int(port)
    if facts.get("url", "").startswith("https:"):
        camera["tls"] = True
    if facts.get("name"):
        camera["name"] = facts["name"][:200]
    if facts.get("serial"):
        camera["serial_number"] = facts["serial"][:200]
    return {"cameras": [camera]}


async def probe(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Ask each camera who it is and for a picture; raises AuthError, DeviceError."""
    # The libraries are not needed where a site is only published.
    from integrations.camera.probe import answers

    return await answers(options, secrets)


def _cross_check(options: dict[str, Any]) -> dict[str, Any]:
    """Check what one value cannot know of another; fill what depends on others."""
    uids: set[str] = set()
    for index, camera in enumerate(options["cameras"]):
        here: list[Any] = ["cameras", index]
        if camera["uid"] in uids:
            wrong = Said("uid {uid!r} belongs to another camera too", uid=camera["uid"])
            raise vol.Invalid(wrong, path=[*here, "uid"])
        uids.add(camera["uid"])
        _fill(camera)
        _check(camera, here)
    return options


def _fill(camera: dict[str, Any]) -> None:
    protocol = camera["protocol"]
    camera.setdefault("port", 443 if camera["tls"] else 80)
    camera.setdefault("picture", _PICTURE[protocol])
    if "events" not in camera:
        speaks = protocol in ("onvif", "isapi")
        camera["events"] = ["motion", "tamper"] if speaks else []


def _check(camera: Mapping[str, Any], here: list[Any]) -> None:
    protocol, picture = camera["protocol"], camera["picture"]
    if protocol in ("http", "rtsp"):
        if "path" not in camera:
            raise vol.Invalid("tell the path of its pictures", path=[*here, "path"])
        if camera["events"]:
            wrong = Said(
                "{protocol} brings no reports; use onvif or isapi, or leave out",
                protocol=protocol,
            )
            raise vol.Invalid(wrong, path=[*here, "events"])
        if (picture == "rtsp") is (protocol == "http"):
            wrong = Said(
                "{protocol} does not bring {picture}",
                protocol=protocol,
                picture=picture,
            )
            raise vol.Invalid(wrong, path=[*here, "picture"])
    if picture == "mjpeg" and protocol == "onvif" and "path" not in camera:
        raise vol.Invalid("ONVIF names no MJPEG: tell its path", path=[*here, "path"])
    if picture == "none" and not camera["events"]:
        wrong = Said("without pictures and reports it is no camera")
        raise vol.Invalid(wrong, path=[*here, "picture"])
    if camera["recorder"] and protocol != "onvif":
        wrong = Said("only ONVIF cameras tell until when they have recorded")
        raise vol.Invalid(wrong, path=[*here, "recorder"])
    if camera["username"] and "password" not in camera:
        wrong = Said("name the secret that holds the user's password")
        raise vol.Invalid(wrong, path=[*here, "password"])
    if camera["lost_s"] < 3 / camera["fps"]:
        wrong = Said(
            "at {fps} pictures a second allow {value:g} s",
            fps=camera["fps"],
            value=3 / camera["fps"],
        )
        raise vol.Invalid(wrong, path=[*here, "lost_s"])
