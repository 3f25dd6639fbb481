"""The parts of a test's site that need no kernel: its plan, roster and channels."""

from collections.abc import Iterable
from typing import Any

from automations.schema_words import minute
from core import config
from core.config import Names
from core.response.notices_config import NoticeChannel, NoticePolicy, Shift


def place(zones: dict[str, Any], *, north: bool) -> config.Site:
    """Return a plan of zones in a row, from west to east."""
    return config.Site(
        id="test",
        geo=config.Geo(lat=31.2, lon=121.5) if north else None,
        names=same("test"),
        levels=(config.Level(id="ground", names=same("ground")),),
        zones=tuple(
            config.Zone(
                id=zone,
                names=same(zone),
                level="ground",
                polygon=_square(100.0 * number_),
                hazard=(spec or {}).get("hazard", "general"),
                neighbours=tuple((spec or {}).get("neighbours", ())),
                upstream=tuple((spec or {}).get("upstream", ())),
            )
            for number_, (zone, spec) in enumerate(zones.items())
        ),
    )


def roster(shifts: dict[str, Any]) -> tuple[Shift, ...]:
    """Return the site's shifts, with nobody in their lists."""
    return tuple(
        Shift(
            id=name,
            names=same(name),
            span=(minute(spec["from"]), minute(spec["to"])),
            people=(),
        )
        for name, spec in shifts.items()
    )


def channels(ids: Iterable[str]) -> NoticePolicy:
    """Return a policy with group channels of these names."""
    return NoticePolicy(
        channels=tuple(NoticeChannel(id=each, names=same(each)) for each in ids)
    )


def _square(x: float) -> tuple[tuple[float, float], ...]:
    return ((x, 0.0), (x + 90.0, 0.0), (x + 90.0, 90.0), (x, 90.0))


def same(text: str) -> Names:
    """Return a name that is the same in both languages."""
    return Names(zh=text, en=text)
