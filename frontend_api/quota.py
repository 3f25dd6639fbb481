"""What an upload is, and how much of it anybody may bring: pure of disk and time."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from core.api.errors import Refused
from core.people.vault import MAX_BYTES, Owner
from frontend_api.media import KNOWN

DAY_MS = 86_400_000
Purpose = Literal["evidence", "photo", "document"]
#: What a blob of a person's file may be; these are kept by the vault itself.
PERSONAL: dict[str, tuple[str, ...]] = {
    "photo": ("image/jpeg", "image/png"),
    "document": ("image/jpeg", "image/png", "application/pdf"),
}


class Limits(NamedTuple):
    """Bound what may be brought; all counts are of uploads."""

    floor_bytes: int = 512 << 20
    """Stays free for the journal, its spare segment and its reserve."""
    open_each: int = 4
    open_all: int = 64
    day_each: int = 300
    day_bytes_each: int = 8 << 30
    permit: int = 500
    permit_bytes: int = 16 << 30


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what an upload is to become; its key is wrapped by its owner's."""

    id: str
    by: str
    """The person who brings it."""
    purpose: Purpose
    owner_id: str
    """The permit, or the person whose file it is for."""
    size: int
    media: str
    made_ms: int
    """0: begun while the wall clock was not to be trusted."""
    key: bytes
    done: str = ""
    """The blob's name, once it is in the vault."""
    keeping: str = ""
    """Evidence's name from just before it goes there: after a stop it may be."""

    def owner(self) -> Owner:
        """Return whose key seals it."""
        kind: Literal["permit", "person"]
        kind = "permit" if self.purpose == "evidence" else "person"
        return Owner(kind, self.owner_id)


def check_kind(purpose: Purpose, size: int, media: str) -> None:
    """Refuse a media type or a size that a purpose does not take."""
    allowed = PERSONAL.get(purpose, tuple(KNOWN))
    if media not in allowed:
        raise Refused("attachment.media", media=media, allowed=", ".join(allowed))
    most = KNOWN[media][1] if purpose == "evidence" else MAX_BYTES
    if not 0 < size <= most:
        raise Refused("attachment.size", size=size, most=most)


def check_person(
    limits: Limits, known: Iterable[Upload], by: str, size: int, now_ms: int
) -> None:
    """Refuse what a person may not bring beside what is under way already."""
    known = list(known)
    going = [one for one in known if not one.done]
    if sum(one.by == by for one in going) >= limits.open_each:
        raise Refused("attachment.many_open", most=limits.open_each)
    if len(going) >= limits.open_all:
        raise Refused("attachment.busy")
    since = now_ms - DAY_MS
    today = [one.size for one in known if one.by == by and one.made_ms >= since]
    if len(today) >= limits.day_each or sum(today) + size > limits.day_bytes_each:
        mb = limits.day_bytes_each >> 20
        raise Refused("attachment.person_quota", most=limits.day_each, mb=mb)


def check_permit(
    limits: Limits,
    known: Iterable[Upload],
    permit_id: str,
    held: tuple[int, int],
    size: int,
) -> None:
    """Refuse what a permit has no room for; ``held``: its blobs and their bytes."""
    going = [
        one.size
        for one in known
        if one.purpose == "evidence" and one.owner_id == permit_id and not one.done
    ]
    count, total = held[0] + len(going), held[1] + sum(going) + size
    if count >= limits.permit or total > limits.permit_bytes:
        mb = limits.permit_bytes >> 20
        raise Refused("attachment.permit_quota", most=limits.permit, mb=mb)
