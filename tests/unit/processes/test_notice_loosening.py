"""What a new bundle takes from the ways by which people are told (design §5)."""

from typing import Any

import msgspec
import pytest

from core.config import EMPTY, Names
from core.processes.loosening import loosens
from core.response.notices_config import Modem, NoticeChannel, NoticePolicy

TEAM = NoticeChannel(id="team", names=Names(zh="群", en="Team"))
FULL = NoticePolicy(
    channels=(TEAM,), modem=Modem(port="/dev/ttyUSB2"), may_wait=("card.",)
)


@pytest.mark.parametrize(
    ("change", "looser"),
    [
        ({"may_wait": ("card.", "notice.rule.x")}, True),
        ({"may_wait": ()}, False),
        ({"channels": ()}, True),
        ({"modem": None}, True),
        ({"modem": Modem(port="/dev/ttyUSB3")}, False),
        ({"quiet": ((0, 60),), "link": "https://hub:1"}, False),
    ],
)
def test_fewer_ways_are_looser(change: dict[str, Any], looser: bool) -> None:
    old = msgspec.structs.replace(EMPTY, notices=FULL)
    policy = msgspec.structs.replace(FULL, **change)
    new = msgspec.structs.replace(EMPTY, notices=policy)
    found = [each.path for each in loosens(old, new)]
    assert found == ([f"notices.{next(iter(change))}"] if looser else [])
