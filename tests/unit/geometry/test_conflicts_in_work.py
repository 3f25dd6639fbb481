"""Simultaneous work over a permit's life: refused, held, shown."""

from msgspec.structs import replace

from core.config import Bundle
from core.geometry.shapes import Area, Disc, Hazard
from core.permits import life_acts as a
from core.permits.lifecycle import PermitStatus
from tests.support.works import Works

SHAPE = Disc(at=(5.0, 4.0), radius_m=1.0)
PAINT = Area(level="ground", shape=SHAPE, z_high_m=2.0, also=("painting",))


def with_vent(bundle: Bundle) -> Bundle:
    """Return a bundle with a vent beside the tank."""
    vent = Hazard(
        id="vent", kind="release_flammable_gas", level="ground", shape=Disc(at=(20, 4))
    )
    return replace(bundle, site=replace(bundle.site, hazards=(vent,)))


def held_for(works: Works, permit_id: str) -> set[str]:
    """Return the codes and interlocks of the holds that lie on a permit."""
    holds = works.permit(permit_id).holds.values()
    return {str(each.hold.params.get("interlock", each.hold.code)) for each in holds}


def silent(works: Works, seconds: int) -> None:
    """Let time pass while every device speaks, and the worker does not."""
    works.surveyor = None
    works.live(seconds)


def refusal(works: Works, permit_id: str) -> str:
    """Let what is due be signed until a signature is refused; return why."""
    for _ in range(20):
        due = [d for d in works.view(permit_id)["due"] if d["verb"] == "permit.sign"]
        permit = works.permit(permit_id)
        content = permit.life.content
        act = a.SignPermit(permit_id=permit_id, slot=due[0]["slot"], content=content)
        reply = works.say(works.signer(due[0], permit), act)
        if not reply.ok:
            return f"{reply.code} {reply.params}"
    raise AssertionError("every signature was allowed")


def test_nobody_signs_while_the_worker_is_away() -> None:
    """Absence is UNKNOWN, which refuses."""
    works = Works()
    permit_id = works.analysed(works.applied(works.booked()))
    silent(works, 7)
    assert "C11" in refusal(works, permit_id)
    works.measure()
    works.tested(permit_id)
    works.signed(permit_id)
    assert works.permit(permit_id).status in ("approved", "briefed")


def test_work_is_held_when_the_worker_stays_away_beyond_the_reaction_time() -> None:
    """UNKNOWN holds after the kind's reaction time, never later and never at once."""
    works = Works()
    permit_id = works.started()
    silent(works, 20)
    assert works.permit(permit_id).status is PermitStatus.ACTIVE
    silent(works, 25)
    assert works.permit(permit_id).status is PermitStatus.HELD
    assert any("C11" in each for each in held_for(works, permit_id))


def test_work_goes_on_when_the_worker_is_only_started_afresh() -> None:
    """A moment without it is within the reaction time."""
    works = Works()
    permit_id = works.started()
    works.kernel.conflicts.lost("geometry")
    silent(works, 10)
    works.measure()
    works.live(60)
    assert works.permit(permit_id).status is PermitStatus.ACTIVE


def test_who_is_approved_first_goes_first_and_the_other_view_says_why() -> None:
    """GB 30871 5.2.9: no painting within 10 m of hot work; the view says why."""
    works = Works()
    hot = works.started()
    paint = works.booked()
    works.applied(paint, area=PAINT)
    shown = [each for each in works.kernel.conflicts.of(paint) if each.work == hot]
    assert {each.rule for each in shown if each.counts} == {
        "hot-paint",
        "hot-paint-column",
    }
    assert works.permit(hot).status is PermitStatus.ACTIVE
    opened = [each for each in works.view(paint)["open"] if "C11" in each["name"]]
    assert [each["facts"]["conflicts"] for each in opened] == [2]


def test_a_conflict_that_comes_up_during_work_holds_it() -> None:
    """During work they hold."""
    works = Works()
    hot = works.started()
    works.kernel.hub.load(with_vent(works.bundle))
    works.live(5)
    assert works.permit(hot).status is PermitStatus.HELD
    assert any("C11" in each for each in held_for(works, hot))
    (shown,) = works.kernel.conflicts.of(hot)
    assert (shown.rule, shown.other) == ("hot-gas-release", "hazard:vent")
