"""Acts that prove a zone before it is called protected (requirement 1.24)."""

from typing import Literal

from core.journal.envelope import Effect
from core.people.acts import Act, Id, Line, Note, Word, act

_TESTERS = ("maintainer", "supervisor", "safety_officer")
#: What a detector's test must show, in the order in which it happens.
STEPS = ("gas", "reading", "alarm", "hold", "siren", "message")
Step = Literal["gas", "reading", "alarm", "hold", "siren", "message"]


@act("commission.begin", "maintainer", "safety_officer")
class BeginCommission(Act, frozen=True, kw_only=True):
    """Begin to prove a zone: what its detectors cause from now on is evidence."""

    zone_id: Id


@act("commission.gas", *_TESTERS)
class ApplyGas(Act, frozen=True, kw_only=True):
    """Say that test gas is at a detector now; what follows is its evidence."""

    zone_id: Id
    entity_id: Id
    gas: Word = ""
    """What the bottle says, such as ``H2S 25 ppm``."""


@act("commission.tick", *_TESTERS)
class TickLine(Act, frozen=True, kw_only=True):
    """Say that a person heard the siren, saw the message, or that nothing is held.

    What the journal itself shows is ticked by it and never by a person's word.
    """

    zone_id: Id
    entity_id: Id
    step: Step
    note: Note = ""
    """Why, where there was nothing to see: no permit was open."""


@act("commission.untick", *_TESTERS)
class UntickLine(Act, frozen=True, kw_only=True):
    """Take a line back: it must be shown again."""

    zone_id: Id
    entity_id: Id
    step: Step
    note: Note = ""


@act("commission.sign", "safety_officer", effect=Effect.PERMISSIVE, signed=True)
class SignCommission(Act, frozen=True, kw_only=True):
    """Sign a zone's whole sheet: it is protected until something of it changes."""

    zone_id: Id
    sheet: Line
    """Fingerprint of the sheet that was looked at."""
    note: Note = ""


@act("commission.end", "maintainer", "safety_officer")
class EndCommission(Act, frozen=True, kw_only=True):
    """End a zone's test without a signature; its ticks stay."""

    zone_id: Id
