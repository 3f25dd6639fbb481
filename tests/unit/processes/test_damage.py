"""What the journal cannot tell any more: told once, permits held, gaps undone."""

import msgspec

from core.clock import SimClock
from core.journal import envelope as envelopes
from core.journal.checkpoint import sim_signer
from core.journal.envelope import Effect
from core.journal.reader import Damaged
from core.journal.simdisk import SimDisk
from core.journal.store import Options
from core.journal.writer import Gapped
from core.link.messages import ActReply
from core.permits.lifecycle import PermitStatus
from core.processes.damage import tell_damage
from core.processes.ledger import Ledger
from tests.support.yard import Yard

PLACE = Damaged(segment=3, frame=7, offset=900, known=False)


def holds(yard: Yard, permit_id: str) -> list[str]:
    """Return the codes of a permit's holds."""
    return [lying.hold.code for lying in yard.permit(permit_id).holds.values()]


def test_damage_holds_every_permit_and_waits_for_a_person() -> None:
    """Design §5 Journal: what cannot be read may have been a hold."""
    yard = Yard()
    permit = yard.issued()
    tell_damage(yard.kernel, [PLACE])
    assert holds(yard, permit) == ["journal_damaged"]
    alarm = yard.kernel.alarms.find("hub:journal", "damaged")
    assert alarm is not None
    assert (alarm.kind, alarm.latched, alarm.acknowledged) == (
        "fault.journal",
        True,
        False,
    )
    yard.restart(clean=True)
    assert yard.kernel.alarms.find("hub:journal", "damaged") is not None


def test_damage_is_told_once_and_new_damage_again() -> None:
    yard = Yard()
    tell_damage(yard.kernel, [PLACE])
    yard.restart(clean=True)
    before = len(yard.events())
    tell_damage(yard.kernel, [PLACE])
    assert len(yard.events()) == before
    tell_damage(yard.kernel, [PLACE, PLACE._replace(segment=4, known=True)])
    assert yard.hub.state.hub.damages == [(3, 7), (4, 7)]


def test_permissive_act_in_a_gap_is_refused_and_undone() -> None:
    """Design §2: what was accepted and never written permits nothing."""
    yard = Yard()
    yard.journal.held = True
    first = yard.hub.state.seq + 1
    yard.ask("ivy", yard.form())
    yard.settle()
    last = yard.hub.state.seq
    yard.journal.sync()
    yard.hub.lost(first, last)
    yard.hub.durable(last)
    (reply,) = yard.links.of(ActReply)
    assert (reply.ok, reply.code) == (False, "journal.not_durable")
    (permit,) = yard.hub.state.permits.permits.values()
    assert permit.status is PermitStatus.HELD
    answers: list[bool] = []
    yard.hub.when_durable(first, answers.append)
    yard.hub.when_durable(first - 1, answers.append)
    assert answers == [False, True]


SMALL = Options(segment_bytes=1024, reserve_bytes=0)


def written(disk: SimDisk, clock: SimClock) -> None:
    """Write events over several segments and end without a clean stop."""
    yard = Yard()
    ledger = Ledger(disk, sim_signer(1, clock), clock, SMALL, lambda n: b"j" * n)
    ledger.start(lambda _notice: None)
    for seq, data in enumerate(yard.journal.stored, 1):
        ledger.accept(seq, data, Effect.NEUTRAL, "", "")
        ledger.pump()
    ledger.close()


def test_damage_in_an_older_segment_is_found_at_the_start() -> None:
    """Only the last segment is proved on opening; the fold reads them all."""
    disk, clock = SimDisk(1), SimClock()
    written(disk, clock)
    oldest = disk.list()[0]
    disk.files[oldest].live[400] ^= 1
    ledger = Ledger(disk, sim_signer(1, clock), clock, SMALL, lambda n: b"j" * n)
    ledger.replay()
    assert [(each.segment, each.known) for each in ledger.damages] == [(1, False)]


def test_event_that_makes_no_sense_is_told_and_the_hub_starts() -> None:
    """A chained event that cannot be folded holds work; it is no crash loop."""
    disk, clock = SimDisk(1), SimClock()
    ledger = Ledger(disk, sim_signer(1, clock), clock, SMALL, lambda n: b"j" * n)
    ledger.start(lambda _notice: None)
    good = Yard().journal.stored
    odd = envelopes.decode(good[1])
    wrong = msgspec.structs.replace(odd, body=msgspec.Raw(msgspec.msgpack.encode(7)))
    for seq, data in enumerate([good[0], envelopes.encode(wrong), *good[2:]], 1):
        ledger.accept(seq, data, Effect.NEUTRAL, "", "")
        ledger.pump()
    ledger.close()
    ledger = Ledger(disk, sim_signer(1, clock), clock, SMALL, lambda n: b"j" * n)
    assert ledger.replay().seq == len(good)
    assert len(ledger.damages) >= 1


def test_full_backlog_keeps_the_last_of_each_subject_and_type() -> None:
    """Design §2: coalesced per subject and type, never across types."""
    disk, clock = SimDisk(1), SimClock()
    ledger = Ledger(disk, sim_signer(1, clock), clock, SMALL, lambda n: b"j" * n)
    told: list[object] = []
    ledger.start(told.append)
    disk.capacity = 0
    data = Yard().journal.stored[0]
    for seq in range(1, 20_002):
        kind = "a" if seq <= 10_000 else "b"
        ledger.accept(seq, data, Effect.NEUTRAL, "one", kind)
    disk.capacity = None
    while ledger.pump():
        clock.advance(1.0)
    while ledger.pump() == 0:
        pass
    gaps = [each.gap for each in told if isinstance(each, Gapped)]
    assert [(gap.first, gap.last) for gap in gaps] == [(1, 9_999), (10_001, 20_000)]
