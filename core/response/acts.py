"""What a person may do in an emergency: evacuation, sirens, outputs, notices."""

from typing import Annotated

import msgspec

from core.journal.envelope import Effect
from core.people.acts import ROLES, Act, act

#: Anyone on site may call people out, and answers for what they were told.
_ANYONE = tuple(role for role in ROLES if role != "owner")


@act(
    "evacuation.start",
    *(role for role in _ANYONE if role != "auditor"),
    effect=Effect.PROTECTIVE,
)
class StartEvacuation(Act, frozen=True, kw_only=True):
    """Call people out of zones."""

    zones: tuple[str, ...]
    reason: str = ""


@act("evacuation.clear", "safety_officer", effect=Effect.PERMISSIVE)
class ClearEvacuation(Act, frozen=True, kw_only=True):
    """Give the all-clear; it releases no permit."""

    evacuation_id: str


@act("person.account", "marshal", "guardian", "supervisor", "safety_officer")
class AccountPerson(Act, frozen=True, kw_only=True):
    """Tick a person: accounted; rescue when they are being got; missing undoes it."""

    evacuation_id: str
    person_id: str
    status: str = "accounted"
    count: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0
    """How many of a group were counted; 0 is all of them."""
    rescuer: str = ""
    """Who has taken the rescue over; '' is whoever ticks."""


@act(
    "sirens.silence",
    "marshal",
    "guardian",
    "supervisor",
    "safety_officer",
    effect=Effect.PERMISSIVE,
)
class SilenceSirens(Act, frozen=True, kw_only=True):
    """Silence a zone's sirens from on site; resets nothing, sounds again."""

    zone_id: str


@act("output.release", "supervisor", "safety_officer", effect=Effect.PERMISSIVE)
class ReleaseOutput(Act, frozen=True, kw_only=True):
    """Switch a protective output off, or power on again, by name."""

    entity_id: str
    reason: str


@act("notice.acknowledge", *_ANYONE)
class AcknowledgeNotice(Act, frozen=True, kw_only=True):
    """Answer a notice; only the person it was sent to can."""

    notice_id: str


@act("notice.seen", *_ANYONE)
class SeeNotice(Act, frozen=True, kw_only=True):
    """Say that a notice was shown to its person."""

    notice_id: str
