"""What the gas tests of a permit left behind.

Imports nothing of `core.permits.state`, which holds a `GasState` in each permit.
"""

from typing import TYPE_CHECKING

import msgspec

from core.deadlines import Deadline, moment
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.permits.gas_tests_events import (
    GasesNamed,
    GasRecorded,
    GasSample,
    GasTested,
    OxygenCheckAllowed,
    OxygenCheckEnded,
)

if TYPE_CHECKING:
    from core.state import SiteState


class GasRecord(msgspec.Struct, kw_only=True):
    """Hold one test, or one automatic record (nobody's, then)."""

    seq: int
    wall_ns: int
    samples: tuple[GasSample, ...]
    person_id: str = ""
    cause: str = ""


class Latest(msgspec.Struct, kw_only=True):
    """Hold the newest sample of a gas at a place that counts."""

    sample: GasSample
    seq: int
    cause: str = ""


class GasState(msgspec.Struct, kw_only=True):
    """Hold the gas tests of one permit."""

    named: list[str] = []
    """Gases that the analysis names."""
    tests: list[GasRecord] = []
    latest: dict[str, Latest] = {}
    """'gas/place' → the newest sample that counts."""
    recorded: Deadline | None = None
    """When the gas was last recorded, by the hub or by hand."""


class GasSite(msgspec.Struct, kw_only=True):
    """Hold the site's switch: oxygen above its clause passes with a cause (G3)."""

    oxygen_check: bool = False
    reason: str = ""
    since_wall_ns: int = 0


@folds(GasTested)
def _tested(state: "SiteState", body: GasTested, envelope: Envelope) -> None:
    permit = state.permits.permits.get(body.permit_id)
    if permit is None:
        return
    permit.version += 1
    record = GasRecord(
        seq=envelope.seq,
        wall_ns=envelope.wall_ns,
        samples=body.samples,
        person_id=body.person_id,
        cause=body.cause,
    )
    permit.gas.tests.append(record)
    for sample in body.samples:
        if sample.counts:
            key = f"{sample.gas}/{sample.place}"
            latest = Latest(sample=sample, seq=envelope.seq, cause=body.cause)
            permit.gas.latest[key] = latest
    if all(sample.counts for sample in body.samples):
        permit.gas.recorded = moment(envelope)


@folds(GasRecorded)
def _recorded(state: "SiteState", body: GasRecorded, envelope: Envelope) -> None:
    permit = state.permits.permits.get(body.permit_id)
    if permit is not None:
        record = GasRecord(
            seq=envelope.seq, wall_ns=envelope.wall_ns, samples=body.samples
        )
        permit.gas.tests.append(record)
        permit.gas.recorded = moment(envelope)


@folds(GasesNamed)
def _named(state: "SiteState", body: GasesNamed, _: Envelope) -> None:
    permit = state.permits.permits.get(body.permit_id)
    if permit is not None:
        permit.version += 1
        permit.gas.named = list(body.gases)


@folds(OxygenCheckAllowed)
def _allowed(state: "SiteState", body: OxygenCheckAllowed, at: Envelope) -> None:
    state.permits.gas = GasSite(
        oxygen_check=True, reason=body.reason, since_wall_ns=at.wall_ns
    )


@folds(OxygenCheckEnded)
def _ended(state: "SiteState", body: OxygenCheckEnded, at: Envelope) -> None:
    state.permits.gas = GasSite(reason=body.reason, since_wall_ns=at.wall_ns)
