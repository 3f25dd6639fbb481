"""The all-clear: given on site, by a named authority, on proof; it releases nothing.

Nobody may be missing but who is being rescued by name; no alarm may stand; and each
zone needs GOOD readings below its limits for the declared time, or a portable
re-test that somebody wrote down.
"""

from typing import Final

from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.errors import Refused
from core.api.model import EntityKind
from core.api.quality import Quality
from core.clock import NS
from core.config import Quantity
from core.hub import Hub
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.people import People
from core.permits.interlocks import MARKS
from core.permits.lifecycle import FINAL
from core.readings.units import conversion
from core.response import acts, roll_acts
from core.response.events import EvacuationCleared, EvacuationReopened
from core.response.roll import Roll
from core.response.roll_events import RetestVoided, Sample, ZoneRetested
from core.response.roll_state import EvacuationRecord

#: Evidence for an all-clear must be at most this old.
_EVIDENCE_S: Final = 60.0
#: A portable re-test counts for so long.
RETEST_S: Final = 900.0


class AllClear:
    """Judge whether a zone may be entered again; keep how long its air was good."""

    def __init__(self, hub: Hub, access: Access, people: People, roll: Roll) -> None:
        self._hub, self._people, self._roll = hub, people, roll
        self._good_ns: dict[str, int] = {}
        """Zone → boot ns since when its evidence has been good without a break."""
        access.bind(acts.ClearEvacuation, self._clear_act)
        access.bind(roll_acts.RetestZone, self._retest_act)
        hub.on(AlarmRaised, lambda body, _: self._void(body.alarm_id))
        hub.on(AlarmRepeated, lambda body, _: self._void(body.alarm_id))
        hub.undo(EvacuationCleared, self._reopen)
        hub.undo(ZoneRetested, self._retest_back)

    def arm(self) -> None:
        """Begin to watch anew: other limits may count now."""
        self._good_ns.clear()

    def tick(self) -> None:
        """Watch the air of the zones that people were called out of."""
        running = [r for r in self._roll.running() if not r.mark]
        zones = {zone: record for record in running for zone in record.zones}
        now = self._hub.clock.mono_ns()
        for zone_id in set(self._good_ns) - zones.keys():
            del self._good_ns[zone_id]
        for zone_id, record in zones.items():
            if self._bad(record, zone_id):
                self._good_ns.pop(zone_id, None)
            else:
                self._good_ns.setdefault(zone_id, now)

    # --- the all-clear --------------------------------------------------------

    def _clear_act(
        self, actor: str, act: acts.ClearEvacuation, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._roll.get(act.evacuation_id)
        if record.mark:
            raise Refused("drill.not_cleared", drill=record.id)
        missing = self._roll.missing(record)
        if missing:
            raise Refused("evacuation.missing", people=", ".join(missing))
        places = self._hub.state.alarms.places
        for alarm in places.vital(*record.zones, None):
            if alarm.stands and alarm.mark not in MARKS:
                raise Refused("evacuation.alarm_active", alarm=alarm.kind)
        if self._people.on_site(actor) is not Truth.TRUE:
            raise Refused("act.not_on_site", person=actor)
        evidence = tuple(self._evidence(record))
        body = EvacuationCleared(
            evacuation_id=record.id, person_id=actor, evidence=evidence
        )
        signed = Cause(
            actor=cause.actor,
            evidence=evidence,
            proof=cause.proof,
            second=cause.second,
        )
        self._hub.emit(body, signed)
        return {"evacuation_id": record.id}

    def _evidence(self, record: EvacuationRecord) -> list[str]:
        """Return the meters that prove the zones safe; refuse without them."""
        readings, found, bad, wait = self._people.readings, [], [], 0.0
        for zone_id in record.zones:
            if self._retested(record, zone_id):
                continue
            wrong = self._bad(record, zone_id)
            bad += [f"{zone_id}: {each}" for each in wrong]
            wait = max(wait, 0.0 if wrong else self._wait_s(zone_id))
            for gas in sorted(self._gases(record, zone_id)):
                current = readings.current(zone_id, gas)
                found += [r.entity_id for r in current if r.quality is Quality.GOOD]
        if bad:
            raise Refused("evacuation.evidence", bad="; ".join(bad))
        if wait > 0.0:
            raise Refused(
                "evacuation.settling",
                seconds=round(wait),
                needed=round(self._hub.bundle.site.clear_s),
            )
        return found

    def _bad(self, record: EvacuationRecord, zone_id: str) -> list[str]:
        """Return what is not proven of a zone now."""
        readings = self._people.readings
        found = ["unmonitored"] if zone_id in readings.unmonitored() else []
        for gas in sorted(self._gases(record, zone_id)):
            truth = readings.acceptable(zone_id, gas, _EVIDENCE_S)
            if truth is not Truth.TRUE:
                found.append(f"{gas} {truth.name.lower()}")
        return found

    def _wait_s(self, zone_id: str) -> float:
        """Return how long the air must stay good still."""
        now = self._hub.clock.mono_ns()
        since = self._good_ns.get(zone_id, now)
        return self._hub.bundle.site.clear_s - (now - since) / NS

    def _gases(self, record: EvacuationRecord, zone_id: str) -> set[str]:
        """Return what must be proven: measured there, asked by work, or in alarm."""
        entities = self._people.registry.entities(zone_id=zone_id, kind=EntityKind.GAS)
        gases = {entity.declared.quantity for entity in entities}
        gases |= set(record.gases.get(zone_id, ()))
        classes = {q.gas_class for q in self._hub.bundle.quantities if q.id in gases}
        kinds = {kind.id: kind for kind in self._hub.bundle.permit_kinds}
        for permit in self._hub.state.permits.permits.values():
            kind = kinds.get(permit.kind)
            here = permit.zone_id == zone_id and permit.status not in FINAL
            if here and kind is not None:
                # The law names classes: a meter of the class is asked by itself.
                gases |= set(kind.gases) - classes
        return gases

    def _reopen(self, body: EvacuationCleared) -> None:
        self._hub.emit(EvacuationReopened(evacuation_id=body.evacuation_id))

    # --- portable re-test -----------------------------------------------------

    def _retested(self, record: EvacuationRecord, zone_id: str) -> bool:
        then = record.retests.get(zone_id)
        left = then.remaining_ns(self._hub.clock) if then is not None else None
        return left is not None and -left <= int(RETEST_S * NS)

    def _retest_act(
        self, actor: str, act: roll_acts.RetestZone, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._roll.get(act.evacuation_id)
        if record.mark:
            raise Refused("drill.not_cleared", drill=record.id)
        if act.zone_id not in record.zones:
            raise Refused("evacuation.not_left", zone=act.zone_id)
        known = {each.id: each for each in self._hub.bundle.quantities}
        samples = tuple(
            self._sample(self._read(each, act.zone_id), known) for each in act.samples
        )
        measured = {each.gas for each in samples}
        classes = {known[gas].gas_class for gas in measured}
        owed = self._gases(record, act.zone_id) - measured - classes
        if owed:
            raise Refused("evacuation.retest_owed", gases=", ".join(sorted(owed)))
        body = ZoneRetested(
            evacuation_id=record.id,
            zone_id=act.zone_id,
            person_id=actor,
            samples=samples,
        )
        self._hub.emit(body, cause)
        return {"zone": act.zone_id}

    def _read(self, sample: Sample, zone_id: str) -> Sample:
        """Return a sample with what its meter of the hub says now, there and GOOD."""
        if not sample.entity_id:
            if not sample.instrument.strip():
                raise Refused("evacuation.retest_instrument", gas=sample.gas)
            return sample
        current = self._people.readings.current(zone_id, sample.gas)
        found = [r for r in current if r.entity_id == sample.entity_id]
        if not found or found[0].quality is not Quality.GOOD:
            raise Refused("evacuation.retest_meter", gas=sample.gas)
        return Sample(
            gas=sample.gas,
            value=_number(found[0].value),
            unit=found[0].unit,
            entity_id=sample.entity_id,
        )

    def _sample(self, sample: Sample, known: dict[str, Quantity]) -> Sample:
        """Return a sample as it counts; refuse one that proves nothing."""
        quantity = known.get(sample.gas)
        if quantity is None or not quantity.gas_class:
            raise Refused("evacuation.retest_gas", gas=sample.gas)
        value = _in_unit(quantity, sample)
        low, high = quantity.accept_above, quantity.accept_below
        nothing = value is None or (low is None and high is None)
        if nothing or value is None:
            raise Refused("evacuation.retest_value", gas=sample.gas)
        if (low is not None and value < low) or (high is not None and value > high):
            raise Refused(
                "evacuation.retest_failed",
                gas=sample.gas,
                value=value,
                unit=quantity.unit,
            )
        return sample

    def _void(self, alarm_id: str) -> None:
        """Let re-tests count no more where a new alarm came after them."""
        alarm = self._hub.state.alarms.open.get(alarm_id)
        if alarm is None or alarm.mark or not alarm.life_safety:
            return
        for record in self._roll.running():
            here = [z for z in record.retests if alarm.zone_id in (z, None)]
            if here:
                self._hub.emit(
                    RetestVoided(
                        evacuation_id=record.id, zones=tuple(here), why="alarm"
                    )
                )

    def _retest_back(self, body: ZoneRetested) -> None:
        self._hub.emit(
            RetestVoided(
                evacuation_id=body.evacuation_id,
                zones=(body.zone_id,),
                why="not_durable",
            )
        )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _in_unit(quantity: Quantity, sample: Sample) -> float | None:
    """Return a sample's value in its quantity's unit, None when nobody can tell."""
    if sample.value is None or not sample.value >= 0.0:  # NaN too
        return None
    line = conversion(
        sample.unit,
        quantity.unit,
        lel_vol=quantity.lel_vol,
        molar_mass=quantity.molar_mass,
    )
    return None if line is None else line(sample.value)
