"""Gas tests and records of a permit, and the site's switch for oxygen."""

import msgspec

from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


class GasSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Record one sample with all that says how far it can be believed."""

    gas: str
    place: str = ""
    """upper, middle, lower, inside, outside; '' for a record of what hangs there."""
    value: float
    unit: str
    verdict: str
    """`core.permits.gas_limits.Verdict`, by the pack's limit of this gas."""
    evidence: bool
    """True: from a GOOD, calibrated meter, or typed and marked so."""
    measured: Deadline
    """When it was sampled, as a deadline of no length."""
    quality: int
    reason: str = ""
    entity_id: str = ""
    device_id: str = ""
    typed: bool = False
    """A fallback: written down by hand, from ``instrument``."""
    instrument: str = ""
    calibration: str = ""
    """in_date, due, overdue, failed, none or unknown at this moment."""
    bump: str = ""
    calibrated_to: str = ""
    """Last day of the meter's calibration, as an ISO date."""
    certificate: str = ""
    note: str = ""

    @property
    def counts(self) -> bool:
        """Say whether it stands as a test; what failed always does."""
        return self.evidence or self.verdict == "failed"


class GasEvent(Event, frozen=True, kw_only=True):
    """Base of what was measured for a permit."""

    permit_id: str
    samples: tuple[GasSample, ...]


@event("permit.gas_tested")
class GasTested(GasEvent, frozen=True, kw_only=True):
    """An analyst tested the gas of a permit; each sample carries its verdict."""

    test_id: str
    person_id: str
    cause: str = ""
    """Why oxygen lay above its clause, in the analyst's words."""


@event("permit.gas_recorded")
class GasRecorded(GasEvent, frozen=True, kw_only=True):
    """The hub recorded the continuous meters' GOOD readings (GB 30871 6.5)."""


@event("permit.gases_named")
class GasesNamed(Event, frozen=True, kw_only=True):
    """The analysis named the gases that a permit's tests must cover."""

    permit_id: str
    gases: tuple[str, ...]
    person_id: str


@event("gas.oxygen_check_allowed", effect=Effect.PERMISSIVE)
class OxygenCheckAllowed(Event, frozen=True, kw_only=True):
    """Two persons let oxygen above its clause pass once its cause is written down."""

    person_id: str
    reason: str


@event("gas.oxygen_check_ended", effect=Effect.PROTECTIVE)
class OxygenCheckEnded(Event, frozen=True, kw_only=True):
    """Oxygen above its clause fails again."""

    reason: str
    person_id: str = ""
