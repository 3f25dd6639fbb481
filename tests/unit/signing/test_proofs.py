"""Statements: forged, replayed, stale or somebody else's count for nothing (§5)."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.hub import encode_act
from core.journal.envelope import Cause, Effect, Proof
from core.link.messages import ActReply, ActRequest
from core.people.access import Answer
from core.people.acts import ACTS, Act, ClaimHub, MovePerson, SetRoles, act
from core.people.keys_acts import ApproveKey, RevokeKey
from core.people.keys_events import KeyRevoked
from core.people.signing import statement
from core.permits.acts import HoldPermit, ReleasePermit
from tests.support.signer import MS, Phone, send
from tests.support.yard import Yard


@pytest.fixture
def yard() -> Yard:
    yard = Yard()
    yard.act_claim("own")
    return yard


@pytest.fixture
def own(yard: Yard) -> Phone:
    return Phone(yard, "own").enrol()


ROLES = SetRoles(person_id="ann", roles=("guardian",))


def test_a_signed_act_keeps_its_proof_in_the_journal(yard: Yard, own: Phone) -> None:
    reply = own.act(ROLES)
    assert reply.ok, (reply.code, reply.params)
    envelope = yard.envelopes()[-1]
    told = statement(envelope.cause)
    assert told is not None
    assert (told.person, told.verb) == ("own", "person.roles")
    assert envelope.act_ns is None, "an act of now is no late entry"
    assert statement(Cause(actor="hub:core")) is None


def test_the_act_is_read_from_what_was_signed(yard: Yard, own: Phone) -> None:
    """Design §5: a broken gateway cannot forge what a person asked for."""
    proof = own.sign("person.roles", ROLES)
    other = SetRoles(person_id="bob", roles=("owner",))
    assert send(yard, "own", other, proof).ok
    assert yard.kernel.access.roles("ann") == {"guardian"}
    assert yard.kernel.access.roles("bob") == {"worker"}


def test_who_has_a_key_must_use_it(yard: Yard, own: Phone) -> None:
    assert yard.act("own", ROLES).code == "signature.required"
    assert yard.act("own", MovePerson(person_id="ann", zone_id="tank")).ok
    own.act(RevokeKey(key_id=own.id))
    # Losing it is no way around it.
    assert yard.act("own", ROLES).code == "signature.required"


def test_what_a_wrong_clock_refused_counts_once_when_it_is_right(
    yard: Yard, own: Phone
) -> None:
    """Stale is judged by the hub's clock; a refused word was never used up."""
    proof = own.sign("person.roles", ROLES)
    yard.clock.step_wall(-3600.0)
    assert send(yard, "own", ROLES, proof).code == "signature.stale"
    yard.clock.step_wall(3600.0)
    assert send(yard, "own", ROLES, proof).ok
    again = send(yard, "own", ROLES, proof)
    assert not again.ok and again.code.startswith("signature.")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(where=st.sampled_from(["data", "sig"]), at=st.integers(0, 1 << 16))
def test_any_flipped_bit_is_refused(
    yard: Yard, own: Phone, where: str, at: int
) -> None:
    """What is not exactly what was signed counts for nothing."""
    before = len(yard.journal.stored)
    proof = own.sign("person.roles", ROLES)
    changed = bytearray(getattr(proof, where))
    at %= len(changed) * 8
    changed[at // 8] ^= 1 << at % 8
    broken = msgspec.structs.replace(proof, **{where: bytes(changed)})
    reply = send(yard, "own", ROLES, broken)
    assert not reply.ok
    assert reply.code.startswith("signature.")
    assert len(yard.journal.stored) == before


class TestRefused:
    """One clear reason each."""

    def test_forged(self, yard: Yard, own: Phone) -> None:
        thief = Phone(yard, "own", "thief's phone")
        proof = thief.sign("person.roles", ROLES)
        assert send(yard, "own", ROLES, proof).code == "signature.key_unknown"
        claimed = msgspec.structs.replace(proof, key=own.id)
        assert send(yard, "own", ROLES, claimed).code == "signature.forged"

    def test_replayed(self, yard: Yard, own: Phone) -> None:
        proof = own.sign("person.roles", ROLES)
        assert send(yard, "own", ROLES, proof, request_id="a").ok
        assert send(yard, "own", ROLES, proof, request_id="b").code == (
            "signature.replayed"
        )
        yard.restart()
        assert send(yard, "own", ROLES, proof, request_id="c").code == (
            "signature.replayed"
        )

    def test_replayed_though_it_made_no_event(self, yard: Yard) -> None:
        sam = Phone(yard, "sam").enrol()
        move = MovePerson(person_id="ann", zone_id="tank")
        assert sam.act(move).ok
        proof = sam.sign(move.verb_, move)
        assert send(yard, "sam", move, proof, request_id="a").ok
        assert not send(yard, "sam", move, proof, request_id="b").ok

    @pytest.mark.parametrize("seconds", [-121, 121])
    def test_stale(self, yard: Yard, own: Phone, seconds: int) -> None:
        at = yard.clock.wall_ns() // MS + seconds * 1000
        reply = own.act(ROLES, at=at)
        assert (reply.code, reply.params) == ("signature.stale", {"seconds": 121})

    def test_for_another_hub_act_or_person(self, yard: Yard, own: Phone) -> None:
        assert own.act(ROLES, hub="another").code == "signature.other_hub"
        assert own.act(ROLES, verb="person.move").code == "signature.other_act"
        proof = own.sign("person.roles", ROLES)
        assert send(yard, "sam", ROLES, proof).code == "act.role"
        Phone(yard, "sam").enrol()
        move = MovePerson(person_id="ann", zone_id="tank")
        proof = own.sign(move.verb_, move, person="sam")
        assert send(yard, "sam", move, proof).code == "signature.other_person"

    def test_revoked(self, yard: Yard, own: Phone) -> None:
        assert own.act(RevokeKey(key_id=own.id, why="lost")).ok
        reply = own.act(ROLES)
        assert reply.code == "signature.key_revoked"
        assert reply.params["reason"] == "lost"

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{}",
            b"[" * 60_000,
            b'{"v":1,"v":1}',
            b"x" * 70_000,
            '{"人":1'.encode(),
        ],
    )
    def test_malformed(self, yard: Yard, own: Phone, data: bytes) -> None:
        proof = own.seal(data)
        assert send(yard, "own", ROLES, proof).code == "signature.malformed"

    def test_two_readings_of_one_statement(self, yard: Yard, own: Phone) -> None:
        """A key that stands twice could be shown otherwise than it is read."""
        good = own.sign("person.roles", ROLES).data
        body = b'"body":{"person_id":"ann"'
        twice = own.seal(good.replace(body, body + b',"person_id":"bob"'))
        assert send(yard, "own", ROLES, twice).code == "signature.malformed"

    def test_a_body_with_more_than_the_act_knows(self, yard: Yard, own: Phone) -> None:
        body = {"person_id": "ann", "roles": ["guardian"], "z": 1}
        proof = own.sign("person.roles", body)
        assert send(yard, "own", ROLES, proof).code == "act.malformed"


class TestProtects:
    """Nothing protective waits for a signature, and none is dropped for it."""

    def test_a_hold_with_a_bad_key_is_done_unsigned(self, yard: Yard) -> None:
        permit = yard.issued()
        ann = Phone(yard, "ann").enrol()
        ann.act(RevokeKey(key_id=ann.id))
        hold = HoldPermit(permit_id=permit, reason="smoke")
        reply = ann.act(hold)
        assert reply.ok
        assert reply.result["unsigned"] == "signature.key_revoked"
        assert yard.permit(permit).status == "held"
        assert yard.envelopes()[-1].cause.proof is None

    def test_a_late_hold_is_a_late_entry(self, yard: Yard) -> None:
        permit = yard.issued()
        ann = Phone(yard, "ann").enrol()
        at = yard.clock.wall_ns() // MS - 600_000
        hold = HoldPermit(permit_id=permit, reason="smoke")
        early = ann.act(hold, at=at)
        assert early.result["unsigned"] == "signature.replayed"
        held = [e for e in yard.envelopes() if e.type == "permit.held"]
        assert held[-1].cause.proof is None, "older than the key's own enrolment"
        bob = Phone(yard, "bob").enrol()
        yard.advance(600)
        proof = bob.sign(hold.verb_, hold)
        yard.advance(600)
        assert send(yard, "bob", hold, proof).ok
        held = [e for e in yard.envelopes() if e.type == "permit.held"]
        assert held[-1].cause.proof == proof
        assert held[-1].act_ns is not None
        assert held[-1].wall_ns - held[-1].act_ns >= 600 * 10**9


class TestTwoPhones:
    """Two phones doing the same step at once: one outcome, one clear refusal."""

    def test_one_outcome(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.act("bob", HoldPermit(permit_id=permit, reason="x"))
        yard.live(1)
        assert yard.retest(permit).ok
        version = yard.permit(permit).version
        phones = [Phone(yard, name).enrol() for name in ("ivy", "sam")]
        release = ReleasePermit(permit_id=permit, reason="fine")
        replies = [p.act(release, version=version) for p in phones]
        assert [r.ok for r in replies] == [True, False], replies
        assert replies[1].code == "act.stale"

    def test_the_same_request_again_gets_the_same_answer(self, yard: Yard) -> None:
        permit = yard.issued()
        hold = HoldPermit(permit_id=permit, reason="smoke")
        first = send(yard, "ann", hold, None, request_id="q1")
        count = len(yard.journal.stored)
        assert send(yard, "ann", hold, None, request_id="q1") == first
        assert len(yard.journal.stored) == count

    def test_a_repeat_while_the_disk_is_slow_is_done_once(self, yard: Yard) -> None:
        own = Phone(yard, "own").enrol()
        proof = own.sign("person.roles", ROLES)
        yard.journal.held = True
        request = yard_request(proof)
        yard.kernel.access.receive("gateway", request)
        yard.kernel.access.receive("gateway", request)
        yard.journal.held = False
        yard.settle()
        replies = [r for r in yard.links.of(ActReply) if r.id == "slow"]
        assert [r.ok for r in replies] == [True]


def yard_request(proof: Proof) -> ActRequest:
    """Return the same request each time."""
    return ActRequest(
        id="slow",
        person_id="own",
        verb=ROLES.verb_,
        body=encode_act(ROLES),
        proof=proof,
    )


class TestSecond:
    """Two persons, each with their own key, over the same act."""

    @pytest.fixture(autouse=True)
    def two(self, yard: Yard) -> Iterator[None]:
        @act(
            "test.two",
            "issuer",
            effect=Effect.PERMISSIVE,
            two=("safety_officer",),
        )
        class Two(Act, frozen=True, kw_only=True):
            """Do what takes two."""

            what: str

        self.asked: list[tuple[str, str, Cause]] = []

        def handle(actor: str, body: Two, _: int | None, cause: Cause) -> Answer:
            self.asked.append((actor, body.what, cause))
            yard.hub.emit(
                KeyRevoked(key_id="none", person_id="", code="by_hand"), cause
            )
            return {}

        yard.kernel.access.bind(Two, handle)
        self.kind: Any = Two
        yield
        del ACTS["test.two"]

    def test_both_sign(self, yard: Yard) -> None:
        ivy, sam = Phone(yard, "ivy").enrol(), Phone(yard, "sam").enrol()
        body = self.kind(what="x")
        reply = ivy.act(body, second=sam.sign("test.two", body))
        assert reply.ok, (reply.code, reply.params)
        cause = self.asked[-1][2]
        assert cause.second is not None
        assert cause.second.key == sam.id
        assert yard.replayed().people == yard.hub.state.people

    def test_what_is_refused(self, yard: Yard) -> None:
        ivy, sam = Phone(yard, "ivy").enrol(), Phone(yard, "sam").enrol()
        ann = Phone(yard, "ann").enrol()
        body = self.kind(what="x")
        second = sam.sign("test.two", body)
        assert send(yard, "ivy", body, None, second).code == "signature.required"
        assert ivy.act(body).code == "signature.second_required"
        same = ivy.act(body, second=ivy.sign("test.two", body))
        assert same.code == "signature.second_same"
        other = ivy.act(body, second=sam.sign("test.two", self.kind(what="y")))
        assert other.code == "signature.second_other"
        low = ivy.act(body, second=ann.sign("test.two", body))
        assert low.code == "signature.second_role"
        lent = ann.sign("test.two", body, person="sam")
        assert ivy.act(body, second=lent).code == "signature.other_person"
        assert not self.asked


class TestOthersKeys:
    """No worker needs a phone: a terminal with the card, or a PIN and a witness."""

    def test_a_terminal_signs_for_the_card_it_read(
        self, yard: Yard, own: Phone
    ) -> None:
        gate = Phone(yard, "", "gate 1")
        assert gate.ask_enrol(by="own", device="terminal", zone_id="yard").ok
        permit = yard.issued()
        hold = HoldPermit(permit_id=permit, reason="smoke")
        sign: dict[str, Any]
        sign = {"person": "ann", "method": "terminal", "card": "tag-ann"}
        pending = gate.act(hold, **sign)
        assert pending.result["unsigned"] == "signature.key_pending"
        assert own.approve(gate).ok
        assert "unsigned" not in gate.act(hold, **sign).result
        sign["card"] = "tag-bob"
        assert gate.act(hold, **sign).result["unsigned"] == "signature.card"
        sign = {"person": "sam", "method": "terminal", "card": "tag-sam"}
        move = MovePerson(person_id="ann", zone_id="tank")
        assert gate.act(move, **sign).code == "signature.own_key_needed"
        assert own.act(move, person="gil", method="terminal", card="tag-gil").code == (
            "signature.no_terminal"
        )

    def test_a_witness_is_another_person(self, yard: Yard) -> None:
        sue = Phone(yard, "sue").enrol()
        move = MovePerson(person_id="ann", zone_id="tank")
        sign: dict[str, Any] = {"person": "gil", "method": "pin_witness"}
        assert sue.act(move, witness="sue", **sign).ok
        assert sue.act(move, witness="ann", **sign).code == "signature.other_person"
        gil = Phone(yard, "gil").enrol()
        assert gil.act(move, witness="gil", **sign).code == "signature.own_witness"

    def test_no_face_is_known_without_a_verifier(self, yard: Yard, own: Phone) -> None:
        gate = Phone(yard, "", "gate 1")
        assert gate.ask_enrol(by="own", device="terminal").ok
        assert own.approve(gate).ok
        move = MovePerson(person_id="ann", zone_id="tank")
        reply = gate.act(move, person="gil", method="face")
        assert reply.code == "face.unavailable"
        assert own.act(ApproveKey(key_id=gate.id)).code == "key.not_pending"


def test_the_claim_needs_no_key(yard: Yard) -> None:
    assert yard.act("own", ClaimHub()).code == "hub.claimed"
