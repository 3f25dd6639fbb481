"""Who wears which device for this shift."""

from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


@event("wear.taken", effect=Effect.PERMISSIVE)
class WearTaken(Event, frozen=True, kw_only=True):
    """A device was bound to its wearer by a scan, until the shift ends."""

    device_id: str
    person_id: str
    until: Deadline
    by: str

    def index_key(self) -> str:
        """Name the device."""
        return self.device_id


@event("wear.ended", effect=Effect.PROTECTIVE)
class WearEnded(Event, frozen=True, kw_only=True):
    """Nobody is known to wear a device any more; ``person_id`` was the last one."""

    device_id: str
    person_id: str
    code: str
    """returned, expired, replaced or not_durable."""
    by: str = ""

    def index_key(self) -> str:
        """Name the device."""
        return self.device_id
