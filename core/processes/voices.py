"""Who may say what: each kind of peer has its own messages, and no others.

A driver that runs wild can therefore not act as a person, answer for a channel or
measure for the geometry worker, whatever it sends (design §5 Security).
"""

from core.link import messages as m

_COMMON = (m.Hello, m.Alive, m.Counted)
_HOST = (
    *(m.Readings, m.Declare, m.Withdraw, m.DeviceEvent, m.Result, m.LinkState),
    m.Diagnosis,
)

#: By the part of a peer's name before its colon.
MAY: dict[str, frozenset[type]] = {
    "host": frozenset((*_COMMON, *_HOST)),
    "gateway": frozenset((*_COMMON, m.ActRequest, m.Diagnose)),
    "cli": frozenset((*_COMMON, m.ActRequest, m.Diagnose)),
    "notifier": frozenset((*_COMMON, m.NoticeResult)),
    "archive": frozenset(_COMMON),
    "uplink": frozenset(_COMMON),
    "discovery": frozenset(_COMMON),
    "geometry": frozenset((*_COMMON, m.Checked)),
}


def may(peer: str, kind: type) -> bool:
    """Say whether a peer has any business to send such a message."""
    return kind in MAY.get(peer.partition(":")[0], ())
