"""How well each channel reaches people: counted from what the journal tells."""

import statistics
from collections import Counter
from collections.abc import Iterable

import msgspec

from core.response.events import NoticeMoved, NoticeQueued
from frontend_api.replica import Kept

NS = 1_000_000_000


class ChannelStats(msgspec.Struct, kw_only=True):
    """Count what became of one channel's notices; times are medians in seconds."""

    channel: str
    queued: int = 0
    sent: int = 0
    delivered: int = 0
    seen: int = 0
    acknowledged: int = 0
    failed: int = 0
    why: dict[str, int] = {}
    """Code of a failure → how often."""
    sent_s: float | None = None
    answered_s: float | None = None


class _Tally:
    """Collect one channel's moves."""

    def __init__(self) -> None:
        self.reached: dict[str, set[str]] = {}
        self.why: Counter[str] = Counter()
        self.spans: dict[str, list[float]] = {"sent": [], "acknowledged": []}


def tally(events: Iterable[Kept]) -> list[ChannelStats]:
    """Return statistics by channel of events, oldest first."""
    queued: dict[str, int] = {}
    found: dict[str, _Tally] = {}
    for kept in events:
        body, at = kept.body, kept.envelope.wall_ns
        if isinstance(body, NoticeQueued):
            queued[body.notice_id] = at
            for channel in body.channels:
                _reach(found, channel, "queued", body.notice_id)
        elif isinstance(body, NoticeMoved) and body.notice_id in queued:
            one = _reach(found, body.channel, body.state, body.notice_id)
            if body.state == "failed":
                one.why[body.detail or "unknown"] += 1
            if body.state in one.spans:
                one.spans[body.state].append((at - queued[body.notice_id]) / NS)
    return [_stats(channel, one) for channel, one in sorted(found.items())]


def _reach(found: dict[str, _Tally], channel: str, state: str, notice: str) -> _Tally:
    # Every phone is a channel of its own: together they are Web Push.
    one = found.setdefault(channel.partition(".")[0], _Tally())
    one.reached.setdefault(state, set()).add(notice)
    return one


def _stats(channel: str, one: _Tally) -> ChannelStats:
    counts = {state: len(notices) for state, notices in one.reached.items()}
    known = {k: v for k, v in counts.items() if k in ChannelStats.__struct_fields__}
    return ChannelStats(
        channel=channel,
        why=dict(one.why),
        sent_s=_median(one.spans["sent"]),
        answered_s=_median(one.spans["acknowledged"]),
        **known,
    )


def _median(spans: list[float]) -> float | None:
    return round(statistics.median(spans), 1) if spans else None
