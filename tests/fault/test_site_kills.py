"""Kill -9 of every process of a whole site, the broker too, while alarms arrive."""

from pathlib import Path

import pytest

from integrations.mqtt.broker import find_mosquitto
from tests.fault.site_kills import Told, campaign

needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None, reason="mosquitto is not installed"
)


@needs_mosquitto
@pytest.mark.timeout(180)
async def test_kills_of_a_whole_site_lose_nothing(tmp_path: Path) -> None:
    """Issue: kill -9 of every process at random points while alarms arrive."""
    await campaign(tmp_path, seed=5, kills=8, told=Told(8, show=False))


@needs_mosquitto
@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [21, 22, 23, 24])
async def test_two_hundred_kills_of_a_whole_site(tmp_path: Path, seed: int) -> None:
    """Issue: at least 200 kills."""
    await campaign(tmp_path, seed, kills=50, told=Told(50, show=False))
