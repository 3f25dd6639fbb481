"""What is known of each service: its rate, its longest message, how it refuses.

A rate limit is a safety fact: beyond 20 messages a minute a group's bot is silent
for everybody. Only services that stand in the table carry notices.
"""

import functools
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

_FILE = Path(__file__).with_name("services.json")
#: The secret that is the site's mail server, as an apprise URL without a recipient.
RELAY = "relay.mail"
#: The secret from which the hub's key for Web Push is made.
VAPID = "vapid"
_MAIL = re.compile(r"^[^@\s/:<>\"]{1,64}@[A-Za-z0-9.-]{1,190}$")
_PHONE = re.compile(r"^\+?[0-9]{5,15}$")


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the facts of one service."""

    rate: int = 0
    """Messages in ``per_s`` that one address takes; 0: no limit is known."""
    per_s: float = 60.0
    burst: int = 0
    """Messages at once; 0: as the rate allows."""
    block_s: float = 60.0
    """How long an address is silent after it said that there were too many."""
    bytes: int = 30_000
    own: bool = False
    """True: anybody may give such an address for themselves."""
    code: str = ""
    """Field of a JSON answer that is not 0 where a message was refused."""
    slow: tuple[int, ...] = ()
    """Its values that say: too many."""


class BadAddress(ValueError):
    """An address that cannot be used; its text is a code and holds no address."""


@functools.cache
def services() -> dict[str, Service]:
    """Return every service by the scheme of its addresses."""
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, Service])


def scheme_of(address: str) -> str:
    """Return an address's scheme; raises BadAddress where it cannot be used.

    A phone number is ``sms``, a mail address ``mail`` (by the site's own server), a
    subscription (JSON) ``push``, else a URL.
    """
    text = address.strip()
    if text.startswith("{"):
        return "push"
    if _PHONE.match(text.removeprefix("sms:").replace(" ", "").replace("-", "")):
        return "sms"
    if _MAIL.match(text):
        return "mail"
    scheme, found, rest = text.partition("://")
    if not found or not rest or any(c.isspace() or ord(c) < 32 for c in text):
        raise BadAddress("contact.address")
    if scheme.lower() not in services() or scheme.lower() in ("sms", "push", "mail"):
        raise BadAddress("contact.service")
    return scheme.lower()


def hint(address: str) -> str:
    """Return what may be shown of an address: its kind and a trace of its end."""
    try:
        scheme = scheme_of(address)
    except BadAddress:
        return ""
    if scheme == "sms":
        return f"···{address.strip()[-3:]}"
    if scheme == "mail":
        return f"{address[:1]}···@{address.rpartition('@')[2]}"
    if scheme == "push":
        endpoint = msgspec.json.decode(address).get("endpoint", "")
        return str(urlsplit(str(endpoint)).hostname or "")
    if scheme.startswith("mailto"):
        return "···"
    return str(urlsplit(address).hostname or "")[:3] + "···"


def is_mail(address: str) -> bool:
    """Say whether an address is a bare mail address."""
    return bool(_MAIL.match(address.strip()))


def by_relay(address: str, relay: str) -> str:
    """Return the URL that reaches a mail address by the site's server; '' for none."""
    if not relay:
        return ""
    return f"{relay}{'&' if '?' in relay else '?'}to={quote(address.strip())}"


def secret_name(person_id: str, channel: str) -> str:
    """Name the secret that is a person's address on a channel."""
    return f"contact.{person_id}.{channel}"


def group_secret(channel: str) -> str:
    """Name the secret that is a group's address."""
    return f"channel.{channel}"
