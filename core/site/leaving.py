"""What a site declares of leaving: how far, when all is clear, its drills."""

from typing import Literal

import msgspec

from core.names import Names

Levels = Literal["none", "below", "above", "both", "gas"]
AttackKind = Literal[
    "person_hidden", "muster_blocked", "detector_silent", "second_alarm"
]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Say what else is left when a zone is."""

    neighbours: bool = False
    zones: tuple[str, ...] = ()
    levels: Levels = "none"
    """Zones over and under it; ``gas`` lets the gas decide: heavy sinks, light rises,
    and one whose weight nobody knows does both."""


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one thing that goes wrong in a drill, by order of the drill's plan."""

    kind: AttackKind
    at_s: float = 0.0
    """After the drill's start."""
    person: str = ""
    """Who hides; they are told before, and by nobody else."""
    muster: str = ""
    zone: str = ""
    """Where a detector falls silent, or the second alarm is."""
    alarm: str = "gas.toxic"


class DrillPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a drill that the site holds."""

    id: str
    names: Names
    zones: tuple[str, ...]
    every_d: float | None = None
    """Days after which it is due again; None: not by a schedule."""
    target_s: float = 600.0
    """By then the target share should be accounted for."""
    target_share: float = 90.0
    """%."""
    attacks: tuple[Attack, ...] = ()
