"""What the duties' tests put in force, in a browser and over HTTP."""

import msgspec

from automations import books
from core.config import Names, ZonePlaces
from core.response.books import Round, RoundPoint
from core.response.notices_config import NoticeChannel, NoticePolicy, Recipient
from tests.ui.works_server import WorksServer


def _point(point_id: str, names: Names, zone: str) -> RoundPoint:
    return RoundPoint(id=point_id, names=names, zone=zone, label=f"{point_id}-1")


REGULATORS = NoticePolicy(
    channels=(
        NoticeChannel(id="bureau-mail", names=Names(zh="应急局邮箱", en="Bureau mail")),
        NoticeChannel(id="bureau-hook", names=Names(zh="上报平台", en="Platform")),
    ),
    regulators=(
        Recipient(
            id="bureau",
            names=Names(zh="属地应急管理局", en="Emergency bureau"),
            channels=("bureau-mail", "bureau-hook"),
        ),
        Recipient(
            id="housing",
            names=Names(zh="属地住建部门", en="Housing authority"),
            channels=("bureau-hook",),
        ),
    ),
)


def armed(server: WorksServer, notices: NoticePolicy | None = None) -> None:
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
        notices=notices or works.bundle.notices,
        checklists=tuple(lists),
        rounds=(Round(id="day", names=words, points=points),),
    )
    works.hub.load(works.bundle)
    works.settle()
    server._snapshot()
