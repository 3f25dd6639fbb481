"""Acts: what a person may ask of the hub; typed, named, with the roles allowed.

The gateway builds its REST routes and OpenAPI from this table; the core checks
roles, object and expected version again (design §5 Security).
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

import msgspec

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


ActT = TypeVar("ActT", bound=Act)
ACTS: dict[str, type[Act]] = {}


def act(
    verb: str, *roles: str, effect: Effect = Effect.NEUTRAL
) -> Callable[[type[ActT]], type[ActT]]:
    """Register an act; the owner may do everything that any role may."""

    def register(cls: type[ActT]) -> type[ActT]:
        if verb in ACTS:
            raise ValueError(f"act {verb} is registered twice")
        unknown = set(roles) - set(ROLES)
        if unknown:
            raise ValueError(f"act {verb} names unknown roles {sorted(unknown)}")
        cls.verb_, cls.effect_ = verb, effect
        cls.roles_ = frozenset(roles) | {"owner"}
        ACTS[verb] = cls
        return cls

    return register


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

    person_id: str
