"""What a person may do on a round, and with a checklist."""

from typing import Annotated, Literal

import msgspec

from core.api.reading import Value
from core.journal.envelope import Effect
from core.people.acts import Act, Id, act
from core.response.tasks_acts import ANYONE, Note

_Code = Annotated[str, msgspec.Meta(max_length=120)]
_Answers = Annotated[dict[Id, Value], msgspec.Meta(max_length=100)]
_People = Annotated[tuple[Id, ...], msgspec.Meta(max_length=200)]


@act("round.start", *ANYONE)
class StartRound(Act, frozen=True, kw_only=True):
    """Begin a round by hand."""

    round: Id


@act("round.scan", *ANYONE)
class ScanPoint(Act, frozen=True, kw_only=True):
    """Be at a point: its label's code, and what proves the place."""

    round_run: Id
    point: Id
    label: _Code
    method: Literal["", "qr", "nfc"] = ""
    """'' : the worn tag or the gate alone tells where one is."""
    code: _Code = ""
    """What the zone's screen shows now, or the id of the tag that hangs there."""
    note: Note = ""


@act("round.close", *ANYONE)
class CloseRound(Act, frozen=True, kw_only=True):
    """End a round; the points that were missed become a task."""

    round_run: Id


@act("sheet.fill", *ANYONE, effect=Effect.PERMISSIVE)
class FillSheet(Act, frozen=True, kw_only=True):
    """Answer a checklist: toolbox talk, shift hand-over, inspection."""

    checklist: Id
    answers: _Answers
    zone_id: str = ""
    about: _Code = ""
    people: _People = ()
    note: Note = ""


@act("sheet.sign", *ANYONE, effect=Effect.PERMISSIVE)
class SignSheet(Act, frozen=True, kw_only=True):
    """Sign what another person filled in: the shift is taken, the talk was heard."""

    sheet: Id
