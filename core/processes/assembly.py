"""The safety process put together, without a loop, a socket or a thread.

The shell (`safety`) drives it with real ones; the simulation drives the same
code on virtual time, on a disk that fails, over in-process lanes (design §5).
"""

from collections.abc import Callable

from core.clock import Clock
from core.hub import Room
from core.journal.writer import Notice
from core.kernel import Kernel
from core.link.server import Server
from core.processes.arming import Arming, Bundles
from core.processes.damage import tell_damage
from core.processes.desk import Desk
from core.processes.events import HubStarted, HubStopped
from core.processes.health import Health
from core.processes.hosts import Secrets
from core.processes.ledger import Ledger
from core.processes.pulse import Pulse
from core.registry.ids import Ids

VERSION = "0.1.0"


def _one(secrets: Secrets) -> Callable[[str], str]:
    """Return what finds one secret; without it a zone's code counts nowhere."""

    def find(name: str) -> str:
        try:
            return secrets((name,)).get(name, "")
        except OSError:
            return ""

    return find


class Assembly:
    """Hold kernel, journal, desk, arming, health and pulse; start and end them."""

    def __init__(
        self,
        ledger: Ledger,
        server: Server,
        ids: Ids,
        clock: Clock,
        *,
        engine: Callable[[Kernel], Room],
        bundles: Bundles,
        secrets: Secrets,
    ) -> None:
        self.ledger, self.server = ledger, server
        self.kernel = Kernel(clock, ids, ledger, server, engine)
        self.hub = self.kernel.hub
        self.kernel.places.secret = _one(secrets)
        self.armed: Callable[[], None] = lambda: None
        """Who hears that another bundle was armed."""
        self.restart: Callable[[str], None] = lambda _name: None
        """Who starts a hanging host afresh."""
        self.desk = Desk(self.kernel, server, secrets)
        self.arming = self.desk.arming = Arming(self.kernel, bundles, self._armed)
        self.health = Health(self.kernel, self.desk)
        self.desk.history_damaged = self.health.history_damaged
        self.desk.hosts.secrets_told = self.health.secrets
        self.desk.exchange = self.health.exchange
        self.kernel.conflicts.restart = lambda: self._restart("geometry")
        self.pulse = Pulse(self.kernel, server, self._restart)
        self.desk.hosts.alive = self.pulse.alive
        self._snapshot: tuple[int, bytes] | None = None

    def start(self, hear: Callable[[Notice], None]) -> None:
        """Replay, begin an epoch, arm, recover; ``hear`` hands notices to `told`."""
        hub, ledger = self.hub, self.ledger
        hub.state = ledger.replay()
        clean = ledger.clean and not hub.state.hub.running
        hub.state.epoch += 1
        ledger.start(hear)
        hub.emit(
            HubStarted(
                version=VERSION,
                clean=clean,
                boot_id=hub.clock.boot_id,
                cut_bytes=ledger.cut_bytes,
            )
        )
        self.arming.load()
        self.arming.report()
        hub.recover(clean)
        self.health.start()
        tell_damage(self.kernel, ledger.damages)

    def told(self, notice: Notice) -> None:
        """Take what the journal's writer tells, in order."""
        self.health.notice(notice)
        self._save_snapshot()

    def turn(self) -> int | None:
        """Run due timers and send what they made; returns the next one's boot ns."""
        due = self.hub.advance()
        self.desk.flush()
        return due

    def states(self) -> None:
        """Look at the disk's pace and send states; once a second."""
        self.health.disk_pace(self.ledger.slow())
        self.desk.host_states()

    def end(self) -> bool:
        """Stop in order; False when the disk did not take all of it."""
        ending = self.hub.state.hub.power_end is not None
        self.hub.emit(HubStopped(reason="power_end" if ending else "stopped"))
        self.kernel.lamps.dark()
        self.desk.flush()
        return self.ledger.stop(self.hub.state.seq, self.hub.snapshot())

    def _armed(self, digest: str, data: bytes) -> None:
        self.desk.armed(digest, data)
        self.armed()

    def _restart(self, name: str) -> None:
        self.restart(name)

    def _save_snapshot(self) -> None:
        """Keep a state until its seq is durable, then store it."""
        seq = self.hub.state.seq
        if self._snapshot is None and self.ledger.snapshot_due(seq):
            self._snapshot = seq, self.hub.snapshot()
        if self._snapshot and self._snapshot[0] <= self.ledger.durable_seq:
            self.ledger.take_snapshot(*self._snapshot)
            self._snapshot = None
