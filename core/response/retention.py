"""How long photos, films and keys are kept, and the word that ends them.

One rule for permits and tasks. The core only says so in the journal; the gateway
destroys the keys once that word is durable (design §5 Personal data).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from core.api.errors import Refused
from core.clock import NS
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.permits.attachments_acts import EraseAttachments, KeepAttachments
from core.permits.attachments_events import (
    AllErased,
    AttachmentErased,
    AttachmentRecorded,
    AttachmentsKept,
)
from core.permits.attachments_state import people_of
from core.permits.packs import Packs
from core.permits.state import PermitRecord
from core.response.retention_policy import LEAST_DAYS, LEAST_FILM_DAYS
from core.response.retention_state import holder_of
from core.response.tasks_state import FiledTask, TaskRecord

_DAY_NS: Final = 86_400 * NS
_LOOK_NS: Final = 600 * NS
#: Events of one look at most: a year's backlog must not keep an alarm waiting.
_MOST: Final = 100
_SOON_NS: Final = 10 * NS
#: A wall clock that jumps ahead must stand there for this long to erase anything.
SURE_NS: Final = 6 * 3600 * NS
#: Whose figure decided, where it is not a pack's.
SITE: Final = "site"
LAW: Final = "law"


class Span(NamedTuple):
    """Say for how many days, by whose figure; ``law`` is the least of them."""

    days: int
    rule: str
    law: int


class Blob(NamedTuple):
    """Name a blob that is still kept, and since when its time runs."""

    sha256: str
    span: Span
    since_ns: int

    def end_ns(self, *, law: bool = False) -> int:
        """Return the wall ns until which it is kept."""
        return self.since_ns + (self.span.law if law else self.span.days) * _DAY_NS


class Record(NamedTuple):
    """Hold what retention judges of one permit or task that has ended."""

    id: str
    span: Span
    ended_ns: int
    blobs: tuple[Blob, ...]

    def end_ns(self, *, law: bool = False) -> int:
        """Return the wall ns until which its key is kept: no blob outlives it."""
        own = self.ended_ns + (self.span.law if law else self.span.days) * _DAY_NS
        return max([own, *(blob.end_ns(law=law) for blob in self.blobs)])


class Retention:
    """Say when the time of blobs and keys is over; erase nothing that is needed."""

    def __init__(self, hub: Hub, access: Access, packs: Packs) -> None:
        self._hub, self._packs = hub, packs
        self._next_ns = 0
        self._due: dict[tuple[str, str], int] = {}
        """Record and blob (or a part of the record) → boot ns since when it is due."""
        self._quiet: dict[str, int] = {}
        """Record → wall ns before which nothing more of it falls due."""
        self._wall_ns = 0
        hub.on(AttachmentRecorded, self._recorded)
        access.bind(KeepAttachments, self._keep)
        access.bind(EraseAttachments, self._erase)

    def arm(self) -> None:
        """Take the bundle's figures; times to be kept may have changed."""
        self._next_ns = 0
        self._quiet.clear()

    def recover(self, clean: bool) -> None:
        """Look again at what grew old while the hub was off."""
        self._next_ns = 0

    def tick(self) -> None:
        """Look now and then for what has been kept long enough."""
        now = self._hub.clock.mono_ns()
        if now >= self._next_ns:
            self._next_ns = now + _LOOK_NS
            self._look(now)

    def _recorded(self, body: AttachmentRecorded, _: Envelope) -> None:
        """Look at a record anew: what came late may fall due before the rest."""
        self._quiet.pop(body.permit_id, None)

    def stands_in(self, person_id: str) -> tuple[list[str], list[str]]:
        """Return the open permits that name a person, and roll calls that run."""
        state = self._hub.state
        permits = [
            permit.id
            for permit in state.permits.permits.values()
            if not permit.ended and person_id in people_of(permit)
        ]
        running = [
            call.id
            for call in state.response.evacuations.values()
            if not call.cleared_wall_ns and person_id in call.roll
        ]
        return permits, running

    # --- acts -----------------------------------------------------------------

    def _keep(
        self, actor: str, act: KeepAttachments, _version: int | None, cause: Cause
    ) -> Answer:
        holder = holder_of(self._hub.state, act.permit_id)
        if holder is None:
            raise Refused("permit.unknown", permit=act.permit_id)
        if holder.keep != act.keep:
            body = AttachmentsKept(
                permit_id=act.permit_id, keep=act.keep, reason=act.reason, by=actor
            )
            self._hub.emit(body, cause)
        return {"keep": act.keep}

    def _erase(
        self, actor: str, act: EraseAttachments, _version: int | None, cause: Cause
    ) -> Answer:
        holder = holder_of(self._hub.state, act.permit_id)
        if holder is None:
            raise Refused("permit.unknown", permit=act.permit_id)
        if holder.gone_seq:
            return {"permit_id": act.permit_id}
        clock = self._hub.clock
        self._look(clock.mono_ns())
        self._quiet.pop(act.permit_id, None)
        record = next((r for r in self._records() if r.id == act.permit_id), None)
        if record is None:
            raise Refused("attachment.held", permit=act.permit_id)
        if not clock.synced():
            raise Refused("attachment.clock")
        end_ns = record.end_ns(law=True)
        if end_ns > clock.wall_ns() or not self._sure(record.id, LAW, clock.mono_ns()):
            raise Refused(
                "attachment.law",
                permit=record.id,
                days=record.span.law,
                until=_day(max(end_ns, clock.wall_ns()) + SURE_NS),
            )
        self._end(record, "asked", cause, actor)
        return {"permit_id": act.permit_id}

    # --- what is kept ---------------------------------------------------------

    def _records(self) -> Iterator[Record]:
        """Yield what has ended, is held by nothing and still has a key."""
        state = self._hub.state
        if any(not e.cleared_wall_ns for e in state.response.evacuations.values()):
            return  # while people are looked for, nothing about anybody goes
        held, wall = self._held(), self._hub.clock.wall_ns()
        for permit in state.permits.permits.values():
            if self._quiet.get(permit.id, 0) > wall or permit.id in held:
                continue
            record = self._permit(permit)
            if record is not None:
                yield record
        tasks = state.response.tasks
        span = self._span(self._hub.bundle.retention.task_days, LEAST_DAYS, LAW)
        every: list[TaskRecord | FiledTask] = [*tasks.tasks.values()]
        for task in [*every, *tasks.filed.values()]:
            if self._quiet.get(task.id, 0) > wall or not task.photos:
                continue
            if task.closed_wall_ns and not (task.keep or task.gone_seq):
                yield _task(task, span)

    def _held(self) -> set[str]:
        """Return the permits that something which is not over still points at."""
        state = self._hub.state
        every = state.permits.permits
        held = {task.about.partition("#")[0] for task in state.response.tasks.open()}
        for permit in every.values():
            if not permit.linked:
                continue
            kin = [each for each in permit.linked if each in every]
            if not permit.ended:
                held.update(kin)
            elif any(not every[each].ended for each in kin):
                held.add(permit.id)
        return held

    def _permit(self, permit: PermitRecord) -> Record | None:
        """Return what is judged of a permit; None while it is kept.

        Counted from the permit's end or the blob's coming, whichever is later
        (GB 30871 B.3).
        """
        kept = permit.attachments
        ended = _ended_ns(permit)
        if kept.keep or kept.gone_seq or not (ended and permit.ended):
            return None
        ruled = self._packs.kind(permit)
        if ruled is None and permit.life.pack:
            return None  # its pack cannot be read: it may demand more
        site = self._hub.bundle.retention
        days, film, rule = 0, 0, LAW
        if ruled is not None:
            days = max(ruled.pack.retention_days, ruled.kind.retention_days)
            film, rule = ruled.kind.video_days, f"{ruled.pack.id} {ruled.pack.version}"
        span = self._span(site.permit_days, max(LEAST_DAYS, days), rule)
        films = self._span(site.film_days, max(LEAST_FILM_DAYS, film), rule)
        blobs: dict[str, Blob] = {}
        for item in kept.items.values():
            if item.erased_seq:
                continue
            own = films if item.media.startswith("video/") else span
            since = max(ended, item.recorded_wall_ns)
            blob = Blob(item.sha256, own, since)
            other = blobs.get(item.sha256, blob)
            blobs[item.sha256] = max(blob, other, key=Blob.end_ns)
        return Record(permit.id, span, ended, tuple(blobs.values()))

    def _span(self, site: int, law: int, rule: str) -> Span:
        return Span(site, SITE, law) if site > law else Span(law, rule, law)

    # --- the end --------------------------------------------------------------

    def _look(self, now_ns: int) -> None:
        clock = self._hub.clock
        if not clock.synced():
            self._due.clear()  # unknown time erases nothing
            return
        wall = clock.wall_ns()
        if wall < self._wall_ns:  # set back: what was due may not be
            self._due.clear()
            self._quiet.clear()
        self._wall_ns = wall
        records = list(self._records())
        due = {key for record in records for key in _over(record, wall)}
        due |= {key for key in self._due if self._quiet.get(key[0], 0) > wall}
        self._due = {key: self._due.get(key, now_ns) for key in due}
        for record in records:
            self._rest(record, wall)
        before = self._hub.state.seq
        for record in records:
            if self._hub.state.seq - before >= _MOST:
                self._next_ns = now_ns + _SOON_NS
                return
            if self._sure(record.id, "", now_ns):
                self._end(record, "expired", CORE)
                continue
            for blob in record.blobs:
                if self._sure(record.id, blob.sha256, now_ns):
                    self._gone(record.id, blob, "expired", CORE)

    def _rest(self, record: Record, wall_ns: int) -> None:
        """Let a record be until more of it falls due; what is due is looked at."""
        ends = [record.end_ns(), *(blob.end_ns() for blob in record.blobs)]
        if min(ends) > wall_ns:
            ends += [end for end in [record.end_ns(law=True)] if end > wall_ns]
            self._quiet[record.id] = min(ends)

    def _sure(self, record_id: str, part: str, now_ns: int) -> bool:
        since = self._due.get((record_id, part))
        return since is not None and now_ns - since >= SURE_NS

    def _end(self, record: Record, code: str, cause: Cause, by: str = "") -> None:
        """Erase every blob by name, then the key that all of them stand on."""
        for blob in record.blobs:
            self._gone(record.id, blob, code, cause, by)
        body = AllErased(
            permit_id=record.id,
            code=code,
            rule=record.span.rule,
            days=record.span.days,
            by=by,
        )
        self._hub.emit(body, cause)

    def _gone(
        self, record_id: str, blob: Blob, code: str, cause: Cause, by: str = ""
    ) -> None:
        self._due.pop((record_id, blob.sha256), None)
        body = AttachmentErased(
            permit_id=record_id,
            sha256=blob.sha256,
            code=code,
            rule=blob.span.rule,
            days=blob.span.days,
            by=by,
        )
        self._hub.emit(body, cause)


def _day(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / NS, UTC).date().isoformat()


def _ended_ns(permit: PermitRecord) -> int:
    """Return when a permit ended; 0 where nobody can tell.

    One whose work never began ends without a word; its validity is the latest.
    """
    if permit.closed_wall_ns or not permit.valid.synced:
        return permit.closed_wall_ns
    return permit.valid.start_wall_ns + permit.valid.duration_ns


def _task(task: TaskRecord | FiledTask, span: Span) -> Record:
    names = dict.fromkeys(p.sha256 for p in task.photos if not p.erased_seq)
    blobs = tuple(Blob(name, span, task.closed_wall_ns) for name in names)
    return Record(task.id, span, task.closed_wall_ns, blobs)


def _over(record: Record, wall_ns: int) -> Iterable[tuple[str, str]]:
    """Yield what of a record is over: '' is the whole, ``LAW`` the law's own time."""
    if record.end_ns() <= wall_ns:
        yield record.id, ""
    if record.end_ns(law=True) <= wall_ns:
        yield record.id, LAW
    for blob in record.blobs:
        if blob.end_ns() <= wall_ns:
            yield record.id, blob.sha256
