"""A device enrolled by hand promises what a file would, and is proved (issue 5 §2)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config
from core.api.errors import Refused
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.api.proof import PROOFS
from core.config import Contract, IntegrationConfig
from core.readings.calibration import Standing
from core.registry.acts import (
    AmendDevice,
    EnrolDevice,
    ReplaceDevice,
    ReplaceNeeded,
)
from core.registry.by_hand import check, completed
from core.registry.events import DeviceLoosened, DeviceReplaced
from core.registry.facts import Facts, Possession
from core.registry.meters_acts import PassBump
from core.registry.state import DeviceRecord
from tests.support.kernel import Bench, make_kernel
from tests.support.signer import Phone
from tests.support.yard import HOST as FIELD
from tests.support.yard import Yard, meter

HOST = "host:line"
GAS = Entity(uid="gas", name="H2S", kind=EntityKind.GAS, quantity="h2s", unit="ppm")
SIREN = Entity(
    uid="ch1",
    name="ch1",
    kind=EntityKind.OUTPUT,
    output=Output(kind=OutputKind.SIREN),
)


def site(proof: tuple[Any, ...] = PROOFS) -> config.Bundle:
    zones = tuple(
        config.Zone(
            id=each,
            names=config.Names(zh=each, en=each),
            level="ground",
            polygon=((0, 0), (9, 0), (9, 9), (0, 9)),
        )
        for each in ("tank", "yard")
    )
    names = config.Names(zh="站", en="site")
    level = config.Level(id="ground", names=names)
    return config.Bundle(
        site=config.Site(id="s", names=names, levels=(level,), zones=zones),
        people=(
            config.Person(id="mia", name="Mia", roles=("maintainer",)),
            config.Person(id="sam", name="Sam", roles=("safety_officer",)),
        ),
        integrations=(
            IntegrationConfig(
                id="line",
                integration="modbus",
                options={"buses": [{"id": "pit", "tcp": "192.0.2.7:502"}]},
                contract=Contract(
                    kinds=tuple(EntityKind), outputs=tuple(OutputKind), proof=proof
                ),
            ),
        ),
    )


def device(uid: str = "SN-0012345", **more: Any) -> Device:
    fields: dict[str, Any] = {"serial": uid, "entities": (GAS, SIREN), **more}
    return Device(uid=uid, name="detector", **fields)


WIRED = Possession(kind="wired", detail="192.0.2.7:502")


def enrolled(bench: Bench, act: EnrolDevice) -> DeviceRecord:
    reply = bench.act("mia", act)
    assert reply.ok, (reply.code, reply.params)
    record = bench.kernel.registry.device(str(reply.result["device_id"]))
    assert record is not None
    return record


def test_what_a_person_states_counts_as_the_sites_own_rule() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device())
    contact = Output(kind=OutputKind.SIREN, ex_rated=True, contact_zone="yard")
    facts = Facts(
        critical=("gas",), max_age_s=5.0, lost_s=8.0, outputs={"ch1": contact},
        bump_every_h=24.0,
    )  # fmt: skip
    record = enrolled(
        bench,
        EnrolDevice(
            integration="line", uid="SN-0012345", zone_id="tank", name="pit 1",
            facts=facts, possession=WIRED,
        ),
    )  # fmt: skip
    registry = bench.kernel.registry
    gas, siren = (registry.entity(each) for each in record.entities)
    assert gas is not None and siren is not None
    assert (gas.declared.critical, gas.declared.max_age_s) == (True, 5.0)
    assert siren.declared.output == contact
    rule = registry.rule(record.id)
    assert rule is not None
    assert (rule.lost_s, rule.bump_every_h) == (8.0, 24.0)
    assert bench.kernel.meters.state(record.id).bump is Standing.OVERDUE
    assert record.proof == WIRED
    # The device cannot unsay it, and a restart forgets nothing of it.
    bench.restart()
    again = bench.kernel.registry.entity(siren.id)
    assert again is not None and again.declared.output == contact
    assert registry.configured(record.id) is None


def test_without_a_proof_nothing_is_enrolled() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device())
    reply = bench.act("mia", EnrolDevice(integration="line", uid="SN-0012345"))
    assert (reply.ok, reply.code) == (False, "device.proof_needed")
    assert not bench.hub.state.registry.devices


def test_facts_about_what_it_has_not_are_refused() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device())
    for facts in (
        Facts(critical=("gasx",)),
        Facts(outputs={"gas": Output(kind=OutputKind.SIREN)}),
    ):
        act = EnrolDevice(
            integration="line", uid="SN-0012345", facts=facts, possession=WIRED
        )
        assert bench.act("mia", act).code == "device.no_such_entity"


PROVEN: list[tuple[Possession, dict[str, Any], bool]] = [
    (WIRED, {}, True),
    (Possession(kind="wired", detail="pit"), {}, True),
    (Possession(kind="wired", detail="elsewhere"), {}, False),
    (Possession(kind="wired", detail=""), {}, False),
    (Possession(kind="code", detail="sn 0012345"), {}, True),
    (Possession(kind="code", detail="012345"), {}, True),
    (Possession(kind="code", detail="2345"), {}, False),
    (Possession(kind="code", detail=""), {}, False),
    (Possession(kind="code", detail="SN-0012346"), {}, False),
    (Possession(kind="key"), {"key_id": "ab"}, True),
    (Possession(kind="key"), {}, False),
    (Possession(kind="pairing"), {}, False),
    (Possession(kind="button"), {}, False),
]


@pytest.mark.parametrize(("proof", "more", "good"), PROVEN)
def test_a_proof_counts_only_where_it_proves(
    proof: Possession, more: dict[str, Any], good: bool
) -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device(**more))
    reply = bench.act(
        "mia", EnrolDevice(integration="line", uid="SN-0012345", possession=proof)
    )
    assert reply.ok is good, reply.code


def test_a_press_counts_for_a_minute() -> None:
    config_ = site().integrations[0]
    button = Possession(kind="button")
    second = 1_000_000_000
    assert check(button, device(), config_, 5 * second, 65 * second) is button
    with pytest.raises(Refused):
        check(button, device(), config_, 5 * second, 66 * second)


@given(
    typed=st.text(max_size=12),
    kind=st.sampled_from(PROOFS),
    uid=st.text("0123456789ABCDEF", min_size=6, max_size=12),
)
def test_no_word_of_a_person_proves_a_device_by_chance(
    typed: str, kind: Any, uid: str
) -> None:
    """Discovery proposes and enrolment proves (design §5 Security)."""
    plain = "".join(each for each in typed.casefold() if each.isalnum())
    low = uid.casefold()
    told = kind == "code" and (
        plain == low or (len(plain) >= 6 and low.endswith(plain))
    )
    told = told or (kind == "wired" and typed in ("pit", "192.0.2.7:502"))
    try:
        proof = Possession(kind=kind, detail=typed)
        check(proof, device(uid), site().integrations[0], None, 0)
    except Refused:
        assert not told
    else:
        assert told


def test_a_device_that_owes_bump_tests_cannot_unsay_it() -> None:
    """One without a status register needs a daily bump test (issue 5 §2)."""
    bench = make_kernel(site())
    bench.declare(HOST, device(bump_every_h=24.0))
    record = enrolled(
        bench, EnrolDevice(integration="line", uid="SN-0012345", possession=WIRED)
    )
    bench.declare(HOST, device(bump_every_h=None))
    bench.declare(HOST, device(bump_every_h=900.0))
    rule = bench.kernel.registry.rule(record.id)
    assert rule is not None and rule.bump_every_h == 24.0
    plain = msgspec.structs.replace(record, bump_every_h=None)
    assert completed(None, plain) is not None  # what the person stated stays


def test_another_device_takes_the_place_and_the_history() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device())
    record = enrolled(
        bench,
        EnrolDevice(
            integration="line", uid="SN-0012345", zone_id="tank", name="pit 1",
            facts=Facts(bump_every_h=24.0), possession=WIRED,
        ),
    )  # fmt: skip
    before = bench.entity("line", "SN-0012345", "gas")
    bench.declare(HOST, device("SN-0099999"))
    new = Possession(kind="code", detail="SN-0099999")
    act = ReplaceDevice(
        device_id=record.id, integration="line", uid="SN-0099999", possession=new
    )
    assert bench.act("mia", act).ok
    now = bench.kernel.registry.device(record.id)
    assert now is not None
    assert (now.uid, now.zone_id, now.name) == ("SN-0099999", "tank", "pit 1")
    assert (now.proof, now.known_as) == (new, ("line", "SN-0012345"))
    assert bench.entity("line", "SN-0099999", "gas") == before
    bench.report("host:line", "SN-0099999", "gas", 3.0)
    assert bench.kernel.readings.get(before).value == 3.0
    # The old one is a stranger from now on.
    bench.report("host:line", "SN-0012345", "gas", 7.0)
    assert bench.kernel.readings.get(before).value == 3.0
    assert ("line", "SN-0012345") in bench.kernel.registry.proposals
    assert len(bench.events(DeviceReplaced)) == 1
    bench.restart()
    assert bench.entity("line", "SN-0099999", "gas") == before


def test_what_lacks_a_detector_takes_no_place() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device())
    record = enrolled(
        bench, EnrolDevice(integration="line", uid="SN-0012345", possession=WIRED)
    )
    bench.declare(HOST, device("SN-0099999", entities=(SIREN,)))
    act = ReplaceDevice(
        device_id=record.id, integration="line", uid="SN-0099999", possession=WIRED
    )
    assert bench.act("mia", act).code == "device.replace_lacks"


def other(uid: str = "meter-new") -> Device:
    return msgspec.structs.replace(meter(), uid=uid, serial=uid)


def replacing(yard: Yard) -> ReplaceDevice:
    """Return the act that puts a found meter into the tank meter's place."""
    rules = tuple(r for r in yard.bundle.devices if r.uid != "*")
    yard.hub.load(msgspec.structs.replace(yard.bundle, devices=rules))
    yard.declare(FIELD, other())
    record = yard.kernel.registry.find_device(FIELD, "meter-tank")
    assert record is not None
    return ReplaceDevice(device_id=record.id, integration="field", uid="meter-new")


def test_what_open_work_needs_takes_two_persons_and_is_held() -> None:
    """Design §5 Security: two persons for what an active permit needs."""
    yard = Yard()
    sam, sue = Phone(yard, "sam").enrol(), Phone(yard, "sue").enrol()
    permit = yard.permit(yard.issued())
    asked = replacing(yard)
    assert sam.act(asked).code == "device.needed_by_permit"
    needed = ReplaceNeeded(**msgspec.structs.asdict(asked))
    assert sam.act(needed).code == "signature.second_required"
    second = sue.sign(needed.verb_, needed)
    reply = sam.act(needed, second=second)
    assert reply.ok, (reply.code, reply.params)
    assert "device_loosened" in {each.hold.code for each in permit.holds.values()}
    # It stands where the files put the old one, and under the files' own rule.
    record = yard.kernel.registry.device(asked.device_id)
    assert record is not None and record.zone_id == "tank"
    rule = yard.kernel.registry.configured(record.id)
    assert rule is not None and rule.uid == "meter-tank"


def test_the_old_sensors_calibration_is_not_the_new_ones() -> None:
    yard = Yard()
    sam = Phone(yard, "sam").enrol()
    asked = replacing(yard)
    assert sam.act(PassBump(device_id=asked.device_id, gas="h2s")).ok
    assert yard.hub.state.registry.meters[asked.device_id].bumps
    assert sam.act(asked).ok
    assert asked.device_id not in yard.hub.state.registry.meters


def test_facts_can_be_stated_anew_while_no_work_needs_the_device() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, device())
    act = EnrolDevice(
        integration="line", uid="SN-0012345", facts=Facts(critical=("gas",)),
        possession=WIRED,
    )  # fmt: skip
    record = enrolled(bench, act)
    facts = Facts(max_age_s=3.0, bump_every_h=12.0)
    amend = AmendDevice(device_id=record.id, name="pit 2", facts=facts)
    assert bench.act("mia", amend).ok
    now = bench.kernel.registry.device(record.id)
    assert now is not None and (now.name, now.facts) == ("pit 2", facts)
    assert now.proof == WIRED
    gas = bench.kernel.registry.entity(now.entities[0])
    assert gas is not None
    assert (gas.declared.max_age_s, gas.declared.critical) == (3.0, False)
    # What it promises less of is on record before the change.
    (loosened,) = bench.events(DeviceLoosened)
    assert "gas.critical" in loosened.what
    rule = bench.kernel.registry.rule(record.id)
    assert rule is not None and rule.bump_every_h == 12.0


def test_what_the_files_enrol_is_amended_there() -> None:
    yard = Yard()
    record = yard.kernel.registry.find_device(FIELD, "meter-tank")
    assert record is not None
    reply = yard.act("sam", AmendDevice(device_id=record.id))
    assert reply.code == "device.enrolled_by_configuration"


def test_a_press_proves_the_device_that_was_pressed() -> None:
    bench = make_kernel(site())
    for uid in ("SN-0012345", "SN-0099999"):
        bench.declare(HOST, device(uid))
    bench.kernel.registry.proposals.press("line", "SN-0012345")
    bench.advance(59)
    button = Possession(kind="button")
    other = EnrolDevice(integration="line", uid="SN-0099999", possession=button)
    assert bench.act("mia", other).code == "device.proof_button"
    act = EnrolDevice(integration="line", uid="SN-0012345", possession=button)
    assert bench.act("mia", act).ok
