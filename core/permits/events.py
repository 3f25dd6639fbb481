"""Permit events; holds, re-tests and releases."""

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect
from core.journal.events import Event, event


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Say why a permit is held and what its release demands."""

    id: str
    code: str
    """Reason as a text code: gas, evacuation, guardian, restart_unverified, …"""
    source: str
    """Alarm, rule, interlock or person that asked for it."""
    retest: tuple[str, ...] = ()
    """Quantities that need a passing gas test after the hold began."""
    params: dict[str, Value] = {}


class GasTest(msgspec.Struct, frozen=True, kw_only=True):
    """Record one gas of a test: the meter's own reading, or a marked fallback."""

    quantity: str
    value: float | None
    """None when the meter had nothing to say: never passed."""
    unit: str
    entity_id: str
    """Meter's entity; empty when typed by hand (``typed`` is then True)."""
    quality: int
    measured_wall_ns: int
    passed: bool
    typed: bool = False


@event("permit.issued", effect=Effect.PERMISSIVE)
class PermitIssued(Event, frozen=True, kw_only=True):
    """A permit of a kind is active for people in a zone."""

    permit_id: str
    kind: str
    zone_id: str
    title: str
    issuer_id: str
    supervisor_id: str
    guardian_id: str
    workers: tuple[str, ...]
    linked: tuple[str, ...]
    valid: Deadline
    tests: tuple[GasTest, ...] = ()


@event("permit.held", effect=Effect.PROTECTIVE)
class PermitHeld(Event, frozen=True, kw_only=True):
    """One more hold lies on a permit; its kind's safe-state order goes out."""

    permit_id: str
    hold: Hold
    safe_state: str = ""
    """Text code of the safe-state order: leave, land_load, descend, …"""

    def merge_key(self) -> str:
        """Name the hold and not the permit: one hold never stands for another."""
        hold = self.hold
        return " ".join((self.permit_id, hold.code, hold.source, *hold.retest))


@event("permit.retested")
class PermitRetested(Event, frozen=True, kw_only=True):
    """A gas test was made for the holds of a permit, passed or not."""

    permit_id: str
    person_id: str
    tests: tuple[GasTest, ...]


@event("permit.released", effect=Effect.PERMISSIVE)
class PermitReleased(Event, frozen=True, kw_only=True):
    """An authorised person released holds whose re-test passed."""

    permit_id: str
    hold_ids: tuple[str, ...]
    person_id: str
    reason: str


@event("permit.verifying", effect=Effect.PROTECTIVE)
class PermitVerifying(Event, frozen=True, kw_only=True):
    """A clean restart: the permit waits ≤ 60 s for fresh GOOD evidence."""

    permit_id: str
    until: Deadline


@event("permit.verified", effect=Effect.PERMISSIVE)
class PermitVerified(Event, frozen=True, kw_only=True):
    """Fresh GOOD evidence came in time after a clean restart."""

    permit_id: str


@event("permit.expired", effect=Effect.PROTECTIVE)
class PermitExpired(Event, frozen=True, kw_only=True):
    """Validity passed; monitoring and head count go on until nobody is inside."""

    permit_id: str
    why: str = ""
    """late_unknown: after a stop nobody could tell whether it had passed."""


@event("permit.closed")
class PermitClosed(Event, frozen=True, kw_only=True):
    """Work is finished, people are counted out, the permit is closed."""

    permit_id: str
    person_id: str
    outcome: str = "completed"
    """completed or cancelled."""
