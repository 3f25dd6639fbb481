"""Notices: who must be told, what became of it, and who is told next (R13, R14)."""

from collections.abc import Iterable

import msgspec

from core import config
from core.alarms.alarms import Alarms
from core.alarms.events import AlarmClosed
from core.api.reading import Value
from core.config import ChainStep
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.link.messages import NoticeResult
from core.people.people import People
from core.permits.events import PermitClosed, PermitReleased
from core.registry.registry import Registry
from core.response import first_words
from core.response.commands import Commands
from core.response.events import (
    EvacuationCleared,
    NoticeClosed,
    NoticeEscalated,
    NoticeMoved,
    NoticeQueued,
)
from core.response.notices_config import REGULATOR, REPLY
from core.response.notices_desk import TEST, NoticeDesk
from core.response.notices_duty import Duty
from core.response.notices_local import SOUNDED, Sounders
from core.response.orders import LOCAL, Orders
from core.response.state import NoticeRecord

_STATES = ("sent", "delivered", "seen", "acknowledged", "failed")
#: A channel's name for every channel that a person has.
ALL = "all"
#: A test is forgotten after this.
TEST_S = 900.0


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
        self._hub, self._people, self._alarms = hub, people, alarms
        self._chains: dict[str, config.NotifyChain] = {}
        self._duty = Duty(hub)
        self._sounders = Sounders(hub, registry, commands, alarms)
        self._sounders.moved = self._sounded
        NoticeDesk(hub, people.access, self)
        self._orders = Orders(hub, self)
        hub.on(PermitReleased, lambda body, _: self.close_about(body.permit_id))
        hub.on(PermitClosed, lambda body, _: self.close_about(body.permit_id))
        hub.on(EvacuationCleared, lambda body, _: self.close_about(body.evacuation_id))
        hub.on(AlarmClosed, lambda body, _: self.close_about(body.alarm_id))

    def arm(self) -> None:
        """Derive the chains from the bundle."""
        self._chains = {chain.id: chain for chain in self._hub.bundle.chains}
        self._duty.arm()

    def recover(self, clean: bool) -> None:
        """Go on waiting for answers; what is late by now is escalated at once."""
        for record in self._records():
            self._arm_answer(record)
            if SOUNDED.keys() & record.channels.keys():
                self._sounders.carry(record, CORE)

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
            self._sounders.nobody(telling.about, params, mark, cause)
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
            telling = _Telling(
                code=code,
                params=params,
                about=about,
                channels=(ALL,),
                respond_s=None,
                chain="",
                level=0,
                mark=mark,
            )
            told.append(self._queue(person_id, telling, cause))
        return told

    def tell_outside(
        self,
        recipient: str,
        channels: tuple[str, ...],
        *,
        code: str,
        params: dict[str, Value],
        about: str,
        cause: Cause,
    ) -> str:
        """Queue a notice to somebody outside the site; it escalates nothing."""
        telling = _Telling(
            code=code,
            params=params,
            about=about,
            channels=channels,
            respond_s=None,
            chain="",
            level=0,
            mark="",
        )
        return self._queue(recipient, telling, cause)

    def _tell_from(self, telling: _Telling, cause: Cause) -> list[str]:
        """Tell the first step, from a level on, that has somebody to tell."""
        while (step := self._step(telling.chain, telling.level)) is not None:
            now = msgspec.structs.replace(
                telling, channels=step.channels, respond_s=step.respond_s
            )
            told = self._tell_roles(step.roles, now, cause, on_shift=step.on_shift)
            if told:
                return told
            telling = msgspec.structs.replace(telling, level=telling.level + 1)
        self._sounders.nobody(telling.about, telling.params, telling.mark, cause)
        return []

    def _step(self, chain_id: str, level: int) -> ChainStep | None:
        chain = self._chains.get(chain_id)
        steps = chain.steps if chain else ()
        return steps[level] if level < len(steps) else None

    def _tell_roles(
        self,
        roles: tuple[str, ...],
        telling: _Telling,
        cause: Cause,
        *,
        on_shift: bool = False,
    ) -> list[str]:
        found: dict[str, str] = {}
        for role in roles:
            for person in self._people.with_role(role):
                found.setdefault(person.id, role)
        people = self._duty.present(list(found)) if on_shift else list(found)
        return [
            self._queue(p, msgspec.structs.replace(telling, role=found[p]), cause)
            for p in people
        ]

    def _channels(self, person_id: str, asked: tuple[str, ...]) -> tuple[str, ...]:
        """Return the channels of a notice; ``all`` stands for all that one has."""
        if ALL not in asked:
            return asked or (LOCAL,)
        person = self._people.person(person_id)
        kept = self._hub.state.response.contacts.get(person_id, {})
        own = (LOCAL, *(person.contacts if person else ()), *kept)
        return tuple(dict.fromkeys((*own, *(c for c in asked if c != ALL))))

    def _queue(self, person_id: str, telling: _Telling, cause: Cause) -> str:
        respond = telling.respond_s
        body = NoticeQueued(
            notice_id=self._hub.ids.new(),
            person_id=person_id,
            role=telling.role,
            code=telling.code,
            params=first_words.given(self._hub, telling.params, telling.mark),
            about=telling.about,
            channels=self._channels(person_id, telling.channels),
            level=telling.level,
            respond=None
            if respond is None
            else Deadline.after(self._hub.clock, respond),
            chain=telling.chain,
            mark=telling.mark,
            may_wait=self._duty.may_wait(telling.code, telling.about),
        )
        self._hub.emit(body, cause)
        record = self._hub.state.response.notices[body.notice_id]
        self._arm_answer(record)
        if SOUNDED.keys() & record.channels.keys():
            self._sounders.carry(record, cause)
        return body.notice_id

    def test(self, person_id: str, channel: str, cause: Cause) -> str:
        """Send one person a test on one channel; it closes by itself."""
        telling = _Telling(
            code=TEST,
            params={"channel": channel},
            about=f"{TEST}:{person_id}:{channel}",
            channels=(channel,),
            respond_s=TEST_S,
            chain="",
            level=0,
            mark="TEST",
        )
        self.close_about(telling.about)
        return self._queue(person_id, telling, cause)

    # --- progress -------------------------------------------------------------

    def result(self, peer: str, message: NoticeResult) -> None:
        """Take the notifier's word on one channel; nonsense is ignored."""
        record = self._hub.state.response.notices.get(message.notice_id)
        if record is None or message.channel not in record.channels:
            return
        if peer.startswith("host:") or message.state not in _STATES:
            return
        answered = message.state == "acknowledged"
        # Only the person acknowledges: by an act, or by a reply with its code.
        if answered and (peer != "notifier" or message.detail != REPLY):
            return
        cause = Cause(actor=f"hub:{peer}")
        if answered:
            self.answered(record, message.channel, REPLY, cause)
            return
        self.move(record, message.channel, message.state, message.detail, cause)
        if message.state == "failed" and self._unreachable(record):
            self._escalate(record, "unreachable")

    def _sounded(self, notice_id: str, channel: str, state: str, detail: str) -> None:
        record = self._hub.state.response.notices.get(notice_id)
        if record is None:
            return
        self.move(record, channel, state, detail, CORE)
        if state == "failed" and self._unreachable(record):
            self._escalate(record, "unreachable")

    def answered(
        self, record: NoticeRecord, channel: str, detail: str, cause: Cause
    ) -> None:
        """Take its person's answer; it ends the waiting of the whole step."""
        if not record.acknowledged:
            self.move(record, channel, "acknowledged", detail, cause)
            self._alarms.clear("hub:notices", record.about)
            self._hub.timers.cancel(_key(record.id))

    def close_about(self, about: str) -> None:
        """Close every notice about something that has ended."""
        for record in self._records():
            if record.about == about:
                self._hub.timers.cancel(_key(record.id))
                self._hub.emit(NoticeClosed(notice_id=record.id))
        self._alarms.clear("hub:notices", about)

    def move(
        self, record: NoticeRecord, channel: str, state: str, detail: str, cause: Cause
    ) -> None:
        """Write down one channel's new state."""
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
            if found is not None and found.code == TEST:
                self._hub.emit(NoticeClosed(notice_id=notice_id))
            elif found is not None:
                self._escalate(found, "late_unknown" if late_unknown else "unanswered")

        fire_after(self._hub, record.respond, _key(notice_id), late)

    def _escalate(self, record: NoticeRecord, why: str) -> None:
        """Tell the next step once, unless somebody of this one has answered."""
        if record.code in (TEST, f"notice.{REGULATOR}"):
            return  # that a test fails is what it tells; an authority is no chain
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


def _key(notice_id: str) -> str:
    return f"notice.{notice_id}"
