"""Keys: proved, agreed to by a second person, revoked in two taps."""

import pytest

from core.hub import encode_act
from core.link.messages import ActReply, ActRequest
from core.people.acts import (
    EndCompany,
    ErasePerson,
    RecordCompany,
    RecordPerson,
    SetRoles,
)
from core.people.keys_acts import (
    ApproveKey,
    ConsentToFace,
    EnrolKey,
    RevokeKey,
    WithdrawFace,
)
from core.people.keys_state import KeyRecord
from tests.support.kernel import Bench
from tests.support.signer import Phone, send
from tests.support.yard import Yard


@pytest.fixture
def yard() -> Yard:
    yard = Yard()
    yard.act_claim("own")
    return yard


def key(bench: Bench, phone: Phone) -> KeyRecord:
    return bench.hub.state.people.keys.keys[phone.id]


class TestEnrolment:
    """The first key takes one person, every later one two."""

    def test_the_first_key_signs_at_once(self, yard: Yard) -> None:
        reply = Phone(yard, "ann").ask_enrol()
        assert reply.result["pending"] is False

    def test_another_one_waits_for_another_person(self, yard: Yard) -> None:
        sam, ann = Phone(yard, "sam").enrol(), Phone(yard, "ann").enrol()
        assert ann.act(RevokeKey(key_id=ann.id, why="lost")).ok
        new = Phone(yard, "ann", "ann's new phone").enrol()
        assert key(yard, new).pending
        assert sam.approve(new).ok
        assert key(yard, new).active()
        assert not sam.approve(new).ok
        assert yard.replayed().people == yard.hub.state.people

    def test_nobody_agrees_to_their_own(self, yard: Yard) -> None:
        sam = Phone(yard, "sam").enrol()
        new = Phone(yard, "sam", "sam's new phone").enrol()
        assert sam.approve(new).code == "key.own"
        assert new.approve(new).code == "signature.key_pending"
        assert yard.act("own", ApproveKey(key_id=new.id)).code == "signature.required"
        ann = Phone(yard, "ann").enrol()
        assert ann.approve(new).code == "act.role"
        assert Phone(yard, "own").enrol().approve(new).ok

    def test_the_hubs_own_user_may_be_the_second(self, yard: Yard) -> None:
        """Else a site whose only owner lost their phone is locked out for good."""
        own = Phone(yard, "own").enrol()
        own.act(RevokeKey(key_id=own.id))
        new = Phone(yard, "own", "own's new phone").enrol()
        assert yard.act("own", ApproveKey(key_id=new.id), peer="cli:1").ok
        assert new.act(SetRoles(person_id="ann", roles=("guardian",))).ok

    def test_it_must_be_proved(self, yard: Yard) -> None:
        ann, bob = Phone(yard, "ann"), Phone(yard, "bob")
        act = EnrolKey(public=ann.public.hex(), label="x")
        assert send(yard, "ann", act, None).code == "signature.required"
        assert bob.act(act, person="ann").code == "key.not_proved"
        proof = ann.sign("key.enrol", act)
        assert send(yard, "bob", act, proof).code == "signature.other_act"

    @pytest.mark.parametrize("public", ["00" * 65, "04" + "00" * 64, "04ff"])
    def test_it_must_be_a_point(self, yard: Yard, public: str) -> None:
        ann = Phone(yard, "ann")
        fields = {"public": public, "label": "x", "device": "phone", "zone_id": ""}
        assert not send(
            yard,
            "ann",
            EnrolKey(public=public, label="x"),
            ann.sign("key.enrol", fields),
        ).ok

    def test_bounds(self, yard: Yard) -> None:
        for number in range(5):
            Phone(yard, "ann", f"phone {number}").enrol()
        reply = Phone(yard, "ann", "phone 6").ask_enrol()
        assert reply.code == "key.too_many"
        yard.advance(1)
        assert Phone(yard, "ann", "phone 1").ask_enrol().code == "key.known"
        gate = Phone(yard, "", "gate")
        assert gate.ask_enrol(by="sam", device="terminal").code == "act.role"
        bob = Phone(yard, "bob")
        assert bob.ask_enrol(zone_id="tank").code == "key.zone_of_terminal"

    def test_what_the_disk_failed_signs_nothing(self, yard: Yard) -> None:
        ann = Phone(yard, "ann")
        yard.journal.held = True
        act = EnrolKey(public=ann.public.hex(), label="x")
        proof = ann.sign("key.enrol", act)
        request = ActRequest("k", "ann", "key.enrol", encode_act(act), proof=proof)
        yard.kernel.access.receive("gateway", request)
        yard.journal.held = False
        yard.break_disk()
        (reply,) = [r for r in yard.links.of(ActReply) if r.id == "k"]
        assert reply.code == "journal.not_durable"
        assert key(yard, ann).revoked == "not_durable"
        yard.mend_disk()
        # It never was: the next one is the first.
        assert Phone(yard, "ann", "again").ask_enrol().result["pending"] is False


class TestRevocation:
    """By the person, by who is responsible, and with a company's end."""

    def test_by_whom(self, yard: Yard) -> None:
        ann, bob = Phone(yard, "ann").enrol(), Phone(yard, "bob").enrol()
        assert yard.act("bob", RevokeKey(key_id=ann.id)).code == "act.role"
        assert yard.act("sam", RevokeKey(key_id=ann.id)).ok
        assert yard.act("bob", RevokeKey(key_id=bob.id)).ok
        assert yard.act("bob", RevokeKey(key_id=bob.id)).code == "key.revoked"
        assert yard.act("bob", RevokeKey(key_id="none")).code == "key.unknown"

    def test_it_waits_for_no_disk(self, yard: Yard) -> None:
        ann = Phone(yard, "ann").enrol()
        yard.break_disk()
        assert yard.act("ann", RevokeKey(key_id=ann.id)).ok

    def test_with_the_company(self, yard: Yard) -> None:
        assert yard.act("sam", RecordCompany(company_id="acme")).ok
        file = RecordPerson(person_id="ann", company_id="acme", fields="a" * 64)
        assert yard.act("sam", file).ok
        ann, bob = Phone(yard, "ann").enrol(), Phone(yard, "bob").enrol()
        assert yard.act("sam", EndCompany(company_id="acme")).ok
        assert key(yard, ann).revoked == "company_ended"
        assert key(yard, bob).active()

    def test_with_a_company_whose_end_a_stop_cut_short(self, yard: Yard) -> None:
        yard.act("sam", RecordCompany(company_id="acme"))
        file = RecordPerson(person_id="ann", company_id="acme", fields="a" * 64)
        yard.act("sam", file)
        ann = Phone(yard, "ann").enrol()
        yard.act("sam", EndCompany(company_id="acme"))
        del yard.journal.stored[-1]  # the revocation was not written any more
        yard.journal.durable_seq -= 1
        yard.restart()
        assert key(yard, ann).revoked == "company_ended"

    def test_with_the_persons_data(self, yard: Yard) -> None:
        ann = Phone(yard, "ann").enrol()
        assert yard.act("sam", ErasePerson(person_id="ann")).ok
        assert key(yard, ann).revoked == "erased"
        yard.restart()
        assert key(yard, ann).revoked == "erased"


class TestFaces:
    """A template counts while its person agrees, and somebody can compare it."""

    def test_consent_is_the_persons_own(self, yard: Yard) -> None:
        template = "a" * 64
        faces = yard.hub.state.people.keys.faces
        assert yard.act("ann", ConsentToFace(template=template)).ok
        assert faces == {"ann": template}
        assert yard.act("ann", WithdrawFace()).ok
        assert faces == {}
        assert yard.act("ann", WithdrawFace()).code == "face.no_consent"
        assert yard.act("ann", ConsentToFace(template=template)).code == (
            "face.template_gone"
        )

    def test_what_ends_names_the_template_that_is_destroyed(self, yard: Yard) -> None:
        """Withdrawn, replaced or never durable: each leaves a word to destroy by."""
        first, second, third = "a" * 64, "b" * 64, "c" * 64
        gone = yard.hub.state.people.keys.faces_gone
        assert yard.act("ann", ConsentToFace(template=first)).ok
        assert yard.act("ann", ConsentToFace(template=second)).ok
        assert gone["ann"].keys() == {first}
        assert yard.act("ann", WithdrawFace()).ok
        assert gone["ann"].keys() == {first, second}
        yard.journal.held = True
        yard.ask("ann", ConsentToFace(template=third))
        yard.journal.held = False
        yard.break_disk()
        assert gone["ann"].keys() == {first, second, third}
