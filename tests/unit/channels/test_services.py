"""Addresses: what is one, of which service, and how little may be shown of it."""

import pytest

from core.channels.services import BadAddress, by_relay, hint, scheme_of, services


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("+86 138-0013-8000", "sms"),
        ("13800138000", "sms"),
        ("sms:+8613800138000", "sms"),
        ("mailtos://user:pass@smtp.example?to=a@b.example", "mailtos"),
        ("NTFY://host/topic", "ntfy"),
        ("sue@site.example", "mail"),
        ("wecombot://12345678-aaaa-bbbb-cccc-1234567890ab", "wecombot"),
        ('{"endpoint": "https://push.example/x", "p256dh": "", "auth": ""}', "push"),
    ],
)
def test_an_address_tells_its_service(address: str, service: str) -> None:
    assert scheme_of(address) == service
    assert service in services()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "contact.address"),
        ("boss", "contact.address"),
        ("mailto://", "contact.address"),
        ("mailto://a b", "contact.address"),
        ("ntfy://host/\x1b[2J", "contact.address"),
        ("syslog://localhost", "contact.service"),
        ("dbus://", "contact.address"),
        ("file:///etc/passwd", "contact.service"),
        ("push://x", "contact.service"),
        ("12", "contact.address"),
    ],
)
def test_what_is_none_says_why(address: str, code: str) -> None:
    """Only services of the table: none that writes to the hub itself."""
    with pytest.raises(BadAddress, match=f"^{code}$"):
        scheme_of(address)


@pytest.mark.parametrize(
    "address",
    [
        "mailtos://user:secret@smtp.example?to=a@b.example",
        "ntfys://user:secret@host.example/secret-topic",
        "wecombot://secret78-aaaa-bbbb-cccc-1234567890ab",
        '{"endpoint": "https://push.example/secret", "p256dh": "secret", "auth": ""}',
    ],
)
def test_a_hint_holds_no_secret(address: str) -> None:
    assert "secret" not in hint(address)


def test_a_hint_helps_to_tell_phones_apart() -> None:
    assert hint("+8613800138123") == "···123"
    assert hint("nonsense") == ""


def test_a_mail_address_goes_by_the_sites_server() -> None:
    relay = "mailtos://hub:pw@smtp.example?from=hub@site.example"
    found = by_relay("sue+gas@site.example", relay)
    assert found == f"{relay}&to=sue%2Bgas%40site.example"
    assert by_relay("sue@site.example", "") == ""
    assert hint("sue@site.example") == "s···@site.example"
