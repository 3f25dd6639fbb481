"""Acts: decoded, checked for person, role, disk; always answered (design §5)."""

import msgspec
import pytest

from core.hub import encode_act
from core.link.messages import ActReply, ActRequest
from core.people.acts import ClaimHub, MovePerson, SetRoles
from core.people.events import RolesWithdrawn
from core.permits.acts import HoldPermit, ReleasePermit
from core.processes.events import ConfigArmed
from tests.support.kernel import Bench, make_kernel
from tests.support.yard import Yard, bundle


@pytest.fixture
def yard() -> Yard:
    return Yard()


def send(bench: Bench, verb: str, body: bytes, person: str = "sam") -> ActReply:
    request = ActRequest(id="x", person_id=person, verb=verb, body=body)
    bench.kernel.access.receive("gateway", request)
    reply = bench.links.of(ActReply)[-1]
    assert isinstance(reply, ActReply)
    return reply


def test_an_unknown_verb_is_refused_by_name(yard: Yard) -> None:
    reply = send(yard, "permit.dance", b"\x80")
    assert (reply.ok, reply.code, reply.params) == (
        False,
        "act.unknown",
        {"verb": "permit.dance"},
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xff",
        msgspec.msgpack.encode({"person_id": 5, "zone_id": "tank"}),
        msgspec.msgpack.encode({"person_id": "ann"}),
        msgspec.msgpack.encode({"person_id": "ann", "zone_id": "tank", "more": 1}),
    ],
)
def test_a_malformed_body_says_what_is_wrong(yard: Yard, body: bytes) -> None:
    reply = send(yard, "person.move", body)
    assert reply.code == "act.malformed"
    assert reply.params["detail"]


def test_a_stranger_may_nothing(yard: Yard) -> None:
    reply = yard.move("nobody", "ann", "tank")
    assert (reply.code, reply.params) == ("act.person_unknown", {"person": "nobody"})


def test_a_missing_role_is_named(yard: Yard) -> None:
    reply = yard.move("ann", "bob", "tank")
    assert reply.code == "act.role"
    assert "guardian" in str(reply.params["needed"])


def test_no_host_acts_for_a_person(yard: Yard) -> None:
    act = MovePerson(person_id="ann", zone_id="tank")
    assert yard.act("sam", act, peer="host:field").code == "act.peer"


def test_a_stale_version_is_refused(yard: Yard) -> None:
    permit = yard.issued()
    yard.act("ann", HoldPermit(permit_id=permit, reason="dizzy"))
    yard.act("bob", HoldPermit(permit_id=permit, reason="me too"))
    release = ReleasePermit(permit_id=permit, reason="fine")
    reply = yard.act("ivy", release, version=2)
    assert (reply.code, reply.params) == ("act.stale", {"expected": 2, "actual": 3})
    assert yard.act("ivy", release).code == "act.version_required"


class TestDisk:
    """Accepted, then durable: permissive acts wait, protective ones do not."""

    def test_a_permissive_act_is_answered_when_it_is_durable(self, yard: Yard) -> None:
        yard.journal.held = True
        act = SetRoles(person_id="ann", roles=("guardian",))
        request = ActRequest(
            id="r", person_id="own", verb=act.verb_, body=encode_act(act)
        )
        yard.act_claim("own")
        yard.kernel.access.receive("gateway", request)
        assert not [r for r in yard.links.of(ActReply) if r.id == "r"]
        yard.journal.held = False
        yard.settle()
        (reply,) = [r for r in yard.links.of(ActReply) if r.id == "r"]
        assert reply.ok

    def test_it_is_refused_and_taken_back_when_the_disk_fails(self, yard: Yard) -> None:
        yard.act_claim("own")
        yard.journal.held = True
        for roles in (("guardian",), ("safety_officer",)):
            act = SetRoles(person_id="ann", roles=roles)
            yard.kernel.access.receive(
                "gateway",
                ActRequest(
                    id="r", person_id="own", verb=act.verb_, body=encode_act(act)
                ),
            )
        yard.journal.held = False
        yard.break_disk()
        replies = [r for r in yard.links.of(ActReply) if r.id == "r"]
        assert [r.code for r in replies] == ["journal.not_durable"] * 2
        assert yard.kernel.access.roles("ann") == {"worker"}
        assert yard.events(RolesWithdrawn)
        yard.mend_disk()
        assert yard.replayed().people == yard.hub.state.people

    def test_it_is_refused_at_once_while_the_disk_is_away(self, yard: Yard) -> None:
        yard.break_disk()
        assert yard.issue().code == "journal.not_durable"

    def test_a_protective_act_goes_on(self, yard: Yard) -> None:
        permit = yard.issued()
        yard.break_disk()
        assert yard.act("ann", HoldPermit(permit_id=permit, reason="smoke")).ok
        assert yard.permit(permit).status == "held"


class TestClaim:
    """Security: no default password, the hub is claimed once."""

    def test_the_first_claim_makes_the_owner(self) -> None:
        bench = make_kernel(bundle())
        assert bench.act("own", ClaimHub()).ok
        assert bench.kernel.access.roles("own") == {"owner"}

    def test_the_second_is_refused(self) -> None:
        bench = make_kernel(bundle())
        bench.act("own", ClaimHub())
        assert bench.act("eve", ClaimHub()).code == "hub.claimed"
        bench.restart()
        assert bench.act("eve", ClaimHub()).code == "hub.claimed"

    def test_only_the_gateway_may_pass_it_on(self) -> None:
        bench = make_kernel(bundle())
        assert bench.act("own", ClaimHub(), peer="cli:1").code == "hub.claim_peer"

    def test_a_claim_without_a_person_is_refused(self) -> None:
        bench = make_kernel(bundle())
        assert bench.act("", ClaimHub()).code == "act.person_unknown"

    def test_a_claim_that_was_lost_can_be_made_again(self) -> None:
        bench = make_kernel(bundle())
        bench.journal.held = True
        request = ActRequest(
            id="c", person_id="own", verb="hub.claim", body=encode_act(ClaimHub())
        )
        bench.kernel.access.receive("gateway", request)
        bench.journal.held = False
        bench.break_disk()
        assert bench.hub.state.people.owner_id == ""
        assert not bench.kernel.access.known("own")
        bench.mend_disk()
        assert bench.act("own", ClaimHub()).ok

    def test_a_claim_adds_to_what_the_person_is_already(self) -> None:
        bench = make_kernel(bundle())
        bench.act("sue", ClaimHub())
        assert bench.kernel.access.roles("sue") == {"owner", "supervisor"}


class TestRoles:
    """Roles come from the bundle until the journal says otherwise."""

    def test_a_told_role_stands_before_the_bundles(self, yard: Yard) -> None:
        yard.act_claim("own")
        assert yard.act("own", SetRoles(person_id="ann", roles=())).ok
        assert yard.kernel.access.roles("ann") == frozenset()
        yard.restart()
        assert yard.kernel.access.roles("ann") == frozenset()

    def test_unknown_roles_are_refused(self, yard: Yard) -> None:
        yard.act_claim("own")
        reply = yard.act("own", SetRoles(person_id="ann", roles=("king",)))
        assert (reply.code, reply.params) == ("person.role_unknown", {"roles": "king"})

    def test_the_last_owner_stays_one(self, yard: Yard) -> None:
        yard.act_claim("own")
        reply = yard.act("own", SetRoles(person_id="own", roles=("worker",)))
        assert reply.code == "person.last_owner"
        assert yard.act("own", SetRoles(person_id="ann", roles=("owner",))).ok
        assert yard.act("own", SetRoles(person_id="own", roles=())).ok

    def test_the_owner_may_do_what_any_role_may(self, yard: Yard) -> None:
        yard.act_claim("own")
        assert yard.move("own", "ann", "hall").ok

    def test_only_an_owner_sets_roles(self, yard: Yard) -> None:
        reply = yard.act("sam", SetRoles(person_id="sam", roles=("owner",)))
        assert reply.code == "act.role"


def test_an_events_undo_is_not_called_once_it_is_durable(yard: Yard) -> None:
    yard.act_claim("own")
    yard.break_disk()
    assert yard.hub.state.people.owner_id == "own"
    assert not yard.events(RolesWithdrawn)
    assert not yard.events(ConfigArmed)
