"""Loosening a bundle takes two persons' signatures, and holds the work (design §5)."""

from typing import Any

import msgspec
import pytest

from core import config
from core.config import Bundle, Person
from core.link.messages import ActReply
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from core.processes.acts import ArmConfig, LoosenConfig
from core.processes.arming import Arming
from core.processes.events import ConfigArmed
from tests.support.signer import Phone, send
from tests.support.yard import Yard, bundle
from tests.unit.processes.test_loosening import at, put

TWO = put(
    bundle(),
    people=(*bundle().people, Person(id="una", name="Una", roles=("safety_officer",))),
)
H2S = TWO.quantities[0]
LOOSER: Bundle = put(TWO, quantities=at(TWO.quantities, 0, accept_below=6.0))
TIGHTER: Bundle = put(TWO, quantities=at(TWO.quantities, 0, accept_below=4.0))
EASIER: Bundle = put(TWO, permit_kinds=at(TWO.permit_kinds, 0, guardian=False))


class Store:
    """Published bundles in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, what: Bundle) -> str:
        data = config.dump(what)
        self.held[config.digest(data)] = data
        return config.digest(data)

    def read(self, digest: str) -> bytes:
        return self.held[digest]


class Scene:
    """A yard whose bundles are armed by acts; sam and una keep it safe."""

    def __init__(self, keys: bool = True) -> None:
        self.yard, self.store = Yard(), Store()
        self.arming = Arming(self.yard.kernel, self.store, lambda _digest, _data: None)
        self.done: list[ConfigArmed] = []
        self.yard.hub.on(ConfigArmed, lambda body, _: self.done.append(body))
        self.sam, self.una = Phone(self.yard, "sam"), Phone(self.yard, "una")
        send(self.yard, "sam", ArmConfig(hash=self.store.put(TWO)), None)
        assert len(self.done) == 1
        if keys:
            self.sam.enrol()
            self.una.enrol()

    def alone(self, what: Bundle) -> ActReply:
        return self.sam.act(ArmConfig(hash=self.store.put(what)))

    def both(self, what: Bundle, second: Phone, **fields: Any) -> ActReply:
        act = LoosenConfig(hash=self.store.put(what))
        said = second.sign(act.verb_, msgspec.structs.replace(act, **fields))
        return self.sam.act(act, second=said)


def status(permit: PermitRecord) -> str:
    return permit.status


def test_one_person_tightens_and_two_loosen() -> None:
    scene = Scene()
    assert scene.alone(TIGHTER).ok
    # Nobody works: what an open permit may need is one person's to change.
    assert scene.alone(LOOSER).ok
    refused = scene.alone(EASIER)
    assert (refused.ok, refused.code) == (False, "config.second_needed")
    assert "kind confined.guardian" in str(refused.params["what"])
    assert scene.yard.hub.bundle == LOOSER
    assert scene.both(EASIER, scene.una).ok
    assert scene.yard.hub.bundle == EASIER
    assert (scene.done[-1].by, scene.done[-1].second) == ("person:sam", "person:una")


@pytest.mark.parametrize("what", [LOOSER, EASIER])
def test_what_an_open_permit_needs_takes_two_and_holds_it(what: Bundle) -> None:
    scene = Scene()
    permit = scene.yard.permit(scene.yard.issued())
    assert scene.alone(what).code == "config.second_needed"
    assert status(permit) == PermitStatus.ACTIVE
    assert scene.both(what, scene.una).ok
    assert status(permit) == PermitStatus.HELD
    (hold,) = [h.hold for h in permit.holds.values() if h.hold.source == "hub:config"]
    assert hold.code == "config_loosened"
    assert str(hold.params["what"])


def test_a_tightening_holds_nobody_by_itself() -> None:
    scene = Scene()
    permit = scene.yard.permit(scene.yard.issued())
    assert scene.alone(put(TWO, rules=())).ok
    assert status(permit) == PermitStatus.ACTIVE


def test_the_second_word_must_be_another_person_s_for_this_very_bundle() -> None:
    """Forged consent: one's own second key, another bundle, a worker, nobody."""
    scene = Scene()
    own = Phone(scene.yard, "sam", "sam's other phone")
    assert scene.both(EASIER, own).code != ""
    assert scene.both(EASIER, scene.una, hash="f" * 64).code == "signature.second_other"
    ann = Phone(scene.yard, "ann").enrol()
    assert scene.both(EASIER, ann).code in ("act.role", "signature.second_role")
    act = LoosenConfig(hash=scene.store.put(EASIER))
    assert scene.sam.act(act).code == "signature.second_required"
    assert scene.yard.hub.bundle == TWO
    assert len(scene.done) == 1


def test_before_the_first_key_one_person_sets_the_hub_up() -> None:
    """Nobody can sign yet; work that is open is held all the same."""
    scene = Scene(keys=False)
    permit = scene.yard.permit(scene.yard.issued())
    reply = send(scene.yard, "sam", ArmConfig(hash=scene.store.put(LOOSER)), None)
    assert reply.ok
    assert status(permit) == PermitStatus.HELD


def test_a_bundle_of_an_older_release_stays_armed() -> None:
    """Design §5 Rules: armed is approved, though a newer release adds fields."""
    scene = Scene()
    plain = msgspec.msgpack.decode(config.dump(TWO))
    del plain["packs"]
    data = msgspec.msgpack.encode(plain, order="deterministic")
    scene.store.held[config.digest(data)] = data
    assert scene.sam.act(ArmConfig(hash=config.digest(data))).ok
    scene.arming.report()
    scene.yard.live(61)
    open_ = scene.yard.hub.state.alarms.open.values()
    assert not [alarm for alarm in open_ if alarm.kind == "fault.config.bundle"]
