"""Presence and role events; names and keys live outside the chain."""

from core.journal.envelope import Effect
from core.journal.events import Event, event

#: Zone id of a person who was found and is in no zone; None is unknown.
OUTSIDE = ""


@event("hub.claimed", effect=Effect.PERMISSIVE)
class HubClaimed(Event, frozen=True, kw_only=True):
    """The first owner proved possession of the claim code."""

    person_id: str


@event("person.roles", effect=Effect.PERMISSIVE)
class RolesChanged(Event, frozen=True, kw_only=True):
    """A person's roles on this site were set by a named person."""

    person_id: str
    roles: tuple[str, ...]
    by: str


@event("person.roles_withdrawn", effect=Effect.PROTECTIVE)
class RolesWithdrawn(Event, frozen=True, kw_only=True):
    """Roles that never became durable were taken back; these stand again."""

    person_id: str
    roles: tuple[str, ...] | None
    """None: the journal had told none, the bundle's stand."""
    unclaimed: bool = False
    """True when the claim itself was lost: the hub may be claimed again."""


@event("person.moved")
class PersonMoved(Event, frozen=True, kw_only=True):
    """A person was found in another zone; None means unknown, never 'outside'.

    '' (`OUTSIDE`) means found, and in no zone of the plan.
    """

    person_id: str
    zone_id: str | None
    source: str
    """Entity id of the tag, 'gate', 'hand' or 'lost'."""
