"""Who is where and who may do what."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.people.cards_state import CardsState
from core.people.events import HubClaimed, PersonMoved, RolesChanged, RolesWithdrawn
from core.people.keys_state import KeysState
from core.people.wear_state import WornRecord

if TYPE_CHECKING:
    from core.state import SiteState


class Presence(msgspec.Struct, kw_only=True):
    """Say where a person was last found; zone None is unknown, '' in no zone."""

    zone_id: str | None
    source: str
    since_wall_ns: int
    last_zone_id: str | None = None
    """Last known zone, kept when the fix is lost."""


class PeopleState(msgspec.Struct, kw_only=True):
    """Hold presence, roles and cards by person id."""

    owner_id: str = ""
    roles: dict[str, list[str]] = {}
    presence: dict[str, Presence] = {}
    cards: CardsState = msgspec.field(default_factory=CardsState)
    keys: KeysState = msgspec.field(default_factory=KeysState)
    worn: dict[str, WornRecord] = {}
    """Device id → who took it last by a scan."""


@folds(HubClaimed)
def _claimed(state: "SiteState", body: HubClaimed, _: Envelope) -> None:
    state.people.owner_id = body.person_id
    roles = state.people.roles.setdefault(body.person_id, [])
    if "owner" not in roles:
        roles.append("owner")


@folds(RolesChanged)
def _roles(state: "SiteState", body: RolesChanged, _: Envelope) -> None:
    state.people.roles[body.person_id] = list(body.roles)


@folds(RolesWithdrawn)
def _withdrawn(state: "SiteState", body: RolesWithdrawn, _: Envelope) -> None:
    if body.roles is not None:
        state.people.roles[body.person_id] = list(body.roles)
    else:
        state.people.roles.pop(body.person_id, None)
    if body.unclaimed:
        state.people.owner_id = ""


@folds(PersonMoved)
def _moved(state: "SiteState", body: PersonMoved, envelope: Envelope) -> None:
    known = state.people.presence.get(body.person_id)
    last = body.zone_id or (known.zone_id or known.last_zone_id if known else None)
    state.people.presence[body.person_id] = Presence(
        zone_id=body.zone_id,
        source=body.source,
        since_wall_ns=envelope.wall_ns,
        last_zone_id=last,
    )
