"""What the selectors of the armed rules find, and what they lack: told, versioned."""

import hashlib
from collections.abc import Iterable

from automations.compiled import Compiled
from automations.level import UNKNOWN_S
from automations.selecting import Lacking
from core.clock import NS
from core.kernel import Kernel
from core.logic.events import RuleSelected
from core.logic.state import run_key

#: Entities that one event names; the version speaks for all of them.
_NAMED = 200


class Selectors:
    """Tell what a selector does not find, and each other version of what it does."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._hub = kernel, kernel.hub
        self._lacking: dict[tuple[str, int], tuple[int, list[Lacking]]] = {}
        self._settled_ns = 0

    def arm(self) -> None:
        """Forget what the last bundle's selectors lacked."""
        self._lacking.clear()

    def recover(self) -> None:
        """Give hosts a moment to announce their devices."""
        self._settled_ns = self._hub.clock.mono_ns() + int(UNKNOWN_S * NS)

    def finds(self, rule: Compiled, index: int, entities: Iterable[str]) -> None:
        """Write down what a trigger's selector finds, when it is not as before."""
        ids = sorted(entities)
        version = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
        trigger = f"triggers/{index}"
        known = self._hub.state.runs.selected.get(run_key(rule.id, trigger))
        if known != version:
            body = RuleSelected(
                rule=rule.id,
                trigger=trigger,
                version=version,
                entities=tuple(ids[:_NAMED]),
            )
            self._hub.emit(body)

    def lacks(self, rule: Compiled, index: int, lacking: list[Lacking]) -> None:
        """Remember what a selector does not find; it is told unless it comes soon."""
        key = (rule.id, index)
        before = self._lacking.pop(key, None)
        gone = {e.zone_id for e in before[1]} if before else set()
        for zone in gone - {each.zone_id for each in lacking}:
            self._kernel.alarms.clear(f"rule:{rule.id}", _selector(index, zone))
        if lacking:
            since = before[0] if before else self._hub.clock.mono_ns()
            self._lacking[key] = (since, lacking)

    def tick(self) -> None:
        """Raise an alarm for what is still lacking."""
        now = self._hub.clock.mono_ns()
        for (rule_id, index), (since, lacking) in self._lacking.items():
            if now < max(self._settled_ns, since):
                continue
            for each in lacking:
                self._kernel.alarms.raise_(
                    f"rule:{rule_id}",
                    _selector(index, each.zone_id),
                    kind="fault.selector",
                    priority=2,
                    zone_id=each.zone_id,
                    params={"rule": rule_id, "trigger": index, "why": each.why},
                )


def _selector(index: int, zone_id: str | None) -> str:
    return f"selector.{index}.{zone_id or ''}"
