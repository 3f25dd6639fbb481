"""H1 to H15 of the law: each is broken, and the hub denies, holds or clears by itself.

No automation is configured: what happens here the permits do alone.
"""

import pytest

from core.api.reading import Value
from core.people.acts import WithdrawCard
from core.permits import life_acts as a
from core.permits import life_events as e
from core.permits.acts import ReleasePermit
from core.permits.entries_acts import LogIn
from core.permits.events import PermitExpired, PermitHeld
from core.permits.gas_tests_acts import Sample, TestGas
from core.permits.gas_tests_events import GasTested
from core.permits.isolation_acts import DefinePoint, PlanIsolation, PlanLine
from core.permits.lifecycle import PermitStatus
from core.response.events import EvacuationStarted
from tests.support.works import CALM, STANDS, Works

S = PermitStatus
H = 3600


@pytest.fixture
def site() -> Works:
    return Works()


def laid(site: Works, permit_id: str) -> dict[str, str]:
    """Return the rules that held a permit, with the park's alarm code."""
    return {
        str(body.hold.params.get("rule", body.hold.code)): str(
            body.hold.params.get("aq", "")
        )
        for body in site.events(PermitHeld)
        if body.permit_id == permit_id
    }


def denied(site: Works) -> tuple[str, ...]:
    """Return the park's codes of the last refusal."""
    told: e.PermitDenied = site.events(e.PermitDenied)[-1]
    return told.aq


def begun(site: Works, permit_id: str) -> None:
    """Take an application to the start."""
    site.signed(site.analysed(permit_id))
    site.verified(permit_id)
    site.tested(permit_id)
    site.ok("sue", a.StartPermit(permit_id=permit_id), site.version(permit_id))


def sign_due(site: Works, permit_id: str) -> str:
    """Sign what is due until a rule refuses; return the refusal."""
    with pytest.raises(AssertionError) as refused:
        site.signed(permit_id)
    return str(refused.value)


def test_h1_works_of_one_job_are_linked(site: Works) -> None:
    site.applied(site.booked("confined", job="j-1"))
    permit_id = site.analysed(site.applied(site.booked(job="j-1")))
    assert "H1=" in sign_due(site, permit_id)
    assert "62" in denied(site)


def test_h1_linked_works_are_issued(site: Works) -> None:
    other = site.applied(site.booked("confined", job="j-1"))
    permit_id = site.booked(job="j-1")
    site.applied(permit_id, linked=(other,), coordinator="sue")
    site.signed(site.analysed(permit_id))
    site.verified(permit_id)
    site.tested(permit_id)
    act = a.StartPermit(permit_id=permit_id)
    assert site.refused("sue", act, site.version(permit_id))[0] == "permit.rule"
    assert "61" in denied(site)


def test_h2_the_guardian_stays(site: Works) -> None:
    permit_id = site.started()
    site.place("gil", "hall")
    assert laid(site, permit_id)["H2"] == "31"


def test_h2_a_lost_guardian_is_asked_and_then_missed(site: Works) -> None:
    permit_id = site.started()
    site.dead.add("gil")
    site.live(50)
    assert site.permit(permit_id).status is S.ACTIVE
    site.live(45)
    assert laid(site, permit_id) == {"H2": "31"}


def test_h3_the_approver_comes(site: Works) -> None:
    permit_id = site.analysed(site.applied(site.booked()))
    site.place("eve", "gate")
    assert "H3=" in sign_due(site, permit_id)
    assert "30" in denied(site)


def test_h4_a_card_that_ends_stops_the_work(site: Works) -> None:
    permit_id = site.started()
    card = next(iter(site.hub.state.people.cards.of("ann")))
    site.ok("sam", WithdrawCard(card_id=card.id, code="revoked"))
    site.live(2)
    assert site.permit(permit_id).status is S.HELD
    assert set(laid(site, permit_id).values()) & {"50", "51", "52"}


def test_h5_no_signature_without_a_gas_test(site: Works) -> None:
    permit_id = site.applied(site.booked())
    site.tested = lambda permit_id: {}  # type: ignore[method-assign]
    site.analysed(permit_id)
    assert "H5=" in sign_due(site, permit_id)
    assert "01" in denied(site)


def test_h5_no_start_on_an_old_gas_test(site: Works) -> None:
    permit_id = site.signed(site.analysed(site.applied(site.booked())))
    site.live(31 * 60)
    site.verified(permit_id)
    act = a.StartPermit(permit_id=permit_id)
    assert site.refused("sue", act, site.version(permit_id))[0] == "permit.rule"
    assert "02" in denied(site)


def test_h6_a_long_break_needs_a_new_test(site: Works) -> None:
    permit_id = site.started()
    site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts={"ppe_ok": False}))
    site.live(31 * 60)
    site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts={"ppe_ok": True}))
    act = ReleasePermit(permit_id=permit_id, reason="go on")
    assert site.refused("sam", act, site.version(permit_id))[0] == "permit.rule"
    assert "03" in denied(site)
    site.tested(permit_id)
    site.released(permit_id)
    assert site.permit(permit_id).status is S.ACTIVE


def test_h7_each_day_begins_with_a_test() -> None:
    site = Works(later_h=12.9)  # 21:54: the night holds it first
    permit_id = site.booked("hot-2", hours=60)
    site.applied(permit_id, facts=CALM | {"fire_area": "other"})
    begun(site, permit_id)
    site.pass_time(8)
    assert laid(site, permit_id) == {"raise.42": "42"}
    site.advance(8.2 * H)  # a silent night: the permit is held
    site.pass_time(1)
    act = ReleasePermit(permit_id=permit_id, reason="a new day")
    assert site.refused("sam", act, site.version(permit_id))[0] == "permit.rule"
    assert "04" in denied(site)
    site.tested(permit_id)
    site.ok("sue", a.ConfirmPermit(permit_id=permit_id))
    site.released(permit_id)
    site.pass_time(1)
    assert site.permit(permit_id).status is S.ACTIVE


def test_h8_people_leave_when_the_meter_is_lost(site: Works) -> None:
    permit_id = site.started("confined")
    site.dead.add("meter-tank")
    site.live(120)
    assert site.permit(permit_id).status is S.HELD
    assert [body.zones for body in site.events(EvacuationStarted)] == [("tank",)]


def test_h9_gas_stops_and_clears(site: Works) -> None:
    permit_id = site.started("confined")
    site.reading("h2s", 9.0)  # below the alarm's limit, above what may be worked in
    site.live(3)
    assert set(laid(site, permit_id)) & {"H9b", "gas"}
    assert [body.zones for body in site.events(EvacuationStarted)] == [("tank",)]


def test_h10_nothing_goes_on_after_its_end(site: Works) -> None:
    permit_id = site.started(hours=0.5)
    site.live(31 * 60)
    assert [body.permit_id for body in site.events(PermitExpired)] == [permit_id]
    act = ReleasePermit(permit_id=permit_id, reason="a little longer")
    assert site.refused("sam", act, site.version(permit_id))[0] == "permit.not_held"


def test_h11_one_permit_is_one_plate_and_one_action(site: Works) -> None:
    fields = {
        "action": "insert",
        "pipe": "line p-1",
        "pipe_medium": "steam",
        "pipe_temperature": 20.0,
        "pipe_pressure": 0.1,
        "plate_material": "20#",
        "plate_size": "DN100",
        "plate_number": "p-1",
        "drawing": "0" * 64,
    }
    permit_id = site.applied(site.booked("blind-plate"), fields=fields)
    for point in ("p-1", "p-2"):
        act = DefinePoint(
            point_id=point,
            kind="blind_plate",
            equipment="tank 1",
            zone_id="tank",
            pipe=f"line {point}",
        )
        site.ok("sue", act)
    both = (
        PlanLine(point_id="p-1", action="insert"),
        PlanLine(point_id="p-2", action="remove"),
    )
    site.ok("sue", PlanIsolation(permit_id=permit_id, lines=both))
    site.tested = lambda permit_id: {}  # type: ignore[method-assign]
    site.analysed(permit_id)
    assert "H11=false" in sign_due(site, permit_id)
    assert "20" in denied(site)
    site.ok("sue", PlanIsolation(permit_id=permit_id, lines=both[:1]))
    with pytest.raises(AssertionError) as still:
        site.signed(permit_id)
        raise AssertionError("signed")
    assert "H11=" not in str(still.value)


def test_h12_no_signature_without_a_briefing(site: Works) -> None:
    permit_id = site.applied(site.booked())
    site.briefed = lambda permit_id: None  # type: ignore[method-assign]
    site.analysed(permit_id)
    assert "H12b=" in sign_due(site, permit_id)
    assert "70" in denied(site)


def test_h13_the_night_holds_what_was_not_raised() -> None:
    site = Works(later_h=10.9)  # 19:54
    permit_id = site.booked("hot-1", hours=8)
    site.applied(permit_id, facts=CALM | {"fire_area": "fire_explosion"})
    begun(site, permit_id)
    assert [body.reminder for body in site.events(e.PermitReminded)] == []
    site.pass_time(10)
    assert "night" in [body.reminder for body in site.events(e.PermitReminded)]
    assert site.permit(permit_id).status is S.ACTIVE
    site.pass_time(118)
    assert laid(site, permit_id) == {"raise.42": "42"}


def test_h13_work_that_was_raised_goes_on_at_night() -> None:
    site = Works(later_h=12.9)
    permit_id = site.booked("hot-1", hours=4)
    site.applied(permit_id, facts=CALM | {"fire_area": "other"})
    begun(site, permit_id)
    site.pass_time(10)
    assert site.permit(permit_id).status is S.ACTIVE, laid(site, permit_id)


def test_h7_what_was_measured_before_midnight_is_no_new_days_test() -> None:
    """GB 30871 5.3.1 d: at midnight work stops; a test is of what came after.

    A meter's last word before the hold may be a moment old, and yet of yesterday: of
    the time since the hold it says nothing, however fresh it is. The next one does.
    """
    site = Works(later_h=14.5)
    permit_id = site.booked("hot-special", hours=2)
    site.applied(permit_id)
    begun(site, permit_id)
    site.pass_time(29.5)
    while site.permit(permit_id).status is S.ACTIVE:
        site.pulse()
        site.advance(1.0)
    assert "H7" in "".join(laid(site, permit_id))
    lel = Sample(gas="lel", place="middle", entity_id=site.entity_of("lel"))
    early = site.ok("gil", TestGas(permit_id=permit_id, samples=(lel,)))
    assert early["unknown"] == "lel"
    (sample,) = site.events(GasTested)[-1].samples
    # The meter itself is as good as it was: its own days did not end at midnight.
    assert sample.calibration == "in_date"
    assert not sample.evidence
    site.live(1)
    assert not site.tested(permit_id)["unknown"]
    act = ReleasePermit(permit_id=permit_id, reason="a new day's test")
    site.ok("sam", act, site.version(permit_id))
    assert site.permit(permit_id).status is S.ACTIVE


def test_h14_nobody_is_left_inside(site: Works) -> None:
    permit_id = site.started("confined")
    site.ok("gil", LogIn(permit_id=permit_id, person_id="ann", tools=("t-1",)))
    site.ok("sue", a.CompletePermit(permit_id=permit_id))
    after: dict[str, Value] = {"site_restored": True}
    site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=after))
    assert "permit.people_inside" in sign_due(site, permit_id)
    for person in ("ann", "bob"):
        site.place(person, "yard")
    assert "permit.count_inside" in sign_due(site, permit_id)


def test_h14_a_rescue_without_protection_is_refused_by_its_rule(site: Works) -> None:
    """6.9 e: an inspector finds the attempt, and who logged it, in the journal."""
    permit_id = site.started("confined")
    act = LogIn(permit_id=permit_id, person_id="max", rescue=True)
    code, params = site.refused("gil", act)
    assert code == "entry.rescue_without_ppe"
    assert params["bad"] == "H14d=false(GB 30871-2022 6.9 e)"
    told: e.PermitDenied = site.events(e.PermitDenied)[-1]
    assert (told.permit_id, told.person_id) == (permit_id, "gil")
    assert told.rules == ("rule.H14d",)
    assert "max" not in site.permit(permit_id).entries.people


def test_h15_the_film_runs_on(site: Works) -> None:
    permit_id = site.started()
    site.dead.add("cam-tank")
    site.live(60)
    assert "H15" in "".join(laid(site, permit_id))


def test_unknown_is_never_safe(site: Works) -> None:
    """Every fact that a person has to state is needed: silence refuses."""
    for fact in ("plan_approved", "workers_fit"):
        permit_id = site.applied(site.booked())
        site.ok("sue", a.RejectPermit(permit_id=permit_id, reason="again"))
        said = {name: value for name, value in STANDS.items() if name != fact}
        permit_id = site.analysed(site.applied(site.booked()), stated=said)
        assert fact in site.view(permit_id)["missing_facts"]
        sign_due(site, permit_id)
        site.ok("sue", a.RejectPermit(permit_id=permit_id, reason="again"))
