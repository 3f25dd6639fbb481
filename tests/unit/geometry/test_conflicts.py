"""The fact `conflicts`: what counts, what lifts, and when nobody knows."""

import json

import pytest

from core.geometry.shapes import Disc, Found, Hazard
from core.link import messages as m
from core.permits import life_events as e
from core.permits import survey
from core.permits.conflicts_acts import ShowConflicts
from core.permits.events import PermitExpired
from tests.unit.geometry.plant import Plant, disc, plan

PIPE = Hazard(
    id="p-7", kind="buried_pipe", level="ground", shape=Disc(at=(0, 0), radius_m=0.2)
)
LEAK = Hazard(id="pump", kind="leak_capable", level="ground", shape=Disc(at=(10, 0)))


@pytest.fixture
def plant() -> Plant:
    return Plant(PIPE, LEAK)


def near(plant: Plant) -> None:
    """Hot work, and a blind plate eight metres beside it, both applied for."""
    plant.book("hot", "hot-1", disc(50, 0))
    plant.book("plate", "blind-plate", disc(60, 0))


def test_a_lonely_work_has_no_conflict(plant: Plant) -> None:
    plant.book("hot", "hot-1", disc(60, 60))
    assert plant.conflicts("hot") == 0
    assert plant.room.of("hot") == []


def test_a_conflict_shows_before_anybody_signs_with_its_clause_and_both_shapes(
    plant: Plant,
) -> None:
    """Conflicts show before signing with the clause and the two shapes."""
    near(plant)
    (shown,) = plant.room.of("plate")
    assert (shown.rule, shown.clause) == ("hot-blind", "GB 30871-2022 7.6")
    assert (shown.measured_m, shown.needed_m) == (8.0, 30.0)
    assert (shown.work, shown.other) == ("plate", "hot")
    assert shown.work_shape == {
        "type": "Point",
        "coordinates": (60.0, 0.0),
        "radius_m": 1.0,
    }
    assert shown.other_shape["coordinates"] == (50.0, 0.0)
    assert plant.room.of("hot") == [shown]


def test_a_person_may_ask_what_is_in_the_way(plant: Plant) -> None:
    """The same answer over the public interface; a worker that is away is told."""
    near(plant)
    plant.approve("hot")
    reply = plant.bench.act("ann", ShowConflicts(permit_id="plate"))
    assert reply.ok
    assert (reply.result["known"], reply.result["count"]) == (True, 1)
    (shown,) = json.loads(str(reply.result["conflicts"]))
    assert shown["clause"] == "GB 30871-2022 7.6"
    assert shown["other_shape"]["type"] == "Point"
    plant.worker.die()
    reply = plant.bench.act("ann", ShowConflicts(permit_id="plate"))
    assert (reply.result["known"], reply.result["count"]) == (False, None)
    refused = plant.bench.act("ann", ShowConflicts(permit_id="nothing"))
    assert refused.code == "permit.unknown"


def test_a_draft_gives_way_and_holds_up_nobody(plant: Plant) -> None:
    """Who is approved first goes first; the other is refused from that moment."""
    near(plant)
    assert (plant.conflicts("hot"), plant.conflicts("plate")) == (0, 0)
    plant.approve("hot")
    assert (plant.conflicts("hot"), plant.conflicts("plate")) == (0, 1)
    plant.approve("plate")
    assert (plant.conflicts("hot"), plant.conflicts("plate")) == (1, 1)


def test_neighbours_hear_of_every_change(plant: Plant) -> None:
    """Re-evaluated only where it matters."""
    near(plant)
    plant.book("far", "hot-1", disc(-100, -100))
    plant.heard.clear()
    plant.approve("plate")
    assert set(plant.heard) == {"hot", "plate"}
    plant.heard.clear()
    rejected = e.PermitRejected(permit_id="plate", person_id="sam", reason="no")
    plant.become("plate", rejected)
    assert "hot" in plant.heard
    assert "far" not in plant.heard
    assert plant.room.of("hot") == []


def test_a_hazard_of_the_plan_always_counts(plant: Plant) -> None:
    """GB 30871 5.2.4: no draft, no time: it stands there."""
    plant.book("hot", "hot-1", disc(0, 0))
    assert plant.conflicts("hot") == 1
    (shown,) = plant.room.of("hot")
    assert (shown.other, shown.unless) == ("hazard:pump", "isolated")
    assert shown.other_shape == {
        "type": "Point",
        "coordinates": (10.0, 0.0),
        "radius_m": 0.0,
    }


def test_a_stated_protection_lifts_its_rule_and_only_while_it_is_stated(
    plant: Plant,
) -> None:
    """GB 30871 5.2.4, 11.6: unless isolated, unless dug by hand."""
    plant.book("dig", "dig", disc(0.5, 0))
    assert plant.conflicts("dig") == 1
    said = e.PermitDeclared(permit_id="dig", by="sue", facts={"hand_digging": True})
    plant.become("dig", said)
    assert plant.conflicts("dig") == 0
    assert [each.counts for each in plant.room.of("dig")] == [False]
    unsaid = e.PermitDeclared(permit_id="dig", by="sue", facts={"hand_digging": False})
    plant.become("dig", unsaid)
    assert plant.conflicts("dig") == 1


def test_a_layer_counts_where_both_permits_state_it(plant: Plant) -> None:
    """GB 30871 8.2.8: a layer between; two of them are one as well."""
    one, two = ["protective_layer"], ["double_layer"]
    plant.book("roof", "height-2", disc(60, 60, z_high_m=8.0, protections=one))
    plant.book("yard", "dig", disc(60, 60))
    plant.approve("roof")
    assert plant.conflicts("yard") == 1, "the one below says nothing of it"
    plant.book("road", "road", disc(60, 60, z_high_m=1.0, protections=two))
    assert plant.conflicts("road") == 0


def test_linked_works_are_one_job(plant: Plant) -> None:
    """GB 30871 4.6: welding on the scaffold that one stands on."""
    plant.book("roof", "height-2", disc(60, 60, z_high_m=8.0))
    plant.book("fire", "hot-1", disc(60, 60, z_high_m=8.0), linked=("roof",))
    plant.approve("roof")
    assert plant.conflicts("fire") == 0


def test_works_of_different_hours_do_not_meet_but_one_that_overruns_does(
    plant: Plant,
) -> None:
    """Somebody may still be there: it lasts until it is accepted."""
    plant.book("hot", "hot-1", disc(50, 0), hours=(0, 8))
    plant.approve("hot")
    plant.book("plate", "blind-plate", disc(60, 0), hours=(8, 16))
    assert plant.conflicts("plate") == 0
    valid = plant.permit("hot").valid
    begun = e.PermitStarted(permit_id="hot", person_id="sue", valid=valid)
    plant.become("hot", begun)
    plant.become("hot", PermitExpired(permit_id="hot"))
    assert plant.conflicts("plate") == 1
    plant.become("hot", e.PermitAccepted(permit_id="hot", person_id="sam"))
    assert plant.conflicts("plate") == 0


def test_a_permit_without_an_area_is_its_whole_zone_at_any_height(plant: Plant) -> None:
    """Unknown is never safe."""
    plant.book("roof", "height-1", zone="hall")
    plant.book("dig", "dig", disc(19, 19))
    plant.approve("roof")
    assert {each.rule for each in plant.room.of("dig")} == {
        "height-under",
        "height-under-24",
    }
    assert plant.conflicts("dig") == 2


# --- when nobody knows --------------------------------------------------------


def test_without_a_worker_nobody_knows() -> None:
    """Absence is UNKNOWN, which refuses."""
    plant = Plant()
    plant.worker.die()
    plant.book("hot", "hot-1", disc(0, 0))
    assert plant.conflicts("hot") is None
    assert not plant.room.known("hot")
    plant.worker.connect()
    assert plant.conflicts("hot") == 0


def test_an_area_that_the_worker_has_not_seen_is_unknown(plant: Plant) -> None:
    """A stale stamp never counts, and what had been measured keeps its answer."""
    plant.book("hot", "hot-1", disc(50, 50))
    plant.worker.hanging = True
    plant.book("plate", "blind-plate", disc(60, 50), answered=False)
    assert plant.conflicts("plate") is None, "in the very turn of the application"
    plant.bench.settle()
    assert plant.conflicts("plate") is None
    assert plant.conflicts("hot") == 0
    old = m.Checked(plant.worker.surveyor.beat().stamp)
    plant.room.receive("geometry", old)
    assert plant.conflicts("plate") is None
    plant.worker.hanging = False
    plant.worker.work()
    assert plant.conflicts("plate") == 0


@pytest.mark.parametrize("how", ["killed", "hanging", "silent"])
def test_a_worker_that_ends_or_hangs_is_unknown_within_its_limit(
    plant: Plant, how: str
) -> None:
    """Its absence is UNKNOWN; everybody hears of it, and of its return."""
    plant.book("hot", "hot-1", disc(60, 60))
    plant.worker.pass_time(20)
    assert plant.conflicts("hot") == 0
    plant.heard.clear()
    if how == "killed":
        plant.worker.die()
    plant.worker.hanging = True
    if how == "silent":
        # It says that it lives, and yet answers nothing.
        plant.book("more", "hot-1", disc(-60, -60))
        for _ in range(6):
            plant.room.receive("geometry", m.Checked(1))
            plant.bench.advance(1.0)
    else:
        plant.worker.pass_time(int(survey.SILENT_S) + 1)
    assert plant.conflicts("hot") is None
    assert "hot" in plant.heard
    plant.worker.connect()
    plant.worker.pass_time(1)
    assert plant.conflicts("hot") == 0


def test_a_hanging_worker_is_started_afresh_and_people_are_told(plant: Plant) -> None:
    """Design §5: what is lost is an alarm; it ends when the worker answers again."""
    asked: list[bool] = []
    plant.room.restart = lambda: asked.append(True)
    plant.worker.hanging = True
    plant.worker.pass_time(18)
    assert not asked
    plant.worker.pass_time(4)
    assert asked == [True]
    assert plant.bench.kernel.alarms.find("hub:geometry", "silent") is not None
    plant.worker.connect()
    plant.worker.pass_time(1)
    alarm = plant.bench.kernel.alarms.find("hub:geometry", "silent")
    assert alarm is None or not alarm.active


def test_a_worker_that_is_only_behind_is_left_to_its_work(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not believed meanwhile, and a fresh start would only begin again."""
    monkeypatch.setattr(survey, "BATCH", 1)
    asked: list[bool] = []
    plant.room.restart = lambda: asked.append(True)
    plant.worker.hanging = True
    for number in range(10):
        plant.book(f"p{number}", "hot-1", disc(-150 + 40 * number, 60))
    for _ in range(6):
        plant.worker.answer_one()
        plant.bench.advance(6.0)
        assert plant.conflicts("p0") is None
    assert not asked


def test_a_stranger_and_a_former_worker_are_not_believed(plant: Plant) -> None:
    """Only the worker's own link; only stamps that were given out."""
    near(plant)
    plant.approve("hot")
    lie = m.Checked(plant.worker.surveyor.beat().stamp, [Found("plate", 0)])
    plant.room.receive("host:field", lie)
    plant.room.receive("geometry", m.Checked(10_000, [Found("plate", 0)]))
    assert plant.conflicts("plate") == 1


def test_what_could_not_be_measured_is_unknown(plant: Plant) -> None:
    near(plant)
    stamp = plant.worker.surveyor.beat().stamp
    plant.room.receive("geometry", m.Checked(stamp, [Found("hot", -1)]))
    assert plant.conflicts("hot") is None


def test_another_bundle_is_measured_anew(plant: Plant) -> None:
    """Hazards of a new plan count at once; until then nobody knows."""
    plant.book("hot", "hot-1", disc(60, 60))
    drain = Hazard(
        id="d", kind="release_flammable_gas", level="ground", shape=Disc(at=(70, 60))
    )
    plant.bench.hub.load(plan(drain))
    assert plant.conflicts("hot") is None
    plant.worker.work()
    assert plant.conflicts("hot") == 1


def test_a_restart_measures_everything_anew(plant: Plant) -> None:
    """Answers are readings: nothing of them is in the journal."""
    near(plant)
    plant.approve("hot")
    plant.restart()
    assert (plant.conflicts("hot"), plant.conflicts("plate")) == (0, 1)


def test_many_works_go_out_in_portions_that_the_worker_keeps_up_with(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every queue has a bound: no more in flight than a window of messages."""
    monkeypatch.setattr(survey, "BATCH", 2)
    monkeypatch.setattr(survey, "WINDOW", 3)
    plant.worker.die()
    for number in range(30):
        plant.book(f"p{number}", "hot-1", disc(-150 + 10 * number, 60))
    plant.bench.links.sent.clear()
    plant.worker.hanging = True
    plant.room.hello("geometry")
    plant.bench.settle()
    told = [m_ for peer, m_ in plant.bench.links.sent if peer == "geometry"]
    assert len(told) == 3
    assert plant.conflicts("p0") is None
    plant.worker.connect()
    assert all(plant.conflicts(f"p{number}") == 0 for number in range(30))


# --- people -------------------------------------------------------------------


def lifting(plant: Plant) -> None:
    swept = {"at": [10, 10], "radius_m": 5, "from_deg": 0, "to_deg": 90}
    plant.book("lift", "lift-2", disc(10, 10, 1.0, swept=swept))
    plant.approve("lift")
    valid = plant.permit("lift").valid
    begun = e.PermitStarted(permit_id="lift", person_id="sue", valid=valid)
    plant.become("lift", begun)


def test_who_is_seen_under_the_load_is_a_conflict_that_shows(plant: Plant) -> None:
    """GB 30871 9.2.12: zero persons under load or jib."""
    lifting(plant)
    plant.see("ann", "12,12,0")
    assert plant.conflicts("lift") == 1
    (shown,) = plant.room.of("lift")
    assert (shown.rule, shown.other) == ("lift-people", "person:ann")
    assert shown.work_shape["type"] == "Polygon"
    assert "lift" in plant.heard
    plant.see("ann", "8,8,0")
    assert plant.conflicts("lift") == 0


def test_a_fix_that_grows_old_under_the_load_still_counts(plant: Plant) -> None:
    """Design §5 Truth: a source lost while in alarm keeps its alarm."""
    lifting(plant)
    plant.see("ann", "12,12,0")
    plant.worker.pass_time(30)
    assert plant.conflicts("lift") == 1


def test_people_may_stand_there_before_the_work_and_outside_the_sector(
    plant: Plant,
) -> None:
    """Only while it goes on, or is about to."""
    plant.book("lift", "lift-2", zone="yard")
    plant.see("ann", "12,12,0")
    assert plant.conflicts("lift") == 0
    plant.see("bob", "yard")
    assert plant.conflicts("lift") == 0
