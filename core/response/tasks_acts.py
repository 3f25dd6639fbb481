"""What a person may do with tasks: report, dispatch, fix, look again."""

from typing import Annotated, Final, Literal

import msgspec

from core.journal.envelope import Effect
from core.people.acts import ROLES, Act, Blob, Id, act

Grade = Literal["general", "major"]
_Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Note = Annotated[str, msgspec.Meta(max_length=500)]
_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
#: Seconds until something is due: a minute to a year.
Within = Annotated[float, msgspec.Meta(ge=60.0, le=366 * 86_400.0)]
_Moment = Annotated[int, msgspec.Meta(ge=1_577_836_800_000, le=4_102_444_800_000)]
ANYONE: Final = tuple(role for role in ROLES if role not in ("owner", "auditor"))
LEADS: Final = ("supervisor", "issuer", "safety_officer")
DAY_S: Final = 86_400.0


@act("task.report", *ANYONE, effect=Effect.PROTECTIVE)
class ReportTask(Act, frozen=True, kw_only=True):
    """Report a hazard or a near miss; a picture may follow."""

    title: _Title
    kind: Literal["hazard", "near_miss", "other"] = "hazard"
    zone_id: str = ""
    note: Note = ""
    grade: Grade = "general"
    about: str = ""
    """Alarm, permit or round that it came from."""


@act("task.dispatch", *LEADS, effect=Effect.PROTECTIVE)
class DispatchTask(Act, frozen=True, kw_only=True):
    """Name who puts it right, and until when; a grade is only ever raised."""

    task_id: Id
    owner: Id
    due_s: Within = DAY_S
    grade: Grade = "general"


@act("task.start", *ANYONE, effect=Effect.PROTECTIVE)
class StartTask(Act, frozen=True, kw_only=True):
    """Begin to put it right."""

    task_id: Id


@act("task.photo", *ANYONE)
class PhotographTask(Act, frozen=True, kw_only=True):
    """Hang a picture that was uploaded on a task."""

    task_id: Id
    stage: Literal["before", "after"]
    sha256: Blob
    size: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
    media: Literal["image/jpeg", "image/png"]
    taken_ms: _Moment


@act("task.fix", *ANYONE)
class FixTask(Act, frozen=True, kw_only=True):
    """Say that it is put right; a hazard needs its pictures."""

    task_id: Id
    note: Note = ""


@act("task.accept", *LEADS, "marshal", "guardian", effect=Effect.PERMISSIVE)
class AcceptTask(Act, frozen=True, kw_only=True):
    """Look again as a second person and find it right; a major one needs two."""

    task_id: Id
    note: Note = ""


@act("task.reject", *LEADS, "marshal", "guardian", effect=Effect.PROTECTIVE)
class RejectTask(Act, frozen=True, kw_only=True):
    """Look again and find it not right: it goes back to its owner."""

    task_id: Id
    reason: _Reason
    due_s: Within = DAY_S
