"""Acts: what a person may ask of the hub; typed, named, with the roles allowed.

The gateway builds its REST routes and OpenAPI from this table; the core checks
roles, object and expected version again (design §5 Security).
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec

from core.api.errors import Refused
from core.journal.envelope import Effect

ROLES = (
    "owner",
    "safety_officer",
    "issuer",
    "supervisor",
    "guardian",
    "marshal",
    "maintainer",
    "worker",
    "auditor",
)


class Act(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Base of all acts; a field that an act does not know makes it malformed."""

    verb_: ClassVar[str] = ""
    roles_: ClassVar[frozenset[str]] = frozenset()
    effect_: ClassVar[Effect] = Effect.NEUTRAL
    signed_: ClassVar[bool] = False
    reads_: ClassVar[bool] = False
    """It only asks: nothing changes, so each answer is made anew."""
    two_: ClassVar[frozenset[str]] = frozenset()
    """Roles of which a second person must hold one; empty: one person is enough."""


ActT = TypeVar("ActT", bound=Act)
ACTS: dict[str, type[Act]] = {}


def act(
    verb: str,
    *roles: str,
    effect: Effect = Effect.NEUTRAL,
    signed: bool = False,
    two: tuple[str, ...] = (),
    reads: bool = False,
) -> Callable[[type[ActT]], type[ActT]]:
    """Register an act; the owner may do everything that any role may.

    ``signed``: it needs its actor's signature. ``two``: and that of a second
    person who holds one of these roles. ``reads``: it only asks.
    """

    def register(cls: type[ActT]) -> type[ActT]:
        if verb in ACTS:
            raise ValueError(f"act {verb} is registered twice")
        unknown = {*roles, *two} - set(ROLES)
        if unknown:
            raise ValueError(f"act {verb} names unknown roles {sorted(unknown)}")
        cls.verb_, cls.effect_ = verb, effect
        cls.roles_ = frozenset(roles) | {"owner"}
        cls.signed_, cls.reads_ = signed or bool(two), reads
        cls.two_ = frozenset(two) | ({"owner"} if two else frozenset())
        ACTS[verb] = cls
        return cls

    return register


#: What an act may hold at most where its own types set no tighter bound.
MOST_TEXT, MOST_ITEMS, MOST_BYTES = 4_000, 1_000, 64 << 10


def bounded(value: Any, *, cut: bool, where: str = "") -> Any:
    """Return what an act holds, none of it beyond bounds; else raise Refused.

    ``cut``: the act protects, so a text that is too long is cut and not refused.
    """
    match value:
        case str() if len(value) > MOST_TEXT:
            if cut:
                return value[:MOST_TEXT]
            raise Refused("act.too_long", field=where, at_most=MOST_TEXT)
        case bytes() if len(value) > MOST_BYTES:
            raise Refused("act.too_long", field=where, at_most=MOST_BYTES)
        case tuple() | list() | dict() if len(value) > MOST_ITEMS:
            raise Refused("act.too_long", field=where, at_most=MOST_ITEMS)
        case msgspec.Struct():
            names = value.__struct_fields__
            old = {name: getattr(value, name) for name in names}
            new = {n: bounded(v, cut=cut, where=n) for n, v in old.items()}
            changed = {n: v for n, v in new.items() if v is not old[n]}
            return msgspec.structs.replace(value, **changed) if changed else value
        case dict():
            for name in value:
                bounded(name, cut=False, where=where)
            new = {n: bounded(v, cut=cut, where=str(n)) for n, v in value.items()}
            return new if any(new[n] is not value[n] for n in new) else value
        case tuple() | list():
            each = [bounded(v, cut=cut, where=where) for v in value]
            same = all(a is b for a, b in zip(each, value, strict=True))
            return value if same else type(value)(each)
    return value


@act("hub.claim", effect=Effect.PERMISSIVE)
class ClaimHub(Act, frozen=True, kw_only=True):
    """Become the first owner; the gateway has checked the claim code."""


@act("person.roles", effect=Effect.PERMISSIVE)
class SetRoles(Act, frozen=True, kw_only=True):
    """Set what a person may do on this site."""

    person_id: str
    roles: tuple[str, ...]


@act("person.move", "guardian", "supervisor", "marshal", "safety_officer")
class MovePerson(Act, frozen=True, kw_only=True):
    """Write down by hand where a person is; '' is 'in no zone of the plan'."""

    person_id: str
    zone_id: str


@act(
    "person.safe",
    "guardian",
    "supervisor",
    "marshal",
    "safety_officer",
    effect=Effect.PERMISSIVE,
)
class FoundSafe(Act, frozen=True, kw_only=True):
    """Say that the person who called for help was reached; resets nothing."""

    person_id: str = ""
    device_id: str = ""
    """The device that called, where nobody knows who wears it."""


#: A day as the site writes it: 2026-03-01.
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
DayOrNone = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
#: A code such as a trade: hot_work, electric_low, rigging.
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
#: An id or a word that may be left out.
Word = Annotated[str, msgspec.Meta(max_length=80)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=200)]
#: The salted hash under which the vault keeps a blob.
Blob = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
BlobOrNone = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]
CardKind = Literal["special_operation", "special_equipment", "other"]
_KEEPERS = ("safety_officer", "maintainer")


@act("company.record", *_KEEPERS, effect=Effect.PERMISSIVE)
class RecordCompany(Act, frozen=True, kw_only=True):
    """Admit a company to the site, or change the last day of its contract."""

    company_id: Id
    contractor: bool = True
    valid_to: DayOrNone = ""


@act("company.end", *_KEEPERS, effect=Effect.PROTECTIVE)
class EndCompany(Act, frozen=True, kw_only=True):
    """End a company's work here: its people's cards and roles end with it."""

    company_id: Id


@act("person.record", *_KEEPERS, effect=Effect.PERMISSIVE)
class RecordPerson(Act, frozen=True, kw_only=True):
    """Open or renew a person's file; the vault already holds what it names."""

    person_id: Id
    fields: Blob
    company_id: str = ""
    photo: BlobOrNone = ""


@act("person.erase", *_KEEPERS, effect=Effect.PROTECTIVE)
class ErasePerson(Act, frozen=True, kw_only=True):
    """Destroy a person's data; cards and roles end. Not while a permit needs them."""

    person_id: Id


@act("card.record", *_KEEPERS, effect=Effect.PERMISSIVE)
class RecordCard(Act, frozen=True, kw_only=True):
    """Put a trade card on a person's file; who records it has seen it."""

    person_id: Id
    trade: Code
    kind: CardKind
    valid_to: Day
    document: Blob
    valid_from: DayOrNone = ""
    review_by: DayOrNone = ""


@act("card.withdraw", *_KEEPERS, effect=Effect.PROTECTIVE)
class WithdrawCard(Act, frozen=True, kw_only=True):
    """Let a card count no more."""

    card_id: Id
    code: Literal["lost", "replaced", "revoked", "wrong", "left"]


@act("card.verify", *_KEEPERS, effect=Effect.PERMISSIVE)
class VerifyCard(Act, frozen=True, kw_only=True):
    """Write down that the issuer's registry called a card valid."""

    card_id: Id
    source: Code
    evidence: Blob


@act("card.doubt", *_KEEPERS, effect=Effect.PROTECTIVE)
class DoubtCard(Act, frozen=True, kw_only=True):
    """Write down that the issuer's registry did not call a card valid."""

    card_id: Id
    verdict: Literal["expired", "mismatch", "unknown"]
    source: Code
    evidence: BlobOrNone = ""


@act("training.record", *_KEEPERS, effect=Effect.PERMISSIVE)
class RecordTraining(Act, frozen=True, kw_only=True):
    """Write down that a person was trained and examined in a topic (H2)."""

    person_id: Id
    topic: Code
    valid_to: DayOrNone = ""
    document: BlobOrNone = ""
