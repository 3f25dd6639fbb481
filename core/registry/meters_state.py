"""Calibration and bump tests of each device, as the journal tells them."""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline, moment
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.registry.meters_events import (
    BumpFailed,
    BumpPassed,
    BumpWithdrawn,
    Calibration,
    CalibrationWithdrawn,
    MeterCalibrated,
)

if TYPE_CHECKING:
    from core.state import SiteState


class MeterRecord(msgspec.Struct, kw_only=True):
    """Hold what is on record of one device."""

    calibration: Calibration | None = None
    calibrated: Deadline | None = None
    """When it was recorded, as a deadline of no length."""
    bumps: dict[str, Deadline] = {}
    """Gas → when its sensor last answered."""
    failed: dict[str, int] = {}
    """Gas → wall ns of a bump test failed since the last calibration."""


def _meter(state: "SiteState", device_id: str) -> MeterRecord:
    return state.registry.meters.setdefault(device_id, MeterRecord())


@folds(MeterCalibrated)
def _calibrated(state: "SiteState", body: MeterCalibrated, envelope: Envelope) -> None:
    meter = _meter(state, body.device_id)
    meter.calibration, meter.calibrated = body.calibration, moment(envelope)
    # What failed must show again that it answers, where bump tests are demanded.
    for gas in meter.failed:
        meter.bumps.pop(gas, None)
    meter.failed = {}


@folds(CalibrationWithdrawn)
def _withdrawn(state: "SiteState", body: CalibrationWithdrawn, _: Envelope) -> None:
    meter = _meter(state, body.device_id)
    meter.calibration, meter.calibrated = body.before, body.calibrated
    meter.failed = dict(body.failed)


@folds(BumpPassed)
def _passed(state: "SiteState", body: BumpPassed, envelope: Envelope) -> None:
    _meter(state, body.device_id).bumps[body.gas] = moment(envelope)


@folds(BumpWithdrawn)
def _bump_back(state: "SiteState", body: BumpWithdrawn, _: Envelope) -> None:
    _meter(state, body.device_id).bumps.pop(body.gas, None)


@folds(BumpFailed)
def _failed(state: "SiteState", body: BumpFailed, envelope: Envelope) -> None:
    meter = _meter(state, body.device_id)
    meter.failed[body.gas] = envelope.wall_ns
    meter.bumps.pop(body.gas, None)
