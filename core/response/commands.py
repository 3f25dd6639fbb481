"""Commands to outputs: delivered, confirmed, failed, expired; withheld by Ex."""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from core.alarms.alarms import Alarms
from core.api.command import TERMINAL, Command, CommandState
from core.api.model import RUNNING, EntityKind, OutputKind
from core.api.quality import Quality
from core.api.reading import is_on
from core.clock import NS
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.link.messages import Execute, Result
from core.readings.readings import Readings
from core.registry.declared import bare
from core.registry.registry import Registry
from core.registry.state import EntityRecord
from core.response.events import CommandIssued, CommandMoved, CommandWithheld
from core.response.ex import PROTECTIVE_OUTPUTS, clouds, withheld
from core.response.state import CommandRecord

Watcher = Callable[[CommandRecord], None]
Wanted = bool | float | str
#: A read-back may trail the command that it answers by this much.
CONTRADICTS_S = 2.0
#: Finished commands that a late watcher may still ask for.
_KEPT = 256
#: Kind of the alarm of an output that is not as it was ordered.
_ODD = "fault.output"
_STEPS = (CommandState.ISSUED, CommandState.DELIVERED)


class Commands:
    """Order outputs, follow each command to its end, watch what they are."""

    def __init__(
        self, hub: Hub, registry: Registry, readings: Readings, alarms: Alarms
    ) -> None:
        self._hub, self._registry = hub, registry
        self._readings, self._alarms = readings, alarms
        self._watchers: dict[str, list[Watcher]] = {}
        self._finished: OrderedDict[str, CommandRecord] = OrderedDict()
        self._odd_since: dict[str, int] = {}
        self._last: dict[str, str] = {}
        """Each output's last command; ``_entity_of`` is the same the other way."""
        self._entity_of: dict[str, str] = {}
        hub.derive((CommandIssued,), self._note)

    def arm(self) -> None:
        """Note each output's last command."""
        self._last.clear()
        self._entity_of.clear()
        for record in self._hub.state.response.outputs.values():
            self._note_last(record.entity_id, record.id)

    def _note(self, body: CommandIssued) -> None:
        self._note_last(body.entity_id, body.command_id)

    def _note_last(self, entity_id: str, command_id: str) -> None:
        self._entity_of.pop(self._last.get(entity_id, ""), None)
        self._last[entity_id] = command_id
        self._entity_of[command_id] = entity_id

    def last(self, command_id: str) -> CommandRecord | None:
        """Return a command, open or ended, as long as its output had none since."""
        entity_id = self._entity_of.get(command_id, "")
        return self._hub.state.response.outputs.get(entity_id)

    def recover(self, clean: bool) -> None:
        """Send unfinished commands again while in time; else they expire."""
        for record in list(self._hub.state.response.commands.values()):
            self._arm_deadline(record)
            self._send_again(record)

    def tick(self) -> None:
        """Compare every output with its last command (R1)."""
        told = {alarm.source for alarm in self._alarms.active(kind_prefix=_ODD)}
        for entity in self._registry.entities(kind=EntityKind.OUTPUT):
            self._compare(entity, f"entity:{entity.id}" in told)

    # --- orders ---------------------------------------------------------------

    def order(
        self,
        entity_id: str,
        value: Wanted,
        *,
        why: str,
        deadline_s: float = 5.0,
        priority: int = 0,
        cause: Cause = CORE,
        person_id: str = "",
    ) -> str | None:
        """Ask an output for a state; return the command's id, None when withheld.

        Switching a protective output off, or power on again, needs the person
        who asks for it in ``person_id``. The same order still under way is not
        given twice.
        """
        entity = self._registry.entity(entity_id)
        output = entity.declared.output if entity else None
        if entity is None or output is None:
            return self._unresolved(entity_id, value, why, deadline_s, cause)
        if output.kind is OutputKind.SIREN and not isinstance(value, bool):
            value = is_on(value)  # never a time after which it ends by itself
        reason = self.why_not(entity_id, value, person_id)
        if reason is not None:
            body = CommandWithheld(
                entity_id=entity_id, value=value, code=reason, why=why
            )
            self._hub.emit(body, cause)
            return None
        pending = self._pending(entity_id)
        if pending is not None:
            if pending.value == value:
                return pending.id
            self._move(pending.id, CommandState.EXPIRED, "superseded")
        record = self._issue(entity, value, why, deadline_s, priority, cause)
        self._send(record, record.deadline.duration_ns)
        self._arm_deadline(record)
        return record.id

    def commanded_on(self, entity_id: str) -> bool:
        """Say whether an output's last order was ON and did not fail."""
        last = self._hub.state.response.outputs.get(entity_id)
        bad = (CommandState.FAILED, CommandState.EXPIRED)
        return last is not None and is_on(last.value) and last.state not in bad

    def watch(self, command_id: str, callback: Watcher) -> None:
        """Call back on each move of a command; at once when it has ended."""
        done = self._finished.get(command_id)
        if done is not None:
            callback(done)
        else:
            self._watchers.setdefault(command_id, []).append(callback)

    def why_not(self, entity_id: str, value: Wanted, person_id: str = "") -> str | None:
        """Return the code for which an output must not be given a value now."""
        entity = self._registry.entity(entity_id)
        output = entity.declared.output if entity else None
        if entity is None or output is None:
            return "output.unknown"
        protects = output.kind in PROTECTIVE_OUTPUTS
        if protects and not is_on(value) and not person_id:
            return "output.only_by_person"
        device = self._registry.device(entity.device_id)
        zone_id = device.zone_id if device else None
        # Where no spark can be, nobody need look for a cloud.
        cloud = set() if output.ex_rated else clouds(self._hub)
        return withheld(output, zone_id, is_on(value), cloud)

    def _pending(self, entity_id: str) -> CommandRecord | None:
        last = self._hub.state.response.outputs.get(entity_id)
        return self._hub.state.response.commands.get(last.id) if last else None

    def _issue(
        self,
        entity: EntityRecord,
        value: Wanted,
        why: str,
        deadline_s: float,
        priority: int,
        cause: Cause,
    ) -> CommandRecord:
        body = CommandIssued(
            command_id=self._hub.ids.new(),
            device_id=entity.device_id,
            entity_id=entity.id,
            value=value,
            deadline=Deadline.after(self._hub.clock, deadline_s),
            priority=priority,
            why=why,
        )
        self._hub.emit(body, cause)
        return self._hub.state.response.commands[body.command_id]

    def _unresolved(
        self, entity_id: str, value: Wanted, why: str, deadline_s: float, cause: Cause
    ) -> str:
        body = CommandIssued(
            command_id=self._hub.ids.new(),
            device_id="",
            entity_id=entity_id,
            value=value,
            deadline=Deadline.after(self._hub.clock, deadline_s),
            why=why,
        )
        self._hub.emit(body, cause)
        self._move(body.command_id, CommandState.FAILED, "no_such_output")
        return body.command_id

    def _send(self, record: CommandRecord, left_ns: int) -> None:
        entity = self._registry.entity(record.entity_id)
        device = self._registry.device(record.device_id)
        if entity is None or device is None:
            self._move(record.id, CommandState.FAILED, "no_such_output")
            return
        command = Command(
            id=record.id,
            device_uid=device.uid,
            entity_uid=entity.declared.uid,
            value=record.value,
            deadline_ns=self._hub.clock.mono_ns() + left_ns,
            priority=record.priority,
        )
        self._hub.links.send(self._registry.host_of(device.id), Execute(command))

    # --- progress -------------------------------------------------------------

    def result(self, host: str, message: Result) -> None:
        """Take a host's word on one of its own commands; others are ignored."""
        record = self._hub.state.response.commands.get(message.command_id)
        if record is None or not self._speaks(host, record):
            return
        try:
            state = CommandState(message.state)
        except ValueError:
            return
        if state in _STEPS and _STEPS.index(state) <= _STEPS.index(record.state):
            return
        self._move(record.id, state, message.detail)

    def host_back(self, host: str) -> None:
        """Send a returned host what it still owes, while in time."""
        for record in list(self._hub.state.response.commands.values()):
            if self._speaks(host, record):
                self._send_again(record)

    def _send_again(self, record: CommandRecord) -> None:
        """Send what is still in time, unless a cloud has come meanwhile."""
        left = record.deadline.remaining_ns(self._hub.clock)
        if left is None or left <= 0:
            return
        # Who asked was judged when it was ordered; the gas must be judged now.
        reason = self.why_not(record.entity_id, record.value, person_id="asked")
        if reason is not None and reason.startswith("ex."):
            self._move(record.id, CommandState.FAILED, reason)
        else:
            self._send(record, left)

    def _speaks(self, host: str, record: CommandRecord) -> bool:
        return bare(self._registry.host_of(record.device_id)) == bare(host)

    def _arm_deadline(self, record: CommandRecord) -> None:
        def expire(late_unknown: bool) -> None:
            late = self._hub.state.response.commands.get(record.id)
            if late is not None:
                detail = "late_unknown" if late_unknown else self._why_late(late)
                self._move(record.id, CommandState.EXPIRED, detail)

        fire_after(self._hub, record.deadline, _key(record.id), expire)

    def _why_late(self, record: CommandRecord) -> str:
        entity = self._registry.entity(record.entity_id)
        output = entity.declared.output if entity else None
        if output is not None and not output.read_back:
            return "no_read_back"
        return "unanswered" if record.state is CommandState.ISSUED else "unconfirmed"

    def _move(self, command_id: str, state: CommandState, detail: str) -> None:
        record = self._hub.state.response.commands.get(command_id)
        if record is None:
            return
        body = CommandMoved(command_id=command_id, state=state, detail=detail)
        self._hub.emit(body, Cause(actor=f"device:{record.device_id}"))
        if state in TERMINAL:
            self._hub.timers.cancel(_key(command_id))
            self._finished[command_id] = msgspec.structs.replace(record)
            if len(self._finished) > _KEPT:
                self._finished.popitem(last=False)
            self._judge_end(record)
        keep = [] if state in TERMINAL else self._watchers.get(command_id, [])
        for callback in self._watchers.pop(command_id, []):
            callback(record)
        if keep:
            self._watchers[command_id] = keep

    def _judge_end(self, record: CommandRecord) -> None:
        source = f"entity:{record.entity_id}"
        if record.state is CommandState.CONFIRMED:
            self._alarms.clear(source, "command")
            return
        if record.detail == "superseded":
            return
        device = self._registry.device(record.device_id)
        # An output that cannot be read back has done its best when delivered.
        unseen = record.detail == "no_read_back"
        self._alarms.raise_(
            source,
            "command",
            kind="fault.command",
            priority=4 if unseen else 2,
            zone_id=device.zone_id if device else None,
            params={
                "command": record.id,
                "state": str(record.state),
                "detail": record.detail,
                "why": record.why,
            },
        )

    # --- outputs as they are --------------------------------------------------

    def _compare(self, entity: EntityRecord, told: bool) -> None:
        output = entity.declared.output
        reading = self._readings.get(entity.id)
        if output is None or output.kind is OutputKind.LAMP:
            return
        if reading.quality is not Quality.GOOD or self._pending(entity.id) is not None:
            self._odd_since.pop(entity.id, None)
            return
        odd = self._odd(entity.id, is_on(reading.value))
        if odd == "found_on" and output.kind in RUNNING:
            odd = None
        if odd is None:
            self._odd_since.pop(entity.id, None)
            for condition in ("found_on", "contradicts") if told else ():
                self._alarms.clear(f"entity:{entity.id}", condition)
            return
        now = self._hub.clock.mono_ns()
        since = self._odd_since.setdefault(entity.id, now)
        if now - since >= int(CONTRADICTS_S * NS):
            self._raise_odd(entity, odd, is_on(reading.value))

    def _odd(self, entity_id: str, on: bool) -> str | None:
        last = self._hub.state.response.outputs.get(entity_id)
        if last is None:
            return "found_on" if on else None
        if last.state is CommandState.CONFIRMED and is_on(last.value) != on:
            return "contradicts"
        return None

    def _raise_odd(self, entity: EntityRecord, odd: str, on: bool) -> None:
        device = self._registry.device(entity.device_id)
        self._alarms.raise_(
            f"entity:{entity.id}",
            odd,
            kind=_ODD,
            priority=2,
            zone_id=device.zone_id if device else None,
            params={"entity": entity.id, "on": on},
        )


def _key(command_id: str) -> str:
    return f"command.{command_id}"
