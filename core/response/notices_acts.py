"""What a person may do about how they are told."""

from typing import Annotated

import msgspec

from core.people.acts import ROLES, Act, Id, act
from core.response.notices_config import Span

_ANYONE = tuple(role for role in ROLES if role != "owner")
ChannelId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,31}$")]


@act("contact.keep", *_ANYONE)
class KeepContact(Act, frozen=True, kw_only=True):
    """Say that a person can be reached by a channel; '' is oneself."""

    channel: ChannelId
    service: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9+]{0,23}$")]
    person_id: str = ""


@act("contact.drop", *_ANYONE)
class DropContact(Act, frozen=True, kw_only=True):
    """Give up a channel of a person; '' is oneself."""

    channel: ChannelId
    person_id: str = ""


@act("notice.quiet", *_ANYONE)
class SetQuiet(Act, frozen=True, kw_only=True):
    """Choose one's own quiet hours; none: the site's. Urgent notices ignore them."""

    spans: Annotated[tuple[Span, ...], msgspec.Meta(max_length=4)]


@act("notice.test", *_ANYONE)
class SendTest(Act, frozen=True, kw_only=True):
    """Send a person a test on one channel; '' is oneself."""

    channel: ChannelId
    person_id: str = ""


@act("notice.arrived", *_ANYONE)
class NoticeArrived(Act, frozen=True, kw_only=True):
    """Say that a notice came in on one's own device; the device says it."""

    notice_id: Id
    channel: ChannelId
