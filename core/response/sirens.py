"""Sirens: silenced by a person on site, and sounding again; released by name."""

from collections.abc import Callable

from core.alarms.events import AlarmRaised, AlarmRepeated
from core.api.errors import Refused
from core.api.model import OutputKind
from core.api.reading import is_on
from core.clock import NS
from core.deadlines import Deadline
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.people import People
from core.permits.interlocks import MARKS
from core.response import acts, first_words
from core.response.commands import Commands
from core.response.events import (
    EvacuationExtended,
    EvacuationStarted,
    OutputReleased,
    SirensResounded,
    SirensSilenced,
)
from core.response.roll_state import EvacuationRecord

#: Silence ends by itself after this, when people are still inside (design §5).
SILENCE_S = 180.0
#: A siren that an evacuation needs and that failed is tried again after this.
AGAIN_S = 15.0
#: Kind of the alarm that people of an evacuation are not accounted for.
LATE = "evacuation.late"
SOUNDERS = (OutputKind.SIREN, OutputKind.VOICE)


class Sirens:
    """Sound, silence and sound again."""

    def __init__(
        self, hub: Hub, access: Access, people: People, commands: Commands
    ) -> None:
        self._hub, self._people, self._commands = hub, people, commands
        self._again_ns: dict[str, int] = {}
        """Entity id → boot ns before which it is not tried again."""
        access.bind(acts.SilenceSirens, self._silence_act)
        access.bind(acts.ReleaseOutput, self._release_act)
        hub.on(AlarmRaised, self._alarm_raised)
        hub.on(AlarmRepeated, self._alarm_repeated)
        hub.on(EvacuationStarted, self._started)
        hub.on(EvacuationExtended, self._extended)
        hub.undo(SirensSilenced, lambda b: self._resound(b.zone_id, "not_durable"))

    def sound(
        self, zone_id: str, why: str, cause: Cause = CORE, *, drill: bool = False
    ) -> None:
        """Sound a zone's sirens and voice, unless a person has silenced them.

        In a drill no voice says that it is real, and what sounds already goes on.
        """
        if zone_id in self._hub.state.response.silenced:
            return
        for entity_id in self._sounders(zone_id):
            self._sound(entity_id, zone_id, why, cause, drill=drill)

    def _sound(
        self, entity_id: str, zone_id: str, why: str, cause: Cause, *, drill: bool
    ) -> None:
        wanted = self._wanted(entity_id, zone_id, drill=drill)
        if wanted is not None and not self._says(entity_id, wanted, drill=drill):
            self._commands.order(entity_id, wanted, why=why, cause=cause)

    def _wanted(
        self, entity_id: str, zone_id: str, *, drill: bool
    ) -> bool | str | None:
        """Return what a sounder is told: a voice gets its most urgent phrase.

        None: a voice that cannot say that it is a drill keeps silent in one.
        """
        entity = self._people.registry.entity(entity_id)
        output = entity.declared.output if entity is not None else None
        if output is None or output.kind is not OutputKind.VOICE:
            return True
        if drill:
            return "drill" if "drill" in output.phrases else None
        if first_words.asked(self._hub, zone_id) and "no_rescue" in output.phrases:
            return "no_rescue"
        return "leave" if "leave" in output.phrases else True

    def _says(self, entity_id: str, wanted: bool | str, *, drill: bool) -> bool:
        """Say whether a sounder was told so already; a drill never takes one over."""
        last = self._hub.state.response.outputs.get(entity_id)
        if last is None or not self._commands.commanded_on(entity_id):
            return False
        return drill or isinstance(wanted, bool) or last.value == wanted

    def end_drill(
        self, record: EvacuationRecord, person_id: str, asked: Envelope
    ) -> None:
        """Switch off by name what a drill alone had switched on."""
        outputs = self._hub.state.response.outputs
        zones, registry = record.zones, self._people.registry
        found = [
            entity_id
            for zone_id in zones
            for entity_id in self._sounders(zone_id)
            if entity_id in outputs
            and outputs[entity_id].why == record.id
            and is_on(outputs[entity_id].value)
            and registry.entity(entity_id) is not None
        ]
        self._switch_off(
            list(dict.fromkeys(found)),
            person_id,
            record.id,
            asked,
            still=lambda: not any(self._hazard(zone_id) for zone_id in zones),
        )

    def tick(self) -> None:
        """End a silence that is over while somebody may be inside a hazard."""
        self._keep_sounding()
        self._first_words()
        for zone_id, until in list(self._hub.state.response.silenced.items()):
            left = until.remaining_ns(self._hub.clock)
            over = left is None or left <= 0
            if over and self._hazard(zone_id) and self._people.may_be_inside(zone_id):
                why = "late_unknown" if left is None else "people_inside"
                self._resound(zone_id, why)

    def _keep_sounding(self) -> None:
        """Try again what an evacuation needs to sound and does not (R1).

        Its host may have been away, or it was enrolled only now.
        """
        now, silenced = self._hub.clock.mono_ns(), self._hub.state.response.silenced
        for record in self._hub.state.response.evacuations.values():
            if record.cleared_wall_ns:
                continue
            for zone_id in set(record.zones) - silenced.keys():
                for entity_id in self._sounders(zone_id):
                    due = now >= self._again_ns.get(entity_id, 0)
                    if due and self._is_mute(entity_id, zone_id):
                        self._again_ns[entity_id] = now + int(AGAIN_S * NS)
                        wanted = self._wanted(entity_id, zone_id, drill=False)
                        self._commands.order(entity_id, wanted or True, why=record.id)

    def _first_words(self) -> None:
        """Let voices keep people from going in after others, where alarms stand."""
        for zone in self._hub.bundle.site.zones:
            confined = zone.hazard == "confined"
            if confined and first_words.asked(self._hub, zone.id):
                self._speak(zone.id)

    def _speak(self, zone_id: str | None) -> None:
        """Let the voices of a confined space that can say the first words do so."""
        silenced = self._hub.state.response.silenced
        if zone_id is None or zone_id in silenced:
            return
        voices = self._people.registry.outputs(zone_id, OutputKind.VOICE)
        if not voices or not first_words.confined(self._hub, zone_id):
            return
        for entity in voices:
            output = entity.declared.output
            can = output is not None and "no_rescue" in output.phrases
            if can and not self._says(entity.id, "no_rescue", drill=False):
                self._again(entity.id, zone_id)

    def _again(self, entity_id: str, zone_id: str) -> None:
        now = self._hub.clock.mono_ns()
        if now < self._again_ns.get(entity_id, 0):
            return
        self._again_ns[entity_id] = now + int(AGAIN_S * NS)
        if self._commands.why_not(entity_id, "no_rescue") is None:
            self._commands.order(entity_id, "no_rescue", why=f"zone:{zone_id}")

    def _is_mute(self, entity_id: str, zone_id: str) -> bool:
        """Say whether a sounder could sound, and its last order did not see to it."""
        last = self._hub.state.response.outputs.get(entity_id)
        entity = self._people.registry.entity(entity_id)
        output = entity.declared.output if entity is not None else None
        # One that cannot be read back has done its best when it was delivered.
        blind = output is not None and not output.read_back
        unseen = blind and last is not None and last.detail.endswith("no_read_back")
        wanted = self._wanted(entity_id, zone_id, drill=False) or True
        sounding = self._says(entity_id, wanted, drill=False) or unseen
        return not sounding and self._commands.why_not(entity_id, True) is None

    def _sounders(self, zone_id: str) -> list[str]:
        registry = self._people.registry
        return [e.id for kind in SOUNDERS for e in registry.outputs(zone_id, kind)]

    def _hazard(self, zone_id: str | None) -> bool:
        return in_danger(self._hub, zone_id)

    # --- sounding again -------------------------------------------------------

    def _alarm_raised(self, body: AlarmRaised, _: Envelope) -> None:
        # That people are late is no new hazard: they may well be at the gate.
        if body.life_safety and body.kind != LATE and not body.mark:
            self._new_source((body.zone_id,))
            # What tempts people in is spoken at once, not at the next tick.
            if first_words.warns(body.kind):
                self._speak(body.zone_id)

    def _alarm_repeated(self, body: AlarmRepeated, _: Envelope) -> None:
        alarm = self._hub.state.alarms.open.get(body.alarm_id)
        if alarm is not None and alarm.life_safety and not alarm.mark:
            self._new_source((alarm.zone_id,))

    def _started(self, body: EvacuationStarted, _: Envelope) -> None:
        if not body.mark:
            self._new_source(body.zones)

    def _extended(self, body: EvacuationExtended, _: Envelope) -> None:
        record = self._hub.state.response.evacuations.get(body.evacuation_id)
        if record is not None:  # a drill resounds nothing
            self._new_source(record.zones)

    def _new_source(self, zones: "tuple[str | None, ...] | list[str]") -> None:
        for zone_id in zones:
            if zone_id in self._hub.state.response.silenced:
                self._resound(zone_id, "new_source")

    def _resound(self, zone_id: str | None, why: str) -> None:
        if zone_id is None:
            return
        self._hub.emit(SirensResounded(zone_id=zone_id, why=why))
        for entity_id in self._sounders(zone_id):
            wanted = self._wanted(entity_id, zone_id, drill=False) or True
            self._commands.order(entity_id, wanted, why=f"zone:{zone_id}")

    # --- acts -----------------------------------------------------------------

    def _silence_act(
        self, actor: str, act: acts.SilenceSirens, _version: int | None, cause: Cause
    ) -> Answer:
        if self._people.on_site(actor) is not Truth.TRUE:
            raise Refused("act.not_on_site", person=actor)
        sounders = self._sounders(act.zone_id)
        if not sounders:
            raise Refused("sirens.none", zone=act.zone_id)
        until = Deadline.after(self._hub.clock, SILENCE_S)
        body = SirensSilenced(zone_id=act.zone_id, person_id=actor, until=until)
        wrapped = self._hub.emit(body, cause)
        silenced = self._hub.state.response.silenced
        # A new source meanwhile has ended the silence: then they sound on.
        self._switch_off(
            sounders,
            actor,
            "silenced",
            wrapped,
            still=lambda: silenced.get(act.zone_id) == until,
        )
        return {"outputs": len(sounders)}

    def _release_act(
        self, actor: str, act: acts.ReleaseOutput, _version: int | None, cause: Cause
    ) -> Answer:
        entity = self._people.registry.entity(act.entity_id)
        if entity is None or entity.declared.output is None:
            raise Refused("output.unknown", entity=act.entity_id)
        if not act.reason.strip():
            raise Refused("output.reason")
        device = self._people.registry.device(entity.device_id)
        zone_id = device.zone_id if device is not None else None
        if self._hazard(zone_id):
            raise Refused("output.hazard", zone=zone_id or "")
        reason = self._commands.why_not(act.entity_id, False, actor)
        if reason is not None:
            raise Refused("output.withheld", entity=act.entity_id, why=reason)
        body = OutputReleased(
            entity_id=act.entity_id, person_id=actor, reason=act.reason
        )
        wrapped = self._hub.emit(body, cause)
        self._switch_off(
            [act.entity_id],
            actor,
            act.reason,
            wrapped,
            still=lambda: not self._hazard(zone_id),
        )
        return {"outputs": 1}

    def _switch_off(
        self,
        entities: list[str],
        actor: str,
        why: str,
        asked: Envelope,
        *,
        still: Callable[[], bool],
    ) -> None:
        """Order outputs off once the wish is on disk: what ends protection waits.

        A hazard that came while it waited goes first: ``still`` is then False.
        """
        drill = asked.cause.drill
        cause = Cause(actor=f"person:{actor}", parent=asked.id, drill=drill)

        def order(durable: bool) -> None:
            for entity_id in entities if durable and still() else ():
                self._commands.order(
                    entity_id, False, why=why, cause=cause, person_id=actor
                )

        self._hub.when_durable(asked.seq, order)


def in_danger(hub: Hub, zone_id: str | None) -> bool:
    """Say whether a zone is in danger; None is anywhere, so any danger counts."""
    response, places = hub.state.response, hub.state.alarms.places
    leaving = any(
        not record.cleared_wall_ns and (zone_id is None or zone_id in record.zones)
        for record in response.evacuations.values()
    )
    near = places.vital() if zone_id is None else places.vital(zone_id)
    return leaving or any(a.stands and a.mark not in MARKS for a in near)
