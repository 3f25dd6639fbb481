"""State is a fold of the journal: one pure function per event type."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.journal.envelope import Effect, Envelope
from core.journal.events import Event, Unknown, decode_body

if TYPE_CHECKING:
    from core.state import SiteState

#: Raise it when a fold changes meaning: older snapshots are then ignored.
FOLD_VERSION = 4

Fold = Callable[["SiteState", Any, Envelope], None]
_FOLDS: dict[type[Event], Fold] = {}


def folds(kind: type[Event]) -> Callable[[Fold], Fold]:
    """Register the fold of one event type; it must be pure of clock and disk."""

    def register(step: Fold) -> Fold:
        if kind in _FOLDS:
            raise ValueError(f"{kind.name_} has two folds")
        _FOLDS[kind] = step
        return step

    return register


def apply(state: "SiteState", body: Event, envelope: Envelope) -> None:
    """Fold one event into the state, in journal order."""
    state.epoch, state.seq = envelope.epoch, envelope.seq
    if isinstance(body, Unknown):
        if envelope.effect is Effect.PROTECTIVE:
            zone = body.zone_id or ""
            state.unknown_protective[f"{body.name} {zone}".rstrip()] = zone
        return
    step = _FOLDS.get(type(body))
    if step is not None:
        step(state, body, envelope)
    if envelope.cause.proof is not None:
        state.people.keys.used(envelope.cause)


def part(state: Any, body: Event, envelope: Envelope) -> None:
    """Fold one event into a state that may hold no more than its own room's part."""
    step = _FOLDS.get(type(body))
    if step is not None:
        step(state, body, envelope)


def replay(state: "SiteState", envelope: Envelope) -> Event:
    """Decode and fold one stored envelope; returns the event."""
    body = decode_body(envelope)
    apply(state, body, envelope)
    return body
