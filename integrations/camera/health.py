"""What a camera's pictures are worth, as readings; pure functions of a verdict."""

from typing import NamedTuple

from core.api import Entity, EntityKind, Quality, Value
from integrations.camera.judge import Verdict

Read = tuple[Value, Quality, str]


class Point(NamedTuple):
    """Name one entity that is made from pictures."""

    uid: str
    quantity: str
    en: str
    zh: str
    unit: str = ""


POINTS = (
    # ON: it does not see. What stands behind it says why.
    Point("health", "camera_blind", "Blind", "看不见"),
    Point("health.frozen", "camera_frozen", "Picture frozen", "画面静止"),
    Point("health.black", "camera_black", "Picture black or covered", "画面黑屏或遮挡"),
    Point("health.moved", "camera_moved", "View has changed", "视角偏移"),
    Point("health.lost", "camera_lost", "No picture", "画面丢失"),
    Point("brightness", "brightness", "Brightness", "画面亮度", "%"),
    Point("shift", "camera_shift", "View is off by", "视角偏移量", "%"),
    Point("rate", "picture_rate", "Pictures per second", "每秒帧数", "Hz"),
)


def entities(language: str, max_age_s: float, *, critical: bool) -> tuple[Entity, ...]:
    """Return the declarations; only ``health`` itself may be critical."""
    return tuple(
        Entity(
            uid=each.uid,
            name=each.zh if language == "zh" else each.en,
            kind=EntityKind.SENSOR if each.unit else EntityKind.BINARY,
            quantity=each.quantity,
            unit=each.unit,
            max_age_s=max_age_s,
            critical=critical and each.uid == "health",
        )
        for each in POINTS
    )


def seen(verdict: Verdict, rate: float, *, proven: bool) -> dict[str, Read]:
    """Return every reading while pictures come.

    ``proven``: somebody has said what the view is to be; else a camera that was
    turned while nobody looked cannot be known from one that was not.
    """
    why = blind(verdict)
    found: dict[str, Read] = {
        "health": _health(verdict, why),
        "health.frozen": _known(verdict.frozen),
        "health.black": _known(verdict.black),
        "health.lost": (False, Quality.GOOD, ""),
        "rate": (round(rate, 2), Quality.GOOD, ""),
    }
    moved = _known(verdict.moved, "camera.view_unknown")
    if verdict.moved is False and not proven:
        moved = False, Quality.UNCERTAIN, "camera.view_unproven"
    found["health.moved"] = moved
    now = verdict.frozen is False
    found["brightness"] = (
        (verdict.brightness, Quality.GOOD, "")
        if now
        else (None, Quality.FAULT, why or "camera.judging")
    )
    shift = verdict.shift if now else None
    found["shift"] = (
        (None, Quality.NOT_PRESENT, why or "camera.view_unknown")
        if shift is None
        else (round(shift, 1), Quality.GOOD if proven else Quality.UNCERTAIN, "")
    )
    return found


def gone(reason: str, *, heard: bool) -> dict[str, Read]:
    """Return every reading while no picture comes; none has a value but the loss."""
    quality = Quality.FAULT if heard else Quality.NOT_PRESENT
    found: dict[str, Read] = {each.uid: (None, quality, reason) for each in POINTS}
    found["health.lost"] = True, Quality.GOOD, reason
    return found


def blind(verdict: Verdict) -> str:
    """Return why a camera does not see, as a code; '' when nothing says so."""
    if verdict.black:
        return "camera.black"
    if verdict.frozen:
        return "camera.frozen"
    if verdict.moved:
        return "camera.moved"
    return ""


def _health(verdict: Verdict, why: str) -> Read:
    if why:
        # A fault, not a measurement: its alarm and the zone's state come of that.
        return True, Quality.FAULT, why
    if verdict.frozen is None or verdict.black is None:
        return None, Quality.UNCERTAIN, "camera.judging"
    return False, Quality.GOOD, ""


def _known(value: bool | None, why: str = "camera.judging") -> Read:
    if value is None:
        return None, Quality.UNCERTAIN, why
    return value, Quality.GOOD, ""
