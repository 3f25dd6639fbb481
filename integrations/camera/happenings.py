"""What a camera reports by itself, in one vocabulary: motion, tamper, flame, heat.

ONVIF tells properties, which hold until they change. ISAPI repeats what is active
about each second and never says that it has ended: five seconds without a word are
the end, while the stream's own beat goes on. Both become entities; a camera whose
reports cannot be heard has no values.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from core.api import Entity, EntityKind, Quality, Value
from core.api.clock import NS
from integrations.camera.alerts import Alert
from integrations.camera.replies import Notice

#: A report that is repeated has ended when it is not (measured: about each second).
ENDED_S = 5.0
MAX_KEYS = 32
MAX_ENTITIES = 24


class Kind(NamedTuple):
    """Describe a kind of report: what it measures, and its names."""

    quantity: str
    en: str
    zh: str
    critical: bool = False
    numbered: bool = False
    unit: str = ""


KINDS = {
    # Not "motion": that is a worn device's, whose absence is a person who lies still.
    "motion": Kind("camera_motion", "Motion in the picture", "画面移动"),
    "tamper": Kind("tamper", "Tampering seen by the camera", "摄像机防拆"),
    "videoloss": Kind("videoloss", "No video, says the camera", "视频丢失"),
    "intrusion": Kind("intrusion", "Intrusion", "区域入侵"),
    "flame": Kind("flame", "Flame", "火焰", critical=True),
    "smoke": Kind("smoke", "Smoke", "烟雾", critical=True),
    "heat": Kind("heat", "Over-temperature", "超温", critical=True),
    "input": Kind("input", "Alarm input", "报警输入", numbered=True),
    "temperature": Kind("temperature", "Temperature", "温度", numbered=True, unit="°C"),
}


class Told(NamedTuple):
    """Hold one report: the entity, who within the camera says it, and its value.

    ``held``: it stands until it is changed; else it ends by silence.
    """

    uid: str
    key: str
    value: bool | float
    held: bool


# --- ONVIF ---------------------------------------------------------------------------

#: Part of a topic → entity, and the items that may hold its state.
_TOPICS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("CellMotionDetector/Motion", "motion", ("IsMotion", "State")),
    ("MotionRegionDetector/Motion", "motion", ("State", "IsMotion")),
    ("VideoSource/MotionAlarm", "motion", ("State",)),
    ("TamperDetector", "tamper", ("IsTamper", "State")),
    ("GlobalSceneChange", "tamper", ("State",)),
    ("VideoSource/SignalLoss", "videoloss", ("State",)),
    ("Device/Trigger/DigitalInput", "input", ("LogicalState", "State")),
    ("FieldDetector/ObjectsInside", "intrusion", ("IsInside", "State")),
    ("LineDetector/Crossed", "intrusion", ()),
    ("Radiometry/TemperatureAlarm", "heat", ("AlarmActive", "State", "IsAlarm")),
    ("FireAlarm", "flame", ("IsFireAlarm", "State")),
    ("FireDetection", "flame", ("IsFire", "State")),
    ("SmokeAlarm", "smoke", ("IsSmokeAlarm", "State")),
)
_READING = "Radiometry/BoxTemperatureReading"
_HEAT = ("MaxTemperature", "Temperature", "AverageTemperature")
_TRUE, _FALSE = ("true", "1", "active"), ("false", "0", "inactive")
#: ONVIF tells temperatures in kelvin; a thermal camera sees nothing colder or hotter.
_KELVIN, _ZERO_C = (173.0, 2_500.0), 273.15


def of_notice(notice: Notice) -> list[Told]:
    """Return what an ONVIF event tells; nothing for a topic that is not known."""
    key = "/".join((notice.topic, *notice.source.values()))[:200]
    if notice.operation == "Deleted":
        return []
    if _READING in notice.topic:
        return _temperature(notice, key)
    for part, kind, names in _TOPICS:
        if part not in notice.topic:
            continue
        uid = f"{kind}.{_label(notice)}" if KINDS[kind].numbered else kind
        if not names:
            return [Told(uid, key, True, held=False)]
        state = next((notice.data[n].lower() for n in names if n in notice.data), "")
        if state in _TRUE or state in _FALSE:
            return [Told(uid, key, state in _TRUE, held=True)]
    return []


def _temperature(notice: Notice, key: str) -> list[Told]:
    for name in _HEAT:
        try:
            kelvin = float(notice.data.get(name, ""))
        except ValueError:
            continue
        if _KELVIN[0] <= kelvin <= _KELVIN[1]:
            label = _label(notice)
            return [Told(f"temperature.{label}", key, kelvin - _ZERO_C, held=True)]
    return []


def _label(notice: Notice) -> str:
    """Return a short lasting name of an input or a measured box."""
    told = notice.data.get("ItemID") or next(iter(notice.source.values()), "")
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in told.lower())
    return plain.strip("_")[:20] or "1"


# --- ISAPI ---------------------------------------------------------------------------

_ALERTS = {
    "vmd": "motion",
    "pir": "motion",
    "tamperdetection": "tamper",
    "shelteralarm": "tamper",
    "scenechangedetection": "tamper",
    "videoloss": "videoloss",
    "io": "input",
    "linedetection": "intrusion",
    "fielddetection": "intrusion",
    "regionentrance": "intrusion",
    "firedetection": "flame",
    "smokedetection": "smoke",
    "tma": "heat",
    "tmpa": "heat",
}
_FACTORS = {"°C": (1.0, 0.0), "°F": (5 / 9, -160 / 9), "K": (1.0, -273.15)}


def known(alert: Alert) -> bool:
    """Say whether an alert's kind has an entity."""
    return alert.kind in _ALERTS


def of_alert(alert: Alert) -> list[Told]:
    """Return what an ISAPI alert tells; nothing for a kind that is not known."""
    kind = _ALERTS.get(alert.kind)
    if kind is None:
        return []
    uid = f"{kind}.{alert.input or 1}" if KINDS[kind].numbered else kind
    key = f"{alert.kind}/{alert.channel}"
    found = [Told(uid, key, alert.active, held=False)]
    for heat in alert.heat:
        factor, offset = _FACTORS[heat.unit]
        value = heat.value * factor + offset
        label = f"temperature.{heat.rule.lower()}"
        found.append(Told(label, key, value, held=False))
    return found


# --- state ---------------------------------------------------------------------------


def entity(uid: str, language: str, max_age_s: float, *, critical: bool) -> Entity:
    """Return the declaration of a report; raises KeyError for an unknown kind."""
    base, _, number = uid.partition(".")
    kind = KINDS[base]
    name = kind.zh if language == "zh" else kind.en
    return Entity(
        uid=uid,
        name=f"{name} {number}".strip(),
        kind=EntityKind.SENSOR if kind.unit else EntityKind.BINARY,
        quantity=kind.quantity,
        unit=kind.unit,
        max_age_s=max_age_s,
        critical=critical and kind.critical,
    )


Report = Callable[[str, Value, Quality, str], None]


class Happenings:
    """Hold what a camera has reported, entity by entity, and tell it each beat."""

    def __init__(self, expected: Iterable[str], tell: Report) -> None:
        self.uids = list(dict.fromkeys(expected))
        self._tell = tell
        self._said: dict[str, dict[str, tuple[bool | float, int, bool]]] = {}
        """Entity → who says it → value, when, whether it stands."""
        self._since_ns: int | None = None
        """Since when the reports are heard; None: they are not."""
        self._silence_ends = False
        self._lived_ns: deque[int] = deque(maxlen=2)
        """When the stream last beat: silence of one that does not tells nothing."""
        self._closed: tuple[Quality, str] = Quality.NOT_PRESENT, "camera.connecting"
        self.full = 0

    def opened(self, now_ns: int, *, silence_ends: bool) -> None:
        """Begin to hear reports; ``silence_ends``: what is not repeated has ended."""
        self._since_ns, self._silence_ends = now_ns, silence_ends
        self._said.clear()
        self._lived_ns.clear()

    def lives(self, now_ns: int) -> None:
        """Hear the stream's own beat: no report would have been held back."""
        self._lived_ns.append(now_ns)

    def closed(self, reason: str, *, heard: bool) -> None:
        """Hear no more: no value is left."""
        self._since_ns = None
        self._closed = Quality.FAULT if heard else Quality.NOT_PRESENT, reason
        self.beat(0)

    def take(self, told: Iterable[Told], now_ns: int) -> bool:
        """Note reports; True when there are new entities to be declared."""
        grown = False
        for each in told:
            if each.uid not in self.uids:
                if len(self.uids) >= MAX_ENTITIES:
                    self.full += 1
                    continue
                self.uids.append(each.uid)
                grown = True
            keys = self._said.setdefault(each.uid, {})
            if each.key not in keys and len(keys) >= MAX_KEYS:
                self.full += 1
                continue
            keys[each.key] = each.value, now_ns, each.held
        return grown

    def beat(self, now_ns: int) -> None:
        """Tell every entity's state, or that its reports are not heard."""
        for uid in self.uids:
            if self._since_ns is None:
                self._tell(uid, None, *self._closed)
            else:
                self._tell(uid, *self._state(uid, now_ns))

    def _state(self, uid: str, now_ns: int) -> tuple[Value, Quality, str]:
        said = self._said.get(uid, {})
        fresh = [
            value
            for value, at_ns, held in said.values()
            if held or now_ns - at_ns < ENDED_S * NS
        ]
        if KINDS[uid.partition(".")[0]].unit:
            if fresh:
                return max(float(v) for v in fresh), Quality.GOOD, ""
            return None, Quality.NOT_PRESENT, "camera.not_told"
        if any(fresh):
            return True, Quality.GOOD, ""
        active = [at_ns for value, at_ns, held in said.values() if value and not held]
        if self._silence_ends and not all(map(self._over, active)):
            return True, Quality.UNCERTAIN, "camera.not_ended"
        if said or (self._silence_ends and self._over(self._since_ns)):
            return False, Quality.GOOD, ""
        why = "camera.listening" if self._silence_ends else "camera.not_told"
        return None, Quality.NOT_PRESENT, why

    def _over(self, at_ns: int | None) -> bool:
        """Say whether the stream has lived on without a report for long enough.

        Two beats, for one alone may be late, as the report behind it is.
        """
        if at_ns is None or len(self._lived_ns) < 2:
            return False
        first, last = self._lived_ns
        return first > at_ns and last - at_ns >= ENDED_S * NS
