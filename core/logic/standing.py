"""How a rule stands at this moment, as the engine tells it when it is asked (R26)."""

import msgspec

from core.logic.events import RunInput


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Hold one part of a rule's condition, and whether it holds now."""

    text: str
    """As its author would write it."""
    truth: str
    """FALSE, UNKNOWN or TRUE."""


class SubjectStands(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one trigger stands for one subject."""

    subject: str
    """zone:<id>, person:<id>, … or '' where nothing is there to act on."""
    truth: str
    mode: str = ""
    """In which mode the rule acts there."""
    needs: tuple[str, ...] = ()
    """Codes of what is missing until it acts; none: it acts, or has acted."""
    held_s: float = 0.0
    """So long it holds already."""
    for_s: float = 0.0
    """So long it must hold."""
    limit: float | None = None
    alarms: tuple[str, ...] = ()
    """Ids of the alarms that it looks at."""
    condition: str = "TRUE"
    parts: tuple[Part, ...] = ()
    inputs: tuple[RunInput, ...] = ()
    run: str = ""
    """Id of the run that is open for it."""
    run_since_ms: int = 0


class TriggerStands(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one trigger of a rule stands."""

    zh: str
    en: str
    kind: str
    """level, alarm or moment."""
    missing: tuple[str, ...] = ()
    """Zones in which its selector finds too little; '' is everywhere."""
    subjects: tuple[SubjectStands, ...] = ()
    more: int = 0
    """Subjects that are not told here, for there are too many."""


class RuleStands(msgspec.Struct, frozen=True, kw_only=True):
    """Say why a rule has not fired, or has, and what it would need."""

    rule: str
    hash: str
    on_unknown: str
    triggers: tuple[TriggerStands, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RuleStands)


def dump(told: RuleStands) -> str:
    """Return it as the answer to an act carries it."""
    return _encoder.encode(told).decode()


def load(text: str) -> RuleStands:
    """Return it; raises msgspec.MsgspecError."""
    return _decoder.decode(text)
