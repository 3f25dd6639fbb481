"""What a back-test tells: the report of a rule that was tried on the past."""

import msgspec

from core.logic.events import RunInput


class Did(msgspec.Struct, frozen=True, kw_only=True):
    """Say one thing that was, or would have been, done."""

    at_ms: int
    what: str
    target: str
    detail: str = ""
    by: str = ""
    """Who did it: rule:…, person:… or hub:…; '' for what would have been done."""


class Real(msgspec.Struct, kw_only=True):
    """Tell of an alarm that there was."""

    alarm_id: str
    kind: str
    zone_id: str | None
    at_ms: int
    verdict: str = ""
    """true, nuisance, unsure; '' while nobody judged it."""


class Try(msgspec.Struct, kw_only=True):
    """Tell one run of the rule under trial."""

    run_id: str
    at_ms: int
    subject: str
    zone_id: str | None
    trigger: str
    params: dict[str, float | int | bool | str | None]
    inputs: tuple[RunInput, ...]
    joined: int = 0
    outcome: str = "open"
    ended_ms: int = 0
    would: list[Did] = []
    alarms: list[Real] = []
    really: list[Did] = []


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Tell for how long nothing is known of an entity; it was UNKNOWN then."""

    entity_id: str
    name: str
    total_s: float
    spans: tuple[tuple[int, int], ...]
    """(from, to) in ms, the first ones."""


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Tell that the rule could not be judged and did what on_unknown declares."""

    at_ms: int
    kind: str
    zone_id: str | None
    detail: str = ""


class Report(msgspec.Struct, kw_only=True):
    """Hold what a rule would have done in a span of the site's past."""

    rule: str
    rule_hash: str
    blueprint: str
    on_unknown: str
    from_ms: int
    to_ms: int
    entities: int = 0
    stretches: int = 0
    """Stored pieces of history that were played."""
    events: int = 0
    lost: int = 0
    """Readings of the span that the archive counts as lost."""
    runs: list[Try] = []
    runs_more: int = 0
    skipped: dict[str, int] = {}
    """Why it did not act → how often."""
    doubts: list[Doubt] = []
    silences: list[Silence] = []
    verdicts: dict[str, int] = {}
    """Runs by the verdict of their alarms: true, nuisance, unsure, unjudged, none."""
    missed: list[Real] = []
    """Alarms judged true, where the rule looks, that it did nothing about."""
    names: dict[str, str] = {}
    took_s: float = 0.0
    factor: float = 0.0
    """Times faster than it happened."""
