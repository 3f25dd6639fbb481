"""What people do about notices: answer them, keep channels, quiet hours, test."""

from typing import Protocol

from core.api.errors import Refused
from core.hub import Hub
from core.journal.envelope import Cause
from core.people.access import Access, Answer
from core.response import notices_acts as acts
from core.response.acts import AcknowledgeNotice, SeeNotice
from core.response.notices_config import DAY_MIN
from core.response.notices_events import ContactDropped, ContactKept, QuietSet
from core.response.notices_local import SOUNDED
from core.response.orders import LOCAL
from core.response.state import NoticeRecord

TEST = "notice.test"
#: Who may keep the channels of others, and test them.
_FOR_OTHERS = ("safety_officer", "maintainer")
#: Channels that no person owns.
_NOT_OWN = (LOCAL, "all", *SOUNDED)
_MOST = 12


class Owner(Protocol):
    """Hold the notices; `Notices` does."""

    def move(
        self, record: NoticeRecord, channel: str, state: str, detail: str, cause: Cause
    ) -> None:
        """Write down one channel's new state."""

    def answered(
        self, record: NoticeRecord, channel: str, detail: str, cause: Cause
    ) -> None:
        """Take its person's answer."""

    def test(self, person_id: str, channel: str, cause: Cause) -> str:
        """Send one person a test on one channel; return the notice's id."""


class NoticeDesk:
    """Carry out the acts on notices, contacts, quiet hours and tests."""

    def __init__(self, hub: Hub, access: Access, owner: Owner) -> None:
        self._hub, self._access, self._owner = hub, access, owner
        access.bind(AcknowledgeNotice, self._acknowledge)
        access.bind(SeeNotice, self._seen)
        access.bind(acts.NoticeArrived, self._arrived)
        access.bind(acts.KeepContact, self._keep)
        access.bind(acts.DropContact, self._drop)
        access.bind(acts.SetQuiet, self._quiet)
        access.bind(acts.SendTest, self._send_test)

    # --- answers --------------------------------------------------------------

    def _mine(self, actor: str, notice_id: str) -> NoticeRecord:
        record = self._hub.state.response.notices.get(notice_id)
        if record is None:
            raise Refused("notice.unknown", notice=notice_id)
        if record.person_id != actor:
            raise Refused("notice.not_yours", person=record.person_id)
        return record

    def _acknowledge(
        self, actor: str, act: AcknowledgeNotice, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._mine(actor, act.notice_id)
        self._owner.answered(record, LOCAL, "", cause)
        return {"notice_id": record.id}

    def _seen(
        self, actor: str, act: SeeNotice, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._mine(actor, act.notice_id)
        self._owner.move(record, LOCAL, "seen", "", cause)
        return {"notice_id": record.id}

    def _arrived(
        self, actor: str, act: acts.NoticeArrived, _version: int | None, cause: Cause
    ) -> Answer:
        record = self._mine(actor, act.notice_id)
        if act.channel not in record.channels:
            raise Refused("notice.channel", channel=act.channel)
        self._owner.move(record, act.channel, "delivered", "", cause)
        return {"notice_id": record.id}

    # --- choices --------------------------------------------------------------

    def _whose(self, actor: str, person_id: str) -> str:
        if not person_id or person_id == actor:
            return actor
        self._access.require(actor, *_FOR_OTHERS)
        if not self._access.known(person_id):
            raise Refused("act.person_unknown", person=person_id)
        return person_id

    def _keep(
        self, actor: str, act: acts.KeepContact, _version: int | None, cause: Cause
    ) -> Answer:
        person_id = self._whose(actor, act.person_id)
        groups = (each.id for each in self._hub.bundle.notices.channels)
        if act.channel in _NOT_OWN or act.channel in groups:
            raise Refused("contact.reserved", channel=act.channel)
        kept = self._hub.state.response.contacts.get(person_id, {})
        if len(kept) >= _MOST and act.channel not in kept:
            raise Refused("contact.many", most=_MOST)
        if kept.get(act.channel) != act.service:
            body = ContactKept(
                person_id=person_id,
                channel=act.channel,
                service=act.service,
                by=actor,
            )
            self._hub.emit(body, cause)
        return {"person_id": person_id, "channel": act.channel}

    def _drop(
        self, actor: str, act: acts.DropContact, _version: int | None, cause: Cause
    ) -> Answer:
        person_id = self._whose(actor, act.person_id)
        if act.channel not in self._hub.state.response.contacts.get(person_id, {}):
            raise Refused("contact.unknown", channel=act.channel)
        body = ContactDropped(person_id=person_id, channel=act.channel, by=actor)
        self._hub.emit(body, cause)
        return {"person_id": person_id, "channel": act.channel}

    def _quiet(
        self, actor: str, act: acts.SetQuiet, _version: int | None, cause: Cause
    ) -> Answer:
        for begin, end in act.spans:
            if not (0 <= begin < DAY_MIN and 0 <= end <= DAY_MIN) or begin == end:
                raise Refused("notice.quiet_span", begin=begin, end=end)
        self._hub.emit(QuietSet(person_id=actor, spans=act.spans), cause)
        return {"person_id": actor}

    def _send_test(
        self, actor: str, act: acts.SendTest, _version: int | None, cause: Cause
    ) -> Answer:
        person_id = self._whose(actor, act.person_id)
        return {"notice_id": self._owner.test(person_id, act.channel, cause)}
