"""Presence and role events; names and keys live outside the chain."""

from core.journal.envelope import Effect
from core.journal.events import Event, event


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


@event("person.moved")
class PersonMoved(Event, frozen=True, kw_only=True):
    """A person was found in another zone; None means unknown, never 'outside'."""

    person_id: str
    zone_id: str | None
    source: str
    """Entity id of the tag, 'gate', 'hand' or 'lost'."""
