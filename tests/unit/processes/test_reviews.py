"""Draft → check → review → armed: another person looks first (R25, issue §2)."""

from core import config
from core.config import Bundle, Names
from core.hub import encode_act
from core.link.messages import ActRequest
from core.processes.acts import (
    ApproveConfig,
    ArmConfig,
    RejectConfig,
    ShowConfig,
    SubmitConfig,
)
from core.processes.events import ConfigRejected, RuleUpgraded
from tests.support.signer import send
from tests.unit.processes.test_loosening import put
from tests.unit.processes.test_two_persons import TWO, Scene

PLAIN = config.Rule(
    id="fan",
    names=Names(zh="风机", en="fan"),
    version="1.0.0",
    hash="a" * 64,
    blueprint="fan",
    blueprint_hash="b" * 64,
)
RULED: Bundle = put(TWO, rules=(PLAIN,))
NEWER: Bundle = put(
    TWO,
    rules=(put(PLAIN, version="1.1.0", hash="c" * 64, blueprint_hash="d" * 64),),
)
VITAL: Bundle = put(RULED, rules=(PLAIN, put(PLAIN, id="gas", life_safety=True)))


def submitted(scene: Scene, what: Bundle) -> str:
    digest = scene.store.put(what)
    base = scene.yard.hub.state.hub.config_hash
    reply = scene.sam.act(SubmitConfig(hash=digest, base=base, note="please look"))
    assert reply.ok, reply.code
    return digest


def reviewed(scene: Scene, what: Bundle) -> str:
    digest = submitted(scene, what)
    reply = scene.una.act(ApproveConfig(hash=digest))
    assert reply.ok, reply.code
    return digest


def test_rules_of_a_person_wait_for_another_person_s_review() -> None:
    scene = Scene()
    assert scene.alone(RULED).code == "config.review_needed"
    digest = submitted(scene, RULED)
    assert scene.alone(RULED).code == "config.review_needed"
    assert scene.sam.act(ApproveConfig(hash=digest)).code == "config.own_review"
    assert scene.una.act(ApproveConfig(hash=digest)).ok
    assert scene.alone(RULED).ok
    done = scene.done[-1]
    assert (done.by, done.second) == ("person:sam", "person:una")
    assert done.rules == {"fan": "a" * 64}


def test_a_life_safety_rule_that_joins_others_takes_two() -> None:
    scene = Scene()
    assert scene.sam.act(ArmConfig(hash=reviewed(scene, RULED))).ok
    assert scene.alone(VITAL).code == "config.second_needed"
    digest = reviewed(scene, VITAL)
    assert scene.una.act(ArmConfig(hash=digest)).ok
    assert (scene.done[-1].by, scene.done[-1].second) == ("person:una", "person:sam")


def test_a_review_without_a_key_never_stands_for_a_signature() -> None:
    """Two persons' own devices: a session that a broken gateway could forge is none."""
    scene = Scene(keys=False)
    scene.sam.enrol()
    digest = submitted(scene, RULED)
    assert send(scene.yard, "una", ApproveConfig(hash=digest), None).ok
    assert scene.sam.act(ArmConfig(hash=digest)).ok
    digest = submitted(scene, VITAL)
    assert send(scene.yard, "una", ApproveConfig(hash=digest), None).ok
    assert scene.sam.act(ArmConfig(hash=digest)).code == "config.second_needed"


def test_what_was_compared_with_another_bundle_is_looked_at_anew() -> None:
    scene = Scene()
    digest = reviewed(scene, RULED)
    assert scene.sam.act(ArmConfig(hash=reviewed(scene, NEWER))).ok
    assert scene.sam.act(ArmConfig(hash=digest)).code == "config.base_moved"
    late = SubmitConfig(hash=digest, base="0" * 64)
    assert scene.sam.act(late).code == "config.base_moved"
    assert scene.yard.hub.bundle == NEWER


def test_what_was_sent_back_cannot_be_armed_until_submitted_again() -> None:
    scene = Scene()
    digest = reviewed(scene, RULED)
    assert scene.una.act(RejectConfig(hash=digest, note="the wrong zone")).ok
    assert scene.alone(RULED).code == "config.review_needed"
    assert scene.una.act(ApproveConfig(hash=digest)).code == "config.rejected"
    assert scene.sam.act(ArmConfig(hash=reviewed(scene, RULED))).ok
    nobody = RejectConfig(hash="1" * 64)
    assert scene.una.act(nobody).code == "config.not_submitted"


def test_before_the_first_key_one_person_sets_the_rules_up() -> None:
    scene = Scene(keys=False)
    reply = send(scene.yard, "sam", ArmConfig(hash=scene.store.put(RULED)), None)
    assert reply.ok


def test_an_approval_that_the_disk_did_not_keep_is_none() -> None:
    scene = Scene()
    digest = submitted(scene, RULED)
    told: list[ConfigRejected] = []
    scene.yard.hub.on(ConfigRejected, lambda body, _: told.append(body))
    scene.yard.journal.held = True
    proof = scene.una.sign("config.approve", ApproveConfig(hash=digest))
    # The answer waits for the disk.
    scene.yard.kernel.access.receive(
        "gateway",
        ActRequest(
            id="1",
            person_id="una",
            verb="config.approve",
            body=encode_act(ApproveConfig(hash=digest)),
            proof=proof,
        ),
    )
    scene.yard.break_disk()
    assert [body.code for body in told] == ["not_durable"]
    assert scene.yard.hub.state.hub.reviews[digest].approved_by == ""


def test_an_upgrade_and_the_way_back_are_journalled() -> None:
    """R25: each step names what was before, and in which bundle it stands."""
    scene = Scene()
    told: list[RuleUpgraded] = []
    scene.yard.hub.on(RuleUpgraded, lambda body, _: told.append(body))
    first = reviewed(scene, RULED)
    assert scene.sam.act(ArmConfig(hash=first)).ok
    assert scene.sam.act(ArmConfig(hash=reviewed(scene, NEWER))).ok
    (up,) = told
    assert (up.was_version, up.version, up.was_bundle) == ("1.0.0", "1.1.0", first)
    assert not up.back
    assert scene.yard.hub.state.hub.earlier["fan"].bundle == first
    assert scene.sam.act(ArmConfig(hash=reviewed(scene, RULED))).ok
    assert told[-1].back


def test_whoever_may_look_is_told_which_bundle_is_in_force() -> None:
    scene = Scene()
    reply = send(scene.yard, "sam", ShowConfig(), None)
    assert reply.result == {"hash": scene.yard.hub.state.hub.config_hash}
