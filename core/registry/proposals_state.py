"""Which findings are ignored, as the journal tells it."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.registry.proposals_events import FindingIgnored, FindingRecalled

if TYPE_CHECKING:
    from core.state import SiteState


class IgnoredRecord(msgspec.Struct, kw_only=True):
    """Hold one ignored finding; it is known by any of its keys."""

    key: str
    keys: tuple[str, ...] = ()
    name: str = ""
    by: str = ""
    wall_ns: int = 0


@folds(FindingIgnored)
def _ignored(state: "SiteState", body: FindingIgnored, envelope: Envelope) -> None:
    state.registry.ignored[body.key] = IgnoredRecord(
        key=body.key,
        keys=body.keys,
        name=body.name,
        by=envelope.cause.actor,
        wall_ns=envelope.wall_ns,
    )


@folds(FindingRecalled)
def _recalled(state: "SiteState", body: FindingRecalled, _: Envelope) -> None:
    state.registry.ignored.pop(body.key, None)
