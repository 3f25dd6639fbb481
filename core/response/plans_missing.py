"""Which alarms no emergency plan answers: a warning at publishing and on the page.

Not for the safety process, which starts what there is (1.27).
"""

from collections.abc import Iterable, Iterator

from core import config
from core.config import Step
from core.response.plans import answers

#: What the hub raises by itself and people must answer.
_OWN = ("sos", "fall", "evacuation.late", "fault.power")


def unanswered(bundle: config.Bundle) -> list[str]:
    """Return the kinds of grave alarms that lack a plan somewhere on the site."""
    zones: list[str | None] = [zone.id for zone in bundle.site.zones]
    return [
        kind
        for kind in dict.fromkeys(_kinds(bundle))
        if not all(answers(bundle.plans, kind, zone) for zone in zones or [None])
    ]


def _kinds(bundle: config.Bundle) -> Iterator[str]:
    yield from _OWN
    limits = [limit for quantity in bundle.quantities for limit in quantity.limits]
    for device in bundle.devices:
        limits += [limit for own in device.limits.values() for limit in own]
    for limit in limits:
        if limit.life_safety:
            yield limit.kind
    for rule in bundle.rules:
        yield from _raised(rule.steps)


def _raised(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        kind, priority = step.fields.get("kind"), step.fields.get("priority")
        if step.action == "alarm.raise" and priority == 1 and isinstance(kind, str):
            if not kind.startswith("fault."):
                yield kind
        for branch in (*step.branches, step.on_failure):
            yield from _raised(branch)
