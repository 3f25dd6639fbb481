"""Lamps: the heartbeat that work may go on, and the sign that nobody goes in.

A no-entry lamp is a LAMP that lights without the hub (``fail_safe: on``). It is lit
while work here is held, people are called out, an alarm stands or nobody can see.

A heartbeat lamp is a LAMP that its device switches off by itself when nobody
asks for it (declared ``fail_safe: off``): dark says 'hub lost: stop work'. A
bare relay without a time-out of its own keeps what it had and stays lit, so it
must not be declared so. Pulses are no events: they prove nothing, and one each
few seconds would fill the journal.
"""

from collections.abc import Callable

from core.api.command import Command
from core.api.model import EntityKind, OutputKind
from core.clock import NS
from core.hub import Hub
from core.link.messages import Execute
from core.permits.interlocks import MARKS, running_in
from core.permits.lifecycle import PermitStatus
from core.readings.readings import Readings
from core.registry.registry import Registry
from core.registry.state import EntityRecord
from core.response.commands import Commands

#: A lamp's device should go dark after two or three missed pulses.
PULSE_S = 5.0
#: Nothing must have kept people out for so long before a no-entry lamp goes out.
SURE_S = 5.0
_SHORT_NS = 4 * NS
_STOPS = (PermitStatus.HELD, PermitStatus.VERIFYING)


def is_heartbeat(entity: EntityRecord) -> bool:
    """Say whether an output is a lamp that goes dark without the hub."""
    output = entity.declared.output
    lamp = output is not None and output.kind is OutputKind.LAMP
    return lamp and output is not None and output.fail_safe == "off"


def is_no_entry(entity: EntityRecord) -> bool:
    """Say whether an output is a lamp that says 'nobody goes in', lit by itself."""
    output = entity.declared.output
    lamp = output is not None and output.kind is OutputKind.LAMP
    return lamp and output is not None and output.fail_safe == "on"


class Lamps:
    """Pulse the heartbeat lamps, and light the no-entry lamps, of every zone."""

    def __init__(
        self, hub: Hub, registry: Registry, readings: Readings, commands: Commands
    ) -> None:
        self._hub, self._registry = hub, registry
        self._readings, self._commands = readings, commands
        self.well: Callable[[], bool] = lambda: True
        """Says whether alarms get through now: the watchdog's own probe."""
        self._told: dict[str, tuple[bool, int]] = {}
        """Entity id → what it was told last, and when (boot ns)."""
        self._free_ns: dict[str, int] = {}
        """No-entry lamp → boot ns since when nothing keeps people out."""
        self._again_ns: dict[tuple[str, bool], int] = {}

    def arm(self) -> None:
        """Have no tables of its own."""

    def recover(self, clean: bool) -> None:
        """Begin to pulse with the ticks."""

    def tick(self) -> None:
        """Pulse what is due; a lamp whose zone must stop goes dark at once."""
        outputs = self._registry.entities(kind=EntityKind.OUTPUT)
        lamps = [e for e in outputs if is_heartbeat(e) or is_no_entry(e)]
        if not lamps:
            return
        well, unseen = self.well(), self._readings.unmonitored()
        for entity in lamps:
            device = self._registry.device(entity.device_id)
            zone_id = device.zone_id if device else None
            free = well and zone_id not in unseen and self._may_work(zone_id)
            if is_heartbeat(entity):
                self._pulse(entity, free)
            else:
                self._bar(entity, free)

    def _bar(self, entity: EntityRecord, free: bool) -> None:
        """Light a no-entry lamp at once; let it go out only after a sure while.

        A release that the disk loses is taken back within that time.
        """
        now = self._hub.clock.mono_ns()
        if not free:
            self._free_ns.pop(entity.id, None)
            if not self._commands.commanded_on(entity.id):
                self._order(entity, now, on=True)
            return
        since = self._free_ns.setdefault(entity.id, now)
        long = now - since >= int(SURE_S * NS) and self._hub.journal.healthy()
        last = self._hub.state.response.outputs.get(entity.id)
        lit = last is None or self._commands.commanded_on(entity.id)
        if long and lit:
            self._order(entity, now, on=False)

    def _order(self, entity: EntityRecord, now: int, *, on: bool) -> None:
        if now < self._again_ns.get((entity.id, on), 0):
            return
        if self._commands.why_not(entity.id, on) is None:
            self._again_ns[entity.id, on] = now + int(PULSE_S * NS)
            self._commands.order(entity.id, on, why="no_entry")

    def dark(self) -> None:
        """Switch all of them off: the hub stops."""
        for entity_id in list(self._told):
            entity = self._registry.entity(entity_id)
            if entity is not None:
                self._send(entity, on=False)

    def _may_work(self, zone_id: str | None) -> bool:
        """Say whether nothing that the hub knows stops work in a zone."""
        state = self._hub.state
        if zone_id is None or state.hub.power_end is not None:
            return False
        stopped = any(
            permit.zone_id == zone_id and permit.status in _STOPS
            for permit in state.permits.permits.values()
        )
        if stopped or running_in(self._hub, zone_id) is not None:
            return False
        return not any(
            alarm.stands and alarm.mark not in MARKS
            for alarm in state.alarms.places.vital(zone_id, None)
        )

    def _pulse(self, entity: EntityRecord, on: bool) -> None:
        now = self._hub.clock.mono_ns()
        last, at = self._told.get(entity.id, (not on, 0))
        if last is on and now - at < int(PULSE_S * NS):
            return
        if self._commands.why_not(entity.id, on) is None:
            self._told[entity.id] = on, now
            self._send(entity, on=on)

    def _send(self, entity: EntityRecord, *, on: bool) -> None:
        device = self._registry.device(entity.device_id)
        if device is None:
            return
        command = Command(
            id=self._hub.ids.new(),
            device_uid=device.uid,
            entity_uid=entity.declared.uid,
            value=on,
            deadline_ns=self._hub.clock.mono_ns() + _SHORT_NS,
        )
        self._hub.links.send(self._registry.host_of(device.id), Execute(command))
