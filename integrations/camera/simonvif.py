"""The SOAP side of a simulated camera: device, media, events, search."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from core.api.clock import NS
from integrations.camera import soap
from integrations.camera.simulated import SimulatedCamera
from integrations.camera.soap import find, local, words

#: A letter whose time is off by more is refused, as cameras do.
_SKEW_S = 5
_SPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:tev="http://www.onvif.org/ver10/events/wsdl"'
    ' xmlns:tse="http://www.onvif.org/ver10/search/wsdl"'
    ' xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"'
    ' xmlns:wsa="http://www.w3.org/2005/08/addressing"'
    ' xmlns:ter="http://www.onvif.org/ver10/error"'
    ' xmlns:tns1="http://www.onvif.org/ver10/topics"'
)
_TOPICS = {
    "motion": ("RuleEngine/CellMotionDetector/Motion", "IsMotion"),
    "tamper": ("RuleEngine/TamperDetector/Tamper", "IsTamper"),
    "videoloss": ("VideoSource/SignalLoss", "State"),
    "input": ("Device/Trigger/DigitalInput", "LogicalState"),
    "intrusion": ("RuleEngine/FieldDetector/ObjectsInside", "IsInside"),
    "heat": ("RuleEngine/Radiometry/TemperatureAlarm", "AlarmActive"),
    "flame": ("RuleEngine/FireDetection/FireAlarm", "IsFireAlarm"),
    "smoke": ("RuleEngine/SmokeDetection/SmokeAlarm", "IsSmokeAlarm"),
    "temperature": ("VideoAnalytics/Radiometry/BoxTemperatureReading", ""),
}


class Answer(NamedTuple):
    """Hold an HTTP status and a letter."""

    status: int
    body: bytes


async def answer(
    camera: SimulatedCamera, path: str, request: bytes, base: str
) -> Answer:
    """Answer one letter; ``base``: the address by which it was reached."""
    try:
        root = soap.document(request)
    except soap.SoapError as error:
        return _fault("ter:WellFormed", str(error), 400)
    body = soap.child(root, "Body")
    asked = next(iter(body), None) if body is not None else None
    if asked is None:
        return _fault("ter:InvalidArgVal", "nothing asked", 400)
    name = local(asked)
    if name != "GetSystemDateAndTime" and not _signed(camera, root):
        return _fault("ter:NotAuthorized", "Sender not authorized", 400)
    if name in ("PullMessages", "Renew", "Unsubscribe"):
        return await _subscription(camera, name, path, asked)
    made = _PLAIN.get(name)
    if made is None:
        return _fault("ter:ActionNotSupported", name, 500)
    return _letter(made(camera, asked, base))


def _signed(camera: SimulatedCamera, root: Element) -> bool:
    """Check a UsernameToken by the camera's own clock."""
    if not camera.user:
        return True
    token = find(root, "UsernameToken")
    if token is None or words(find(token, "Username")) != camera.user:
        return False
    created = words(find(token, "Created"))
    at = soap.instant(created)
    if at is None or abs(at - camera.wall_ns()) > _SKEW_S * NS:
        return False
    nonce = base64.b64decode(words(find(token, "Nonce")))
    salted = nonce + created.encode() + camera.password.encode()
    digest = hashlib.sha1(salted, usedforsecurity=False).digest()
    return words(find(token, "Password")) == base64.b64encode(digest).decode()


async def _subscription(
    camera: SimulatedCamera, name: str, path: str, asked: Element
) -> Answer:
    point = path.rpartition("/")[2]
    if not camera.alive(point):
        return _fault("wsnt:UnableToGetMessagesFault", "no such subscription", 400)
    if name == "Unsubscribe":
        camera.points.pop(point, None)
        return _letter("<wsnt:UnsubscribeResponse/>")
    if name == "Renew":
        camera.renew(point, _seconds(find(asked, "TerminationTime"), 60))
        return _letter(f"<wsnt:RenewResponse>{_times(camera)}</wsnt:RenewResponse>")
    wait = min(_seconds(find(asked, "Timeout"), 4), 20)
    some, first = await camera.news(point, wait)
    told = "".join(_notices(camera, first=first)) if some else ""
    return _letter(
        "<tev:PullMessagesResponse>"
        f"{_times(camera, 'tev:')}{told}</tev:PullMessagesResponse>"
    )


def _notices(camera: SimulatedCamera, *, first: bool) -> list[str]:
    operation = "Initialized" if first else "Changed"
    found = []
    for uid, value in camera.values.items():
        kind, _, number = uid.partition(".")
        topic, item = _TOPICS[kind]
        source = f'<tt:SimpleItem Name="Source" Value="{number or "V1"}"/>'
        data = f'<tt:SimpleItem Name="{item}" Value="{str(value).lower()}"/>'
        if kind == "temperature":
            data = (
                '<tt:ElementItem Name="Reading"><tt:BoxTemperatureReading'
                f' ItemID="{number}" MaxTemperature="{value + 273.15}"/>'
                "</tt:ElementItem>"
            )
        found.append(
            "<wsnt:NotificationMessage><wsnt:Topic>tns1:"
            f"{topic}</wsnt:Topic><wsnt:Message>"
            f'<tt:Message UtcTime="{soap.stamp(camera.wall_ns())}"'
            f' PropertyOperation="{operation}"><tt:Source>{source}</tt:Source>'
            f"<tt:Data>{data}</tt:Data></tt:Message></wsnt:Message>"
            "</wsnt:NotificationMessage>"
        )
    return found


# --- plain answers -----------------------------------------------------------------


def _date(camera: SimulatedCamera, _asked: Element, _base: str) -> str:
    now = datetime.fromtimestamp(camera.wall_ns() / NS, UTC)
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        "<tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
        f"<tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
        f"<tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def _about(camera: SimulatedCamera, _asked: Element, _base: str) -> str:
    return (
        "<tds:GetDeviceInformationResponse><tds:Manufacturer>Simulated"
        "</tds:Manufacturer><tds:Model>SIM-CAM</tds:Model>"
        "<tds:FirmwareVersion>1.0</tds:FirmwareVersion>"
        f"<tds:SerialNumber>{escape(camera.serial)}</tds:SerialNumber>"
        "<tds:HardwareId>sim</tds:HardwareId></tds:GetDeviceInformationResponse>"
    )


def _services(_camera: SimulatedCamera, _asked: Element, base: str) -> str:
    names = {
        soap.DEVICE: "device_service",
        soap.MEDIA: "media",
        soap.EVENTS: "events",
        soap.SEARCH: "search",
    }
    return (
        "<tds:GetServicesResponse>"
        + "".join(
            f"<tds:Service><tds:Namespace>{space}</tds:Namespace>"
            f"<tds:XAddr>{base}/onvif/{name}</tds:XAddr></tds:Service>"
            for space, name in names.items()
        )
        + "</tds:GetServicesResponse>"
    )


def _profiles(camera: SimulatedCamera, _asked: Element, _base: str) -> str:
    found = ""
    for token in ("main", "sub"):
        found += (
            f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
            "<tt:VideoEncoderConfiguration><tt:Resolution>"
            f"<tt:Width>{camera.scene.width}</tt:Width>"
            f"<tt:Height>{camera.scene.height}</tt:Height></tt:Resolution>"
            "</tt:VideoEncoderConfiguration></trt:Profiles>"
        )
    return f"<trt:GetProfilesResponse>{found}</trt:GetProfilesResponse>"


def _uri(name: str, place: str) -> str:
    return (
        f"<trt:{name}><trt:MediaUri><tt:Uri>{escape(place)}</tt:Uri>"
        f"</trt:MediaUri></trt:{name}>"
    )


def _snapshot(_camera: SimulatedCamera, _asked: Element, _base: str) -> str:
    # Another host, as cameras behind a router tell: nobody must call it.
    place = "http://192.0.2.1/onvif/snapshot?profile=main"
    return _uri("GetSnapshotUriResponse", place)


def _stream(camera: SimulatedCamera, _asked: Element, _base: str) -> str:
    port = camera.options.get("rtsp_port", 554)
    return _uri("GetStreamUriResponse", f"rtsp://192.0.2.1:{port}/main?q=1")


def _point(camera: SimulatedCamera, asked: Element, base: str) -> str:
    name = camera.subscribe(_seconds(find(asked, "InitialTerminationTime"), 60))
    return (
        "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
        f"<wsa:Address>{base}/onvif/sub/{name}</wsa:Address>"
        "</tev:SubscriptionReference>"
        f"{_times(camera)}</tev:CreatePullPointSubscriptionResponse>"
    )


def _recorded(camera: SimulatedCamera, _asked: Element, _base: str) -> str:
    until = camera.wall_ns() if camera.recording else camera.wall_ns() - 3_600 * NS
    return (
        "<tse:GetRecordingSummaryResponse><tse:Summary>"
        f"<tt:DataFrom>{soap.stamp(until - 3_600 * NS)}</tt:DataFrom>"
        f"<tt:DataUntil>{soap.stamp(until)}</tt:DataUntil>"
        "<tt:NumberRecordings>1</tt:NumberRecordings>"
        "</tse:Summary></tse:GetRecordingSummaryResponse>"
    )


_PLAIN = {
    "GetSystemDateAndTime": _date,
    "GetDeviceInformation": _about,
    "GetServices": _services,
    "GetProfiles": _profiles,
    "GetSnapshotUri": _snapshot,
    "GetStreamUri": _stream,
    "CreatePullPointSubscription": _point,
    "GetRecordingSummary": _recorded,
}


def _times(camera: SimulatedCamera, space: str = "wsnt:") -> str:
    now = camera.wall_ns()
    return (
        f"<{space}CurrentTime>{soap.stamp(now)}</{space}CurrentTime>"
        f"<{space}TerminationTime>{soap.stamp(now + 60 * NS)}</{space}TerminationTime>"
    )


def _seconds(element: Element | None, default: float) -> float:
    text = words(element).removeprefix("PT").removesuffix("S")
    return float(text) if text.isdecimal() else default


def _letter(body: str, status: int = 200) -> Answer:
    return Answer(
        status,
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {_SPACES}><s:Body>'
        f"{body}</s:Body></s:Envelope>".encode(),
    )


def _fault(code: str, reason: str, status: int) -> Answer:
    return _letter(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f"<s:Value>{code}</s:Value></s:Subcode></s:Code><s:Reason>"
        f'<s:Text xml:lang="en">{escape(reason)}</s:Text></s:Reason></s:Fault>',
        status,
    )
