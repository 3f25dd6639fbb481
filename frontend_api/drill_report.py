"""Score a drill from the journal: how fast, how complete, who took part, what was seen.

Pure: events in, a report out. Times count from the drill's start; a share is reached
when it was reached for good, so a tick that was taken back does not count.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from core.alarms.events import AlarmAcknowledged, AlarmRaised
from core.journal.envelope import Envelope
from core.response.events import (
    EvacuationExtended,
    EvacuationLate,
    EvacuationStarted,
    NoticeMoved,
    NoticeQueued,
    RollChanged,
    RosterLine,
)
from core.response.roll_events import DrillAttacked, DrillEnded, DrillStarted
from core.site.leaving import Attack
from frontend_api.replica import Kept

MS: Final = 1_000_000
_NS: Final = 1_000_000_000
_DONE: Final = ("accounted", "rescue")
#: What each part of the score weighs; a drill without attacks has theirs in full.
WEIGHTS: Final = {"in_time": 40, "accounted": 20, "participation": 20, "attacks": 20}
#: From this score on a drill is passed, when its target was met as well.
PASS: Final = 80


class PersonScore(msgspec.Struct, kw_only=True):
    """Tell how one person, or a group counted by number, came out."""

    person_id: str
    status: str = "missing"
    count: int = 1
    hidden: bool = False
    late: bool = False
    joined: bool = False
    device_s: float | None = None
    accounted_s: float | None = None
    method: str = ""
    by: str = ""
    undone: int = 0
    """Ticks that were taken back."""
    answered: bool = False
    """They acknowledged the call."""


class AttackScore(msgspec.Struct, kw_only=True):
    """Tell whether an injected attack was noticed, and after how long."""

    kind: str
    about: str
    at_s: float
    noticed_s: float | None = None
    """Seconds from the attack; None: nobody noticed."""
    by: str = ""


class DrillReport(msgspec.Struct, kw_only=True):
    """Score one drill."""

    id: str
    plan: str
    zones: list[str]
    by: str
    started_ms: int
    ended_ms: int = 0
    """0 while it runs."""
    why: str = ""
    """Why it ended: person, real_alarm, expired, late_unknown; '' while it runs."""
    target_s: float = 600.0
    target_share: float = 90.0
    on_roll: int = 0
    on_site: int = 0
    accounted: int = 0
    missed: list[str] = []
    late: list[str] = []
    to_50_s: float | None = None
    to_90_s: float | None = None
    to_100_s: float | None = None
    share_in_time: float = 0.0
    """% accounted for by the target time."""
    participation: float = 0.0
    """% of the people called who came, or at least answered."""
    on_site_share: float = 0.0
    """% of those on site at the start who were accounted for (R3)."""
    score: int = 0
    parts: dict[str, int] = {}
    passed: bool | None = None
    """None: broken off or still running, so nobody can tell."""
    people: list[PersonScore] = []
    attacks: list[AttackScore] = []


def reports(events: Iterable[Kept]) -> list[DrillReport]:
    """Return a report for each drill that the events tell of, in order."""
    drills: dict[str, _Drill] = {}
    for kept in events:
        body = kept.body
        if isinstance(body, EvacuationStarted) and body.mark == "DRILL":
            drills[body.evacuation_id] = _Drill(body, kept.envelope)
        for drill in drills.values():
            if not drill.report.ended_ms:
                drill.take(kept)
    return [drill.finished() for drill in drills.values()]


class _Drill:
    """Gather what the journal tells of one drill."""

    def __init__(self, body: EvacuationStarted, envelope: Envelope) -> None:
        self._began = envelope
        self._now_s = 0.0
        self._on_site: set[str] = set()
        self._people: dict[str, PersonScore] = {}
        self._shares: list[tuple[float, float]] = []
        """(seconds, share accounted for) at each change."""
        self._attacks: list[tuple[Attack, AttackScore]] = []
        self._alarms: dict[str, AttackScore] = {}
        self._notices: dict[str, tuple[str, str]] = {}
        """Notice → whom it called, and its code."""
        self.report = DrillReport(
            id=body.evacuation_id,
            plan="",
            zones=list(body.zones),
            by=envelope.cause.actor.partition(":")[2],
            started_ms=envelope.wall_ns // MS,
        )
        self._join(body.roster, joined=False)

    def _at(self, envelope: Envelope) -> float:
        if envelope.boot_id == self._began.boot_id:
            return (envelope.mono_ns - self._began.mono_ns) / _NS
        return (envelope.wall_ns - self._began.wall_ns) / _NS

    def take(self, kept: Kept) -> None:
        """Take one event of the time in which the drill runs."""
        body, mine = kept.body, self.report.id
        self._now_s = self._at(kept.envelope)
        match body:
            case DrillStarted(evacuation_id=number) if number == mine:
                self._told(body)
            case EvacuationExtended(evacuation_id=number) if number == mine:
                self.report.zones += [
                    z for z in body.zones if z not in self.report.zones
                ]
                self._join(body.roster, joined=True)
            case RollChanged(evacuation_id=number) if number == mine:
                self._changed(body)
            case EvacuationLate(evacuation_id=number) if number == mine:
                for person_id in body.missing:
                    self._person(person_id).late = True
            case DrillEnded(evacuation_id=number) if number == mine:
                self.report.why, self.report.by = body.why, body.by or self.report.by
                self.report.ended_ms = kept.envelope.wall_ns // MS
            case _:
                self._attacked(kept)

    def _told(self, body: DrillStarted) -> None:
        self._on_site = set(body.on_site)
        self.report.plan, self.report.by = body.plan, body.by
        self.report.target_s = body.target_s
        self.report.target_share = body.target_share

    def _person(self, person_id: str) -> PersonScore:
        return self._people.setdefault(person_id, PersonScore(person_id=person_id))

    def _join(self, roster: tuple[RosterLine, ...], *, joined: bool) -> None:
        for line in roster:
            found = self._person(line.person_id)
            found.count, found.joined = line.count, joined
        self._share()

    def _changed(self, body: RollChanged) -> None:
        found = self._person(body.person_id)
        if body.method == "undo":
            found.undone += 1
        if body.status == "device_seen" and found.device_s is None:
            found.device_s = self._now_s
        if body.status in _DONE:
            if found.status not in _DONE:
                found.accounted_s = self._now_s
                self._found(body)
        else:
            found.accounted_s = None
        found.status, found.method, found.by = body.status, body.method, body.by
        self._share()

    def _share(self) -> None:
        every = sum(each.count for each in self._people.values())
        done = sum(e.count for e in self._people.values() if e.status in _DONE)
        self._shares.append((self._now_s, 100.0 * done / every if every else 100.0))

    # --- attacks --------------------------------------------------------------

    def _attacked(self, kept: Kept) -> None:
        body = kept.body
        if isinstance(body, DrillAttacked) and body.evacuation_id == self.report.id:
            attack = body.attack
            about = attack.person or attack.muster or attack.zone
            score = AttackScore(kind=attack.kind, about=about, at_s=self._now_s)
            self._attacks.append((attack, score))
            if attack.kind == "person_hidden":
                self._person(attack.person).hidden = True
        elif isinstance(body, AlarmRaised) and self.report.id in body.condition:
            if self._attacks and "drill." in body.condition:
                self._alarms[body.alarm_id] = self._attacks[-1][1]
        elif isinstance(body, AlarmAcknowledged) and body.alarm_id in self._alarms:
            self._notice(self._alarms[body.alarm_id], body.person_id)
        elif isinstance(body, NoticeQueued) and body.about.startswith(self.report.id):
            self._notices[body.notice_id] = (body.person_id, body.code)
        elif isinstance(body, NoticeMoved) and body.state == "acknowledged":
            self._answered(*self._notices.get(body.notice_id, ("", "")))

    def _answered(self, person_id: str, code: str) -> None:
        """Take it that who answers was called, and saw what the notice says."""
        if person_id in self._people:
            self._people[person_id].answered = True
        for attack, score in self._attacks if code == "notice.muster" else ():
            if attack.kind == "muster_blocked":
                self._notice(score, person_id)

    def _found(self, body: RollChanged) -> None:
        for attack, score in self._attacks:
            if attack.kind == "person_hidden" and attack.person == body.person_id:
                self._notice(score, body.by)

    def _notice(self, score: AttackScore, by: str) -> None:
        if score.noticed_s is None:
            score.noticed_s, score.by = self._now_s - score.at_s, by

    # --- score ----------------------------------------------------------------

    def finished(self) -> DrillReport:
        """Return the report as it stands."""
        told, people = self.report, list(self._people.values())
        done = [each for each in people if each.status in _DONE]
        told.people = people
        told.attacks = [score for _, score in self._attacks]
        told.on_roll = sum(each.count for each in people)
        told.accounted = sum(each.count for each in done)
        told.missed = [each.person_id for each in people if each.status not in _DONE]
        told.late = [each.person_id for each in people if each.late]
        told.to_50_s, told.to_90_s, told.to_100_s = map(self._reached, (50, 90, 100))
        told.share_in_time = round(self._share_by(told.target_s), 1)
        here = self._on_site | {e.person_id for e in people if ":" not in e.person_id}
        told.on_site = len(here)
        seen = sum(each.person_id in here for each in done)
        told.on_site_share = round(100.0 * seen / len(here), 1) if here else 100.0
        came = sum(
            e.count for e in people if e in done or e.answered or e.device_s is not None
        )
        told.participation = (
            round(100.0 * came / told.on_roll, 1) if told.on_roll else 100.0
        )
        self._judge()
        return told

    def _reached(self, share: float) -> float | None:
        """Return when a share was reached for good, None when it was not."""
        since: float | None = None
        for at, value in self._shares:
            if value >= share:
                since = at if since is None else since
            else:
                since = None
        return since

    def _share_by(self, seconds: float) -> float:
        known = [value for at, value in self._shares if at <= seconds]
        return known[-1] if known else 0.0

    def _judge(self) -> None:
        told = self.report
        seen = sum(each.noticed_s is not None for each in told.attacks)
        shares = {
            "in_time": min(1.0, told.share_in_time / told.target_share),
            "accounted": told.accounted / told.on_roll if told.on_roll else 1.0,
            "participation": told.participation / 100.0,
            "attacks": seen / len(told.attacks) if told.attacks else 1.0,
        }
        told.parts = {
            name: round(WEIGHTS[name] * part) for name, part in shares.items()
        }
        told.score = sum(told.parts.values())
        if told.why == "person":
            enough = told.share_in_time >= told.target_share
            told.passed = enough and told.score >= PASS
