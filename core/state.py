"""The site's state: a fold of the journal, shared by core and its replicas.

Each room keeps its part in ``core/<room>/state.py`` with the folds of its own
events; this module only joins them, so importing it loads every fold.
"""

import msgspec

import core.permits.life_folds  # noqa: F401 (its folds register themselves)
from core.alarms.state import AlarmsState
from core.logic.state import RunsState
from core.people.state import PeopleState
from core.permits.state import PermitsState
from core.processes.state import HubState
from core.registry.state import RegistryState
from core.response.state import ResponseState


class SiteState(msgspec.Struct, kw_only=True):
    """Hold everything the journal has told; rebuilt by replay, cached by snapshot."""

    epoch: int = 0
    seq: int = 0
    hub: HubState = msgspec.field(default_factory=HubState)
    registry: RegistryState = msgspec.field(default_factory=RegistryState)
    alarms: AlarmsState = msgspec.field(default_factory=AlarmsState)
    permits: PermitsState = msgspec.field(default_factory=PermitsState)
    people: PeopleState = msgspec.field(default_factory=PeopleState)
    response: ResponseState = msgspec.field(default_factory=ResponseState)
    runs: RunsState = msgspec.field(default_factory=RunsState)
    unknown_protective: dict[str, str] = {}
    """Events of a newer release that protect: type and zone → zone id or ''."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SiteState)


def dump(state: SiteState) -> bytes:
    """Return the state's bytes for a snapshot."""
    return _encoder.encode(state)


def load(data: bytes) -> SiteState:
    """Return the state of a snapshot; raises msgspec.MsgspecError."""
    return _decoder.decode(data)
