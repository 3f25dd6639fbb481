"""What the duties' tests put in force, in a browser and over HTTP."""

import msgspec

from automations import books
from core.config import Names, ZonePlaces
from core.response.books import Round, RoundPoint
from tests.ui.works_server import WorksServer


def _point(point_id: str, names: Names, zone: str) -> RoundPoint:
    return RoundPoint(id=point_id, names=names, zone=zone, label=f"{point_id}-1")


def armed(server: WorksServer) -> None:
    """Put plans, checklists and a round in force."""
    works = server.works
    shipped = [books.read_plan(file)[0] for file in books.shipped(books.PLANS)]
    lists = [books.read_checklist(f)[0] for f in books.shipped(books.CHECKLISTS)]
    words = Names(zh="日常巡检", en="Daily round")
    points = (
        _point("pump", Names(zh="泵房", en="Pump"), "yard"),
        _point("tank", Names(zh="罐顶", en="Tank top"), "tank"),
    )
    site = works.bundle.site
    zones = tuple(
        msgspec.structs.replace(zone, places=ZonePlaces()) for zone in site.zones
    )
    works.bundle = msgspec.structs.replace(
        works.bundle,
        site=msgspec.structs.replace(site, zones=zones),
        plans=tuple(shipped),
        checklists=tuple(lists),
        rounds=(Round(id="day", names=words, points=points),),
    )
    works.hub.load(works.bundle)
    works.settle()
    server._snapshot()
