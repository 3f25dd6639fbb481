"""What tells people without any device of theirs: sirens and voices on site (R14)."""

from collections.abc import Callable

from core.alarms.alarms import Alarms
from core.api.command import CommandState
from core.api.model import EntityKind, OutputKind
from core.api.reading import Value
from core.hub import Hub
from core.journal.envelope import Cause
from core.registry.registry import Registry
from core.registry.state import EntityRecord
from core.response.commands import Commands
from core.response.state import CommandRecord, NoticeRecord

#: Channel → the outputs that serve it, in the zone that a notice names.
SOUNDED = {"siren": OutputKind.SIREN, "voice": OutputKind.VOICE}
#: How a command's state tells of the notice that it carries.
_TOLD = {
    CommandState.DELIVERED: "sent",
    CommandState.CONFIRMED: "delivered",
    CommandState.FAILED: "failed",
    CommandState.EXPIRED: "failed",
}

Move = Callable[[str, str, str, str], None]


class Sounders:
    """Sound what stands on site: as a channel, and when nobody can be reached."""

    def __init__(
        self, hub: Hub, registry: Registry, commands: Commands, alarms: Alarms
    ) -> None:
        self._hub, self._registry = hub, registry
        self._commands, self._alarms = commands, alarms
        self.moved: Move = lambda *_: None
        """Who hears of (notice, channel, state, detail)."""

    def nobody(
        self, about: str, params: dict[str, Value], mark: str, cause: Cause
    ) -> None:
        """Raise the alarm on the hub itself and sound what can be heard."""
        zone_id = _zone(params)
        self._alarms.raise_(
            "hub:notices",
            about,
            kind="fault.notice",
            priority=1,
            zone_id=zone_id,
            params={"about": about},
            mark=mark,
            cause=cause,
        )
        for siren in self._outputs(zone_id, OutputKind.SIREN):
            if not self._commands.commanded_on(siren.id):
                self._commands.order(siren.id, True, why=about, cause=cause)

    def carry(self, record: NoticeRecord, cause: Cause) -> None:
        """Bring a notice to the outputs among its channels; each tells its end."""
        zone_id = _zone(record.params)
        for channel in SOUNDED.keys() & record.channels.keys():
            if record.channels[channel] != "queued":
                continue
            found = self._outputs(zone_id, SOUNDED[channel])
            if not found:
                self.moved(record.id, channel, "failed", "no_output")
            elif zone_id in self._hub.state.response.silenced:
                self.moved(record.id, channel, "failed", "silenced")
            else:
                self._sound(record, channel, found, cause)

    def _sound(
        self,
        record: NoticeRecord,
        channel: str,
        outputs: list[EntityRecord],
        cause: Cause,
    ) -> None:
        # A voice says the code's words; a siren that sounds already has told.
        value: bool | str = True if channel == "siren" else record.code
        withheld = 0
        for output in outputs:
            if channel == "siren" and self._sounds(output.id):
                self.moved(record.id, channel, "delivered", "")
                continue
            command = self._commands.order(
                output.id, value, why=record.about or record.id, cause=cause
            )
            if command is None:
                withheld += 1
            else:
                self._follow(record.id, channel, command)
        if withheld == len(outputs):
            self.moved(record.id, channel, "failed", "withheld")

    def _sounds(self, entity_id: str) -> bool:
        last = self._hub.state.response.outputs.get(entity_id)
        proven = last is not None and last.state is CommandState.CONFIRMED
        return proven and self._commands.commanded_on(entity_id)

    def _follow(self, notice_id: str, channel: str, command_id: str) -> None:
        def heard(command: CommandRecord) -> None:
            state = _TOLD.get(command.state)
            # Without read-back, delivered is the best that can be had.
            unseen = command.detail.endswith("no_read_back")
            if state == "failed" and not unseen:
                self.moved(notice_id, channel, "failed", command.detail or "output")
            elif state in ("sent", "delivered"):
                self.moved(notice_id, channel, state, "")

        self._commands.watch(command_id, heard)

    def _outputs(self, zone_id: str | None, kind: OutputKind) -> list[EntityRecord]:
        """Return a zone's outputs of a kind; where it has none, those of the site."""
        found = self._registry.outputs(zone_id or "", kind)
        return found or [
            entity
            for entity in self._registry.entities(kind=EntityKind.OUTPUT)
            if entity.declared.output and entity.declared.output.kind is kind
        ]


def _zone(params: dict[str, Value]) -> str | None:
    zone = params.get("zone_id") or params.get("zone")
    return zone if isinstance(zone, str) else None
