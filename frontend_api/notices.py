"""How a person is told: their channels, quiet hours, this device's push, figures.

An address goes into the 0600 store and nowhere else; the core learns the channel.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from core.channels.push import Subscription, b64, hub_key, public, unb64
from core.channels.services import (
    RELAY,
    VAPID,
    BadAddress,
    group_secret,
    hint,
    scheme_of,
    secret_name,
    services,
)
from core.registry.secrets import Secrets
from core.response.notices_acts import DropContact, KeepContact
from frontend_api.acts import Acts
from frontend_api.guard import Call, Route, body
from frontend_api.notice_stats import ChannelStats, tally
from frontend_api.past import Past
from frontend_api.problems import Problem
from frontend_api.replica import Replica
from frontend_api.views import Text

#: Who may give addresses of any kind, and those of groups.
_KEEPERS = frozenset({"owner", "safety_officer", "maintainer"})
#: Notices that the figures are made of.
_COUNTED = 4000


class AddressBody(msgspec.Struct, kw_only=True):
    """Give an address: a phone number, or a URL as apprise writes it."""

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=1000)]


class PushBody(msgspec.Struct, kw_only=True):
    """Give a browser's subscription."""

    endpoint: Annotated[str, msgspec.Meta(max_length=1000)]
    p256dh: Annotated[str, msgspec.Meta(max_length=120)]
    auth: Annotated[str, msgspec.Meta(max_length=60)]


class ContactView(msgspec.Struct, kw_only=True):
    """Show one channel of a person; never its address."""

    channel: str
    service: str
    hint: str
    """A trace of the address; '': none is kept, so nothing can be sent."""
    fixed: bool
    """True: the site's files name it."""


class GroupView(msgspec.Struct, kw_only=True):
    """Show a group of the site."""

    channel: str
    names: Text
    hint: str


class ContactList(msgspec.Struct, kw_only=True):
    """Show how a person is told."""

    items: list[ContactView]
    groups: list[GroupView]
    quiet: list[tuple[int, int]]
    """Minutes of the site's day."""
    own_quiet: bool
    """False: the hours are the site's."""
    push_key: str
    """The hub's public key, as a browser's subscription takes it; '' for none."""
    services: list[str]
    """Kinds of address that this person may give."""
    modem: bool
    relay: bool
    """True: the site has a mail server, so a bare mail address will do."""


class PushReply(msgspec.Struct, kw_only=True):
    """Name the channel that this device now is."""

    channel: str


class StatsList(msgspec.Struct, kw_only=True):
    """Hold figures by channel."""

    items: list[ChannelStats]


class NoticeDesk:
    """Handle channels, push and figures."""

    def __init__(self, replica: Replica, acts: Acts, past: Past, data: Path) -> None:
        self.replica, self.acts, self.past = replica, acts, past
        self.secrets = Secrets(data)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1/my/channels"
        return [
            Route("GET", base, self.channels, "How one is told", reply=ContactList),
            Route("PUT", f"{base}/{{id}}", self.keep, "Give one's own address",
                  body=AddressBody, status=204, cookie_only=True),
            Route("DELETE", f"{base}/{{id}}", self.drop, "Give up a channel",
                  status=204, cookie_only=True),
            Route("POST", "/api/v1/my/push", self.push, "Let this device be told",
                  reply=PushReply, body=PushBody, cookie_only=True),
            Route("PUT", "/api/v1/notice-groups/{id}", self.keep_group,
                  "Give a group's address", body=AddressBody, status=204,
                  cookie_only=True),
            Route("GET", "/api/v1/notice-stats", self.stats,
                  "How well each channel reaches people", reply=StatsList),
        ]  # fmt: skip

    async def channels(self, call: Call) -> ContactList:
        """Show one's own channels."""
        person_id = call.session.person_id
        return await asyncio.to_thread(self._channels, person_id)

    def _channels(self, person_id: str) -> ContactList:
        state, bundle = self.replica.state.response, self.replica.bundle
        fixed = next((p.contacts for p in bundle.people if p.id == person_id), {})
        kept = state.contacts.get(person_id, {})
        chosen = state.quiet.get(person_id)
        spans = bundle.notices.quiet if chosen is None else chosen
        return ContactList(
            items=[
                ContactView(
                    channel=channel,
                    service=service,
                    hint=self._hint(secret_name(person_id, channel)),
                    fixed=channel in fixed,
                )
                for channel, service in {**fixed, **kept}.items()
            ],
            groups=[
                GroupView(
                    channel=group.id,
                    names=Text(zh=group.names.zh, en=group.names.en),
                    hint=self._hint(group_secret(group.id)),
                )
                for group in bundle.notices.channels
            ],
            quiet=[(span[0], span[1]) for span in spans],
            own_quiet=chosen is not None,
            push_key=self._push_key(),
            services=self._services(person_id),
            modem=bundle.notices.modem is not None,
            relay=bool(self._hint(RELAY)),
        )

    async def keep(self, call: Call) -> None:
        """Keep one's address on a channel."""
        person_id, channel = call.session.person_id, call.request.match_info["id"]
        asked: AddressBody = await body(call.request, AddressBody)
        service = self._checked(person_id, asked.address)
        act = _act(KeepContact, channel=channel, service=service)
        await self._put(secret_name(person_id, channel), asked.address.strip())
        await self.acts.ask(person_id, KeepContact.verb_, act)

    async def drop(self, call: Call) -> None:
        """Give up a channel; its address is forgotten."""
        person_id, channel = call.session.person_id, call.request.match_info["id"]
        act = _act(DropContact, channel=channel)
        await self.acts.ask(person_id, DropContact.verb_, act)
        await self._put(secret_name(person_id, channel), "")

    async def push(self, call: Call) -> PushReply:
        """Keep a browser's subscription: each device is a channel of its own."""
        asked: PushBody = await body(call.request, PushBody)
        if not _is_subscription(asked):
            raise Problem("gateway.bad_request", reason="no subscription")
        person_id = call.session.person_id
        digest = hashlib.sha256(asked.endpoint.encode()).hexdigest()[:8]
        channel = f"push.{digest}"
        kept = Subscription(
            endpoint=asked.endpoint, p256dh=asked.p256dh, auth=asked.auth
        )
        value = msgspec.json.encode(kept).decode()
        await self._put(secret_name(person_id, channel), value)
        act = _act(KeepContact, channel=channel, service="push")
        await self.acts.ask(person_id, KeepContact.verb_, act)
        return PushReply(channel=channel)

    async def keep_group(self, call: Call) -> None:
        """Keep the address of a group that the site names."""
        person_id, channel = call.session.person_id, call.request.match_info["id"]
        groups = {group.id for group in self.replica.bundle.notices.channels}
        if channel not in groups and channel != RELAY:
            raise Problem("gateway.not_found")
        if not self.replica.roles(person_id) & _KEEPERS and not self._owns(person_id):
            raise Problem("gateway.not_allowed")
        asked: AddressBody = await body(call.request, AddressBody)
        service = self._checked(person_id, asked.address)
        if channel == RELAY and not service.startswith("mailto"):
            raise Problem("contact.relay", status=422)
        name = RELAY if channel == RELAY else group_secret(channel)
        await self._put(name, asked.address.strip())

    async def stats(self, _: Call) -> StatsList:
        """Count what became of the notices that the journal still tells."""
        seq = self.replica.state.seq + 1
        found = await asyncio.to_thread(self.past.before, seq, _COUNTED, "notice.")
        return StatsList(items=tally(reversed(found)))

    # --- helpers --------------------------------------------------------------

    def _owns(self, person_id: str) -> bool:
        return person_id == self.replica.state.people.owner_id

    def _services(self, person_id: str) -> list[str]:
        every = bool(self.replica.roles(person_id) & _KEEPERS) or self._owns(person_id)
        return [name for name, one in services().items() if every or one.own]

    def _checked(self, person_id: str, address: str) -> str:
        """Return an address's service; raises Problem where it may not be given."""
        try:
            service = scheme_of(address)
        except BadAddress as bad:
            raise Problem(str(bad), status=422) from None
        if service not in self._services(person_id):
            raise Problem("contact.not_own", status=403)
        return service

    def _push_key(self) -> str:
        try:
            return b64(public(hub_key(self.secrets.get_or_create(VAPID))))
        except OSError:
            return ""  # a full or damaged store: the rest of the page goes on

    def _hint(self, name: str) -> str:
        try:
            return hint(self.secrets.get(name) or "")
        except (OSError, ValueError):
            return ""

    async def _put(self, name: str, value: str) -> None:
        try:
            await asyncio.to_thread(self.secrets.put, name, value)
        except OSError:
            # The store is damaged or full: the hub raises that fault itself.
            raise Problem("journal.not_durable", verb="contact.keep") from None


def _act(kind: Any, **fields: str) -> Any:
    """Return an act with its fields checked; raises Problem."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as wrong:
        raise Problem("gateway.bad_request", reason=str(wrong)) from None


def _is_subscription(asked: PushBody) -> bool:
    """Say whether a browser may have given it: a push service's, by name and TLS."""
    parts = urlsplit(asked.endpoint)
    host = parts.hostname or ""
    named = "." in host and not host.replace(".", "").isdigit() and ":" not in host
    try:
        point, secret = unb64(asked.p256dh), unb64(asked.auth)
    except ValueError:
        return False
    sized = len(point) == 65 and point[:1] == b"\x04" and len(secret) == 16
    return parts.scheme == "https" and named and sized
