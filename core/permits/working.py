"""Work under a permit: the start, confirmations, guardians, people and shifts."""

from core.api.errors import Refused
from core.clock import NS
from core.deadlines import Deadline
from core.journal.envelope import Cause
from core.people.access import Access, Answer, check_version
from core.permits import life_acts as acts
from core.permits import life_events as e
from core.permits.bench import Bench, Holder
from core.permits.pack import Phase
from core.permits.pack_rules import max_hours
from core.permits.state import PermitRecord

#: Why a step that the disk lost is held.
NOT_DURABLE = "not_durable"
_TAKEN_BACK: tuple[type[e.PermitEvent], ...] = (
    *(e.PermitStarted, e.PermitConfirmed, e.GuardianTaken),
    *(e.WorkerAdded, e.ShiftTaken),
)


class Working:
    """Start work and keep its people in order."""

    def __init__(self, bench: Bench, hold: Holder) -> None:
        self._bench, self._hub, self._hold = bench, bench.hub, hold

    def bind(self, access: Access) -> None:
        """Offer the acts; what the disk loses is held again."""
        access.bind(acts.StartPermit, self._start)
        access.bind(acts.ConfirmPermit, self._confirm)
        access.bind(acts.HandOverGuard, self._hand_over)
        access.bind(acts.TakeOverGuard, self._take_over)
        access.bind(acts.AddWorker, self._add)
        access.bind(acts.RemoveWorker, self._remove)
        access.bind(acts.OfferShift, self._offer_shift)
        access.bind(acts.TakeShift, self._take_shift)
        access.bind(acts.CompletePermit, self._complete)
        for kind in _TAKEN_BACK:
            self._hub.undo(kind, self._take_back)

    def _take_back(self, body: e.PermitEvent) -> None:
        self._hold(body.permit_id, NOT_DURABLE, source="hub:journal")

    # --- start ----------------------------------------------------------------

    def _start(
        self, actor: str, act: acts.StartPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "start")
        check_version(version, permit.version, must=True)
        clock = self._hub.clock
        if clock.wall_ns() < permit.life.from_wall_ns - self._bench.early_ns(permit):
            raise Refused("permit.too_early")
        self._bench.lawful(permit, Phase.START, actor, "start", cause)
        body = e.PermitStarted(
            permit_id=permit.id, person_id=actor, valid=self._valid(permit)
        )
        self._hub.emit(body, cause)
        return self._answer(permit)

    def _valid(self, permit: PermitRecord) -> Deadline:
        """Return the validity: as planned, as long as the law, as its kin."""
        clock, ruled = self._hub.clock, self._bench.ruled(permit)
        left = permit.valid.remaining_ns(clock)
        ends = [left if left is not None else 0]
        asked = ruled.rules.facts[Phase.START]
        facts = self._bench.judge.facts.of(permit, ruled.kind, ruled.pack, asked)
        hours = max_hours(ruled.pack, ruled.kind, facts)
        if hours is not None:
            ends.append(int(hours * 3600 * NS))
        families = {k.id: k.family for k in ruled.pack.kinds}
        for other_id in permit.linked:
            other = self._bench.get(other_id)
            if families.get(other.kind) in ruled.kind.validity.cap_by_linked:
                ends.append(other.valid.remaining_ns(clock) or 0)
        return Deadline.after(clock, max(min(ends), 0) / NS)

    def _confirm(
        self, actor: str, act: acts.ConfirmPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "confirm")
        check_version(version, permit.version)
        if actor != permit.guardian_id:
            self._bench.own_key(cause, act.verb_)
        if actor not in (permit.supervisor_id, permit.guardian_id):
            self._bench.access.require(actor, "issuer", "safety_officer")
        body = e.PermitConfirmed(permit_id=permit.id, person_id=actor)
        self._hub.emit(body, cause)
        return self._answer(permit)

    # --- guardian -------------------------------------------------------------

    def _hand_over(
        self, actor: str, act: acts.HandOverGuard, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "guardian")
        check_version(version, permit.version)
        if actor not in (permit.guardian_id, permit.supervisor_id):
            raise Refused("guardian.not_yours", guardian=permit.guardian_id)
        self._bench.known(act.to_id)
        self._bench.access.require(act.to_id, "guardian")
        if act.to_id == permit.guardian_id or act.to_id in permit.workers:
            raise Refused("permit.guardian_works", person=act.to_id)
        body = e.GuardianOffered(permit_id=permit.id, person_id=actor, to_id=act.to_id)
        self._hub.emit(body, cause)
        return self._answer(permit)

    def _take_over(
        self, actor: str, act: acts.TakeOverGuard, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "guardian")
        if permit.life.offered_to != actor:
            raise Refused("guardian.not_offered", person=actor)
        body = e.GuardianTaken(
            permit_id=permit.id, person_id=actor, from_id=permit.guardian_id
        )
        self._hub.emit(body, cause)
        return self._answer(permit)

    # --- people ---------------------------------------------------------------

    def _add(
        self, actor: str, act: acts.AddWorker, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "people")
        check_version(version, permit.version)
        self._bench.known(act.person_id)
        if act.person_id in permit.people():
            raise Refused("permit.worker_there", person=act.person_id)
        body = e.WorkerAdded(
            permit_id=permit.id, person_id=act.person_id, trade=act.trade, by=actor
        )
        self._hub.emit(body, cause)
        return self._answer(permit)

    def _remove(
        self, actor: str, act: acts.RemoveWorker, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "people")
        check_version(version, permit.version)
        if act.person_id not in permit.workers:
            raise Refused("permit.worker_not_there", person=act.person_id)
        if len(permit.workers) == 1:
            raise Refused("permit.no_workers")
        self._bench.outside(permit, act.person_id)
        body = e.WorkerRemoved(permit_id=permit.id, person_id=act.person_id, by=actor)
        self._hub.emit(body, cause)
        return self._answer(permit)

    # --- shifts ---------------------------------------------------------------

    def _offer_shift(
        self, actor: str, act: acts.OfferShift, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "shift")
        check_version(version, permit.version)
        if actor != permit.supervisor_id:
            raise Refused("permit.not_supervisor", person=permit.supervisor_id)
        guardian = (act.guardian_id,) if act.guardian_id else ()
        self._bench.known(act.to_id, *guardian)
        self._bench.access.require(act.to_id, "supervisor")
        for each in guardian:
            self._bench.access.require(each, "guardian")
            if each in permit.workers:
                raise Refused("permit.guardian_works", person=each)
        body = e.ShiftOffered(
            permit_id=permit.id,
            person_id=actor,
            to_id=act.to_id,
            guardian_id=act.guardian_id,
            notes=act.notes,
        )
        self._hub.emit(body, cause)
        # Between two shifts nobody answers for the work; the next tests its own gas.
        need = self._bench.ruled(permit).kind.gas
        self._hold(
            permit.id,
            "shift",
            source=f"person:{actor}",
            retest=need.gases if need is not None else (),
            cause=cause,
        )
        return self._answer(permit)

    def _take_shift(
        self, actor: str, act: acts.TakeShift, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "shift")
        if permit.life.shift_to != actor:
            raise Refused("permit.shift_not_offered", person=actor)
        body = e.ShiftTaken(
            permit_id=permit.id,
            person_id=actor,
            guardian_id=permit.life.shift_guardian,
        )
        self._hub.emit(body, cause)
        return self._answer(permit)

    # --- end of work ----------------------------------------------------------

    def _complete(
        self, actor: str, act: acts.CompletePermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "complete")
        check_version(version, permit.version)
        if actor != permit.supervisor_id:
            self._bench.access.require(actor, "issuer", "safety_officer")
        body = e.PermitCompleted(permit_id=permit.id, person_id=actor)
        self._hub.emit(body, cause)
        return self._answer(permit)

    def _answer(self, permit: PermitRecord) -> Answer:
        return {
            "permit_id": permit.id,
            "version": permit.version,
            "status": str(permit.status),
        }
