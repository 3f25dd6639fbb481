"""Reads under /api/v1, each from the replica; history from the archive."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from frontend_api import alarm_views as a
from frontend_api import loop_views as o
from frontend_api import roll_views as r
from frontend_api import views as v
from frontend_api import work_views as w
from frontend_api.guard import Call, Route
from frontend_api.link import Uplink
from frontend_api.past import Past
from frontend_api.problems import Problem
from frontend_api.render import Renderer
from frontend_api.sentences import event_view

PAGE, LONGEST_PAGE = 100, 500
POINTS, MOST_POINTS, MOST_ENTITIES = 500, 5000, 64
HOUR_MS = 3_600_000

#: Path → section, its view, what it is.
LISTS: tuple[tuple[str, str, type[v.View], str], ...] = (
    ("zones", "zones", v.ZoneView, "How every zone stands"),
    ("people", "people", v.PersonView, "People and where they were last found"),
    ("readings", "readings", v.ReadingView, "Current readings with quality and age"),
    ("alarms", "alarms", w.AlarmView, "Open alarms, most urgent first"),
    ("responses", "responses", w.ResponseView, "What the hub did about each alarm"),
    ("permits", "permits", w.PermitView, "Permits with their holds"),
    ("evacuations", "evacuations", r.EvacuationView, "Evacuations and roll calls"),
    ("visitors", "visitors", r.VisitorView, "People without a tag who are on site"),
    ("drill-plans", "drill_plans", r.DrillPlanView, "Drills that the site holds"),
    ("notices", "notices", w.NoticeView, "Open notices by channel"),
    ("commands", "outputs", w.OutputView, "Every output's last command"),
    ("devices", "devices", v.DeviceView, "Enrolled devices with their entities"),
    ("runs", "runs", v.RunView, "Open runs of rules with their steps"),
    ("tasks", "tasks", o.TaskView, "Hazards and other tasks, by when they are due"),
    ("plan-runs", "plan_runs", o.PlanRunView, "Emergency plans that run"),
    ("round-runs", "round_runs", o.RoundRunView, "Inspection rounds and coverage"),
    ("sheets", "sheets", o.SheetView, "Filled checklists and their signatures"),
    ("rules", "rules", v.RuleView, "Armed rules"),
    ("groups", "groups", a.AlarmGroupView, "Open alarms by their cause"),
    ("alarm-state", "alarming", a.AlarmStateView, "Flood and lists of alarms"),
    ("risks", "risks", a.RiskView, "Risk index of every zone, worst first"),
    ("service", "service", a.ServiceView, "Devices in maintenance"),
)


class Page(msgspec.Struct, kw_only=True):
    """Hold one page of the timeline, newest first."""

    items: list[v.EventView]
    epoch: int
    seq: int
    next_before: int | None = None
    """Ask with before=this for the next page; None: nothing older is kept."""


class SeriesList(msgspec.Struct, kw_only=True):
    """Hold history by entity."""

    items: list[v.SeriesView]


def list_type(view: type[v.View]) -> type[msgspec.Struct]:
    """Return the type of a list of views at a cursor."""
    return msgspec.defstruct(
        f"{view.__name__}List",
        [("items", list[view]), ("epoch", int), ("seq", int)],  # type: ignore[valid-type]
        kw_only=True,
    )


class Reads:
    """Answer reads."""

    def __init__(self, renderer: Renderer, uplink: Uplink, past: Past) -> None:
        self.replica, self.renderer = renderer.replica, renderer
        self.uplink, self.past = uplink, past

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1"
        routes = [
            Route("GET", f"{base}/site", self.site, "The place", reply=v.SiteView),
            Route("GET", f"{base}/hub", self.hub, "The hub's health", reply=v.HubView),
            Route("GET", f"{base}/events", self.events, "The timeline, newest first",
                  reply=Page, query=("before", "limit", "type", "zone")),
            Route("GET", f"{base}/history", self.history, "Readings over time",
                  reply=SeriesList, query=("entity", "from", "to", "points")),
        ]  # fmt: skip
        for path, section, view, summary in LISTS:
            reply = list_type(view)
            many = self._lister(section, reply)
            routes.append(Route("GET", f"{base}/{path}", many, summary, reply=reply))
            one = self._getter(section)
            routes.append(
                Route("GET", f"{base}/{path}/{{id}}", one, f"One of {path}", reply=view)
            )
        return routes

    def _lister(self, section: str, reply: Any) -> Any:
        async def many(_: Call) -> Any:
            epoch, seq = self.replica.cursor
            items = list(self.renderer.section(section).values())
            return reply(items=items, epoch=epoch, seq=seq)

        return many

    def _getter(self, section: str) -> Any:
        async def one(call: Call) -> v.View:
            found = self.renderer.section(section).get(call.request.match_info["id"])
            if found is None:
                raise Problem("gateway.not_found")
            return found

        return one

    async def site(self, _: Call) -> v.SiteView:
        """Tell the armed bundle's place."""
        return self.renderer.site()

    async def hub(self, _: Call) -> v.View:
        """Tell the hub's health."""
        return self.renderer.hub()["hub"]

    async def events(self, call: Call) -> Page:
        """Page through the events by seq: the kept ones, then the journal's."""
        request = call.request
        limit = max(1, min(number(request, "limit", PAGE), LONGEST_PAGE))
        before = number(request, "before", 1 << 60)
        family, zone = request.query.get("type", ""), request.query.get("zone", "")
        kept = [
            one
            for one in reversed(self.replica.events)
            if one.envelope.seq < before and one.envelope.type.startswith(family)
        ][: limit + 1]
        if len(kept) <= limit:
            oldest = self.replica.events[0].envelope.seq if self.replica.events else 0
            at = min(before, oldest or self.replica.state.seq + 1)
            wanted = limit + 1 - len(kept)
            kept += await asyncio.to_thread(self.past.before, at, wanted, family)
        shown = [event_view(self.renderer.names, one) for one in kept[:limit]]
        epoch, seq = self.replica.cursor
        return Page(
            items=[one for one in shown if not zone or one.zone_id == zone],
            epoch=epoch,
            seq=seq,
            next_before=shown[-1].seq if len(kept) > limit else None,
        )

    async def history(self, call: Call) -> SeriesList:
        """Ask the archive for readings, thinned to a number of points."""
        request = call.request
        entities = request.query.getall("entity", [])[:MOST_ENTITIES]
        if not entities:
            raise Problem("gateway.bad_request", reason="entity is missing")
        now = self.replica.now_ms()
        end = number(request, "to", now)
        start = number(request, "from", end - HOUR_MS)
        points = max(2, min(number(request, "points", POINTS), MOST_POINTS))
        reply = await self.uplink.query(entities, start, end, points)
        if reply.error:
            raise Problem("gateway.no_history", reason=reply.error)
        return SeriesList(
            items=[
                v.SeriesView(entity_id=entity, rows=rows)
                for entity, rows in reply.series.items()
            ]
        )


def number(request: web.Request, name: str, default: int) -> int:
    """Return a whole number of the query; raises Problem."""
    value = request.query.get(name)
    if value is None:
        return default
    # 18 digits fit every consumer's 64 bits; int() alone takes thousands.
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise Problem("gateway.bad_request", reason=f"{name} is not a whole number")
    return int(value)
