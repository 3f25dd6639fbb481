"""Booking, application and analysis: what a permit is about, until it is signed."""

import msgspec

from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.journal.envelope import Cause
from core.people.access import Access, Answer, check_version
from core.permits import life_acts as acts
from core.permits import life_events as e
from core.permits.areas import write_area
from core.permits.bench import Bench
from core.permits.forms import check_fields
from core.permits.pack_rules import max_hours
from core.permits.packs import Ruled
from core.permits.state import PermitRecord

_MS = NS // 1000
_DAY_NS = 24 * 3600 * NS
#: The furthest that a work may be announced.
_AHEAD_NS = 366 * _DAY_NS
#: The pack's setting: hours between a booking and the work.
_AHEAD = "book_ahead_h"
#: Digits of a paper form's number.
_DIGITS = 6
#: What a paper form says itself.
_PAPER = (
    *("blank", "kind", "zone_id", "title", "unit", "supervisor_id", "approver_id"),
    *("workers", "guardians", "company", "reason", "scan"),
)


class Booking:
    """Take bookings, applications and analyses; refuse what is signed already."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._hub = bench, bench.hub

    def bind(self, access: Access) -> None:
        """Offer the acts."""
        access.bind(acts.BookPermit, self._book)
        access.bind(acts.BookLatePermit, self._book_late)
        access.bind(acts.ApplyPermit, self._apply)
        access.bind(acts.AnalysePermit, self._analyse)
        access.bind(acts.DeclareFacts, self._declare)
        access.bind(acts.RejectPermit, self._reject)
        access.bind(acts.SupersedePermit, self._supersede)

    # --- booking --------------------------------------------------------------

    def _book(
        self, actor: str, act: acts.BookPermit, _version: int | None, cause: Cause
    ) -> Answer:
        permit_id = self._hub.ids.new()
        body = self._booked(actor, act, permit_id)
        self._hub.emit(body, cause)
        return self._answer(permit_id)

    def _booked(
        self, actor: str, act: acts.BookPermit, permit_id: str
    ) -> e.PermitBooked:
        digest, ruled = self._bench.today(act.kind)
        if self._bench.site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        self._bench.known(act.supervisor_id)
        self._bench.access.require(act.supervisor_id, "supervisor", "issuer")
        for name, text in (("title", act.title), ("unit", act.unit)):
            if not text.strip():
                raise Refused("permit.field_missing", field=name)
        valid = self._planned(act, ruled)
        return e.PermitBooked(
            permit_id=permit_id,
            kind=act.kind,
            pack=digest,
            zone_id=act.zone_id,
            title=act.title.strip(),
            unit=act.unit.strip(),
            supervisor_id=act.supervisor_id,
            booked_by=actor,
            valid=valid,
            from_wall_ns=act.from_ms * _MS,
            to_wall_ns=act.to_ms * _MS,
            company=act.company,
            job=act.job,
            emergency=act.emergency,
        )

    def _planned(self, act: acts.BookPermit, ruled: Ruled) -> Deadline:
        """Return the planned end; refuse a time that the law or sense forbids."""
        clock = self._hub.clock
        now = clock.wall_ns()
        if not clock.synced():
            raise Refused("permit.clock_untrusted")
        begin, end = act.from_ms * _MS, act.to_ms * _MS
        if begin >= end:
            raise Refused("permit.times_order", from_ms=act.from_ms, to_ms=act.to_ms)
        if end <= now:
            raise Refused("permit.times_over", to_ms=act.to_ms)
        if begin <= now - _DAY_NS:
            raise Refused("permit.times_begun", from_ms=act.from_ms)
        if end >= now + _AHEAD_NS:
            raise Refused("permit.times_far", to_ms=act.to_ms)
        hours = max_hours(ruled.pack, ruled.kind, {})
        if hours is not None and end - begin > hours * 3600 * NS:
            raise Refused(
                "permit.validity", hours=(end - begin) / 3600 / NS, at_most=hours
            )
        ahead = ruled.pack.setting(_AHEAD)
        hours = ahead.value if ahead is not None else 0.0
        if begin - now < hours * 3600 * NS and not act.emergency:
            raise Refused("permit.book_ahead", hours=hours)
        return Deadline.after(clock, (end - now) / NS)

    # --- what paper permitted ---------------------------------------------------

    def _book_late(
        self, actor: str, act: acts.BookLatePermit, _version: int | None, cause: Cause
    ) -> Answer:
        permit_id, clock = self._hub.ids.new(), self._hub.clock
        self._on_paper(act)
        begin, end = act.from_ms * _MS, act.to_ms * _MS
        if not clock.synced():
            raise Refused("permit.clock_untrusted")
        if begin >= end:
            raise Refused("permit.times_order", from_ms=act.from_ms, to_ms=act.to_ms)
        if end > clock.wall_ns():
            raise Refused("permit.paper_runs", to_ms=act.to_ms)
        valid = msgspec.structs.replace(
            Deadline.after(clock, 0), duration_ns=end - begin, start_wall_ns=begin
        )
        told = {name: getattr(act, name) for name in _PAPER}
        body = e.PermitEnteredLate(
            permit_id=permit_id,
            pack=self._bench.judge.packs.current(act.kind) or "",
            entered_by=actor,
            valid=valid,
            from_wall_ns=begin,
            to_wall_ns=end,
            **told,
        )
        self._hub.emit(body, cause)
        return self._answer(permit_id)

    def _on_paper(self, act: acts.BookLatePermit) -> None:
        """Refuse a number of another site or of a form that is entered already."""
        bench, site = self._bench, self._hub.bundle.site.id
        head, _, digits = act.blank.rpartition("-B-")
        if head != site or len(digits) != _DIGITS or not digits.isdecimal():
            raise Refused("permit.blank_number", blank=act.blank, site=site)
        for permit in self._hub.state.permits.permits.values():
            if permit.life.blank == act.blank:
                raise Refused("permit.blank_used", blank=act.blank, permit=permit.id)
        if (
            not bench.judge.packs.current(act.kind)
            and act.kind not in bench.judge.kinds
        ):
            raise Refused("permit.kind_unknown", kind=act.kind)
        if bench.site.zone(act.zone_id) is None:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        people = (act.supervisor_id, act.approver_id, *act.workers, *act.guardians)
        bench.known(*people)
        for name in ("title", "unit", "reason"):
            if not getattr(act, name).strip():
                raise Refused("permit.field_missing", field=name)
        if not act.workers:
            raise Refused("permit.no_workers")

    # --- application ----------------------------------------------------------

    def _apply(
        self, actor: str, act: acts.ApplyPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._open(act.permit_id, "apply", version)
        ruled = self._bench.ruled(permit)
        self._people(act, permit, ruled)
        facts = self._bench.judge.facts
        facts.check(act.facts, frozen=False)
        form = ruled.pack.form(ruled.kind.form)
        check_fields(form.fields if form else (), act.fields)
        body = e.PermitApplied(
            permit_id=permit.id,
            by=actor,
            guardians=act.guardians,
            workers=act.workers,
            trades=act.trades,
            linked=act.linked,
            coordinator=act.coordinator,
            area=write_area(act.area, self._hub.bundle.site),
            fields=act.fields,
            facts=act.facts,
        )
        self._hub.emit(body, cause)
        return self._answer(permit.id)

    def _people(
        self, act: acts.ApplyPermit, permit: PermitRecord, ruled: Ruled
    ) -> None:
        coordinator = (act.coordinator,) if act.coordinator else ()
        self._bench.known(*act.workers, *act.guardians, *coordinator)
        if not act.workers:
            raise Refused("permit.no_workers")
        if ruled.kind.guardian.required and not act.guardians:
            raise Refused("permit.no_guardian")
        for person_id in act.guardians:
            if person_id in act.workers:
                raise Refused("permit.guardian_works", person=person_id)
        strangers = sorted(set(act.trades) - set(act.workers))
        if strangers:
            raise Refused("permit.trade_of_nobody", people=", ".join(strangers))
        for permit_id in act.linked:
            if permit_id == permit.id:
                raise Refused("permit.linked_itself")
            self._bench.get(permit_id)

    # --- analysis -------------------------------------------------------------

    def _analyse(
        self, actor: str, act: acts.AnalysePermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._open(act.permit_id, "analyse", version)
        if not act.hazards or not all(
            each.text.strip() and each.control.strip() for each in act.hazards
        ):
            raise Refused("permit.no_hazards")
        ruled = self._bench.ruled(permit)
        form = ruled.pack.form(ruled.kind.form)
        measures = {m.id: m for m in form.measures} if form else {}
        unknown = sorted(set(act.measures) - set(measures))
        if unknown:
            raise Refused("permit.measure_unknown", measures=", ".join(unknown))
        missing = [
            name
            for name, measure in measures.items()
            if not measure.free_text and name not in act.measures
        ]
        if missing:
            raise Refused("permit.measure_missing", measures=", ".join(missing))
        body = e.PermitAnalysed(
            permit_id=permit.id, by=actor, hazards=act.hazards, measures=act.measures
        )
        self._hub.emit(body, cause)
        return self._answer(permit.id)

    def _declare(
        self, actor: str, act: acts.DeclareFacts, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "declare")
        check_version(version, permit.version)
        if actor not in (permit.supervisor_id, *permit.people()):
            # A stranger to the work may stop it, and speaks for it by office only.
            self._bench.access.require(actor, "supervisor", "issuer", "safety_officer")
        if not act.facts:
            raise Refused("permit.no_facts")
        self._bench.judge.facts.check(act.facts, frozen=bool(permit.life.signed))
        body = e.PermitDeclared(permit_id=permit.id, by=actor, facts=act.facts)
        self._hub.emit(body, cause)
        return self._answer(permit.id)

    # --- other ways on --------------------------------------------------------

    def _reject(
        self, actor: str, act: acts.RejectPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "reject")
        check_version(version, permit.version)
        if not act.reason.strip():
            raise Refused("permit.reason")
        body = e.PermitRejected(permit_id=permit.id, person_id=actor, reason=act.reason)
        self._hub.emit(body, cause)
        return self._answer(permit.id)

    def _supersede(
        self, actor: str, act: acts.SupersedePermit, version: int | None, cause: Cause
    ) -> Answer:
        """End a permit whose content changed and book the new one (4.16, 4.17)."""
        old = self._bench.at(act.permit_id, "supersede")
        check_version(version, old.version)
        if not act.reason.strip():
            raise Refused("permit.reason")
        life = old.life
        booking = acts.BookPermit(
            kind=old.kind,
            zone_id=act.zone_id or old.zone_id,
            title=act.title or old.title,
            unit=life.unit,
            supervisor_id=old.supervisor_id,
            from_ms=act.from_ms or int(self._bench.wall_ms()),
            to_ms=act.to_ms or life.to_wall_ns // _MS,
            company=life.company,
            job=life.job,
            emergency=True,
        )
        new = self._booked(actor, booking, self._hub.ids.new())
        ended = e.PermitCancelled(
            permit_id=old.id,
            person_id=actor,
            reason=act.reason,
            outcome="superseded",
            by_permit=new.permit_id,
        )
        # The old one ends first: nothing protective waits for the new booking.
        self._hub.emit(ended, cause)
        self._hub.emit(msgspec.structs.replace(new, replaces=old.id), cause)
        return self._answer(new.permit_id)

    def _open(self, permit_id: str, step: str, version: int | None) -> PermitRecord:
        """Return a permit whose content nobody has signed yet."""
        permit = self._bench.at(permit_id, step)
        check_version(version, permit.version)
        if permit.life.signed:
            raise Refused("permit.signed", slots=", ".join(permit.life.signed))
        return permit

    def _answer(self, permit_id: str) -> dict[str, Value]:
        permit = self._bench.get(permit_id)
        return {
            "permit_id": permit_id,
            "version": permit.version,
            "status": str(permit.status),
            "content": permit.life.content,
        }
