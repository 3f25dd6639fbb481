"""Presence: tags, gates, the hand; unknown never counts as outside (design §5)."""

import pytest

from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.api.reading import Value
from core.config import Bundle, DeviceRule
from core.logic.truth import Truth
from core.people.acts import FoundSafe
from core.people.events import PersonMoved
from core.registry.events import DeviceReported
from tests.support.kernel import Bench
from tests.support.yard import HOST, Yard, bundle, tag


@pytest.fixture
def yard() -> Yard:
    return Yard()


def zone_of(yard: Yard, person: str) -> str | None:
    presence = yard.kernel.people.where(person)
    assert presence is not None
    return presence.zone_id


def test_a_tag_names_its_zone_or_a_point(yard: Yard) -> None:
    yard.places["ann"] = "3.0,3.0,0.0"
    yard.live(3)
    assert zone_of(yard, "ann") == "tank"
    yard.places["ann"] = "10.0,10.0,6.0"
    yard.live(3)
    assert zone_of(yard, "ann") == "hall"


def test_a_point_in_no_zone_is_found_outside(yard: Yard) -> None:
    yard.places["ann"] = "500,500,0"
    yard.live(3)
    assert zone_of(yard, "ann") == ""
    assert yard.kernel.people.on_site("ann") is Truth.FALSE
    assert not [r for r in yard.kernel.people.inside(["tank"]) if r.person_id == "ann"]


@pytest.mark.parametrize("nonsense", ["", "1,2", "a,b,c", "1,2,3,4"])
def test_nonsense_from_a_tag_moves_nobody(yard: Yard, nonsense: str) -> None:
    yard.places["ann"] = nonsense
    yard.live(3)
    assert zone_of(yard, "ann") == "tank"


def test_a_flicker_across_a_border_is_not_journalled(yard: Yard) -> None:
    before = len(yard.events(PersonMoved))
    for zone in ("yard", "tank", "yard", "tank"):
        yard.places["ann"] = zone
        yard.pulse()
        yard.advance(0.4)
    assert len(yard.events(PersonMoved)) == before


def test_a_person_who_stays_is_journalled_once(yard: Yard) -> None:
    before = len(yard.events(PersonMoved))
    yard.live(30)
    assert len(yard.events(PersonMoved)) == before


def test_a_lost_fix_is_unknown_and_keeps_the_last_zone(yard: Yard) -> None:
    yard.live(16)
    yard.dead.add("ann")
    yard.live(12)
    presence = yard.kernel.people.where("ann")
    assert presence is not None
    assert (presence.zone_id, presence.last_zone_id) == (None, "tank")
    assert yard.kernel.people.on_site("ann") is Truth.UNKNOWN
    assert yard.kernel.people.in_zone("ann", "yard") is Truth.UNKNOWN
    line = next(r for r in yard.kernel.people.inside(["tank"]) if r.person_id == "ann")
    assert not line.certain


@pytest.mark.parametrize("quality", [q for q in Quality if q is not Quality.GOOD])
def test_only_a_good_fix_proves_a_place(yard: Yard, quality: Quality) -> None:
    yard.live(16)
    yard.dead.add("ann")
    yard.report(HOST, "tag-ann", "fix", "gate", quality)
    yard.live(3)
    assert yard.kernel.people.in_zone("ann", "tank") is Truth.UNKNOWN
    assert yard.kernel.people.in_zone("ann", "gate") is Truth.UNKNOWN


def test_a_restart_gives_tags_a_moment_before_they_are_lost(yard: Yard) -> None:
    yard.restart(clean=True)
    before = len(yard.events(PersonMoved))
    assert yard.kernel.people.on_site("gil") is Truth.UNKNOWN
    yard.live(5)
    assert yard.kernel.people.on_site("gil") is Truth.TRUE
    assert len(yard.events(PersonMoved)) == before


def test_the_newest_of_two_tags_is_believed(yard: Yard) -> None:
    second = tag("ann")
    second = type(second)(uid="helmet-ann", name="h", entities=second.entities)
    rule = DeviceRule(integration="field", uid="helmet-ann", person="ann")
    yard.bundle = type(yard.bundle)(
        **{
            name: getattr(yard.bundle, name)
            for name in yard.bundle.__struct_fields__
            if name != "devices"
        },
        devices=(*yard.bundle.devices, rule),
    )
    yard.hub.load(yard.bundle)
    yard.declare(HOST, second)
    yard.dead.add("ann")
    for _ in range(14):
        yard.report(HOST, "helmet-ann", "fix", "hall")
        yard.live(1)
    assert zone_of(yard, "ann") == "hall"


def test_a_tag_is_worn_by_the_person_who_names_it() -> None:
    fields = {f: getattr(bundle(), f) for f in bundle().__struct_fields__}
    rule = DeviceRule(integration="field", uid="*")
    bench = Bench(Bundle(**fields | {"devices": (rule,)}))
    bench.declare(HOST, tag("ann"))
    bench.report(HOST, "tag-ann", "fix", "hall")
    assert bench.kernel.people.on_site("ann") is Truth.TRUE


class TestGate:
    def test_in_and_out(self, yard: Yard) -> None:
        yard.dead.add("max")
        yard.signal("gate-tank", "gate", person_id="max", direction="in")
        assert zone_of(yard, "max") == "tank"
        yard.signal("gate-tank", "gate", tag="tag-max", direction="out")
        assert zone_of(yard, "max") == ""

    def test_leaving_a_room_says_nothing_of_one_elsewhere(self, yard: Yard) -> None:
        yard.signal("gate-tank", "gate", person_id="sue", direction="out")
        assert zone_of(yard, "sue") == "yard"

    def test_an_unknown_card_moves_nobody(self, yard: Yard) -> None:
        before = len(yard.events(PersonMoved))
        yard.signal("gate-tank", "gate", tag="stolen", direction="in")
        assert len(yard.events(PersonMoved)) == before


class TestByHand:
    def test_a_guardian_may_write_it_down(self, yard: Yard) -> None:
        yard.dead.add("ann")
        assert yard.move("gil", "ann", "hall").ok
        assert zone_of(yard, "ann") == "hall"
        yard.live(20)
        assert yard.kernel.people.in_zone("ann", "hall") is Truth.TRUE

    def test_places_and_people_must_exist(self, yard: Yard) -> None:
        assert yard.move("gil", "ann", "moon").code == "site.zone_unknown"
        assert yard.move("gil", "eve", "tank").code == "act.person_unknown"


class TestCalls:
    """SOS and falls are life-safety alarms where the person is."""

    @pytest.mark.parametrize("kind", ["sos", "fall"])
    def test_a_call_is_a_life_safety_alarm(self, yard: Yard, kind: str) -> None:
        yard.signal("tag-ann", kind)
        alarm = yard.kernel.alarms.find("person:ann", kind)
        assert alarm is not None
        assert (alarm.zone_id, alarm.life_safety, alarm.priority, alarm.kind) == (
            "tank",
            True,
            1,
            kind,
        )

    def test_it_is_raised_at_the_last_known_place(self, yard: Yard) -> None:
        yard.live(16)
        yard.dead.add("ann")
        yard.live(12)
        yard.signal("tag-ann", "sos")
        alarm = yard.kernel.alarms.find("person:ann", "sos")
        assert alarm is not None
        assert alarm.zone_id == "tank"

    def test_a_device_without_wearer_calls_for_itself(self, yard: Yard) -> None:
        yard.signal("gate-tank", "sos")
        device = yard.kernel.registry.find_device(HOST, "gate-tank")
        assert device is not None
        assert yard.kernel.alarms.find(f"device:{device.id}", "sos") is not None

    @pytest.mark.parametrize(
        ("uid", "source"), [("tag-ann", "person:ann"), ("stray", "device:stray")]
    )
    def test_one_that_nobody_enrolled_calls_all_the_same(
        self, yard: Yard, uid: str, source: str
    ) -> None:
        params: dict[str, Value] = {"device_uid": uid}
        yard.hub.emit(DeviceReported(device_id="", kind="sos", params=params))
        assert yard.kernel.alarms.find(source, "sos") is not None

    def test_the_device_or_a_named_person_ends_it(self, yard: Yard) -> None:
        yard.signal("tag-ann", "sos")
        yard.signal("tag-ann", "sos", active=False)
        alarm = yard.kernel.alarms.find("person:ann", "sos")
        assert alarm is not None
        assert (alarm.active, alarm.latched) == (False, True)
        yard.signal("tag-ann", "sos")
        assert yard.act("gil", FoundSafe(person_id="ann")).ok
        assert not alarm.active
        assert alarm.latched

    @pytest.mark.parametrize("pressed", [True, 1])
    def test_a_button_may_be_told_as_a_state(
        self, yard: Yard, pressed: bool | int
    ) -> None:
        button = Entity(
            uid="sos", name="sos", kind=EntityKind.BINARY, quantity="sos", max_age_s=60
        )
        worn = tag("ann")
        yard.declare(
            HOST, Device(uid=worn.uid, name="a", entities=(*worn.entities, button))
        )
        yard.report(HOST, "tag-ann", "sos", False)
        assert yard.kernel.alarms.find("person:ann", "sos") is None
        yard.report(HOST, "tag-ann", "sos", pressed, Quality.TEST)
        assert yard.kernel.alarms.find("person:ann", "sos") is None
        yard.report(HOST, "tag-ann", "sos", pressed, Quality.UNCERTAIN)
        alarm = yard.kernel.alarms.find("person:ann", "sos")
        assert alarm is not None
        assert alarm.active
        yard.report(HOST, "tag-ann", "sos", False, Quality.UNCERTAIN)
        assert alarm.active
        yard.report(HOST, "tag-ann", "sos", False)
        assert not alarm.active

    def test_who_has_not_called_is_not_found_safe(self, yard: Yard) -> None:
        assert yard.act("gil", FoundSafe(person_id="ann")).code == "person.no_call"


def test_roles_find_their_people(yard: Yard) -> None:
    yard.act_claim("own")
    assert [p.id for p in yard.kernel.people.with_role("worker")] == ["ann", "bob"]
    assert [p.id for p in yard.kernel.people.with_role("owner")] == ["own"]
    assert yard.kernel.people.person("nobody") is None
