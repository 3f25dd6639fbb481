"""What trips without the hub is held by the hub's own word, each few seconds.

Only ignition sources trip (design §5 Commands): a POWER_CUT declared
``fail_safe: on`` whose device cuts by itself when nobody asks it to wait. Each word
is a command of priority `KEEP`: it prolongs, and never restores what has tripped.
Like a lamp's pulses it is no event.
"""

from core.api.command import KEEP, Command
from core.api.model import EntityKind, OutputKind
from core.api.quality import Quality
from core.api.reading import is_on
from core.clock import NS
from core.hub import Hub
from core.link.messages import Execute
from core.readings.readings import Readings
from core.registry.registry import Registry
from core.registry.state import EntityRecord

#: A device should trip after three or more missed words.
HOLD_S = 5.0
#: A read-back older than this does not say that it has not tripped meanwhile.
FRESH_S = 10.0


class Trips:
    """Hold back every trip of an ignition source while the hub is well."""

    def __init__(self, hub: Hub, registry: Registry, readings: Readings) -> None:
        self._hub, self._registry, self._readings = hub, registry, readings
        self._said_ns: dict[str, int] = {}

    def arm(self) -> None:
        """Have no tables of its own."""

    def recover(self, clean: bool) -> None:
        """Begin with the ticks."""

    def tick(self) -> None:
        """Say to each that it may wait, unless it was told to cut or has cut."""
        now = self._hub.clock.mono_ns()
        for entity in self._registry.entities(kind=EntityKind.OUTPUT):
            output = entity.declared.output
            if (
                output is None
                or output.kind is not OutputKind.POWER_CUT
                or output.fail_safe != "on"
                or now - self._said_ns.get(entity.id, -NS * 3600) < int(HOLD_S * NS)
            ):
                continue
            if self._waits(entity, now):
                self._said_ns[entity.id] = now
                self._hold(entity, now)

    def _waits(self, entity: EntityRecord, now: int) -> bool:
        """Say whether it is proven not to have cut, and nobody has asked it to."""
        reading = self._readings.get(entity.id)
        fresh = now - reading.received_ns <= int(FRESH_S * NS)
        whole = reading.quality is Quality.GOOD and not is_on(reading.value)
        # Also an order that nobody answered: it may yet cut, so let it.
        last = self._hub.state.response.outputs.get(entity.id)
        return whole and fresh and (last is None or not is_on(last.value))

    def _hold(self, entity: EntityRecord, now: int) -> None:
        device = self._registry.device(entity.device_id)
        if device is None:
            return
        command = Command(
            id=self._hub.ids.new(),
            device_uid=device.uid,
            entity_uid=entity.declared.uid,
            value=False,
            deadline_ns=now + int((HOLD_S - 1.0) * NS),
            priority=KEEP,
        )
        self._hub.links.send(self._registry.host_of(device.id), Execute(command))
