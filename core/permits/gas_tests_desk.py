"""The analyst's desk: samples taken from meters or typed, and why one is refused."""

import math
from datetime import date
from typing import Final

import msgspec

from core.api.errors import Refused
from core.api.quality import Quality
from core.deadlines import Deadline
from core.hub import Hub
from core.journal.envelope import Cause
from core.people.access import Access, Answer, check_version
from core.permits import gas_tests_acts as acts
from core.permits.gas_limits import Verdict, convert
from core.permits.gas_samples import Live, Samples, number
from core.permits.gas_tests_events import (
    GasesNamed,
    GasSample,
    GasTested,
    OxygenCheckAllowed,
    OxygenCheckEnded,
)
from core.permits.lifecycle import FINAL, PermitStatus
from core.permits.pack import GasLimit
from core.permits.packs import Packs, Ruled
from core.permits.state import PermitRecord
from core.readings.calibration import Meters
from core.readings.readings import Readings
from core.readings.units import MOLAR_VOLUME, canonical

#: Who tests, where a pack names nobody.
_ROLE: Final = "analyst"
_PPM: Final = 1_000_000.0
#: A meter of one of these is there to be read; nobody types instead.
_LIVE: Final = (Quality.GOOD, Quality.UNCERTAIN)


class GasDesk:
    """Carry out the acts on a permit's gas."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        readings: Readings,
        meters: Meters,
        samples: Samples,
        packs: Packs,
    ) -> None:
        self._hub, self._access, self._readings = hub, access, readings
        self._meters, self._samples, self._packs = meters, samples, packs

    def bind(self, access: Access) -> None:
        """Offer the acts."""
        access.bind(acts.TestGas, self._test)
        access.bind(acts.NameGases, self._name)
        access.bind(acts.AllowOxygenCheck, self._allow)
        access.bind(acts.EndOxygenCheck, self._end)

    # --- acts -----------------------------------------------------------------

    def _test(
        self, actor: str, act: acts.TestGas, version: int | None, cause: Cause
    ) -> Answer:
        permit, ruled = self._permit(act.permit_id)
        check_version(version, permit.version)
        self._may_test(actor, ruled)
        samples = tuple(
            self._sample(permit, ruled, each, actor) for each in act.samples
        )
        verdicts = {each.verdict for each in samples}
        if Verdict.CHECK in verdicts and not act.cause.strip():
            raise Refused("gas_test.cause_missing")
        body = GasTested(
            permit_id=permit.id,
            test_id=self._hub.ids.new(),
            person_id=actor,
            samples=samples,
            cause=act.cause,
        )
        seen = tuple(dict.fromkeys(s.entity_id for s in samples if s.entity_id))
        self._hub.emit(body, msgspec.structs.replace(cause, evidence=seen))
        return {
            "test_id": body.test_id,
            "failed": _gases(samples, Verdict.FAILED),
            "unknown": _gases(samples, Verdict.UNKNOWN),
            "version": permit.version,
        }

    def _name(
        self, actor: str, act: acts.NameGases, version: int | None, cause: Cause
    ) -> Answer:
        permit, ruled = self._permit(act.permit_id)
        check_version(version, permit.version)
        for gas in act.gases:
            if ruled.pack.limit(gas) is None:
                raise Refused("gas_test.gas_unknown", gas=gas)
        lost = [gas for gas in permit.gas.named if gas not in act.gases]
        early = (PermitStatus.BOOKED, PermitStatus.APPLIED, PermitStatus.ANALYSED)
        if lost and permit.status not in early:
            raise Refused("gas_test.gases_fixed", gases=", ".join(lost))
        gases = tuple(dict.fromkeys(act.gases))
        body = GasesNamed(permit_id=permit.id, gases=gases, person_id=actor)
        self._hub.emit(body, cause)
        return {"version": permit.version}

    def _allow(
        self,
        actor: str,
        act: acts.AllowOxygenCheck,
        _version: int | None,
        cause: Cause,
    ) -> Answer:
        _reason(act.reason)
        self._hub.emit(OxygenCheckAllowed(person_id=actor, reason=act.reason), cause)
        return {"on": True}

    def _end(
        self, actor: str, act: acts.EndOxygenCheck, _version: int | None, cause: Cause
    ) -> Answer:
        _reason(act.reason)
        self._hub.emit(OxygenCheckEnded(person_id=actor, reason=act.reason), cause)
        return {"on": False}

    def _permit(self, permit_id: str) -> tuple[PermitRecord, Ruled]:
        permit = self._hub.state.permits.permits.get(permit_id)
        if permit is None:
            raise Refused("permit.unknown", permit=permit_id)
        if permit.status in FINAL:
            raise Refused("permit.closed", permit=permit_id)
        ruled = self._packs.kind(permit) if permit.life.pack else None
        if ruled is None or ruled.kind.gas is None:
            raise Refused("gas_test.not_needed", permit=permit_id)
        return permit, ruled

    def _may_test(self, actor: str, ruled: Ruled) -> None:
        role = next((r for r in ruled.pack.roles if r.id == _ROLE), None)
        needed = role.acts_as if role is not None else acts.ANALYSTS
        if not self._access.roles(actor) & {*needed, "owner"}:
            raise Refused("gas_test.role", needed=", ".join(needed))

    # --- samples --------------------------------------------------------------

    def _sample(
        self, permit: PermitRecord, ruled: Ruled, given: acts.Sample, actor: str
    ) -> GasSample:
        limit = self._samples.limit(ruled.pack, given.gas)
        if limit is None:
            raise Refused("gas_test.gas_unknown", gas=given.gas)
        if (given.typed is None) == (not given.entity_id):
            raise Refused("gas_test.one_source", gas=given.gas)
        if given.typed is not None:
            return self._by_hand(permit, limit, given, given.typed)
        self._there(permit, given, actor)
        reading = self._readings.get(given.entity_id)
        if number(reading) is None:
            quality = reading.quality.name.lower()
            raise Refused("gas_test.no_reading", gas=given.gas, quality=quality)
        device = self._readings.registry.device_of(given.entity_id)
        meter = self._meters.state(device.id if device is not None else "")
        live = self._samples.judged(permit, limit, reading, meter)
        since = self._held_since(permit)
        if _measured(live) <= since and live.verdict is not Verdict.FAILED:
            # What was measured before a hold says nothing of what came after.
            live = live._replace(
                evidence=False,
                verdict=Verdict.UNKNOWN,
                reading=msgspec.structs.replace(reading, quality=Quality.STALE),
            )
        return self.from_meter(given.gas, given.place, live, given.note)

    def from_meter(self, gas: str, place: str, live: Live, note: str = "") -> GasSample:
        """Return the sample of a live reading with its meter's standing."""
        clock, reading = self._hub.clock, live.reading
        device = self._readings.registry.device_of(reading.entity_id)
        return GasSample(
            gas=gas,
            place=place,
            value=live.value,
            unit=reading.unit,
            verdict=str(live.verdict),
            evidence=live.evidence,
            measured=self._moment(clock.mono_ns() - _measured(live)),
            quality=int(reading.quality),
            reason=reading.reason,
            entity_id=reading.entity_id,
            device_id=device.id if device is not None else "",
            calibration=str(live.meter.calibration),
            bump=str(live.meter.bump),
            calibrated_to=live.meter.valid_to,
            certificate=live.meter.certificate,
            note=note,
        )

    def _there(self, permit: PermitRecord, given: acts.Sample, actor: str) -> None:
        """Refuse a meter of another gas, or one that hangs somewhere else."""
        registry = self._readings.registry
        entity = registry.entity(given.entity_id)
        device = registry.device_of(given.entity_id)
        if entity is None or device is None:
            raise Refused("gas_test.entity_unknown", entity=given.entity_id)
        measures = entity.declared.quantity
        if measures != given.gas:
            raise Refused("gas_test.wrong_gas", gas=given.gas, measures=measures)
        if device.person_id == actor and device.zone_id is None:
            return  # the analyst wears it, and says where it was held
        zone_id = self._samples.zone_of(given.entity_id)
        near = [permit.zone_id, None]
        if given.place == "outside":
            near += self._neighbours(permit.zone_id)
        if zone_id not in near:
            raise Refused("gas_test.elsewhere", zone=zone_id or "")

    def _neighbours(self, zone_id: str) -> list[str]:
        zones = {zone.id: zone for zone in self._hub.bundle.site.zones}
        return list(zones[zone_id].neighbours) if zone_id in zones else []

    def _held_since(self, permit: PermitRecord) -> int:
        """Return the boot ns of the newest hold; one of another boot means nothing."""
        now = self._hub.clock.mono_ns()
        since = [held.since_mono_ns for held in permit.holds.values()]
        return max((each for each in since if each <= now), default=-1)

    def _moment(self, age_ns: int) -> Deadline:
        clock = self._hub.clock
        return Deadline(
            duration_ns=0,
            start_mono_ns=clock.mono_ns() - age_ns,
            start_wall_ns=clock.wall_ns() - age_ns,
            boot_id=clock.boot_id,
            synced=clock.synced(),
        )

    # --- typed ----------------------------------------------------------------

    def _by_hand(
        self,
        permit: PermitRecord,
        limit: GasLimit,
        given: acts.Sample,
        typed: acts.Typed,
    ) -> GasSample:
        unit = canonical(typed.unit)
        self._no_meter(permit, given.gas)
        _check_value(limit, typed.value, unit, typed.full_scale)
        _check_calibration(typed, self._samples.today())
        verdict = self._samples.verdict(permit, limit, typed.value, unit)
        return GasSample(
            gas=given.gas,
            place=given.place,
            value=typed.value,
            unit=unit,
            verdict=str(verdict),
            evidence=verdict is not Verdict.UNKNOWN,
            measured=self._moment(self._sampled_ago(given.gas, typed.sampled_ms)),
            quality=int(Quality.UNCERTAIN),
            reason="typed",
            typed=True,
            instrument=typed.instrument,
            calibrated_to=typed.calibrated_to,
            note=given.note,
        )

    def _no_meter(self, permit: PermitRecord, gas: str) -> None:
        for reading in self._readings.current(permit.zone_id, gas):
            if reading.quality in _LIVE:
                raise Refused("gas_test.meter_there", gas=gas, entity=reading.entity_id)

    def _sampled_ago(self, gas: str, sampled_ms: int) -> int:
        if not sampled_ms:
            return 0
        clock = self._hub.clock
        ago = clock.wall_ns() - sampled_ms * 1_000_000
        if ago < 0 or not clock.synced() or ago > clock.wall_ns():
            raise Refused("gas_test.sampled_ahead", gas=gas)
        return ago


def _check_value(
    limit: GasLimit, value: float, unit: str, full_scale: float | None
) -> None:
    """Refuse what cannot be a measured amount of a gas."""
    gas = limit.id
    if not math.isfinite(value):
        raise Refused("gas_test.value_not_finite", gas=gas)
    if not unit or convert(limit, 0.0, unit) is None:
        raise Refused("gas_test.unit", gas=gas, unit=unit)
    if value < 0:
        raise Refused("gas_test.value_negative", gas=gas)
    most = _all_there_is(limit, unit)
    if full_scale is not None and math.isfinite(full_scale):
        most = min(most, full_scale)
    if value > most:
        raise Refused(
            "gas_test.beyond_range", gas=gas, value=value, unit=unit, at_most=most
        )


def _all_there_is(limit: GasLimit, unit: str) -> float:
    """Return the amount of a gas when nothing else is there."""
    if unit == "%LEL":
        return 10_000 / limit.lel_vol if limit.lel_vol else 100.0
    if unit == "mg/m³":
        return _PPM * (limit.molar_mass or 1_000.0) / MOLAR_VOLUME
    return {"%vol": 100.0, "ppm": _PPM, "ppb": 1_000 * _PPM}.get(unit, math.inf)


def _check_calibration(typed: acts.Typed, today: date | None) -> None:
    day = typed.calibrated_to
    try:
        last = date.fromisoformat(day) if day else None
    except ValueError:
        raise Refused("card.no_such_day", day=day) from None
    if last is not None and today is not None and last < today:
        raise Refused("gas_test.calibration_over", instrument=typed.instrument, day=day)


def _measured(live: Live) -> int:
    reading = live.reading
    return min(reading.measured_ns or reading.received_ns, reading.received_ns)


def _gases(samples: tuple[GasSample, ...], verdict: Verdict) -> str:
    return ", ".join(sorted({s.gas for s in samples if s.verdict == verdict}))


def _reason(text: str) -> None:
    if not text.strip():
        raise Refused("gas_test.reason")
