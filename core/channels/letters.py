"""What the notifier and its children say to each other."""

import msgspec


class Sms(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for one message."""

    id: str
    number: str
    text: str


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tell one thing: ``kind`` is sent, failed, delivered, lost, reply or ready."""

    kind: str
    id: str = ""
    detail: str = ""
    number: str = ""
    text: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one address; the address is a secret."""

    id: str
    address: str
    title: str
    body: str
    urgent: bool = False
    vapid: str = ""
    """Secret of the hub's own key; for a push alone."""
    contact: str = "mailto:safety@example.org"
    """Whom a push service may ask about the hub."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a letter; ``detail`` is a code and never holds the address."""

    id: str
    ok: bool
    detail: str = ""
