"""Acts of a shift's helmet: taken from the rack with a scan, and brought back."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import ROLES, Act, Word, act

#: What the helmet's label or chip says: its uid; the hub's id counts too.
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


@act("wear.take", *ROLES, effect=Effect.PERMISSIVE)
class TakeWear(Act, frozen=True, kw_only=True):
    """Wear a device until the shift ends; for another person by their card."""

    code: Code
    card: Word = ""
    """Card or tag of who takes it; '' is the actor."""
    person_id: Word = ""
    """Who takes it where no card is at hand, known by sight."""


@act("wear.return", *ROLES, effect=Effect.PROTECTIVE)
class ReturnWear(Act, frozen=True, kw_only=True):
    """Bring a device back: from now on nobody is known to wear it."""

    code: Code
