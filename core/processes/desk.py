"""Where messages from other processes meet the kernel. No I/O of its own.

The safety process drives it with sockets and a real clock; a simulation with
in-process lanes and virtual time.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from core.api.errors import Refused
from core.api.reading import Value
from core.hub import CORE
from core.journal.envelope import Cause, Envelope
from core.journal.events import Event
from core.kernel import Kernel
from core.link import messages as m
from core.link.server import Server, broadcast
from core.processes.acts import ArmConfig, EndPower, ShowConfig
from core.processes.arming import Arming
from core.processes.hosts import Hosts, Secrets
from core.processes.voices import may
from core.registry.proposals import ProposalFeed

#: Bytes of events, or of a snapshot, that go into one frame.
_FRAME = 512 << 10
#: Hello roles that want no stream of events.
_QUIET = ("host", "archive", "caller", "geometry")
#: A gateway that has this much unread gets no live rows meanwhile.
_LIVE_LIMIT = 1 << 20
#: Live rows in one frame.
_LIVE_ROWS = 5_000

#: Names of counters; what a peer counts beyond goes to one.
_MAX_COUNTERS = 2_000

_arm = msgspec.msgpack.Decoder(ArmConfig)
_end = msgspec.msgpack.Decoder(EndPower)
_show = msgspec.msgpack.Decoder(ShowConfig)


class Desk:
    """Route messages to rooms, and streams to replicas."""

    def __init__(self, kernel: Kernel, links: Server, secrets: Secrets) -> None:
        self.kernel, self.hub, self.links = kernel, kernel.hub, links
        self.hosts = Hosts(kernel, links, secrets, self.count)
        self.arming: Arming
        self.history_damaged: Callable[[str], None] = lambda _detail: None
        """Who hears that the archive had to put its file aside."""
        self.exchange: Callable[[dict[str, str]], None] = lambda _faults: None
        """Who hears what the uplink owes and cannot deliver."""
        self.processes: dict[str, str] = {}
        """State of each process, as the keeper tells it."""
        self.counters: dict[str, int] = {}
        self._replicas: set[str] = set()
        self._live_due: set[str] = set()
        self._fresh: list[bytes] = []
        self._told_durable = 0
        self._told_hosts: m.HostStates | None = None
        self._proposals = ProposalFeed(kernel.registry)
        self._routes: dict[type, Callable[[str, Any], None]] = {
            m.Readings: kernel.readings.receive,
            m.Declare: self.hosts.declare,
            m.Withdraw: self.hosts.withdraw,
            m.DeviceEvent: self.hosts.event,
            m.Result: kernel.commands.result,
            m.LinkState: self.hosts.link_state,
            m.Diagnose: self.hosts.diagnose,
            m.Diagnosis: self.hosts.diagnosis,
            m.Counted: self._counted,
            m.Alive: self._alive,
            m.Hello: self._hello,
            m.ActRequest: self._act,
            m.NoticeResult: kernel.notices.result,
            m.Checked: kernel.conflicts.receive,
        }
        self.hub.on_everything(self._accepted)

    def receive(self, peer: str, message: m.Message) -> None:
        """Take one message; what a peer has no business to say is counted."""
        route = self._routes.get(type(message))
        if route is None or not may(peer, type(message)):
            self.count(f"{peer}.unexpected")
        else:
            route(peer, message)

    def lost(self, peer: str) -> None:
        """Hear that a peer's link ended."""
        self._replicas.discard(peer)
        self._live_due.discard(peer)
        self.kernel.conflicts.lost(peer)

    def count(self, name: str, by: int = 1) -> None:
        """Count something for the diagnostics page."""
        if name not in self.counters and len(self.counters) >= _MAX_COUNTERS:
            name = "other"
        self.counters[name] = self.counters.get(name, 0) + by

    def _hello(self, peer: str, hello: m.Hello) -> None:
        if peer.startswith("host:"):
            self.hosts.welcome(peer)
        elif peer == "geometry":
            self.kernel.conflicts.hello(peer)
        elif hello.role not in _QUIET:
            self._stream(peer)

    def _counted(self, peer: str, message: m.Counted) -> None:
        for name, by in message.counts.items():
            self.count(f"{peer}.{name}"[:120], by)
        self._bad_input(peer, message)
        if peer == "archive" and "history_damaged" in message.counts:
            self.history_damaged(message.details.get("history_damaged", ""))
        if peer == "uplink":
            self.exchange(message.details)

    def _bad_input(self, peer: str, message: m.Counted) -> None:
        """Hand on to the pages what a host counted of its own devices."""
        found = {
            device.id: counts
            for uid, counts in message.devices.items()
            if (device := self.kernel.registry.find_device(peer, uid)) is not None
        }
        for name in self._gateways() if found else ():
            self.links.send(name, m.BadInput(found))

    def _alive(self, peer: str, message: m.Alive) -> None:
        self.hosts.alive(peer, message.number)

    # --- acts -----------------------------------------------------------------

    def _act(self, peer: str, request: m.ActRequest) -> None:
        if request.verb == "config.arm" and peer.startswith("cli:"):
            self._arm(peer, request)
        elif request.verb == ShowConfig.verb_ and peer.startswith("cli:"):
            self._show(peer, request)
        elif request.verb == "hub.power_end" and peer.startswith("cli:"):
            self._end_power(peer, request)
        else:
            self.kernel.access.receive(peer, request)

    def _arm(self, peer: str, request: m.ActRequest) -> None:
        """Arm for the hub's own system user, whom SO_PEERCRED has proved."""
        result: dict[str, Value] = {}
        try:
            act = _arm.decode(request.body)
            by = f"os:{request.person_id}"
            self.arming.arm(act.hash, by, Cause(actor=by))
        except Refused as no:
            code, params = no.refusal, dict(no.params)
            self.links.send(
                peer, m.ActReply(id=request.id, ok=False, code=code, params=params)
            )
            return
        except msgspec.MsgspecError as error:
            detail: dict[str, Value] = {"detail": str(error)}
            self.links.send(
                peer,
                m.ActReply(
                    id=request.id, ok=False, code="act.malformed", params=detail
                ),
            )
            return
        result["hash"] = act.hash
        seq = self.hub.state.seq

        def answer(durable: bool) -> None:
            code = "" if durable else "journal.not_durable"
            self.links.send(
                peer,
                m.ActReply(
                    id=request.id, ok=durable, code=code, result=result, seq=seq
                ),
            )

        self.hub.when_durable(seq, answer)

    def _show(self, peer: str, request: m.ActRequest) -> None:
        """Tell the hub's own system user what is in force."""
        try:
            shown = self.arming.reviews.show(_show.decode(request.body).rule)
            reply = m.ActReply(request.id, ok=True, result=shown)
        except msgspec.MsgspecError as error:
            wrong: dict[str, Value] = {"verb": request.verb, "detail": str(error)}
            reply = m.ActReply(request.id, ok=False, code="act.malformed", params=wrong)
        self.links.send(peer, reply)

    def _end_power(self, peer: str, request: m.ActRequest) -> None:
        """Announce the end of the power for the hub's own system user."""
        cause = Cause(actor=f"os:{request.person_id}")
        try:
            seconds = _end.decode(request.body).seconds
            result = self.kernel.power.ends(seconds, cause)
            reply = m.ActReply(request.id, ok=True, result=result)
        except Refused as no:
            params: dict[str, Value] = dict(no.params)
            reply = m.ActReply(request.id, ok=False, code=no.refusal, params=params)
        except msgspec.MsgspecError as error:
            wrong: dict[str, Value] = {"verb": request.verb, "detail": str(error)}
            reply = m.ActReply(request.id, ok=False, code="act.malformed", params=wrong)
        self.links.send(peer, reply)

    # --- replicas -------------------------------------------------------------

    def _accepted(self, _body: Event, _envelope: Envelope, data: bytes) -> None:
        if self._replicas:
            self._fresh.append(data)

    def _stream(self, peer: str) -> None:
        self.flush()  # what is waiting belongs before this snapshot
        self._replicas.add(peer)
        self._live_due.add(peer)
        state, bundle = self.hub.snapshot(), self.arming.data
        epoch, seq = self.hub.state.epoch, self.hub.state.seq
        cuts = range(0, max(len(state), len(bundle), 1), _FRAME // 2)
        for at in cuts:
            upto = at + _FRAME // 2
            part = m.Snapshot(
                epoch=epoch,
                seq=seq,
                state=state[at:upto],
                bundle=bundle[at:upto],
                more=at != cuts[-1],
            )
            self.links.send(peer, part)
        self.links.send(peer, m.Events([], self.hub.journal.durable_seq))
        if self._told_hosts is not None:
            self.links.send(peer, self._told_hosts)
        if peer.startswith("gateway"):
            self.links.send(peer, self._proposals.message)

    def armed(self, digest: str, data: bytes) -> None:
        """Hand a newly armed bundle to the replicas, behind its event."""
        self.flush()
        cuts = range(0, max(len(data), 1), _FRAME)
        for at in cuts:
            more = at != cuts[-1]
            self._send_all(m.Armed(digest, data[at : at + _FRAME], more))

    def flush(self) -> None:
        """Send the events of this turn to all replicas, encoded once."""
        durable = self.hub.journal.durable_seq
        if not self._replicas:
            self._fresh.clear()
        elif self._fresh or durable != self._told_durable:
            fresh, self._fresh = self._fresh, []
            for group in _groups(fresh):
                self._send_all(m.Events(group, durable))
        self._told_durable = durable

    def _send_all(self, message: m.Message) -> None:
        found = [self.links.get(name) for name in self._replicas]
        broadcast([peer for peer in found if peer is not None], message)

    def _gateways(self) -> list[str]:
        return [n for n in self._replicas if n.startswith(("gateway", "cli"))]

    # --- live values and states -----------------------------------------------

    def live(self) -> None:
        """Send changed readings to whoever shows them; call at most 4 times a second.

        A peer that lags gets nothing meanwhile, and then all values anew.
        """
        names = self._gateways()
        changed = self.kernel.readings.drain_live() if names else []
        ready = []
        for name in names:
            peer = self.links.get(name)
            if peer is not None and peer.safety.pending > _LIVE_LIMIT:
                self._live_due.add(name)
            elif peer is not None and name not in self._live_due:
                ready.append(peer)
        for at in range(0, len(changed), _LIVE_ROWS):
            broadcast(ready, m.Live(changed[at : at + _LIVE_ROWS]))
        self._live_full(names)

    def _live_full(self, names: list[str]) -> None:
        for name in list(self._live_due):
            peer = self.links.get(name)
            if name in names and peer and peer.safety.pending <= _LIVE_LIMIT:
                rows = self.kernel.readings.drain_live(full=True)
                for at in range(0, max(len(rows), 1), _LIVE_ROWS):
                    part = rows[at : at + _LIVE_ROWS]
                    peer.safety.send(m.Live(part, full=at == 0))
                self._live_due.discard(name)

    def host_states(self) -> None:
        """Send the states of processes and zones when they changed."""
        now = m.HostStates(
            states=dict(self.processes),
            unmonitored=sorted(self.kernel.readings.unmonitored()),
            counters=dict(self.counters),
            troubles=dict(self.hosts.troubles),
        )
        if now != self._told_hosts:
            self._told_hosts = now
            self._send_all(now)
        proposals = self._proposals.changed()
        if proposals is not None:
            for name in self._gateways():
                self.links.send(name, proposals)


def _groups(events: list[bytes]) -> list[list[bytes]]:
    """Cut events into frames' worth; at least one group, if empty."""
    groups: list[list[bytes]] = [[]]
    size = 0
    for data in events:
        if size and size + len(data) > _FRAME:
            groups.append([])
            size = 0
        groups[-1].append(data)
        size += len(data)
    return groups


__all__ = ["CORE", "Desk"]
