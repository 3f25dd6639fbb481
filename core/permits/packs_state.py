"""The rule packs that new permits take, and those that open permits still run on."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.lifecycle import FINAL
from core.permits.packs_events import PackArmed, PackDropped

if TYPE_CHECKING:
    from core.state import SiteState


class PacksState(msgspec.Struct, kw_only=True):
    """Hold versions of packs by their digest."""

    current: dict[str, str] = {}
    """Pack id → digest in force."""
    data: dict[str, bytes] = {}
    """Digest → the pack's bytes."""


@folds(PackArmed)
def _armed(state: "SiteState", body: PackArmed, _: Envelope) -> None:
    packs = state.permits.packs
    packs.current[body.pack_id] = body.digest
    if body.data:
        packs.data[body.digest] = body.data
    _forget(state)


@folds(PackDropped)
def _dropped(state: "SiteState", body: PackDropped, _: Envelope) -> None:
    state.permits.packs.current.pop(body.pack_id, None)
    _forget(state)


def _forget(state: "SiteState") -> None:
    """Drop the versions that neither new nor open permits need."""
    packs = state.permits.packs
    needed = set(packs.current.values())
    for permit in state.permits.permits.values():
        if permit.status not in FINAL:
            needed.add(permit.life.pack)
    for digest in packs.data.keys() - needed:
        del packs.data[digest]
