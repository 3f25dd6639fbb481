"""Web Push: read by its browser alone, vouched for by the hub, its refusals."""

import asyncio

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from core.channels import push
from core.channels.letters import Letter
from core.channels.push import Subscription, unb64
from core.clock import SimClock
from core.processes.sender import send
from tests.protocol.notice_sinks import Browser, HttpSink, http_sink, raw_sink

SECRET = "a secret of the hub"


def letter(browser: Browser, text: str = '{"body": "撤离"}') -> Letter:
    address = msgspec.json.encode(browser.subscription).decode()
    return Letter(
        id="01HZX", address=address, title="", body=text, urgent=True, vapid=SECRET
    )


def vouched(sink: HttpSink) -> dict[str, object]:
    """Return the claims of a request, after checking the hub's signature."""
    parts = sink.taken[-1].headers["authorization"].removeprefix("vapid ").split(", ")
    fields = dict(part.split("=", 1) for part in parts)
    head, claims, signature = fields["t"].split(".")
    point = unb64(fields["k"])
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    found: dict[str, object] = msgspec.json.decode(unb64(claims))
    return found


def test_the_standards_own_example() -> None:
    """RFC 8291 §5: the same inputs give the same bytes."""
    to = Subscription(
        endpoint="https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4"
        "bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )
    number = int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    body = push.encrypt(
        b"When I grow up, I want to be a watermelon",
        to,
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
        key=ec.derive_private_key(number, ec.SECP256R1()),
    )
    assert push.b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6"
        "e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZ"
        "wbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


async def test_only_its_browser_reads_it_and_the_hub_stands_for_it() -> None:
    async with http_sink() as sink:
        sink.status = 201
        browser = Browser(f"http://127.0.0.1:{sink.port}/push/abc?x=1")
        reply = await asyncio.to_thread(send, letter(browser))
        assert reply.ok
        (taken,) = sink.taken
        assert browser.read(taken.body) == '{"body": "撤离"}'.encode()
        assert "撤离".encode() not in taken.body
        assert taken.path == "/push/abc?x=1"
        assert taken.headers["content-encoding"] == "aes128gcm"
        assert taken.headers["urgency"] == "high"
        assert taken.headers["topic"] == "01HZX"
        claims = vouched(sink)
        assert claims["aud"] == f"http://127.0.0.1:{sink.port}"


async def test_another_browser_cannot_read_it() -> None:
    async with http_sink() as sink:
        browser = Browser(f"http://127.0.0.1:{sink.port}/")
        await asyncio.to_thread(send, letter(browser))
        stranger = Browser("")
        with pytest.raises(InvalidTag):
            stranger.read(sink.taken[0].body)


def test_the_hubs_key_is_the_same_after_each_start_and_no_others() -> None:
    first, again = push.hub_key(SECRET), push.hub_key(SECRET)
    assert push.public(first) == push.public(again) != push.public(push.hub_key("x"))
    header = push.vouch("https://push.example/a", first, "mailto:a@b", SimClock())
    token, _, key = header.removeprefix("vapid t=").partition(", k=")
    signed, _, signature = token.rpartition(".")
    raw = bytearray(unb64(signature))
    raw[0] ^= 1
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(key))
    with pytest.raises(InvalidSignature):
        point.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (410, "gone"),
        (404, "gone"),
        (429, "too_many"),
        (413, "too_large"),
        (500, "http_500"),
    ],
)
async def test_a_push_services_refusal_is_told(status: int, detail: str) -> None:
    async with http_sink() as sink:
        sink.status = status
        browser = Browser(f"http://127.0.0.1:{sink.port}/")
        reply = await asyncio.to_thread(send, letter(browser))
        assert (reply.ok, reply.detail) == (False, detail)


async def test_faults_of_the_line_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreachable, hanging, TLS to what has none, garbage."""
    monkeypatch.setattr(push, "_TIMEOUT_S", 3.0)
    async with http_sink() as sink, raw_sink(b"\x00garbage\r\n\r\n") as garbage:
        sink.hang = True
        found = {}
        for name, url in (
            ("closed", "http://127.0.0.1:9/"),
            ("hang", f"http://127.0.0.1:{sink.port}/"),
            ("tls", f"https://127.0.0.1:{garbage}/"),
            ("garbage", f"http://127.0.0.1:{garbage}/"),
        ):
            reply = await asyncio.to_thread(send, letter(Browser(url)))
            found[name] = reply.detail
        assert found == {
            "closed": "unreachable",
            "hang": "timeout",
            "tls": "tls",
            "garbage": "unreachable",
        }


@pytest.mark.parametrize(
    "address",
    ['{"endpoint": 1}', "{", '{"endpoint": "https://x", "p256dh": "AA", "auth": "A"}'],
)
def test_a_broken_subscription_is_a_bad_address(address: str) -> None:
    reply = send(Letter(id="x", address=address, title="", body="", vapid=SECRET))
    assert (reply.ok, reply.detail) == (False, "bad_address")
