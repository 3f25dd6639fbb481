"""One Bluetooth device: what it has, what was last heard, whether it is still there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.api import Device, Entity, EntityKind, Host, Quality, Value, fingerprint
from integrations.ble.advert import Advert, AdvertError
from integrations.ble.bthome import Packet, Thing, parse

NS = 1_000_000_000
#: Of one device; the rest is counted.
MAX_ENTITIES = 64
#: Of a device that declares none: what most of them keep.
USUAL_S = 60.0
#: Part of three intervals after which a device is lost: it is told within them.
LOST_AFTER = 2.5
#: Those that are told rarely, beside the rest.
_RARE = ("battery", "voltage", "text", "raw", "settings_revision")
_RARE_S = 86_400.0
#: Of packet ids: what lies further ahead lies behind.
_HALF = 128


@dataclass(slots=True)
class Point:
    """One entity and its last word."""

    entity: Entity
    handle: int
    scale: float = 1.0
    low: float | None = None
    high: float | None = None
    unproven: bool = False
    """True for a gas or a critical entity of a device that has no key."""


class BleDevice:
    """Judge one device's packets; nothing here waits."""

    def __init__(self, host: Host, said: Mapping[str, Any], key: bytes | None) -> None:
        self.host, self.said = host, said
        self.uid: str = said["address"]
        self.every_s: float = said.get("every_s", USUAL_S)
        self.up: bool | None = None
        self.reason = ""
        self.rssi = 0
        self.counters = {"packets": 0, "repeats": 0, "refused": 0, "lost": 0}
        self.points: dict[str, Point] = {}
        self._key = key
        self._name = said.get("name", "")
        self._trigger = False
        self._heard_ns = host.clock.mono_ns()
        self._last = b""
        self._told = False
        self._packet_id: int | None = None
        self._anew: int | None = None
        self._counter = -1

    def declare(self) -> None:
        """Tell the hub what the site says that the device has.

        One with a key is told of once it has proved that it holds the key.
        """
        for uid, said in self.said["entities"].items():
            kind = said.get("kind", "sensor")
            self._add(Thing(uid, None, said.get("unit", ""), kind == "binary"))
        if self._key is None:
            self._tell()

    def _tell(self) -> None:
        self._told = True
        self.host.declare(
            Device(
                uid=self.uid,
                name=self._name or self.uid,
                manufacturer="BTHome",
                model=self.said.get("model", ""),
                serial=self.uid,
                key_id="" if self._key is None else fingerprint(self._key),
                suggested_zone=self.said.get("zone"),
                entities=tuple(point.entity for point in self.points.values()),
            )
        )

    def _add(self, thing: Thing) -> None:
        said = self.said["entities"].get(thing.uid, {})
        every_s = said.get("every_s") or max(
            self.every_s, _RARE_S if thing.uid in _RARE else 0.0
        )
        low, high = said.get("range", (None, None))
        kind = EntityKind.BINARY if thing.binary else EntityKind.SENSOR
        critical = said.get("critical", False)
        self.points[thing.uid] = Point(
            entity=Entity(
                uid=thing.uid,
                name=said.get("name", thing.uid),
                kind=EntityKind(said["kind"]) if "kind" in said else kind,
                quantity=said.get("quantity", thing.uid),
                unit=said.get("unit", thing.unit),
                max_age_s=3 * every_s,
                critical=critical,
                full_scale=high,
            ),
            handle=self.host.handle(self.uid, thing.uid),
            scale=said.get("scale", 1.0),
            low=low,
            high=high,
            unproven=self._key is None and (critical or said.get("kind") == "gas"),
        )

    # --- hearing --------------------------------------------------------------

    def take(self, heard: Advert) -> Packet | None:
        """Report an advertisement; returns the packet when it is a new one."""
        self.rssi = heard.rssi
        if not self._name and heard.name:
            self._name = heard.name[:120]
        if not heard.service:
            return None
        try:
            packet = parse(heard.service, self.uid, self._key)
            new = self._new(packet, heard.service)
        except AdvertError as wrong:
            self._refuse(wrong, heard.service)
            return None
        if not new:
            self.counters["repeats"] += 1
            return None
        self._heard(packet)
        return packet

    def _new(self, packet: Packet, data: bytes) -> bool:
        """Say whether a packet is new; raises AdvertError for one from the past.

        Encrypted ones count up, and nothing excuses a step back. Plain ones may
        have an id of eight bits, which a device that was silent may begin anew;
        what has neither is taken each time: nothing tells an old one.
        """
        if packet.counter is not None:
            if packet.counter < self._counter:
                raise AdvertError("ble.replayed", f"counter {packet.counter}")
            new = packet.counter > self._counter
            self._counter = packet.counter
            return new
        if packet.packet_id is None:
            pressed = bool(packet.presses) and data == self._last
            self._last = data
            return not pressed
        return self._follows(packet.packet_id)

    def _follows(self, told: int) -> bool:
        """Say whether a packet id is a later one; raises AdvertError for an earlier.

        A lost device may begin anew: two that follow each other prove it, one that
        is said again and again does not.
        """
        before = self._packet_id
        ahead = 1 if before is None else (told - before) % 256
        if ahead >= _HALF:
            begun = self._anew
            self._anew = told
            follows = begun is not None and 0 < (told - begun) % 256 < _HALF
            if self.up or not follows:
                raise AdvertError("ble.replayed", f"packet {told}")
        if ahead:
            self._packet_id, self._anew = told, None
        return ahead > 0

    def _refuse(self, wrong: AdvertError, data: bytes) -> None:
        self.counters["refused"] += 1
        self.host.count(wrong.reason, data.hex(), self.uid)
        if wrong.reason in ("ble.key", "ble.no_key", "ble.downgrade") and not self.up:
            # Told where nothing good is heard beside it: anybody can send rubbish.
            self._link(False, wrong.reason)
            self._report_all(Quality.NOT_PRESENT, wrong.reason)

    def _heard(self, packet: Packet) -> None:
        self.counters["packets"] += 1
        self._heard_ns = self.host.clock.mono_ns()
        self._trigger = packet.trigger
        if packet.unknown is not None:
            self.host.count("ble.unknown_object", f"{packet.unknown:#04x}", self.uid)
        known = len(self.points) if self._told else -1
        for thing in packet.things:
            if thing.uid in self.said["without"]:
                continue
            if thing.uid not in self.points:
                if len(self.points) >= MAX_ENTITIES:
                    self.host.count("ble.left_out", thing.uid, self.uid)
                    continue
                self._add(thing)
        if len(self.points) != known:
            self._tell()
        self._link(True, "")
        for thing in packet.things:
            point = self.points.get(thing.uid)
            if point is not None:
                value, quality, reason = judge(point, thing)
                self.host.report(
                    point.handle,
                    value,
                    quality,
                    reason,
                    source_seq=packet.counter or packet.packet_id or 0,
                )

    # --- silence --------------------------------------------------------------

    def look(self, now_ns: int) -> None:
        """Lose a device that has been silent for too long."""
        if self._trigger and "every_s" not in self.said:
            return  # it speaks only when something happens
        if now_ns - self._heard_ns > LOST_AFTER * self.every_s * NS and (
            self.up or self.up is None
        ):
            self.lose("ble.lost")

    def lose(self, reason: str) -> None:
        """Tell that the device, or every source of it, is not heard."""
        if self.up:
            self.counters["lost"] += 1
        heard = self.counters["packets"] > 0
        self._link(False, reason)
        self._report_all(Quality.FAULT if heard else Quality.NOT_PRESENT, reason)

    def _report_all(self, quality: Quality, reason: str) -> None:
        for point in self.points.values():
            self.host.report(point.handle, None, quality, reason)

    def _link(self, up: bool, reason: str) -> None:
        if self.up is not up or self.reason != reason:
            self.up, self.reason = up, reason
            self.host.link_state(self.uid, up, reason)


def judge(point: Point, thing: Thing) -> tuple[Value, Quality, str]:
    """Return value, quality and reason of an object, in the entity's unit."""
    kind, raw = point.entity.kind, thing.value
    if (kind is EntityKind.BINARY) is not thing.binary or raw is None:
        return None, Quality.FAULT, "ble.wrong_type"
    value = raw
    quality, reason = Quality.GOOD, ""
    if isinstance(raw, str) and kind is EntityKind.GAS:
        return None, Quality.FAULT, "ble.wrong_type"
    if not thing.binary and not isinstance(raw, str):
        value = float(f"{float(raw) * point.scale:.10g}")
        if not math.isfinite(value):
            return None, Quality.FAULT, "ble.not_a_number"
        quality, reason = _range(point, value)
    if quality is Quality.GOOD and point.unproven:
        # Anybody with a telephone can send this: alarms yes, evidence no.
        return value, Quality.UNCERTAIN, "ble.unauthenticated"
    return value, quality, reason


def _range(point: Point, value: float) -> tuple[Quality, str]:
    if point.high is not None and value > point.high:
        return Quality.UNCERTAIN, "ble.over_range"
    if point.low is not None and value < point.low:
        return Quality.UNCERTAIN, "ble.under_range"
    return Quality.GOOD, ""
