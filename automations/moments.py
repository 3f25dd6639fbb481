"""Moments that start rules: reports, permits, commands, comings and goings, time."""

from collections.abc import Callable, Iterable
from typing import Protocol

from automations import clockwork
from automations.compiled import Compiled
from automations.selecting import words
from automations.watch_people import Who, is_kind
from automations.watching import Params
from core.clock import NS
from core.config import Trigger
from core.journal.envelope import Envelope
from core.journal.events import EVENTS, Event
from core.kernel import Kernel
from core.logic.events import RuleCalled, RuleHooked
from core.logic.state import run_key
from core.people.events import OUTSIDE, PersonMoved
from core.registry.events import DeviceReported
from core.response.events import CommandMoved

#: A clock that nobody trusts for longer lets timed rules do what they declare.
UNTRUSTED_S = 60.0


class Happening(Protocol):
    """What the engine does for a moment."""

    rules: dict[str, Compiled]

    def guard(self, rule_id: str, work: Callable[..., object], *args: object) -> None:
        """Do work for a rule; an error is an alarm with the rule's id."""

    def looking(self, zone: str | None) -> list[Compiled]:
        """Return the rules that look at a zone."""

    def happened(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        params: Params,
        *,
        mark: str = "",
        parent: str = "",
    ) -> None:
        """Start or join a run for a moment."""

    def level_unknown(
        self, rule: Compiled, index: int, subject: str, params: Params
    ) -> None:
        """Do what on_unknown declares."""

    def level_known(self, rule: Compiled, index: int, subject: str) -> None:
        """Hear that it can be judged again."""


class Moments:
    """Listen for moments and tell the engine which rules they start."""

    def __init__(self, kernel: Kernel, engine: Happening) -> None:
        self._kernel, self._hub, self._engine = kernel, kernel.hub, engine
        self._last_zone: dict[str, str | None] = {}
        self._looked_ns: int | None = None
        self._untrusted_ns: int | None = None
        hub = self._hub
        hub.on(DeviceReported, self._reported)
        hub.on(CommandMoved, self._commanded)
        hub.on(PersonMoved, self._moved)
        hub.on(RuleCalled, self._called)
        hub.on(RuleHooked, self._hooked)
        for name, kind in EVENTS.items():
            if name.startswith("permit."):
                hub.on(kind, self._permit)

    def recover(self) -> None:
        """Take people where they are: being in is no coming in (R1)."""
        presence = self._hub.state.people.presence
        self._last_zone = {
            person: where.zone_id or where.last_zone_id
            for person, where in presence.items()
        }
        self._looked_ns = None

    # --- reports, permits, commands -------------------------------------------------

    def _start(
        self,
        platform: str,
        kind: str,
        zone: str | None,
        source: str,
        params: Params,
        envelope: Envelope,
        *,
        fits: Callable[[Trigger], bool] = lambda _: True,
    ) -> None:
        for rule in self._engine.looking(zone):
            index = rule.matching_event(platform, kind, zone, fits)
            if index is None:
                continue
            facts: Params = {**params, "trigger_kind": kind, "source": source}
            subject = rule.subject(index, zone, source)
            self._engine.guard(
                rule.id, self._happened, rule, index, subject, facts, envelope
            )

    def _happened(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        facts: Params,
        envelope: Envelope,
    ) -> None:
        mark = "DRILL" if envelope.cause.drill else ""
        self._engine.happened(
            rule, index, subject, facts, mark=mark, parent=envelope.id
        )

    def _reported(self, body: DeviceReported, envelope: Envelope) -> None:
        device = self._hub.state.registry.devices.get(body.device_id)
        zone = device.zone_id if device else None
        source = f"device:{body.device_id}"
        self._start("device", body.kind, zone, source, dict(body.params), envelope)

    def _permit(self, body: Event, envelope: Envelope) -> None:
        number = str(getattr(body, "permit_id", ""))
        if not number:
            return
        permit = self._hub.state.permits.permits.get(number)
        params: Params = {"permit_id": number, "permit": number}
        hold = getattr(body, "hold", None)
        if hold is not None:
            params["code"] = hold.code
        if permit is not None:
            params["kind"] = permit.kind

        def fits(trigger: Trigger) -> bool:
            kinds = words(trigger, "kind")
            return not kinds or (
                permit is not None and is_kind(self._kernel, permit, kinds)
            )

        self._start(
            "permit",
            body.name_.removeprefix("permit."),
            permit.zone_id if permit else None,
            f"permit:{number}",
            params,
            envelope,
            fits=fits,
        )

    def _commanded(self, body: CommandMoved, envelope: Envelope) -> None:
        record = self._kernel.commands.last(body.command_id)
        entity = self._kernel.registry.entity(record.entity_id) if record else None
        device = self._kernel.registry.device(entity.device_id) if entity else None
        output = entity.declared.output if entity else None
        if record is None or entity is None or output is None:
            return
        kind = str(output.kind)

        def fits(trigger: Trigger) -> bool:
            kinds = words(trigger, "output")
            return not kinds or kind in kinds

        self._start(
            "command",
            body.state,
            device.zone_id if device else None,
            f"device:{entity.device_id}",
            {"output": kind, "name": entity.declared.name, "detail": body.detail},
            envelope,
            fits=fits,
        )

    # --- people ---------------------------------------------------------------------

    def _moved(self, body: PersonMoved, envelope: Envelope) -> None:
        """Tell of coming and going; a fix that is lost is neither."""
        before = self._last_zone.get(body.person_id)
        if body.zone_id is None or body.zone_id == before:
            return
        self._last_zone[body.person_id] = body.zone_id
        for event, zone in (("leave", before), ("enter", body.zone_id)):
            if zone is None or zone == OUTSIDE:
                continue
            self._start(
                "presence",
                event,
                zone,
                f"person:{body.person_id}",
                {"person": body.person_id, "zone": zone},
                envelope,
                fits=self._meant(body.person_id, zone),
            )

    def _meant(self, person_id: str, zone_id: str) -> Callable[[Trigger], bool]:
        return lambda trigger: Who(self._kernel, trigger).fits(person_id, zone_id)

    # --- by hand --------------------------------------------------------------------

    def _called(self, body: RuleCalled, _: Envelope) -> None:
        rule = self._engine.rules.get(body.rule)
        if rule is None:
            return
        wanted = "drill" if body.drill else "manual"
        index = next(
            (n for n, t in enumerate(rule.rule.triggers) if t.platform == wanted), None
        )
        if index is None:
            return
        subject = f"zone:{body.zone_id}" if body.zone_id else "site"
        params: Params = {
            "trigger_kind": wanted,
            "source": f"person:{body.person_id}",
            "person": body.person_id,
            "reason": body.reason,
        }
        self._engine.guard(rule.id, self._drilled, rule, index, subject, params, body)

    def _drilled(
        self,
        rule: Compiled,
        index: int,
        subject: str,
        params: Params,
        body: RuleCalled,
    ) -> None:
        mark = "DRILL" if body.drill else ""
        self._engine.happened(rule, index, subject, params, mark=mark)

    def _hooked(self, body: RuleHooked, envelope: Envelope) -> None:
        """Start what a call from outside starts, in each zone that a rule names."""
        params: Params = {**body.params, "hook": body.hook}
        source = f"hook:{body.hook}"
        for rule in self._engine.rules.values():
            for index, trigger in enumerate(rule.rule.triggers):
                if trigger.platform != "webhook" or body.hook not in words(
                    trigger, "hook"
                ):
                    continue
                facts: Params = {**params, "trigger_kind": "webhook", "source": source}
                zones = words(trigger, "zone") if trigger.subject == "zone" else ()
                for zone in zones or (None,):
                    subject = rule.subject(index, zone, source)
                    self._engine.guard(
                        rule.id, self._happened, rule, index, subject, facts, envelope
                    )

    # --- time -----------------------------------------------------------------------

    def tick(self) -> None:
        """Answer the moments that have come since the last look."""
        timed = [
            (rule, index)
            for rule in self._engine.rules.values()
            for index, trigger in enumerate(rule.rule.triggers)
            if trigger.platform in ("time", "shift")
        ]
        clock = self._hub.clock
        if not timed:
            self._looked_ns = None
        elif not clock.synced():
            self._doubt(timed)
        else:
            self._trusted(timed)
            until = clock.wall_ns()
            for rule, index in timed:
                self._engine.guard(rule.id, self._due, rule, index, until)
            self._looked_ns = until

    def _due(self, rule: Compiled, index: int, until: int) -> None:
        trigger = rule.rule.triggers[index]
        path = f"triggers/{index}"
        done = self._hub.state.runs.occurred.get(run_key(rule.id, path))
        after = self._looked_ns if done is None else done
        # Late by a stop is answered; what is older than that is only history.
        after = max(after or until, until - clockwork.catch_up_ns(trigger))
        if after >= until:
            return
        zone = clockwork.time_zone(self._kernel)
        shifts = self._hub.bundle.shifts
        for moment in clockwork.moments(trigger, zone, after, until, shifts):
            params: Params = {
                "trigger_kind": trigger.platform,
                "trigger_value": moment.name,
                "source": "hub:clock",
                "at": moment.name,
                "late_s": (until - moment.wall_ns) // NS,
                "occurred_ns": moment.wall_ns,
            }
            self._engine.happened(rule, index, "site", params)

    def _doubt(self, timed: Iterable[tuple[Compiled, int]]) -> None:
        now = self._hub.clock.mono_ns()
        if self._untrusted_ns is None:
            self._untrusted_ns = now
        if now - self._untrusted_ns < UNTRUSTED_S * NS:
            return
        for rule, index in timed:
            params: Params = {"trigger_kind": "unknown", "source": "hub:clock"}
            self._engine.level_unknown(rule, index, "site", params)

    def _trusted(self, timed: Iterable[tuple[Compiled, int]]) -> None:
        # After a start the journal may still tell of doubt that is over.
        if self._untrusted_ns is not None or self._looked_ns is None:
            self._untrusted_ns = None
            for rule, index in timed:
                self._engine.level_known(rule, index, "site")
