"""The discovery process: a replica of the core that listens, and tells the gateway."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from core import config
from core.api.documents import read
from core.api.errors import ConfigError
from core.api.manifest import Manifest, parse
from core.api.packages import Package, packages
from core.clock import RealClock
from core.config import Code
from core.journal import envelope as envelopes
from core.link import messages as m
from core.link.findings import Findings, ScanState
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceReplaced
from core.registry.proposals_events import (
    FindingIgnored,
    FindingRecalled,
    ScanAsked,
    ScanStopped,
)
from integrations.runtime.discovery import reach
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.known import Known
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.mdns import MdnsListener
from integrations.runtime.discovery.neighbours import NeighbourListener
from integrations.runtime.discovery.plugged import SerialListener
from integrations.runtime.discovery.radio import NotHere, RadioListener
from integrations.runtime.discovery.scans import Scans
from integrations.runtime.discovery.site import SitePart, load
from integrations.runtime.discovery.ssdp import SsdpListener
from integrations.runtime.discovery.topics import (
    OwnBroker,
    TopicListener,
    own_broker,
)
from integrations.runtime.discovery.wsd import WsdListener

#: News are gathered so long; what has ended is looked for so often.
SOON_S, LOOK_S = 0.1, 1.0
#: A listener that cannot is tried again after growing pauses.
AGAIN_S = (5.0, 300.0)
#: How often the machine's own networks are compared with those listened to.
NETWORKS_S = 10.0
#: A scan is told at most so often.
SCAN_S = 0.25


class Listener(Protocol):
    """What hears of devices until it is cancelled."""

    name: str

    async def run(self) -> None:
        """Serve; OSError where it cannot, NotHere where it never will."""


Make = Callable[[Signs, Board], Listener]
LISTENERS: Mapping[str, Make] = {
    "mdns": MdnsListener,
    "wsd": WsdListener,
    "ssdp": SsdpListener,
    "usb": SerialListener,
    "ble": RadioListener,
    "dhcp": NeighbourListener,
}
#: What changes which devices the site has, or nobody wants to see.
_CHANGES = (
    *(DeviceEnrolled, DeviceReplaced, DeviceRemoved),
    *(FindingIgnored, FindingRecalled),
)
#: These must begin anew when the machine gets or loses a network.
_ON_NETWORKS = ("mdns", "wsd", "ssdp")


def manifests(bundle: config.Bundle, data: Path | None = None) -> dict[str, Package]:
    """Return the integrations at hand: the hub's, and the site's own.

    Those lie in the data folder, or where a bundle in force says. Raises ConfigError.
    """
    try:
        found = packages(data)
    except ConfigError as error:
        # A bad package of the site hides none of the hub's own.
        sys.stderr.write(f"discovery: {error}\n")
        found = packages()
    for each in bundle.integrations:
        if each.code is not None and each.integration not in found:
            found[each.integration] = _foreign(each.code)
    return found


def _foreign(code: Code) -> Package:
    folder = Path(code.folder)
    file = folder / "manifest.yaml"
    manifest: Manifest = parse(read(file).data, str(file))
    return Package(manifest, code.module, folder, ours=False)


class Discovery:
    """Own the listeners, the board and the scans; tell the gateway what is found.

    ``data``: the hub's data folder, for its own broker's password; None: no broker is
    heard. Its time is the networks' own, whatever the speed of the site's clock.
    """

    def __init__(
        self, listeners: Mapping[str, Make] = LISTENERS, data: Path | None = None
    ) -> None:
        self._make, self._data = dict(listeners), data
        if data is not None:
            self._make["mqtt"] = self._topics
        self.site, self.bundle = SitePart(), config.EMPTY
        self.board, self.known = Board(RealClock()), Known()
        self.board.covered, self.board.ignored = self.known.covered, self.known.ignored
        self._news, self._ready = asyncio.Event(), asyncio.Event()
        self.board.changed = self._news.set
        self.scans = Scans(self.board, self.known, self._scan_told)
        self.signs = Signs(())
        self.status: dict[str, str] = {}
        self._told: Findings | None = None
        self._site_due = False
        self._scan_due: ScanState | None = None
        self._changed = {name: asyncio.Event() for name in self._make}
        self._broker: OwnBroker | None = None
        self._group: asyncio.TaskGroup
        self.send: Callable[[m.Message], None] = lambda _: None
        """To the gateway."""

    # --- what core tells ----------------------------------------------------------

    def receive(self, message: m.Message) -> None:
        """Take one message of the core."""
        match message:
            case m.Snapshot():
                self.site = load(message.state)
                self._arm(message.bundle)
            case m.Events():
                for data in message.envelopes:
                    self._event(envelopes.decode(data))
            case m.Armed():
                self._arm(message.bundle)

    def _arm(self, data: bytes) -> None:
        self.bundle = config.load(data)
        try:
            found = manifests(self.bundle, self._data)
        except (ConfigError, OSError) as error:
            # One bad manifest of the site's: what was known goes on being found.
            sys.stderr.write(f"discovery: {error}\n")
        else:
            self._know(found)
        self._look_for_broker()
        self._ready.set()
        self._site_changed()

    def _know(self, found: Mapping[str, Package]) -> None:
        same = {k: p.manifest.discovery for k, p in found.items()} == {
            k: p.manifest.discovery for k, p in self.scans.packages.items()
        }
        self.scans.packages = found
        with contextlib.suppress(ConfigError, ImportError):
            name, module = self.scans.scanner()
            self.known.covers[name] = module.covers
        if not same:
            self.signs = self.scans.signs = Signs(p.manifest for p in found.values())
            for changed in self._changed.values():
                changed.set()

    def _look_for_broker(self) -> None:
        """Find the hub's own broker, which another configuration may have."""
        if self._data is None:
            return
        with contextlib.suppress(OSError):  # the store says so itself
            now = own_broker(self.bundle, self._data)
            if now != self._broker:
                self._broker = now
                self._changed["mqtt"].set()

    def _topics(self, signs: Signs, board: Board) -> Listener:
        return TopicListener(signs, board, self._broker)

    def _event(self, envelope: envelopes.Envelope) -> None:
        body = self.site.take(envelope)
        # Only what is asked now: a scan of before a restart is over.
        if isinstance(body, ScanAsked):
            self._know_site()
            self.scans.start(body, self._group)
        elif isinstance(body, ScanStopped):
            self.scans.stop(body.scan_id)
        if isinstance(body, _CHANGES):
            self._site_changed()

    def _site_changed(self) -> None:
        self._site_due = True
        self._news.set()

    def _know_site(self) -> None:
        """Take the site as it is now, once for however many changes of it."""
        if self._site_due:
            self._site_due = False
            self.known.take(self.site.registry, self.bundle)

    # --- what the gateway is told -------------------------------------------------

    def connected(self) -> None:
        """Tell a gateway that has just come everything."""
        self._told = None
        self._news.set()
        if self.scans.state is not None:
            self.send(self.scans.state)

    def _scan_told(self, state: ScanState) -> None:
        if state.state != "running":
            self.send(state)  # an end is told at once
            self._scan_due = None
        elif self._scan_due is None:
            self._scan_due = state
            loop = asyncio.get_running_loop()
            loop.call_later(SCAN_S, self._scan_send)
        else:
            self._scan_due = state

    def _scan_send(self) -> None:
        due, self._scan_due = self._scan_due, None
        if due is not None:
            self.send(due)

    async def _publish(self) -> None:
        loop, took_s = asyncio.get_running_loop(), 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            self.board.expire()
            if not self._news.is_set():
                continue
            # A flood of news may not keep a core busy: a fifth of it at most.
            await asyncio.sleep(max(SOON_S, 4 * took_s))
            self._news.clear()
            began = loop.time()
            self._know_site()
            now = Findings(self.board.findings(), self.board.shed, dict(self.status))
            if now != self._told:
                self._told = now
                self.send(now)
            took_s = loop.time() - began

    # --- listeners ----------------------------------------------------------------

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until ``stopping``."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            work = group.create_task(self._work())
            await stopping.wait()
            work.cancel()
            self.scans.end()

    async def _work(self) -> None:
        await self._ready.wait()
        async with asyncio.TaskGroup() as own:
            own.create_task(self._publish())
            own.create_task(self._networks())
            for name in self._make:
                own.create_task(self._keep(name, own))

    async def _networks(self) -> None:
        """Let the listeners begin anew when the machine gets or loses a network."""
        known = reach.networks()
        while True:
            await asyncio.sleep(NETWORKS_S)
            now = reach.networks()
            if now != known:
                known = now
                for name in _ON_NETWORKS:
                    self._changed[name].set()

    def _say(self, name: str, status: str) -> None:
        if self.status.get(name) != status:
            self.status[name] = status
            self._news.set()

    async def _keep(self, name: str, group: asyncio.TaskGroup) -> None:
        """Run a listener; begin it anew with each change of signs or networks."""
        pause, changed = AGAIN_S[0], self._changed[name]
        while True:
            changed.clear()
            if not self.signs.asks(name):
                self._say(name, "off")
                await changed.wait()
                continue
            listening = group.create_task(self._listen(name))
            waiting = group.create_task(changed.wait())
            await asyncio.wait(
                {listening, waiting}, return_when=asyncio.FIRST_COMPLETED
            )
            listening.cancel()
            await asyncio.wait({listening})
            if changed.is_set():
                pause = AGAIN_S[0]
            else:
                await asyncio.wait({waiting}, timeout=pause)
                pause = min(2 * pause, AGAIN_S[1])
            waiting.cancel()

    async def _listen(self, name: str) -> None:
        self._say(name, "on")
        try:
            await self._make[name](self.signs, self.board).run()
        except NotHere as error:
            self._say(name, f"absent: {error}"[:160])
        except Exception as error:  # noqa: BLE001 - the border to a listener and its
            # library: the others go on, and the page says what is wrong.
            self._say(name, f"failed: {type(error).__name__}: {error}"[:160])
