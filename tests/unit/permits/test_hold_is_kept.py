"""A hold is never lost: not to a full backlog, and not to a gap of the journal."""

from core.hub import CORE
from core.journal.backlog import Backlog, Bounds, Entry
from core.journal.events import encode_body
from core.permits.events import Hold, PermitHeld
from core.permits.lifecycle import PermitStatus
from tests.support.works import Works


def _held(number: int, source: str, *retest: str) -> Entry:
    hold = Hold(id=f"h{number}", code="rule", source=source, retest=retest)
    body = PermitHeld(permit_id="p1", hold=hold, safe_state="leave")
    data = bytes(encode_body(body))
    return Entry(number, data, True, body.merge_key(), body.name_)


def test_holds_of_other_causes_do_not_stand_for_each_other() -> None:
    """Design §2: an overflow is coalesced per subject; a hold is its own subject."""
    backlog = Backlog(Bounds(events=4, bytes=1 << 20, hard=1))
    first = [_held(1, "interlock:gas", "o2"), _held(2, "person:ann")]
    flicker = [_held(number, "interlock:guardian") for number in range(3, 9)]
    for entry in (*first, *flicker):
        backlog.add(entry)
    kept = [i.seq for i in backlog.take(99, 1 << 20) if isinstance(i, Entry)]
    assert kept[:2] == [1, 2], "each cause keeps its own hold"
    assert kept[-1] == 8, "of one cause the last is kept"


def test_a_hold_in_a_gap_is_written_again() -> None:
    """Design §2: what the disk lost of a hold that stands is said once more."""
    site = Works()
    permit_id = site.started()
    site.journal.held = True
    first = site.hub.state.seq + 1
    site.kernel.permits.hold(permit_id, "gas", source="x", retest=("o2",), cause=CORE)
    site.kernel.permits.hold(permit_id, "camera", source="y")
    last = site.hub.state.seq
    before = dict(site.permit(permit_id).holds)
    site.journal.held = False
    site.journal.sync()
    site.hub.lost(first, last)
    site.hub.durable(last)
    after = site.permit(permit_id)
    assert after.status is PermitStatus.HELD
    assert after.holds.keys() == before.keys()
    assert all(record.seq > last for record in after.holds.values())
    site.hub.lost(first, last)
    assert {r.seq for r in site.permit(permit_id).holds.values()} == {
        record.seq for record in after.holds.values()
    }, "what was written again is not written a third time"
