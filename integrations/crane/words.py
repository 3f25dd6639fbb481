"""One vocabulary for lifting machines: what a rule can ask of any of them.

``crane_load`` is what the blueprint crane-load-limit goes by, ``wind`` and ``gust``
what permits of lifting go by; limits lie in blueprints/quantities/machines.yaml.
"""

from typing import Final, NamedTuple

from core.api import Entity, EntityKind


class Word(NamedTuple):
    """Say what an entity measures."""

    kind: EntityKind
    quantity: str
    unit: str
    name: str


def _sensor(quantity: str, unit: str, name: str) -> Word:
    return Word(EntityKind.SENSOR, quantity, unit, name)


WORDS: Final[dict[str, Word]] = {
    "load": _sensor("hook_load", "t", "吊重 Load"),
    "rated": _sensor("rated_load", "t", "额定起重量 Rated load"),
    "load_share": _sensor("crane_load", "%", "起重量百分比 Share of rated load"),
    "moment": _sensor("crane_moment", "%", "力矩百分比 Share of rated moment"),
    "radius": _sensor("crane_radius", "m", "幅度 Radius"),
    "height": _sensor("hook_height", "m", "吊钩高度 Hook height"),
    "rotation": _sensor("slew_angle", "°", "回转角 Slew angle"),
    "tilt": _sensor("crane_tilt", "°", "倾角 Tilt"),
    "speed": _sensor("hoist_speed", "m/s", "运行速度 Speed"),
    "wind": _sensor("wind", "m/s", "风速 Wind"),
    "gust": _sensor("gust", "m/s", "阵风 Gust"),
    "people": _sensor("people_in_cage", "", "笼内人数 People in the cage"),
    # 0 or 1: a number, so that a quantity's limit makes an alarm of it.
    "overload": _sensor("crane_overload", "", "超载 Overload"),
    "overspeed": _sensor("crane_overspeed", "", "超速 Overspeed"),
    "overtilt": _sensor("crane_overtilt", "", "倾斜超限 Over-tilted"),
    "battery_low": _sensor("machine_battery_low", "", "电池电压低 Battery low"),
    "at_work": Word(EntityKind.BINARY, "at_work", "", "作业中 At work"),
}


def entity(uid: str, max_age_s: float, unit: str = "") -> Entity:
    """Return the entity of a word; ``unit`` where a machine tells it in another."""
    word = WORDS[uid]
    return Entity(
        uid=uid,
        name=word.name,
        kind=word.kind,
        quantity=word.quantity,
        unit=unit or word.unit,
        max_age_s=max_age_s,
    )
