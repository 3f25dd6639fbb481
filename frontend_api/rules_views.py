"""What the page shows of rules, drafts and blueprints."""

from typing import Any

import msgspec

from core.processes.drafts import Card
from frontend_api.views import Text, View


class PlaceMode(View):
    """Show in which mode a rule acts in one zone; '' is everywhere else."""

    zone_id: str
    names: Text
    mode: str
    protected: bool
    """False: a life-safety rule that does not enforce here."""


class RuleCard(View):
    """Show one armed rule, and the version that it pins."""

    id: str
    names: Text
    life_safety: bool
    blueprint: str
    version: str
    hash: str
    """Content hash of the blueprint."""
    signer: str
    """'' is the site's own, unsigned; safehold came with the hub."""
    own: bool
    """True: made at the page, so it may be changed and removed there."""
    mode: str
    places: list[PlaceMode]
    given: dict[str, Any]
    does: list[Text]
    newer: str
    earlier: str
    """Version that one step back leads to; '' is none."""
    open_runs: int
    last_fired_ms: int | None


class LineView(View):
    """Show one line of a difference."""

    sign: str
    text: Text


class TestView(View):
    """Show how one of the blueprint's own tests ended."""

    names: Text
    problems: list[Text]


class LooksView(View):
    """Show which devices a trigger or a command finds in a zone."""

    names: Text
    zone: Text | None
    devices: list[str]


class DraftView(View):
    """Show one draft with its checks and where its review stands."""

    id: str
    kind: str
    rule: str
    by: Text
    made_ms: int
    note: str
    hash: str
    base: str
    standing: str
    """failed, checked, submitted, approved, rejected, armed or outdated."""
    submitted_by: str
    approved_by: str
    answered: Text | None
    answer: str
    signed: bool
    """True: every word that was said of it was signed by a device's key."""
    two: bool
    blueprint: str
    version: str
    was_version: str
    signer: str
    life_safety: bool
    mode: str
    given: dict[str, Any]
    problems: list[Text]
    tests: list[TestView]
    diff: list[LineView]
    looser: list[Text]
    looks: list[LooksView]


class RuleBook(View):
    """Show all armed rules and all drafts."""

    hash: str
    rules: list[RuleCard]
    drafts: list[DraftView]
    unprotected: list[Text]
    may_draft: bool
    may_review: bool
    problem: Text | None


class Choice(View):
    """Offer one thing of the site as an input."""

    id: str
    names: Text


class Blueprints(View):
    """Show the blueprints that a rule can be made of."""

    items: list[Card]
    zones: list[Choice]
    chains: list[Choice]
    roles: list[str]
    quantities: list[Choice]
    permit_kinds: list[Choice]
    problem: Text | None


class DraftBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Ask for a draft of one rule."""

    kind: str
    rule: str
    blueprint: str = ""
    given: dict[str, Any] | None = None
    mode: str = "enforce"
    zone_modes: dict[str, str] = {}
    note: str = ""
    instead: str = ""
    """Id of a draft that this one takes the place of."""


class UploadBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Bring a blueprint into the hub."""

    text: str
    signature: str = ""
    """What stands in its .sig file; '' is unsigned."""


class Uploaded(View):
    """Tell what was brought in."""

    card: Card
