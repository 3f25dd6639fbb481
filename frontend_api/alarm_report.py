"""The alarm system's report: the figures of domain.md §2.3 over the alarms' book.

Rates are of what called an operator: tests, drills and what was suppressed by
design count nowhere. Each figure has its target; nobody has to know it by heart.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

import msgspec

from frontend_api.alarm_book import AlarmRow, Book
from frontend_api.alarm_rates import (
    DAY,
    FLOOD_START,
    WINDOW,
    chattering,
    middle,
    most_stale,
    rates,
    wilson,
)

#: A report over fewer days says so (domain.md §2.3, data window).
WINDOW_DAYS = 30
#: Fewer verdicts than this are shown with their band and ranked nowhere (§6).
FEW = 10
#: A high alarm should be acknowledged within this (§6 C4).
ANSWER_S = 60.0
_RANKED = 10


class AlarmFigure(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one figure with its target; ``ok`` is None where nothing can be said."""

    id: str
    value: float | None
    unit: str = ""
    target: str = ""
    ok: bool | None = None


class AlarmSource(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what one source, rule or device contributed."""

    id: str
    calls: int
    share: float
    judged: int = 0
    nuisance: int = 0
    nuisance_rate: float | None = None
    band: tuple[float, float] = (0.0, 1.0)
    """95 % band of the nuisance rate."""


class AlarmReport(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the figures of a span."""

    from_ms: int
    to_ms: int
    days: float
    operators: int
    complete: bool
    """True: the span holds at least thirty days of the journal."""
    unsynced: int
    """Alarms raised while the wall clock was not trusted: their times may be off."""
    alarms: int
    calls: int
    figures: list[AlarmFigure]
    priorities: dict[str, float]
    verdicts: dict[str, int]
    outcomes: dict[str, int]
    sources: list[AlarmSource]
    rules: list[AlarmSource]
    devices: list[AlarmSource]
    chattering: list[str]
    stale: list[str]


def report(book: Book, from_ms: int, to_ms: int, operators: int = 1) -> AlarmReport:
    """Return the report of a span in wall ms; the book must be caught up."""
    first, _ = book.span()
    start = max(from_ms, first)
    rows = [row for row in book.alarms(start, to_ms) if not row.mark and not row.quiet]
    by_id = {row.id: row for row in rows}
    calls = [(ms, alarm) for ms, alarm in book.activations(start, to_ms)]
    keys = [(ms, _key(by_id[alarm])) for ms, alarm in calls if alarm in by_id]
    raised = [row for row in rows if row.raised_ms >= start]
    noisy = chattering(keys)
    stale = [row for row in rows if (row.returned_ms or to_ms) - row.raised_ms > DAY]
    stood = [(row.raised_ms, row.returned_ms) for row in rows]
    days = max(to_ms - start, 0) / DAY
    return AlarmReport(
        from_ms=start,
        to_ms=to_ms,
        days=round(days, 2),
        operators=max(operators, 1),
        complete=days >= WINDOW_DAYS - 0.01,
        unsynced=sum(not row.synced for row in raised),
        alarms=len(raised),
        calls=len(calls),
        figures=[
            *_rate_figures([ms for ms, _ in calls], start, to_ms, operators),
            *_quality(keys, noisy, most_stale(stood, start, to_ms), raised),
            *_answers(book, raised, start, to_ms),
            *_put_by(book, start, to_ms),
        ],
        priorities=_priorities(raised),
        verdicts=dict(Counter(row.verdict or "none" for row in raised)),
        outcomes=dict(Counter(row.outcome for row in raised if row.outcome)),
        sources=_ranked((row.source, row) for row in raised),
        rules=_ranked(_by_rule(book, raised)),
        devices=_ranked((row.device, row) for row in raised if row.device),
        chattering=sorted(noisy),
        stale=[row.id for row in stale if not row.returned_ms],
    )


def _by_rule(book: Book, raised: list[AlarmRow]) -> Iterable[tuple[str, AlarmRow]]:
    """Pair each alarm with the rules that raised it or ran because of it."""
    ran: dict[str, set[str]] = {}
    for alarm, rule in book.runs():
        ran.setdefault(alarm, set()).add(rule)
    for row in raised:
        rules = ran.get(row.id, set())
        if row.source.startswith("rule:"):
            rules = rules | {row.source.removeprefix("rule:")}
        for rule in sorted(rules):
            yield rule, row


def _key(row: AlarmRow) -> str:
    return f"{row.source} {row.condition}"


def _rate_figures(
    moments: list[int], start: int, end: int, operators: int
) -> list[AlarmFigure]:
    found = rates(moments, start, end, operators)
    return [
        _most("per_10min", found.per_10min, 2, "≤ 1 (2)"),
        _most("per_hour", found.per_hour, 12, "≤ 6 (12)"),
        _most("per_day", found.per_day, 300, "≤ 150 (300)"),
        _most("busy_windows", found.busy_windows * 100, 1, "< 1", "%"),
        _most("peak_10min", found.peak_10min, FLOOD_START, f"≤ {FLOOD_START}"),
        _most("flood_time", found.flood_time * 100, 1, "< 1", "%"),
        AlarmFigure(id="floods", value=found.floods),
    ]


def _most(
    name: str, value: float, limit: float, target: str, unit: str = ""
) -> AlarmFigure:
    return AlarmFigure(
        id=name, value=round(value, 2), unit=unit, target=target, ok=value <= limit
    )


def _quality(
    keys: list[tuple[int, str]], noisy: set[str], stale: int, raised: list[AlarmRow]
) -> list[AlarmFigure]:
    top = sum(n for _, n in Counter(key for _, key in keys).most_common(_RANKED))
    share = 100 * top / len(keys) if keys else 0.0
    return [
        _most("top_10_share", share, 5, "1–5", "%"),
        _most("chattering", len(noisy), 0, "0"),
        _most("stale", stale, 4, "< 5"),
        *_verdicts(raised),
    ]


def _verdicts(raised: list[AlarmRow]) -> list[AlarmFigure]:
    judged = [row for row in raised if row.verdict in ("true", "nuisance")]
    true = sum(row.verdict == "true" for row in judged)
    low, _ = wilson(true, len(judged))
    said = 100 * true / len(judged) if judged else None
    enough = len(judged) >= FEW
    return [
        AlarmFigure(
            id="effective",
            value=None if said is None else round(said, 1),
            unit="%",
            target="≥ 60",
            ok=None if said is None or not enough else said >= 60,
        ),
        AlarmFigure(id="effective_low", value=round(100 * low, 1), unit="%"),
        AlarmFigure(id="judged", value=len(judged)),
        AlarmFigure(id="unjudged", value=sum(not row.verdict for row in raised)),
    ]


def _answers(
    book: Book, raised: list[AlarmRow], start: int, end: int
) -> list[AlarmFigure]:
    high = [row for row in raised if row.priority <= 2]
    waited = [
        (row.acknowledged_ms - row.raised_ms) / 1000
        for row in raised
        if row.acknowledged_ms >= row.raised_ms > 0 and row.acknowledged_ms
    ]
    quick = sum(
        0 < row.acknowledged_ms <= row.raised_ms + ANSWER_S * 1000 for row in high
    )
    share = 100 * quick / len(high) if high else None
    acted = acted_after(book, high, start, end)
    return [
        _figure("acknowledged_median", middle(waited), "s"),
        _figure("acknowledged_p90", middle(waited, 0.9), "s"),
        AlarmFigure(
            id="high_in_time",
            value=None if share is None else round(share, 1),
            unit="%",
            target="≥ 90",
            ok=None if share is None else share >= 90,
        ),
        _figure("action_median", middle(acted), "s"),
        AlarmFigure(id="high_without_action", value=len(high) - len(acted)),
    ]


def acted_after(book: Book, high: list[AlarmRow], start: int, end: int) -> list[float]:
    """Return the seconds from each high alarm to the first that was done about it."""
    deeds = book.deeds(start, end + DAY)
    moments = [deed.ms for deed in deeds]
    found: list[float] = []
    for row in high:
        for deed in deeds[bisect_left(moments, row.raised_ms) :]:
            if deed.ms > row.raised_ms + DAY:
                break
            near = deed.zone == row.zone != "" and deed.ms < row.raised_ms + WINDOW
            if deed.serves == row.id or near:
                found.append((deed.ms - row.raised_ms) / 1000)
                break
    return found


def _put_by(book: Book, start: int, end: int) -> list[AlarmFigure]:
    """Count what was put by; nobody can do it without a name and a reason."""
    shelved = book.shelved(start, end)
    nameless = sum(not person or not reason for _, person, reason, _ in shelved)
    return [
        AlarmFigure(id="shelved", value=len(shelved)),
        _most("unauthorised", nameless, 0, "0"),
    ]


def _figure(name: str, value: float | None, unit: str) -> AlarmFigure:
    return AlarmFigure(
        id=name, value=None if value is None else round(value, 1), unit=unit
    )


def _priorities(raised: list[AlarmRow]) -> dict[str, float]:
    """Return shares in percent of high (1, 2), medium (3) and low (4) alarms."""
    if not raised:
        return {}
    names = {1: "high", 2: "high", 3: "medium"}
    counted = Counter(names.get(row.priority, "low") for row in raised)
    return {name: round(100 * n / len(raised), 1) for name, n in counted.items()}


def _ranked(pairs: Iterable[tuple[str, AlarmRow]]) -> list[AlarmSource]:
    by_name: dict[str, list[AlarmRow]] = {}
    for name, row in pairs:
        by_name.setdefault(name, []).append(row)
    total = sum(row.count for rows in by_name.values() for row in rows) or 1
    made = [_source(name, rows, total) for name, rows in by_name.items()]
    return sorted(made, key=lambda one: (-one.calls, one.id))[:_RANKED]


def _source(name: str, rows: list[AlarmRow], total: int) -> AlarmSource:
    calls = sum(row.count for row in rows)
    judged = [row for row in rows if row.verdict in ("true", "nuisance")]
    nuisance = sum(row.verdict == "nuisance" for row in judged)
    return AlarmSource(
        id=name,
        calls=calls,
        share=round(100 * calls / total, 1),
        judged=len(judged),
        nuisance=nuisance,
        nuisance_rate=round(100 * nuisance / len(judged), 1) if judged else None,
        band=tuple(round(100 * x, 1) for x in wilson(nuisance, len(judged))),  # type: ignore[arg-type]
    )
