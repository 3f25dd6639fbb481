"""What a person may do with the entry log (GB 30871 6.8; H14)."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, Id, act

_WATCH = ("guardian", "supervisor", "marshal", "safety_officer")
_Tools = Annotated[tuple[Id, ...], msgspec.Meta(max_length=100)]


@act("entry.open", *_WATCH)
class OpenEntryLog(Act, frozen=True, kw_only=True):
    """Begin to count people and tools in and out of a permit's space."""

    permit_id: Id


@act("entry.in", *_WATCH)
class LogIn(Act, frozen=True, kw_only=True):
    """Count a person and their tools in."""

    permit_id: Id
    person_id: Id
    tools: _Tools = ()
    rescue: bool = False
    """True: to bring somebody out; then whatever the permit says of its state."""
    ppe: bool = False
    """True: with the protection that a rescue needs (GB 30871 6.9 e)."""


@act("entry.out", *_WATCH, effect=Effect.PERMISSIVE)
class LogOut(Act, frozen=True, kw_only=True):
    """Count a person, or only tools that somebody brings out, out again."""

    permit_id: Id
    person_id: Id
    tools: _Tools = ()
