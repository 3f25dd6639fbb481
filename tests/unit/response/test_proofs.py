"""Proof tests of outputs that are energised to alarm (design §5 Commands)."""

import msgspec
import pytest

from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.config import DeviceRule
from core.link.messages import ActReply
from core.response.events import CommandIssued
from core.response.proofs import Proof
from core.response.proofs_acts import FailProof, PassProof, StartProof
from core.response.proofs_state import ProofDoubted
from tests.support.yard import HOST, SIREN, Yard, box

#: Hours between two proof tests of the siren in these tests.
EVERY_H = 1.0
BLIND = msgspec.structs.replace(SIREN, read_back=False)


def owing(*, siren: Output = SIREN, every: dict[str, float] | None = None) -> Yard:
    """Return a yard whose siren is owed a proof test each hour."""
    yard = Yard()
    rule = DeviceRule(
        integration="field",
        uid="box-tank",
        zone="tank",
        proof_every_h={"siren": EVERY_H} if every is None else every,
    )
    others = tuple(each for each in yard.bundle.devices if each.uid != "box-tank")
    yard.bundle = msgspec.structs.replace(yard.bundle, devices=(*others, rule))
    yard.declare(HOST, box(siren=siren))
    yard.hub.load(yard.bundle)
    yard.settle()
    return yard


@pytest.fixture
def yard() -> Yard:
    return owing()


def siren(yard: Yard) -> str:
    found = yard.kernel.registry.find(HOST, "box-tank", "siren")
    assert found is not None
    return found


def standing(yard: Yard) -> Proof:
    return yard.kernel.proofs.standing(siren(yard))


def alarms(yard: Yard) -> set[str]:
    return {a.kind for a in yard.kernel.alarms.active(kind_prefix="fault.proof")}


def begin(yard: Yard, who: str = "sam") -> ActReply:
    return yard.act(who, StartProof(entity_id=siren(yard)))


def heard(yard: Yard, who: str = "max") -> ActReply:
    return yard.act(who, PassProof(entity_id=siren(yard)))


def answered(yard: Yard, state: str = "confirmed", detail: str = "") -> None:
    yard.result(yard.executed()[-1].command.id, state, detail)


def values(yard: Yard) -> list[object]:
    return [e.value for e in yard.events(CommandIssued)]


def test_what_was_never_proven_is_owed_a_test(yard: Yard) -> None:
    assert standing(yard) is Proof.OVERDUE
    assert alarms(yard) == {"fault.proof_overdue"}


def test_nothing_is_owed_where_nothing_is_demanded() -> None:
    """A star stands for every output of the device; none is none."""
    assert standing(owing(every={})) is Proof.NONE
    assert standing(owing(every={"*": 24.0})) is Proof.OVERDUE


def test_read_back_and_a_persons_word_prove_it(yard: Yard) -> None:
    assert begin(yard).ok
    assert heard(yard).code == "proof.not_read_back"
    answered(yard)
    assert heard(yard).ok
    assert standing(yard) is Proof.PROVEN
    assert alarms(yard) == set()


def test_everybody_is_told_that_it_is_a_test(yard: Yard) -> None:
    begin(yard)
    told = yard.hub.state.response.notices.values()
    found = [n for n in told if n.code == "notice.proof_test"]
    assert {n.person_id for n in found} >= {"ann", "bob", "max"}
    assert {n.mark for n in found} == {"TEST"}


def test_a_word_without_a_test_proves_nothing(yard: Yard) -> None:
    assert heard(yard).code == "proof.none"
    begin(yard)
    answered(yard)
    yard.live(901)
    assert heard(yard).code == "proof.none"


def test_the_hub_ends_what_it_showed_in_the_testers_name(yard: Yard) -> None:
    """No siren times itself off: the end is a command like any other."""
    begin(yard)
    answered(yard)
    yard.live(9)
    assert values(yard) == [True]
    yard.live(2)
    assert values(yard) == [True, False]


def test_real_danger_keeps_it_on(yard: Yard) -> None:
    """TEST ends at the first real alarm (design §5 Alarms)."""
    begin(yard)
    answered(yard)
    yard.reading("h2s", 30.0)
    yard.live(15)
    assert values(yard)[-1] is True
    assert heard(yard).code == "proof.hazard"


def test_no_test_in_danger(yard: Yard) -> None:
    yard.kernel.evacuations.start(["tank"], "evacuation.gas")
    assert begin(yard).code == "proof.hazard"


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_silence_is_a_failed_proof(yard: Yard, state: str) -> None:
    begin(yard)
    answered(yard, state, "mqtt.no_read_back_differs")
    assert standing(yard) is Proof.FAILED
    assert alarms(yard) == {"fault.proof_failed"}


def test_confirmed_and_not_heard_is_a_failed_proof(yard: Yard) -> None:
    """A relay that clicks proves no horn."""
    begin(yard)
    answered(yard)
    assert yard.act("max", FailProof(entity_id=siren(yard))).ok
    assert standing(yard) is Proof.FAILED
    yard.live(12)
    begin(yard)
    answered(yard)
    assert heard(yard).ok
    assert standing(yard) is Proof.PROVEN


def test_one_that_cannot_be_read_back_goes_by_the_persons_word() -> None:
    yard = owing(siren=BLIND)
    begin(yard)
    answered(yard, "delivered")
    answered(yard, "failed", "mqtt.no_read_back")
    assert heard(yard).ok
    assert standing(yard) is Proof.PROVEN


def test_it_falls_due_again(yard: Yard) -> None:
    begin(yard)
    answered(yard)
    heard(yard)
    yard.live(3200)
    assert standing(yard) is Proof.PROVEN
    yard.live(100)
    assert alarms(yard) == {"fault.proof_due"}
    yard.live(400)
    assert alarms(yard) == {"fault.proof_overdue"}


def test_a_proof_survives_a_restart_and_an_unknown_clock_does_not_prolong_it(
    yard: Yard,
) -> None:
    begin(yard)
    answered(yard)
    heard(yard)
    yard.restart()
    assert standing(yard) is Proof.PROVEN
    yard.clock.trusted = False
    yard.restart(reboot="boot-2")
    assert standing(yard) is Proof.OVERDUE


def test_a_proof_that_the_disk_lost_counts_no_more(yard: Yard) -> None:
    begin(yard)
    answered(yard)
    yard.journal.held = True
    yard.ask("max", PassProof(entity_id=siren(yard)))
    yard.journal.held = False
    yard.break_disk()
    assert yard.events(ProofDoubted)
    assert standing(yard) is Proof.OVERDUE


@pytest.mark.parametrize("stopped", [False, True])
def test_what_is_demanded_no_more_is_told_no_more(yard: Yard, stopped: bool) -> None:
    assert alarms(yard) == {"fault.proof_overdue"}
    kept = (each for each in yard.bundle.devices if each.uid != "box-tank")
    plain = DeviceRule(integration="field", uid="box-tank", zone="tank")
    yard.bundle = msgspec.structs.replace(yard.bundle, devices=(*kept, plain))
    if stopped:
        yard.restart()
    else:
        yard.hub.load(yard.bundle)
    yard.live(2)
    assert alarms(yard) == set()


def test_roles(yard: Yard) -> None:
    assert begin(yard, "ann").code == "act.role"
    begin(yard)
    answered(yard)
    assert heard(yard, "ann").code == "act.role"


def test_power_that_was_cut_for_a_test_stays_cut() -> None:
    """Power is never restored by itself (design §5 Commands)."""
    cut = Output(kind=OutputKind.POWER_CUT, ex_rated=True, contact_zone="tank")
    yard = owing()
    entity = Entity(uid="cut", name="cut", kind=EntityKind.OUTPUT, output=cut)
    yard.declare(HOST, Device(uid="gate-tank", name="gate", entities=(entity,)))
    found = yard.kernel.registry.find(HOST, "gate-tank", "cut")
    assert found is not None
    assert yard.act("sam", StartProof(entity_id=found)).ok
    answered(yard)
    yard.live(30)
    assert values(yard) == [True]
