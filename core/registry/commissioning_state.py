"""Each zone's sheet of causes and effects, as the journal tells it."""

from typing import TYPE_CHECKING

import msgspec

from core.api.reading import Value
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.registry.commissioning_events import (
    CommissionBegun,
    CommissionEnded,
    CommissionLapsed,
    CommissionSigned,
    GasApplied,
    LineTicked,
    LineUnticked,
)

if TYPE_CHECKING:
    from core.state import SiteState


class Tick(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Hold how one line was shown."""

    stamp: str
    person_id: str
    wall_ns: int
    evidence: tuple[str, ...] = ()
    value: Value = None
    note: str = ""


class ZoneSheet(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Hold what was shown of one zone."""

    begun_by: str = ""
    """Who tests it now; '' while nobody does."""
    begun_wall_ns: int = 0
    under: str = ""
    """Detector that has test gas."""
    under_mono_ns: int = 0
    boot_id: str = ""
    gas: str = ""
    ticks: dict[str, Tick] = {}
    """``entity/step`` → how it was shown."""
    signed_by: str = ""
    """Who signed it as it stands; '' while it is not protected."""
    signed_wall_ns: int = 0
    sheet: str = ""
    """Fingerprint of what was signed."""
    lapsed: str = ""
    """Why it is not protected any more; '' when it never was or still is."""
    changed: tuple[str, ...] = ()
    lapsed_wall_ns: int = 0


def _sheet(state: "SiteState", zone_id: str) -> ZoneSheet:
    return state.registry.commissioning.setdefault(zone_id, ZoneSheet())


@folds(CommissionBegun)
def _begun(state: "SiteState", body: CommissionBegun, envelope: Envelope) -> None:
    sheet = _sheet(state, body.zone_id)
    sheet.begun_by, sheet.begun_wall_ns = body.person_id, envelope.wall_ns
    sheet.under, sheet.gas = "", ""


@folds(GasApplied)
def _gassed(state: "SiteState", body: GasApplied, envelope: Envelope) -> None:
    sheet = _sheet(state, body.zone_id)
    sheet.under, sheet.gas = body.entity_id, body.gas
    sheet.under_mono_ns, sheet.boot_id = envelope.mono_ns, envelope.boot_id
    # What an earlier test showed of this detector does not count beside this one.
    for key in [k for k in sheet.ticks if k.startswith(f"{body.entity_id}/")]:
        del sheet.ticks[key]


@folds(LineTicked)
def _ticked(state: "SiteState", body: LineTicked, envelope: Envelope) -> None:
    _sheet(state, body.zone_id).ticks[f"{body.entity_id}/{body.step}"] = Tick(
        stamp=body.stamp,
        person_id=body.person_id,
        wall_ns=envelope.wall_ns,
        evidence=body.evidence,
        value=body.value,
        note=body.note,
    )


@folds(LineUnticked)
def _unticked(state: "SiteState", body: LineUnticked, _: Envelope) -> None:
    _sheet(state, body.zone_id).ticks.pop(f"{body.entity_id}/{body.step}", None)


@folds(CommissionSigned)
def _signed(state: "SiteState", body: CommissionSigned, envelope: Envelope) -> None:
    sheet = _sheet(state, body.zone_id)
    sheet.signed_by, sheet.signed_wall_ns = body.person_id, envelope.wall_ns
    sheet.sheet, sheet.lapsed, sheet.changed = body.sheet, "", ()
    sheet.begun_by, sheet.under, sheet.gas = "", "", ""


@folds(CommissionLapsed)
def _lapsed(state: "SiteState", body: CommissionLapsed, envelope: Envelope) -> None:
    sheet = _sheet(state, body.zone_id)
    sheet.signed_by, sheet.lapsed = "", body.code
    sheet.changed, sheet.lapsed_wall_ns = body.what, envelope.wall_ns


@folds(CommissionEnded)
def _ended(state: "SiteState", body: CommissionEnded, _: Envelope) -> None:
    sheet = _sheet(state, body.zone_id)
    sheet.begun_by, sheet.under, sheet.gas = "", "", ""
