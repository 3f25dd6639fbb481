"""Where one level trigger stands, for each of its subjects."""

from automations.compiled import Compiled
from automations.watching import Watched
from core.clock import NS
from core.logic.truth import Truth

#: A level that stays UNKNOWN for longer acts by the rule's on_unknown.
UNKNOWN_S = 30.0


class Level:
    """Hold where one trigger stands for one subject; times are boot ns."""

    __slots__ = (
        "boot",
        "doubted",
        "ended",
        "fired",
        "since",
        "skipped",
        "truth",
        "unknown",
    )

    def __init__(self, boot: bool) -> None:
        self.truth = Truth.UNKNOWN
        self.since: int | None = None
        self.unknown: int | None = None
        self.doubted = True
        """True until it is known for the first time: the journal may tell of doubt."""
        self.fired = False
        self.ended = False
        """True when it fired before and was proven over since."""
        self.boot = boot
        """True until it is first proven FALSE: then TRUE needs no sustain (§5)."""
        self.skipped: dict[str, int] = {}


class Watch:
    """Hold one level trigger of one rule."""

    def __init__(self, rule: Compiled, index: int, watched: Watched) -> None:
        self.rule, self.index, self.watched = rule, index, watched
        trigger = rule.rule.triggers[index]
        span = trigger.fields.get("for", 0.0)
        self.sustain_ns = int(float(span) * NS) if isinstance(span, int | float) else 0
        rate = trigger.fields.get("rate", 0.0)
        window = float(rate) if isinstance(rate, int | float) else 0.0
        self.grace_ns = int((UNKNOWN_S + window) * NS)
        self.levels: dict[str, Level] = {}
        self.missing: frozenset[str] = frozenset()
        """Zones for which the selector finds nothing: not armed there."""
        self.refused = False

    @property
    def key(self) -> tuple[str, int]:
        """Name the trigger within the armed rules."""
        return self.rule.id, self.index


def rests(level: Level | None) -> bool:
    """Say whether a level can wait for its next reading."""
    if level is None or level.truth is Truth.UNKNOWN:
        return False
    return level.truth is Truth.FALSE or level.fired
