"""What next offers to a person, the desk does not refuse that person; nor the reverse.

A view that offers a signature which is then refused sends people about in vain,
and hides whom the work waits for (issue: a view answers who must act).
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api.reading import Value
from core.people.events import RolesChanged
from core.permits import life_acts as a
from core.permits import view as views
from core.permits.acts import ReleasePermit
from core.permits.lifecycle import FINAL, PermitStatus
from frontend_api.permit_file import _due
from tests.support.works import Works

S = PermitStatus
#: Refusals that say: not this person, or not now at all.
NOT_YOU = {
    "act.role",
    "permit.own_work",
    "permit.slot_role",
    "permit.approved_twice",
    "permit.slot_order",
    "permit.slot_signed",
    "permit.step",
}
WHO = ("ann", "bob", "gil", "sue", "ivy", "sam", "max", "eve")
ROLES = ("worker", "guardian", "supervisor", "issuer", "safety_officer", "owner")
SOME = st.sets(st.sampled_from(ROLES), max_size=3).map(lambda s: tuple(sorted(s)))


def offers(site: Works, permit_id: str) -> list[views.Due]:
    permits = site.kernel.permits
    shown = views.Viewer(permits.bench).view(site.permit(permit_id))
    return [due for due in shown.due if due.verb == "permit.sign"]


def offered(site: Works, due: views.Due, person: str) -> bool:
    """Say whether a person's page has the button."""
    return _due(due, person, site.kernel.access.roles(person)).mine


def refusal(site: Works, permit_id: str, due: views.Due, person: str) -> str:
    act = a.SignPermit(
        permit_id=permit_id,
        slot=due.slot,
        content=site.permit(permit_id).life.content,
    )
    reply = site.say(person, act)
    return "" if reply.ok else reply.code


def given_roles(site: Works, person: str, roles: tuple[str, ...]) -> None:
    site.hub.emit(RolesChanged(person_id=person, roles=roles, by="eve"))
    site.settle()


def agree(site: Works, permit_id: str, person: str) -> bool:
    """Compare page and desk for one person; return whether they signed."""
    for due in offers(site, permit_id):
        mine = offered(site, due, person)
        code = refusal(site, permit_id, due, person)
        assert mine != (code in NOT_YOU), (person, due, code)
        return not code
    return False


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    kind=st.sampled_from(["hot-special", "confined"]),
    roles=st.dictionaries(st.sampled_from(WHO), SOME, max_size=4),
    askers=st.lists(st.sampled_from(WHO), min_size=6, max_size=14),
)
def test_what_next_offers_is_not_refused_for_the_person_it_names(
    kind: str, roles: dict[str, tuple[str, ...]], askers: list[str]
) -> None:
    """Whoever has whatever roles, at every signature of the way to the start."""
    site = Works()
    permit_id = site.analysed(site.applied(site.booked(kind)))
    for person, held in roles.items():
        given_roles(site, person, held)
    for asker in askers:
        agree(site, permit_id, asker)
        if site.permit(permit_id).status in FINAL:
            break


def test_a_lead_is_not_offered_to_accept_the_own_work() -> None:
    site = Works()
    permit_id = site.started()
    given_roles(site, "sue", ("supervisor", "issuer", "safety_officer"))
    site.ok("sue", a.CompletePermit(permit_id=permit_id))
    after: dict[str, Value] = {"site_restored": True, "no_residual_fire": True}
    site.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=after))
    for person in site.permit(permit_id).workers:
        site.places[person] = "yard"
    site.live(5)
    signed = []
    while due := offers(site, permit_id):
        crew = [p for p in ("sue", "ann", "gil") if agree(site, permit_id, p)]
        if not crew:
            assert not offered(site, due[0], "sue")
            signed.append("sue")
            assert any(agree(site, permit_id, p) for p in ("ivy", "sam", "eve"))
    assert signed, "no signature of this work is barred to its lead"
    assert site.permit(permit_id).status is S.ACCEPTED


def test_a_permit_that_is_over_waits_for_no_signature() -> None:
    """Withdrawn before its approval, it may only be closed."""
    site = Works()
    permit_id = site.analysed(site.applied(site.booked()))
    assert offers(site, permit_id)
    site.ok("sue", a.WithdrawPermit(permit_id=permit_id, reason="rain"))
    assert offers(site, permit_id) == []
    shown = views.Viewer(site.kernel.permits.bench).view(site.permit(permit_id))
    assert [due.verb for due in shown.due] == ["permit.close"]


def releasers(site: Works, permit_id: str) -> set[str]:
    """Return who has the button that releases a permit."""
    shown = views.Viewer(site.kernel.permits.bench).view(site.permit(permit_id))
    (due,) = [each for each in shown.due if each.verb == "permit.release"]
    return {who for who in WHO if offered(site, due, who)}


def test_after_an_unclean_stop_the_guardian_is_offered_the_release() -> None:
    """Design §5 After a stop: its guardian releases it by one signed act."""
    site = Works()
    permit_id = site.started()
    site.restart(clean=False)
    site.live(5)
    assert releasers(site, permit_id) == {"gil", "sam", "eve"}
    site.released(permit_id, "gil")
    assert site.permit(permit_id).status is PermitStatus.ACTIVE


def test_of_any_other_hold_the_guardian_is_not_offered_the_release() -> None:
    """Design §5: nothing but the stop itself may be released by the guardian."""
    site = Works()
    permit_id = site.started()
    site.restart(clean=False)
    site.live(5)
    site.kernel.permits.hold(permit_id, "manual", source="person:sam")
    assert releasers(site, permit_id) == {"sam", "eve"}
    act = ReleasePermit(permit_id=permit_id, reason="go on")
    refused = site.refused("gil", act, site.version(permit_id))
    assert refused[0] == "permit.not_authorised"
