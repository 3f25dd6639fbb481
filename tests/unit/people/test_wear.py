"""A helmet of the rack: bound by a scan for one shift; else nobody is known (§5)."""

import msgspec
import pytest

from core import config
from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.config import DeviceRule
from core.logic.truth import Truth
from core.people import wear
from core.people.acts import FoundSafe
from core.people.wear import EARLY_S
from core.people.wear_acts import ReturnWear, TakeWear
from core.people.wear_events import WearEnded, WearTaken
from core.response.acts import StartEvacuation
from core.response.notices_config import Shift
from tests.support.yard import HOST, Yard, names

#: A short day's work, so that a test needs few seconds of virtual time.
WEAR_S = 60.0
HELMET = Device(
    uid="helmet-7",
    name="Helmet 7",
    entities=(
        Entity(uid="location", name="l", kind=EntityKind.LOCATION, quantity="location"),
        Entity(uid="wear", name="w", kind=EntityKind.BINARY, quantity="wear"),
        Entity(uid="sos", name="s", kind=EntityKind.EVENT, quantity="sos"),
    ),
)


@pytest.fixture
def yard(monkeypatch: pytest.MonkeyPatch) -> Yard:
    """Return a yard whose ann has no tag of her own that speaks, and a helmet."""
    monkeypatch.setattr(wear, "WEAR_S", WEAR_S)
    yard = Yard()
    rule = DeviceRule(integration="field", uid="helmet-*")
    yard.bundle = msgspec.structs.replace(
        yard.bundle, devices=(*yard.bundle.devices, rule)
    )
    yard.hub.load(yard.bundle)
    yard.declare(HOST, HELMET)
    yard.live(16)
    yard.dead.add("ann")
    yard.live(12)
    return yard


def device(yard: Yard) -> str:
    found = yard.kernel.registry.find_device(HOST, "helmet-7")
    assert found is not None
    return found.id


def fix(yard: Yard, zone: str, quality: Quality = Quality.GOOD) -> None:
    yard.report(HOST, "helmet-7", "location", zone, quality)
    yard.live(3)


def lines(yard: Yard, zone: str) -> dict[str, bool]:
    return {line.person_id: line.certain for line in yard.kernel.people.inside([zone])}


def shift(yard: Yard, span: tuple[int, int]) -> None:
    """Give ann a shift of these minutes of the day."""
    yard.bundle = msgspec.structs.replace(
        yard.bundle,
        shifts=(Shift(id="s", names=names("s"), span=span, people=("ann",)),),
    )
    yard.hub.load(yard.bundle)


def test_a_taken_helmet_finds_its_wearer(yard: Yard) -> None:
    fix(yard, "hall")
    assert yard.kernel.people.on_site("ann") is Truth.UNKNOWN
    assert yard.act("ann", TakeWear(code="helmet-7")).ok
    fix(yard, "hall")
    assert yard.kernel.people.in_zone("ann", "hall") is Truth.TRUE
    yard.signal("helmet-7", "sos")
    assert yard.kernel.alarms.find("person:ann", "sos") is not None


def test_one_who_hands_helmets_out_names_the_wearer(yard: Yard) -> None:
    """Where no card is at hand; a worker takes none in another's name."""
    assert not yard.act("ann", TakeWear(code="helmet-7", person_id="bob")).ok
    assert not yard.act("gil", TakeWear(code="helmet-7", person_id="nobody")).ok
    reply = yard.act("gil", TakeWear(code="helmet-7", person_id="ann"))
    assert reply.result["person_id"] == "ann"


def test_the_binding_ends_with_the_shift_and_proves_nothing_then(yard: Yard) -> None:
    """R10, R16: after the shift the helmet's place is somebody's, perhaps ann's."""
    yard.act("ann", TakeWear(code="helmet-7"))
    fix(yard, "hall")
    yard.advance(WEAR_S)
    assert yard.events(WearEnded)[-1].code == "expired"
    fix(yard, "gate")
    assert yard.kernel.people.found("ann") is None
    # It counts as inside for muster wherever she may be, and is certain nowhere.
    assert lines(yard, "gate")["ann"] is False
    assert lines(yard, "hall")["ann"] is False


def test_a_call_after_the_shift_names_nobody_and_hints_at_the_last(yard: Yard) -> None:
    yard.act("ann", TakeWear(code="helmet-7"))
    yard.advance(WEAR_S)
    fix(yard, "gate")
    yard.signal("helmet-7", "sos")
    alarm = yard.kernel.alarms.find(f"device:{device(yard)}", "sos")
    assert alarm is not None
    assert yard.kernel.alarms.find("person:ann", "sos") is None
    assert (alarm.zone_id, alarm.life_safety) == ("gate", True)
    assert alarm.params["person_id"] == "ann"
    assert alarm.params["then"] == "call.last_wearer"
    assert yard.act("gil", FoundSafe(device_id=device(yard))).ok
    assert not alarm.active


def test_nobody_ever_took_it_and_it_calls_all_the_same(yard: Yard) -> None:
    yard.signal("helmet-7", "fall")
    alarm = yard.kernel.alarms.find(f"device:{device(yard)}", "fall")
    assert alarm is not None
    assert alarm.params["then"] == "call.no_wearer"


def test_one_that_somebody_wears_unnamed_is_mustered(yard: Yard) -> None:
    yard.report(HOST, "helmet-7", "wear", True)
    fix(yard, "hall")
    assert yard.kernel.people.unnamed(["hall"]) == [("Helmet 7", "hall")]
    reply = yard.act("sam", StartEvacuation(zones=("hall",)))
    record = yard.kernel.evacuations.roll.get(str(reply.result["evacuation_id"]))
    assert "visitor:Helmet 7" in record.roll
    yard.report(HOST, "helmet-7", "wear", False)
    assert yard.kernel.people.unnamed(["hall"]) == []


@pytest.mark.parametrize("quality", [Quality.UNCERTAIN, Quality.STALE])
def test_a_fix_that_proves_nothing_counts_as_inside(
    yard: Yard, quality: Quality
) -> None:
    yard.act("ann", TakeWear(code="helmet-7"))
    fix(yard, "hall", quality)
    assert lines(yard, "hall")["ann"] is False
    assert yard.kernel.people.in_zone("ann", "tank") is Truth.UNKNOWN


def test_a_fault_points_nowhere(yard: Yard) -> None:
    yard.act("ann", TakeWear(code="helmet-7"))
    fix(yard, "hall", Quality.FAULT)
    assert "ann" not in lines(yard, "hall")


def test_another_takes_it_and_the_first_is_not_where_it_is(yard: Yard) -> None:
    yard.act("ann", TakeWear(code="helmet-7"))
    fix(yard, "hall")
    yard.dead.add("bob")
    yard.live(12)
    assert yard.act("bob", TakeWear(code="helmet-7")).ok
    fix(yard, "hall")
    assert yard.kernel.people.in_zone("bob", "hall") is Truth.TRUE
    assert yard.kernel.people.found("ann") is None
    assert lines(yard, "hall")["ann"] is False


def test_brought_back(yard: Yard) -> None:
    yard.act("ann", TakeWear(code="helmet-7"))
    assert yard.act("bob", ReturnWear(code="helmet-7")).ok
    assert yard.act("bob", ReturnWear(code="helmet-7")).code == "wear.nobody"
    yard.signal("helmet-7", "sos")
    assert yard.kernel.alarms.find("person:ann", "sos") is None


class TestWho:
    def test_for_another_by_their_card(self, yard: Yard) -> None:
        act = TakeWear(code="helmet-7", card="tag-bob")
        assert yard.act("ann", act).code == "act.role"
        assert yard.act("gil", act).ok
        assert yard.events(WearTaken)[-1].person_id == "bob"

    def test_what_nobody_knows_binds_nobody(self, yard: Yard) -> None:
        act = TakeWear(code="helmet-7", card="stolen")
        assert yard.act("gil", act).code == "wear.card_unknown"
        assert yard.act("ann", TakeWear(code="helmet-9")).code == "wear.unknown"

    def test_a_device_of_one_person_is_theirs(self, yard: Yard) -> None:
        assert yard.act("ann", TakeWear(code="tag-bob")).code == "wear.fixed"

    def test_a_rack_reads_card_and_helmet(self, yard: Yard) -> None:
        yard.signal("gate-tank", "scan", wear="helmet-7", tag="tag-ann")
        assert yard.events(WearTaken)[-1].person_id == "ann"
        yard.signal("gate-tank", "scan", wear="helmet-7", direction="in")
        assert yard.events(WearEnded)[-1].code == "returned"
        yard.signal("gate-tank", "scan", wear="helmet-7", tag="stolen")
        assert len(yard.events(WearTaken)) == 1


class TestUntil:
    def test_the_end_of_the_shift(self, yard: Yard) -> None:
        now = yard.hub.clock.wall_ns() // 60_000_000_000 % 1440
        zone = config.EMPTY.site.time_zone
        yard.bundle = msgspec.structs.replace(
            yard.bundle,
            site=msgspec.structs.replace(yard.bundle.site, time_zone="UTC"),
        )
        assert zone
        shift(yard, ((now - 60) % 1440, (now + 120) % 1440))
        left = yard.act("ann", TakeWear(code="helmet-7")).result["seconds"]
        assert 118 * 60 <= float(str(left)) <= 121 * 60
        # Early for the next one: it is for that shift.
        early = int(EARLY_S // 60) - 5
        shift(yard, ((now + early) % 1440, (now + early + 480) % 1440))
        left = yard.act("ann", TakeWear(code="helmet-7")).result["seconds"]
        assert float(str(left)) > 480 * 60

    def test_a_restart_keeps_it_and_its_end(self, yard: Yard) -> None:
        yard.act("ann", TakeWear(code="helmet-7"))
        yard.restart(clean=True)
        yard.declare(HOST, HELMET)
        yard.signal("helmet-7", "sos")
        assert yard.kernel.alarms.find("person:ann", "sos") is not None
        yard.advance(WEAR_S + 1)
        assert yard.events(WearEnded)[-1].code == "expired"

    def test_what_never_became_durable_is_taken_back(self, yard: Yard) -> None:
        yard.journal.broken = True
        assert yard.act("ann", TakeWear(code="helmet-7")).code == "journal.not_durable"


def test_a_rule_about_people_cannot_tell_while_a_fix_proves_nothing(yard: Yard) -> None:
    """Design §5 Truth: a place that may be is UNKNOWN, never FALSE."""
    yard.act("ann", TakeWear(code="helmet-7"))
    fix(yard, "hall", Quality.UNCERTAIN)
    places = list(dict.fromkeys(yard.kernel.people.may_be_in("ann")))
    assert places == ["tank", "hall"]  # where she was found last, and where it points


def test_one_who_may_have_come_in_since_is_called_too(yard: Yard) -> None:
    """R1: a fix that proves nothing makes no event, and its person is mustered."""
    yard.act("ann", TakeWear(code="helmet-7"))
    reply = yard.act("sam", StartEvacuation(zones=("gate",)))
    record = yard.kernel.evacuations.roll.get(str(reply.result["evacuation_id"]))
    assert "ann" not in record.roll
    fix(yard, "gate", Quality.UNCERTAIN)
    assert "ann" in record.roll
    yard.live(3)
    assert [line for line in record.roll if line == "ann"] == ["ann"]


class TestInUse:
    """Only what nobody wears may be idle: an overtime worker is still in the helmet."""

    def falls(self, yard: Yard) -> str:
        yard.signal("helmet-7", "fall")
        alarms = yard.kernel.alarms.active()
        found = [a for a in alarms if a.source == f"device:{device(yard)}"]
        return found[0].kind if found else ""

    def test_after_the_shift_it_still_calls_in_earnest(self, yard: Yard) -> None:
        yard.act("ann", TakeWear(code="helmet-7"))
        yard.advance(WEAR_S)
        assert self.falls(yard) == "fall"

    def test_brought_back_it_may_have_fallen_from_its_rack(self, yard: Yard) -> None:
        yard.act("ann", TakeWear(code="helmet-7"))
        yard.act("ann", ReturnWear(code="helmet-7"))
        assert self.falls(yard) != "fall"

    def test_one_that_says_it_is_worn_calls_in_earnest(self, yard: Yard) -> None:
        yard.report(HOST, "helmet-7", "wear", True)
        assert self.falls(yard) == "fall"
