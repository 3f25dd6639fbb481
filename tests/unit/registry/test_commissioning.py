"""A zone is protected only while what was proved of it stands (1.24, issue 5 §2)."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.model import Device
from core.hub import CORE, encode_act
from core.journal.envelope import Proof
from core.link.messages import ActRequest
from core.registry.commissioning_acts import (
    ApplyGas,
    BeginCommission,
    EndCommission,
    SignCommission,
    Step,
    TickLine,
    UntickLine,
)
from core.registry.commissioning_events import CommissionLapsed, CommissionSigned
from core.registry.commissioning_sheet import missing, sheet, standing, tick
from core.response.events import NoticeMoved, NoticeQueued
from tests.support.signer import Phone
from tests.support.yard import CALM, HOST, SIREN, Yard, box, meter

GAS = {"h2s": 30.0, "lel": 60.0, "o2": 12.0}


class Site(Yard):
    """Prove the tank, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.phone = Phone(self, "sam").enrol()

    def detector(self, gas: str) -> str:
        return self.entity(HOST, "meter-tank", gas)

    def stands(self) -> str:
        registry = self.hub.state.registry
        made = sheet(self.hub.bundle, registry, "tank")
        return standing(made, registry.commissioning.get("tank"))

    def left(self) -> list[tuple[str, str]]:
        registry = self.hub.state.registry
        made = sheet(self.hub.bundle, registry, "tank")
        return missing(made, registry.commissioning.get("tank"))

    def begin(self) -> None:
        assert self.phone.act(BeginCommission(zone_id="tank")).ok

    def alarm(self, gas: str) -> None:
        """Bring gas to one detector, until it alarms; then fresh air."""
        act = ApplyGas(zone_id="tank", entity_id=self.detector(gas), gas=f"{gas} test")
        assert self.phone.act(act).ok
        self.reading(gas, GAS[gas])
        self.live(2)

    def siren(self) -> None:
        """Let the tank's siren sound, and confirm it."""
        known = len(self.executed())
        entity = self.entity(HOST, "box-tank", "siren")
        self.kernel.commands.order(entity, True, why="test", cause=CORE)
        self.settle()
        (order,) = self.executed()[known:]
        self.result(order.command.id, "confirmed")

    def tick(self, gas: str, step: Step, note: str = "") -> str:
        act = TickLine(
            zone_id="tank", entity_id=self.detector(gas), step=step, note=note
        )
        return self.phone.act(act).code

    def prove(self, gas: str) -> None:
        """Do all of a detector's row, where no work is open."""
        self.alarm(gas)
        self.siren()
        assert self.tick(gas, "hold", "no permit is open") == ""
        assert self.tick(gas, "siren") == ""
        assert self.tick(gas, "message") == ""
        self.reading(gas, CALM[gas])
        self.live(2)

    def sign(self, stamp: str = "") -> str:
        made = sheet(self.hub.bundle, self.hub.state.registry, "tank")
        act = SignCommission(zone_id="tank", sheet=stamp or made.stamp)
        return self.phone.act(act).code


def proved() -> Site:
    site = Site()
    site.begin()
    for gas in GAS:
        site.prove(gas)
    return site


def test_only_a_signed_sheet_protects() -> None:
    site = Site()
    assert site.stands() == "none"
    site.begin()
    assert site.stands() == "testing"
    for gas in GAS:
        assert site.sign() == "commission.incomplete"
        site.prove(gas)
    assert site.stands() == "ready"
    assert site.sign("another") == "commission.other_sheet"
    # Without a signature it is nobody's word.
    made = sheet(site.hub.bundle, site.hub.state.registry, "tank")
    unsigned = site.act("sam", SignCommission(zone_id="tank", sheet=made.stamp))
    assert unsigned.code == "signature.required"
    assert site.sign() == ""
    assert site.stands() == "protected"
    site.restart(clean=True)
    site.advance(3)
    assert site.stands() == "protected"


def test_the_alarm_is_the_journals_word_and_nobody_elses() -> None:
    site = Site()
    site.begin()
    entity = site.detector("h2s")
    assert site.phone.act(ApplyGas(zone_id="tank", entity_id=entity)).ok
    assert site.tick("h2s", "reading") == "commission.by_journal"
    assert site.tick("h2s", "alarm") == "commission.by_journal"
    assert site.tick("h2s", "message") == "commission.alarm_first"
    site.reading("lel", GAS["lel"])  # another detector's alarm is not its
    assert (entity, "alarm") in site.left()
    site.reading("h2s", GAS["h2s"])
    assert (entity, "alarm") not in site.left()
    done = site.hub.state.registry.commissioning["tank"].ticks[f"{entity}/alarm"]
    assert done.value == 30.0 and done.person_id == ""
    raised = [e for e in site.envelopes() if e.id in done.evidence]
    assert [each.type for each in raised] == ["alarm.raised"]


def test_a_siren_that_never_answered_was_not_heard() -> None:
    site = Site()
    site.begin()
    site.alarm("h2s")
    assert site.tick("h2s", "siren") == "commission.not_called"
    site.siren()
    assert site.tick("h2s", "siren") == ""


def test_work_that_is_open_must_be_held() -> None:
    site = Site()
    permit = site.issued()
    site.begin()
    site.alarm("h2s")
    assert site.permit(permit).holds
    done = site.hub.state.registry.commissioning["tank"]
    shown = done.ticks[f"{site.detector('h2s')}/hold"]
    assert shown.person_id == "" and shown.evidence


def test_where_no_work_was_open_a_person_says_so() -> None:
    site = Site()
    site.begin()
    site.alarm("h2s")
    assert site.tick("h2s", "hold") == "commission.say_why"
    assert site.tick("h2s", "hold", "no permit is open") == ""


def test_a_message_that_was_seen_ticks_itself() -> None:
    site = Site()
    site.begin()
    site.alarm("h2s")
    alarm = site.kernel.alarms.find(f"entity:{site.detector('h2s')}", "high")
    assert alarm is not None
    queued = NoticeQueued(
        notice_id="n1", person_id="sue", role="supervisor", code="c", about=alarm.id
    )
    site.hub.emit(queued)
    site.hub.emit(NoticeMoved(notice_id="n1", channel="screen", state="seen"))
    site.settle()
    assert (site.detector("h2s"), "message") not in site.left()


def test_gas_that_came_long_ago_proves_nothing() -> None:
    site = Site()
    site.begin()
    entity = site.detector("h2s")
    assert site.phone.act(ApplyGas(zone_id="tank", entity_id=entity)).ok
    site.advance(601)
    site.reading("h2s", GAS["h2s"])
    assert (entity, "alarm") in site.left()


def test_a_line_can_be_taken_back() -> None:
    site = proved()
    act = UntickLine(zone_id="tank", entity_id=site.detector("o2"), step="siren")
    assert site.phone.act(act).ok
    assert site.stands() == "testing"
    assert site.left() == [(site.detector("o2"), "siren")]


def _other_meter(site: Site) -> None:
    first, *rest = meter().entities
    entities = (msgspec.structs.replace(first, full_scale=50.0), *rest)
    other: Device = msgspec.structs.replace(meter(), entities=entities)
    site.declare(HOST, other)


def _other_siren(site: Site) -> None:
    other = msgspec.structs.replace(SIREN, contact_zone="yard")
    site.declare(HOST, box(siren=other))


def _other_limit(site: Site) -> None:
    quantities = tuple(
        msgspec.structs.replace(
            each,
            limits=tuple(
                msgspec.structs.replace(limit, above=9.0) if limit.above else limit
                for limit in each.limits
            ),
        )
        for each in site.bundle.quantities
    )
    site.hub.load(msgspec.structs.replace(site.bundle, quantities=quantities))


CHANGES: dict[str, Callable[[Site], None]] = {
    "detector": _other_meter,
    "output": _other_siren,
    "limit": _other_limit,
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_takes_the_protection_away(what: str) -> None:
    site = proved()
    assert site.sign() == ""
    CHANGES[what](site)
    site.advance(2)
    assert site.stands() == "changed"
    (lapsed,) = site.events(CommissionLapsed)
    assert (lapsed.zone_id, lapsed.code) == ("tank", "changed")
    # Back again is no proof either: somebody must sign anew.
    site.hub.load(site.bundle)
    site.declare(HOST, meter())
    site.declare(HOST, box(siren=SIREN))
    site.advance(2)
    assert site.stands() == "changed"


def test_one_changed_detector_costs_its_own_row_only() -> None:
    site = proved()
    assert site.sign() == ""
    _other_meter(site)
    site.advance(2)
    site.begin()
    first = site.detector("h2s")
    assert {entity for entity, _ in site.left()} == {first}


def test_a_signature_that_never_reached_the_disk_protects_nothing() -> None:
    site = proved()
    site.journal.held = True
    made = sheet(site.hub.bundle, site.hub.state.registry, "tank")
    act = SignCommission(zone_id="tank", sheet=made.stamp)
    proof = site.phone.sign(act.verb_, act)
    site.kernel.access.receive("gateway", _request(act, proof))
    site.break_disk()
    assert site.stands() != "protected"
    assert site.events(CommissionLapsed)[-1].code == "not_durable"


def _request(act: SignCommission, proof: Proof) -> ActRequest:
    body = encode_act(act)
    return ActRequest(id="s", person_id="sam", verb=act.verb_, body=body, proof=proof)


def test_a_zone_without_detectors_cannot_be_proved() -> None:
    site = Site()
    assert site.phone.act(BeginCommission(zone_id="gate")).code == (
        "commission.no_detector"
    )
    assert site.phone.act(EndCommission(zone_id="tank")).code == "commission.not_begun"


STEPS = ("begin", "gas", "alarm", "siren", "hold", "heard", "message", "sign")


@given(st.lists(st.sampled_from(STEPS), max_size=14))
def test_no_order_of_acts_protects_without_all_lines(steps: list[str]) -> None:
    """A signature stands only over a sheet every line of which was shown."""
    site = Site()
    did: dict[str, Callable[[], object]] = {
        "begin": lambda: site.phone.act(BeginCommission(zone_id="tank")),
        "gas": lambda: site.phone.act(
            ApplyGas(zone_id="tank", entity_id=site.detector("h2s"))
        ),
        "alarm": lambda: site.reading("h2s", GAS["h2s"]),
        "siren": site.siren,
        "hold": lambda: site.tick("h2s", "hold", "nothing open"),
        "heard": lambda: site.tick("h2s", "siren"),
        "message": lambda: site.tick("h2s", "message"),
        "sign": site.sign,
    }
    for step in steps:
        did[step]()
        site.advance(1.0)
    # Two detectors of three never saw gas: whatever was done, nobody may sign.
    assert not site.events(CommissionSigned)
    registry = site.hub.state.registry
    made = sheet(site.hub.bundle, registry, "tank")
    done = registry.commissioning.get("tank")
    for row in made.rows:
        if tick(done, row, "siren") is not None:
            assert tick(done, row, "alarm") is not None
