"""`safehold key` against a real hub, and the configuration of places."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from automations.compile_site import compile_folder
from core import config
from core.api.errors import ConfigError
from tests.support.site import ROOT, RunningHub, small_site

SITE = """
site: {id: s, names: S, geo: {lat: 31.2, lon: 121.5, bearing: 90}}
levels:
  - {id: ground, names: 地面}
zones:
  - id: tank
    names: 罐
    level: ground
    polygon: [[0, 0], [4, 0], [4, 4]]
    places: {methods: [nfc, qr], nfc: [04a1]}
"""


async def run(data: Path, *args: str) -> tuple[int, str, str]:
    """Run the command; return its status and what it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "core.cli", "key", *args, "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=50,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def test_at_the_hub_itself(tmp_path: Path) -> None:
    officer = config.Person(id="sam", name="Sam", roles=("safety_officer",))
    site = msgspec.structs.replace(small_site(), people=(officer,))
    data = tmp_path / "data"
    async with RunningHub(data, site):
        assert await run(data, "list") == (0, "", "")
        status, _, err = await run(data, "approve", "k1", "--by", "sam")
        assert (status, "There is no key k1" in err) == (1, True)
        status, _, err = await run(data, "revoke", "k1")
        assert (status, "--by" in err) == (2, True)
    status, _, err = await run(data, "list")
    assert (status, "no hub runs here" in err) == (2, True)


def compiled(folder: Path, text: str) -> config.Bundle:
    (folder / "site.yaml").write_text(text, "utf-8")
    return compile_folder(folder)


def test_a_zone_says_how_people_are_found_there(tmp_path: Path) -> None:
    site = compiled(tmp_path, SITE).site
    assert site.geo == config.Geo(lat=31.2, lon=121.5, bearing_deg=90)
    places = config.ZonePlaces(methods=("nfc", "qr"), nfc=("04a1",))
    assert site.zones[0].places == places
    assert config.ZonePlaces().methods == ("uwb", "gate")


@pytest.mark.parametrize(
    ("old", "new"),
    [("[nfc, qr]", "[smell]"), ("lat: 31.2", "lat: 131"), ("nfc: [04a1]", "tag: [x]")],
)
def test_what_is_no_method_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(ConfigError, match=r"site\.yaml"):
        compiled(tmp_path, SITE.replace(old, new))
