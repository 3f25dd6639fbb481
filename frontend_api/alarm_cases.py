"""The case library: incidents with their assets, works, weather and events.

An incident begins with a grave alarm and takes in what its zone told, faults of
devices aside, until ten quiet minutes have passed. Two are similar by what they
share, and the answer names just that. Requirement S2 2.20.
"""

from collections.abc import Iterable, Mapping

import msgspec

from frontend_api.alarm_book import AlarmRow, Book, Deed

MINUTE = 60_000
#: An incident is over when its zone was quiet for so long.
QUIET_MS = 10 * MINUTE
#: Faults within so long before an incident belong to its history.
BEFORE_MS = 30 * MINUTE
#: Incidents that a question looks back on, and how far; older ones are left out.
LOOKED_THROUGH = 2_000
KEPT_MS = 3 * 366 * 86_400_000

#: How much a shared feature of each family counts.
WEIGHTS: Mapping[str, float] = {
    "root": 3.0,
    "kind": 3.0,
    "quantity": 2.0,
    "zone": 2.0,
    "work": 2.0,
    "before": 1.5,
    "hazard": 1.0,
    "model": 1.0,
    "condition": 1.0,
    "weather": 1.0,
    "outcome": 1.0,
    "deed": 0.5,
    "hour": 0.5,
}
#: Weather quantity → (up to, word); the first that fits names it.
BANDS: Mapping[str, tuple[tuple[float, str], ...]] = {
    "wind": ((3.4, "calm"), (8.0, "breeze"), (10.8, "fresh"), (1e9, "strong")),
    "gust": ((8.0, "calm"), (17.0, "gusty"), (1e9, "squall")),
    "air_temperature": ((0.0, "frost"), (28.0, "mild"), (35.0, "warm"), (1e9, "hot")),
    "visibility": ((1000.0, "fog"), (1e9, "clear")),
    "rain": ((0.1, "dry"), (10.0, "rain"), (1e9, "heavy_rain")),
    "humidity": ((60.0, "dry_air"), (1e9, "humid")),
}

Feature = tuple[str, str]
"""Family and value: ("kind", "gas.toxic")."""


class Case(msgspec.Struct, kw_only=True):
    """Hold one incident; its id is its first alarm's."""

    id: str
    zone: str
    hazard: str
    start_ms: int
    end_ms: int
    """0: not over."""
    alarms: list[AlarmRow]
    before: list[AlarmRow]
    deeds: list[Deed]
    outcome: str
    """As a person classified it; '' while nobody has."""
    proposed: str
    """What the journal suggests: averted where work was held or cleared in time."""
    root: str
    note: str
    by: str
    weather: list[tuple[str, float, int]] = []

    @property
    def first(self) -> AlarmRow:
        """Return the alarm that it began with."""
        return self.alarms[0]


class Similar(msgspec.Struct, frozen=True, kw_only=True):
    """Say how alike another incident is, what it shares and where it differs."""

    case: Case
    score: float
    """0 … 1: weight shared of the weight of both."""
    shared: list[Feature]
    differs: list[Feature]


def cases(book: Book, hazards: Mapping[str, str], last: int = 100) -> list[Case]:
    """Return the last incidents, newest first; the book must be caught up.

    ``hazards`` maps a zone to what is dangerous there: confined, height, …
    """
    since = book.span()[1] - KEPT_MS
    rows = [row for row in book.alarms(since) if not row.mark]
    found: list[Case] = []
    running: dict[str, Case] = {}
    faults: list[AlarmRow] = []
    for row in rows:
        case = running.get(row.zone)
        if case is not None and _over(case, row.raised_ms):
            del running[row.zone]
            case = None
        fault = row.kind.startswith("fault.")
        if case is not None and not fault:
            case.alarms.append(row)
        elif case is None and _grave(row):
            case = _begin(row, hazards, faults)
            running[row.zone] = case
            found.append(case)
        if row.kind.startswith("fault."):
            faults = [
                f for f in faults[-200:] if f.raised_ms > row.raised_ms - QUIET_MS
            ]
            faults.append(row)
    kept = found[-last:]
    if kept:
        _finish(kept, book.deeds(kept[0].start_ms, 1 << 60))
        for case in kept:
            case.weather = book.weather(case.id) or []
    return kept[::-1]


def _grave(row: AlarmRow) -> bool:
    grave = row.life_safety or row.priority == 1
    return bool(grave) and not row.kind.startswith("fault.")


def _begin(row: AlarmRow, hazards: Mapping[str, str], faults: list[AlarmRow]) -> Case:
    return Case(
        id=row.id,
        zone=row.zone,
        hazard=hazards.get(row.zone, ""),
        start_ms=row.raised_ms,
        end_ms=0,
        alarms=[row],
        before=[
            fault
            for fault in faults
            if fault.zone == row.zone and fault.raised_ms >= row.raised_ms - BEFORE_MS
        ],
        deeds=[],
        outcome="",
        proposed="",
        root="",
        note="",
        by="",
    )


def _last(case: Case) -> int:
    """Return when the last of an incident's alarms returned; 0: one still stands."""
    if any(not row.returned_ms for row in case.alarms):
        return 0
    return max(row.returned_ms for row in case.alarms)


def _over(case: Case, ms: int) -> bool:
    last = _last(case)
    return bool(last) and ms > last + QUIET_MS


def _finish(found: Iterable[Case], deeds: list[Deed]) -> None:
    for case in found:
        case.end_ms = _last(case)
        until = (case.end_ms or 1 << 60) + QUIET_MS
        ids = {row.id for row in case.alarms}
        case.deeds = [
            deed
            for deed in deeds
            if case.start_ms <= deed.ms < until
            and (deed.serves in ids or deed.zone == case.zone != "")
        ]
        for row in case.alarms:
            if row.outcome:
                case.outcome, case.root = row.outcome, row.root
                case.note, case.by = row.note, row.classified_by
        case.proposed = case.outcome or _propose(case)


def _propose(case: Case) -> str:
    """Suggest a class: held or cleared is averted, a nuisance is no incident."""
    if all(row.verdict == "nuisance" for row in case.alarms):
        return "none"
    acted = any(deed.what in ("hold", "evacuation") for deed in case.deeds)
    called = any(row.kind in ("sos", "fall") for row in case.alarms)
    return "averted" if acted and not called else ""


# --- what makes two alike -------------------------------------------------------


def features(case: Case) -> set[Feature]:
    """Return what an incident is known by."""
    found: set[Feature] = {("zone", case.zone), ("hazard", case.hazard)}
    found |= {("root", case.root), ("outcome", case.outcome)}
    for row in case.alarms:
        found |= {("kind", row.kind), ("condition", row.condition)}
        found |= {("quantity", row.quantity), ("model", row.model)}
        found |= {("work", kind) for kind in row.works.split()}
    found |= {("before", fault.kind) for fault in case.before}
    found |= {("deed", deed.what) for deed in case.deeds}
    found |= {("weather", word) for word in weather_words(case.weather)}
    found.add(("hour", _hour(case.start_ms)))
    return {(family, value) for family, value in found if value}


def weather_words(rows: Iterable[tuple[str, float, int]]) -> list[str]:
    """Name the weather by its bands; a reading that was not GOOD names nothing."""
    return [
        f"{quantity}.{next(word for limit, word in BANDS[quantity] if value <= limit)}"
        for quantity, value, quality in rows
        if quantity in BANDS and quality == 0
    ]


def _hour(ms: int) -> str:
    """Return the quarter of the day in UTC: enough to tell shifts apart."""
    return f"{(ms // 3_600_000) % 24 // 6}"


def similar(case: Case, others: Iterable[Case], most: int = 5) -> list[Similar]:
    """Return the incidents most alike, best first, with what they share."""
    mine = features(case)
    found: list[Similar] = []
    for other in others:
        if other.id == case.id:
            continue
        theirs = features(other)
        shared = mine & theirs
        score = _weight(shared) / (_weight(mine | theirs) or 1.0)
        if any(family in ("kind", "root", "quantity") for family, _ in shared):
            found.append(
                Similar(
                    case=other,
                    score=round(score, 3),
                    shared=sorted(shared, key=_heaviest),
                    differs=sorted(theirs - mine, key=_heaviest),
                )
            )
    return sorted(found, key=lambda one: (-one.score, -one.case.start_ms))[:most]


def _weight(found: Iterable[Feature]) -> float:
    return sum(WEIGHTS[family] for family, _ in found)


def _heaviest(feature: Feature) -> tuple[float, str, str]:
    return -WEIGHTS[feature[0]], *feature
