"""What a person signs for an act, and whether it counts (design §5 Security).

A device signs the statement's canonical JSON; the core reads the act from these
very bytes, never from what the gateway says. No statement counts twice: its time
must be later than that of the last one under the same key.
"""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import msgspec

from core.api.errors import Refused
from core.hub import Hub
from core.journal import proofs
from core.journal.envelope import Cause, Effect, Proof
from core.link.messages import ActRequest
from core.people.acts import Act
from core.people.keys_acts import EnrolKey
from core.people.keys_state import KeyRecord, KeysState

#: How far a device's clock may be from the hub's for an act of now.
FRESH_MS = 120_000
MS = 1_000_000
#: Bytes of a statement; the gateway's own bound is the same.
MOST_BYTES = 64 * 1024
#: Roles whose steps a gate's terminal, or a witness, may sign for a person.
BY_OTHERS = frozenset({"worker", "guardian"})

Short = Annotated[str, msgspec.Meta(max_length=120)]
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Method = Literal["key", "terminal", "pin_witness", "face"]


class Claim(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Say how a device found where it is; `core.people.places` judges it."""

    method: Literal["uwb", "gate", "nfc", "qr", "ble", "gnss"]
    code: Short = ""
    """Tag, rotating code or beacon."""
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    at: int = 0
    """When the fix was made, wall milliseconds."""


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold what a device signed; field by field as in its JSON."""

    v: Literal[1]
    hub: str
    """`HubState.id`: a statement counts on one hub only."""
    person: str
    verb: str
    body: msgspec.Raw
    expected_version: int | None = None
    at: int
    """Wall milliseconds of the device."""
    place: Claim | None = None
    method: Method = "key"
    attachments: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=40)] = ()
    card: Short = ""
    """What a terminal read from the person's card."""
    witness: str = ""


class Signed(NamedTuple):
    """Hold an act as it was signed, and what its events' cause keeps."""

    act: Act
    statement: Statement
    second: Statement | None


class People(Protocol):
    """What signing must know of people: `core.people.access.Access`."""

    def known(self, person_id: str) -> bool:
        """Say whether the site knows a person."""

    def roles(self, person_id: str) -> frozenset[str]:
        """Return a person's roles."""

    def cards(self, person_id: str) -> frozenset[str]:
        """Return what identifies a person to a terminal."""


def _no_faces(_person_id: str, _attachments: Sequence[str]) -> None:
    raise Refused("face.unavailable")


_statements = msgspec.json.Decoder(Statement)


def read(data: bytes) -> Statement:
    """Return a statement; refuses what is no canonical one (signature.malformed)."""
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"longer than {MOST_BYTES} bytes")
        found = _statements.decode(data)
        json.loads(data, object_pairs_hook=_in_order)
    except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
        raise Refused("signature.malformed", detail=str(wrong)) from wrong
    return found


def _in_order(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that two readers could read differently."""
    names = [name for name, _ in pairs]
    if names != sorted(set(names)):
        raise ValueError("keys must be sorted, and none may stand twice")


def statement(cause: Cause) -> Statement | None:
    """Return what the actor of an event signed, None when nothing was."""
    return read(cause.proof.data) if cause.proof is not None else None


class Signing:
    """Judge the proofs that come with an act."""

    def __init__(self, hub: Hub, people: People) -> None:
        self._hub, self._people = hub, people
        self.faces: Callable[[str, Sequence[str]], None] = _no_faces
        """Refuses unless a face is the person's: `core.people.faces`."""
        self._last: dict[str, int] = {}
        """Key → time of the last act that made no event, which no fold keeps."""
        self._decoders: dict[type[Act], msgspec.json.Decoder[Any]] = {}

    @property
    def state(self) -> KeysState:
        """Return the fold's part."""
        return self._hub.state.people.keys

    def judge(self, request: ActRequest, kind: type[Act]) -> Signed | None:
        """Return the act as signed, None when it is not; refuses what is wrong."""
        if request.proof is None:
            return None
        told = self._statement(request.proof, request.verb, kind)
        if told.person != request.person_id:
            raise Refused("signature.other_act", person=told.person, verb=told.verb)
        self._speaks(request.proof, told, kind)
        act = self._act(told, kind)
        second = None
        if request.second is not None and kind.two_:
            second = self._second(request.second, told, kind, act)
        return Signed(act, told, second)

    def require(self, request: ActRequest, kind: type[Act], proved: bool) -> None:
        """Refuse an act that needs a signature which is not there.

        Who ever had a key acts permissively with a key only: else losing it
        would be a way around it.
        """
        two = kind.two_ and request.second is None
        if two:
            needed = ", ".join(sorted(kind.two_))
            raise Refused("signature.second_required", needed=needed)
        if proved:
            return
        permissive = kind.effect_ is Effect.PERMISSIVE
        if kind.signed_ or (permissive and self.state.of(request.person_id)):
            raise Refused("signature.required", verb=kind.verb_)

    def done(self, cause: Cause) -> None:
        """Remember that an act's statements have counted."""
        for proof in (cause.proof, cause.second):
            if proof is not None:
                self._last[proof.key] = max(self._last_ms(proof.key), _at(proof))

    def late_ns(self, at_ms: int | None) -> int | None:
        """Return the act's time for the envelope of a late entry, else None."""
        if at_ms is None or self._now_ms() - at_ms <= FRESH_MS:
            return None
        return at_ms * MS

    # --- one statement --------------------------------------------------------

    def _statement(self, proof: Proof, verb: str, kind: type[Act]) -> Statement:
        """Return a statement that is for this hub, act and moment."""
        told = read(proof.data)
        if told.hub != self._hub.state.hub.id:
            raise Refused("signature.other_hub", hub=told.hub)
        if told.verb != verb:
            raise Refused("signature.other_act", person=told.person, verb=told.verb)
        ahead_ms = told.at - self._now_ms()
        # The key's next statement must be later: none may be from the future.
        late = ahead_ms < -FRESH_MS and kind.effect_ is Effect.PERMISSIVE
        if late or ahead_ms > FRESH_MS:
            raise Refused("signature.stale", seconds=abs(ahead_ms) // 1000)
        return told

    def _act(self, told: Statement, kind: type[Act]) -> Act:
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = msgspec.json.Decoder(kind)
        try:
            act: Act = decoder.decode(told.body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
            raise Refused(
                "act.malformed", verb=kind.verb_, detail=str(wrong)
            ) from wrong
        return act

    def _speaks(self, proof: Proof, told: Statement, kind: type[Act]) -> None:
        """Refuse unless the key stands, signed this, and may for this person."""
        public, owner = self._signer(proof, told, kind)
        if not proofs.holds(public, proof):
            raise Refused("signature.forged", key=proof.key)
        if told.at <= self._last_ms(proof.key):
            raise Refused("signature.replayed")
        if told.method == "key" and owner != told.person:
            raise Refused("signature.other_person", person=told.person)

    def _signer(
        self, proof: Proof, told: Statement, kind: type[Act]
    ) -> tuple[bytes, str]:
        """Return the public key, and whose it is."""
        if kind is not EnrolKey:
            key = self._key(proof.key)
            self._by_others(key, told, kind)
            return bytes.fromhex(key.public), key.person_id
        act = self._act(told, kind)
        public = bytes.fromhex(act.public) if isinstance(act, EnrolKey) else b""
        if proof.key != proofs.key_id(public) or told.method != "key":
            raise Refused("key.not_proved")
        return public, told.person

    def _key(self, key_id: str) -> KeyRecord:
        key = self.state.keys.get(key_id)
        if key is None:
            raise Refused("signature.key_unknown", key=key_id)
        if key.revoked:
            raise Refused("signature.key_revoked", key=key_id, reason=key.revoked)
        if key.pending:
            raise Refused("signature.key_pending", key=key_id)
        return key

    def _by_others(self, key: KeyRecord, told: Statement, kind: type[Act]) -> None:
        """Refuse what a terminal or a witness may not sign for this person."""
        if told.method == "key":
            return
        if not self._people.roles(told.person) & kind.roles_ & BY_OTHERS:
            raise Refused("signature.own_key_needed", verb=kind.verb_)
        if told.method == "pin_witness":
            if told.witness == told.person:
                raise Refused("signature.own_witness")
            if key.person_id != told.witness or not self._people.roles(told.witness):
                raise Refused("signature.other_person", person=told.witness)
        elif key.device != proofs.TERMINAL:
            raise Refused("signature.no_terminal", key=key.id)
        elif told.method == "face":
            self.faces(told.person, told.attachments)
        elif told.card not in self._people.cards(told.person):
            raise Refused("signature.card", person=told.person)

    def _second(
        self, proof: Proof, first: Statement, kind: type[Act], act: Act
    ) -> Statement:
        told = self._statement(proof, first.verb, kind)
        if told.person in (first.person, first.witness):
            raise Refused("signature.second_same", person=told.person)
        if told.method != "key":
            raise Refused("signature.own_key_needed", verb=kind.verb_)
        self._speaks(proof, told, kind)
        other = self._act(told, kind) != act
        if other or told.expected_version != first.expected_version:
            raise Refused("signature.second_other")
        if not self._people.roles(told.person) & kind.two_:
            needed = ", ".join(sorted(kind.two_))
            raise Refused("signature.second_role", person=told.person, needed=needed)
        return told

    def _last_ms(self, key_id: str) -> int:
        key = self.state.keys.get(key_id)
        told = 0 if key is None else key.last_ms
        return max(told, self._last.get(key_id, 0))

    def _now_ms(self) -> int:
        return self._hub.clock.wall_ns() // MS


def _at(proof: Proof) -> int:
    return read(proof.data).at
