"""The hub's own state: epoch, armed bundle, last stop."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.processes.events import (
    ClockStepped,
    ConfigApproved,
    ConfigArmed,
    ConfigRefused,
    ConfigRejected,
    ConfigSubmitted,
    HubStarted,
    HubStopped,
    JournalBroken,
    PowerBack,
    PowerEnding,
    RuleUpgraded,
)
from core.registry.events import DeviceReported

if TYPE_CHECKING:
    from core.state import SiteState


#: Reviews that are remembered; the oldest is forgotten first.
KEPT_REVIEWS = 50
#: Bundles whose approved rules are remembered: the one in force, and the way back.
KEPT_APPROVED = 3


class Review(msgspec.Struct, kw_only=True):
    """Hold what was said about a submitted bundle; ``signed``: by a device's key."""

    base: str
    by: str
    signed: bool
    note: str = ""
    wall_ns: int = 0
    approved_by: str = ""
    approved_signed: bool = False
    rejected_by: str = ""
    answer: str = ""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """Say where an instance's version before the present one stands."""

    bundle: str
    version: str
    hash: str


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
    approved: dict[str, dict[str, str]] = {}
    """Bundle → rule → hash, as approved at its arming (R8)."""
    reviews: dict[str, Review] = {}
    """Bundle → what persons said of it before it is armed."""
    earlier: dict[str, Earlier] = {}
    """Rule → its version before: one step back."""
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
    approved = state.hub.approved
    approved.pop(body.hash, None)
    approved[body.hash] = dict(body.rules)
    while len(approved) > KEPT_APPROVED:
        del approved[next(iter(approved))]


@folds(ConfigSubmitted)
def _submitted(state: "SiteState", body: ConfigSubmitted, envelope: Envelope) -> None:
    reviews = state.hub.reviews
    reviews.pop(body.hash, None)
    reviews[body.hash] = Review(
        base=body.base,
        by=body.by,
        signed=envelope.cause.proof is not None,
        note=body.note,
        wall_ns=envelope.wall_ns,
    )
    while len(reviews) > KEPT_REVIEWS:
        del reviews[next(iter(reviews))]


@folds(ConfigApproved)
def _approved(state: "SiteState", body: ConfigApproved, envelope: Envelope) -> None:
    review = state.hub.reviews.get(body.hash)
    if review is not None:
        review.approved_by, review.answer = body.by, body.note
        review.approved_signed = envelope.cause.proof is not None


@folds(ConfigRejected)
def _rejected(state: "SiteState", body: ConfigRejected, _: Envelope) -> None:
    review = state.hub.reviews.get(body.hash)
    if review is not None:
        review.approved_by, review.approved_signed = "", False
        review.rejected_by, review.answer = body.by, body.note


@folds(RuleUpgraded)
def _upgraded(state: "SiteState", body: RuleUpgraded, _: Envelope) -> None:
    state.hub.earlier[body.rule] = Earlier(
        bundle=body.was_bundle, version=body.was_version, hash=body.was_hash
    )


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
