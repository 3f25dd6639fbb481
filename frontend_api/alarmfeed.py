"""The alarm stream: each alarm event at once, apart from all telemetry.

In a flood only what is no life safety is gathered, into one message a second: a
screen that drowns in minor alarms would show the grave one late (domain.md §2.3).
"""

import asyncio
from collections.abc import Callable

import msgspec

from frontend_api.alarm_groups import SHOWN, Groups, shown
from frontend_api.render import Renderer
from frontend_api.replica import Kept, Replica
from frontend_api.work_views import AlarmView

#: Seconds for which minor alarms are gathered while a flood is on.
GATHER_S = 1.0
_encode = msgspec.json.Encoder().encode


class AlarmsMessage(msgspec.Struct, tag="alarms"):
    """Tell the open alarms: every life-safety one, then the gravest."""

    epoch: int
    seq: int
    now_ms: int
    alarms: list[AlarmView]
    more: int = 0
    """Open alarms beyond these; the list at /alarms has all."""


class AlarmMessage(msgspec.Struct, tag="alarm"):
    """Tell one alarm's change; ``alarm`` is None when it closed."""

    epoch: int
    seq: int
    now_ms: int
    event: str
    id: str
    alarm: AlarmView | None


class AlarmFeed:
    """Turn alarm events into messages without waiting for anything else."""

    def __init__(self, replica: Replica, renderer: Renderer, groups: Groups) -> None:
        self.replica, self.renderer, self._groups = replica, renderer, groups
        self.publish: Callable[[bytes], None] = lambda _: None
        self.reset: Callable[[], None] = lambda: None
        self._gathered: dict[str, AlarmMessage] = {}
        self._timer: asyncio.TimerHandle | None = None
        replica.on_event.append(self._event)
        replica.on_reset.append(self._restart)

    def _restart(self) -> None:
        self._gathered.clear()
        self.reset()

    def _event(self, kept: Kept) -> None:
        if not kept.envelope.type.startswith("alarm."):
            return
        alarms = self.replica.state.alarms
        alarm_id = str(getattr(kept.body, "alarm_id", ""))
        record = alarms.open.get(alarm_id) or alarms.recent.get(alarm_id)
        if self._groups.flood.on and record is not None and not record.life_safety:
            self._gather(kept, alarm_id)
        else:
            self._gathered.pop(alarm_id, None)
            self.publish(_encode(self._message(kept, alarm_id)))

    def _message(self, kept: Kept, alarm_id: str) -> AlarmMessage:
        record = self.replica.state.alarms.open.get(alarm_id)
        return AlarmMessage(
            epoch=kept.envelope.epoch,
            seq=kept.envelope.seq,
            now_ms=self.replica.now_ms(),
            event=kept.envelope.type.partition(".")[2],
            id=alarm_id,
            alarm=self.renderer.alarm(record) if record else None,
        )

    # --- floods ---------------------------------------------------------------

    def _gather(self, kept: Kept, alarm_id: str) -> None:
        """Keep the last word on a minor alarm for the next message.

        More than a page shows: the screens are given the whole list anew.
        """
        if len(self._gathered) < SHOWN:
            self._gathered[alarm_id] = self._message(kept, alarm_id)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GATHER_S, self.flush)

    def flush(self) -> None:
        """Send what was gathered."""
        self.stop()
        gathered, self._gathered = list(self._gathered.values()), {}
        if len(gathered) >= SHOWN:
            self.reset()
        elif gathered:
            parts = b",".join(_encode(message) for message in gathered)
            self.publish(b'{"type":"several","items":[' + parts + b"]}")

    def stop(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def snapshot(self) -> bytes:
        """Return the open alarms, the gravest first."""
        epoch, seq = self.replica.cursor
        records = shown(self.replica.state.alarms.open.values())
        return _encode(
            AlarmsMessage(
                epoch=epoch,
                seq=seq,
                now_ms=self.replica.now_ms(),
                alarms=[self.renderer.alarm(record) for record in records],
                more=len(self.replica.state.alarms.open) - len(records),
            )
        )
