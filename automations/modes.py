"""How much a rule may do, and where: off, shadow, advise, enforce.

A rule acts as its bundle armed it. Persons may let it do less for a time; for a
life-safety rule two of them must ask the same, and its zone shows that it is not
protected (design §5 Security).
"""

from collections import deque
from typing import Protocol

from automations.compiled import Compiled
from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.hub import CORE
from core.journal.envelope import Cause
from core.kernel import Kernel
from core.logic.acts import CallHook, CallRule, RestoreRuleMode, SetRuleMode
from core.logic.events import (
    RuleCalled,
    RuleHooked,
    RuleModeAsked,
    RuleModeRestored,
    RuleModeSet,
)
from core.logic.state import run_key

#: How long one person's wish waits for a second person's.
ASKED_S = 600.0
#: Calls of one hook in a minute, facts of one call, and characters of each.
HOOK_CALLS, HOOK_FACTS, HOOK_CHARS = 30, 16, 256
MODES = ("off", "shadow", "advise", "enforce")


class Armed(Protocol):
    """Where the modes find the armed rules, and tell of a change."""

    rules: dict[str, Compiled]

    def mode_changed(self, rule: Compiled, zone_id: str) -> None:
        """End the runs of the old mode; what stands is answered in the new one."""


class Modes:
    """Answer in which mode a rule acts; carry out the acts on modes."""

    def __init__(self, kernel: Kernel, armed: Armed) -> None:
        self._kernel, self._hub, self._armed = kernel, kernel.hub, armed
        kernel.access.bind(SetRuleMode, self._set)
        kernel.access.bind(RestoreRuleMode, self._restore)
        kernel.access.bind(CallRule, self._call)
        kernel.access.bind(CallHook, self._hook)
        self._hooked: dict[str, deque[int]] = {}
        """Hook → boot ns of its last calls: what comes faster is refused."""
        self._hub.undo(RuleModeSet, self._take_back)
        self._told: dict[tuple[str, str], str] = {}
        """(rule, zone) that were told to be unprotected → mode."""

    def of(self, rule: Compiled, zone_id: str | None) -> str:
        """Return the mode of a rule for a place; the narrower word goes first."""
        told = self._hub.state.runs.modes
        for key in (zone_id or "", "") if told else ():
            if (mode := told.get(run_key(rule.id, key))) is not None:
                return mode
        return rule.rule.zone_modes.get(zone_id or "", rule.rule.mode)

    # --- what is not protected ------------------------------------------------------

    def unprotected(self) -> dict[tuple[str, str], str]:
        """Return (rule, zone) → mode where a life-safety rule does not enforce."""
        found = {}
        told = bool(self._hub.state.runs.modes)
        for rule in self._armed.rules.values():
            weak = told or rule.rule.mode != "enforce" or rule.rule.zone_modes
            if not rule.vital or not weak:
                continue
            zones = rule.zones or {z.id for z in self._kernel.site.zones()} or {""}
            for zone in sorted(zones):
                mode = self.of(rule, zone)
                if mode != "enforce":
                    found[rule.id, zone] = mode
        return found

    def show(self) -> None:
        """Raise and clear 'not protected', one alarm a rule and zone."""
        found = self.unprotected()
        for (rule, zone), mode in found.items():
            if self._told.get((rule, zone)) != mode:
                self._kernel.alarms.raise_(
                    _source(zone),
                    f"unprotected.{rule}",
                    kind="fault.unprotected",
                    priority=2,
                    zone_id=zone or None,
                    params={"rule": rule, "mode": mode},
                )
        for rule, zone in self._told.keys() - found.keys():
            self._kernel.alarms.clear(_source(zone), f"unprotected.{rule}")
        self._told = found

    def recover(self) -> None:
        """Take over from the journal what was told to be unprotected."""
        for alarm in self._kernel.alarms.active(kind_prefix="fault.unprotected"):
            key = (str(alarm.params.get("rule")), alarm.zone_id or "")
            self._told[key] = str(alarm.params.get("mode"))

    # --- acts -----------------------------------------------------------------------

    def _existing(self, rule_id: str, zone_id: str) -> Compiled:
        rule = self._armed.rules.get(rule_id)
        if rule is None:
            raise Refused("rule.unknown", rule=rule_id)
        if zone_id and self._kernel.site.zone(zone_id) is None:
            raise Refused("site.zone_unknown", zone=zone_id)
        return rule

    def _set(
        self, actor: str, act: SetRuleMode, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        rule = self._existing(act.rule, act.zone_id)
        if act.mode not in MODES:
            raise Refused("rule.mode_unknown", mode=act.mode)
        if not act.reason.strip():
            raise Refused("act.reason_missing")
        persons: tuple[str, ...] = (actor,)
        if rule.vital and act.mode != "enforce":
            first = self._first(act)
            if first is None or first == actor:
                self._ask(actor, act, cause)
                return {"rule": act.rule, "waits": "second person"}
            persons = (first, actor)
        body = RuleModeSet(
            rule=act.rule,
            zone_id=act.zone_id,
            mode=act.mode,
            reason=act.reason,
            persons=persons,
        )
        self._hub.emit(body, cause)
        self._armed.mode_changed(rule, act.zone_id)
        self.show()
        return {"rule": act.rule, "mode": act.mode}

    def _first(self, act: SetRuleMode) -> str | None:
        """Return who asked for the same before, and in time."""
        asked = self._hub.state.runs.asked.get(run_key(act.rule, act.zone_id))
        if asked is None or asked.mode != act.mode:
            return None
        left = asked.until.remaining_ns(self._hub.clock)
        return asked.person_id if left is not None and left > 0 else None

    def _ask(self, actor: str, act: SetRuleMode, cause: Cause) -> None:
        body = RuleModeAsked(
            rule=act.rule,
            zone_id=act.zone_id,
            mode=act.mode,
            reason=act.reason,
            person_id=actor,
            until=Deadline.after(self._hub.clock, ASKED_S, protective=False),
        )
        self._hub.emit(body, cause)

    def _restore(
        self, actor: str, act: RestoreRuleMode, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        rule = self._existing(act.rule, act.zone_id)
        body = RuleModeRestored(rule=act.rule, zone_id=act.zone_id, person_id=actor)
        self._hub.emit(body, cause)
        self._armed.mode_changed(rule, act.zone_id)
        self.show()
        return {"rule": act.rule, "mode": self.of(rule, act.zone_id)}

    def _take_back(self, body: RuleModeSet) -> None:
        self._hub.emit(
            RuleModeRestored(rule=body.rule, zone_id=body.zone_id, why="not_durable"),
            CORE,
        )
        rule = self._armed.rules.get(body.rule)
        if rule is not None:
            self._armed.mode_changed(rule, body.zone_id)
        self.show()

    def _call(
        self, actor: str, act: CallRule, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        rule = self._existing(act.rule, act.zone_id)
        wanted = "drill" if act.drill else "manual"
        if not any(each.platform == wanted for each in rule.rule.triggers):
            raise Refused("rule.not_called", rule=act.rule, trigger=wanted)
        body = RuleCalled(
            rule=act.rule,
            zone_id=act.zone_id,
            person_id=actor,
            reason=act.reason,
            drill=act.drill,
        )
        self._hub.emit(body, cause)
        return {"rule": act.rule}

    def _hook(
        self, actor: str, act: CallHook, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        rules = [
            rule.id
            for rule in self._armed.rules.values()
            if any(
                each.platform == "webhook" and each.fields.get("hook") == act.hook
                for each in rule.rule.triggers
            )
        ]
        if not rules:
            raise Refused("rule.hook_unknown", hook=act.hook[:64])
        words = [*act.params, *map(str, act.params.values())]
        if len(act.params) > HOOK_FACTS or any(len(w) > HOOK_CHARS for w in words):
            raise Refused("rule.hook_too_much", most=HOOK_FACTS)
        now = self._hub.clock.mono_ns()
        calls = self._hooked.setdefault(act.hook, deque(maxlen=HOOK_CALLS))
        if len(calls) == HOOK_CALLS and now - calls[0] < 60 * NS:
            raise Refused("rule.hook_too_often", hook=act.hook, most=HOOK_CALLS)
        calls.append(now)
        body = RuleHooked(hook=act.hook, person_id=actor, params=act.params)
        self._hub.emit(body, cause)
        return {"hook": act.hook, "rules": ", ".join(rules)}


def _source(zone_id: str) -> str:
    return f"zone:{zone_id}" if zone_id else "hub:rules"
