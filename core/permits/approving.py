"""Signatures in their order, each on the spot, and the briefing."""

from core.api.errors import Refused
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Access, Answer, check_version
from core.people.signing import BY_OTHERS, statement
from core.permits import chain, lifecycle
from core.permits import life_acts as acts
from core.permits import life_events as e
from core.permits.bench import Bench
from core.permits.chain import Slot
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Phase
from core.permits.state import PermitRecord


class Approving:
    """Take signatures: in order, by the right person, over the content as it is."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._hub = bench, bench.hub

    def bind(self, access: Access) -> None:
        """Offer the acts."""
        access.bind(acts.SignPermit, self._sign)
        access.bind(acts.DelegateSlot, self._delegate)
        access.bind(acts.BriefPeople, self._brief)
        access.bind(acts.TakeBriefing, self._take)
        self._hub.undo(e.PermitApproved, self._unapprove)

    # --- signatures -----------------------------------------------------------

    def _sign(
        self, actor: str, act: acts.SignPermit, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "declare")
        check_version(version, permit.version)
        ruled = self._bench.ruled(permit)
        slots = chain.chain(ruled.pack, ruled.kind)
        slot = self._next(slots, permit, act.slot)
        lifecycle.check(chain.STEPS[slot.phase], permit.status)
        if act.content != permit.life.content:
            raise Refused("permit.content_changed", content=permit.life.content)
        right = self._right(slot, permit, actor, act.for_id)
        self._proven(slot, act, cause)
        found = self._bench.spot(permit.zone_id, cause)
        chain.check_fit(ruled.pack, ruled.kind, slot, permit, actor)
        if slot.approves:
            self._approves(permit, slot, actor, found.truth, cause)
        if slot.phase is Phase.CLOSE:
            self._closes(slots, permit, slot, actor, cause)
        body = e.PermitSigned(
            permit_id=permit.id,
            slot=slot.id,
            role=slot.role,
            person_id=actor,
            content=act.content,
            for_id=right,
            place=found.truth.name.lower(),
            method=found.method,
            accuracy_m=found.accuracy_m,
        )
        self._hub.emit(body, cause)
        self._signed(slots, permit, slot, actor, cause)
        return {
            "permit_id": permit.id,
            "version": permit.version,
            "status": str(permit.status),
        }

    def _proven(self, slot: Slot, act: acts.SignPermit, cause: Cause) -> None:
        """Refuse what a terminal may not sign, or the disk cannot keep now."""
        if slot.acts_as.isdisjoint(BY_OTHERS):
            self._bench.own_key(cause, act.verb_)
        permits = slot.approves or slot.phase is Phase.CLOSE
        if permits and not self._hub.journal.healthy():
            raise Refused("journal.not_durable")

    def _next(self, slots: tuple[Slot, ...], permit: PermitRecord, name: str) -> Slot:
        slot = next((each for each in slots if each.id == name), None)
        if slot is None:
            raise Refused("permit.slot_unknown", slot=name)
        if name in permit.life.signed:
            by = permit.life.signed[name].person_id
            raise Refused("permit.slot_signed", slot=name, person=by)
        due = chain.unsigned(slots, permit, slot.phase)
        if due[0].id != name:
            raise Refused("permit.slot_order", slot=name, due=due[0].id)
        return slot

    def _right(self, slot: Slot, permit: PermitRecord, actor: str, for_id: str) -> str:
        """Return whose right a signature uses; '' for the signer's own."""
        found = chain.right(slot, permit, actor, self._bench.access.roles, for_id)
        if found is not None:
            return found
        needed = ", ".join(sorted(slot.acts_as)) or slot.role
        raise Refused("permit.slot_role", slot=slot.id, needed=needed)

    def _approves(
        self,
        permit: PermitRecord,
        slot: Slot,
        actor: str,
        on_site: Truth,
        cause: Cause,
    ) -> None:
        """Keep an approver's rules: GB 30871 4.11, AQ 3064.2 5.4.3 to 5.5.3."""
        # Where a late entry says that it was made, nobody can tell any more.
        truth = Truth.UNKNOWN if self._late(cause) else on_site
        told = truth.name.lower() if slot.on_site else "true"
        self._bench.life.signing = told
        try:
            self._bench.lawful(permit, Phase.SIGN, actor, f"sign {slot.id}", cause)
        finally:
            self._bench.life.signing = None

    def _late(self, cause: Cause) -> bool:
        told = statement(cause)
        return told is None or self._bench.access.signing.late_ns(told.at) is not None

    def _closes(
        self,
        slots: tuple[Slot, ...],
        permit: PermitRecord,
        slot: Slot,
        actor: str,
        cause: Cause,
    ) -> None:
        """Keep the last acceptor's rules: the place is restored, nobody is inside."""
        if len(chain.unsigned(slots, permit, Phase.CLOSE)) > 1:
            return
        self._bench.counted_out(permit)
        self._bench.life.slot = slot.id
        try:
            self._bench.lawful(permit, Phase.CLOSE, actor, f"sign {slot.id}", cause)
        finally:
            self._bench.life.slot = ""

    def _signed(
        self,
        slots: tuple[Slot, ...],
        permit: PermitRecord,
        slot: Slot,
        actor: str,
        cause: Cause,
    ) -> None:
        """Take the step that the last signature of a phase completes."""
        if chain.unsigned(slots, permit, slot.phase):
            return
        if slot.phase is Phase.SIGN and permit.status is PermitStatus.ANALYSED:
            self._hub.emit(e.PermitApproved(permit_id=permit.id, slot=slot.id), cause)
        elif slot.phase is Phase.CLOSE:
            self._hub.emit(
                e.PermitAccepted(permit_id=permit.id, person_id=actor), cause
            )

    def _unapprove(self, body: e.PermitApproved) -> None:
        self._hub.emit(e.PermitUnapproved(permit_id=body.permit_id, slot=body.slot))

    def _delegate(
        self, actor: str, act: acts.DelegateSlot, version: int | None, cause: Cause
    ) -> Answer:
        """Let another person sign, where the law allows it (AQ 3064.2 5.5.3)."""
        permit = self._bench.at(act.permit_id, "reject")
        check_version(version, permit.version)
        ruled = self._bench.ruled(permit)
        slots = chain.chain(ruled.pack, ruled.kind)
        slot = next((each for each in slots if each.id == act.slot), None)
        if slot is None:
            raise Refused("permit.slot_unknown", slot=act.slot)
        if not slot.delegable:
            raise Refused("permit.not_delegable", slot=act.slot)
        if not chain.may_sign(slot, permit, actor, self._bench.access.roles(actor)):
            raise Refused("permit.slot_role", slot=slot.id, needed=slot.role)
        self._bench.known(act.to_id)
        # Only to a person who is authorised to approve at all.
        self._bench.access.require(act.to_id, *chain.DELEGATES)
        if act.to_id == actor:
            raise Refused("permit.delegate_self")
        body = e.PermitDelegated(
            permit_id=permit.id, slot=slot.id, by=actor, to_id=act.to_id
        )
        self._hub.emit(body, cause)
        return {"permit_id": permit.id, "version": permit.version}

    # --- briefing -------------------------------------------------------------

    def _brief(
        self, actor: str, act: acts.BriefPeople, version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "brief")
        check_version(version, permit.version)
        strangers = sorted(set(act.people) - set(permit.people()))
        if strangers or not act.people:
            raise Refused("permit.brief_people", people=", ".join(strangers))
        body = e.PermitBriefed(
            permit_id=permit.id,
            person_id=actor,
            people=act.people,
            topics=act.topics,
            video=act.video,
        )
        self._hub.emit(body, cause)
        return {"permit_id": permit.id, "version": permit.version}

    def _take(
        self, actor: str, act: acts.TakeBriefing, _version: int | None, cause: Cause
    ) -> Answer:
        permit = self._bench.at(act.permit_id, "brief")
        if actor not in permit.life.told:
            raise Refused("permit.not_briefed", person=actor)
        if actor in permit.life.briefed:
            raise Refused("permit.briefing_taken", person=actor)
        body = e.BriefingTaken(permit_id=permit.id, person_id=actor)
        self._hub.emit(body, cause)
        return {
            "permit_id": permit.id,
            "version": permit.version,
            "status": str(permit.status),
        }
