"""The site's own time of day: chosen by its time zone, whatever the hour of the test.

A zone is a file of the machine. One is written whose midnight comes when the test
needs it; the hub's clock then runs into it by itself.
"""

import os
import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

_HOUR_S = 3600
#: There it is morning when the test begins, on any day.
_MORNING_H = 10
_OWN = "Plant"


class SiteDay:
    """Say which day it is at the site, and by which zone."""

    def __init__(self, zones: Path, now: datetime | None = None) -> None:
        """Begin at about ten in the morning of a holiday."""
        now = now or datetime.now(UTC)
        east = _MORNING_H - now.hour
        east += 24 if east < -11 else 0
        self.zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
        self.date: date = (now + timedelta(hours=east)).date()
        self.holiday = True
        self._zones = zones

    def from_now(self, days: int) -> date:
        """Return a day so many days from this one."""
        return self.date + timedelta(days=days)

    def midnight_in(self, seconds: float, now_ms: int) -> int:
        """Move the site to where this day begins soon; return when, in wall ms.

        It is the evening of the day before there.
        """
        begins = datetime.combine(self.date, datetime.min.time(), UTC).timestamp()
        east = round(begins - seconds - now_ms / 1000)
        assert abs(east) < 24 * _HOUR_S
        self.zone = f"{_OWN}/E{east}"
        file = self._zones / self.zone
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_tzif(east))
        return round((begins - east) * 1000)


def _tzif(east: int) -> bytes:
    """Return a zone file (RFC 9636) of one offset, in seconds east of Greenwich."""
    head = b"TZif" + bytes(16)
    counts = struct.pack(">6L", 0, 0, 0, 0, 1, 4)
    return head + counts + struct.pack(">lBB", east, 0, 0) + b"LMT\0"


@contextmanager
def zones_of(folder: Path) -> Iterator[None]:
    """Let this process, and all that it starts, know the zones of a folder too."""
    with pytest.MonkeyPatch.context() as patch:
        path = os.pathsep.join([str(folder), *zoneinfo.TZPATH])
        patch.setenv("PYTHONTZPATH", path)
        zoneinfo.reset_tzpath()
        try:
            yield
        finally:
            patch.undo()
            zoneinfo.reset_tzpath()
