"""Notices: who must be told, what became of it, and who is told next (R13, R14)."""

from collections.abc import Iterable

import msgspec

from core import config
from core.alarms.alarms import Alarms
from core.alarms.events import AlarmClosed
from core.api.errors import Refused
from core.api.model import EntityKind, OutputKind
from core.api.reading import Value
from core.config import ChainStep
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.link.messages import NoticeResult
from core.people.access import Answer
from core.people.people import People
from core.permits.events import PermitClosed, PermitReleased
from core.registry.registry import Registry
from core.response import acts
from core.response.commands import Commands
from core.response.events import (
    EvacuationCleared,
    NoticeClosed,
    NoticeEscalated,
    NoticeMoved,
    NoticeQueued,
)
from core.response.orders import LOCAL, Orders
from core.response.state import NoticeRecord

_STATES = ("sent", "delivered", "seen", "acknowledged", "failed")


class _Telling(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what one step tells, for whom it is the same."""

    code: str
    params: dict[str, Value]
    about: str
    channels: tuple[str, ...]
    respond_s: float | None
    chain: str
    level: int
    mark: str
    role: str = ""


class Notices:
    """Queue notices, follow each channel, escalate by clock, sound locally."""

    def __init__(
        self,
        hub: Hub,
        people: People,
        registry: Registry,
        commands: Commands,
        alarms: Alarms,
    ) -> None:
        self._hub, self._people, self._registry = hub, people, registry
        self._commands, self._alarms = commands, alarms
        self._chains: dict[str, config.NotifyChain] = {}
        people.access.bind(acts.AcknowledgeNotice, self._acknowledge_act)
        people.access.bind(acts.SeeNotice, self._seen_act)
        self._orders = Orders(hub, self)
        hub.on(PermitReleased, lambda body, _: self.close_about(body.permit_id))
        hub.on(PermitClosed, lambda body, _: self.close_about(body.permit_id))
        hub.on(EvacuationCleared, lambda body, _: self.close_about(body.evacuation_id))
        hub.on(AlarmClosed, lambda body, _: self.close_about(body.alarm_id))

    def arm(self) -> None:
        """Derive the chains from the bundle."""
        self._chains = {chain.id: chain for chain in self._hub.bundle.chains}

    def recover(self, clean: bool) -> None:
        """Go on waiting for answers; what is late by now is escalated at once."""
        for record in self._records():
            self._arm_answer(record)

    def tick(self) -> None:
        """Have no levels: notices go by deadlines and results."""

    # --- telling --------------------------------------------------------------

    def tell(  # noqa: PLR0913 (the names are the contract)
        self,
        *,
        roles: Iterable[str],
        channels: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        chain: str = "",
        respond_s: float | None = None,
        mark: str = "",
        cause: Cause = CORE,
    ) -> list[str]:
        """Tell everybody with one of the roles; nobody to tell sounds locally."""
        telling = _Telling(
            code=code,
            params=params,
            about=about,
            channels=tuple(channels),
            respond_s=respond_s,
            chain=chain,
            level=0,
            mark=mark,
        )
        told = self._tell_roles(tuple(roles), telling, cause)
        if not told:
            self._nobody(telling.about, params, mark, cause)
        return told

    def tell_chain(
        self,
        chain_id: str,
        code: str,
        params: dict[str, Value],
        about: str,
        mark: str = "",
        cause: Cause = CORE,
    ) -> list[str]:
        """Begin an escalation chain at its first step."""
        telling = _Telling(
            code=code,
            params=params,
            about=about,
            channels=(),
            respond_s=None,
            chain=chain_id,
            level=0,
            mark=mark,
        )
        return self._tell_from(telling, cause)

    def tell_persons(
        self,
        persons: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        mark: str = "",
        cause: Cause = CORE,
    ) -> list[str]:
        """Tell named people by every channel of theirs; an open one is not repeated."""
        told = []
        for person_id in dict.fromkeys(p for p in persons if p):
            if self._lies(person_id, code, about):
                continue
            person = self._people.person(person_id)
            contacts = person.contacts if person else {}
            telling = _Telling(
                code=code,
                params=params,
                about=about,
                channels=tuple(dict.fromkeys((LOCAL, *contacts))),
                respond_s=None,
                chain="",
                level=0,
                mark=mark,
            )
            told.append(self._queue(person_id, telling, cause))
        return told

    def _tell_from(self, telling: _Telling, cause: Cause) -> list[str]:
        """Tell the first step, from a level on, that has somebody to tell."""
        while (step := self._step(telling.chain, telling.level)) is not None:
            now = msgspec.structs.replace(
                telling, channels=step.channels, respond_s=step.respond_s
            )
            told = self._tell_roles(step.roles, now, cause)
            if told:
                return told
            telling = msgspec.structs.replace(telling, level=telling.level + 1)
        self._nobody(telling.about, telling.params, telling.mark, cause)
        return []

    def _step(self, chain_id: str, level: int) -> ChainStep | None:
        chain = self._chains.get(chain_id)
        steps = chain.steps if chain else ()
        return steps[level] if level < len(steps) else None

    def _tell_roles(
        self, roles: tuple[str, ...], telling: _Telling, cause: Cause
    ) -> list[str]:
        found: dict[str, str] = {}
        for role in roles:
            for person in self._people.with_role(role):
                found.setdefault(person.id, role)
        return [
            self._queue(p, msgspec.structs.replace(telling, role=role), cause)
            for p, role in found.items()
        ]

    def _queue(self, person_id: str, telling: _Telling, cause: Cause) -> str:
        respond = telling.respond_s
        body = NoticeQueued(
            notice_id=self._hub.ids.new(),
            person_id=person_id,
            role=telling.role,
            code=telling.code,
            params=telling.params,
            about=telling.about,
            channels=telling.channels or (LOCAL,),
            level=telling.level,
            respond=None
            if respond is None
            else Deadline.after(self._hub.clock, respond),
            chain=telling.chain,
            mark=telling.mark,
        )
        self._hub.emit(body, cause)
        self._arm_answer(self._hub.state.response.notices[body.notice_id])
        return body.notice_id

    # --- progress -------------------------------------------------------------

    def result(self, peer: str, message: NoticeResult) -> None:
        """Take the notifier's word on one channel; nonsense is ignored."""
        record = self._hub.state.response.notices.get(message.notice_id)
        if record is None or message.channel not in record.channels:
            return
        if peer.startswith("host:"):
            return
        # Only the person acknowledges, by an act of their own.
        if message.state not in _STATES or message.state == "acknowledged":
            return
        cause = Cause(actor=f"hub:{peer}")
        self._move(record, message.channel, message.state, message.detail, cause)
        if message.state == "failed" and self._unreachable(record):
            self._escalate(record, "unreachable")

    def close_about(self, about: str) -> None:
        """Close every notice about something that has ended."""
        for record in self._records():
            if record.about == about:
                self._hub.timers.cancel(_key(record.id))
                self._hub.emit(NoticeClosed(notice_id=record.id))
        self._alarms.clear("hub:notices", about)

    def _move(
        self, record: NoticeRecord, channel: str, state: str, detail: str, cause: Cause
    ) -> None:
        body = NoticeMoved(
            notice_id=record.id, channel=channel, state=state, detail=detail
        )
        self._hub.emit(body, cause)

    def _records(self) -> list[NoticeRecord]:
        return list(self._hub.state.response.notices.values())

    def _lies(self, person_id: str, code: str, about: str) -> bool:
        return any(
            (r.person_id, r.code, r.about) == (person_id, code, about)
            and not r.acknowledged
            for r in self._records()
        )

    # --- escalation -----------------------------------------------------------

    def _group(self, record: NoticeRecord) -> list[NoticeRecord]:
        """Return the notices of the same step: one answer is enough for all."""
        key = (record.chain, record.about, record.level, record.code)
        return [
            r for r in self._records() if (r.chain, r.about, r.level, r.code) == key
        ]

    def _unreachable(self, record: NoticeRecord) -> bool:
        states = [s for r in self._group(record) for s in r.channels.values()]
        return all(state == "failed" for state in states)

    def _arm_answer(self, record: NoticeRecord) -> None:
        if record.respond is None or record.acknowledged or record.escalated:
            return
        notice_id = record.id

        def late(late_unknown: bool) -> None:
            found = self._hub.state.response.notices.get(notice_id)
            if found is not None:
                self._escalate(found, "late_unknown" if late_unknown else "unanswered")

        fire_after(self._hub, record.respond, _key(notice_id), late)

    def _escalate(self, record: NoticeRecord, why: str) -> None:
        """Tell the next step once, unless somebody of this one has answered."""
        group = self._group(record)
        if any(r.acknowledged or r.escalated for r in group):
            return
        level = record.level + 1
        body = NoticeEscalated(notice_id=record.id, level=level, why=why)
        wrapped = self._hub.emit(body)
        cause = Cause(actor="hub:notices", parent=wrapped.id)
        telling = _Telling(
            code=record.code,
            params=record.params,
            about=record.about,
            channels=(),
            respond_s=None,
            chain=record.chain,
            level=level,
            mark=record.mark,
        )
        self._tell_from(telling, cause)

    def _nobody(
        self, about: str, params: dict[str, Value], mark: str, cause: Cause
    ) -> None:
        """Raise the alarm on the hub itself and sound what can be heard (R14)."""
        zone = params.get("zone_id") or params.get("zone")
        zone_id = zone if isinstance(zone, str) else None
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
        sirens = self._registry.outputs(zone_id or "", OutputKind.SIREN)
        if not sirens:
            outputs = self._registry.entities(kind=EntityKind.OUTPUT)
            sirens = [
                entity
                for entity in outputs
                if entity.declared.output
                and entity.declared.output.kind is OutputKind.SIREN
            ]
        for siren in sirens:
            if not self._commands.commanded_on(siren.id):
                self._commands.order(siren.id, True, why=about, cause=cause)

    # --- acts -----------------------------------------------------------------

    def _mine(self, actor: str, notice_id: str) -> NoticeRecord:
        record = self._hub.state.response.notices.get(notice_id)
        if record is None:
            raise Refused("notice.unknown", notice=notice_id)
        if record.person_id != actor:
            raise Refused("notice.not_yours", person=record.person_id)
        return record

    def _acknowledge_act(
        self,
        actor: str,
        act: acts.AcknowledgeNotice,
        _version: int | None,
        cause: Cause,
    ) -> Answer:
        record = self._mine(actor, act.notice_id)
        if not record.acknowledged:
            self._move(record, LOCAL, "acknowledged", "", cause)
            self._alarms.clear("hub:notices", record.about)
            self._hub.timers.cancel(_key(record.id))
        return {"notice_id": record.id}

    def _seen_act(
        self, actor: str, act: acts.SeeNotice, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._mine(actor, act.notice_id)
        self._move(record, LOCAL, "seen", "", cause)
        return {"notice_id": record.id}


def _key(notice_id: str) -> str:
    return f"notice.{notice_id}"
