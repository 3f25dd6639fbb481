"""The rule engine: state machines keyed by (rule, subject), inside the kernel.

Every decision is an event, so a run survives a restart at any point: what is
recorded is not done again, what is not recorded is done now (R6, R7, R26).
"""

from collections.abc import Callable

from automations.compiled import Compiled, compile_rule
from automations.runs import Runs
from automations.scope import Scope, depending
from core.alarms.events import AlarmRaised, AlarmRepeated, AlarmUnshelved
from core.alarms.state import AlarmRecord
from core.api.reading import Value
from core.clock import NS
from core.config import Rule
from core.hub import CORE, Hub
from core.journal.envelope import Envelope
from core.kernel import Kernel
from core.logic.events import (
    RuleSkipped,
)
from core.logic.truth import Truth
from core.permits.events import PermitHeld
from core.registry.events import DeviceReported

#: Zones whose detectors are missing for longer act by the rule's on_unknown.
UNKNOWN_S = 30.0

Params = dict[str, Value]


def make(kernel: Kernel) -> "Engine":
    """Return the engine; the safety process calls this by name."""
    return Engine(kernel)


class Engine:
    """Run the armed rules."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.hub: Hub = kernel.hub
        self.rules: dict[str, Compiled] = {}
        self._near: dict[str, list[Compiled]] = {}
        """Rules by the zones that they name, so that an alarm costs what it must."""
        self._everywhere: list[Compiled] = []
        self.runs = Runs(kernel, self.guard)
        self._skipped: set[tuple[str, str, str]] = set()
        """(rule, alarm, why) that were told; forgotten with the alarm."""
        self._unknown_since: dict[tuple[str, str], int] = {}
        # No evidence ends what a rule says of itself: a person may.
        kernel.alarms.judges["rule"] = lambda _source, _condition: False
        hub = self.hub
        hub.on(AlarmRaised, self._alarm_event)
        hub.on(AlarmRepeated, self._alarm_event)
        hub.on(AlarmUnshelved, self._unshelved)
        hub.on(DeviceReported, self._device_event)
        hub.on(PermitHeld, self._permit_event)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Compile the bundle's rules; a rule that fails leaves the others (R9)."""
        armed: dict[str, Compiled] = {}
        for rule in self.hub.bundle.rules:
            if rule.mode != "off":
                self.guard(rule.id, self._arm, rule, armed)
        self.rules = self.runs.rules = armed
        self._skipped.clear()
        self._near.clear()
        self._everywhere.clear()
        for each in armed.values():
            for zone in each.zones:
                self._near.setdefault(zone, []).append(each)
            if not each.zones:
                self._everywhere.append(each)

    def _looking(self, zone: str | None) -> list[Compiled]:
        """Return the rules that look at a zone."""
        return self._near.get(zone or "", []) + self._everywhere

    def _arm(self, rule: Rule, armed: dict[str, Compiled]) -> None:
        armed[rule.id] = compile_rule(rule)

    def recover(self, clean: bool) -> None:
        """Go on with every open run exactly where the journal left it (R7)."""
        now = self.hub.clock.mono_ns()
        for alarm in self.kernel.alarms.active(kind_prefix="fault.unknown"):
            rule_id = alarm.source.removeprefix("rule:")
            if alarm.zone_id is not None:
                self._unknown_since[rule_id, alarm.zone_id] = now
        for run in self.runs.all():
            self.guard(run.rule, self.runs.resume, run)

    def tick(self) -> None:
        """Look at levels again: hazards without a run, unknown zones, ended runs."""
        for record in self.kernel.alarms.active():
            for rule in self._looking(record.zone_id):
                self.guard(rule.id, self._level, rule, record)
        for zone in self.kernel.readings.unmonitored() | self._blind_zones():
            for rule in self._looking(zone):
                if rule.watches_gas:
                    self.guard(rule.id, self._unknown_zone, rule, zone)
        for run in self.runs.all():
            self.guard(run.rule, self.runs.advance, run)
        known = self.hub.state.alarms.open
        self._skipped = {each for each in self._skipped if each[1] in known}

    def armed(self) -> dict[str, str]:
        """Return the hashes of the armed rules, for the check of R8."""
        return {rule.id: rule.rule.hash for rule in self.rules.values()}

    def guard(self, rule_id: str, work: Callable[..., object], *args: object) -> None:
        """Do work for a rule; an error is an alarm with the rule's id (§5 Rules)."""
        try:
            work(*args)
        except Exception as bad:  # noqa: BLE001  a rule must never end the process
            self.kernel.alarms.raise_(
                f"rule:{rule_id}",
                "error",
                kind="fault.rule",
                priority=2,
                params={"rule": rule_id, "error": f"{type(bad).__name__}: {bad}"[:300]},
            )

    # --- triggers ---------------------------------------------------------------

    def _unshelved(self, body: AlarmUnshelved, envelope: Envelope) -> None:
        record = self.hub.state.alarms.open.get(body.alarm_id)
        if record is not None and record.active:
            self._alarm_event(body, envelope)

    def _alarm_event(
        self, body: AlarmRaised | AlarmRepeated | AlarmUnshelved, _: Envelope
    ) -> None:
        record = self.hub.state.alarms.open.get(body.alarm_id)
        if record is not None:
            for rule in self._looking(record.zone_id):
                self.guard(rule.id, self._alarm, rule, record)

    def _alarm(self, rule: Compiled, record: AlarmRecord) -> None:
        index = rule.matching_alarm(record)
        if index is None:
            return
        if record.shelf is not None or record.out_of_service:
            self._skip(rule, record.id, index, "shelved", {"alarm_id": record.id})
            return
        params: Params = {
            "trigger_kind": record.kind,
            "trigger_priority": record.priority,
            "trigger_value": record.params.get("value"),
            "alarm_id": record.id,
            "source": record.source,
        }
        params |= {k: v for k, v in record.params.items() if k not in params}
        subject = rule.subject(index, record.zone_id, record.source)
        self.fire(rule, index, subject, params, mark=record.mark, parent=record.id)

    def _device_event(self, body: DeviceReported, envelope: Envelope) -> None:
        device = self.hub.state.registry.devices.get(body.device_id)
        zone = device.zone_id if device else None
        self._event(
            "device",
            body.kind,
            zone,
            f"device:{body.device_id}",
            dict(body.params),
            envelope,
        )

    def _permit_event(self, body: PermitHeld, envelope: Envelope) -> None:
        permit = self.hub.state.permits.permits.get(body.permit_id)
        zone = permit.zone_id if permit else None
        params: Params = {"permit_id": body.permit_id, "code": body.hold.code}
        self._event(
            "permit", "held", zone, f"permit:{body.permit_id}", params, envelope
        )

    def _event(
        self,
        platform: str,
        kind: str,
        zone: str | None,
        source: str,
        params: Params,
        envelope: Envelope,
    ) -> None:
        for rule in self._looking(zone):
            index = rule.matching_event(platform, kind, zone)
            if index is not None:
                facts: Params = {**params, "trigger_kind": kind, "source": source}
                subject = rule.subject(index, zone, source)
                self.guard(
                    rule.id, self.fire, rule, index, subject, facts, "", envelope.id
                )

    def fire(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        params: Params,
        mark: str = "",
        parent: str = "",
    ) -> None:
        """Start a run for the subject, or join the one that is open (R6)."""
        trigger = f"triggers/{index}"
        run = self.runs.of(rule.id, subject)
        if run is not None and self.runs.join(rule, run, trigger, params):
            return
        truth = rule.condition(Scope(self.kernel, rule, subject, params, None))
        if truth is Truth.UNKNOWN:
            truth = self._on_unknown(rule, subject)
        if truth is not Truth.TRUE:
            key = str(params.get("alarm_id", ""))
            self._skip(rule, key, index, "condition", params)
            return
        self.runs.start(rule, subject, trigger, params, mark, parent)

    def _skip(
        self, rule: Compiled, key: str, index: int, why: str, params: Params
    ) -> None:
        if (rule.id, key, why) in self._skipped:
            return
        if key:
            self._skipped.add((rule.id, key, why))
        self.hub.emit(
            RuleSkipped(
                rule=rule.id,
                subject="",
                trigger=f"triggers/{index}",
                why=why,
                params=params,
            )
        )

    # --- levels -----------------------------------------------------------------

    def _level(self, rule: Compiled, record: AlarmRecord) -> None:
        index = rule.matching_alarm(record)
        if index is None:
            return
        subject = rule.subject(index, record.zone_id, record.source)
        run = self.runs.of(rule.id, subject)
        if run is None or f"{record.kind} {record.source}" not in run.seen:
            self._alarm(rule, record)

    def _blind_zones(self) -> set[str]:
        return {zone for _, zone in self._unknown_since}

    def _unknown_zone(self, rule: Compiled, zone: str) -> None:
        """Act on a zone whose detectors stay missing; take note when they return."""
        key = (rule.id, zone)
        if zone not in self.kernel.readings.unmonitored():
            if self._unknown_since.pop(key, None) is not None:
                self.kernel.alarms.clear(f"rule:{rule.id}", f"unknown.{zone}")
            return
        now = self.hub.clock.mono_ns()
        if now - self._unknown_since.setdefault(key, now) >= UNKNOWN_S * NS:
            if self._on_unknown(rule, f"zone:{zone}") is Truth.TRUE:
                self.fire(rule, 0, f"zone:{zone}", {"trigger_kind": "unknown"})

    def _on_unknown(self, rule: Compiled, subject: str) -> Truth:
        """Do what the rule declares for UNKNOWN; never nothing (§5 Truth)."""
        zone = subject.removeprefix("zone:") if subject.startswith("zone:") else None
        if rule.rule.on_unknown == "fire":
            return Truth.TRUE
        self.kernel.alarms.raise_(
            f"rule:{rule.id}",
            f"unknown.{zone or subject}",
            kind="fault.unknown",
            priority=2,
            zone_id=zone,
            params={"rule": rule.id},
        )
        if rule.rule.on_unknown == "hold":
            for permit_id in depending(self.kernel, subject):
                self.kernel.permits.hold(
                    permit_id, "unknown", source=f"rule:{rule.id}", cause=CORE
                )
        return Truth.FALSE
