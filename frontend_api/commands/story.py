"""Read a data folder's journal into sentences, with or without a running hub."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from core import config
from core.clock import RealClock
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Envelope
from core.journal.reader import Event as Stored
from core.journal.reader import events as stored_events
from core.journal.segment import RealDisk
from core.people.vault import Vault
from core.processes.events import ConfigArmed
from frontend_api.nameless import nameless
from frontend_api.paper.history import Papers
from frontend_api.replica import Kept, Replica

#: Events between two updates of the progress line.
_STEP = 20_000


class Story:
    """Fold the journal from its beginning and hand out events with their state."""

    def __init__(self, data: Path) -> None:
        folder = data / "journal"
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder}: no journal here; --data names the hub's data folder"
            )
        self._bundles = data / "bundles"
        self._vault = Vault(data)
        self._disk = RealDisk(folder)
        self.replica = Replica(RealClock())
        self.papers = Papers()
        self.head = bytes(32)
        """Chain of the journal behind the last event told."""

    def tell(self) -> Iterator[Kept]:
        """Yield every event in order; names are known as they were at that moment."""
        for number, stored in enumerate(stored_events(self._disk)):
            if number and number % _STEP == 0 and sys.stderr.isatty():
                sys.stderr.write(f"\r{number:,} events read")
            if not isinstance(stored, Stored):
                sys.stderr.write(f"not readable here: {stored}\n")
                continue
            self.head = stored.mark.chain
            envelope = envelopes.decode(stored.payload)
            body = fold.replay(self.replica.state, envelope)
            if isinstance(body, ConfigArmed):
                self._arm(body.hash)
            self.papers.take(body, envelope)
            kept = Kept(body, envelope)
            self.replica.events.append(kept)
            yield kept

    def _arm(self, digest: str) -> None:
        try:
            data = (self._bundles / f"{digest}.bundle").read_bytes()
            bundle = config.load(data)
            erased = [p.id for p in bundle.people if self._vault.erased(p.id)]
            # Also in what was told before: an erased name is in no export.
            self.replica.bundle = nameless(bundle, erased)
        except (OSError, ValueError) as gone:
            sys.stderr.write(f"names are missing: bundle {digest[:12]}: {gone}\n")


def stamp(envelope: Envelope) -> str:
    """Return the wall time of an event; a ~ marks a clock that was not trusted."""
    ns = envelope.act_ns or envelope.wall_ns
    moment = datetime.fromtimestamp(ns / 1e9, UTC)
    text = moment.strftime("%Y-%m-%d %H:%M:%S") + f".{moment.microsecond // 1000:03d}Z"
    return text if envelope.sync else f"~{text}"
