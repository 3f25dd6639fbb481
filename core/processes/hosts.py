"""What hosts say: devices, events, lost links; within what their manifests state."""

from collections.abc import Callable

from core.alarms.alarms import Alarms
from core.api.model import Device
from core.config import IntegrationConfig
from core.journal.envelope import Cause
from core.kernel import Kernel
from core.link import messages as m
from core.link.server import CREDIT, Server
from core.people.calls import CALLS
from core.permits.attachments import BEAT
from core.registry.contract import device_breach, event_breach
from core.registry.events import DeviceReported
from core.registry.state import DeviceRecord

#: Events whose answer waits for a failing disk.
_MAX_AWAITED = 10_000
#: Questions for diagnostics that wait for their host; the oldest goes first.
_MAX_ASKED = 32

Secrets = Callable[[tuple[str, ...]], dict[str, str]]


class Hosts:
    """Take the messages of host processes; ``count`` notes what is refused."""

    def __init__(
        self,
        kernel: Kernel,
        links: Server,
        secrets: Secrets,
        count: Callable[[str], None],
    ) -> None:
        self._kernel, self._hub, self._links = kernel, kernel.hub, links
        self._secrets, self._count = secrets, count
        self.alive: Callable[[str, int], None] = lambda _peer, _number: None
        """Who hears that a host answered a ping."""
        self.secrets_told: Callable[[str], None] = lambda _detail: None
        """Who hears why the secrets cannot be read; '' when they can."""
        self.troubles: dict[str, str] = {}
        """Host → code of what its driver as a whole cannot get over."""
        self._awaited: dict[tuple[str, str], None] = {}
        """(host, event) in the order in which they began to wait."""
        self._asked: dict[tuple[str, str], str] = {}
        """(host, question) → who asked."""

    @property
    def _alarms(self) -> Alarms:
        return self._kernel.alarms

    def welcome(self, peer: str) -> None:
        """Give a host its options and its secrets."""
        config = self._config(peer)
        options: dict[str, object] = {}
        secrets: dict[str, str] = {}
        if config is not None:
            options, secrets = config.options, self._known(config.secrets)
        self._links.send(
            peer,
            m.Welcome(
                epoch=self._hub.state.epoch,
                options=options,
                secrets=secrets,
                credit=CREDIT,
            ),
        )
        self.troubles.pop(peer, None)
        self._alarms.clear(peer, "contract")
        self.alive(peer, -1)

    def declare(self, peer: str, message: m.Declare) -> None:
        """Take a device, unless it is more than the manifest states."""
        config = self._config(peer)
        known = self._kernel.registry.declared_by(peer)
        why = device_breach(config, message.device, known) if config else ""
        if why:
            self._breach(peer, why)
            return
        if self._other_key(peer, message.device):
            return
        self._kernel.registry.declare(peer, message.device, message.handles)

    def _other_key(self, peer: str, device: Device) -> bool:
        """Refuse a device that comes back under its uid with another key, and tell."""
        registry = self._kernel.registry
        record = registry.find_device(peer, device.uid)
        if record is None or not record.key_id:
            return False
        source = f"device:{record.id}"
        if record.key_id == device.key_id:
            self._alarms.clear(source, "identity")
            return False
        self._count(f"{peer}.other_key")
        registry.withdraw(peer, device.uid)
        registry.proposals.propose(record.integration, device)
        self._alarms.raise_(
            source,
            "identity",
            kind="fault.identity",
            priority=1,
            zone_id=record.zone_id,
            params={"name": record.name, "uid": device.uid},
        )
        return True

    def withdraw(self, peer: str, message: m.Withdraw) -> None:
        """Hear that a device is no longer announced."""
        self._kernel.registry.withdraw(peer, message.device_uid)

    def link_state(self, peer: str, message: m.LinkState) -> None:
        """Hear that a driver lost or regained a device; uid '' is all of them."""
        if not message.device_uid:
            self.troubles.pop(peer, None)
            if not message.up:
                self.troubles[peer] = message.detail[:80] or "device.failed"
        self._kernel.readings.device_link(
            peer, message.device_uid, message.up, message.detail
        )

    def event(self, peer: str, message: m.DeviceEvent) -> None:
        """Take a discrete event, and answer it once it is durable."""
        config = self._config(peer)
        why = event_breach(config, message.kind) if config else ""
        if why:
            self._breach(peer, why)
        if why and message.kind not in CALLS:
            # The alarm is what is kept of it; its source is not left waiting. A
            # call for help counts even where somebody forgot to declare it.
            self._answer(peer, message.event_id, self._hub.state.seq)
            return
        device = self._whose(peer, message)
        if message.kind == BEAT:
            # Live, every few seconds: only the gap between two of them counts.
            if device is not None:
                recordings = self._kernel.attachments.recordings
                recordings.beat(device.id, message.params)
            self._answer(peer, message.event_id, self._hub.state.seq)
            return
        key = f"{peer}/{message.event_id}"
        seq = self._hub.state.hub.reported.get(key)
        called = device.id if device else message.device_uid
        again = self._kernel.people.calls.again(called, message.kind, message.params)
        if seq is None or again:
            params = dict(message.params)
            if device is None:
                # Nobody enrolled it, and yet it calls: kept, with its own name.
                params["device_uid"] = message.device_uid
            seq = self._hub.emit(
                DeviceReported(
                    device_id=device.id if device else "",
                    kind=message.kind,
                    params=params,
                    event_id=key,
                ),
                Cause(actor=peer),
            ).seq
        self._answer(peer, message.event_id, seq)

    def _whose(self, peer: str, message: m.DeviceEvent) -> DeviceRecord | None:
        """Return the device that speaks; who is unknown has shown that it is there."""
        registry = self._kernel.registry
        device = registry.find_device(peer, message.device_uid)
        if device is None:
            host = peer.removeprefix("host:")
            registry.proposals.press(host, message.device_uid)
        return device

    def durable_again(self) -> None:
        """Ask anew about the events that a failing disk kept waiting."""
        waiting, self._awaited = self._awaited, {}
        for peer, event_id in waiting:
            seq = self._hub.state.hub.reported.get(f"{peer}/{event_id}", 0)
            self._answer(peer, event_id, seq or self._hub.state.seq)

    def diagnose(self, peer: str, message: m.Diagnose) -> None:
        """Hand a question for diagnostics on to its host; nothing waits for it here."""
        host = f"host:{message.host}"
        if self._links.get(host) is None:
            self._links.send(peer, m.Diagnosis(message.id, error="host.not_running"))
            return
        self._asked[host, message.id] = peer
        if len(self._asked) > _MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        self._links.send(host, m.Diagnose(message.id))

    def diagnosis(self, peer: str, message: m.Diagnosis) -> None:
        """Hand a host's answer to who asked; one that nobody asked for is counted."""
        asker = self._asked.pop((peer, message.id), None)
        if asker is None:
            self._count(f"{peer}.unexpected")
        else:
            self._links.send(asker, message)

    # --- inside ---------------------------------------------------------------

    def _config(self, peer: str) -> IntegrationConfig | None:
        name = peer.removeprefix("host:")
        for each in self._hub.bundle.integrations:
            if each.id == name:
                return each
        return None

    def _breach(self, peer: str, why: str) -> None:
        """Refuse, and say so: a host that goes beyond its manifest is not sound."""
        self._count(f"{peer}.beyond_manifest")
        self._alarms.raise_(
            peer,
            "contract",
            kind="fault.contract",
            priority=3,
            params={"host": peer.removeprefix("host:"), "what": why},
        )

    def _known(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return a host's secrets; without them it starts, and fails by itself."""
        try:
            found = self._secrets(names)
        except OSError as error:
            self.secrets_told(str(error))
            return {}
        self.secrets_told("")
        return found

    def _answer(self, peer: str, event_id: str, seq: int) -> None:
        def answer(durable: bool) -> None:
            if durable:
                self._links.send(peer, m.EventDurable(event_id))
            else:
                # It still waits for the disk, and its source for our word.
                self._awaited[peer, event_id] = None
                if len(self._awaited) > _MAX_AWAITED:
                    # Its source offers it again; the oldest goes first.
                    del self._awaited[next(iter(self._awaited))]

        self._hub.when_durable(seq, answer)
