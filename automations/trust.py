"""Who signed a blueprint: publishers' Ed25519 keys that the site trusts (R25).

The signature lies beside the file, as ``NAME.yaml.sig``: the publisher, and what
they signed, which is the content hash. A site's own blueprints may be unsigned, and
are shown so; a signature that is there and does not hold is always refused.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from automations.blueprint import SHIPPED, Blueprint
from core.api.documents import placed
from core.api.errors import ConfigError
from core.api.said import Said

#: What the hub's own software brings is signed with it, as one piece.
HUB = "safehold"
_PREFIX = b"safehold blueprint 1\0"
_UNTRUSTED = (
    "signed by {publisher!r}, whom this site does not trust; add the key under "
    "'publishers', or remove this file to use the blueprint as your own, unsigned"
)
_CHANGED = (
    "the blueprint was changed after {publisher} had signed it; get the publisher's "
    "own file again"
)
_FORGED = "this is not {publisher}'s signature; get the publisher's own file again"

_MOST_BYTES = 4096


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold what a ``.sig`` file says; ``sig`` is base64 of 64 bytes."""

    publisher: str
    hash: str
    sig: bytes


def beside(file: Path) -> Path:
    """Return where a blueprint's signature lies."""
    return file.with_name(f"{file.name}.sig")


def signer(blueprint: Blueprint, publishers: Mapping[str, str]) -> str:
    """Return the publisher who signed a blueprint; '' when nobody did.

    Raises ConfigError, with file and mend, when a signature does not hold.
    """
    file = blueprint.file
    if file is None:
        return ""
    if file.parent == SHIPPED:
        return HUB
    lies = beside(file)
    try:
        data = lies.read_bytes()[: _MOST_BYTES + 1]
    except FileNotFoundError:
        return ""
    return verify(blueprint, data, publishers, str(lies))


def verify(
    blueprint: Blueprint, data: bytes, publishers: Mapping[str, str], shown: str
) -> str:
    """Return whose signature ``data`` is; raises ConfigError with the mend."""
    try:
        found = msgspec.json.decode(data, type=Signature)
    except (msgspec.MsgspecError, ValueError, RecursionError) as bad:
        raise _wrong(
            shown, Said("no signature: {bad}; sign the file again", bad=bad)
        ) from None
    key = publishers.get(found.publisher)
    if key is None:
        raise _wrong(
            shown,
            Said(_UNTRUSTED, publisher=found.publisher),
        )
    if found.hash != blueprint.hash:
        raise _wrong(
            shown,
            Said(_CHANGED, publisher=found.publisher),
        )
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(found.sig, _PREFIX + blueprint.hash.encode())
    except (InvalidSignature, ValueError):
        raise _wrong(
            shown,
            Said(_FORGED, publisher=found.publisher),
        ) from None
    return found.publisher


def sign(blueprint: Blueprint, publisher: str, key: Ed25519PrivateKey) -> bytes:
    """Return the bytes of a ``.sig`` file."""
    sig = key.sign(_PREFIX + blueprint.hash.encode())
    return msgspec.json.encode(Signature(publisher, blueprint.hash, sig)) + b"\n"


def new_key(file: Path) -> str:
    """Write a new private key (PEM, 0600) and return its public half in hex."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(pem)
    return public_of(key)


def read_key(file: Path) -> Ed25519PrivateKey:
    """Return a private key from its PEM file; raises ConfigError."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except ValueError as bad:
        raise _wrong(str(file), Said("no private key in PEM: {bad}", bad=bad)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong(str(file), "no Ed25519 key; 'safehold blueprint key' makes one")
    return key


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public half in hex, as a site lists it under ``publishers``."""
    raw = key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return raw.hex()


def _wrong(shown: str, message: str) -> ConfigError:
    return placed(shown, 1, 1, message)


__all__ = ["HUB", "Signature", "beside", "sign", "signer", "verify"]
