"""What people say about findings, and which declared devices wait for enrolment.

Of discovery the safety process keeps only the decisions: which findings are
ignored. What is found lives with the gateway; who scans is in the journal.
"""

from core.api.errors import Refused
from core.api.model import Entity
from core.api.reading import Value
from core.journal.envelope import Cause
from core.link.findings import MAX_TEXT, Proposals, Proposed, ProposedEntity
from core.people.access import Access
from core.registry.proposals_acts import (
    IgnoreFinding,
    RecallFinding,
    StartScan,
    StopScan,
)
from core.registry.proposals_events import (
    FindingIgnored,
    FindingRecalled,
    ScanAsked,
    ScanStopped,
)
from core.registry.registry import Registry
from core.registry.waiting import Proposal

#: Findings that may be ignored at once; beyond it one must be recalled first.
MAX_IGNORED = 1_000
_KINDS = 24


class ProposalDesk:
    """Let people ignore and recall findings, and ask for scans."""

    def __init__(self, registry: Registry, access: Access) -> None:
        self._hub = registry.hub
        access.bind(IgnoreFinding, self._ignore)
        access.bind(RecallFinding, self._recall)
        access.bind(StartScan, self._scan)
        access.bind(StopScan, self._stop)

    def _ignore(
        self, actor_id: str, act: IgnoreFinding, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        ignored = self._hub.state.registry.ignored
        if act.key not in ignored:
            if len(ignored) >= MAX_IGNORED:
                raise Refused("discovery.ignored_full", most=MAX_IGNORED)
            self._hub.emit(
                FindingIgnored(key=act.key, keys=act.keys, name=act.name), cause
            )
        return {"key": act.key}

    def _recall(
        self, actor_id: str, act: RecallFinding, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if act.key not in self._hub.state.registry.ignored:
            raise Refused("discovery.not_ignored", key=act.key)
        self._hub.emit(FindingRecalled(key=act.key), cause)
        return {"key": act.key}

    def _scan(
        self, actor_id: str, act: StartScan, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        if act.units is not None and act.units[0] > act.units[1]:
            raise Refused("discovery.bad_units", first=act.units[0], last=act.units[1])
        asked = ScanAsked(
            scan_id=self._hub.ids.new(),
            kind=act.kind,
            target=act.target,
            port=act.port,
            units=act.units,
            bauds=act.bauds,
            parities=act.parities,
        )
        self._hub.emit(asked, cause)
        return {"scan_id": asked.scan_id}

    def _stop(
        self, actor_id: str, act: StopScan, _version: int | None, cause: Cause
    ) -> dict[str, Value]:
        self._hub.emit(ScanStopped(scan_id=act.scan_id), cause)
        return {"scan_id": act.scan_id}


class ProposalFeed:
    """Make the message about declared devices; None while nothing has changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._told: list[Proposal] = []
        self._shed = 0
        self.message = Proposals([])

    def changed(self) -> Proposals | None:
        """Return the new list, or None; cheap enough for each second."""
        waiting = self._registry.proposals
        now, shed = list(waiting.values()), waiting.shed
        if now == self._told and shed == self._shed:
            return None
        self._told, self._shed = now, shed
        self.message = Proposals([_row(each) for each in now], shed)
        return self.message


def _row(proposal: Proposal) -> Proposed:
    device = proposal.device
    kinds = [f"{e.kind}:{e.quantity}".rstrip(":") for e in device.entities[:_KINDS]]
    return Proposed(
        host=proposal.host,
        uid=device.uid[:MAX_TEXT],
        name=device.name[:MAX_TEXT],
        manufacturer=device.manufacturer[:MAX_TEXT],
        model=device.model[:MAX_TEXT],
        serial=device.serial[:MAX_TEXT],
        zone_id=(device.suggested_zone or "")[:MAX_TEXT],
        kinds=tuple(kind[:40] for kind in kinds),
        seen_ms=proposal.seen_wall_ns // 1_000_000,
        entities=tuple(_entity(each) for each in device.entities[:_KINDS]),
        keyed=bool(device.key_id),
        bump_every_h=device.bump_every_h,
    )


def _entity(declared: Entity) -> ProposedEntity:
    return ProposedEntity(
        uid=declared.uid[:MAX_TEXT],
        name=declared.name[:MAX_TEXT],
        kind=str(declared.kind.value),
        quantity=declared.quantity[:MAX_TEXT],
        unit=declared.unit[:MAX_TEXT],
        output=str(declared.output.kind.value) if declared.output else "",
        max_age_s=declared.max_age_s,
        critical=declared.critical,
    )
