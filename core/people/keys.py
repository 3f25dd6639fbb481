"""Which device signs for whom: enrolment, a second person's word, revocation.

A person's first key needs their own session only; every later one, and a gate's
terminal, signs nothing until another person has agreed with their own key.
"""

from core.api.errors import Refused
from core.hub import Hub
from core.journal import proofs
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.people.events import CompanyEnded, PersonErased
from core.people.faces import Faces
from core.people.keys_acts import ApproveKey, EnrolKey, RevokeKey
from core.people.keys_events import KeyApproved, KeyEnrolled, KeyRevoked
from core.people.keys_state import KeyRecord, KeysState

#: Keys of one person, or terminals, that stand at once.
MOST_KEYS, MOST_TERMINALS = 5, 100


class Keys:
    """Carry out the acts about keys; revoke those whose owner's work here ended."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub, self._access = hub, access
        self.faces = Faces(hub, access)
        access.bind(EnrolKey, self._enrol)
        access.bind(ApproveKey, self._approve)
        access.bind(RevokeKey, self._revoke_act)
        hub.undo(KeyEnrolled, self._not_durable)
        hub.undo(KeyApproved, self._not_durable)
        hub.on(CompanyEnded, self._company_ended)
        hub.on(PersonErased, self._erased)

    @property
    def state(self) -> KeysState:
        """Return the fold's part."""
        return self._hub.state.people.keys

    def arm(self) -> None:
        """Derive nothing."""

    def recover(self, clean: bool) -> None:
        """Revoke what a stop kept from being revoked with its owner's end."""
        cards = self._hub.state.people.cards
        gone = {
            person
            for company in cards.companies.values()
            for person in company.ended_people
            if company.facts.ended and not self._access.roles(person)
        }
        self._end(gone, "company_ended", Cause(actor="hub:core"))
        self._end(set(cards.erased), "erased", Cause(actor="hub:core"))

    def tick(self) -> None:
        """Have no levels to evaluate."""

    # --- acts -----------------------------------------------------------------

    def _enrol(
        self, actor: str, act: EnrolKey, _version: int | None, cause: Cause
    ) -> Answer:
        public = bytes.fromhex(act.public)
        if not proofs.is_point(public):
            raise Refused("key.no_point")
        key_id = proofs.key_id(public)
        if key_id in self.state.keys:
            raise Refused("key.known", key=key_id)
        terminal = act.device == proofs.TERMINAL
        if terminal:
            self._access.require(actor, "owner")
        elif act.zone_id:
            raise Refused("key.zone_of_terminal")
        person_id = "" if terminal else actor
        mine = self.state.of(person_id)
        most = MOST_TERMINALS if terminal else MOST_KEYS
        if sum(not key.revoked for key in mine) >= most:
            raise Refused("key.too_many", most=most)
        pending = terminal or bool(mine)
        self._hub.emit(
            KeyEnrolled(
                key_id=key_id,
                person_id=person_id,
                public=act.public,
                label=act.label,
                device=act.device,
                zone_id=act.zone_id,
                pending=pending,
                by=actor,
            ),
            cause,
        )
        return {"key_id": key_id, "pending": pending}

    def _approve(
        self, actor: str, act: ApproveKey, _version: int | None, cause: Cause
    ) -> Answer:
        key = self._key(act.key_id)
        if not key.pending:
            raise Refused("key.not_pending", key=key.id)
        # The hub's own system user, who proved no person, may stand in as second.
        if key.person_id == actor and cause.actor.startswith("person:"):
            raise Refused("key.own", key=key.id)
        self._hub.emit(
            KeyApproved(key_id=key.id, person_id=key.person_id, by=actor), cause
        )
        return {"key_id": key.id}

    def _revoke_act(
        self, actor: str, act: RevokeKey, _version: int | None, cause: Cause
    ) -> Answer:
        key = self._key(act.key_id)
        if key.person_id != actor:
            self._access.require(actor, "safety_officer")
        self._revoke(key, act.why, cause, actor)
        return {"key_id": key.id}

    def _key(self, key_id: str) -> KeyRecord:
        """Return a key that stands or waits; refuses others."""
        key = self.state.keys.get(key_id)
        if key is None:
            raise Refused("key.unknown", key=key_id)
        if key.revoked:
            raise Refused("key.revoked", key=key_id, reason=key.revoked)
        return key

    # --- ends -----------------------------------------------------------------

    def _company_ended(self, body: CompanyEnded, envelope: Envelope) -> None:
        gone = set(body.people) - set(body.owners)
        cause = Cause(actor=envelope.cause.actor, parent=envelope.id)
        self._end(gone, "company_ended", cause)

    def _erased(self, body: PersonErased, envelope: Envelope) -> None:
        cause = Cause(actor=envelope.cause.actor, parent=envelope.id)
        self._end({body.person_id}, "erased", cause)

    def _end(self, people: set[str], code: str, cause: Cause) -> None:
        for key in list(self.state.keys.values()):
            if key.person_id and key.person_id in people and not key.revoked:
                self._revoke(key, code, cause)

    def _not_durable(self, body: KeyEnrolled | KeyApproved) -> None:
        key = self.state.keys.get(body.key_id)
        if key is not None and not key.revoked:
            self._revoke(key, "not_durable", Cause(actor="hub:core"))

    def _revoke(self, key: KeyRecord, code: str, cause: Cause, by: str = "") -> None:
        self._hub.emit(
            KeyRevoked(key_id=key.id, person_id=key.person_id, code=code, by=by),
            cause,
        )
