"""Places: unknown never counts as on site."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import config
from core.link.messages import ActRequest
from core.logic.truth import Truth
from core.people.keys_acts import ShowCode, VerifyPerson
from core.people.places import Found
from core.people.signing import Claim
from core.permits.acts import HoldPermit
from core.site.earth import local
from core.site.site import contains, to_edge
from tests.support.signer import MS, Phone
from tests.support.yard import Yard

ALL = ("uwb", "gate", "nfc", "qr", "ble", "gnss")
GEO = config.Geo(lat=31.2, lon=121.5)
TAGS = config.ZonePlaces(methods=ALL, nfc=("04a1",), ble=("b-1",))


def with_places(yard: Yard, places: config.ZonePlaces = TAGS) -> Yard:
    """Let every zone of the yard be found by these methods."""
    bundle = yard.hub.bundle
    zones = tuple(
        msgspec.structs.replace(zone, places=places) for zone in bundle.site.zones
    )
    site = msgspec.structs.replace(bundle.site, zones=zones, geo=GEO)
    yard.bundle = msgspec.structs.replace(bundle, site=site)
    yard.kernel.places.secret = lambda name: f"secret of {name}"
    yard.hub.load(yard.bundle)
    return yard


@pytest.fixture
def yard() -> Yard:
    return with_places(Yard())


def lost(yard: Yard, person: str) -> None:
    """Let a person's tag fall silent for good."""
    yard.dead.add(person)
    yard.live(120)


def judge(yard: Yard, person: str, zone: str, **claim: Any) -> Found:
    now = yard.clock.wall_ns()
    fields = {"at": now // MS} | claim
    made = Claim(**fields) if claim else None
    return yard.kernel.places.judge(person, zone, made, now)


class TestSeen:
    """What the hub sees itself needs no claim."""

    def test_a_worn_tag(self, yard: Yard) -> None:
        assert judge(yard, "ann", "tank")[:2] == (Truth.TRUE, "uwb")
        elsewhere = judge(yard, "ann", "hall")
        assert (elsewhere.truth, elsewhere.why) == (Truth.FALSE, "elsewhere")
        lost(yard, "ann")
        assert judge(yard, "ann", "tank").truth is Truth.UNKNOWN
        assert judge(yard, "nobody", "tank").why == "nothing_seen"

    def test_a_gate_for_a_minute(self, yard: Yard) -> None:
        lost(yard, "ann")
        yard.signal("gate-tank", "gate", tag="tag-ann", direction="in")
        assert judge(yard, "ann", "tank")[:2] == (Truth.TRUE, "gate")
        yard.live(61)
        assert judge(yard, "ann", "tank").why == "old"

    def test_a_hand_proves_nothing(self, yard: Yard) -> None:
        lost(yard, "ann")
        yard.move("sam", "ann", "tank")
        assert judge(yard, "ann", "tank").truth is Truth.UNKNOWN

    def test_only_what_the_zone_allows(self, yard: Yard) -> None:
        with_places(yard, config.ZonePlaces(methods=("nfc",), nfc=("04a1",)))
        assert judge(yard, "ann", "tank").why == "method_not_allowed"
        assert judge(yard, "ann", "tank", method="nfc", code="04a1").truth is Truth.TRUE


class TestClaimed:
    """What a device claims is held against the zone's own codes."""

    @pytest.fixture(autouse=True)
    def unseen(self, yard: Yard) -> None:
        lost(yard, "ann")

    @pytest.mark.parametrize(("method", "code"), [("nfc", "04a1"), ("ble", "b-1")])
    def test_tags_and_beacons(self, yard: Yard, method: str, code: str) -> None:
        now_ms = yard.clock.wall_ns() // MS
        assert judge(yard, "ann", "tank", method=method, code=code)[:2] == (
            Truth.TRUE,
            method,
        )
        assert judge(yard, "ann", "tank", method=method, code="x").why == "wrong_code"
        assert judge(yard, "ann", "tank", method=method).why == "wrong_code"
        for at in (now_ms - 60_001, now_ms + 5_001, 0):
            found = judge(yard, "ann", "tank", method=method, code=code, at=at)
            assert (found.truth, found.why) == (Truth.UNKNOWN, "old")

    def test_a_gate_is_nobodys_claim_but_a_terminals(self, yard: Yard) -> None:
        assert judge(yard, "ann", "tank", method="gate").why == "no_terminal"

    def test_a_rotating_code(self, yard: Yard) -> None:
        reply = yard.act("sam", ShowCode(zone_id="tank"))
        assert reply.ok, (reply.code, reply.params)
        code = str(reply.result["code"])
        assert judge(yard, "ann", "tank", method="qr", code=code).truth is Truth.TRUE
        assert judge(yard, "ann", "yard", method="qr", code=code).why == "wrong_code"
        yard.live(30)
        assert judge(yard, "ann", "tank", method="qr", code=code).truth is Truth.TRUE
        yard.live(30)
        assert judge(yard, "ann", "tank", method="qr", code=code).why == "wrong_code"
        assert yard.act("ann", ShowCode(zone_id="tank")).code == "act.role"

    def test_no_secret_no_code(self, yard: Yard) -> None:
        yard.kernel.places.secret = lambda _name: ""
        yard.hub.load(yard.bundle)
        assert yard.act("sam", ShowCode(zone_id="tank")).code == "place.no_code"
        for code in ("", "0" * 10):
            found = judge(yard, "ann", "tank", method="qr", code=code)
            assert found.truth is Truth.UNKNOWN

    def test_against_what_the_hub_sees(self, yard: Yard) -> None:
        """A tag read for somebody who is seen elsewhere proves nothing."""
        yard.dead.clear()
        yard.place("ann", "gate")
        found = judge(yard, "ann", "tank", method="nfc", code="04a1")
        assert (found.truth, found.why) == (Truth.UNKNOWN, "conflict")


class TestSatellite:
    """A fix counts by its accuracy, and only clear of the edge."""

    @pytest.fixture(autouse=True)
    def unseen(self, yard: Yard) -> None:
        lost(yard, "ann")

    @staticmethod
    def at(x: float, y: float) -> dict[str, float]:
        scale = 111_320.0
        lon = GEO.lon + x / (scale * math.cos(math.radians(GEO.lat)))
        return {"lat": GEO.lat + y / scale, "lon": lon}

    @pytest.mark.parametrize(
        ("x", "y", "accuracy", "truth"),
        [
            (4.0, 4.0, 1.0, Truth.TRUE),
            (4.0, 4.0, 2.5, Truth.UNKNOWN),
            (1.0, 4.0, 1.5, Truth.UNKNOWN),
            (1.0, 4.0, 0.5, Truth.FALSE),
            (4.0, 4.0, None, Truth.UNKNOWN),
            (4.0, 4.0, 0.0, Truth.UNKNOWN),
            (4.0, 4.0, -1.0, Truth.UNKNOWN),
        ],
    )
    def test_accuracy(
        self, yard: Yard, x: float, y: float, accuracy: float | None, truth: Truth
    ) -> None:
        place = self.at(x, y)
        found = judge(yard, "ann", "tank", method="gnss", accuracy_m=accuracy, **place)
        assert found.truth is truth

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(x=st.floats(-9, 15), y=st.floats(-9, 15), radius=st.floats(0.01, 10))
    def test_true_only_where_the_whole_circle_is_inside(
        self, yard: Yard, x: float, y: float, radius: float
    ) -> None:
        place = self.at(x, y)
        found = judge(yard, "ann", "tank", method="gnss", accuracy_m=radius, **place)
        square = yard.kernel.site.zone("tank")
        assert square is not None
        for step in range(16):
            turn = step * math.pi / 8
            there = (
                x + 0.99 * radius * math.cos(turn),
                y + 0.99 * radius * math.sin(turn),
            )
            if found.truth is not Truth.UNKNOWN:
                inside = contains(square.polygon, *there)
                assert inside is (found.truth is Truth.TRUE)

    def test_without_a_reference(self, yard: Yard) -> None:
        site = msgspec.structs.replace(yard.bundle.site, geo=None)
        yard.hub.load(msgspec.structs.replace(yard.bundle, site=site))
        found = judge(
            yard, "ann", "tank", method="gnss", accuracy_m=1.0, **self.at(4, 4)
        )
        assert found.why == "no_reference"


def test_a_plan_that_is_turned() -> None:
    """A plan whose y points east has its x to the south."""
    geo = config.Geo(lat=0.0, lon=0.0, bearing_deg=90.0)
    x, y = local(geo, 0.0, 1 / 111_320.0)
    assert (round(x, 6), round(y, 6)) == (0.0, 1.0)
    x, y = local(geo, 1 / 111_320.0, 0.0)
    assert (round(x, 6), round(y, 6)) == (-1.0, 0.0)
    assert to_edge(((0, 0), (4, 0), (4, 4), (0, 4)), 1, 2) == 1.0


class TestVerified:
    """What a start asks of everybody: oneself, here, lately."""

    def test_by_phone(self, yard: Yard) -> None:
        ann = Phone(yard, "ann").enrol()
        verify = VerifyPerson(zone_id="tank")
        places = yard.kernel.places
        assert places.gathered(["ann"], "tank") == (False, 0)
        assert yard.act("ann", verify).code == "signature.required"
        reply = ann.act(verify)
        assert reply.ok, (reply.code, reply.params)
        assert places.gathered(["ann"], "tank") == (True, 0)
        assert places.gathered(["ann"], "yard") == (False, 0)
        yard.live(10)
        assert places.gathered(["ann"], "tank") == (True, 10)
        assert places.gathered(["ann", "bob"], "tank") == (False, 10)
        assert yard.replayed().people == yard.hub.state.people

    def test_it_is_refused_elsewhere_and_unseen(self, yard: Yard) -> None:
        ann = Phone(yard, "ann").enrol()
        reply = ann.act(VerifyPerson(zone_id="hall"))
        assert (reply.code, reply.params["why"]) == (
            "place.elsewhere",
            "place.why.elsewhere",
        )
        lost(yard, "ann")
        reply = ann.act(VerifyPerson(zone_id="tank"))
        assert reply.code == "place.unknown"
        claim = {"method": "nfc", "code": "04a1", "at": ann.now_ms()}
        assert ann.act(VerifyPerson(zone_id="tank"), place=claim).ok
        assert ann.act(VerifyPerson(zone_id="none")).code == "site.zone_unknown"

    def test_at_the_gates_terminal(self, yard: Yard) -> None:
        yard.act_claim("own")
        own, gate = Phone(yard, "own").enrol(), Phone(yard, "", "gate 1")
        assert gate.ask_enrol(by="own", device="terminal", zone_id="tank").ok
        assert own.approve(gate).ok
        lost(yard, "bob")
        sign: dict[str, Any]
        sign = {"person": "bob", "method": "terminal", "card": "tag-bob"}
        assert gate.act(VerifyPerson(zone_id="tank"), **sign).ok
        assert yard.kernel.places.gathered(["bob"], "tank") == (True, 0)
        assert yard.hub.state.people.keys.verified["bob"].method == "terminal"
        assert gate.act(VerifyPerson(zone_id="yard"), **sign).code == "place.elsewhere"

    def test_after_a_stop_only_a_trusted_clock_tells_its_age(self, yard: Yard) -> None:
        assert Phone(yard, "ann").enrol().act(VerifyPerson(zone_id="tank")).ok
        yard.restart(reboot="boot-2")
        found = yard.kernel.places.gathered(["ann"], "tank")
        assert found is not None and found[0]
        yard.clock.trusted = False
        assert yard.kernel.places.gathered(["ann"], "tank") is None

    def test_what_the_disk_failed_is_taken_back(self, yard: Yard) -> None:
        ann = Phone(yard, "ann").enrol()
        proof = ann.sign("person.verify", VerifyPerson(zone_id="tank"))
        yard.journal.held = True
        request = ActRequest("v", "ann", "person.verify", b"", proof=proof)
        yard.kernel.access.receive("gateway", request)
        yard.journal.held = False
        yard.break_disk()
        assert yard.kernel.places.gathered(["ann"], "tank") == (False, 0)


def test_a_hold_keeps_where_its_signer_was(yard: Yard) -> None:
    """Evidence of a step: place with accuracy, from the act's own statement."""
    permit = yard.issued()
    ann = Phone(yard, "ann").enrol()
    assert ann.act(HoldPermit(permit_id=permit, reason="smoke")).ok
    cause = next(e for e in yard.envelopes() if e.type == "permit.held").cause
    assert yard.kernel.places.of(cause, "tank").truth is Truth.TRUE
