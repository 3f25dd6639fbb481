"""The replica's state as views, section by section."""

from collections.abc import Callable, Mapping
from typing import Any

from core.alarms.state import AlarmRecord
from core.permits.events import GasTest
from core.permits.state import HoldRecord, PermitRecord
from core.registry.commissioning_state import ZoneSheet
from core.response.roll_state import EvacuationRecord
from core.response.state import CommandRecord
from frontend_api import roll_views as r
from frontend_api import views as v
from frontend_api import work_views as w
from frontend_api.inventory import MS, Inventory, due_ms, two
from frontend_api.names import known, text
from frontend_api.roll_calls import RollCalls, first_said
from frontend_api.sentences import code_text, hold_text, switched

#: Alarms whose answers are shown; more would keep a page waiting in a flood.
ANSWERED = 200
_TERMINAL_BAD = frozenset({"failed", "expired"})
#: Worst first: what a zone shows when several are true.
ZONE_STATES = ("evacuating", "alarm", "unmonitored", "held", "normal")


def test_view(test: GasTest) -> w.TestView:
    """Show one gas of a test."""
    return w.TestView(
        quantity=test.quantity,
        value=test.value,
        unit=test.unit,
        quality=test.quality,
        measured_ms=test.measured_wall_ns // MS,
        passed=test.passed,
        typed=test.typed,
    )


def _protection(done: ZoneSheet | None) -> str:
    """Say how far a zone is proved; the core says when something of it changed."""
    if done is None:
        return "none"
    if done.signed_by:
        return "protected"
    return "testing" if done.begun_by else "changed" if done.lapsed else "none"


class Renderer(Inventory):
    """Make every section's views: id → view, in the order they are shown."""

    def section(self, name: str) -> Mapping[str, v.View]:
        """Return one section of the view by id."""
        own: Callable[[], Mapping[str, v.View]] = getattr(self, name, dict)
        return self.extra.get(name, own)()

    def zones(self) -> dict[str, v.ZoneView]:
        """Show how every zone stands."""
        active: dict[str | None, list[AlarmRecord]] = {}
        for record in self.replica.state.alarms.open.values():
            if record.active:
                active.setdefault(record.zone_id, []).append(record)
        zones = [zone.id for zone in self.replica.bundle.site.zones]
        return {each: self._zone(each, active.get(each, [])) for each in zones}

    def _zone(self, zone_id: str, alarms: list[AlarmRecord]) -> v.ZoneView:
        state = self.replica.state
        permits = [
            p
            for p in state.permits.permits.values()
            if p.zone_id == zone_id and p.status != "closed"
        ]
        held = sum(bool(p.holds) for p in permits)
        shown = {
            "evacuating": any(zone_id in e.zones for e in self._running()),
            "alarm": any(a.priority <= 2 for a in alarms),
            "unmonitored": zone_id in self.replica.hosts.unmonitored
            or zone_id in state.unknown_protective.values(),
            "held": bool(held),
            "normal": True,
        }
        true = [name for name in ZONE_STATES if shown[name]]
        return v.ZoneView(
            id=zone_id,
            state=true[0],
            states=true,
            priority=min((a.priority for a in alarms), default=0),
            people=sum(p.zone_id == zone_id for p in state.people.presence.values()),
            permits=len(permits),
            held=held,
            silenced=zone_id in state.response.silenced,
            protection=_protection(state.registry.commissioning.get(zone_id)),
        )

    def _running(self) -> list[EvacuationRecord]:
        evacuations = self.replica.state.response.evacuations.values()
        return [e for e in evacuations if not e.cleared_wall_ns]

    def people(self) -> dict[str, v.PersonView]:
        """Show everyone of the bundle, and where they were last found."""
        presence = self.replica.state.people.presence
        found: dict[str, v.PersonView] = {}
        for person in self.replica.bundle.people:
            at = presence.get(person.id)
            found[person.id] = v.PersonView(
                id=person.id,
                name=person.name,
                company=person.company,
                roles=sorted(self.replica.roles(person.id)),
                zone_id=at.zone_id if at else None,
                last_zone_id=at.last_zone_id if at else None,
                source=at.source if at else "",
                since_ms=at.since_wall_ns // MS if at else 0,
            )
        return found

    # --- alarms ------------------------------------------------------------------

    def alarms(self) -> dict[str, w.AlarmView]:
        """Show the open alarms, most urgent first."""
        alarms = sorted(
            self.replica.state.alarms.open.values(),
            key=lambda a: (not a.active, a.priority, -a.raised_wall_ns),
        )
        return {alarm.id: self.alarm(alarm) for alarm in alarms}

    def alarm(self, record: AlarmRecord) -> w.AlarmView:
        """Show one alarm."""
        names = self.names
        source = names.source(record.source)
        params = names.alarm_facts(record.source, dict(record.params))
        params |= {"source": source, "zone": names.zone(record.zone_id)}
        kind = f"alarm.{record.kind}"
        detail = known(f"{kind}.{record.condition}", kind, "gateway.alarm_detail")
        put = record.shelf or record.service
        return w.AlarmView(
            id=record.id,
            title=names.alarm_title(record.kind, record.zone_id),
            detail=text(detail, params),
            first=first_said(self.replica, record.zone_id, record.kind),
            source=record.source,
            source_name=names.source(record.source),
            condition=record.condition,
            kind=record.kind,
            priority=record.priority,
            zone_id=record.zone_id,
            params=record.params,
            life_safety=record.life_safety,
            active=record.active,
            acknowledged=record.acknowledged,
            acknowledged_by=record.acknowledged_by,
            latched=record.latched,
            shelved=record.shelf is not None,
            out_of_service=bool(record.out_of_service),
            suppressed=record.suppressed,
            put_by_id=put.person_id if put else "",
            put_reason=put.reason if put else record.out_of_service,
            put_until_ms=due_ms(put.until) if put else 0,
            verdict=record.verdict,
            judged_by=record.judged_by,
            mark=record.mark,
            raised_ms=record.raised_wall_ns // MS,
            returned_ms=record.returned_wall_ns // MS,
            count=record.count,
        )

    def responses(self) -> dict[str, w.ResponseView]:
        """Show what the hub did about the gravest open alarms."""
        records = self.replica.state.alarms.open.values()
        ranked = sorted(records, key=lambda a: (not a.life_safety, a.priority))
        return {
            alarm.id: w.ResponseView(alarm_id=alarm.id, done=self._done(alarm))
            for alarm in ranked[:ANSWERED]
        }

    def _done(self, alarm: AlarmRecord) -> list[w.DoneView]:
        state = self.replica.state.response
        runs = {
            run.id
            for run in self.replica.state.runs.open.values()
            if run.params.get("alarm_id") == alarm.id
        }
        evacuations = [e for e in self._running() if alarm.zone_id in e.zones]
        serves = runs | {alarm.id} | {e.id for e in evacuations}
        outputs = [r for r in state.outputs.values() if r.why in serves]
        done = [self._done_output(record) for record in outputs]
        for evacuation in evacuations:
            safe = sum(line.status == "accounted" for line in evacuation.roll.values())
            params = {"safe": safe, "all": len(evacuation.roll)}
            done.append(_done("evacuation", "confirmed", params))
        held = sum(
            bool(p.holds)
            and (
                p.zone_id == alarm.zone_id
                or any(_refers(h.hold.source, serves) for h in p.holds.values())
            )
            for p in self.replica.state.permits.permits.values()
        )
        if held:
            done.append(_done("permits", "confirmed", {"count": held}))
        notices = [n for n in state.notices.values() if n.about in serves]
        if notices:
            seen = sum(n.acknowledged for n in notices)
            state_of = "confirmed" if seen else "pending"
            params = {"seen": seen, "all": len(notices)}
            done.append(_done("notices", state_of, params))
        return done

    def _done_output(self, record: CommandRecord) -> w.DoneView:
        entity = self.replica.state.registry.entities.get(record.entity_id)
        output = entity.declared.output if entity else None
        what = str(output.kind.value) if output else "output"
        shown = str(record.state.value)
        if shown in _TERMINAL_BAD:
            shown = "failed"
        elif shown != "confirmed":
            shown = "pending"
        params = {
            "output": self.names.entity(record.entity_id),
            "value": switched(record.value),
        }
        return w.DoneView(
            what=what, state=shown, text=text(f"gateway.done.output.{shown}", params)
        )

    # --- permits -----------------------------------------------------------------

    def permits(self) -> dict[str, w.PermitView]:
        """Show every permit that is not archived."""
        return {
            permit.id: self.permit(permit)
            for permit in self.replica.state.permits.permits.values()
        }

    def permit(self, record: PermitRecord) -> w.PermitView:
        """Show one permit with its holds."""
        return w.PermitView(
            id=record.id,
            kind=record.kind,
            kind_names=self.kind_names(record.kind),
            title=record.title,
            zone_id=record.zone_id,
            status=str(record.status.value),
            issuer_id=record.issuer_id,
            supervisor_id=record.supervisor_id,
            guardian_id=record.guardian_id,
            workers=record.workers,
            linked=record.linked,
            issued_ms=record.issued_wall_ns // MS,
            valid_until_ms=due_ms(record.valid),
            holds=[self._hold(hold) for hold in record.holds.values()],
            tests=[test_view(test) for test in record.tests],
            version=record.version,
            outcome=record.outcome,
            closed_ms=record.closed_wall_ns // MS,
            legal=bool(record.life.pack),
            guardians=list(record.life.guardians),
            unit=record.life.unit,
        )

    def kind_names(self, kind: str) -> v.Text:
        """Name a kind of permit, of the site's own or of a pack."""
        bundle = self.replica.bundle
        named = {one.id: two(one.names) for one in bundle.permit_kinds}
        for pack in bundle.packs:
            named |= {one.id: two(one.names) for one in pack.kinds}
        return named.get(kind, v.Text(kind, kind))

    def _hold(self, record: HoldRecord) -> w.HoldView:
        hold = record.hold
        passed = {test.quantity for test in record.tests if test.passed}
        demands = [
            text(
                "gateway.demand.done" if gas in passed else "gateway.demand.gas",
                {"quantity": self.names.quantity(gas)},
            )
            for gas in hold.retest
        ]
        return w.HoldView(
            id=hold.id,
            code=hold.code,
            text=hold_text(self.names, hold.code, hold.params),
            source=hold.source,
            source_name=self.names.source(hold.source),
            retest=list(hold.retest),
            since_ms=record.since_wall_ns // MS,
            tests=[test_view(test) for test in record.tests],
            demands=[*demands, text("gateway.demand.person")],
        )

    # --- response ----------------------------------------------------------------

    def evacuations(self) -> dict[str, r.EvacuationView]:
        """Show evacuations and drills with their roll calls."""
        return RollCalls(self.replica).evacuations(self.names)

    def visitors(self) -> dict[str, r.VisitorView]:
        """Show people without a tag who are on site."""
        return RollCalls(self.replica).visitors()

    def drill_plans(self) -> dict[str, r.DrillPlanView]:
        """Show the drills that the site holds, and when each is due."""
        return RollCalls(self.replica).drill_plans()

    def notices(self) -> dict[str, w.NoticeView]:
        """Show open notices."""
        return {
            record.id: w.NoticeView(
                id=record.id,
                person_id=record.person_id,
                role=record.role,
                text=code_text(self.names, record.code, record.params),
                about=record.about,
                level=record.level,
                channels=record.channels,
                details=record.details,
                may_wait=record.may_wait,
                acknowledged=record.acknowledged,
                escalated=record.escalated,
                queued_ms=record.queued_wall_ns // MS,
                mark=record.mark,
            )
            for record in self.replica.state.response.notices.values()
        }

    def outputs(self) -> dict[str, w.OutputView]:
        """Show what each output should be, and whether it is proven."""
        registry = self.replica.state.registry
        found: dict[str, w.OutputView] = {}
        for record in self.replica.state.response.outputs.values():
            entity = registry.entities.get(record.entity_id)
            output = entity.declared.output if entity else None
            found[record.entity_id] = w.OutputView(
                entity_id=record.entity_id,
                command_id=record.id,
                name=self.names.entity(record.entity_id).en,
                kind=str(output.kind.value) if output else "",
                zone_id=self.replica.zone_of_entity(record.entity_id),
                value=record.value,
                state=str(record.state.value),
                detail=record.detail,
                why=record.why,
            )
        return found


def _refers(source: str, ids: set[str]) -> bool:
    return source in ids or source.partition(":")[2] in ids


def _done(what: str, state: str, params: dict[str, Any]) -> w.DoneView:
    return w.DoneView(what=what, state=state, text=text(f"gateway.done.{what}", params))
