"""The all-clear: on site, on proof, by name; it releases nothing (design §5)."""

import pytest

from core.api.quality import Quality
from core.people.acts import MovePerson
from core.response.acts import AccountPerson, ClearEvacuation
from core.response.all_clear import RETEST_S
from core.response.roll_acts import RetestZone, StartDrill
from core.response.roll_events import RetestVoided, Sample
from core.response.roll_state import EvacuationRecord
from tests.support.evac import Evac, site
from tests.support.yard import HOST

GOOD = (
    Sample(gas="h2s", value=0.5, unit="ppm", instrument="X4 17"),
    Sample(gas="lel", value=0.0, unit="%LEL", instrument="X4 17"),
    Sample(gas="o2", value=20.9, unit="%vol", instrument="X4 17"),
)


@pytest.fixture
def yard() -> Evac:
    made = Evac()
    made.arm(site(made.bundle, clear_s=60.0))
    return made


def ready(yard: Evac, **params: str) -> EvacuationRecord:
    """Call people out of the tank and account for them."""
    record = yard.call("tank", **params)
    for person in ("ann", "bob"):
        yard.place(person, "gate")
        yard.act("max", AccountPerson(evacuation_id=record.id, person_id=person))
    return record


def clear(yard: Evac, record: EvacuationRecord, who: str = "sam") -> str:
    return yard.act(who, ClearEvacuation(evacuation_id=record.id)).code


def retest(
    yard: Evac,
    record: EvacuationRecord,
    samples: tuple[Sample, ...] = GOOD,
    zone: str = "tank",
) -> str:
    act = RetestZone(evacuation_id=record.id, zone_id=zone, samples=samples)
    return yard.act("gil", act).code


def test_readings_must_stay_good_for_the_declared_time(yard: Evac) -> None:
    record = ready(yard)
    assert clear(yard, record) == "evacuation.settling"
    yard.live(62)
    assert clear(yard, record) == ""


def test_one_bad_reading_begins_the_time_anew(yard: Evac) -> None:
    record = ready(yard)
    yard.live(45)
    yard.reading("h2s", 6.0)
    yard.live(3)
    yard.reading("h2s", 0.0)
    yard.live(40)
    assert clear(yard, record) == "evacuation.settling"
    yard.live(30)
    assert clear(yard, record) == ""


def test_a_restart_begins_the_time_anew(yard: Evac) -> None:
    record = ready(yard)
    yard.live(65)
    yard.restart(clean=True)
    yard.pulse()
    yard.live(20)
    assert clear(yard, yard.record(record.id)) == "evacuation.settling"


def test_only_who_is_on_site_gives_it(yard: Evac) -> None:
    """Never from HQ, never from home; unknown is not on site."""
    record = ready(yard)
    yard.live(62)
    yard.dead.add("sam")
    yard.live(15)
    assert clear(yard, record) == "act.not_on_site"
    yard.act("max", MovePerson(person_id="sam", zone_id=""))
    assert clear(yard, record) == "act.not_on_site"
    yard.act("max", MovePerson(person_id="sam", zone_id="yard"))
    assert clear(yard, record) == ""


def test_a_portable_retest_stands_for_the_time(yard: Evac) -> None:
    record = ready(yard)
    assert retest(yard, record) == ""
    assert clear(yard, record) == ""


def test_a_retest_grows_old(yard: Evac) -> None:
    record = ready(yard)
    yard.dead.add("meter-tank")
    retest(yard, record)
    yard.live(RETEST_S + 5)
    assert clear(yard, record) == "evacuation.evidence"


def test_an_alarm_voids_a_retest(yard: Evac) -> None:
    record = ready(yard)
    retest(yard, record)
    yard.reading("h2s", 30.0)
    yard.live(2)
    assert [b.why for b in yard.events(RetestVoided)] == ["alarm"]
    yard.reading("h2s", 0.0)
    yard.live(5)
    assert clear(yard, record) == "evacuation.settling"


def test_a_retest_that_was_lost_is_none(yard: Evac) -> None:
    record = ready(yard)
    yard.journal.held = True
    yard.ask("gil", RetestZone(evacuation_id=record.id, zone_id="tank", samples=GOOD))
    yard.journal.held = False
    yard.break_disk()
    yard.mend_disk()
    assert not record.retests


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (GOOD[:2], "evacuation.retest_owed"),
        ((*GOOD[:2], Sample(gas="o2", value=18.0, unit="%vol", instrument="x")),
         "evacuation.retest_failed"),
        ((*GOOD[:2], Sample(gas="o2", value=20.9, unit="%vol")),
         "evacuation.retest_instrument"),
        ((*GOOD[:2], Sample(gas="o2", value=20.9, unit="bar", instrument="x")),
         "evacuation.retest_value"),
        ((*GOOD[:2], Sample(gas="o2", value=float("nan"), unit="%vol", instrument="x")),
         "evacuation.retest_value"),
        ((*GOOD[:2], Sample(gas="o2", entity_id="nothing")),
         "evacuation.retest_meter"),
        ((Sample(gas="coffee", value=1.0, unit="ppm", instrument="x"),),
         "evacuation.retest_gas"),
    ],
)  # fmt: skip
def test_a_retest_that_proves_nothing_is_refused(
    yard: Evac, samples: tuple[Sample, ...], code: str
) -> None:
    assert retest(yard, ready(yard), samples) == code


def test_a_retest_of_another_zone_is_refused(yard: Evac) -> None:
    assert retest(yard, ready(yard), zone="hall") == "evacuation.not_left"


def test_a_meter_of_the_hub_may_be_read_at_this_moment(yard: Evac) -> None:
    record = ready(yard)
    live = tuple(
        Sample(gas=gas, entity_id=yard.entity(HOST, "meter-tank", gas))
        for gas in ("h2s", "lel", "o2")
    )
    assert retest(yard, record, live) == ""
    yard.reading("h2s", 0.0, Quality.UNCERTAIN)
    assert retest(yard, record, live) == "evacuation.retest_meter"


def test_the_gas_that_called_people_out_is_owed(yard: Evac) -> None:
    """A worn meter may have told of a gas that nothing measures there."""
    record = yard.call("hall", quantity="h2s")
    for person in list(record.roll):
        yard.act("max", AccountPerson(evacuation_id=record.id, person_id=person))
    assert clear(yard, record) == "evacuation.evidence"
    assert retest(yard, record, GOOD[:1], "hall") == ""
    assert clear(yard, record) == ""


def test_a_drill_is_ended_and_never_cleared(yard: Evac) -> None:
    number = str(yard.act("sam", StartDrill(zones=("tank",))).result["evacuation_id"])
    assert clear(yard, yard.record(number)) == "drill.not_cleared"
    assert retest(yard, yard.record(number)) == "drill.not_cleared"


def test_it_releases_no_permit(yard: Evac) -> None:
    permit = yard.issued()
    record = ready(yard)
    retest(yard, record)
    assert clear(yard, record) == ""
    assert yard.permit(permit).status == "held"
