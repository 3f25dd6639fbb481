"""What a person may do with a permit."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import Act, Line, Note, Word, Words, act

#: Anyone at work may stop it.
_STOP = ("worker", "guardian", "supervisor", "marshal", "issuer", "safety_officer")


class TypedTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give one gas value by hand, in the quantity's own unit: a marked fallback."""

    quantity: str
    value: float
    unit: str


_Typed = Annotated[tuple[TypedTest, ...], msgspec.Meta(max_length=60)]


@act("permit.issue", "issuer", "safety_officer", effect=Effect.PERMISSIVE)
class IssuePermit(Act, frozen=True, kw_only=True):
    """Put a permit in force for people in a zone; every interlock must be TRUE."""

    kind: Word
    zone_id: Word
    title: Line
    supervisor_id: Word
    workers: Words
    guardian_id: Word = ""
    linked: Words = ()
    valid_h: float | None = None
    """Hours; the kind's own by default and at most."""


@act("permit.hold", *_STOP, effect=Effect.PROTECTIVE)
class HoldPermit(Act, frozen=True, kw_only=True):
    """Stop the work of a permit; only its release lets it go on."""

    permit_id: Word
    reason: str


@act("permit.retest", "guardian", "supervisor", "issuer", "safety_officer")
class RetestPermit(Act, frozen=True, kw_only=True):
    """Test the gases of a permit by the zone's meters, now."""

    permit_id: Word
    typed: _Typed = ()


@act(
    "permit.release",
    "guardian",
    "supervisor",
    "issuer",
    "safety_officer",
    effect=Effect.PERMISSIVE,
)
class ReleasePermit(Act, frozen=True, kw_only=True):
    """Release every hold of a permit; ``expected_version`` is required."""

    permit_id: Word
    reason: Note


@act("permit.close", "supervisor", "issuer", "safety_officer")
class ClosePermit(Act, frozen=True, kw_only=True):
    """Close a permit whose work is done and whose workers are counted out."""

    permit_id: Word


@act("permit.cancel", "supervisor", "issuer", "safety_officer")
class CancelPermit(Act, frozen=True, kw_only=True):
    """Cancel a permit whose workers are counted out."""

    permit_id: Word
    reason: Note


@act("permit.check", *_STOP, "maintainer", "auditor")
class CheckPermit(Act, frozen=True, kw_only=True):
    """Ask which interlocks of a permit are not TRUE, and why."""

    permit_id: Word
