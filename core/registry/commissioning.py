"""Prove a zone before it is called protected: gas at each detector, seen to the end.

The journal's own events tick what they show; a person's word ticks what only people
hear and see. What changes afterwards takes the protection away (requirement 1.24).
"""

from typing import Final

from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.command import CommandState
from core.api.errors import Refused
from core.api.reading import Value, is_on
from core.clock import NS
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access
from core.permits.events import PermitHeld
from core.permits.lifecycle import RUNNING
from core.registry import commissioning_acts as acts
from core.registry.commissioning_events import (
    CommissionBegun,
    CommissionEnded,
    CommissionLapsed,
    CommissionSigned,
    GasApplied,
    LineTicked,
    LineUnticked,
)
from core.registry.commissioning_sheet import (
    BY_JOURNAL,
    CALLS,
    Row,
    Sheet,
    changed,
    missing,
    sheet,
    tick,
)
from core.registry.commissioning_state import ZoneSheet
from core.registry.declared import Rules
from core.registry.events import (
    DeviceEnrolled,
    DeviceRemoved,
    DeviceReplaced,
    DeviceZoned,
)
from core.response.events import CommandMoved, NoticeMoved

#: For so long after the gas was applied an event counts as its effect.
EFFECT_S: Final = 600.0
#: Sheets that are looked at in one second; what protects goes first.
AT_ONCE: Final = 10
_SEEN: Final = ("seen", "acknowledged")
Answer = dict[str, Value]


class Commissioning:
    """Keep each zone's sheet, and say what of it still counts."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub = hub
        self._doubted: dict[str, None] = {}
        """Zones whose sheets may not be what was signed."""
        self._called: dict[str, str] = {}
        """Zone under test → event by which an output that calls people answered."""
        self._alarms: dict[str, str] = {}
        """Alarm that a test caused → zone."""
        access.bind(acts.BeginCommission, self._begin)
        access.bind(acts.ApplyGas, self._gas)
        access.bind(acts.TickLine, self._tick)
        access.bind(acts.UntickLine, self._untick)
        access.bind(acts.SignCommission, self._sign)
        access.bind(acts.EndCommission, self._end)
        hub.on(AlarmRaised, self._raised)
        hub.on(AlarmRepeated, self._repeated)
        hub.on(PermitHeld, self._held)
        hub.on(CommandMoved, self._moved)
        hub.on(NoticeMoved, self._noticed)
        hub.undo(CommissionSigned, self._take_back)
        changes = (DeviceEnrolled, DeviceReplaced, DeviceZoned, DeviceRemoved)
        hub.derive(changes, self._touched)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Look at every signed sheet anew: the bundle may have changed it."""
        self._doubted = dict.fromkeys(self._zones())

    def recover(self, clean: bool) -> None:
        """Look at every signed sheet anew."""
        self.arm()

    def tick(self) -> None:
        """Take the protection of a zone away that is not what was proved."""
        if not self._doubted:
            return
        rules = Rules(self._hub.bundle)
        for zone_id in list(self._doubted)[:AT_ONCE]:
            del self._doubted[zone_id]
            self._judge(zone_id, rules)

    def _judge(self, zone_id: str, rules: Rules) -> None:
        done = self._zones().get(zone_id)
        if done is None or not done.signed_by:
            return
        made = sheet(self._hub.bundle, self._hub.state.registry, zone_id, rules)
        if made.stamp != done.sheet:
            what = changed(made, done)
            body = CommissionLapsed(zone_id=zone_id, code="changed", what=what)
            self._hub.emit(body)

    def made(self, zone_id: str) -> Sheet:
        """Return a zone's sheet as bundle and registry make it now."""
        return sheet(self._hub.bundle, self._hub.state.registry, zone_id)

    def _touched(self, _: object) -> None:
        """Doubt every zone: a device may have left one and come into another."""
        self._doubted.update(dict.fromkeys(self._zones()))

    def _zones(self) -> dict[str, ZoneSheet]:
        return self._hub.state.registry.commissioning

    # --- acts -----------------------------------------------------------------

    def _begin(
        self, actor: str, act: acts.BeginCommission, _v: int | None, cause: Cause
    ) -> Answer:
        self._known(act.zone_id)
        if not self.made(act.zone_id).rows:
            raise Refused("commission.no_detector", zone=act.zone_id)
        self._hub.emit(CommissionBegun(zone_id=act.zone_id, person_id=actor), cause)
        return {"zone_id": act.zone_id}

    def _gas(
        self, actor: str, act: acts.ApplyGas, _v: int | None, cause: Cause
    ) -> Answer:
        row = self._row(act.zone_id, act.entity_id)
        self._called.pop(act.zone_id, None)
        self._hub.emit(
            GasApplied(
                zone_id=act.zone_id,
                entity_id=act.entity_id,
                gas=act.gas,
                person_id=actor,
            ),
            cause,
        )
        self._shown(act.zone_id, row, "gas", cause, person=actor, note=act.gas)
        return {"zone_id": act.zone_id, "entity_id": act.entity_id}

    def _tick(
        self, actor: str, act: acts.TickLine, _v: int | None, cause: Cause
    ) -> Answer:
        row = self._row(act.zone_id, act.entity_id)
        done = self._zones()[act.zone_id]
        if act.step not in row.steps:
            raise Refused("commission.not_needed", step=act.step)
        if act.step in (*BY_JOURNAL, "gas"):
            raise Refused("commission.by_journal", step=act.step)
        if tick(done, row, "alarm") is None:
            raise Refused("commission.alarm_first", name=row.device.name)
        evidence: tuple[str, ...] = ()
        if act.step == "siren":
            answered = self._called.get(act.zone_id)
            if answered is None:
                raise Refused("commission.not_called", zone=act.zone_id)
            evidence = (answered,)
        elif act.step == "hold":
            self._nothing_held(act)
        self._shown(
            act.zone_id, row, act.step, cause, evidence, person=actor, note=act.note
        )
        return {"zone_id": act.zone_id, "left": self._left(act.zone_id)}

    def _nothing_held(self, act: acts.TickLine) -> None:
        """Take a person's word only where no work was there to be held."""
        if not act.note.strip():
            raise Refused("commission.say_why")
        permits = self._hub.state.permits.permits.values()
        if any(p.zone_id == act.zone_id and p.status in RUNNING for p in permits):
            raise Refused("commission.by_journal", step=act.step)

    def _untick(
        self, actor: str, act: acts.UntickLine, _v: int | None, cause: Cause
    ) -> Answer:
        self._row(act.zone_id, act.entity_id)
        body = LineUnticked(
            zone_id=act.zone_id,
            entity_id=act.entity_id,
            step=act.step,
            person_id=actor,
            note=act.note,
        )
        self._hub.emit(body, cause)
        return {"zone_id": act.zone_id, "left": self._left(act.zone_id)}

    def _sign(
        self, actor: str, act: acts.SignCommission, _v: int | None, cause: Cause
    ) -> Answer:
        self._known(act.zone_id)
        self._open(act.zone_id)
        made = self.made(act.zone_id)
        if made.stamp != act.sheet:
            raise Refused("commission.other_sheet", zone=act.zone_id)
        left = self._left(act.zone_id)
        if left or not made.rows:
            raise Refused("commission.incomplete", left=left)
        self._hub.emit(
            CommissionSigned(
                zone_id=act.zone_id, person_id=actor, sheet=made.stamp, note=act.note
            ),
            cause,
        )
        return {"zone_id": act.zone_id, "sheet": made.stamp}

    def _end(
        self, actor: str, act: acts.EndCommission, _v: int | None, cause: Cause
    ) -> Answer:
        self._open(act.zone_id)
        body = CommissionEnded(zone_id=act.zone_id, code="ended", person_id=actor)
        self._hub.emit(body, cause)
        return {"zone_id": act.zone_id}

    # --- what the journal shows -------------------------------------------------

    def _raised(self, body: AlarmRaised, envelope: Envelope) -> None:
        if body.mark or not body.kind.startswith("gas."):
            return  # what is marked TEST or DRILL proves nothing
        self._alarmed(body.alarm_id, body.source, body.params, envelope)

    def _repeated(self, body: AlarmRepeated, envelope: Envelope) -> None:
        record = self._hub.state.alarms.open.get(body.alarm_id)
        if record is not None and record.kind.startswith("gas.") and not record.mark:
            self._alarmed(body.alarm_id, record.source, body.params, envelope)

    def _alarmed(
        self, alarm_id: str, source: str, params: dict[str, Value], envelope: Envelope
    ) -> None:
        for zone_id, row in self._under():
            if source == f"entity:{row.entity.id}":
                self._alarms[alarm_id] = zone_id
                cause, seen = _by(envelope), (envelope.id,)
                value = params.get("value")
                self._shown(zone_id, row, "reading", cause, seen, value=value)
                self._shown(zone_id, row, "alarm", cause, seen, value=value)

    def _held(self, body: PermitHeld, envelope: Envelope) -> None:
        permit = self._hub.state.permits.permits.get(body.permit_id)
        for zone_id, row in self._under():
            if permit is not None and permit.zone_id == zone_id and self._has(row):
                self._shown(zone_id, row, "hold", _by(envelope), (envelope.id,))

    def _moved(self, body: CommandMoved, envelope: Envelope) -> None:
        if body.state != CommandState.CONFIRMED:
            return
        for zone_id, _ in self._under():
            for last in self._hub.state.response.outputs.values():
                if last.id == body.command_id and self._calls(last.entity_id, zone_id):
                    if is_on(last.value):
                        self._called[zone_id] = envelope.id

    def _calls(self, entity_id: str, zone_id: str) -> bool:
        registry = self._hub.state.registry
        entity = registry.entities.get(entity_id)
        output = entity.declared.output if entity is not None else None
        if entity is None or output is None or output.kind not in CALLS:
            return False
        return registry.devices[entity.device_id].zone_id == zone_id

    def _noticed(self, body: NoticeMoved, envelope: Envelope) -> None:
        notice = self._hub.state.response.notices.get(body.notice_id)
        if notice is None or body.state not in _SEEN:
            return
        zone_of = self._alarms.get(notice.about)
        for zone_id, row in self._under():
            if zone_id == zone_of and self._has(row):
                self._shown(zone_id, row, "message", _by(envelope), (envelope.id,))

    # --- inside -----------------------------------------------------------------

    def _under(self) -> list[tuple[str, Row]]:
        """Return the detectors that have test gas, by zone."""
        now, boot = self._hub.clock.mono_ns(), self._hub.clock.boot_id
        found = []
        for zone_id, done in self._zones().items():
            fresh = now - done.under_mono_ns <= EFFECT_S * NS and done.boot_id == boot
            if done.begun_by and done.under and fresh:
                rows = self.made(zone_id).rows
                found += [(zone_id, r) for r in rows if r.entity.id == done.under]
        return found

    def _has(self, row: Row) -> bool:
        """Say whether a detector under test has alarmed: nothing before is its."""
        done = self._zones().get(row.device.zone_id or "")
        return tick(done, row, "alarm") is not None

    def _shown(
        self,
        zone_id: str,
        row: Row,
        step: str,
        cause: Cause,
        evidence: tuple[str, ...] = (),
        *,
        person: str = "",
        value: Value = None,
        note: str = "",
    ) -> None:
        done = self._zones().get(zone_id)
        if step not in row.steps or tick(done, row, step) is not None:
            return
        self._hub.emit(
            LineTicked(
                zone_id=zone_id,
                entity_id=row.entity.id,
                step=step,
                stamp=row.stamp,
                person_id=person,
                evidence=evidence,
                value=value,
                note=note,
            ),
            cause,
        )

    def _known(self, zone_id: str) -> None:
        if all(zone.id != zone_id for zone in self._hub.bundle.site.zones):
            raise Refused("site.zone_unknown", zone=zone_id)

    def _open(self, zone_id: str) -> ZoneSheet:
        done = self._zones().get(zone_id)
        if done is None or not done.begun_by:
            raise Refused("commission.not_begun", zone=zone_id)
        return done

    def _row(self, zone_id: str, entity_id: str) -> Row:
        self._open(zone_id)
        for row in self.made(zone_id).rows:
            if row.entity.id == entity_id:
                return row
        raise Refused("commission.not_here", zone=zone_id)

    def _left(self, zone_id: str) -> int:
        return len(missing(self.made(zone_id), self._zones().get(zone_id)))

    def _take_back(self, body: CommissionSigned) -> None:
        self._hub.emit(CommissionLapsed(zone_id=body.zone_id, code="not_durable"), CORE)


def _by(envelope: Envelope) -> Cause:
    return Cause(actor="hub:commissioning", parent=envelope.id)
