"""Acts about keys, verified presence, codes of places and faces."""

from typing import Annotated, Literal

import msgspec

from core.journal.envelope import Effect
from core.people.acts import ROLES, Act, Blob, Id, act

#: Uncompressed point of P-256, as WebCrypto's raw export gives it, in hex.
Point = Annotated[str, msgspec.Meta(pattern=r"^04[0-9a-f]{128}$")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


@act("key.enrol", *ROLES, effect=Effect.PERMISSIVE, signed=True)
class EnrolKey(Act, frozen=True, kw_only=True):
    """Enrol a device's key; the statement is signed with that very key."""

    public: Point
    label: Label
    device: Literal["phone", "terminal"] = "phone"
    zone_id: str = ""


@act("key.approve", "safety_officer", effect=Effect.PERMISSIVE, signed=True)
class ApproveKey(Act, frozen=True, kw_only=True):
    """Agree as the second person to a key that is not somebody's first."""

    key_id: Id


@act("key.revoke", *ROLES, effect=Effect.PROTECTIVE)
class RevokeKey(Act, frozen=True, kw_only=True):
    """Let a key sign no more; what it signed before stays valid."""

    key_id: Id
    why: Literal["lost", "replaced", "left", "by_hand"] = "lost"


@act("person.verify", *ROLES, effect=Effect.PERMISSIVE, signed=True)
class VerifyPerson(Act, frozen=True, kw_only=True):
    """Prove to be oneself, and in this zone: what a start asks of everybody."""

    zone_id: Id


@act("place.code", "safety_officer", "maintainer")
class ShowCode(Act, frozen=True, kw_only=True):
    """Return the code that a zone's screen shows now, and until when."""

    zone_id: Id


@act("face.consent", *ROLES, effect=Effect.PERMISSIVE)
class ConsentToFace(Act, frozen=True, kw_only=True):
    """Let one's face be compared with a template that the vault holds."""

    template: Blob


@act("face.withdraw", *ROLES, effect=Effect.PROTECTIVE)
class WithdrawFace(Act, frozen=True, kw_only=True):
    """End one's consent: the template is compared no more."""
