"""Refuse what is critical on a link that speaks too rarely to hold work by.

A driver's form may offer ``slow_of(options)``: beginnings of device uids → seconds
between two of their words. A radio that speaks each ten minutes tells of gas ten
minutes late, and its silence is noticed after thirty.
"""

import importlib
from collections.abc import Mapping

from core.api.documents import Document
from core.api.packages import packages
from core.api.said import Said
from core.config import Bundle, DeviceRule, IntegrationConfig


def check(document: Document, bundle: Bundle) -> None:
    """Judge every device rule; raises ConfigError with line, column and the mend."""
    slow: dict[str, Mapping[str, float]] = {}
    for each in bundle.integrations:
        slow[each.id] = _slow(each)
    for number, rule in enumerate(bundle.devices):
        if not rule.critical:
            continue
        for config in bundle.integrations:
            if rule.integration in (config.id, config.integration):
                every_s = _slowest(rule, slow[config.id])
                if every_s:
                    raise document.error(
                        ("devices", number, "critical"),
                        Said(
                            "{uid} speaks each {every_s:g} s only: too slow to hold "
                            "work by; take 'critical' away, or measure there by wire",
                            uid=rule.uid,
                            every_s=every_s,
                        ),
                    )


def _slow(config: IntegrationConfig) -> Mapping[str, float]:
    package = packages().get(config.integration)
    if package is None or not package.ours:
        return {}
    form = importlib.import_module(f"{package.module}.flow")
    slow_of = getattr(form, "slow_of", None)
    found: Mapping[str, float] = slow_of(config.options) if slow_of else {}
    return found


def _slowest(rule: DeviceRule, slow: Mapping[str, float]) -> float:
    """Return how rarely a rule's devices speak; 0 when they speak often enough."""
    uid = rule.uid.removesuffix("*")
    family = rule.uid.endswith("*")
    return max(
        (
            every_s
            for begins, every_s in slow.items()
            if uid.startswith(begins) or (family and begins.startswith(uid))
        ),
        default=0.0,
    )
