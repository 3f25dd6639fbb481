"""Two approvals are two people; a recorder's beat is heard and not written down."""

import msgspec
import pytest

from core.api.reading import Value
from core.link import messages as m
from core.permits import life_acts as a
from core.permits.attachments import BEAT
from core.permits.chain import chain
from core.permits.pack import Approver, Kind, Pack
from tests.support import works
from tests.support.office import Office
from tests.support.works import Works
from tests.support.yard import HOST


def _twice(made: Pack, rank: int) -> Pack:
    """Return the pack with two approvers of one office for special hot work."""
    both = (Approver(role="base_unit"),) * 2
    kinds = tuple(
        msgspec.structs.replace(kind, approvers=both, rank=rank)
        if kind.id == "hot-special"
        else kind
        for kind in made.kinds
    )
    return msgspec.structs.replace(made, kinds=kinds)


def law_kind(law: Pack) -> Kind:
    found = law.kind("hot-special")
    assert found is not None
    return found


def _due(site: Works, permit_id: str) -> tuple[str, a.SignPermit]:
    (due, *_) = [d for d in site.view(permit_id)["due"] if d["verb"] == "permit.sign"]
    content = site.permit(permit_id).life.content
    act = a.SignPermit(permit_id=permit_id, slot=due["slot"], content=content)
    return site.signer(due, site.permit(permit_id)), act


@pytest.mark.parametrize(("rank", "allowed"), [(1, False), (2, False), (3, True)])
def test_one_person_approves_a_high_grade_once(
    rank: int, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several roles are not several pairs of eyes; a site may say from which grade."""
    law = _twice(works.pack(), rank)
    monkeypatch.setattr(works, "pack", lambda: law)
    site = Works()
    permit_id = site.analysed(site.applied(site.booked()))
    slots = chain(law, law_kind(law))
    one, two = [slot.id for slot in slots if slot.approves]
    while (first := _due(site, permit_id))[1].slot != one:
        site.ok(*first)
    site.ok("ivy", first[1])
    second = _due(site, permit_id)[1]
    assert second.slot == two
    if not allowed:
        code, params = site.refused("ivy", second)
        assert (code, params["slot"]) == ("permit.approved_twice", first[1].slot)
    site.ok("ivy" if allowed else "sam", second)
    assert site.permit(permit_id).life.approved


def test_a_recorders_beat_is_live_and_in_no_journal() -> None:
    """What is told every few seconds is no event; the gap that it closes counts."""
    office, heard = Office(), list[tuple[str, object]]()
    host = office.join(f"host:{HOST}", "host")
    camera = type("Camera", (), {"id": "cam"})()
    office.kernel.registry.find_device = lambda *_: camera  # type: ignore[method-assign]
    recordings = office.kernel.attachments.recordings
    recordings.beat = lambda *told: heard.append(told)  # type: ignore[method-assign]
    before = office.hub.state.seq
    told: dict[str, Value] = {"until_ms": 7}
    host.send(m.DeviceEvent("cam-1", BEAT, told, "beat-7"))
    office.turn()
    assert heard == [("cam", told)]
    assert office.hub.state.seq == before
    answers = office.of(f"host:{HOST}", m.EventDurable)
    assert answers == [m.EventDurable("beat-7")]
