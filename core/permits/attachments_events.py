"""Events of attachments: recorded, erased, kept beyond their time, read."""

from core.journal.events import Event, event


@event("attachment.recorded")
class AttachmentRecorded(Event, frozen=True, kw_only=True):
    """A blob that lies synced in the vault belongs to a slot of a permit's form."""

    permit_id: str
    slot: str
    sha256: str
    """Of the content, so that whoever holds the blob can compare."""
    size: int
    media: str
    person_id: str
    """Who brought it."""
    taken_ms: int
    from_ms: int = 0
    """A film's own span of wall time; 0 where it has none."""
    to_ms: int = 0
    late: bool = False
    """It came after the permit was closed."""

    def merge_key(self) -> str:
        """Name the blob and its slot: none stands for another."""
        return f"{self.permit_id}/{self.slot}/{self.sha256}"


@event("attachment.erased")
class AttachmentErased(Event, frozen=True, kw_only=True):
    """A blob's time to be kept is over: its key is destroyed on this word."""

    permit_id: str
    """The permit or the task that it hangs on."""
    sha256: str
    code: str = "expired"
    """expired, or asked: by a person, once the law's own time was over."""
    rule: str = ""
    """Whose figure decided: a pack's id and version, site, or law."""
    days: int = 0
    """For how long it was kept from its record's end, or from its own coming."""
    by: str = ""

    def merge_key(self) -> str:
        """Name the blob: none is destroyed on a word that was lost."""
        return f"{self.permit_id}/{self.sha256}"


@event("attachment.all_erased")
class AllErased(Event, frozen=True, kw_only=True):
    """All that a permit or a task has in the vault goes, with its own key."""

    permit_id: str
    code: str = "expired"
    rule: str = ""
    days: int = 0
    by: str = ""


@event("attachment.kept")
class AttachmentsKept(Event, frozen=True, kw_only=True):
    """What a permit or task has is kept beyond its time, or no longer is."""

    permit_id: str
    keep: bool
    reason: str
    by: str


@event("attachment.read")
class PersonalRead(Event, frozen=True, kw_only=True):
    """Somebody looked at a blob of a person's file."""

    person_id: str
    kind: str
    name: str
    """The vault's salted hash, never that of the content."""
    by: str

    def merge_key(self) -> str:
        """Name nothing: each look is kept for itself."""
        return ""
