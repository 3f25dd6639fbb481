"""Meters in date: what is overdue is no evidence, what failed is out of use.

Domain D1–D4; design §5 Readings. A cap lowers quality only: the alarms of an
overdue meter, and even of one that failed its bump test, go on.
"""

import enum
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final

import msgspec

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.model import EntityKind
from core.api.quality import Quality
from core.api.reading import Value
from core.clock import NS, Clock
from core.config import DeviceRule
from core.deadlines import Deadline
from core.hub import Hub
from core.journal.envelope import Cause
from core.people.access import Access, Answer
from core.people.cards_desk import Before
from core.readings.readings import Readings
from core.registry import meters_acts as acts
from core.registry.events import DeviceEnrolled
from core.registry.meters_events import (
    BumpFailed,
    BumpPassed,
    BumpWithdrawn,
    Calibration,
    CalibrationWithdrawn,
    MeterCalibrated,
)
from core.registry.meters_state import MeterRecord
from core.site.days import Days

#: A calibration that ends so soon is told of, a bump test at a tenth of its time.
_WARN: Final = timedelta(days=7)
_WARN_SHARE: Final = 0.1
_HOUR_NS: Final = 3600 * NS


class Standing(enum.StrEnum):
    """Say how far a meter's calibration and bump tests go."""

    IN_DATE = "in_date"
    DUE = "due"
    """In date, and will not be for long."""
    OVERDUE = "overdue"
    FAILED = "failed"
    NONE = "none"
    """Nothing is on record and nothing is demanded."""
    UNKNOWN = "unknown"
    """Nobody can tell: the clock is not to be trusted."""


#: From the least to the most that speaks against a meter.
_ORDER: Final = (
    *(Standing.IN_DATE, Standing.DUE, Standing.NONE),
    *(Standing.UNKNOWN, Standing.OVERDUE, Standing.FAILED),
)
_CAPS: Final = {
    Standing.FAILED: int(Quality.FAULT),
    Standing.OVERDUE: int(Quality.UNCERTAIN),
    Standing.UNKNOWN: int(Quality.UNCERTAIN),
}
PROVEN: Final = (Standing.IN_DATE, Standing.DUE)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Say how a device's meter stands, kept as the evidence of a test."""

    calibration: Standing
    bump: Standing
    valid_to: str = ""
    certificate: str = ""

    @property
    def worst(self) -> Standing:
        """Return the one that speaks more against the meter."""
        return max(self.calibration, self.bump, key=_ORDER.index)

    @property
    def proven(self) -> bool:
        """Say whether a reading may be evidence: calibrated, and no bump owed."""
        return self.calibration in PROVEN and self.bump in (*PROVEN, Standing.NONE)


_NOTHING: Final = State(calibration=Standing.NONE, bump=Standing.NONE)


class Meters:
    """Keep calibrations and bump tests; cap the readings of what is not in date."""

    def __init__(
        self,
        hub: Hub,
        readings: Readings,
        alarms: Alarms,
        access: Access,
        days: Days | None = None,
    ) -> None:
        self._hub, self._readings, self._alarms = hub, readings, alarms
        self.days = days or Days(hub)
        self._before: Before[MeterRecord] = Before(hub)
        self._listeners: list[Callable[[str], None]] = []
        self._seen: dict[str, State] = {}
        access.bind(acts.CalibrateMeter, self._calibrate)
        access.bind(acts.PassBump, self._pass)
        access.bind(acts.FailBump, self._fail)
        hub.on(BumpFailed, lambda body, _: self._judge(body.device_id))
        hub.on(DeviceEnrolled, lambda body, _: self._judge(body.device_id))
        hub.undo(MeterCalibrated, self._calibration_back)
        hub.undo(BumpPassed, self._bump_back)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Judge every device by what the bundle demands of it."""
        self.days.arm()
        self.tick()

    def recover(self, clean: bool) -> None:
        """Judge every device by the replayed records."""
        self.tick()

    def tick(self) -> None:
        """Let what falls due fall due."""
        for device_id in list(self._hub.state.registry.devices):
            self._judge(device_id)
        for gone in self._seen.keys() - self._hub.state.registry.devices.keys():
            del self._seen[gone]

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call back with a device whose standing has changed."""
        self._listeners.append(listener)

    # --- answers --------------------------------------------------------------

    def state(self, device_id: str) -> State:
        """Return how a device's meter stands now."""
        record = self._hub.state.registry.meters.get(device_id)
        rule = self._readings.registry.rule(device_id)
        wants_bump = rule is not None and rule.bump_every_h is not None
        wants_calibration = rule is not None and rule.calibrate_every_d is not None
        if record is None:
            if not wants_bump and not wants_calibration:
                return _NOTHING
            record = MeterRecord()
        facts = record.calibration
        return State(
            calibration=self._calibration(record, rule),
            bump=self._bump(device_id, record, rule),
            valid_to=facts.valid_to if facts is not None else "",
            certificate=facts.certificate if facts is not None else "",
        )

    def seen(self, device_id: str) -> State:
        """Return how a device's meter stood at the last look, a second ago."""
        return self._seen.get(device_id, _NOTHING)

    def _calibration(self, record: MeterRecord, rule: DeviceRule | None) -> Standing:
        facts = record.calibration
        every = rule.calibrate_every_d if rule is not None else None
        if facts is None:
            return Standing.NONE if every is None else Standing.OVERDUE
        today = self.days.today()
        if today is None:
            return Standing.UNKNOWN
        last = date.fromisoformat(facts.valid_to)
        if every is not None and record.calibrated is not None:
            made = self.days.of(record.calibrated)
            if made is None:
                return Standing.UNKNOWN
            last = min(last, made + timedelta(days=every))
        if today > last:
            return Standing.OVERDUE
        return Standing.DUE if last - today < _WARN else Standing.IN_DATE

    def _bump(
        self, device_id: str, record: MeterRecord, rule: DeviceRule | None
    ) -> Standing:
        if record.failed:
            return Standing.FAILED
        every_h = rule.bump_every_h if rule is not None else None
        if every_h is None:
            return Standing.NONE
        found = [
            _age(self._hub.clock, record.bumps.get(gas), every_h * _HOUR_NS)
            for gas in self._gases(device_id)
        ]
        return max(found, key=_ORDER.index, default=Standing.NONE)

    def _gases(self, device_id: str) -> list[str]:
        registry = self._hub.state.registry
        device = registry.devices.get(device_id)
        entities = [registry.entities[e] for e in device.entities] if device else []
        return [
            e.declared.quantity for e in entities if e.declared.kind is EntityKind.GAS
        ]

    # --- judging --------------------------------------------------------------

    def _judge(self, device_id: str) -> None:
        state = self.state(device_id)
        if self._seen.get(device_id, _NOTHING) == state:
            return
        self._seen[device_id] = state
        self._readings.cap(device_id, _CAPS.get(state.worst, int(Quality.GOOD)))
        self._tell(device_id, "calibration", state.calibration)
        self._tell(device_id, "bump", state.bump)
        for listener in self._listeners:
            listener(device_id)

    def _tell(self, device_id: str, what: str, standing: Standing) -> None:
        """Raise the fault that fits and clear the others."""
        source = f"device:{device_id}"
        device = self._hub.state.registry.devices.get(device_id)
        params: dict[str, Value] = {"name": device.name if device else device_id}
        for each in (Standing.DUE, Standing.OVERDUE, Standing.FAILED):
            condition = f"{what}_{each}"
            if each is standing:
                self._alarms.raise_(
                    source,
                    condition,
                    kind=f"fault.{condition}",
                    priority=3 if each is Standing.DUE else 2,
                    zone_id=device.zone_id if device else None,
                    params=params,
                )
            elif standing is not Standing.UNKNOWN:
                self._alarms.clear(source, condition)

    # --- acts -----------------------------------------------------------------

    def _calibrate(
        self, actor: str, act: acts.CalibrateMeter, _version: int | None, cause: Cause
    ) -> Answer:
        self._known(act.device_id)
        today = self.days.today()
        if today is None:
            raise Refused("meter.clock_untrusted")
        try:
            last = date.fromisoformat(act.valid_to)
        except ValueError:
            raise Refused("card.no_such_day", day=act.valid_to) from None
        if last < today:
            raise Refused("meter.expired", day=act.valid_to)
        record = self._hub.state.registry.meters.get(act.device_id, MeterRecord())
        self._before.remember(act.device_id, msgspec.structs.replace(record))
        facts = Calibration(
            valid_to=act.valid_to, certificate=act.certificate, by=act.by
        )
        body = MeterCalibrated(
            device_id=act.device_id, calibration=facts, person_id=actor
        )
        self._hub.emit(body, cause)
        return self._told(act.device_id)

    def _pass(
        self, actor: str, act: acts.PassBump, _version: int | None, cause: Cause
    ) -> Answer:
        self._measures(act.device_id, act.gas)
        record = self._hub.state.registry.meters.get(act.device_id)
        if record is not None and record.failed:
            raise Refused("meter.calibrate_first", gases=", ".join(record.failed))
        body = BumpPassed(device_id=act.device_id, gas=act.gas, person_id=actor)
        self._hub.emit(body, cause)
        return self._told(act.device_id)

    def _fail(
        self, actor: str, act: acts.FailBump, _version: int | None, cause: Cause
    ) -> Answer:
        self._measures(act.device_id, act.gas)
        body = BumpFailed(device_id=act.device_id, gas=act.gas, person_id=actor)
        self._hub.emit(body, cause)
        return self._told(act.device_id)

    def _told(self, device_id: str) -> Answer:
        self._judge(device_id)
        state = self.state(device_id)
        return {
            "device_id": device_id,
            "calibration": str(state.calibration),
            "bump": str(state.bump),
        }

    def _known(self, device_id: str) -> None:
        if device_id not in self._hub.state.registry.devices:
            raise Refused("device.unknown", device=device_id)

    def _measures(self, device_id: str, gas: str) -> None:
        self._known(device_id)
        gases = self._gases(device_id)
        if gas not in gases:
            raise Refused("meter.no_such_gas", gas=gas, gases=", ".join(gases))

    # --- what the disk failed -------------------------------------------------

    def _calibration_back(self, body: MeterCalibrated) -> None:
        for before in self._before.take(body.device_id):
            record = before or MeterRecord()
            self._hub.emit(
                CalibrationWithdrawn(
                    device_id=body.device_id,
                    before=record.calibration,
                    calibrated=record.calibrated,
                    failed=record.failed,
                )
            )
        self._judge(body.device_id)

    def _bump_back(self, body: BumpPassed) -> None:
        self._hub.emit(BumpWithdrawn(device_id=body.device_id, gas=body.gas))
        self._judge(body.device_id)


def _age(clock: Clock, made: Deadline | None, limit_ns: float) -> Standing:
    if made is None:
        return Standing.OVERDUE
    left = made.remaining_ns(clock)
    if left is None:
        return Standing.UNKNOWN
    if -left >= limit_ns:
        return Standing.OVERDUE
    return Standing.DUE if -left >= limit_ns * (1 - _WARN_SHARE) else Standing.IN_DATE


def worst(states: Iterable[State]) -> Standing:
    """Return what speaks most against any of several meters."""
    return max((s.worst for s in states), key=_ORDER.index, default=Standing.NONE)
