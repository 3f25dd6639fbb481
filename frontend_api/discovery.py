"""What was found and waits for a decision: findings, declared devices, scans.

Findings come from the discovery process by a link of its own; devices that hosts
have declared come from the core. Both are one list, and one device is in it once.
"""

from core.api.identity import Called
from core.api.reading import Value
from core.link import messages as m
from core.link.findings import Finding, Findings, Proposed, ScanState
from core.people.acts import ACTS
from core.registry.proposals_acts import IgnoreFinding, StartScan
from frontend_api.guard import Call, Route
from frontend_api.names import Names, text
from frontend_api.replica import MS, Replica
from frontend_api.views import Text, View


class ProposalView(View):
    """Show one device that was found; nothing of what it says is proved."""

    id: str
    """Its lasting key; `discovery.ignore` takes it, with ``keys``."""
    keys: list[str]
    kind: str
    """How it was found: mdns, wsd, ssdp, usb, ble, mqtt, dhcp, modbus_tcp,
    modbus_serial, opcua; host: an integration that is set up has declared it."""
    name: str
    address: str
    port: int
    integration: str
    also: list[str]
    """Other integrations that could drive it."""
    why: list[Text]
    facts: dict[str, str]
    """A set-up flow begins with these."""
    waiting: str
    """Id among the waiting devices, where its integration is set up already."""
    seen_ms: int


class IgnoredView(View):
    """Show what is ignored; `discovery.recall` takes its id."""

    id: str
    name: str
    by: Text
    at_ms: int
    here: bool
    """True: it is heard of at this moment."""


class ListenerView(View):
    """Show one listener: on, off, absent or failed, and why."""

    id: str
    state: str
    detail: str


class ScanView(View):
    """Show the scan that runs, or the last one."""

    id: str
    kind: str
    target: str
    state: str
    step: str
    done: int
    total: int
    found: int
    why: Text | None
    """Why it was refused or failed."""
    code: str
    params: dict[str, Value]
    notes: list[Text]


class DiscoveryView(View):
    """Show everything about discovery."""

    items: list[ProposalView]
    ignored: list[IgnoredView]
    listeners: list[ListenerView]
    scan: ScanView | None
    shed: int
    """Sightings that were let go because too many came."""
    running: bool
    """False: the discovery process does not speak; what is shown is old."""
    may_ignore: bool
    may_scan: bool


class DiscoveryDesk:
    """Hold what discovery tells, and answer for it."""

    def __init__(self, replica: Replica) -> None:
        self.replica, self.names = replica, Names(replica)
        self.found = Findings([])
        self.scan: ScanState | None = None

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/discovery", self.view, "What was found, and scans",
                  reply=DiscoveryView),
        ]  # fmt: skip

    def take(self, message: m.Message) -> None:
        """Take one message of the discovery process; others are passed over."""
        if isinstance(message, Findings):
            self.found = message
        elif isinstance(message, ScanState):
            self.scan = message
        else:
            return
        for listener in self.replica.on_touch:
            listener(("proposals",))

    def running(self) -> bool:
        """Say whether the discovery process runs."""
        return self.replica.hosts.states.get("discovery") == "running"

    async def view(self, call: Call) -> DiscoveryView:
        """Show the list, the listeners and the scan."""
        roles = self.replica.roles(call.session.person_id)

        def may(act: type) -> bool:
            verb = str(getattr(act, "verb_", ""))
            return bool(ACTS[verb].roles_ & roles) and call.session.may_act(verb)

        return DiscoveryView(
            items=list(self.proposals().values()),
            ignored=self._ignored(),
            listeners=[_listener(*each) for each in self.found.listeners.items()],
            scan=self._scan(),
            shed=self.found.shed,
            running=self.running(),
            may_ignore=may(IgnoreFinding),
            may_scan=may(StartScan),
        )

    # --- the list -----------------------------------------------------------------

    def proposals(self) -> dict[str, ProposalView]:
        """Show what waits: declared devices first, then what was only found."""
        ignored = self.replica.state.registry.ignored
        hidden = {k for each in ignored.values() for k in (each.key, *each.keys)}
        views: dict[str, ProposalView] = {}
        declared = Called(
            name for row in self.replica.proposed for name in (row.uid, row.serial)
        )
        for row in self.replica.proposed:
            view = self._declared(row)
            if hidden.isdisjoint(view.keys):
                views[view.id] = view
        for found in self.found.items:
            known = any(key in declared for key in found.keys)
            if not known and not found.ignored and hidden.isdisjoint(found.keys):
                views[found.key] = _finding(found)
        return views

    def _declared(self, row: Proposed) -> ProposalView:
        key = f"host:{row.host}/{row.uid}"
        found = self._seen(row)
        own = text("discovery.why.host", {"host": row.host})
        signs = [text(s.code, dict(s.params)) for s in found.why] if found else []
        return ProposalView(
            id=key,
            keys=[key, *(found.keys if found else ())],
            kind="host",
            name=row.name,
            address=found.address if found else "",
            port=found.port if found else 0,
            integration=self._integration(row.host),
            also=[],
            why=[own, *signs],
            facts={"manufacturer": row.manufacturer, "model": row.model},
            waiting=f"{row.host}/{row.uid}",
            seen_ms=row.seen_ms,
        )

    def _seen(self, row: Proposed) -> Finding | None:
        """Return the finding of the same device, whose signs it then carries."""
        called = Called((row.uid, row.serial))
        for found in self.found.items:
            if any(key in called for key in found.keys):
                return found
        return None

    def _integration(self, host: str) -> str:
        configs = self.replica.bundle.integrations
        return next((c.integration for c in configs if c.id == host), host)

    def _ignored(self) -> list[IgnoredView]:
        here = {key for each in self.found.items for key in each.keys}
        waiting = {f"host:{row.host}/{row.uid}" for row in self.replica.proposed}
        return [
            IgnoredView(
                id=each.key,
                name=each.name,
                by=self.names.source(each.by),
                at_ms=each.wall_ns // MS,
                here=not (here | waiting).isdisjoint((each.key, *each.keys)),
            )
            for each in self.replica.state.registry.ignored.values()
        ]

    def _scan(self) -> ScanView | None:
        scan = self.scan
        if scan is None:
            return None
        state, code = scan.state, scan.code
        if state == "running" and not self.running():
            state, code = "failed", "discovery.restarted"
        return ScanView(
            id=scan.id,
            kind=scan.kind,
            target=scan.target,
            state=state,
            step=scan.step,
            done=scan.done,
            total=scan.total,
            found=scan.found,
            why=text(code, dict(scan.params)) if code else None,
            code=code,
            params=scan.params,
            notes=[text(note.code, dict(note.params)) for note in scan.notes],
        )


def _finding(found: Finding) -> ProposalView:
    return ProposalView(
        id=found.key,
        keys=list(found.keys),
        kind=found.kind,
        name=found.name,
        address=found.address,
        port=found.port,
        integration=found.integration,
        also=list(found.also),
        why=[text(sign.code, dict(sign.params)) for sign in found.why],
        facts=found.facts,
        waiting="",
        seen_ms=found.seen_ms,
    )


def _listener(name: str, status: str) -> ListenerView:
    state, _, detail = status.partition(": ")
    return ListenerView(id=name, state=state, detail=detail)
