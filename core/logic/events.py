"""Runs of rules: started, stepped, finished, failed (R7, R26)."""

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


class RunInput(msgspec.Struct, frozen=True, array_like=True):
    """Hold one thing that a rule looked at: a reading, or a value that it names."""

    name: str
    """entity:<id> or value:<name>."""
    value: Value
    quality: int
    age_ms: int = -1
    """-1: it has no age, or was never heard."""
    unit: str = ""


@event("run.started", effect=Effect.PROTECTIVE)
class RunStarted(Event, frozen=True, kw_only=True):
    """A rule began a run for one subject; keyed by (rule, subject)."""

    run_id: str
    rule: str
    rule_hash: str
    subject: str
    """zone:<id>, person:<id>, permit:<id>, device:<id> or site."""
    trigger: str
    """Path of the trigger in the rule: triggers/0."""
    params: dict[str, Value] = {}
    """Facts that the run's steps may use: alarm_id, zone_id, value, …"""
    mode: str = "enforce"
    mark: str = ""
    inputs: tuple[RunInput, ...] = ()
    """What it went by, with quality and age; the one that decided is the first."""
    selection: str = ""
    """Version of what its trigger's selector had found (rule.selected)."""


@event("run.joined")
class RunJoined(Event, frozen=True, kw_only=True):
    """A trigger came while the subject's run was open: coalesced, counted (R6)."""

    run_id: str
    trigger: str
    params: dict[str, Value] = {}
    fresh: bool = False
    """True when it brought a new kind, or came again after the hazard had gone:
    the run's steps are done once more."""


@event("run.stepped")
class RunStepped(Event, frozen=True, kw_only=True):
    """A step of a run changed: started, waiting, done, failed, skipped, expired."""

    run_id: str
    path: str
    state: str
    detail: str = ""
    until: Deadline | None = None
    refs: tuple[str, ...] = ()
    """Ids of the commands, notices or evacuations that the step made."""
    holds: tuple[str, ...] = ()
    """Ids of the permits that the step held."""


@event("run.finished")
class RunFinished(Event, frozen=True, kw_only=True):
    """A run ended: done, failed or cancelled."""

    run_id: str
    outcome: str
    detail: str = ""


@event("rule.skipped")
class RuleSkipped(Event, frozen=True, kw_only=True):
    """A trigger matched but the rule did not run, and why (R26)."""

    rule: str
    subject: str
    trigger: str
    why: str
    params: dict[str, Value] = {}
    inputs: tuple[RunInput, ...] = ()


@event("rule.selected")
class RuleSelected(Event, frozen=True, kw_only=True):
    """A trigger's selector finds other entities than before, or for the first time."""

    rule: str
    trigger: str
    version: str
    """Content address of what it found: the same entities, the same version."""
    entities: tuple[str, ...]


@event("rule.mode_asked")
class RuleModeAsked(Event, frozen=True, kw_only=True):
    """A person asks to weaken a life-safety rule; a second one must ask the same."""

    rule: str
    zone_id: str
    """Empty: wherever no zone has a mode of its own."""
    mode: str
    reason: str
    person_id: str
    until: Deadline


@event("rule.mode_set", effect=Effect.PERMISSIVE)
class RuleModeSet(Event, frozen=True, kw_only=True):
    """A rule acts less than it is armed to: off, shadow or advise; or as armed."""

    rule: str
    zone_id: str
    mode: str
    """Empty: as armed."""
    reason: str
    persons: tuple[str, ...]


@event("rule.mode_restored", effect=Effect.PROTECTIVE)
class RuleModeRestored(Event, frozen=True, kw_only=True):
    """A rule acts as armed again: by a person, or because the disk lost the change."""

    rule: str
    zone_id: str
    person_id: str = ""
    why: str = "person"
    """person or not_durable."""


@event("rule.hooked", effect=Effect.PROTECTIVE)
class RuleHooked(Event, frozen=True, kw_only=True):
    """A system outside called one of the site's named hooks, with its own token."""

    hook: str
    person_id: str
    """Whose token it is."""
    params: dict[str, Value] = {}


@event("rule.called", effect=Effect.PROTECTIVE)
class RuleCalled(Event, frozen=True, kw_only=True):
    """A person started a rule by hand, or as a drill."""

    rule: str
    zone_id: str
    person_id: str
    reason: str
    drill: bool = False
