"""How a site tells its people: shifts, groups, quiet hours, the modem. Addresses
are secrets and never stand here."""

import msgspec

from core.names import Names

#: From and to in minutes of the site's day; one that ends before it begins is a night.
Span = tuple[int, int]
DAY_MIN = 1440
#: What a channel says when its person answered there: the notifier heard it.
REPLY = "reply"
#: Code, and what a recipient begins with: the notice of an accident to an authority.
REGULATOR = "regulator"
#: Folder of the hub's data in which the gateway keeps those notices by their hash.
REPORTS = "reports"


def within(minute: int, span: Span) -> bool:
    """Say whether a minute of the day lies in a span; its end does not."""
    begin, end = span
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Say who works when: ``span`` of the days that it begins on."""

    id: str
    names: Names
    span: Span
    people: tuple[str, ...]
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    """ISO weekdays, Monday is 1."""
    first: str = ""
    """ISO day on which a rota begins; '': every week is alike."""
    cycle: int = 1
    """Days after which the rota begins again."""
    on: tuple[int, ...] = (0,)
    """Days of the cycle that are worked; the first is 0."""


class NoticeChannel(msgspec.Struct, frozen=True, kw_only=True):
    """Describe a group that many read: one message there tells all of them."""

    id: str
    names: Names
    rate: int = 0
    """Messages in ``per_s``; 0: what is known of its service."""
    per_s: float = 60.0


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Name an authority that a person may send the notice of an accident to."""

    id: str
    names: Names
    channels: tuple[str, ...]
    """Ids of ``channels``: each has an address of its own among the secrets."""


class Modem(msgspec.Struct, frozen=True, kw_only=True):
    """Name the serial port of the modem that sends SMS."""

    port: str
    baud: int = 115_200


class NoticePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what the notifier goes by."""

    link: str = ""
    """Address at which phones reach the hub's page; '': letters carry no link."""
    quiet: tuple[Span, ...] = ()
    """Quiet hours of those who have set none."""
    may_wait: tuple[str, ...] = ()
    """Codes, or beginnings of codes up to a dot, that wait for quiet hours' end."""
    channels: tuple[NoticeChannel, ...] = ()
    modem: Modem | None = None
    regulators: tuple[Recipient, ...] = ()
    """Who may get the notice of an accident; empty: a person sends it elsewhere."""
    report_within_s: float = 3600.0
    """Time that the law gives for it, from the plan's start (China: one hour)."""
