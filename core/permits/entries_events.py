"""The entry log of a confined space: people and tools in and out (GB 6.8, H14)."""

from core.journal.envelope import Effect
from core.journal.events import Event, event


@event("entry.opened")
class EntryLogOpened(Event, frozen=True, kw_only=True):
    """Somebody began to count people and tools in and out."""

    permit_id: str
    person_id: str


class EntryEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one person of one log."""

    permit_id: str
    person_id: str

    def index_key(self) -> str:
        """Name permit and person: nobody's entry stands for another's."""
        return f"{self.permit_id}/{self.person_id}"


@event("entry.in")
class EntryIn(EntryEvent, frozen=True, kw_only=True):
    """A person went in, with these tools."""

    tools: tuple[str, ...] = ()
    rescue: bool = False
    ppe: bool = False
    by: str


@event("entry.seen", effect=Effect.PROTECTIVE)
class EntrySeen(EntryEvent, frozen=True, kw_only=True):
    """A person was found inside whom nobody had logged in: they count from now."""

    source: str
    """Entity id of the tag, or gate."""
    code: str = ""
    """Why that is wrong: not_listed, not_briefed, not_active; '' is all right."""


@event("entry.out", effect=Effect.PERMISSIVE)
class EntryOut(EntryEvent, frozen=True, kw_only=True):
    """A person came out, or only tools did; they are counted no more."""

    tools: tuple[str, ...] = ()
    by: str


@event("entry.restored", effect=Effect.PROTECTIVE)
class EntryRestored(EntryEvent, frozen=True, kw_only=True):
    """A way out that never became durable: person and tools count as inside."""

    inside: bool
    """False: only the tools were carried out."""
    tools: tuple[str, ...] = ()
    rescue: bool = False
    ppe: bool = False
