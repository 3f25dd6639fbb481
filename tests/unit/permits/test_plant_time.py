"""The hour at which a test is run changes nothing of what the site's clock shows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.plant_time import SiteDay, zones_of


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("minute", [0, 59])
def test_morning_and_midnight_come_at_any_hour(
    tmp_path: Path, hour: int, minute: int
) -> None:
    now = datetime(2026, 3, 1, hour, minute, 30, tzinfo=UTC)
    with zones_of(tmp_path):
        day = SiteDay(tmp_path, now)
        morning = now.astimezone(ZoneInfo(day.zone))
        assert (morning.hour, morning.date()) == (10, day.date)
        later = now + timedelta(minutes=7)
        at_ms = day.midnight_in(120, int(later.timestamp() * 1000))
        zone = ZoneInfo(day.zone)
        assert later.astimezone(zone).date() == day.from_now(-1)
        midnight = datetime.fromtimestamp(at_ms / 1000, zone)
        assert midnight.replace(tzinfo=None) == datetime.combine(
            day.date, datetime.min.time()
        )
        assert midnight - later == timedelta(seconds=120)
