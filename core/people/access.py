"""Who may do what: roles, acts and their answers (design §5 Security)."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from core import config
from core.api.errors import Refused
from core.api.reading import Value
from core.hub import Hub
from core.journal.envelope import Cause, Effect
from core.link.messages import ActReply, ActRequest
from core.people.acts import ACTS, ROLES, Act, ClaimHub, SetRoles, bounded
from core.people.events import HubClaimed, RolesChanged, RolesWithdrawn
from core.people.keys_acts import ApproveKey
from core.people.signing import MS, Signing

ActT = TypeVar("ActT", bound=Act)
Answer = dict[str, Value]
Handler = Callable[[str, Any, int | None, Cause], Answer]
#: Requests whose answers are kept for a repeat; the oldest is forgotten first.
KEPT_ANSWERS = 1_000
#: Acts that end a protection: never for the operator, who proved no person.
_IN_PERSON = (
    *("permit.release", "evacuation.clear", "sirens.silence", "output.release"),
    *("alarm.reset", "alarm.shelve", "alarm.out_of_service", "device.out_of_service"),
    *("person.safe", "person.roles", "face.consent"),
)


def check_version(expected: int | None, actual: int, *, must: bool = False) -> None:
    """Refuse an act on an object that has changed since its actor saw it."""
    if expected is None and must:
        raise Refused("act.version_required", actual=actual)
    if expected is not None and expected != actual:
        raise Refused("act.stale", expected=expected, actual=actual)


def _speaks(peer: str, kind: type[Act]) -> bool:
    """Say whether a peer may bring a person's act: only the gateway proves who asks.

    The operator's own tools keep records and hold; they end no protection.
    """
    if peer.startswith("cli:"):
        return kind is ClaimHub or kind.verb_ not in _IN_PERSON
    return peer == "gateway"


def _kind(peer: str) -> str:
    """Return whose word an act is: a person's, or the hub's system user's."""
    return "os" if peer.startswith("cli:") else "person"


def _without_key(kind: type[Act]) -> bool:
    """Say whether the operator's tools may do an act without anybody's key.

    What must be signed needs one; but a new key may be agreed to at the hub itself,
    or a site whose only owner lost their phone would be locked out for good.
    """
    return not kind.signed_ or kind is ApproveKey


def _number(peer: str, request: ActRequest) -> str:
    """Name a request by who sends it and all it says: ids are the sender's own."""
    said = msgspec.msgpack.encode((peer, request))
    return hashlib.sha256(said).hexdigest()


def _bounded(body: Act) -> Act:
    """Return an act within its bounds; one that protects is cut, never refused."""
    act: Act = bounded(body, cut=body.effect_ is Effect.PROTECTIVE)
    return act


class _Asked(NamedTuple):
    """Hold an act that its handler may carry out."""

    kind: type[Act]
    act: Act
    version: int | None
    cause: Cause
    late_ns: int | None
    unsigned: str = ""
    """Why the signature of a protective act did not count; it is done all the same."""


class Access:
    """Decode acts, check person, role, signature and disk, call the room, answer."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._people: dict[str, config.Person] = {}
        self._handlers: dict[type[Act], Handler] = {}
        self._decoders: dict[type[Act], msgspec.msgpack.Decoder[Any]] = {}
        self.signing = Signing(hub, self)
        self._answers: OrderedDict[str, ActReply | None] = OrderedDict()
        """Request → its answer; None until it is durable."""
        self._before: dict[str, list[tuple[str, ...] | None]] = {}
        """Told roles as they were before each change that is not durable yet."""
        self.bind(ClaimHub, self._claim)
        self.bind(SetRoles, self._set_roles)
        hub.undo(HubClaimed, self._unclaim)
        hub.undo(RolesChanged, self._withdraw)

    def arm(self) -> None:
        """Derive the table of people from the bundle."""
        self._people = {person.id: person for person in self._hub.bundle.people}

    def recover(self, clean: bool) -> None:
        """Owe nothing after a start."""

    def tick(self) -> None:
        """Have no levels to evaluate."""

    # --- roles ----------------------------------------------------------------

    def known(self, person_id: str) -> bool:
        """Say whether the site knows a person, by bundle or by journal."""
        return person_id in self._people or person_id in self._hub.state.people.roles

    def persons(self) -> list[str]:
        """Return the ids of all known people, the bundle's first."""
        return list(dict.fromkeys([*self._people, *self._hub.state.people.roles]))

    def roles(self, person_id: str) -> frozenset[str]:
        """Return a person's roles: the journal's word stands before the bundle's."""
        people = self._hub.state.people
        person = self._people.get(person_id)
        given = frozenset(person.roles if person else ())
        if person_id not in people.roles:
            return given
        told = frozenset(people.roles[person_id])
        # A claim adds the ownership and takes nothing away.
        return told | given if person_id == people.owner_id else told

    def employed(self, person_id: str) -> bool:
        """Say whether a person has any role here."""
        people = self._hub.state.people
        if people.roles.get(person_id):
            return True
        if person_id in people.roles and person_id != people.owner_id:
            return False
        person = self._people.get(person_id)
        return person is not None and bool(person.roles)

    def cards(self, person_id: str) -> frozenset[str]:
        """Return what identifies a person to a terminal: their tags and cards."""
        person = self._people.get(person_id)
        kept = self._hub.state.people.cards.of(person_id)
        cards = {card.id for card in kept if not card.withdrawn}
        return frozenset(cards | set(person.tags if person else ()))

    def require(self, person_id: str, *roles: str) -> None:
        """Refuse with ``act.role`` unless the person has a role; owner may all."""
        if not self.roles(person_id) & {*roles, "owner"}:
            raise Refused("act.role", needed=", ".join(sorted(roles)))

    # --- acts -----------------------------------------------------------------

    def bind(
        self,
        kind: type[ActT],
        handler: Callable[[str, ActT, int | None, Cause], Answer],
    ) -> None:
        """Let ``handler`` carry out acts of a kind; it raises Refused."""
        self._handlers[kind] = handler
        self._decoders[kind] = msgspec.msgpack.Decoder(kind)

    def receive(self, peer: str, request: ActRequest) -> None:
        """Carry out an act and answer it always; permissive ones once durable.

        The same request again gets the same answer, and is not done twice.
        """
        number = _number(peer, request)
        if number in self._answers:
            kept = self._answers[number]
            if kept is not None:
                self._hub.links.send(peer, kept)
            return
        try:
            asked = self._read(peer, request)
            result = self._carry_out(request.person_id, asked)
        except Refused as no:
            self._refuse(peer, request.id, no)
            return
        self.signing.done(asked.cause)
        if asked.unsigned:
            result = {**result, "unsigned": asked.unsigned}
        seq = self._hub.state.seq
        reply = ActReply(id=request.id, ok=True, result=result, seq=seq)
        if asked.kind.effect_ is not Effect.PERMISSIVE:
            if not asked.kind.reads_:
                self._keep(number, reply)
            self._hub.links.send(peer, reply)
            return
        self._keep(number, None)

        def answer(durable: bool) -> None:
            if durable:
                self._keep(number, reply)
                self._hub.links.send(peer, reply)
            else:
                self._answers.pop(number, None)
                self._refuse(peer, request.id, Refused("journal.not_durable"))

        self._hub.when_durable(seq, answer)

    def _carry_out(self, person_id: str, asked: _Asked) -> Answer:
        with self._hub.acting(asked.cause, asked.late_ns):
            handler = self._handlers[asked.kind]
            return handler(person_id, asked.act, asked.version, asked.cause)

    def _keep(self, number: str, reply: ActReply | None) -> None:
        self._answers[number] = reply
        while len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)

    def _refuse(self, peer: str, request_id: str, no: Refused) -> None:
        params: Answer = dict(no.params)
        self._hub.links.send(
            peer, ActReply(id=request_id, ok=False, code=no.refusal, params=params)
        )

    def _read(self, peer: str, request: ActRequest) -> _Asked:
        """Return the act as its actor signed it, else as the gateway tells it."""
        kind = ACTS.get(request.verb)
        if kind is None or kind not in self._handlers:
            raise Refused("act.unknown", verb=request.verb)
        plain = None if request.proof is not None else self._decode(kind, request)
        self._allow(peer, request.person_id, kind)
        actor = f"{_kind(peer)}:{request.person_id}"
        unsigned = ""
        try:
            signed = self.signing.judge(request, kind)
            if not (peer.startswith("cli:") and _without_key(kind)):
                self.signing.require(request, kind, signed is not None)
        except Refused as no:
            if kind.effect_ is not Effect.PROTECTIVE or kind.signed_:
                raise
            # Whoever may protect may do so unsigned: no bad key keeps them from it.
            signed, unsigned = None, no.refusal
        if signed is None:
            act = plain if plain is not None else self._decode(kind, request)
            told_ms = request.act_ns // MS if request.act_ns is not None else None
            late = self.signing.late_ns(told_ms)
            version = request.expected_version
            return _Asked(kind, act, version, Cause(actor=actor), late, unsigned)
        second = request.second if signed.second is not None else None
        cause = Cause(actor=actor, proof=request.proof, second=second)
        told = signed.statement
        late = self.signing.late_ns(told.at)
        return _Asked(kind, _bounded(signed.act), told.expected_version, cause, late)

    def _decode(self, kind: type[Act], request: ActRequest) -> Act:
        try:
            body: Act = self._decoders[kind].decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
            raise Refused(
                "act.malformed", verb=request.verb, detail=str(wrong)
            ) from wrong
        return _bounded(body)

    def _allow(self, peer: str, person_id: str, kind: type[Act]) -> None:
        if not _speaks(peer, kind):
            raise Refused("act.peer", peer=peer)
        if kind is ClaimHub:
            self._may_claim(peer, person_id)
        elif kind.reads_ and peer.startswith("cli:"):
            return  # the hub's own system user, who may read the journal itself
        elif not self.known(person_id):
            raise Refused("act.person_unknown", person=person_id)
        elif not self.roles(person_id) & kind.roles_:
            needed = ", ".join(sorted(kind.roles_))
            raise Refused("act.role", verb=kind.verb_, needed=needed)
        if kind.effect_ is Effect.PERMISSIVE and not self._hub.journal.healthy():
            raise Refused("journal.not_durable", verb=kind.verb_)

    def _may_claim(self, peer: str, person_id: str) -> None:
        if peer != "gateway":
            raise Refused("hub.claim_peer", peer=peer)
        if self._hub.state.people.owner_id:
            raise Refused("hub.claimed")
        if not person_id:
            raise Refused("act.person_unknown", person=person_id)

    # --- ownership and roles --------------------------------------------------

    def _claim(
        self, actor: str, _act: ClaimHub, _version: int | None, cause: Cause
    ) -> Answer:
        self._remember(actor)
        self._hub.emit(HubClaimed(person_id=actor), cause)
        return {"person_id": actor}

    def _set_roles(
        self, actor: str, act: SetRoles, _version: int | None, cause: Cause
    ) -> Answer:
        unknown = sorted(set(act.roles) - set(ROLES))
        if unknown:
            raise Refused("person.role_unknown", roles=", ".join(unknown))
        if not act.person_id:
            raise Refused("act.person_unknown", person=act.person_id)
        owners = [p for p in self.persons() if "owner" in self.roles(p)]
        if "owner" not in act.roles and owners == [act.person_id]:
            raise Refused("person.last_owner", person=act.person_id)
        self._remember(act.person_id)
        self._hub.emit(
            RolesChanged(person_id=act.person_id, roles=act.roles, by=actor), cause
        )
        return {"person_id": act.person_id}

    def _remember(self, person_id: str) -> None:
        told = self._hub.state.people.roles.get(person_id)
        before = self._before.setdefault(person_id, [])
        before.append(None if told is None else tuple(told))

        def forget(durable: bool) -> None:
            if durable:
                del self._before[person_id][0]

        self._hub.when_durable(self._hub.state.seq + 1, forget)

    def _unclaim(self, body: HubClaimed) -> None:
        self._take_back(body.person_id, unclaimed=True)

    def _withdraw(self, body: RolesChanged) -> None:
        self._take_back(body.person_id, unclaimed=False)

    def _take_back(self, person_id: str, *, unclaimed: bool) -> None:
        before = self._before.pop(person_id, [])
        if before:
            self._hub.emit(
                RolesWithdrawn(
                    person_id=person_id, roles=before[0], unclaimed=unclaimed
                )
            )
