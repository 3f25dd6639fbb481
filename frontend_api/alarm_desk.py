"""Routes over the alarms' book: the report, the case library, risk and groups."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web

from frontend_api import alarm_cases as library
from frontend_api.alarm_book import NAME, AlarmRow, Book
from frontend_api.alarm_report import AlarmReport, report
from frontend_api.guard import Call, Route
from frontend_api.link import Uplink
from frontend_api.names import known, text
from frontend_api.problems import Problem
from frontend_api.render import Renderer
from frontend_api.rest import number
from frontend_api.risk import Risk
from frontend_api.views import Text, View

DAY_MS = 86_400_000
#: Seconds between two looks at what changes without an event: readings, floods.
BEAT_S = 5.0
_CASES, _MOST_CASES = 50, 500
#: The first look after a long time reads the whole journal: then one asks again.
READ_S = 20.0
#: Questions that may wait for the book; one more is refused.
_WAITING = 4
#: Weather is looked for so long before an incident.
_WEATHER_MS = 15 * 60_000
_GOOD = 0
T = TypeVar("T")


class RelationView(View):
    """Show one thing that an incident is tied to, and how."""

    family: str
    """kind, quantity, zone, work, model, weather, before, deed, hazard, …"""
    value: str
    text: Text


class IncidentView(View):
    """Show one incident with its relations."""

    id: str
    title: Text
    zone_id: str
    start_ms: int
    end_ms: int
    alarms: int
    verdict: str
    outcome: str
    proposed: str
    root: str
    note: str
    by: str
    relations: list[RelationView]


class SimilarView(View):
    """Show a similar incident, and why it is similar."""

    case: IncidentView
    score: float
    shared: list[RelationView]
    differs: list[RelationView]


class IncidentList(msgspec.Struct, kw_only=True):
    """Hold incidents, newest first."""

    items: list[IncidentView]


class IncidentAnswer(msgspec.Struct, kw_only=True):
    """Hold an incident and those that are like it."""

    case: IncidentView
    similar: list[SimilarView]


class ReportAnswer(msgspec.Struct, kw_only=True):
    """Hold a report with the names of what it ranks."""

    report: AlarmReport
    names: dict[str, Text]


class AlarmDesk:
    """Answer questions about alarms that were; nothing here protects anybody."""

    def __init__(
        self,
        renderer: Renderer,
        uplink: Uplink,
        data: Path,
        touch: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._renderer, self._replica = renderer, renderer.replica
        self._uplink, self._touch = uplink, touch
        self._data = data
        self._book: Book | None = None
        # A thread of its own: a long look holds up no file and no login.
        self._thread = ThreadPoolExecutor(1, "alarms")
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        renderer.extra["risks"] = Risk(renderer).views

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1"
        return [
            Route("GET", f"{base}/alarm-report", self.report,
                  "Figures of the alarm system (ISA-18.2)", reply=ReportAnswer,
                  query=("from", "to", "operators")),
            Route("GET", f"{base}/alarm-cases", self.cases,
                  "Incidents, newest first", reply=IncidentList, query=("limit",)),
            Route("GET", f"{base}/alarm-cases/{{id}}", self.case,
                  "An incident, and those like it", reply=IncidentAnswer),
        ]  # fmt: skip

    async def life(self, _: web.Application) -> AsyncIterator[None]:
        """Beat while the application runs."""
        self._beat()
        yield
        if self._timer is not None:
            self._timer.cancel()
        if self._book is not None:
            self._book.stopped = True
            self._thread.submit(self._book.close)
        self._thread.shutdown(wait=False)

    def _beat(self) -> None:
        self._touch(("risks", "alarming"))
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    # --- handlers -------------------------------------------------------------

    async def report(self, call: Call) -> ReportAnswer:
        """Tell the figures of a span; thirty days back where none is given."""
        now = self._replica.now_ms()
        end = number(call.request, "to", now)
        start = number(call.request, "from", max(end - 30 * DAY_MS, 0))
        operators = max(1, min(number(call.request, "operators", 1), 100))
        made = await self._read(lambda book: report(book, start, end, operators))
        return ReportAnswer(report=made, names=self._named(made))

    async def cases(self, call: Call) -> IncidentList:
        """Tell the last incidents."""
        limit = max(1, min(number(call.request, "limit", _CASES), _MOST_CASES))
        found = await self._cases(limit)
        return IncidentList(items=[self._view(case) for case in found])

    async def case(self, call: Call) -> IncidentAnswer:
        """Tell an incident by its id or by any of its alarms, and similar ones."""
        wanted = call.request.match_info["id"]
        found = await self._cases(library.LOOKED_THROUGH)
        for case in found:
            if any(row.id == wanted for row in case.alarms):
                return await self._answer(case, found)
        raise Problem("gateway.not_found")

    async def _answer(
        self, case: library.Case, found: list[library.Case]
    ) -> IncidentAnswer:
        alike = library.similar(case, found)
        for each in (case, *(one.case for one in alike)):
            await self._weather(each)
        return IncidentAnswer(
            case=self._view(case),
            similar=[
                SimilarView(
                    case=self._view(one.case),
                    score=one.score,
                    shared=[self._relation(f) for f in one.shared],
                    differs=[self._relation(f) for f in one.differs],
                )
                # Again: the weather may have joined or parted some.
                for one in library.similar(case, found)
            ],
        )

    # --- the book -------------------------------------------------------------

    async def _read(self, question: Callable[[Book], T]) -> T:
        def read() -> T:
            if self._book is None:
                self._book = Book(self._data, self._data / NAME)
            self._book.catch_up()
            return question(self._book)

        if self._waiting >= _WAITING:
            raise Problem("gateway.busy")
        self._waiting += 1
        looking = asyncio.get_running_loop().run_in_executor(self._thread, read)
        looking.add_done_callback(self._looked)
        try:
            async with asyncio.timeout(READ_S):
                return await asyncio.shield(looking)
        except TimeoutError:
            raise Problem("gateway.unanswered") from None
        except (OSError, sqlite3.Error) as bad:
            raise Problem("gateway.no_history", reason=str(bad)) from None

    def _looked(self, looking: "asyncio.Future[T]") -> None:
        self._waiting -= 1
        if not looking.cancelled():
            looking.exception()  # told to who asked, if they still wait

    async def _cases(self, last: int) -> list[library.Case]:
        hazards = {zone.id: zone.hazard for zone in self._replica.bundle.site.zones}
        return await self._read(lambda book: library.cases(book, hazards, last))

    async def _weather(self, case: library.Case) -> None:
        """Ask the archive once what the weather was when an incident began."""
        entities = {
            e.id: e.declared.quantity
            for e in self._replica.state.registry.entities.values()
            if e.declared.quantity in library.BANDS
        }
        known_ = await self._read(lambda book: book.weather(case.id))
        if known_ is not None or not entities:
            return
        start = case.start_ms - _WEATHER_MS
        try:
            reply = await self._uplink.query(
                list(entities), start, case.start_ms + 1, 60
            )
        except Problem:
            return  # no archive now: asked again another time
        found = []
        for entity, rows in reply.series.items():
            if rows and isinstance(rows[-1][3], int | float):
                found.append((entities[entity], float(rows[-1][3]), rows[-1][4]))
        await self._read(lambda book: book.keep_weather(case.id, found))
        case.weather = found

    # --- views ----------------------------------------------------------------

    def _view(self, case: library.Case) -> IncidentView:
        verdicts = [row.verdict for row in case.alarms if row.verdict]
        found = sorted(library.features(case), key=lambda f: (f[0], f[1]))
        return IncidentView(
            id=case.id,
            title=self._title(case.first),
            zone_id=case.zone,
            start_ms=case.start_ms,
            end_ms=case.end_ms,
            alarms=len(case.alarms),
            verdict=verdicts[-1] if verdicts else "",
            outcome=case.outcome,
            proposed=case.proposed,
            root=case.root,
            note=case.note,
            by=case.by,
            relations=[self._relation(feature) for feature in found],
        )

    def _title(self, row: AlarmRow) -> Text:
        return self._renderer.names.alarm_title(row.kind, row.zone or None)

    def _relation(self, feature: library.Feature) -> RelationView:
        family, value = feature
        return RelationView(
            family=family,
            value=value,
            text=text(f"case.{family}", {"what": self._said(family, value)}),
        )

    def _said(self, family: str, value: str) -> Text:
        names = self._renderer.names
        match family:
            case "zone":
                return names.zone(value)
            case "quantity":
                return names.quantity(value)
            case "kind" | "before":
                return names.alarm_title(value, None)
            case "work":
                return self._renderer.kind_names(value)
        code = known(f"case.{family}.{value}", "gateway.code_itself")
        return text(code, {"code": value})

    def _named(self, made: AlarmReport) -> dict[str, Text]:
        names = self._renderer.names
        found = {one.id: names.source(one.id) for one in made.sources}
        found |= {one.id: names.rule(one.id) for one in made.rules}
        found |= {one.id: names.device(one.id) for one in made.devices}
        return found | {
            key: names.source(key.partition(" ")[0]) for key in made.chattering
        }
