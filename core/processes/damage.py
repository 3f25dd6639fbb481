"""Damage to the stored journal: told once to a person, and every permit held."""

from core.journal.reader import Damaged
from core.kernel import Kernel
from core.permits.lifecycle import PermitStatus
from core.processes.events import JournalBroken

#: Places that are named; the others are the same disk's.
_NAMED = 100
_SOURCE = "hub:journal"
_IN_FORCE = (PermitStatus.ACTIVE, PermitStatus.VERIFYING, PermitStatus.HELD)


def tell_damage(kernel: Kernel, found: list[Damaged]) -> None:
    """Raise the alarm and hold every permit in force, for what is not yet told.

    What could not be read may have been a hold: nothing that runs is certain,
    and what is held may be so for more reasons than are known. The marks come
    last, so that a stop in between tells it all again.
    """
    told = set(kernel.hub.state.hub.damages)
    fresh = [each for each in found if (each.segment, each.frame) not in told]
    if not fresh:
        return
    first = fresh[0]
    kernel.alarms.raise_(
        _SOURCE,
        "damaged",
        kind="fault.journal",
        priority=1,
        latching=True,
        params={
            "segment": first.segment,
            "frame": first.frame,
            "offset": first.offset,
            "places": len(fresh),
        },
    )
    for permit in list(kernel.hub.state.permits.permits.values()):
        if permit.status in _IN_FORCE:
            kernel.permits.hold(permit.id, "journal_damaged", source=_SOURCE)
    for each in fresh[:_NAMED]:
        body = JournalBroken(segment=each.segment, frame=each.frame, offset=each.offset)
        kernel.hub.emit(body)
    # Told by its event, not by a condition that could end: latched, it waits
    # for a person.
    kernel.alarms.clear(_SOURCE, "damaged")
