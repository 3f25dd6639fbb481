"""A client of ONVIF: one camera, the few calls that the hub needs.

Each call carries a fresh UsernameToken; its time is the camera's own, for a camera
whose clock is wrong refuses everybody else's. HTTP digest comes from `fetch` where
the camera asks for it as well.
"""

import os
import uuid
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from core.api import AuthError, DeviceError
from core.api.clock import NS, Clock
from integrations.camera import replies, soap
from integrations.camera.fetch import (
    ANSWER_S,
    BadAnswer,
    Fetch,
    Unanswered,
    path_of,
)

_Found = TypeVar("_Found")

_PATH = "/onvif/device_service"
#: How long a pull point lives without a renewal, and waits for events at most.
LIFE_S, PULL_S = 60, 2
_PULLS = 64
#: A camera that waits for events may answer so much later than it was asked to.
_LATE_S = 3.0
#: A pull point that cannot be given back runs out by itself.
_FAREWELL_S = 1.5
#: A camera's clock that moved by less is no reason to be refused.
_STEP_NS = 2 * NS
_STREAM = (
    '<StreamSetup><Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast'
    '</Stream><Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP'
    "</Protocol></Transport></StreamSetup>"
)


class _Letter(NamedTuple):
    """Hold a request on its way; ``most_s`` is the whole exchange's deadline."""

    path: str
    body: str
    headers: str = ""
    action: str = ""
    most_s: float = ANSWER_S
    signed: bool = True


class Denied(DeviceError):
    """A camera refused a letter: its credentials, or their time."""

    code = "device.auth"


class Onvif:
    """Speak to one camera; `connect` first."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._services: dict[str, str] = {}
        self._point: replies.Subscription | None = None
        self._renew_ns = 0
        self.offset_ns = 0
        """The camera's wall minus ours."""

    async def connect(self) -> replies.Info:
        """Learn the camera's clock, name and services; raises Auth-, DeviceError."""
        self._services = {}
        await self._learn_clock()
        about = soap.ask(soap.DEVICE, "GetDeviceInformation")
        info = self._read(replies.info, await self._ask("", about))
        try:
            inner = "<IncludeCapability>false</IncludeCapability>"
            asked = soap.ask(soap.DEVICE, "GetServices", inner)
            self._services = replies.services(await self._ask("", asked))
        except BadAnswer:
            asked = soap.ask(soap.DEVICE, "GetCapabilities", "<Category>All</Category>")
            self._services = replies.capabilities(await self._ask("", asked))
        return info

    def has(self, namespace: str) -> bool:
        """Say whether the camera offers a service."""
        return namespace in self._services

    async def profile(self, number: int) -> str:
        """Return the token of a stream, counted from 0 in the camera's order."""
        asked = soap.ask(self._media, "GetProfiles")
        found = self._read(replies.profiles, await self._ask(self._media, asked))
        return found[min(number, len(found) - 1)].token

    async def stream(self, profile: str) -> str:
        """Return the RTSP address that the camera names for a stream."""
        name = f"<ProfileToken>{escape(profile)}</ProfileToken>"
        first = _STREAM
        if self._media == soap.MEDIA2:
            first = "<Protocol>RtspOverTcp</Protocol>"
        asked = soap.ask(self._media, "GetStreamUri", first + name)
        return self._read(replies.uri, await self._ask(self._media, asked))

    async def snapshot(self, profile: str) -> str:
        """Return the path of a stream's snapshot."""
        inner = f"<ProfileToken>{escape(profile)}</ProfileToken>"
        asked = soap.ask(self._media, "GetSnapshotUri", inner)
        return path_of(self._read(replies.uri, await self._ask(self._media, asked)))

    async def recorded_until(self) -> int:
        """Return the hub's wall time in ns until which the camera has recorded."""
        asked = soap.ask(soap.SEARCH, "GetRecordingSummary")
        found = await self._ask(soap.SEARCH, asked)
        return self._read(replies.recorded, found) - self.offset_ns

    @property
    def _media(self) -> str:
        return soap.MEDIA if soap.MEDIA in self._services else soap.MEDIA2

    # --- events -------------------------------------------------------------------

    async def subscribe(self) -> None:
        """Make a pull point; its first pull tells every property as it is now."""
        inner = f"<InitialTerminationTime>PT{LIFE_S}S</InitialTerminationTime>"
        asked = soap.ask(soap.EVENTS, "CreatePullPointSubscription", inner)
        action = f"{soap.EVENTS}/EventPortType/CreatePullPointSubscriptionRequest"
        found = await self._ask(soap.EVENTS, asked, action=action)
        self._point = self._read(replies.subscription, found)
        self._renewed()

    async def pull(self) -> list[replies.Notice]:
        """Return what has happened, after at most `PULL_S`; renews in time."""
        if self._clock.mono_ns() > self._renew_ns:
            await self._renew()
        inner = f"<Timeout>PT{PULL_S}S</Timeout><MessageLimit>{_PULLS}</MessageLimit>"
        asked = soap.ask(soap.EVENTS, "PullMessages", inner)
        action = f"{soap.EVENTS}/PullPointSubscription/PullMessagesRequest"
        limit = PULL_S + _LATE_S
        return replies.notices(await self._at_point(asked, action, limit))

    async def _renew(self) -> None:
        inner = f"<TerminationTime>PT{LIFE_S}S</TerminationTime>"
        asked = soap.ask(soap.NOTIFICATION, "Renew", inner)
        wsn = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest"
        await self._at_point(asked, wsn)
        self._renewed()

    async def unsubscribe(self) -> None:
        """Give the pull point back: a camera has few of them."""
        if self._point is None:
            return
        asked = soap.ask(soap.NOTIFICATION, "Unsubscribe")
        wsn = (
            "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"
        )
        try:
            await self._at_point(asked, wsn, _FAREWELL_S)
        finally:
            self._point = None

    def _renewed(self) -> None:
        self._renew_ns = self._clock.mono_ns() + LIFE_S * NS // 2

    async def _at_point(
        self, body: str, action: str, most_s: float = ANSWER_S
    ) -> Element:
        point = self._point
        if point is None:
            raise BadAnswer("not subscribed")
        headers = self._addressed(action, point.address) + point.headers
        path = path_of(point.address)
        return await self._send(_Letter(path, body, headers, action, most_s))

    # --- letters ------------------------------------------------------------------

    async def _ask(self, service: str, body: str, *, action: str = "") -> Element:
        if service and service not in self._services:
            raise BadAnswer(f"it has no service {service}")
        path = path_of(self._services[service]) if service else _PATH
        headers = self._addressed(action, self._fetch.base + path) if action else ""
        return await self._send(_Letter(path, body, headers, action))

    def _addressed(self, action: str, to: str) -> str:
        return soap.addressed(action, to, f"urn:uuid:{uuid.uuid4()}")

    async def _send(self, letter: _Letter) -> Element:
        """Send a letter; a camera whose clock has stepped gets it once more."""
        try:
            return await self._post(letter)
        except Denied:
            before = self.offset_ns
            await self._learn_clock()
            if abs(self.offset_ns - before) < _STEP_NS:
                raise AuthError("SOAP: not authorised") from None
        try:
            return await self._post(letter)
        except Denied:
            raise AuthError("SOAP: not authorised") from None

    async def _learn_clock(self) -> None:
        # The one call that ONVIF leaves open to all, for this very purpose.
        asked = soap.ask(soap.DEVICE, "GetSystemDateAndTime")
        found = await self._post(_Letter(_PATH, asked, signed=False))
        self.offset_ns = self._read(replies.wall, found) - self._clock.wall_ns()

    async def _post(self, letter: _Letter) -> Element:
        headers = letter.headers
        if letter.signed and self._fetch.user:
            created = soap.stamp(self._clock.wall_ns() + self.offset_ns)
            headers += soap.token(
                self._fetch.user, self._fetch.password, os.urandom(16), created
            )
        kind = "application/soap+xml; charset=utf-8"
        if letter.action:
            kind += f'; action="{letter.action}"'
        status, data = await self._fetch.post(
            letter.path,
            soap.letter(letter.body, headers),
            {"Content-Type": kind},
            letter.most_s,
        )
        try:
            return soap.answer(data)
        except soap.SoapError as error:
            if error.denied:
                raise Denied from error
            if status != 200 and not data:
                raise Unanswered(f"HTTP {status}") from error
            raise BadAnswer(str(error)) from error

    def _read(self, parse: Callable[[Element], _Found], body: Element) -> _Found:
        try:
            return parse(body)
        except soap.SoapError as error:
            raise BadAnswer(str(error)) from error
