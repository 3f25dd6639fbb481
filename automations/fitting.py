"""Does a rule fit this hub: the devices that it looks at, the outputs it has (R10).

Asked before a draft is sent to review, with the registry as it is: what a selector
does not find there is told before it is armed, not after.
"""

from collections.abc import Iterator

from automations.compiled import compile_rule
from automations.page_words import TRIGGERS
from automations.selecting import Catalogue, Members, words
from core.api.model import OutputKind
from core.config import Rule, Step, Trigger
from core.kernel import Kernel
from core.processes.drafts import Looks

#: Triggers that look at devices by their part.
_BY_PART = ("reading", "state")


def looks(kernel: Kernel, rule: Rule) -> list[Looks]:
    """Return what each trigger and command of a rule finds on the hub, by zone."""
    compile_rule(rule)  # a rule that cannot be made ready looks at nothing
    catalogue = Catalogue(kernel)
    found: list[Looks] = []
    for trigger in rule.triggers:
        if trigger.platform in _BY_PART and trigger.fields.get("of"):
            found += _looks(kernel, trigger, catalogue)
    zones = _zones(kernel, rule)
    for step in _commands(rule.steps):
        found += _serves(kernel, step, zones)
    return found


def _looks(kernel: Kernel, trigger: Trigger, catalogue: Catalogue) -> Iterator[Looks]:
    members = Members(kernel, trigger)
    lacking = {each.zone_id for each in members.resolve(catalogue)}
    of = ", ".join(words(trigger, "of"))
    zh = f"{TRIGGERS['zh'][trigger.platform]}（{of}）"
    en = f"{TRIGGERS['en'][trigger.platform]} ({of})"
    if None in lacking:
        yield Looks("", zh, en)
        return
    for subject, entities in sorted(members.subjects().items()):
        zone = subject.removeprefix("zone:") if subject.startswith("zone:") else ""
        names = sorted({_device(kernel, each.device_id) for each in entities})
        yield Looks(zone, zh, en, () if zone in lacking else tuple(names))


def _zones(kernel: Kernel, rule: Rule) -> list[str]:
    named = {zone for trigger in rule.triggers for zone in words(trigger, "zone")}
    known = [zone.id for zone in kernel.site.zones()]
    return known if not named or "all" in named else [z for z in known if z in named]


def _commands(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        if step.action == "command" and step.fields.get("if_none") != "skip":
            yield step
        for branch in (*step.branches, step.on_failure):
            yield from _commands(branch)


def _serves(kernel: Kernel, step: Step, zones: list[str]) -> Iterator[Looks]:
    kind = OutputKind(str(step.fields["output"]))
    here = "zone" not in step.fields or "subject" in words_of(step, "zone")
    for zone in zones if here else words_of(step, "zone"):
        found = kernel.registry.outputs(zone, kind)
        names = tuple(sorted({_device(kernel, each.device_id) for each in found}))
        yield Looks(zone, f"输出（{kind.value}）", f"output ({kind.value})", names)


def words_of(step: Step, key: str) -> tuple[str, ...]:
    """Return the words of a step's field; a field that is not there has none."""
    value = step.fields.get(key, ())
    return tuple(value) if isinstance(value, tuple | list) else (str(value),)


def _device(kernel: Kernel, device_id: str) -> str:
    device = kernel.registry.device(device_id)
    return device.name if device is not None else device_id
