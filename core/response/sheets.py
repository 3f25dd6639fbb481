"""Checklists filled in and signed: toolbox talk, shift hand-over, inspection (2.61)."""

import math

from core.api.errors import Refused
from core.api.reading import Value
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.people.access import Answer
from core.people.people import People
from core.response import rounds_acts as acts
from core.response.books import Checklist, Item
from core.response.notices import Notices
from core.response.rounds_state import (
    SheetDropped,
    SheetFilled,
    SheetOverdue,
    SheetRecord,
    SheetSigned,
)
from core.response.tasks import Tasks

_TICKS = ("ok", "bad", "na")
_MOST_TEXT = 1000
#: A hazard that a checklist found is fixed by then.
_BAD_S = {"general": 7 * 86_400.0, "major": 86_400.0}


def is_bad(item: Item, value: Value) -> bool:
    """Say whether an answer is not as it should be; refuses a wrong one."""
    if item.type == "tick":
        if value not in _TICKS:
            raise Refused("sheet.answer", item=item.id, needed="ok, bad, na")
        return value == "bad"
    if item.type == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("sheet.answer", item=item.id, needed=item.unit or "number")
        low = -math.inf if item.least is None else item.least
        high = math.inf if item.most is None else item.most
        # Not a number is not within any bounds.
        return not low <= value <= high
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise Refused("sheet.answer", item=item.id, needed=f"text <= {_MOST_TEXT}")
    return False


class Sheets:
    """Take filled checklists, wait for their signatures, open tasks for what is bad."""

    def __init__(
        self, hub: Hub, people: People, notices: Notices, tasks: Tasks
    ) -> None:
        self._hub, self._people = hub, people
        self._notices, self._tasks = notices, tasks
        people.access.bind(acts.FillSheet, self._fill)
        people.access.bind(acts.SignSheet, self._sign)
        hub.undo(SheetFilled, self._unfill)
        hub.undo(SheetSigned, self._unsign)

    def recover(self) -> None:
        """Go on waiting for signatures."""
        for sheet in self._hub.state.response.rounds.sheets.values():
            self._watch(sheet)

    # --- filling --------------------------------------------------------------

    def _fill(
        self, actor: str, act: acts.FillSheet, _version: int | None, cause: Cause
    ) -> Answer:
        checklist = self._checklist(act.checklist)
        if checklist.roles:
            self._people.access.require(actor, *checklist.roles)
        zones = {zone.id for zone in self._hub.bundle.site.zones}
        if act.zone_id and act.zone_id not in zones:
            raise Refused("site.zone_unknown", zone=act.zone_id)
        for person in act.people:
            if not self._people.access.known(person):
                raise Refused("act.person_unknown", person=person)
        bad = _judge(checklist, act.answers)
        owed = checklist.signers
        body = SheetFilled(
            sheet=self._hub.ids.new(),
            checklist=checklist.id,
            version=checklist.version,
            by=actor,
            answers=act.answers,
            bad=tuple(item.id for item in bad),
            zone_id=act.zone_id or None,
            about=act.about,
            people=act.people,
            owed=owed,
            due=Deadline.after(self._hub.clock, checklist.within_s) if owed else None,
            note=act.note,
        )
        self._hub.emit(body, cause)
        sheet = self._hub.state.response.rounds.sheets[body.sheet]
        for item in bad:
            self._open_task(checklist, item, sheet, cause)
        self._tell(sheet, "notice.sheet_sign", tuple(sheet.owed), cause)
        self._watch(sheet)
        return {"sheet": sheet.id, "bad": len(bad)}

    def _checklist(self, checklist_id: str) -> Checklist:
        for each in self._hub.bundle.checklists:
            if each.id == checklist_id:
                return each
        raise Refused("sheet.unknown", checklist=checklist_id)

    def _open_task(
        self, checklist: Checklist, item: Item, sheet: SheetRecord, cause: Cause
    ) -> None:
        english = self._hub.bundle.site.language == "en"
        self._tasks.create(
            "hazard",
            "task.item_bad",
            zone_id=sheet.zone_id,
            due_s=_BAD_S[item.grade],
            params={
                "title": item.names.en if english else item.names.zh,
                "checklist": checklist.id,
                "item": item.id,
            },
            about=f"sheet:{sheet.id}/{item.id}",
            grade=item.grade,
            by=sheet.by,
            cause=cause,
        )

    # --- signing --------------------------------------------------------------

    def _sign(
        self, actor: str, act: acts.SignSheet, _version: int | None, cause: Cause
    ) -> Answer:
        sheet = self._hub.state.response.rounds.sheets.get(act.sheet)
        if sheet is None:
            raise Refused("sheet.unknown", checklist=act.sheet)
        if actor == sheet.by:
            raise Refused("sheet.own", person=actor)
        if actor in sheet.signed:
            return {"sheet": sheet.id, "owed": len(sheet.owed)}
        roles = self._people.access.roles(actor)
        role = next((each for each in sheet.owed if each in roles), "")
        if not role and actor not in sheet.people:
            raise Refused("sheet.not_yours", needed=", ".join(sheet.owed))
        self._hub.emit(SheetSigned(sheet=sheet.id, by=actor, role=role), cause)
        if not sheet.owed:
            self._hub.timers.cancel(_key(sheet.id))
            self._notices.close_about(sheet.id)
        return {"sheet": sheet.id, "owed": len(sheet.owed)}

    def _watch(self, sheet: SheetRecord) -> None:
        if sheet.due is None:
            return
        sheet_id = sheet.id

        def late(unknown: bool) -> None:
            found = self._hub.state.response.rounds.sheets.get(sheet_id)
            if found is None or not found.owed or found.late:
                return
            why = "late_unknown" if unknown else "late"
            wrapped = self._hub.emit(SheetOverdue(sheet=sheet_id, why=why))
            cause = Cause(actor="hub:sheets", parent=wrapped.id)
            roles = (*found.owed, "safety_officer")
            self._tell(found, "notice.sheet_overdue", roles, cause)

        fire_after(self._hub, sheet.due, _key(sheet_id), late)

    def _tell(
        self, sheet: SheetRecord, code: str, roles: tuple[str, ...], cause: Cause
    ) -> None:
        held = [role for role in dict.fromkeys(roles) if self._people.with_role(role)]
        if held:
            self._notices.tell(
                roles=held,
                channels=("screen",),
                code=code,
                params={"checklist": sheet.checklist, "person": sheet.by},
                about=sheet.id,
                cause=cause,
            )

    # --- what the disk lost ---------------------------------------------------

    def _unfill(self, body: SheetFilled) -> None:
        self._hub.timers.cancel(_key(body.sheet))
        self._notices.close_about(body.sheet)
        self._hub.emit(SheetDropped(sheet=body.sheet))

    def _unsign(self, body: SheetSigned) -> None:
        self._hub.emit(SheetDropped(sheet=body.sheet, by=body.by))
        sheet = self._hub.state.response.rounds.sheets.get(body.sheet)
        if sheet is not None and sheet.owed:
            self._tell(sheet, "notice.sheet_sign", tuple(sheet.owed), CORE)


def _judge(checklist: Checklist, answers: dict[str, Value]) -> list[Item]:
    """Return the items whose answer calls for a task; refuses what is incomplete."""
    unknown = sorted(answers.keys() - {item.id for item in checklist.items})
    if unknown:
        raise Refused("sheet.items_unknown", items=", ".join(unknown))
    missing = [i.id for i in checklist.items if i.required and i.id not in answers]
    if missing:
        raise Refused("sheet.items_missing", items=", ".join(missing))
    given = [item for item in checklist.items if item.id in answers]
    # Every answer is judged, so that a wrong one behind a bad one is refused too.
    bad = [item for item in given if is_bad(item, answers[item.id])]
    return [item for item in bad if item.grade]


def _key(sheet_id: str) -> str:
    return f"sheet.{sheet_id}"
