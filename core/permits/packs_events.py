"""Which version of a rule pack came into force: kept for the permits that pin it."""

from core.journal.events import Event, event


@event("pack.armed")
class PackArmed(Event, frozen=True, kw_only=True):
    """A version of a pack is in force for new permits."""

    pack_id: str
    digest: str
    """SHA-256 of the pack's canonical bytes."""
    data: bytes = b""
    """Those bytes; empty when the journal's state still holds them."""

    def index_key(self) -> str:
        """Name the version: two of them never stand for each other."""
        return f"{self.digest}{'' if self.data else '+'}"


@event("pack.dropped")
class PackDropped(Event, frozen=True, kw_only=True):
    """A pack is in force no more; permits that run on it keep their version."""

    pack_id: str

    def index_key(self) -> str:
        """Name the pack."""
        return self.pack_id
