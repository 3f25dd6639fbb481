"""The folder of a period's export: a journal slice, and files made from it.

`manifest.json` names every file's SHA-256 and is signed with the site's key, the
one that signed the slice. Verified with standard library, msgspec, cryptography.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from core.journal.verify import MANIFEST

FORMAT = 1
_DOMAIN = b"safehold period 1\0"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Say what a folder holds; ``files`` maps names to SHA-256, hexadecimal."""

    site: str
    since: str
    until: str
    first: int
    last: int
    key: str
    files: dict[str, str]
    format: int = FORMAT
    sig: str = ""

    def signed_bytes(self) -> bytes:
        """Return what the signature covers."""
        bare = msgspec.structs.replace(self, sig="")
        return _DOMAIN + msgspec.json.encode(bare, order="deterministic")


class Problem(NamedTuple):
    """Name a file of the folder and what is wrong with it."""

    file: str
    code: str


def seal(folder: Path, manifest: Manifest, key: Ed25519PrivateKey) -> None:
    """Write the manifest of all files in ``folder``, signed; raises OSError."""
    files = {name: _digest(folder / name) for name in _names(folder)}
    whole = msgspec.structs.replace(manifest, files=files)
    sig = key.sign(whole.signed_bytes()).hex()
    data = msgspec.json.encode(msgspec.structs.replace(whole, sig=sig))
    (folder / MANIFEST).write_bytes(msgspec.json.format(data) + b"\n")


def check(folder: Path, key: str) -> list[Problem]:
    """Return what is wrong beside the slice; ``key`` is the slice's, hexadecimal.

    Raises OSError.
    """
    data = (folder / MANIFEST).read_bytes()
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.key))
        public.verify(bytes.fromhex(manifest.sig), manifest.signed_bytes())
    except (msgspec.MsgspecError, ValueError, InvalidSignature):
        return [Problem(MANIFEST, "manifest_forged")]
    found = [] if manifest.key == key else [Problem(MANIFEST, "other_key")]
    there = set(_names(folder))
    for name, digest in manifest.files.items():
        if name not in there:
            found.append(Problem(name, "file_missing"))
        elif _digest(folder / name) != digest:
            found.append(Problem(name, "file_changed"))
    extra = sorted(there - set(manifest.files))
    return found + [Problem(name, "file_extra") for name in extra]


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != MANIFEST)


def _digest(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
