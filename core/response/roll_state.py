"""Running roll calls, visitors and drills.

Drills lie apart from evacuations, so that nothing which asks for evacuations, such
as a permit's interlock, can take a drill for one (design §5 Alarms).
"""

from typing import TYPE_CHECKING

import msgspec

from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline, moment
from core.journal.envelope import Envelope
from core.journal.fold import folds
from core.response.events import (
    EvacuationCleared,
    EvacuationExtended,
    EvacuationLate,
    EvacuationReopened,
    EvacuationStarted,
    RollChanged,
    RosterLine,
)
from core.response.roll_events import (
    DrillAttacked,
    DrillDue,
    DrillEnded,
    DrillStarted,
    MusterChanged,
    RetestVoided,
    VisitorSignedIn,
    VisitorSignedOut,
    ZoneRetested,
)
from core.site.leaving import Attack

if TYPE_CHECKING:
    from core.state import SiteState

#: A drill ends by itself after this.
DRILL_MAX_S = 7200.0
_KEEP_CLEARED = 20
_KEEP_DRILLS = 20


class RollLine(msgspec.Struct, kw_only=True):
    """Hold one person of a roll call, or some counted by number."""

    person_id: str
    zone_id: str | None
    certain: bool
    status: str = "missing"
    method: str = ""
    by: str = ""
    at_wall_ns: int = 0
    late: bool = False
    count: int = 1
    seen: int = 0
    """How many of them were counted."""
    joined_wall_ns: int = 0
    """When they came onto a roll call that ran already."""


class DrillFacts(msgspec.Struct, kw_only=True):
    """Hold what makes an evacuation a drill."""

    until: Deadline
    plan: str = ""
    by: str = ""
    attacks: list[Attack] = []
    done: list[int] = []
    """Numbers of the attacks that came."""
    on_site: list[str] = []
    target_s: float = 600.0
    target_share: float = 90.0
    why: str = ""
    """Why it ended; '' while it runs."""

    def hidden(self) -> set[str]:
        """Return who hides."""
        return {self.attacks[n].person for n in self.done} - {""}

    def blocked(self) -> set[str]:
        """Return the muster points that are blocked."""
        return {self.attacks[n].muster for n in self.done} - {""}


class EvacuationRecord(msgspec.Struct, kw_only=True):
    """Hold one evacuation until it is cleared, or one drill until it is over."""

    id: str
    zones: list[str]
    code: str
    params: dict[str, Value]
    muster_points: list[str]
    late: Deadline | None
    mark: str
    started_wall_ns: int
    started_mono_ns: int
    roll: dict[str, RollLine]
    late_called: bool = False
    cleared_wall_ns: int = 0
    cleared_by: str = ""
    asked: list[str] = []
    """Zones that were asked for; the others came with them."""
    gases: dict[str, list[str]] = {}
    """Zone → gases whose alarm called people out: they must be proven there."""
    refused: dict[str, str] = {}
    """Muster point → why it is not offered."""
    wind: str = ""
    retests: dict[str, Deadline] = {}
    """Zone → when a portable meter proved it acceptable."""
    drill: DrillFacts | None = None
    first_seq: int = 0
    last_seq: int = 0
    """Events of the journal between which it ran; 0 while it runs."""


class VisitorRecord(msgspec.Struct, kw_only=True):
    """Hold people without a tag who are on site."""

    badge: str
    count: int
    zone_id: str
    host_id: str
    since_wall_ns: int
    by: str


class DrilledRecord(msgspec.Struct, kw_only=True):
    """Hold when a plan's drill was held last, and of which due day was told."""

    held: Deadline | None = None
    wall_ns: int = 0
    told: int | None = None


def _find(state: "SiteState", evacuation_id: str) -> EvacuationRecord | None:
    return state.response.call(evacuation_id)


def _lines(roster: tuple[RosterLine, ...], joined: int = 0) -> dict[str, RollLine]:
    return {
        line.person_id: RollLine(
            person_id=line.person_id,
            zone_id=line.zone_id,
            certain=line.certain,
            count=line.count,
            joined_wall_ns=joined,
        )
        for line in roster
    }


def _prune(found: dict[str, EvacuationRecord], keep: int) -> None:
    done = [each for each in found.values() if each.cleared_wall_ns]
    for old in done[: max(0, len(done) - keep)]:
        del found[old.id]


@folds(EvacuationStarted)
def _started(state: "SiteState", body: EvacuationStarted, envelope: Envelope) -> None:
    marked = bool(body.mark)
    found = state.response.drills if marked else state.response.evacuations
    until = moment(envelope)
    found[body.evacuation_id] = EvacuationRecord(
        id=body.evacuation_id,
        zones=list(body.zones),
        code=body.code,
        params=dict(body.params),
        muster_points=list(body.muster_points),
        late=body.late,
        mark=body.mark,
        started_wall_ns=envelope.wall_ns,
        started_mono_ns=envelope.mono_ns,
        roll=_lines(body.roster),
        asked=list(body.asked or body.zones),
        gases={zone: list(gases) for zone, gases in body.gases.items()},
        refused=dict(body.refused),
        wind=body.wind,
        drill=DrillFacts(
            until=msgspec.structs.replace(
                until, duration_ns=int(DRILL_MAX_S * NS), protective=False
            )
        )
        if marked
        else None,
        first_seq=envelope.seq,
    )


@folds(EvacuationExtended)
def _extended(state: "SiteState", body: EvacuationExtended, envelope: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is None:
        return
    record.zones += [zone for zone in body.zones if zone not in record.zones]
    for person_id, line in _lines(body.roster, envelope.wall_ns).items():
        record.roll.setdefault(person_id, line)
    for zone_id, gases in body.gases.items():
        known = record.gases.setdefault(zone_id, [])
        known += [gas for gas in gases if gas not in known]
    if body.late is not None:
        record.late, record.late_called = body.late, False


@folds(MusterChanged)
def _muster(state: "SiteState", body: MusterChanged, _: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is not None:
        record.muster_points = list(body.offered)
        record.refused, record.wind = dict(body.refused), body.wind


@folds(RollChanged)
def _roll(state: "SiteState", body: RollChanged, envelope: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    line = record.roll.get(body.person_id) if record else None
    if line is not None:
        line.status, line.method, line.by = body.status, body.method, body.by
        line.at_wall_ns = envelope.wall_ns
        line.seen = body.seen


@folds(EvacuationLate)
def _late(state: "SiteState", body: EvacuationLate, _: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is not None:
        record.late_called = True
        for person_id in body.missing:
            if person_id in record.roll:
                record.roll[person_id].late = True


@folds(ZoneRetested)
def _retested(state: "SiteState", body: ZoneRetested, envelope: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is not None:
        record.retests[body.zone_id] = moment(envelope)


@folds(RetestVoided)
def _voided(state: "SiteState", body: RetestVoided, _: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is not None:
        for zone_id in body.zones:
            record.retests.pop(zone_id, None)


@folds(EvacuationCleared)
def _cleared(state: "SiteState", body: EvacuationCleared, envelope: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is not None:
        record.cleared_wall_ns, record.cleared_by = envelope.wall_ns, body.person_id
        record.last_seq = envelope.seq
        _prune(state.response.evacuations, _KEEP_CLEARED)


@folds(EvacuationReopened)
def _reopened(state: "SiteState", body: EvacuationReopened, _: Envelope) -> None:
    record = _find(state, body.evacuation_id)
    if record is not None:
        record.cleared_wall_ns, record.cleared_by, record.last_seq = 0, "", 0


# --- visitors ---------------------------------------------------------------------


@folds(VisitorSignedIn)
def _in(state: "SiteState", body: VisitorSignedIn, envelope: Envelope) -> None:
    state.response.visitors[body.badge] = VisitorRecord(
        badge=body.badge,
        count=body.count,
        zone_id=body.zone_id,
        host_id=body.host_id,
        since_wall_ns=envelope.wall_ns,
        by=body.by,
    )


@folds(VisitorSignedOut)
def _out(state: "SiteState", body: VisitorSignedOut, _: Envelope) -> None:
    state.response.visitors.pop(body.badge, None)


# --- drills -----------------------------------------------------------------------


@folds(DrillStarted)
def _drill(state: "SiteState", body: DrillStarted, _: Envelope) -> None:
    record = state.response.drills.get(body.evacuation_id)
    if record is not None and record.drill is not None:
        facts = record.drill
        facts.plan, facts.by = body.plan, body.by
        facts.attacks, facts.on_site = list(body.attacks), list(body.on_site)
        facts.target_s, facts.target_share = body.target_s, body.target_share


@folds(DrillAttacked)
def _attacked(state: "SiteState", body: DrillAttacked, _: Envelope) -> None:
    record = state.response.drills.get(body.evacuation_id)
    if record is not None and record.drill is not None:
        record.drill.done.append(body.number)


@folds(DrillEnded)
def _over(state: "SiteState", body: DrillEnded, envelope: Envelope) -> None:
    record = state.response.drills.get(body.evacuation_id)
    if record is None or record.drill is None:
        return
    record.cleared_wall_ns, record.cleared_by = envelope.wall_ns, body.by
    record.last_seq, record.drill.why = envelope.seq, body.why
    if body.why == "person" and record.drill.plan:
        state.response.drilled[record.drill.plan] = DrilledRecord(
            held=moment(envelope), wall_ns=envelope.wall_ns
        )
    _prune(state.response.drills, _KEEP_DRILLS)


@folds(DrillDue)
def _due(state: "SiteState", body: DrillDue, _: Envelope) -> None:
    known = state.response.drilled.setdefault(body.plan, DrilledRecord())
    known.told = body.days
