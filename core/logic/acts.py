"""What a person may do with rules: start one by hand, and set its mode."""

from core.api.reading import Value
from core.journal.envelope import Effect
from core.people.acts import Act, act

#: Whoever answers for a place may start what protects it.
_CALLERS = ("guardian", "supervisor", "marshal", "issuer", "safety_officer")


@act("rule.call", *_CALLERS, effect=Effect.PROTECTIVE)
class CallRule(Act, frozen=True, kw_only=True):
    """Start a rule that has a manual trigger, or as a drill one that has drill."""

    rule: str
    zone_id: str = ""
    """The zone it is about; empty: the site."""
    reason: str = ""
    drill: bool = False


@act(
    "rule.explain",
    *("guardian", "supervisor", "issuer", "safety_officer"),
    *("maintainer", "auditor"),
    reads=True,
)
class ExplainRule(Act, frozen=True, kw_only=True):
    """Ask why a rule has not fired, and what it would need; changes nothing."""

    rule: str
    zone_id: str = ""
    """Only of this zone; empty: wherever the rule looks."""


@act("rule.hook", *_CALLERS, "maintainer", effect=Effect.PROTECTIVE)
class CallHook(Act, frozen=True, kw_only=True):
    """Let a system outside start the rules that listen to a named hook."""

    hook: str
    params: dict[str, Value] = {}
    """At most sixteen facts, for the rules' texts and conditions."""


@act("rule.mode", "safety_officer", effect=Effect.PERMISSIVE)
class SetRuleMode(Act, frozen=True, kw_only=True):
    """Let a rule act less: off, shadow or advise; a life-safety rule needs two persons.

    The second person sends the same within ten minutes.
    """

    rule: str
    mode: str
    zone_id: str = ""
    """A zone of its own; empty: wherever no zone has a mode of its own."""
    reason: str


@act("rule.restore", "safety_officer", "supervisor", effect=Effect.PROTECTIVE)
class RestoreRuleMode(Act, frozen=True, kw_only=True):
    """Let a rule act as it is armed again; never waits."""

    rule: str
    zone_id: str = ""
