"""Evacuations: started at once, as wide as the plan says, and never ended by itself."""

from collections.abc import Iterable

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.reading import Value
from core.deadlines import Deadline
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.people.access import Access, Answer
from core.people.people import People
from core.response import acts
from core.response.all_clear import AllClear
from core.response.commands import Commands
from core.response.drills import Drills
from core.response.events import EvacuationExtended, EvacuationStarted
from core.response.muster import Muster
from core.response.roll import Roll, marked
from core.response.roll_events import MusterChanged
from core.response.roll_state import EvacuationRecord
from core.response.sirens import Sirens
from core.site.site import Site


class Evacuations:
    """Call people out; hold the roll call, the all-clear, the drills, the sirens."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        site: Site,
        people: People,
        commands: Commands,
        alarms: Alarms,
    ) -> None:
        self._hub, self._site, self._people = hub, site, people
        self.sirens = Sirens(hub, access, people, commands)
        self._muster = Muster(hub, site, people)
        self.roll = Roll(hub, access, site, people, alarms, self._muster)
        self._all_clear = AllClear(hub, access, people, self.roll)
        self.drills = Drills(hub, access, site, people, alarms, self)
        access.bind(acts.StartEvacuation, self._start_act)

    def arm(self) -> None:
        """Let the air of what was left be judged anew."""
        self._all_clear.arm()

    def recover(self, clean: bool) -> None:
        """Go on with what runs; one whose time is unknown is late now."""
        for record in self.roll.running():
            self.roll.arm_late(record)
        self.drills.recover()

    def tick(self) -> None:
        """Sound again where people may be inside; judge air, muster points, drills."""
        self.sirens.tick()
        for record in self.roll.running():
            self._offer(record)
            self.roll.look_again(record)
        self._all_clear.tick()
        self.drills.tick()

    # --- start ----------------------------------------------------------------

    def start(
        self,
        zones: Iterable[str],
        code: str,
        *,
        params: dict[str, Value] | None = None,
        mark: str = "",
        cause: Cause = CORE,
    ) -> str:
        """Call people out of zones and what the plan adds to them; return the id.

        Extends a running one that touches them. A drill never begins beside what
        is real: then the id is ''.
        """
        if mark and self.drills.forbidden():
            return ""
        asked = tuple(dict.fromkeys(zones))
        facts = params or {}
        gas = str(facts.get("quantity") or "")
        wanted = self._site.leaving(asked, gas)
        gases = self._gases(asked, gas)
        touched = self._touching(wanted, mark)
        if touched is not None:
            self.extend(touched, wanted, cause, gases)
            evacuation_id = touched.id
        else:
            body = self._called(wanted, code, facts, mark, asked, gases)
            evacuation_id = self._begin(body, cause)
        for zone_id in wanted:
            self.sirens.sound(zone_id, evacuation_id, cause, drill=bool(mark))
        return evacuation_id

    def running(self, zone_id: str | None = None) -> list[EvacuationRecord]:
        """Return the running evacuations, of a zone or all; drills are none."""
        return [
            record
            for record in self._hub.state.response.evacuations.values()
            if not record.cleared_wall_ns
            and (zone_id is None or zone_id in record.zones)
        ]

    def _called(
        self,
        zones: tuple[str, ...],
        code: str,
        params: dict[str, Value],
        mark: str,
        asked: tuple[str, ...],
        gases: dict[str, tuple[str, ...]],
    ) -> EvacuationStarted:
        late_s = self._hub.bundle.site.evacuate_s
        offer = self._muster.begin(zones, asked, mark)
        return EvacuationStarted(
            evacuation_id=self._hub.ids.new(),
            zones=zones,
            code=code,
            roster=tuple(self.roll.roster(zones)),
            params=params,
            muster_points=offer.offered,
            late=Deadline.after(self._hub.clock, late_s),
            mark=mark,
            asked=asked,
            gases=gases,
            refused=offer.refused,
            wind=offer.wind,
        )

    def _begin(self, body: EvacuationStarted, cause: Cause) -> str:
        if body.mark:
            cause = Cause(
                actor=cause.actor, rule=cause.rule, parent=cause.parent, drill=True
            )
        self._hub.emit(body, cause)
        record = self._hub.state.response.call(body.evacuation_id)
        if record is not None:
            self.roll.arm_late(record)
        return body.evacuation_id

    def extend(
        self,
        record: EvacuationRecord,
        zones: Iterable[str],
        cause: Cause,
        gases: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Let more zones, and who is in them, join what runs."""
        wanted = tuple(zones)
        new = tuple(zone for zone in wanted if zone not in record.zones)
        lines = tuple(
            line
            for line in self.roll.roster(wanted)
            if line.person_id not in record.roll
        )
        more = {
            zone: found
            for zone, found in (gases or {}).items()
            if set(found) - set(record.gases.get(zone, ()))
        }
        if new or lines or more:
            body = EvacuationExtended(
                evacuation_id=record.id,
                zones=new,
                roster=lines,
                late=self.roll.new_time(record) if new or lines else None,
                gases=more,
            )
            self._hub.emit(body, marked(record, cause))
            self.roll.arm_late(record)

    def _touching(self, zones: tuple[str, ...], mark: str) -> EvacuationRecord | None:
        for record in self.roll.running():
            if record.mark != mark:
                continue  # a drill never covers what is real
            beside = {n for zone in record.zones for n in self._site.neighbours(zone)}
            if set(zones) & (beside | set(record.zones)):
                return record
        return None

    def _gases(self, asked: tuple[str, ...], gas: str) -> dict[str, tuple[str, ...]]:
        """Return what must be proven where its alarm was: in the first zone asked."""
        known = any(q.id == gas and q.gas_class for q in self._hub.bundle.quantities)
        return {asked[0]: (gas,)} if known and asked else {}

    def _offer(self, record: EvacuationRecord) -> None:
        """Tell which muster points count now, when they are others than before."""
        offer = self._muster.again(record)
        before = (tuple(record.muster_points), record.refused)
        if (offer.offered, offer.refused) != before:
            body = MusterChanged(
                evacuation_id=record.id,
                offered=offer.offered,
                refused=offer.refused,
                wind=offer.wind,
            )
            self._hub.emit(body, marked(record, CORE))

    # --- acts -----------------------------------------------------------------

    def _start_act(
        self, actor: str, act: acts.StartEvacuation, _version: int | None, cause: Cause
    ) -> Answer:
        if not act.zones:
            raise Refused("site.zone_unknown", zone="")
        for zone_id in act.zones:
            if self._site.zone(zone_id) is None:
                raise Refused("site.zone_unknown", zone=zone_id)
        evacuation_id = self.start(
            act.zones,
            "evacuation.by_person",
            params={"person": actor, "reason": act.reason},
            cause=cause,
        )
        return {"evacuation_id": evacuation_id}
