"""Inspection rounds and filled checklists: their events, and what folds leave."""

from typing import TYPE_CHECKING, Final

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event, event
from core.journal.fold import folds

if TYPE_CHECKING:
    from core.state import SiteState

#: Ended rounds, and signed sheets, that stay at hand; the journal has them all.
_KEEP: Final = 50


@event("round.opened", effect=Effect.PROTECTIVE)
class RoundOpened(Event, frozen=True, kw_only=True):
    """A round is to be walked until its time is over."""

    round_run: str
    round: str
    points: tuple[str, ...]
    due: Deadline
    next: Deadline | None = None
    """When the next one is opened; None: a person begins it."""
    by: str = ""

    def index_key(self) -> str:
        """Name the walk."""
        return f"round:{self.round_run}"


@event("round.scanned")
class RoundScanned(Event, frozen=True, kw_only=True):
    """A person was at a point, or says so: ``proven`` tells which."""

    round_run: str
    point: str
    by: str
    proven: bool
    method: str = ""
    """How the place is proven: uwb, gate, nfc, qr, ble, gnss."""
    why: str = ""
    """Why it is not: as `core.people.places` tells it."""
    in_order: bool = True
    note: str = ""

    def index_key(self) -> str:
        """Name the point of the walk."""
        return f"round:{self.round_run}/{self.point}/{self.proven}"


@event("round.closed", effect=Effect.PROTECTIVE)
class RoundClosed(Event, frozen=True, kw_only=True):
    """A round is over; what was missed becomes a task."""

    round_run: str
    why: str
    """walked, person, late or late_unknown."""
    missed: tuple[str, ...] = ()
    by: str = ""

    def index_key(self) -> str:
        """Name the walk."""
        return f"round:{self.round_run}"


@event("sheet.filled", effect=Effect.PERMISSIVE)
class SheetFilled(Event, frozen=True, kw_only=True):
    """A person answered a checklist, in a version of it."""

    sheet: str
    checklist: str
    version: str
    by: str
    answers: dict[str, Value]
    bad: tuple[str, ...] = ()
    zone_id: str | None = None
    about: str = ""
    """round run/point, permit or alarm."""
    people: tuple[str, ...] = ()
    """Who was present, beside who filled it in."""
    owed: tuple[str, ...] = ()
    """Roles of whom one other person each must sign it."""
    due: Deadline | None = None
    note: str = ""

    def index_key(self) -> str:
        """Name the sheet."""
        return f"sheet:{self.sheet}"


@event("sheet.dropped", effect=Effect.PROTECTIVE)
class SheetDropped(Event, frozen=True, kw_only=True):
    """A sheet, or a signature of it, never became durable."""

    sheet: str
    by: str = ""
    """Whose signature it was; '' is the whole sheet."""


@event("sheet.signed", effect=Effect.PERMISSIVE)
class SheetSigned(Event, frozen=True, kw_only=True):
    """Another person signed a sheet: who takes the shift over, who was told."""

    sheet: str
    by: str
    role: str = ""
    """The signature that was owed; '' is one who was present."""

    def index_key(self) -> str:
        """Name the signature."""
        return f"sheet:{self.sheet}/{self.by}"


@event("sheet.overdue", effect=Effect.PROTECTIVE)
class SheetOverdue(Event, frozen=True, kw_only=True):
    """Nobody has signed a sheet in time, such as a shift that nobody took over."""

    sheet: str
    why: str

    def index_key(self) -> str:
        """Name the sheet."""
        return f"sheet:{self.sheet}"


class ScanRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what is known of a person at a point."""

    by: str
    wall_ns: int
    proven: bool
    method: str
    why: str
    in_order: bool
    note: str


class RoundRun(msgspec.Struct, kw_only=True):
    """Hold one walk of a round."""

    id: str
    round: str
    points: tuple[str, ...]
    due: Deadline
    opened_wall_ns: int
    scans: dict[str, ScanRecord] = {}
    closed_wall_ns: int = 0
    why: str = ""
    missed: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Say whether it can still be walked."""
        return not self.closed_wall_ns

    def left(self) -> tuple[str, ...]:
        """Return the points at which nobody is proven to have been, in order."""
        return tuple(
            point
            for point in self.points
            if point not in self.scans or not self.scans[point].proven
        )


class SheetRecord(msgspec.Struct, kw_only=True):
    """Hold one filled checklist until it is signed, and the last few after."""

    id: str
    checklist: str
    version: str
    by: str
    answers: dict[str, Value]
    bad: tuple[str, ...]
    zone_id: str | None
    about: str
    people: tuple[str, ...]
    owed: list[str]
    due: Deadline | None
    note: str
    filled_wall_ns: int
    signed: dict[str, str] = {}
    """Person → the role that they signed for."""
    late: bool = False


class RoundsState(msgspec.Struct, kw_only=True):
    """Hold rounds and sheets."""

    runs: dict[str, RoundRun] = {}
    next: dict[str, Deadline] = {}
    """Round → when it is opened again."""
    sheets: dict[str, SheetRecord] = {}


@folds(RoundOpened)
def _opened(state: "SiteState", body: RoundOpened, envelope: Envelope) -> None:
    rounds = state.response.rounds
    rounds.runs[body.round_run] = RoundRun(
        id=body.round_run,
        round=body.round,
        points=body.points,
        due=body.due,
        opened_wall_ns=envelope.wall_ns,
    )
    if body.next is not None:
        rounds.next[body.round] = body.next


@folds(RoundScanned)
def _scanned(state: "SiteState", body: RoundScanned, envelope: Envelope) -> None:
    run = state.response.rounds.runs.get(body.round_run)
    if run is not None:
        run.scans[body.point] = ScanRecord(
            by=body.by,
            wall_ns=envelope.wall_ns,
            proven=body.proven,
            method=body.method,
            why=body.why,
            in_order=body.in_order,
            note=body.note,
        )


@folds(RoundClosed)
def _closed(state: "SiteState", body: RoundClosed, envelope: Envelope) -> None:
    runs = state.response.rounds.runs
    run = runs.get(body.round_run)
    if run is None:
        return
    run.closed_wall_ns, run.why, run.missed = envelope.wall_ns, body.why, body.missed
    ended = [each for each in runs.values() if not each.open]
    for old in ended[: max(0, len(ended) - _KEEP)]:
        del runs[old.id]


@folds(SheetFilled)
def _filled(state: "SiteState", body: SheetFilled, envelope: Envelope) -> None:
    sheets = state.response.rounds.sheets
    sheets[body.sheet] = SheetRecord(
        id=body.sheet,
        checklist=body.checklist,
        version=body.version,
        by=body.by,
        answers=dict(body.answers),
        bad=body.bad,
        zone_id=body.zone_id,
        about=body.about,
        people=body.people,
        owed=list(body.owed),
        due=body.due,
        note=body.note,
        filled_wall_ns=envelope.wall_ns,
    )
    _forget(sheets)


def _forget(sheets: dict[str, SheetRecord]) -> None:
    whole = [each for each in sheets.values() if not each.owed]
    for old in whole[: max(0, len(whole) - _KEEP)]:
        del sheets[old.id]


@folds(SheetSigned)
def _signed(state: "SiteState", body: SheetSigned, _: Envelope) -> None:
    sheet = state.response.rounds.sheets.get(body.sheet)
    if sheet is None:
        return
    sheet.signed[body.by] = body.role
    if body.role in sheet.owed:
        sheet.owed.remove(body.role)
    if not sheet.owed:
        sheet.due = None
    _forget(state.response.rounds.sheets)


@folds(SheetDropped)
def _dropped(state: "SiteState", body: SheetDropped, _: Envelope) -> None:
    sheet = state.response.rounds.sheets.get(body.sheet)
    if sheet is None:
        return
    if not body.by:
        del state.response.rounds.sheets[body.sheet]
        return
    role = sheet.signed.pop(body.by, "")
    if role:
        sheet.owed.append(role)


@folds(SheetOverdue)
def _overdue(state: "SiteState", body: SheetOverdue, _: Envelope) -> None:
    sheet = state.response.rounds.sheets.get(body.sheet)
    if sheet is not None:
        sheet.late, sheet.due = True, None
