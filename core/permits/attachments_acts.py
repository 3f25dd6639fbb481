"""What a person may do with attachments."""

from typing import Annotated, Literal

import msgspec

from core.people.acts import Act, Blob, Code, Id, act

#: Kinds of blobs that may hang on a permit, by what their bytes say they are.
Media = Literal["image/jpeg", "image/png", "video/mp4", "video/webm", "application/pdf"]
#: A moment of wall time in milliseconds: from 2020 on, before the year 2100.
Moment = Annotated[int, msgspec.Meta(ge=1_577_836_800_000, le=4_102_444_800_000)]
_Size = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_AT_WORK = ("worker", "guardian", "supervisor", "marshal", "issuer", "safety_officer")


@act("attachment.record", *_AT_WORK)
class RecordAttachment(Act, frozen=True, kw_only=True):
    """Put a blob that was uploaded into a slot of a permit's form."""

    permit_id: Id
    slot: Code
    sha256: Blob
    size: _Size
    media: Media
    taken_ms: Moment
    from_ms: Moment | None = None
    """A film's own span; a segment of the process video needs one."""
    to_ms: Moment | None = None


@act("attachment.keep", "safety_officer")
class KeepAttachments(Act, frozen=True, kw_only=True):
    """Keep what a permit or task has beyond its time, or let its time run again."""

    permit_id: Id
    keep: bool
    reason: _Reason


@act("attachment.erase", "safety_officer")
class EraseAttachments(Act, frozen=True, kw_only=True):
    """Erase what a permit or task has before the site's own time is over.

    Somebody who is on it asked; refused until the law's own time is over.
    """

    permit_id: Id


@act("attachment.read", *_AT_WORK, "auditor", "maintainer")
class ReadPersonal(Act, frozen=True, kw_only=True):
    """Write down that one looked at a blob of a person's file.

    The gateway asks for it before it hands the blob over.
    """

    person_id: Id
    kind: Code
    name: Blob
