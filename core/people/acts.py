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


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all acts; ``target`` is the object's id where there is one."""

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
