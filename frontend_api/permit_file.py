"""A permit's file for its page: its record and what the core says of it, joined."""

from typing import Any

from core.api.reading import Value
from core.people.acts import ACTS
from core.permits.facts import FACTS
from core.permits.isolation_state import IsolationState, PlanRecord, PointRecord
from core.permits.life_acts import SignPermit
from core.permits.life_events import Given
from core.permits.life_state import Life
from core.permits.state import PermitRecord
from core.permits.view import Due
from core.permits.view import PermitView as Shown
from frontend_api import law_views as v
from frontend_api.names import known, text

MS = 1_000_000
#: Gas tests that the page lists, the newest first; older ones are in the journal.
_TESTS = 20
#: Points that the page lists, the permit's own first.
_POINTS = 300


def permit_file(
    permit: PermitRecord,
    shown: Shown,
    law: v.KindLaw,
    *,
    asked: list[v.QuestionView],
    opened: list[v.OpenView],
    me: tuple[str, frozenset[str]],
    asked_guardian: str,
    register: IsolationState,
) -> v.PermitFile:
    """Join a permit's record with the core's view of it, for one person.

    ``me``: who asks, and with which roles.
    """
    return v.PermitFile(
        id=permit.id,
        status=shown.status,
        version=shown.version,
        content=shown.content,
        phase=shown.phase,
        valid_left_s=shown.valid_left_s,
        law=law,
        due=[_due(each, *me) for each in shown.due],
        missing_measures=list(shown.missing_measures),
        missing_briefing=list(shown.missing_briefing),
        questions=asked,
        open=opened,
        asked_guardian=asked_guardian,
        said=_said(permit),
        signed=_signed(permit),
        tests=_tests(permit),
        gases_named=list(permit.gas.named),
        isolation=_isolation(permit, register),
        entry_open=bool(permit.entries.opened_by),
        inside=_inside(permit),
        tools=sorted(permit.entries.tools),
        **_form(permit.life),
    )


def _form(life: Life) -> dict[str, Any]:
    """Return what was filled in, and where its steps stand."""
    return {
        "unit": life.unit,
        "emergency": life.emergency,
        "from_ms": life.from_wall_ns // MS,
        "to_ms": life.to_wall_ns // MS,
        "started_ms": life.started.start_wall_ns // MS if life.started else 0,
        "guardians": list(life.guardians),
        "trades": dict(life.trades),
        "fields": {name: _several(value) for name, value in life.fields.items()},
        "hazards": [
            v.HazardView(text=h.text, control=h.control, risk=h.risk)
            for h in life.hazards
        ],
        "measures": [
            v.MarkView(id=name, involved=mark.involved, note=mark.note)
            for name, mark in life.measures.items()
        ],
        "analysed_by": life.analysed_by,
        "told": list(life.told),
        "briefed": list(life.briefed),
        "offered_to": life.offered_to,
        "shift_to": life.shift_to,
        "shift_notes": life.shift_notes,
        "replaces": life.replaces,
        "replaced_by": life.replaced_by,
        "reason": life.reason,
        "late": life.late,
    }


def _isolation(permit: PermitRecord, register: IsolationState) -> v.IsolationView:
    """Return what the register holds of a permit, and what it may still take."""
    plan = register.plans.get(permit.id) or PlanRecord()
    planned = {line.point_id for line in plan.lines}
    shown = [
        point
        for point in register.points.values()
        if point.id in planned
        or point.kind == "box"
        or point.zone_id in ("", permit.zone_id)
        or any(lock.permit_id == permit.id for lock in point.locks.values())
    ]
    shown.sort(key=lambda point: point.id not in planned)
    return v.IsolationView(
        lines=[
            v.PlannedView(
                point_id=line.point_id,
                action=line.action,
                tried=line.point_id in plan.tried,
            )
            for line in plan.lines
        ],
        points=[_point(point) for point in shown[:_POINTS]],
        keys_out=list(plan.keys_out),
    )


def _point(point: PointRecord) -> v.PointView:
    return v.PointView(
        id=point.id,
        kind=point.kind,
        equipment=point.equipment,
        place=point.place,
        zone_id=point.zone_id,
        drawing=point.drawing,
        pipe=point.pipe,
        locks=[
            v.LockView(
                lock_no=lock.lock_no,
                permit_id=lock.permit_id,
                key_holder=lock.key_holder,
                applied_by=lock.applied_by,
                at_ms=lock.applied_wall_ns // MS,
                personal=lock.personal,
                box=lock.box,
                verified_by=lock.verified_by,
            )
            for lock in point.locks.values()
        ],
        energy=point.energy,
    )


def _inside(permit: PermitRecord) -> list[v.InsideView]:
    return [
        v.InsideView(
            person_id=name,
            since_ms=one.since_wall_ns // MS,
            rescue=one.rescue,
            seen=one.seen,
        )
        for name, one in permit.entries.people.items()
    ]


def _due(due: Due, person_id: str, roles: frozenset[str]) -> v.DueView:
    named = person_id in due.people
    # The owner may do what any role may, and signs in nobody's place.
    owner = "owner" in roles and due.verb != SignPermit.verb_
    may = named or bool(roles & frozenset(due.roles)) or owner
    alone = bool(due.people) and not due.roles and not named
    act = ACTS.get(due.verb)
    able = act is not None and bool(roles & act.roles_)
    return v.DueView(
        verb=due.verb,
        slot=due.slot,
        roles=list(due.roles),
        people=list(due.people),
        barred=list(due.barred),
        mine=may and able and not alone and person_id not in due.barred,
    )


def _several(value: Given) -> list[Value]:
    return list(value) if isinstance(value, tuple) else [value]


def _said(permit: PermitRecord) -> list[v.SaidView]:
    return [
        v.SaidView(
            fact=name,
            names=text(known(f"fact.{name}", "gateway.code_itself"), {"code": name}),
            value=said.value,
            unit=FACTS[name].unit if name in FACTS else "",
            person_id=said.by,
            at_ms=said.wall_ns // MS,
        )
        for name, said in permit.life.declared.items()
    ]


def _signed(permit: PermitRecord) -> list[v.SignedView]:
    return [
        v.SignedView(
            slot=name,
            person_id=one.person_id,
            for_id=one.for_id,
            at_ms=one.wall_ns // MS,
            place=one.place,
            method=one.method,
            late=one.late,
        )
        for name, one in permit.life.signed.items()
    ]


def _tests(permit: PermitRecord) -> list[v.GasTestView]:
    return [
        v.GasTestView(
            at_ms=record.wall_ns // MS,
            person_id=record.person_id,
            samples=[
                v.SampleView(
                    gas=one.gas,
                    place=one.place,
                    value=one.value,
                    unit=one.unit,
                    verdict=str(one.verdict),
                    evidence=one.evidence,
                    typed=one.typed,
                    instrument=one.instrument,
                    note=one.note,
                )
                for one in record.samples
            ],
        )
        for record in reversed(permit.gas.tests[-_TESTS:])
    ]
