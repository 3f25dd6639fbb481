"""Rounds by code, coverage, missed points; checklists signed by two (2.05, 2.61)."""

from collections.abc import Callable

import msgspec
import pytest

from core.api.reading import Value
from core.config import Names, ZonePlaces
from core.link.messages import ActReply
from core.response import rounds_acts as a
from core.response import rounds_state as s
from core.response.books import Checklist, Item, Round, RoundPoint
from core.response.events import NoticeQueued
from core.response.tasks_state import TaskCreated
from tests.support.yard import Yard, bundle

DAY = 86_400.0


def words(text: str) -> Names:
    return Names(zh=text, en=text)


def point(point_id: str, zone: str) -> RoundPoint:
    return RoundPoint(
        id=point_id, names=words(point_id), zone=zone, label=f"sh-{point_id}"
    )


WALK = Round(
    id="walk",
    names=words("walk"),
    points=(point("pump", "tank"), point("door", "hall"), point("post", "gate")),
    roles=("supervisor",),
    ordered=True,
    within_s=3600.0,
)
HANDOVER = Checklist(
    id="handover",
    names=words("handover"),
    version="1.0.0",
    kind="handover",
    items=(
        Item(id="tools", names=words("tools counted"), grade="general"),
        Item(id="rail", names=words("rails stand"), grade="major"),
        Item(id="o2", names=words("O2"), type="number", least=19.5, most=23.5,
             grade="major"),
        Item(id="note", names=words("to know"), type="text", required=False),
    ),
    roles=("supervisor",),
    signers=("issuer",),
    within_s=600.0,
)  # fmt: skip
FINE: dict[str, Value] = {"tools": "ok", "rail": "ok", "o2": 20.9}
NAMES = {"place.hall": "hall's secret", "place.gate": "gate's secret"}


class Walk(Yard):
    """The yard with a round; the hall's and the gate's screens show codes."""

    def __init__(self, round_: Round = WALK) -> None:
        super().__init__()
        self.put(round_)

    def put(self, round_: Round) -> None:
        site = self.bundle.site
        zones = tuple(
            msgspec.structs.replace(
                zone, places=ZonePlaces(methods=("uwb", "gate", "qr"))
            )
            for zone in site.zones
        )
        self.bundle = msgspec.structs.replace(
            bundle(),
            site=msgspec.structs.replace(site, zones=zones),
            rounds=(round_,),
            checklists=(HANDOVER,),
        )
        self.secret(lambda name: NAMES.get(name, ""))
        self.hub.load(self.bundle)
        self.settle()

    def secret(self, tell: Callable[[str], str]) -> None:
        self.kernel.places.secret = tell

    def begin(self) -> str:
        return str(
            done(self.act("sue", a.StartRound(round="walk"))).result["round_run"]
        )

    def scan(self, run: str, where: str, code: str = "", label: str = "") -> ActReply:
        return self.act(
            "sue",
            a.ScanPoint(
                round_run=run,
                point=where,
                label=label or f"sh-{where}",
                method="qr" if code else "",
                code=code,
            ),
        )

    def shows(self, zone: str) -> str:
        return self.kernel.places.code(zone, self.clock.wall_ns())

    def run_(self, run: str) -> s.RoundRun:
        return self.hub.state.response.rounds.runs[run]


@pytest.fixture
def walk() -> Walk:
    return Walk()


def done(reply: ActReply) -> ActReply:
    assert reply.ok, (reply.code, reply.params)
    return reply


def told(bench: Yard, code: str) -> set[str]:
    return {n.person_id for n in bench.events(NoticeQueued) if n.code == code}


def test_a_round_that_is_walked_ends_by_itself(walk: Walk) -> None:
    """2.05: coverage: by the worn tag, and by the code that a screen shows now."""
    run = walk.begin()
    walk.place("sue", "tank")
    assert done(walk.scan(run, "pump")).result["proven"] is True
    walk.dead.add("sue")
    walk.live(70)
    done(walk.scan(run, "door", walk.shows("hall")))
    assert done(walk.scan(run, "post", walk.shows("gate"))).result["left"] == 0
    record = walk.run_(run)
    assert (record.open, record.why, record.missed) == (False, "walked", ())
    assert [scan.method for scan in record.scans.values()] == ["uwb", "qr", "qr"]
    assert walk.events(TaskCreated) == []


def test_a_photographed_code_proves_nothing(walk: Walk) -> None:
    """2.05: a label, or yesterday's screen, is no proof that one stands there."""
    walk.dead.add("sue")
    walk.live(70)
    run = walk.begin()
    old = walk.shows("hall")
    walk.live(70)
    reply = done(walk.scan(run, "door", old))
    assert (reply.result["proven"], reply.result["why"]) == (
        False, "place.why.wrong_code",
    )  # fmt: skip
    assert done(walk.scan(run, "post")).result["proven"] is False
    assert walk.scan(run, "post", label="sh-door").code == "round.wrong_label"
    assert walk.run_(run).left() == ("pump", "door", "post")
    assert done(walk.scan(run, "door", walk.shows("hall"))).result["proven"] is True


def test_who_is_seen_elsewhere_is_not_there(walk: Walk) -> None:
    run = walk.begin()
    reply = done(walk.scan(run, "pump"))
    assert reply.result == {
        "point": "pump", "proven": False, "why": "place.why.elsewhere", "left": 3,
    }  # fmt: skip


def test_another_order_is_seen(walk: Walk) -> None:
    run = walk.begin()
    done(walk.scan(run, "post", walk.shows("gate")))
    (scan,) = walk.events(s.RoundScanned)
    assert not scan.in_order


def test_missed_points_become_a_task(walk: Walk) -> None:
    """Issue §9: a round's missed points are findings."""
    run = walk.begin()
    walk.place("sue", "tank")
    done(walk.scan(run, "pump"))
    walk.advance(3601)
    assert walk.run_(run).missed == ("door", "post")
    (task,) = walk.events(TaskCreated)
    assert (task.params["points"], task.roles) == ("door, post", ("supervisor",))
    assert walk.scan(run, "door").code == "round.over"


def test_a_person_may_end_it_early(walk: Walk) -> None:
    run = walk.begin()
    assert done(walk.act("sue", a.CloseRound(round_run=run))).result["missed"] == 3
    assert walk.act("ann", a.StartRound(round="walk")).code == "act.role"
    assert walk.act("sue", a.StartRound(round="moon")).code == "round.unknown"


@pytest.mark.parametrize("synced", [True, False])
def test_rounds_come_by_the_clock_and_through_a_stop(synced: bool) -> None:
    """R7, R22: the next round is a deadline that survives."""
    walk = Walk(msgspec.structs.replace(WALK, every_s=7200.0))
    walk.clock.trusted = synced
    assert len(walk.events(s.RoundOpened)) == 1
    assert told(walk, "notice.round") == {"sue"}
    walk.advance(7201)
    assert len(walk.events(s.RoundOpened)) == 2
    walk.restart(reboot="boot-2")
    walk.secret(lambda name: NAMES.get(name, ""))
    # Time that nobody knows is over: it is walked again, and the old one told.
    assert len(walk.events(s.RoundOpened)) == (2 if synced else 3)
    closed = {body.why for body in walk.events(s.RoundClosed)}
    assert closed == ({"late"} if synced else {"late", "late_unknown"})


def test_a_shift_is_taken_over_by_another(walk: Walk) -> None:
    """2.61: hand-over as data, answered and signed by two."""
    fill = a.FillSheet(checklist="handover", answers=FINE)
    sheet = str(done(walk.act("sue", fill)).result["sheet"])
    assert told(walk, "notice.sheet_sign") == {"ivy"}
    assert walk.act("sue", a.SignSheet(sheet=sheet)).code == "sheet.own"
    assert walk.act("max", a.SignSheet(sheet=sheet)).code == "sheet.not_yours"
    assert done(walk.act("ivy", a.SignSheet(sheet=sheet))).result["owed"] == 0
    walk.advance(601)
    assert walk.events(s.SheetOverdue) == []


def test_a_shift_that_nobody_takes_is_told(walk: Walk) -> None:
    done(walk.act("sue", a.FillSheet(checklist="handover", answers=FINE)))
    walk.restart()
    walk.advance(601)
    assert told(walk, "notice.sheet_overdue") == {"ivy", "sam"}


def test_what_is_bad_becomes_a_hazard(walk: Walk) -> None:
    """Issue §9: from an inspection to a task, graded."""
    answers: dict[str, Value] = {"tools": "bad", "rail": "ok", "o2": 18.0}
    reply = done(walk.act("sue", a.FillSheet(checklist="handover", answers=answers)))
    assert reply.result["bad"] == 2
    tasks = walk.events(TaskCreated)
    assert [(t.params["item"], t.grade) for t in tasks] == [
        ("tools", "general"), ("o2", "major"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"tools": "ok"}, "sheet.items_missing"),
        (FINE | {"moon": "ok"}, "sheet.items_unknown"),
        (FINE | {"tools": "fine"}, "sheet.answer"),
        (FINE | {"o2": True}, "sheet.answer"),
        (FINE | {"tools": "bad", "o2": "x"}, "sheet.answer"),
        (FINE | {"note": "x" * 1001}, "sheet.answer"),
    ],
)
def test_a_half_answered_sheet_is_refused(
    walk: Walk, answers: dict[str, Value], code: str
) -> None:
    reply = walk.act("sue", a.FillSheet(checklist="handover", answers=answers))
    assert reply.code == code
    assert walk.events(TaskCreated) == []


def test_not_a_number_is_bad(walk: Walk) -> None:
    """Unknown is never safe."""
    fill = a.FillSheet(checklist="handover", answers=FINE | {"o2": float("nan")})
    assert done(walk.act("sue", fill)).result["bad"] == 1


def test_a_sheet_that_the_disk_lost_is_none(walk: Walk) -> None:
    walk.journal.held = True
    walk.ask("sue", a.FillSheet(checklist="handover", answers=FINE))
    walk.journal.held = False
    walk.break_disk()
    assert walk.hub.state.response.rounds.sheets == {}


def test_a_signature_that_the_disk_lost_is_owed_again(walk: Walk) -> None:
    fill = a.FillSheet(checklist="handover", answers=FINE)
    sheet = str(done(walk.act("sue", fill)).result["sheet"])
    walk.journal.held = True
    walk.ask("ivy", a.SignSheet(sheet=sheet))
    walk.journal.held = False
    walk.break_disk()
    assert walk.hub.state.response.rounds.sheets[sheet].owed == ["issuer"]
