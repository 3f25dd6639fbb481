"""A source: its records become devices, readings and discrete events."""

from collections.abc import Mapping
from typing import Any, Final

from core.api import Host, Value
from integrations.http import body
from integrations.http.body import BodyError, Record
from integrations.http.device import HttpDevice

#: Devices of one source; more are counted and passed over.
MAX_DEVICES: Final = 500
_MAX_KEY, _SEEN = 64, 256
Event = tuple[str, str, dict[str, Value], str]
"""Device uid, kind, parameters, event id."""


class Source:
    """Hold one source of the options and the devices that its records named."""

    def __init__(self, host: Host, said: Mapping[str, Any]) -> None:
        self.host, self.said = host, said
        self.id: str = said["id"]
        self.devices: dict[str, HttpDevice] = {}
        self.up, self.reason = False, ""
        self.bodies = self.records = 0
        self.refused = False
        self._events: dict[str, None] = {}

    def begin(self) -> None:
        """Declare the one device, where the source has no more."""
        if "device" not in self.said:
            self._device(self.said["uid"])

    def take(self, data: bytes) -> list[Event]:
        """Report what a body says; return its discrete events.

        Raises BodyError for a body that is none: nothing of it counts.
        """
        said = self.said
        try:
            records = body.parse(data, said["format"], said["records"])
        except BodyError as wrong:
            shown = data[:80].decode("utf-8", "replace")
            for uid in self.devices or [""]:
                self.host.count("http.body", f"{self.id}: {wrong}: {shown}", uid)
            raise
        self.bodies += 1
        found: list[Event] = []
        for record in records:
            device = self._named(record)
            if device is not None and device.take(record):
                self.records += 1
            if device is not None:
                found += self._happened(record, device.uid)
        return found

    def _named(self, record: Record) -> HttpDevice | None:
        uid = self.said["uid"]
        if "device" in self.said:
            try:
                key = body.words(body.at(record, self.said["device"]))
            except BodyError as wrong:
                self.host.count("http.unnamed", f"{self.id}: {wrong}")
                return None
            name = "".join(c for c in str(key) if c.isprintable())[:_MAX_KEY].strip()
            if not name:
                self.host.count("http.unnamed", self.id)
                return None
            uid = f"{uid}:{name}"
        return self.devices.get(uid) or self._device(uid)

    def _device(self, uid: str) -> HttpDevice | None:
        if len(self.devices) >= MAX_DEVICES:
            self.host.count("http.too_many_devices", f"{self.id}: {uid}")
            return None
        device = self.devices[uid] = HttpDevice(self.host, self.said, uid)
        device.declare()
        return device

    def _happened(self, record: Record, uid: str) -> list[Event]:
        """Return the events of a record that have not been told before."""
        found: list[Event] = []
        for said in self.said["events"]:
            try:
                word = str(body.words(body.at(record, said["path"])))
                number = str(body.words(body.at(record, said["id"])))
            except BodyError:
                continue  # most records hold none
            kind = said["kinds"].get(word)
            key = f"{uid}/{number}"
            if kind is None or key in self._events:
                continue
            found.append((uid, kind, {"word": word}, key))
        return found

    def told(self, event: Event) -> None:
        """Remember an event that core has durable: its repeats say nothing new."""
        self._events[event[3]] = None
        if len(self._events) > _SEEN:
            del self._events[next(iter(self._events))]

    # --- the link -------------------------------------------------------------

    def answered(self) -> None:
        """Note that the other system spoke."""
        self.up, self.reason = True, ""

    def failed(self, reason: str, detail: str) -> None:
        """Note that it did not, or not as it should."""
        self.up, self.reason = False, reason
        self.host.count(reason, f"{self.id}: {detail}")

    def look(self) -> None:
        """Lose the devices that have been silent for too long."""
        now = self.host.clock.mono_ns()
        for device in self.devices.values():
            device.look(now)
