"""Web Push: a subscription's message, encrypted (RFC 8291) and vouched for (RFC 8292).

The push service carries what it cannot read; the hub's own key says who sent it.
"""

import base64
import hashlib
import http.client
import os
import ssl
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.clock import NS, Clock

_CURVE = ec.SECP256R1()
#: Order of P-256 (SEC 2): a private key is below it.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_RECORD = 4096
_TOKEN_S = 12 * 3600
_TIMEOUT_S = 8.0
_POINT = (
    serialization.Encoding.X962,
    serialization.PublicFormat.UncompressedPoint,
)


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a browser gave: where to send to, and for whose eyes."""

    endpoint: str
    p256dh: str
    auth: str


def b64(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return the bytes of base64url, padded or not; raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def hub_key(secret: str) -> ec.EllipticCurvePrivateKey:
    """Return the key that the hub's secret stands for, the same each time."""
    digest = hashlib.sha512(f"safehold vapid {secret}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest) % (_ORDER - 1) + 1, _CURVE)


def public(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key's public point, as browsers take it."""
    return key.public_key().public_bytes(*_POINT)


def encrypt(
    text: bytes,
    to: Subscription,
    *,
    salt: bytes | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return a message's body for its subscription alone; raises ValueError."""
    salt = salt or os.urandom(16)
    key = key or ec.generate_private_key(_CURVE)
    theirs = unb64(to.p256dh)
    point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs)
    shared = key.exchange(ec.ECDH(), point)
    ours = public(key)
    info = b"WebPush: info\0" + theirs + ours
    secret = _derive(shared, unb64(to.auth), info, 32)
    content = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content).encrypt(nonce, text + b"\x02", None)
    head = salt + _RECORD.to_bytes(4) + bytes([len(ours)]) + ours
    return head + sealed


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def vouch(
    endpoint: str, key: ec.EllipticCurvePrivateKey, contact: str, clock: Clock
) -> str:
    """Return the Authorization header by which a push service knows the hub."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": clock.wall_ns() // NS + _TOKEN_S,
        "sub": contact,
    }
    head = msgspec.json.encode({"typ": "JWT", "alg": "ES256"})
    signed = f"{b64(head)}.{b64(msgspec.json.encode(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"
    return f"vapid t={token}, k={b64(public(key))}"


def post(to: Subscription, body: bytes, headers: dict[str, str]) -> str:
    """Hand a message to its push service; '' when taken, else why not, as a code."""
    parts = urlsplit(to.endpoint)
    host, path = parts.hostname or "", parts.path or "/"
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        line = http.client.HTTPSConnection(
            host,
            parts.port,
            timeout=_TIMEOUT_S,
            context=ssl.create_default_context(),
        )
    else:
        line = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
    try:
        query = f"?{parts.query}" if parts.query else ""
        line.request("POST", path + query, body, headers)
        return _judge(line.getresponse().status)
    except ssl.SSLError:
        return "tls"
    except (OSError, http.client.HTTPException) as bad:
        return "timeout" if isinstance(bad, TimeoutError) else "unreachable"
    finally:
        line.close()


def _judge(status: int) -> str:
    if 200 <= status < 300:
        return ""
    known = {404: "gone", 410: "gone", 413: "too_large", 429: "too_many"}
    return known.get(status, f"http_{status}")


def send(to: Subscription, text: bytes, headers: dict[str, str]) -> str:
    """Encrypt and post one message; '' or why not, as a code."""
    try:
        body = encrypt(text, to)
    except ValueError:
        return "bad_address"
    plain = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": "3600",
    }
    return post(to, body, plain | headers)
