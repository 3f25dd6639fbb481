"""Routes of tasks, plans and rounds: the book, labels, notices to the regulator."""

import asyncio
import hashlib
import html
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from core.api.errors import Refused
from core.registry.files import make_private, write_whole
from core.response.notices_config import REPORTS
from core.response.plans_acts import DeliverReport, SendReport
from core.response.plans_state import PlanRun
from frontend_api import loop_views as v
from frontend_api.blobio import problem_of
from frontend_api.guard import Call, Route, body
from frontend_api.loops import Loops
from frontend_api.names import text
from frontend_api.problems import Problem
from frontend_api.render import Renderer
from frontend_api.views import Text
from frontend_api.vouching import told

_READERS = frozenset({"safety_officer", "owner", "auditor"})
_NAME = re.compile(r"[0-9a-f]{64}")


class TextBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A notice as a person is about to send it."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class KeptView(msgspec.Struct, kw_only=True):
    """Name a text that is kept, by its hash: `plan.report` answers for it."""

    sha256: str


class LoopDesk:
    """Answer what needs more than the replica's views."""

    def __init__(self, renderer: Renderer, data: Path) -> None:
        self.replica, self._names = renderer.replica, renderer.names
        self._folder = data / REPORTS
        self.loops = loops = Loops(self.replica)
        renderer.extra |= {
            "tasks": loops.tasks,
            "plan_runs": loops.plan_runs,
            "round_runs": loops.round_runs,
            "sheets": loops.sheets,
        }

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        run = "/api/v1/plan-runs/{id}"
        return [
            Route("GET", "/api/v1/book", self.book,
                  "Plans, checklists and rounds in force", reply=v.BookView),
            Route("GET", "/api/v1/rounds/{id}/labels", self.labels,
                  "A sheet of codes to print and put up"),
            Route("GET", f"{run}/report", self.draft,
                  "Draft of the notice to the regulator", reply=v.ReportView),
            Route("POST", f"{run}/reports", self.keep,
                  "Keep a notice as it is sent", reply=KeptView, body=TextBody,
                  status=201),
            Route("GET", f"{run}/reports/{{sha256}}", self.sent,
                  "A notice as it was sent"),
        ]  # fmt: skip

    async def book(self, _: Call) -> v.BookView:
        """Tell what the site has in force."""
        return self.loops.book()

    # --- notices that were sent -------------------------------------------------

    async def vouch(self, verb: str, request: web.Request) -> None:
        """Refuse to carry an act for a text, or a draft, that is not kept here."""
        if verb == SendReport.verb_:
            sent = await told(request, SendReport)
            names = {sent.sha256} if sent else set()
        else:
            delivered = await told(request, DeliverReport)
            names = {delivered.sha256, delivered.draft} if delivered else set()
        for name in names:
            file = self._folder / f"{name}.txt"
            if not await asyncio.to_thread(file.exists):
                raise problem_of(Refused("plan.report_not_kept"))

    # --- labels ---------------------------------------------------------------

    async def labels(self, call: Call) -> web.Response:
        """Answer with a page of codes; each names its point and proves nothing."""
        found = self.loops.round(call.request.match_info["id"])
        if found is None:
            raise Problem("gateway.not_found")
        cards = []
        for point in found.points:
            drawn = await asyncio.to_thread(_drawn, point.label)
            zone = self._names.zone(point.zone)
            named = html.escape(f"{point.names.zh} {point.names.en}")
            where = html.escape(f"{zone.zh} {zone.en}")
            cards.append(f"<div>{drawn}<b>{named}</b><p>{where}</p></div>")
        title = html.escape(f"{found.names.zh} {found.names.en}")
        page = _PAGE.format(title=title, cards="".join(cards))
        return web.Response(text=page, content_type="text/html")

    # --- notices to the regulator ---------------------------------------------

    def _run(self, call: Call) -> PlanRun:
        if not self.replica.roles(call.session.person_id) & _READERS:
            raise Problem("gateway.not_allowed")
        runs = self.replica.state.response.plans.runs
        run = runs.get(call.request.match_info["id"])
        if run is None:
            raise Problem("gateway.not_found")
        return run

    async def draft(self, call: Call) -> v.ReportView:
        """Draft the notice from what the hub knows; names of persons stay out."""
        run = self._run(call)
        plan = self.loops.plan_of(run)
        if plan is None or plan.report_to is None:
            raise Problem("plan.no_report")
        to = Text(plan.report_to.zh, plan.report_to.en)
        regulators = self.replica.bundle.notices.regulators
        return v.ReportView(
            to=to,
            draft=self._words(run, to),
            recipients=[
                v.RecipientView(id=each.id, names=Text(each.names.zh, each.names.en))
                for each in regulators
            ],
        )

    def _words(self, run: PlanRun, to: Text) -> Text:
        plan = self.loops.plan_of(run)
        site = self.replica.bundle.site
        leaving = [
            each
            for each in self.replica.state.response.evacuations.values()
            if run.zone_id in each.zones
        ]
        roll = [line for each in leaving for line in each.roll.values()]
        missing = sum(line.status not in ("accounted", "rescue") for line in roll)
        steps = {step: run.steps[step] for step in run.steps}
        done = [
            Text(step.names.zh, step.names.en)
            for step in (plan.steps if plan else ())
            if steps[step.id].state == "done"
        ]
        named = self._names.alarm(run.about[0]) if run.about else None
        facts: dict[str, object] = {
            "to": to,
            "site": Text(site.names.zh, site.names.en),
            "plan": Text(plan.names.zh, plan.names.en) if plan else "",
            "zone": self._names.zone(run.zone_id),
            "at": self._local(run.started_wall_ns),
            "now": self._local(self.replica.clock.wall_ns()),
            "what": named or (Text(plan.names.zh, plan.names.en) if plan else ""),
            "people": len(roll),
            "missing": missing,
            "done": Text(
                "；".join(each.zh for each in done) or "—",
                "; ".join(each.en for each in done) or "—",
            ),
        }
        drill = text("plan.report_drill") if run.mark else Text("", "")
        said = text("plan.report_text", facts)
        return Text(f"{drill.zh}{said.zh}", f"{drill.en}{said.en}")

    def _local(self, wall_ns: int) -> str:
        zone = ZoneInfo(self.replica.bundle.site.time_zone)
        at = datetime.fromtimestamp(wall_ns / 1e9, UTC).astimezone(zone)
        return at.strftime("%Y-%m-%d %H:%M")

    async def keep(self, call: Call) -> KeptView:
        """Keep a text under its hash; it is on disk before this answers."""
        self._run(call)
        asked: TextBody = await body(call.request, TextBody)
        data = asked.text.encode()
        name = hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(self._write, name, data)
        return KeptView(sha256=name)

    def _write(self, name: str, data: bytes) -> None:
        make_private(self._folder)
        file = self._folder / f"{name}.txt"
        if not file.exists():
            write_whole(file, data)

    async def sent(self, call: Call) -> web.Response:
        """Answer with a notice that somebody answered for."""
        run = self._run(call)
        name = call.request.match_info["sha256"]
        known = {n for r in run.reports for n in (r.sha256, r.draft)}
        if not _NAME.fullmatch(name) or name not in known:
            raise Problem("gateway.not_found")
        file = self._folder / f"{name}.txt"
        try:
            data = await asyncio.to_thread(file.read_bytes)
        except FileNotFoundError:
            raise Problem("gateway.not_found") from None
        return web.Response(body=data, content_type="text/plain", charset="utf-8")


def _drawn(label: str) -> str:
    """Return a label's code as an SVG drawing."""
    import segno

    out = io.BytesIO()
    segno.make(label, error="m", micro=False).save(
        out, kind="svg", scale=6, xmldecl=False, svgns=True
    )
    return out.getvalue().decode()


_PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px sans-serif;margin:24px}}main{{display:grid;gap:24px;
grid-template-columns:repeat(auto-fill,minmax(220px,1fr))}}div{{break-inside:avoid;
border:1px solid #888;border-radius:8px;padding:16px;text-align:center}}
svg{{width:180px;height:180px}}p{{margin:4px 0 0}}</style></head>
<body><h1>{title}</h1><main>{cards}</main></body></html>"""
