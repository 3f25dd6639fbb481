"""Carry out commands: publish, then wait for the device's own word.

CONFIRMED comes only from a live state message that matches (requirement 1.15).
An output without a state topic is DELIVERED when the broker took the command,
and FAILED at the deadline: nobody can prove that it moved. Until its deadline a
command is said again: after a broker's restart the hub is back before the siren.
"""

import asyncio
from dataclasses import dataclass

from core.api import KEEP, Command, CommandState, Host, Value
from integrations.mqtt.catalogue import Catalogue
from integrations.mqtt.client import NS, MqttClient

#: Commands in flight; beyond it a new one fails at once.
MAX_PENDING = 1_000
#: On and off may be said twice, so silence is answered by saying it again.
REPEAT_S = 1.0
#: Terminal commands remembered, so that a command offered twice runs once.
REMEMBERED = 1_000


@dataclass(slots=True, eq=False)
class _Pending:
    command: Command
    read_back: bool
    timer: asyncio.TimerHandle | None = None
    repeat: asyncio.TimerHandle | None = None
    delivered: bool = False
    refusal: str = ""
    """Why the broker's last answer was no."""
    contrary: bool = False
    """A live state has said the opposite since."""

    def stop(self) -> None:
        """Stop both clocks."""
        for clock in (self.timer, self.repeat):
            if clock is not None:
                clock.cancel()


class CommandBook:
    """Know every command on its way, one per output; the newest wins."""

    def __init__(self, host: Host, client: MqttClient, catalogue: Catalogue) -> None:
        self.host = host
        self.client = client
        self._catalogue = catalogue
        self._pending: dict[tuple[str, str], _Pending] = {}
        self._done: dict[str, tuple[CommandState, str]] = {}
        self._live: dict[tuple[str, str], Value] = {}
        """Output → what it said last of itself in this session."""

    def execute(self, command: Command) -> None:
        """Publish a command; every state is told by `Host.result`."""
        key = (command.device_uid, command.entity_uid)
        if command.priority == KEEP:
            self._keep(key, command)
            return
        known = self._done.get(command.id)
        if known is not None:
            self.host.result(command.id, *known)
            return
        held = self._pending.get(key)
        if held is not None and held.command.id == command.id:
            return
        catalogue = self._catalogue
        spec = catalogue.entity(*key)
        how = catalogue.command(*key)
        left_s = (command.deadline_ns - self.host.clock.mono_ns()) / NS
        refusal = ""
        if spec is None or how is None:
            refusal = "mqtt.no_output"
        elif not isinstance(command.value, bool):
            refusal = "mqtt.value"
        elif len(self._pending) >= MAX_PENDING:
            refusal = "mqtt.too_many_commands"
        if refusal or spec is None or how is None:
            self._tell(command, CommandState.FAILED, refusal)
            return
        if left_s <= 0:
            self._tell(command, CommandState.EXPIRED, "mqtt.late")
            return
        if held is not None:
            self._finish(key, CommandState.FAILED, "mqtt.superseded")
        output = spec.entity.output
        read_back = spec.topic is not None and (output is None or output.read_back)
        self._begin(key, _Pending(command, read_back), left_s)

    def _begin(self, key: tuple[str, str], pending: _Pending, left_s: float) -> None:
        self._pending[key] = pending
        try:
            self._publish(key)
        finally:
            # The siren first, its deadline afterwards: unless it is refused already.
            if self._pending.get(key) is pending:
                pending.timer = self.host.timer.call_later(
                    left_s, lambda: self._deadline(key)
                )

    def _keep(self, key: tuple[str, str], command: Command) -> None:
        """Prolong the state that the device has said it has; never change it."""
        how = self._catalogue.command(*key)
        if how is None or self._live.get(key) is not command.value:
            self.host.result(command.id, CommandState.FAILED, "mqtt.tripped")
        elif self.client.connected and key not in self._pending:
            said = how.on if command.value else how.off
            self.client.publish(how.topic, said, expires_ns=command.deadline_ns)

    def _publish(self, key: tuple[str, str]) -> None:
        """Say the command, now and again until it is answered or too late."""
        pending = self._pending.get(key)
        how = self._catalogue.command(*key)
        if pending is None or how is None:
            return
        command = pending.command
        self.client.publish(
            how.topic,
            how.on if command.value else how.off,
            expires_ns=command.deadline_ns,
            done=lambda code: self._taken(key, command.id, code),
        )

    def state(self, device_uid: str, entity_uid: str, value: Value, live: bool) -> None:
        """Hear an output's state; only a live one confirms."""
        key = (device_uid, entity_uid)
        pending = self._pending.get(key)
        if live:
            self._live[key] = value
        if pending is None or not live or not pending.read_back:
            return
        if value is pending.command.value:
            self._finish(key, CommandState.CONFIRMED, "")
        elif value is not None:
            pending.contrary = True

    def forget(self) -> None:
        """Believe no state from before the link was lost."""
        self._live.clear()

    def close(self) -> None:
        """Stop the clocks; the core offers unfinished commands again."""
        for pending in self._pending.values():
            pending.stop()
        self._pending.clear()

    @property
    def pending(self) -> int:
        """Return how many commands are on their way."""
        return len(self._pending)

    def _taken(self, key: tuple[str, str], command_id: str, code: str) -> None:
        """The broker took the command, or will not."""
        pending = self._pending.get(key)
        if pending is None or pending.command.id != command_id:
            return
        if code == "mqtt.expired":
            self._finish(key, CommandState.EXPIRED, code)
            return
        if not code and not pending.delivered:
            pending.delivered = True
            self.host.result(command_id, CommandState.DELIVERED, "")
        pending.refusal = code
        how = self._catalogue.command(*key)
        again = how is not None and (how.repeat or not pending.delivered)
        if again and (pending.read_back or not pending.delivered):
            pending.repeat = self.host.timer.call_later(
                REPEAT_S, lambda: self._publish(key)
            )

    def _deadline(self, key: tuple[str, str]) -> None:
        pending = self._pending.get(key)
        if pending is None:
            return
        if pending.refusal:
            self._finish(key, CommandState.FAILED, pending.refusal)
        elif not pending.delivered:
            self._finish(key, CommandState.EXPIRED, "mqtt.not_delivered")
        elif pending.contrary:
            self._finish(key, CommandState.FAILED, "mqtt.contrary_state")
        else:
            self._finish(key, CommandState.FAILED, "mqtt.no_read_back")

    def _finish(self, key: tuple[str, str], state: CommandState, detail: str) -> None:
        pending = self._pending.pop(key)
        pending.stop()
        self._tell(pending.command, state, detail)

    def _tell(self, command: Command, state: CommandState, detail: str) -> None:
        self._done[command.id] = (state, detail)
        while len(self._done) > REMEMBERED:
            del self._done[next(iter(self._done))]
        self.host.result(command.id, state, detail)
