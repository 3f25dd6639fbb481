"""What people decided about findings, and the scans that they asked for."""

from core.journal.events import Event, event


@event("discovery.ignored")
class FindingIgnored(Event, frozen=True, kw_only=True):
    """A finding is not proposed any more, by whichever of its keys it comes."""

    key: str
    keys: tuple[str, ...] = ()
    name: str = ""


@event("discovery.unignored")
class FindingRecalled(Event, frozen=True, kw_only=True):
    """A finding may be proposed again."""

    key: str


@event("discovery.scan_asked")
class ScanAsked(Event, frozen=True, kw_only=True):
    """A person let the hub look for devices; discovery carries it out at once."""

    scan_id: str
    kind: str
    target: str
    port: int = 0
    units: tuple[int, int] | None = None
    bauds: tuple[int, ...] = ()
    parities: tuple[str, ...] = ()


@event("discovery.scan_stopped")
class ScanStopped(Event, frozen=True, kw_only=True):
    """A person ended a scan."""

    scan_id: str
