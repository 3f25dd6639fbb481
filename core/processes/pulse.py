"""Does each host's loop turn? Asked every 2 s; a silent one is a fault alarm."""

from collections.abc import Callable

from core.kernel import Kernel
from core.link.messages import Ping
from core.link.server import Server

BEAT_S = 2.0
#: Unanswered pings that make a host silent, and its zones unmonitored.
SILENT = 3
#: Unanswered pings after which the keeper starts it afresh.
HOPELESS = 6


class Pulse:
    """Count what hosts leave unanswered; call `beat` every 2 s of real time."""

    def __init__(
        self, kernel: Kernel, links: Server, restart: Callable[[str], None]
    ) -> None:
        self._kernel, self._links, self._restart = kernel, links, restart
        self._number = 0
        self._missed: dict[str, int] = {}
        self._down: set[str] = set()

    def expected(self) -> list[str]:
        """Return the hosts that the armed bundle wants."""
        return [f"host:{each.id}" for each in self._kernel.hub.bundle.integrations]

    def beat(self) -> None:
        """Ask every host once more; judge who has not answered."""
        self._number += 1
        hosts = self.expected()
        for gone in [h for h in self._missed if h not in hosts]:
            self._forget(gone)
        for host in hosts:
            missed = self._missed[host] = self._missed.get(host, 0) + 1
            if missed > SILENT:
                self.down(host, "silent")
            if missed > HOPELESS and self._links.get(host) is not None:
                self._missed[host] = 0
                self._restart(host)
            self._links.send(host, Ping(self._number))

    def alive(self, host: str, number: int) -> None:
        """Hear an answer; number -1 is a new session."""
        self._missed[host] = 0
        if host in self._down:
            self._down.discard(host)
        elif number != -1:
            return
        self._kernel.alarms.clear(host, "down")
        self._kernel.readings.host_back(host)
        self._kernel.commands.host_back(host)

    def lost(self, host: str, reason: str) -> None:
        """Hear that a host's link ended: what it said is worth nothing now."""
        if host in self._down:
            # It was silent, and may have spoken once more before it ended.
            self._kernel.readings.host_lost(host)
        self.down(host, reason)
        self._kernel.registry.lost(host)

    def down(self, host: str, why: str) -> None:
        """Raise the fault; the host's zones are unmonitored."""
        if host in self._down or host not in self.expected():
            return
        self._down.add(host)
        self._kernel.alarms.raise_(
            host,
            "down",
            kind="fault.host",
            priority=2,
            params={"host": host.partition(":")[2], "why": why},
        )
        self._kernel.readings.host_lost(host)

    def _forget(self, host: str) -> None:
        """Let go of a host that the configuration no longer has."""
        del self._missed[host]
        self._down.discard(host)
        for condition in ("down", "crashing"):
            self._kernel.alarms.clear(host, condition)
