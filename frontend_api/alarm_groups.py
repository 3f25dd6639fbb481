"""Open alarms by their cause, floods, and the lists that want looking after.

Grouping and floods only order what is shown: every alarm stays in the list, and a
life-safety alarm is always a line of its own (ISA-18.2; domain.md §2.3, §2.4).
"""

from collections.abc import Callable, Iterable

from core.alarms.chatter import Chatter
from core.alarms.events import AlarmRaised, AlarmRepeated
from core.alarms.state import AlarmRecord, key_of
from frontend_api.alarm_rates import FLOOD_START, STALE, Flood
from frontend_api.alarm_views import (
    AlarmGroupView,
    AlarmStateView,
    FloodView,
    ServiceView,
)
from frontend_api.inventory import due_ms
from frontend_api.names import text
from frontend_api.render import Renderer
from frontend_api.replica import Kept
from frontend_api.views import Text

MS = 1_000_000
#: Closed alarms that are offered for a verdict.
OFFERED = 20
#: Open alarms that a page is given; what is graver comes first.
SHOWN = 500
_MINOR = 3


def urgency(record: AlarmRecord) -> tuple[bool, bool, int, int]:
    """Rank an alarm: life safety first, then what stands, then by priority, age."""
    slight = not record.life_safety
    return slight, not record.active, record.priority, record.raised_seq


class Groups:
    """Sort the replica's open alarms, and follow how fast they come."""

    def __init__(self, renderer: Renderer, watching: Callable[[], int]) -> None:
        self._renderer, self._replica = renderer, renderer.replica
        self._watching = watching
        self.flood = Flood()
        self._chatter = Chatter()
        self._replica.on_event.append(self._event)
        renderer.extra |= {
            "groups": self.groups,
            "alarming": self.state,
            "service": self.service,
        }

    def _event(self, kept: Kept) -> None:
        body = kept.body
        if not isinstance(body, AlarmRaised | AlarmRepeated):
            return
        record = self._replica.state.alarms.open.get(body.alarm_id)
        if record is None or record.mark or record.suppressed:
            return
        self.flood.operators = max(self._watching(), 1)
        self.flood.call(kept.envelope.wall_ns // MS)
        now = self._replica.clock.mono_ns()
        self._chatter.raised(now, key_of(record.source, record.condition))

    # --- groups ---------------------------------------------------------------

    def groups(self) -> dict[str, AlarmGroupView]:
        """Show open alarms by cause; the most urgent group first."""
        found: dict[str, list[AlarmRecord]] = {}
        for record in self.shown():
            found.setdefault(self._cause(record), []).append(record)
        return {key: self._group(key, records) for key, records in found.items()}

    def shown(self) -> list[AlarmRecord]:
        """Return the open alarms that a page is given, most urgent first."""
        return shown(self._replica.state.alarms.open.values())

    def _cause(self, record: AlarmRecord) -> str:
        """Return the key of what an alarm comes from, as far as it is known."""
        if record.mark:
            return f"mark:{record.mark}"
        fault = record.kind.startswith("fault.")
        host = self._host(record) if fault else ""
        if host:
            return f"host:{host}"
        device = self._device(record)
        if fault and device:
            return f"device:{device}"
        if self.flood.on and record.priority >= _MINOR and not record.life_safety:
            return "flood"
        if record.zone_id is not None:
            return f"zone:{record.zone_id}:{record.kind.partition('.')[0]}"
        return record.source

    def _device(self, record: AlarmRecord) -> str:
        kind, _, name = record.source.partition(":")
        if kind == "entity":
            entity = self._replica.state.registry.entities.get(name)
            return entity.device_id if entity else ""
        return name if kind == "device" else ""

    def _host(self, record: AlarmRecord) -> str:
        """Return the host whose loss stands and explains a fault."""
        kind, _, name = record.source.partition(":")
        if kind == "host":
            return name
        if record.condition.startswith("unmonitored."):
            return record.condition.removeprefix("unmonitored.")
        device = self._replica.state.registry.devices.get(self._device(record))
        if device is None:
            return ""
        by_key = self._replica.state.alarms.by_key
        down = key_of(f"host:{device.integration}", "down") in by_key
        return device.integration if down else ""

    def _group(self, key: str, records: list[AlarmRecord]) -> AlarmGroupView:
        return AlarmGroupView(
            id=key,
            cause=self._name(key, records[0]),
            zone_id=_only({record.zone_id for record in records}),
            priority=min(record.priority for record in records),
            active=sum(record.active for record in records),
            unacknowledged=sum(not r.acknowledged for r in records),
            raised_ms=min(record.raised_wall_ns for record in records) // MS,
            always=[record.id for record in records if record.life_safety],
            members=[record.id for record in records if not record.life_safety],
        )

    def _name(self, key: str, record: AlarmRecord) -> Text:
        names = self._renderer.names
        kind, _, rest = key.partition(":")
        if kind == "zone":
            family = rest.rpartition(":")[2]
            params = {"zone": names.zone(record.zone_id)}
            return text(f"group.{'fault' if family == 'fault' else 'zone'}", params)
        if kind in ("flood", "mark"):
            return text(f"group.{kind}", {"mark": rest})
        return text(f"group.{kind}", {"name": names.source(key)})

    # --- lists ----------------------------------------------------------------

    def state(self) -> dict[str, AlarmStateView]:
        """Show the alarm system as a whole, as the one item ``now``."""
        alarms = self._replica.state.alarms
        now_ms, mono = self._replica.now_ms(), self._replica.clock.mono_ns()
        self.flood.operators = max(self._watching(), 1)
        self.flood.pass_to(now_ms)
        self._chatter.sweep(mono)
        real = [r for r in alarms.open.values() if not r.mark]
        made = AlarmStateView(
            flood=FloodView(
                on=self.flood.on,
                since_ms=self.flood.since_ms if self.flood.on else 0,
                called_10min=self.flood.count,
                operators=self.flood.operators,
                limit=FLOOD_START * self.flood.operators,
            ),
            standing=sum(record.active for record in real),
            stale=_ids(
                r for r in real if r.active and now_ms - r.raised_wall_ns // MS > STALE
            ),
            chattering=_ids(
                r
                for r in real
                if self._chatter.chatters(key_of(r.source, r.condition), mono)
            ),
            suppressed=_ids(r for r in real if r.suppressed),
            put_by=_ids(r for r in real if r.shelf is not None or r.out_of_service),
            unjudged=[
                self._renderer.alarm(record)
                for record in reversed(alarms.recent.values())
                if not record.verdict
            ][:OFFERED],
            more=max(len(alarms.open) - SHOWN, 0),
        )
        return {"now": made}

    def service(self) -> dict[str, ServiceView]:
        """Show the devices in maintenance."""
        registry, names = self._replica.state.registry, self._renderer.names
        return {
            device_id: ServiceView(
                id=device_id,
                name=names.device(device_id),
                zone_id=registry.devices[device_id].zone_id,
                person_id=shelf.person_id,
                reason=shelf.reason,
                until_ms=due_ms(shelf.until),
            )
            for device_id, shelf in self._replica.state.alarms.serviced.items()
            if device_id in registry.devices
        }


def shown(records: Iterable[AlarmRecord], most: int = SHOWN) -> list[AlarmRecord]:
    """Return what a page is given: every life-safety alarm, then the gravest."""
    ranked = sorted(records, key=urgency)
    grave = sum(record.life_safety for record in ranked)
    return ranked[: max(most, grave)]


def _ids(records: Iterable[AlarmRecord]) -> list[str]:
    return [record.id for record in records][:SHOWN]


def _only(zones: set[str | None]) -> str | None:
    return next(iter(zones)) if len(zones) == 1 else None
