"""The desk of the safety process with its rooms, over in-process links."""

from collections.abc import Callable

import msgspec

from core import config
from core.api.model import Device, Entity, EntityKind
from core.clock import SimClock
from core.kernel import Kernel
from core.link import messages as m
from core.link import pair
from core.link.pair import PairLane
from core.link.server import Server
from core.processes.arming import Arming
from core.processes.desk import Desk
from core.processes.health import Health
from core.processes.pulse import Pulse
from core.registry.ids import Ids
from tests.support.kernel import MemoryJournal
from tests.support.site import small_site

DEVICE = Device(
    uid="d",
    name="D",
    entities=(
        Entity(uid="h2s", name="H2S", kind=EntityKind.GAS, quantity="h2s", unit="ppm"),
    ),
)
LOOP = config.IntegrationConfig(id="loop", integration="x", options={"a": 1})
LOOP = msgspec.structs.replace(LOOP, secrets=("pass",))


class Bundles(dict[str, bytes]):
    """Bundles by hash."""

    def read(self, digest: str) -> bytes:
        if digest not in self:
            raise FileNotFoundError(digest)
        return self[digest]


class Office:
    """A kernel behind a desk, with in-process lanes."""

    def __init__(self) -> None:
        self.clock, self.journal = SimClock(), MemoryJournal()
        self.calls: list[Callable[[], object]] = []
        self.server = Server(self._message, self._lost)
        kernel = Kernel(
            self.clock, Ids.seeded(self.clock, 1), self.journal, self.server
        )
        self.kernel, self.hub = kernel, kernel.hub
        self.bundles, self.armed = Bundles(), list[str]()
        self.desk = Desk(kernel, self.server, lambda names: dict.fromkeys(names, "s"))
        self.desk.arming = Arming(kernel, self.bundles, self._armed)
        self.health = Health(kernel, self.desk)
        self.restarted: list[str] = []
        self.pulse = Pulse(kernel, self.server, self.restarted.append)
        self.desk.hosts.alive = self.pulse.alive
        self.hub.load(small_site(LOOP))
        self.hub.recover(clean=True)
        self.health.start()
        self.seen: dict[str, list[m.Message]] = {}

    def join(self, name: str, role: str) -> PairLane:
        seen = self.seen[name] = []
        ends: list[PairLane] = []

        def make(receive: object, ended: object) -> PairLane:
            ours, theirs = pair.connect(self.calls.append)
            ours.bind(receive, ended)  # type: ignore[arg-type]
            theirs.bind(seen.append, lambda _reason: None)
            ends.append(theirs)
            return ours

        self.server.adopt(name, make, both=name.startswith("host"))
        ends[0].send(m.Hello(name, role, "1"))
        self.turn()
        return ends[0]

    def turn(self) -> None:
        self.desk.flush()
        while self.calls:
            self.calls.pop(0)()
            self.desk.flush()

    def of(self, name: str, kind: type) -> list[m.Message]:
        return [message for message in self.seen[name] if type(message) is kind]

    def _message(self, peer: str, message: m.Message) -> None:
        self.desk.receive(peer, message)

    def _lost(self, peer: str, reason: str) -> None:
        self.desk.lost(peer)
        if peer.startswith("host:"):
            self.pulse.lost(peer, reason)

    def _armed(self, digest: str, data: bytes) -> None:
        self.armed.append(digest)
        self.desk.armed(digest, data)


def raised(office: Office, kind: str) -> list[str]:
    return [a.source for a in office.kernel.alarms.active(kind_prefix=kind) if a.active]
