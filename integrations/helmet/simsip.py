"""A simulated camera helmet of GB/T 28181: registers, calls, tells its place."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core.api.clock import NS, AsyncClock
from integrations.helmet import manscdp, sip
from integrations.helmet.sip import Message, SipError

Say = Callable[[dict[str, Any]], None]
_BRANCH = "z9hG4bKsim"


class SimulatedCamera(asyncio.DatagramProtocol):
    """Speak SIP over UDP as one device, or as a platform for its children."""

    def __init__(
        self,
        options: Mapping[str, Any],
        mine: Mapping[str, Any],
        password: str,
        timer: AsyncClock,
        say: Say,
    ) -> None:
        self.id: str = mine["id"]
        self.uid = f"gb28181-{self.id}"
        self._server, self._password = options["id"], password
        self._realm = options["realm"] or self._server[:10]
        self._port: int = options["port"]
        self._interval_s = options["heartbeat_s"] / 2
        self._timer, self._say = timer, say
        self.faults: dict[str, Any] = {}
        self.place = (31.2, 121.5)
        self.stopped = False
        self._transport: asyncio.DatagramTransport | None = None
        self._number = 0
        self._registered = False
        self._subscribed = False
        self._calls: dict[str, bytes] = {}
        """Call-ID → a message that is not answered yet."""

    def put(self, entity: str, value: Any) -> None:
        """Let the location be "lat,lon"."""
        if entity != "location":
            raise KeyError(entity)
        lat, lon = (float(each) for each in str(value).split(","))
        self.place = lat, lon

    def event(self, kind: str) -> None:
        """Call for help, and again until the hub has answered."""
        if kind != "sos":
            raise KeyError(kind)
        call = f"call-{self._number + 1}"
        lat, lon = self.place
        said = manscdp.build(
            "Notify",
            "Alarm",
            str(self._number + 1),
            self.id,
            AlarmPriority="1",
            AlarmMethod="2",
            AlarmTime=self._now(),
            Longitude=f"{lon:.6f}",
            Latitude=f"{lat:.6f}",
        )
        self._calls[call] = self._request("MESSAGE", said, call=call)

    def drop(self) -> None:
        """Forget the registration, as after a loss of power."""
        self._registered = self._subscribed = False

    async def run(self) -> None:
        """Register, keep alive, tell places; until cancelled."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._transport = transport
        try:
            while True:
                if not self.stopped and not self.faults.get("silent"):
                    self._turn()
                await self._timer.sleep(self._interval_s)
        finally:
            transport.close()

    def _turn(self) -> None:
        if self.faults.get("garbage"):
            self._out(b"\x00\x01 no SIP at all")
            return
        if not self._registered:
            self._out(self._request("REGISTER", b""))
            return
        alive = manscdp.build("Notify", "Keepalive", self._next(), self.id, Status="OK")
        self._out(self._request("MESSAGE", alive))
        for message in self._calls.values():
            self._out(message)
        if self._subscribed:
            lat, lon = self.place
            said = manscdp.build(
                "Notify",
                "MobilePosition",
                self._next(),
                self.id,
                Time=self._now(),
                Longitude=f"{lon:.6f}",
                Latitude=f"{lat:.6f}",
            )
            self._out(self._request("NOTIFY", said))

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take the hub's answers and questions."""
        try:
            message = sip.parse(data)
        except SipError:
            return
        if message.status:
            self._answered(message)
        elif not self.stopped and not self.faults.get("silent"):
            self._out(sip.answer(message, 200, "OK"))
            self._subscribed |= message.method == "SUBSCRIBE"

    def _answered(self, message: Message) -> None:
        if self._calls.pop(message.get("call-id"), None) is not None:
            self._say({"event": "answered", "device": self.uid})
        if "REGISTER" not in message.get("cseq"):
            if message.status == 403:
                self._registered = False
            return
        if message.status == 200:
            self._registered = True
        elif message.status == 401:
            told = sip.pairs(message.get("www-authenticate"))
            told["uri"] = f"sip:{self._server}@{self._realm}"
            proof = sip.digest("REGISTER", told, self.id, self._realm, self._password)
            said = (
                f'Digest username="{self.id}", realm="{self._realm}", '
                f'nonce="{told.get("nonce", "")}", uri="{told["uri"]}", '
                f'response="{proof}", algorithm=MD5'
            )
            self._out(self._request("REGISTER", b"", more={"Authorization": said}))

    def _request(
        self,
        method: str,
        said: bytes,
        *,
        call: str = "",
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        self._number += 1
        headers = {
            "Via": f"SIP/2.0/UDP 127.0.0.1;branch={_BRANCH}{self._number}",
            "From": f"<sip:{self.id}@{self._realm}>;tag={self.id[-4:]}",
            "To": f"<sip:{self._server}@{self._realm}>",
            "Call-ID": call or f"{self.id}-{self._number}",
            "CSeq": f"{self._number} {method}",
            "Max-Forwards": "70",
            "Expires": "3600",
            **(more or {}),
        }
        if said:
            headers["Content-Type"] = "Application/MANSCDP+xml"
        return sip.request(f"{method} sip:{self._server}@{self._realm}", headers, said)

    def _next(self) -> str:
        return str(self._number + 1)

    def _now(self) -> str:
        wall = self._timer.clock.wall_ns() / NS + float(self.faults.get("clock_s", 0))
        told = datetime.fromtimestamp(wall, UTC) + timedelta(hours=8)
        return f"{told:%Y-%m-%dT%H:%M:%S}"

    def _out(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data, ("127.0.0.1", self._port))
