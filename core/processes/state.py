"""The hub's own state: epoch, armed bundle, last stop."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.processes.events import (
    ClockStepped,
    ConfigArmed,
    ConfigRefused,
    HubStarted,
    HubStopped,
    JournalBroken,
    PowerBack,
    PowerEnding,
)
from core.registry.events import DeviceReported

if TYPE_CHECKING:
    from core.state import SiteState


class HubState(msgspec.Struct, kw_only=True):
    """Hold what the hub knows of itself."""

    id: str = ""
    """Id of the journal's first start: it names this hub in what people sign."""
    version: str = ""
    running: bool = False
    """True from hub.started to hub.stopped: still True at boot means unclean."""
    started_wall_ns: int = 0
    config_hash: str = ""
    previous_config_hash: str = ""
    refused_config_hash: str = ""
    clock_steps: int = 0
    reported: dict[str, int] = {}
    """Ids of the last device events and their seq: a repeat is harmless."""
    damages: list[tuple[int, int]] = []
    """(segment, frame) of the damage to the journal that was told."""
    power_end: Deadline | None = None
    """When the power is known to end; None while it stays, and after a start."""


#: Device events that are remembered; a broker repeats only what is younger.
KEPT_REPORTS = 2_000


@folds(HubStarted)
def _started(state: "SiteState", body: HubStarted, envelope: Envelope) -> None:
    state.hub.id = state.hub.id or envelope.id
    state.hub.version, state.hub.running = body.version, True
    state.hub.started_wall_ns = envelope.wall_ns
    state.hub.power_end = None


@folds(PowerEnding)
def _power_ending(state: "SiteState", body: PowerEnding, _: Envelope) -> None:
    state.hub.power_end = body.until


@folds(PowerBack)
def _power_back(state: "SiteState", _body: PowerBack, _: Envelope) -> None:
    state.hub.power_end = None


@folds(HubStopped)
def _stopped(state: "SiteState", _body: HubStopped, _: Envelope) -> None:
    state.hub.running = False


@folds(ConfigArmed)
def _armed(state: "SiteState", body: ConfigArmed, _: Envelope) -> None:
    if body.hash != state.hub.config_hash:
        state.hub.previous_config_hash = state.hub.config_hash
    state.hub.config_hash, state.hub.refused_config_hash = body.hash, ""


@folds(ConfigRefused)
def _refused(state: "SiteState", body: ConfigRefused, _: Envelope) -> None:
    hub = state.hub
    hub.refused_config_hash = body.hash
    if body.restored is not None:
        hub.config_hash = body.restored
        if hub.previous_config_hash == body.restored:
            hub.previous_config_hash = ""
    elif body.hash == hub.config_hash:
        # What was armed could not be kept or read: the last good one is in force.
        hub.config_hash, hub.previous_config_hash = hub.previous_config_hash, ""


@folds(DeviceReported)
def _reported(state: "SiteState", body: DeviceReported, envelope: Envelope) -> None:
    if body.event_id:
        reported = state.hub.reported
        reported[body.event_id] = envelope.seq
        if len(reported) > KEPT_REPORTS:
            del reported[next(iter(reported))]


@folds(JournalBroken)
def _broken(state: "SiteState", body: JournalBroken, _: Envelope) -> None:
    state.hub.damages.append((body.segment, body.frame))


@folds(ClockStepped)
def _stepped(state: "SiteState", _body: ClockStepped, _: Envelope) -> None:
    state.hub.clock_steps += 1
