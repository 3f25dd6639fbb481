"""The gas of a permit: tests, two-hour records, and the facts that rules ask for.

GB 30871 5.3, 6.3–6.5; AQ 3064.2 5.4.3, 5.9.1–5.9.4; H5–H9. No fact comes from
anything that is not evidence; what failed says so whatever its meter is worth.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.hub import Hub
from core.logic.truth import Truth, all_of
from core.people.access import Access
from core.permits.gas_limits import Verdict
from core.permits.gas_proofs import SHARES, GasProof, Proofs, passes, prove, worst
from core.permits.gas_samples import Live, Needed, Samples, share
from core.permits.gas_tests_desk import GasDesk
from core.permits.gas_tests_events import (
    GasesNamed,
    GasRecorded,
    GasSample,
    GasTested,
    OxygenCheckAllowed,
    OxygenCheckEnded,
)
from core.permits.lifecycle import FINAL, PREPARING, RUNNING, PermitStatus
from core.permits.pack import Kind, Pack
from core.permits.packs import Packs
from core.permits.roster import Roster
from core.permits.state import PermitRecord
from core.readings.calibration import PROVEN, Meters, Standing, State
from core.readings.readings import Readings

_MIN: Final = 60 * NS
#: An automatic record is made so long before the last one grows too old.
_EARLY_MIN: Final = 1.0
#: Monitoring goes on under these: people may be inside.
_RECORDED: Final = (
    *(PermitStatus.ACTIVE, PermitStatus.VERIFYING),
    *(PermitStatus.HELD, PermitStatus.EXPIRED),
)
#: Nobody looks at these again because of their gas.
_UNSEEN: Final = (*PREPARING, *FINAL)
_AGAINST: Final = (Standing.OVERDUE, Standing.FAILED)
#: Permits looked at in one go; the look of a second is spread over it.
_BATCH: Final = 5
_PAUSE_S: Final = 0.004
#: Facts that time alone changes, by the minute.
_AGES: Final = ("gas_age_min", "gas_record_age_min")
#: Marks of alarms that are no hazard.
_MARKS: Final = ("TEST", "DRILL")

_YES, _NO, _OPEN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN

Values = dict[str, Value]


class _View(NamedTuple):
    """Hold what is known of a permit's gas at one moment."""

    permit: PermitRecord
    kind: Kind
    proofs: Proofs
    whole: bool
    """False: nothing stands for a gas that the pack demands."""
    live: dict[str, list[Live]]
    running: bool

    def by_live(self, gas: str) -> bool:
        """Say whether the meters that hang there decide, and no earlier test."""
        need = self.kind.gas
        continuous = need is not None and need.continuous
        return self.running and (continuous or bool(self.live[gas]))


class GasTests:
    """Tell what gas tests and live meters prove of each permit."""

    names = frozenset(
        """
gas_tested gas_age_min gas_acceptable gas_places_complete gas_tested_today gas_retested
gas_record_age_min continuous_monitor_online meter_calibrated oxygen_vol flammable_lfl
toxic_limit_share
""".split()
    )

    def __init__(
        self,
        hub: Hub,
        access: Access,
        readings: Readings,
        meters: Meters,
        packs: Packs,
        roster: Roster,
    ) -> None:
        self._hub, self._meters, self._packs = hub, meters, packs
        self._roster = roster
        self.samples = Samples(hub, readings, meters)
        self.changed: Callable[[Iterable[str]], None] = lambda _permits: None
        self._told: dict[str, Values] = {}
        self._due: list[str] = []
        """Permits that are still to be looked at in this second."""
        self._proofs: dict[str, tuple[int, bool, Needed, Proofs]] = {}
        """Permit → version, switch and needs, and what its samples prove by them."""
        self.desk = GasDesk(hub, access, readings, meters, self.samples, packs)
        self.desk.bind(access)
        hub.on(GasTested, lambda body, _: self.changed([body.permit_id]))
        hub.on(GasRecorded, lambda body, _: self.changed([body.permit_id]))
        hub.on(GasesNamed, lambda body, _: self.changed([body.permit_id]))
        hub.on(OxygenCheckAllowed, lambda _body, _: self._look(roster.open()))
        hub.on(OxygenCheckEnded, lambda _body, _: self._look(roster.open()))
        meters.on_change(self._meter)
        hub.undo(OxygenCheckAllowed, self._check_back)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Take quantities and limits anew."""
        self.samples.arm()
        self._told.clear()

    def recover(self, clean: bool) -> None:
        """Owe nothing: what was tested stands in the journal."""
        self._told.clear()

    def tick(self) -> None:
        """Record what is due, and tell of permits whose gas has changed.

        Those under which people work are judged each second all the same.
        """
        late, self._due = self._due, []
        for permit in self._roster.open():
            if permit.status in RUNNING:
                self._record(permit)
            elif permit.status not in _UNSEEN:
                self._due.append(permit.id)
        for gone in self._proofs.keys() - self._hub.state.permits.permits.keys():
            self._proofs.pop(gone, None)
            self._told.pop(gone, None)
        self._look(self._still(late))  # what a slow second left over
        self._batch()

    def _batch(self) -> None:
        now, self._due = self._due[:_BATCH], self._due[_BATCH:]
        for permit in self._still(now):
            self._record(permit)
        self._look(self._still(now))
        if self._due:
            self._hub.after(_PAUSE_S, "gas.sweep", self._batch)

    def _still(self, permit_ids: list[str]) -> list[PermitRecord]:
        permits = self._hub.state.permits.permits
        return [permits[each] for each in permit_ids if each in permits]

    def _meter(self, device_id: str) -> None:
        """Look at the permits where a meter is, or was when it was tested with."""
        device = self._hub.state.registry.devices.get(device_id)
        zone_id = device.zone_id if device is not None else None
        here = self._roster.in_zone(zone_id) if zone_id is not None else ()
        self._look(
            permit
            for permit in self._roster.open()
            if zone_id is None or permit.id in here or _by(permit, device_id)
        )

    def _look(self, permits: Iterable[PermitRecord]) -> None:
        touched = []
        for permit in permits:
            ruled = self._packs.kind(permit) if permit.life.pack else None
            if ruled is None or permit.status in _UNSEEN or ruled.kind.gas is None:
                self._told.pop(permit.id, None)
                continue
            facts = self._facts(self._view(permit, ruled.kind, ruled.pack))
            for age in _AGES:
                if age in facts:
                    facts[age] = int(float(facts[age] or 0))
            if self._told.get(permit.id) != facts:
                self._told[permit.id] = facts
                touched.append(permit.id)
        if touched:
            self.changed(touched)

    def _check_back(self, _body: OxygenCheckAllowed) -> None:
        self._hub.emit(OxygenCheckEnded(reason="not_durable"))

    # --- answers --------------------------------------------------------------

    def facts(self, permit: PermitRecord, kind: Kind, pack: Pack) -> Values:
        """Return what can be told now; what nobody can tell is left out."""
        if kind.gas is None:
            return {}
        return self._facts(self._view(permit, kind, pack))

    def owed(
        self, permit: PermitRecord, kind: Kind, pack: Pack, since_seq: int
    ) -> list[str]:
        """Return the gases without a passing test since an event, or words for them."""
        needed = self.samples.needed(permit, kind, pack)
        check = self._hub.state.permits.gas.oxygen_check
        owed = list(needed.open)
        for gas in needed.limits:
            since = [
                each
                for each in permit.gas.latest.values()
                if each.sample.gas == gas and each.seq > since_seq
            ]
            if not since or not all(passes(e, check_cause=check) for e in since):
                owed.append(gas)
        return owed

    def _view(self, permit: PermitRecord, kind: Kind, pack: Pack) -> _View:
        needed = self.samples.needed(permit, kind, pack)
        check = self._hub.state.permits.gas.oxygen_check
        known = self._proofs.get(permit.id)
        if (
            known is None
            or known[:2] != (permit.version, check)
            or known[2] is not needed
        ):
            proofs = prove(permit, kind, needed, check_cause=check)
            known = (permit.version, check, needed, proofs)
            self._proofs[permit.id] = known
        return _View(
            permit=permit,
            kind=kind,
            proofs=known[3],
            whole=needed.whole,
            live={
                gas: self.samples.live(permit, gas, limit)
                for gas, limit in needed.limits.items()
            },
            running=permit.status not in PREPARING,
        )

    def _facts(self, view: _View) -> Values:
        found: Values = {}
        if view.whole:
            self._tested(view.proofs, found)
            self._online(view, found)
            self._calibrated(view, found)
            self._shares(view, found)
        acceptable = self._acceptable(view)
        if acceptable is not _OPEN:
            found["gas_acceptable"] = acceptable is _YES
        recorded = self._age_min(view.permit.gas.recorded)
        if recorded is not None:
            found["gas_record_age_min"] = recorded
        return found

    # --- tests ----------------------------------------------------------------

    def _tested(self, proofs: Proofs, found: Values) -> None:
        found["gas_tested"] = proofs.tested
        found["gas_places_complete"] = proofs.places
        if proofs.retested is not None:
            found["gas_retested"] = proofs.retested
        if not proofs.tested:
            found["gas_tested_today"] = False
            return
        ages = [self._age_min(when) for when in proofs.oldest]
        known = [age for age in ages if age is not None]
        if len(known) == len(ages):
            found["gas_age_min"] = max(known)
        days = self._meters.days
        today = days.today()
        newest = [
            [days.of(when) for when in each.newest] for each in proofs.gases.values()
        ]
        if today is not None and all(None not in each for each in newest):
            found["gas_tested_today"] = all(today in each for each in newest)

    def _age_min(self, then: Deadline | None) -> float | None:
        """Return the minutes since; None while the clock is not to be trusted."""
        clock = self._hub.clock
        if then is None or not clock.synced() or not then.synced:
            return None
        left = then.remaining_ns(clock)
        return None if left is None else max(-left, 0) / _MIN

    # --- the gas now ----------------------------------------------------------

    def _acceptable(self, view: _View) -> Truth:
        if self._alarmed(view.permit.zone_id):
            return _NO
        found = all_of([self._gas(view, gas) for gas in view.live])
        return found if view.whole or found is _NO else _OPEN

    def _gas(self, view: _View, gas: str) -> Truth:
        live, proof = view.live[gas], view.proofs.gases[gas]
        if proof.failed or any(each.verdict is Verdict.FAILED for each in live):
            return _NO
        if not view.by_live(gas):
            return _YES if proof.tested else _OPEN
        passing = (Verdict.PASSED, Verdict.CHECK if proof.explained else None)
        proven = bool(live) and all(e.evidence and e.verdict in passing for e in live)
        return _YES if proven else _OPEN

    def _alarmed(self, zone_id: str) -> bool:
        return any(
            alarm.stands and alarm.mark not in _MARKS
            for alarm in self._hub.state.alarms.places.of("gas", zone_id)
        )

    def _online(self, view: _View, found: Values) -> None:
        if not all(view.live.values()):
            found["continuous_monitor_online"] = False
        elif all(each.evidence for live in view.live.values() for each in live):
            found["continuous_monitor_online"] = True

    def _calibrated(self, view: _View, found: Values) -> None:
        truths = []
        for gas, live in view.live.items():
            truths += [_in_date(each.meter) for each in live]
            if not view.by_live(gas):
                samples = view.proofs.gases[gas].samples
                truths += [self._sample_in_date(each) for each in samples]
        truth = all_of(truths) if truths else _OPEN
        if truth is not _OPEN:
            found["meter_calibrated"] = truth is _YES

    def _sample_in_date(self, sample: GasSample) -> Truth:
        """Say whether the instrument of a sample is in date today."""
        if not sample.typed:
            return _in_date(self._meters.seen(sample.device_id))
        today = self._meters.days.today()
        if not sample.calibrated_to or today is None:
            return _OPEN
        in_date = today.isoformat() <= sample.calibrated_to
        return _YES if in_date else _NO

    def _shares(self, view: _View, found: Values) -> None:
        """Tell the worst amount of each class, where all its gases are known."""
        amounts: dict[str, list[float]] = {}
        unknown = set()
        for gas, proof in view.proofs.gases.items():
            if proof.limit is None:
                continue
            name = SHARES[proof.limit.gas_class]
            told = self._amounts(view, gas, proof)
            if told is None:
                unknown.add(name)
            else:
                amounts.setdefault(name, []).extend(told)
        for name, each in amounts.items():
            if name not in unknown:
                found[name] = worst(name, each)

    def _amounts(self, view: _View, gas: str, proof: GasProof) -> list[float] | None:
        """Return all that counts of a gas; None where any of it cannot be told."""
        live = view.live[gas]
        told: list[float | None] = [
            share(proof.limit, each.value, each.reading.unit)
            for each in live
            if each.evidence
        ]
        if not view.by_live(gas):
            told.append(proof.amount)
        elif not live or len(told) < len(live):
            return None
        known = [amount for amount in told if amount is not None]
        return known if len(known) == len(told) else None

    # --- records --------------------------------------------------------------

    def _record(self, permit: PermitRecord) -> None:
        """Write down the live readings before the last record is too old (H8)."""
        ruled = self._packs.kind(permit) if permit.life.pack else None
        need = ruled.kind.gas if ruled is not None else None
        if ruled is None or need is None or need.record_every_min is None:
            return
        if permit.status not in _RECORDED:
            return
        age = self._age_min(permit.gas.recorded)
        if age is not None and age < need.record_every_min - _EARLY_MIN:
            return
        view = self._view(permit, ruled.kind, ruled.pack)
        if not view.whole:
            return
        live = [(gas, each) for gas, found in view.live.items() for each in found]
        if not all(view.live.values()) or not all(e.evidence for _, e in live):
            return
        samples: tuple[GasSample, ...] = tuple(
            self.desk.from_meter(gas, "", each) for gas, each in live
        )
        self._hub.emit(GasRecorded(permit_id=permit.id, samples=samples))


def _by(permit: PermitRecord, device_id: str) -> bool:
    return any(e.sample.device_id == device_id for e in permit.gas.latest.values())


def _in_date(meter: State) -> Truth:
    if meter.calibration in _AGAINST or meter.bump in _AGAINST:
        return _NO
    return _YES if meter.calibration in PROVEN else _OPEN
