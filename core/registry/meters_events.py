"""What persons say of a meter: calibrated, bump-tested (domain D1–D4)."""

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a calibration: last day it counts, certificate, who did it."""

    valid_to: str
    """Last day of the site that it counts, as an ISO date."""
    certificate: str
    by: str
    """Laboratory or person that calibrated."""


@event("meter.calibrated", effect=Effect.PERMISSIVE)
class MeterCalibrated(Event, frozen=True, kw_only=True):
    """A device was calibrated; a failed bump test ends with it."""

    device_id: str
    calibration: Calibration
    person_id: str


@event("meter.calibration_withdrawn", effect=Effect.PROTECTIVE)
class CalibrationWithdrawn(Event, frozen=True, kw_only=True):
    """A calibration that never became durable counts no more; ``before`` stands."""

    device_id: str
    before: Calibration | None = None
    calibrated: Deadline | None = None
    failed: dict[str, int] = {}
    """Bump tests that it had ended: gas → wall ns."""


class BumpEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one gas of one device."""

    device_id: str
    gas: str

    def index_key(self) -> str:
        """Name device and gas: two sensors of one device are never coalesced."""
        return f"{self.device_id}/{self.gas}"


@event("meter.bump_passed", effect=Effect.PERMISSIVE)
class BumpPassed(BumpEvent, frozen=True, kw_only=True):
    """A sensor answered to test gas."""

    person_id: str


@event("meter.bump_withdrawn", effect=Effect.PROTECTIVE)
class BumpWithdrawn(BumpEvent, frozen=True, kw_only=True):
    """A bump test that never became durable counts no more."""


@event("meter.bump_failed", effect=Effect.PROTECTIVE)
class BumpFailed(BumpEvent, frozen=True, kw_only=True):
    """A sensor did not answer to test gas: the device proves nothing any more."""

    person_id: str
