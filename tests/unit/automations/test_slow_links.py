"""What speaks too rarely holds no work: told when the site is published."""

from typing import Any

import pytest

from automations.slow_links import check
from core.api.documents import Document
from core.api.errors import ConfigError
from core.config import Bundle, DeviceRule, IntegrationConfig
from tests.support.yard import bundle

OPTIONS: dict[str, Any] = {
    "broker": "own",
    "maps": [
        {"use": "chirpstack", "only": {"2": "a840*"}, "interval_s": 600},
        "helmet",
    ],
}


def site(uid: str, *critical: str, interval_s: float = 600) -> Bundle:
    maps = [{**OPTIONS["maps"][0], "interval_s": interval_s}, "helmet"]
    made = bundle()
    return Bundle(
        site=made.site,
        integrations=(
            IntegrationConfig(
                id="broker", integration="mqtt", options={**OPTIONS, "maps": maps}
            ),
        ),
        devices=(DeviceRule(integration="broker", uid=uid, critical=critical),),
    )


def judge(made: Bundle) -> None:
    check(Document("devices.yaml", {}, {}), made)


@pytest.mark.parametrize(
    "uid", ["lora-a84041000181c061", "lora-*", "lora-a840*", "lora-a84041*"]
)
def test_a_slow_link_is_refused_as_critical_with_the_mend(uid: str) -> None:
    """Requirement: LoRa is too slow to hold work by, and publishing says so."""
    with pytest.raises(ConfigError, match=r"speaks each 600 s only.*by wire"):
        judge(site(uid, "*"))


@pytest.mark.parametrize(
    ("uid", "critical", "interval_s"),
    [
        ("lora-a84041000181c061", (), 600),
        ("lora-0016c001f153a14c", ("co",), 600),
        ("helmet-h01", ("wear",), 600),
        ("lora-a84041000181c061", ("co",), 30),
    ],
)
def test_what_is_quick_enough_or_not_critical_passes(
    uid: str, critical: tuple[str, ...], interval_s: float
) -> None:
    judge(site(uid, *critical, interval_s=interval_s))
