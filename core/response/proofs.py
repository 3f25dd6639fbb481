"""Proof tests: what sounds or trips only in danger shows in time that it would.

A test is two halves of evidence: the device's read-back, and a person's word that
it was heard. The hub ends what it switched on, in the tester's name, unless danger
came meanwhile; no output ever times itself off (design §5 Commands).
"""

import enum
from typing import Final

from core.alarms.alarms import Alarms
from core.api.command import CommandState
from core.api.errors import Refused
from core.api.model import EntityKind, OutputKind
from core.clock import NS
from core.hub import Hub
from core.journal.envelope import Cause
from core.journal.events import Event
from core.people.access import Access, Answer
from core.people.acts import ROLES
from core.registry.events import DeviceEnrolled, DeviceRemoved, DeviceZoned
from core.registry.registry import Registry
from core.registry.state import EntityRecord
from core.response import proofs_acts as acts
from core.response.commands import Commands
from core.response.notices import Notices
from core.response.proofs_state import (
    ANSWER_S,
    ProofBegun,
    ProofDoubted,
    ProofFailed,
    ProofPassed,
    ProofReadBack,
    ProofRecord,
)
from core.response.sirens import in_danger
from core.response.state import CommandRecord

#: What is only switched on to show it: off again after so long.
SHOWN_S: Final = 10.0
_SHOWN: Final = frozenset(
    {OutputKind.SIREN, OutputKind.STROBE, OutputKind.VOICE, OutputKind.RECORDER}
)
_DEADLINE_S: Final = 10.0
_HOUR_NS: Final = 3600 * NS
_WARN_SHARE: Final = 0.1
_EVERYBODY: Final = tuple(role for role in ROLES if role not in ("owner", "auditor"))
_UNSEEN: Final = "no_read_back"


class Proof(enum.StrEnum):
    """Say how far an output's last proof goes."""

    NONE = "none"
    """Nothing is demanded and nothing failed."""
    PROVEN = "proven"
    DUE = "due"
    """Proven, and will not be for long."""
    OVERDUE = "overdue"
    FAILED = "failed"


_TOLD: Final = {Proof.DUE: 4, Proof.OVERDUE: 3, Proof.FAILED: 2}


class Proofs:
    """Run proof tests, and tell which outputs are owed one."""

    def __init__(
        self,
        hub: Hub,
        access: Access,
        registry: Registry,
        commands: Commands,
        notices: Notices,
        alarms: Alarms,
    ) -> None:
        self._hub, self._registry, self._commands = hub, registry, commands
        self._notices, self._alarms = notices, alarms
        self._owed: dict[str, float] | None = None
        """Output → hours between its tests; None: to be made anew."""
        self._seen: dict[str, Proof] = {}
        access.bind(acts.StartProof, self._start)
        access.bind(acts.PassProof, self._pass)
        access.bind(acts.FailProof, self._fail)
        hub.derive((DeviceEnrolled, DeviceZoned, DeviceRemoved), self._changed)
        hub.undo(ProofPassed, self._doubt)

    # --- room -----------------------------------------------------------------

    def arm(self) -> None:
        """Judge every output by what the bundle demands of it."""
        self._owed = None
        self.tick()

    def recover(self, clean: bool) -> None:
        """Judge every output by the replayed records."""
        self._owed = None
        self.tick()

    def tick(self) -> None:
        """Let what falls due fall due."""
        told = {
            alarm.source.removeprefix("entity:")
            for alarm in self._alarms.active(kind_prefix="fault.proof_")
        }
        # Also what was told and is demanded no more.
        known = self._intervals().keys() | self._hub.state.response.proofs.keys()
        for entity_id in known | told:
            self._judge(entity_id)

    # --- answers --------------------------------------------------------------

    def standing(self, entity_id: str) -> Proof:
        """Return how an output's proof stands now."""
        record = self._hub.state.response.proofs.get(entity_id, ProofRecord())
        if record.failed_wall_ns:
            return Proof.FAILED
        every_h = self._intervals().get(entity_id)
        if every_h is None:
            return Proof.NONE
        left = record.proven.remaining_ns(self._hub.clock) if record.proven else None
        # Nobody can say how old it is: then it is owed (unknown is never safe).
        if left is None or -left >= every_h * _HOUR_NS:
            return Proof.OVERDUE
        soon = -left >= every_h * _HOUR_NS * (1 - _WARN_SHARE)
        return Proof.DUE if soon else Proof.PROVEN

    def _intervals(self) -> dict[str, float]:
        if self._owed is None:
            self._owed = {}
            for entity in self._registry.entities(kind=EntityKind.OUTPUT):
                rule = self._registry.rule(entity.device_id)
                every = rule.proof_every_h if rule is not None else {}
                hours = every.get(entity.declared.uid, every.get("*"))
                if hours is not None:
                    self._owed[entity.id] = hours
        return self._owed

    def _changed(self, _: Event) -> None:
        self._owed = None

    # --- judging --------------------------------------------------------------

    def _judge(self, entity_id: str) -> None:
        entity = self._registry.entity(entity_id)
        standing = self.standing(entity_id) if entity is not None else Proof.NONE
        if self._seen.get(entity_id) is standing:
            return
        self._seen[entity_id] = standing
        for each, priority in _TOLD.items():
            condition = f"proof_{each}"
            if each is standing and entity is not None:
                self._alarms.raise_(
                    f"entity:{entity_id}",
                    condition,
                    kind=f"fault.{condition}",
                    priority=priority,
                    zone_id=self._zone(entity),
                    params={"name": entity.declared.name},
                )
            else:
                self._alarms.clear(f"entity:{entity_id}", condition)

    def _zone(self, entity: EntityRecord) -> str | None:
        device = self._registry.device(entity.device_id)
        return device.zone_id if device is not None else None

    # --- a test ---------------------------------------------------------------

    def _start(
        self, actor: str, act: acts.StartProof, _version: int | None, cause: Cause
    ) -> Answer:
        entity = self._safe_to_test(act.entity_id)
        if self._commands.commanded_on(entity.id):
            raise Refused("proof.on", output=entity.declared.name)
        value = _said(entity)
        why_not = self._commands.why_not(entity.id, value)
        if why_not is not None:
            raise Refused("output.withheld", entity=entity.id, why=why_not)
        zone_id = self._zone(entity)
        self._notices.tell(
            roles=_EVERYBODY,
            channels=("screen",),
            code="notice.proof_test",
            params={"zone": zone_id or "", "name": entity.declared.name},
            about=_about(entity.id),
            mark="TEST",
            cause=cause,
        )
        command_id = self._commands.order(
            entity.id,
            value,
            why=_about(entity.id),
            deadline_s=_DEADLINE_S,
            cause=cause,
        )
        if command_id is None:
            raise Refused("output.withheld", entity=entity.id, why="output.unknown")
        body = ProofBegun(entity_id=entity.id, person_id=actor, command_id=command_id)
        self._hub.emit(body, cause)
        self._commands.watch(command_id, self._moved)
        output = entity.declared.output
        if output is not None and output.kind in _SHOWN:
            self._hub.after(
                SHOWN_S, _about(entity.id), lambda: self._end(entity.id, actor, cause)
            )
        return {"command_id": command_id}

    def _safe_to_test(self, entity_id: str) -> EntityRecord:
        entity = self._registry.entity(entity_id)
        if entity is None or entity.declared.output is None:
            raise Refused("output.unknown", entity=entity_id)
        zone_id = self._zone(entity)
        if in_danger(self._hub, zone_id):
            raise Refused("proof.hazard", zone=zone_id or "")
        return entity

    def _moved(self, command: CommandRecord) -> None:
        """Hear what became of a test's command."""
        record = self._hub.state.response.proofs.get(command.entity_id)
        run = record.run if record is not None else None
        if run is None or run.command_id != command.id:
            return
        unseen = command.detail.endswith(_UNSEEN)
        if command.state is CommandState.CONFIRMED or unseen:
            self._hub.emit(
                ProofReadBack(
                    entity_id=command.entity_id,
                    command_id=command.id,
                    detail=_UNSEEN if unseen else "",
                )
            )
        elif command.state in (CommandState.FAILED, CommandState.EXPIRED):
            self._failed(command.entity_id, run.person_id, command.detail)

    def _end(self, entity_id: str, person_id: str, cause: Cause) -> None:
        """Switch off what was only shown; danger that came meanwhile keeps it on."""
        self._notices.close_about(_about(entity_id))
        entity = self._registry.entity(entity_id)
        last = self._hub.state.response.outputs.get(entity_id)
        ours = last is not None and last.why == _about(entity_id)
        if entity is None or not ours or in_danger(self._hub, self._zone(entity)):
            return
        self._commands.order(
            entity_id, False, why=_about(entity_id), cause=cause, person_id=person_id
        )

    # --- a person's word ------------------------------------------------------

    def _pass(
        self, actor: str, act: acts.PassProof, _version: int | None, cause: Cause
    ) -> Answer:
        self._safe_to_test(act.entity_id)
        record = self._hub.state.response.proofs.get(act.entity_id)
        run = record.run if record is not None else None
        left = run.begun.remaining_ns(self._hub.clock) if run is not None else None
        if run is None or left is None or -left > ANSWER_S * NS:
            raise Refused("proof.none", minutes=ANSWER_S / 60)
        if not run.read_back:
            raise Refused("proof.not_read_back")
        self._hub.emit(ProofPassed(entity_id=act.entity_id, person_id=actor), cause)
        self._notices.close_about(_about(act.entity_id))
        self._judge(act.entity_id)
        return {"entity_id": act.entity_id, "proof": str(self.standing(act.entity_id))}

    def _fail(
        self, actor: str, act: acts.FailProof, _version: int | None, cause: Cause
    ) -> Answer:
        entity = self._registry.entity(act.entity_id)
        if entity is None or entity.declared.output is None:
            raise Refused("output.unknown", entity=act.entity_id)
        self._failed(act.entity_id, actor, act.reason or "not_heard", cause)
        return {"entity_id": act.entity_id, "proof": str(Proof.FAILED)}

    def _failed(
        self, entity_id: str, person_id: str, why: str, cause: Cause | None = None
    ) -> None:
        body = ProofFailed(entity_id=entity_id, person_id=person_id, why=why)
        self._hub.emit(body, cause or Cause(actor="hub:proofs"))
        self._notices.close_about(_about(entity_id))
        self._judge(entity_id)

    def _doubt(self, body: ProofPassed) -> None:
        self._hub.emit(ProofDoubted(entity_id=body.entity_id))
        self._judge(body.entity_id)


def _about(entity_id: str) -> str:
    return f"proof:{entity_id}"


def _said(entity: EntityRecord) -> bool | str:
    """Return what a test tells an output: a voice says that it is a drill."""
    output = entity.declared.output
    return "drill" if output is not None and "drill" in output.phrases else True
