"""The alarm stream: each alarm event at once, apart from all telemetry."""

from collections.abc import Callable

import msgspec

from frontend_api.render import Renderer
from frontend_api.replica import Kept, Replica
from frontend_api.work_views import AlarmView

_encode = msgspec.json.Encoder().encode


class AlarmsMessage(msgspec.Struct, tag="alarms"):
    """Tell every open alarm."""

    epoch: int
    seq: int
    now_ms: int
    alarms: list[AlarmView]


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

    def __init__(self, replica: Replica, renderer: Renderer) -> None:
        self.replica, self.renderer = replica, renderer
        self.publish: Callable[[bytes], None] = lambda _: None
        self.reset: Callable[[], None] = lambda: None
        replica.on_event.append(self._event)
        replica.on_reset.append(self._restart)

    def _restart(self) -> None:
        self.reset()

    def _event(self, kept: Kept) -> None:
        if not kept.envelope.type.startswith("alarm."):
            return
        alarm_id = str(getattr(kept.body, "alarm_id", ""))
        record = self.replica.state.alarms.open.get(alarm_id)
        message = AlarmMessage(
            epoch=kept.envelope.epoch,
            seq=kept.envelope.seq,
            now_ms=self.replica.now_ms(),
            event=kept.envelope.type.partition(".")[2],
            id=alarm_id,
            alarm=self.renderer.alarm(record) if record else None,
        )
        self.publish(_encode(message))

    def snapshot(self) -> bytes:
        """Return every open alarm."""
        epoch, seq = self.replica.cursor
        alarms = [
            self.renderer.alarm(record)
            for record in self.replica.state.alarms.open.values()
        ]
        return _encode(
            AlarmsMessage(
                epoch=epoch, seq=seq, now_ms=self.replica.now_ms(), alarms=alarms
            )
        )
