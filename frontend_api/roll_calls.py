"""Roll calls as views: who is missing, where last, at what work, in what gas."""

from core.response import first_words
from core.response.roll_state import EvacuationRecord, RollLine
from frontend_api import roll_views as r
from frontend_api.inventory import MS, due_ms, two
from frontend_api.names import Names, text
from frontend_api.replica import Replica
from frontend_api.sentences import attack_text, code_text
from frontend_api.views import Text

_DAY_MS = 86_400_000
_DONE = ("accounted", "rescue")


def first_said(replica: Replica, zone_id: str | None, kind: str = "") -> Text | None:
    """Return the first words for a zone, or for an alarm of a kind there."""
    bundle = replica.bundle
    confined = any(
        z.id == zone_id and z.hazard == "confined" for z in bundle.site.zones
    )
    alarms = replica.state.alarms.open.values()
    stands = any(
        a.stands and a.zone_id == zone_id and first_words.warns(a.kind) for a in alarms
    )
    warned = first_words.warns(kind) if kind else stands
    return text(first_words.NO_RESCUE) if confined and warned else None


class RollCalls:
    """Make the views of evacuations, drills, visitors and drill plans."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._gases: dict[str, list[r.GasView]] = {}
        self._frames: dict[str, str] = {}
        """Kept for one rendering: many who are missing were in few zones."""

    def evacuations(self, names: Names) -> dict[str, r.EvacuationView]:
        """Show what runs and the last of what is over; drills are marked."""
        response = self.replica.state.response
        every = (*response.evacuations.values(), *response.drills.values())
        return {record.id: self._evacuation(names, record) for record in every}

    def visitors(self) -> dict[str, r.VisitorView]:
        """Show people without a tag who are on site."""
        return {
            each.badge: r.VisitorView(
                id=each.badge,
                count=each.count,
                zone_id=each.zone_id,
                host_id=each.host_id,
                since_ms=each.since_wall_ns // MS,
            )
            for each in self.replica.state.response.visitors.values()
        }

    def drill_plans(self) -> dict[str, r.DrillPlanView]:
        """Show the drills that the site holds, and when each is due."""
        found = {}
        for plan in self.replica.bundle.site.drills:
            known = self.replica.state.response.drilled.get(plan.id)
            held = known.wall_ns // MS if known is not None else 0
            due = 0
            if plan.every_d is not None:
                now = self.replica.now_ms()
                due = held + int(plan.every_d * _DAY_MS) if held else now
            found[plan.id] = r.DrillPlanView(
                id=plan.id,
                names=two(plan.names),
                zones=list(plan.zones),
                every_d=plan.every_d,
                attacks=len(plan.attacks),
                held_ms=held,
                due_ms=due,
            )
        return found

    def _evacuation(self, names: Names, record: EvacuationRecord) -> r.EvacuationView:
        firsts = (first_said(self.replica, zone) for zone in record.zones)
        return r.EvacuationView(
            id=record.id,
            zones=record.zones,
            text=code_text(names, record.code, record.params),
            first=next((each for each in firsts if each is not None), None),
            muster_points=record.muster_points,
            refused=record.refused,
            wind=record.wind,
            started_ms=record.started_wall_ns // MS,
            late_ms=due_ms(record.late),
            late_called=record.late_called,
            cleared_ms=record.cleared_wall_ns // MS,
            cleared_by=record.cleared_by,
            mark=record.mark,
            retested=sorted(record.retests),
            roll=[self._line(names, record, line) for line in record.roll.values()],
            drill=self._drill(names, record),
        )

    def _drill(self, names: Names, record: EvacuationRecord) -> r.DrillView | None:
        facts = record.drill
        if facts is None:
            return None
        attacks = []
        for number in facts.done:
            attack = facts.attacks[number]
            # Who hides is told to nobody before the drill is over.
            secret = attack.kind == "person_hidden" and not facts.why
            if not secret:
                said = attack_text(names, attack)
                attacks.append(r.AttackView(kind=attack.kind, text=said))
        return r.DrillView(
            names=names.plan(facts.plan),
            by=facts.by,
            until_ms=due_ms(facts.until),
            why=facts.why,
            target_s=facts.target_s,
            target_share=facts.target_share,
            attacks=attacks,
        )

    # --- lines ----------------------------------------------------------------

    def _line(
        self, names: Names, record: EvacuationRecord, line: RollLine
    ) -> r.RollView:
        at = self.replica.state.people.presence.get(line.person_id)
        zone_id = (at.zone_id or at.last_zone_id if at else None) or line.zone_id
        wanted = line.status not in _DONE and not record.cleared_wall_ns
        return r.RollView(
            person_id=line.person_id,
            names=names.person(line.person_id),
            zone_id=zone_id,
            certain=line.certain if at is None else at.zone_id is not None,
            status=line.status,
            method=line.method,
            by=line.by,
            at_ms=line.at_wall_ns // MS,
            late=line.late,
            count=line.count,
            seen=line.seen,
            joined_ms=line.joined_wall_ns // MS,
            seen_ms=at.since_wall_ns // MS if at else 0,
            permits=self._work(line.person_id) if wanted else [],
            gas=self._gas(zone_id) if wanted and zone_id else [],
            frame=self._frame(zone_id) if wanted and zone_id else "",
        )

    def _work(self, person_id: str) -> list[r.WorkRef]:
        permits = self.replica.state.permits.permits.values()
        return [
            r.WorkRef(id=p.id, title=p.title, status=str(p.status.value))
            for p in permits
            if not p.ended
            and person_id in (*p.workers, p.guardian_id, *p.life.guardians)
        ]

    def _gas(self, zone_id: str) -> list[r.GasView]:
        if zone_id not in self._gases:
            self._gases[zone_id] = self._measured(zone_id)
        return self._gases[zone_id]

    def _measured(self, zone_id: str) -> list[r.GasView]:
        registry = self.replica.state.registry
        found = []
        for entity in registry.entities.values():
            live = self.replica.live.get(entity.id)
            here = self.replica.zone_of_entity(entity.id) == zone_id
            if live is None or not here or entity.declared.kind.value != "gas":
                continue
            found.append(
                r.GasView(
                    quantity=entity.declared.quantity,
                    value=live.value,
                    unit=entity.declared.unit,
                    quality=int(live.quality),
                )
            )
        return found

    def _frame(self, zone_id: str) -> str:
        if zone_id not in self._frames:
            self._frames[zone_id] = self._pictured(zone_id)
        return self._frames[zone_id]

    def _pictured(self, zone_id: str) -> str:
        """Return the last picture that a device of a zone told of."""
        devices = self.replica.state.registry.devices
        for kept in reversed(self.replica.events):
            params = getattr(kept.body, "params", None)
            device = devices.get(str(getattr(kept.body, "device_id", "")))
            if device is None or device.zone_id != zone_id or not params:
                continue
            frame = params.get("frame") or params.get("clip")
            if isinstance(frame, str):
                return frame
        return ""
