"""Which stop-work orders and weather warnings stand."""

from typing import TYPE_CHECKING

import msgspec

from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.surroundings_events import (
    StopOrder,
    WeatherWarned,
    WeatherWarning,
    WeatherWarningEnded,
    WorkAllowed,
    WorkStopped,
)

if TYPE_CHECKING:
    from core.state import SiteState


class SurroundingsState(msgspec.Struct, kw_only=True):
    """Hold what persons said of the site as a whole."""

    stops: dict[str, StopOrder] = {}
    warnings: dict[str, WeatherWarning] = {}
    """Kind of weather → the warning; its time may have passed."""


@folds(WorkStopped)
def _stopped(state: "SiteState", body: WorkStopped, _: Envelope) -> None:
    state.permits.surroundings.stops[body.order.id] = body.order


@folds(WorkAllowed)
def _allowed(state: "SiteState", body: WorkAllowed, _: Envelope) -> None:
    state.permits.surroundings.stops.pop(body.order.id, None)


@folds(WeatherWarned)
def _warned(state: "SiteState", body: WeatherWarned, _: Envelope) -> None:
    state.permits.surroundings.warnings[body.warning.kind] = body.warning


@folds(WeatherWarningEnded)
def _ended(state: "SiteState", body: WeatherWarningEnded, _: Envelope) -> None:
    state.permits.surroundings.warnings.pop(body.warning.kind, None)
