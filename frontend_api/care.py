"""How outputs stand with their proof tests, and who wears a device of the rack."""

from core.api.model import EntityKind
from core.clock import NS
from core.registry.state import DeviceRecord
from core.response.proofs_state import ANSWER_S, ProofRecord
from frontend_api.replica import MS, Replica
from frontend_api.views import ProofView, WornView

_HOUR_MS = 3_600_000


def proof(replica: Replica, entity_id: str, every_h: float | None) -> ProofView:
    """Show an output's last proof test and when the next one is due."""
    record = replica.state.response.proofs.get(entity_id, ProofRecord())
    proven, run = record.proven, record.run
    at_ms = proven.start_wall_ns // MS if proven is not None else 0
    # As the core judges it: of an age that nobody can tell, it is owed now.
    known = proven is not None and proven.remaining_ns(replica.clock) is not None
    until_ms = 0
    if run is not None:
        until_ms = (run.begun.start_wall_ns + int(ANSWER_S * NS)) // MS
    return ProofView(
        every_h=every_h,
        proven_ms=at_ms,
        by_id=record.by,
        due_ms=at_ms + int(every_h * _HOUR_MS) if every_h and known else 0,
        failed_ms=record.failed_wall_ns // MS,
        why=record.why,
        answer_until_ms=until_ms,
        answered=run is not None and run.read_back,
    )


def worn(replica: Replica, device: DeviceRecord) -> WornView | None:
    """Show who took a device last; None: nobody ever did."""
    record = replica.state.people.worn.get(device.id)
    if record is None:
        return None
    until = record.until
    return WornView(
        person_id=record.person_id,
        until_ms=(until.start_wall_ns + until.duration_ns) // MS,
        ended=record.ended,
    )


def wearable(replica: Replica, device: DeviceRecord) -> bool:
    """Say whether a device hangs on the rack, for whoever takes it."""
    record = replica.state.people.worn.get(device.id)
    if any(device.uid in each.tags for each in replica.bundle.people):
        return False
    if record is not None:
        return True
    if device.person_id is not None:
        return False
    entities = replica.state.registry.entities
    declared = [entities[e].declared for e in device.entities if e in entities]
    return any(e.kind is EntityKind.LOCATION or e.uid == "wear" for e in declared)
