"""All sightings of the moment, bounded, and the findings that they make."""

from collections.abc import Callable

import msgspec

from core.clock import NS, Clock
from core.link.findings import MAX_FINDINGS, Finding
from integrations.runtime.discovery.sighting import Sighting, finding, unify

#: Sightings kept of one kind: a flood of one listener costs no other its own.
MAX_OF_KIND = 250
#: What a list may be, encoded: it goes in one frame with some to spare.
MAX_BYTES = 900_000
_MS = 1_000_000


class Board:
    """Keep what is seen until it goes, and say what of it is to be proposed.

    ``changed`` is called whenever the list may be another one; ``covered`` says
    whether the site has a device already, ``ignored`` whether nobody wants to
    see it. Policy: of a kind that is full the one heard of longest ago is shed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, Sighting] = {}
        self._heard_ns: dict[str, int] = {}
        self._ends_ns: dict[str, int] = {}
        self._since_ms: dict[str, int] = {}
        self.changed: Callable[[], None] = lambda: None
        self.covered: Callable[[Finding], bool] = lambda _: False
        self.ignored: Callable[[Finding], bool] = lambda _: False
        self.shed = 0

    def __len__(self) -> int:
        return len(self._seen)

    def seen(self, sighting: Sighting, ttl_s: float = 0.0) -> None:
        """Take a sighting; after ``ttl_s`` without another it goes (0: never)."""
        source, now = sighting.source, self._clock.mono_ns()
        if not sighting.matches:
            self.gone(source)
            return
        known = self._seen.get(source)
        if known is None:
            self._make_room(sighting.kind)
            self._since_ms[source] = self._clock.wall_ns() // _MS
        self._heard_ns[source] = now
        self._ends_ns[source] = now + int(ttl_s * NS) if ttl_s else 0
        if known != sighting:
            self._seen[source] = sighting
            self.changed()

    def gone(self, source: str) -> None:
        """Hear that a thing said goodbye; unknown ones are fine."""
        if self._seen.pop(source, None) is not None:
            for table in (self._heard_ns, self._ends_ns, self._since_ms):
                table.pop(source, None)
            self.changed()

    def forget(self, prefix: str) -> None:
        """Drop every sighting whose source begins so."""
        for source in [s for s in self._seen if s.startswith(prefix)]:
            self.gone(source)

    def sources(self, kind: str) -> set[str]:
        """Return the sources of a kind's sightings."""
        return {s.source for s in self._seen.values() if s.kind == kind}

    def expire(self) -> None:
        """Drop what has not been heard of in its time; call each second or so."""
        now = self._clock.mono_ns()
        for source in [s for s, end in self._ends_ns.items() if end and end < now]:
            self.gone(source)

    def findings(self) -> list[Finding]:
        """Return what is proposed: one of each device, ignored ones at the end."""
        found = []
        for group in unify(self._seen.values()):
            since = min(self._since_ms[s.source] for s in group)
            made = finding(group, since)
            if not self.covered(made):
                found.append(made)
        wanted = [f for f in found if not self.ignored(f)]
        ignored = [_ignored(f) for f in found if self.ignored(f)]
        listed = sorted(wanted, key=_order) + sorted(ignored, key=_order)
        return _fitting(listed[:MAX_FINDINGS])

    def _make_room(self, kind: str) -> None:
        same = [s.source for s in self._seen.values() if s.kind == kind]
        if len(same) >= MAX_OF_KIND:
            self.gone(min(same, key=lambda s: (self._heard_ns[s], s)))
            self.shed += 1


def _fitting(listed: list[Finding]) -> list[Finding]:
    """Return as many as go into one frame."""
    size = 0
    for at, each in enumerate(listed):
        size += len(msgspec.msgpack.encode(each))
        if size > MAX_BYTES:
            return listed[:at]
    return listed


def _order(found: Finding) -> tuple[int, str]:
    return (-found.seen_ms, found.key)


def _ignored(found: Finding) -> Finding:
    return msgspec.structs.replace(found, ignored=True)
