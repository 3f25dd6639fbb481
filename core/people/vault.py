"""Data outside the chain: encrypted per person or permit, erased by their key.

Each person has a key and a salt of their own, wrapped by the site's key. A blob
is AES-256-GCM under the person's key, bound to person and kind; its name is the
SHA-256 of salt and content, which is all that an event ever tells. Erasing takes
key and salt away: copies of the blobs, and the names in the journal, say nothing
from then on. A face's template has a key of its own beside that, so that it goes
alone when its consent ends. A permit has a key likewise; its blobs, which may be
films, lie in ``frontend_api/evidence.py`` and have keys of their own, wrapped by
the permit's.
The gateway and the import use this; the safety process does not.
"""

import contextlib
import enum
import hashlib
import hmac
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.api.errors import SafeholdError
from core.registry.files import (
    destroy,
    fresh,
    locked,
    make_private,
    sync_folder,
    write_whole,
)
from core.registry.secrets import Secrets

#: Largest blob: a photo or a scanned card, not a video.
MAX_BYTES = 8 << 20
#: What a blob may be; bound into its seal.
KINDS = ("fields", "photo", "template", "document", "evidence")
_SECRET = "vault.site"  # noqa: S105 (the name of a secret, not one)
_MAGIC = b"SHV1"
_NONCE = 12
_NAME = re.compile(r"[0-9a-f]{64}")
_KEY, _ERASED = "key", "erased"
#: Beside a blob that no event names: since when nobody was seen to want it.
UNNAMED = ".unnamed"
#: Kinds whose blobs have keys of their own.
_ALONE = ("template",)


class Standing(enum.StrEnum):
    """Say what the vault still knows of a name that an event tells."""

    SOUND = "sound"
    ERASED = "erased"
    MISSING = "missing"
    DAMAGED = "damaged"


class VaultError(SafeholdError):
    """A blob cannot be read or kept; ``standing`` says which way."""

    code = "vault.failed"

    def __init__(self, standing: Standing, message: str) -> None:
        super().__init__(message, standing=standing.value)
        self.standing = standing


class PersonKey(msgspec.Struct, frozen=True):
    """Hold one person's key and salt; only ever stored wrapped."""

    key: bytes
    salt: bytes

    def __repr__(self) -> str:
        return "PersonKey()"


class Owner(NamedTuple):
    """Name whose key seals: a person's, or a permit's."""

    kind: Literal["person", "permit"]
    id: str


class Vault:
    """Keep blobs by person below ``data/vault``, and the keys of permits."""

    def __init__(self, data: Path, secrets: Secrets | None = None) -> None:
        self.folder = data / "vault"
        self._secrets = secrets or Secrets(data)
        self._site: AESGCM | None = None

    def __repr__(self) -> str:
        return f"Vault({self.folder})"

    def put(self, person_id: str, kind: str, data: bytes) -> str:
        """Keep a blob and return its name; it is on disk before this returns.

        Raises VaultError for an erased person or a damaged key, ValueError for
        a wrong kind or size, OSError.
        """
        if kind not in KINDS:
            raise ValueError(f"a blob is one of {', '.join(KINDS)}, not {kind!r}")
        if len(data) > MAX_BYTES:
            raise ValueError(f"{len(data)} bytes; a blob has at most {MAX_BYTES}")
        person = self._key(person_id, create=True)
        name = _name(person, kind, data)
        path = self.person_folder(person_id) / name
        with self.guard():
            want(path.parent, name)
            if self.verify(person_id, kind, name) is not Standing.SOUND:
                key = self._blob_key(person_id, kind, name, create=True) or person.key
                nonce = fresh(_NONCE)
                sealed = AESGCM(key).encrypt(nonce, data, _bound(person_id, kind))
                write_whole(path, _MAGIC + nonce + sealed)
        return name

    def get(self, person_id: str, kind: str, name: str) -> bytes:
        """Return a blob's content; raises VaultError or OSError."""
        person = self._key(person_id, create=False)
        if not _NAME.fullmatch(name):
            raise VaultError(Standing.MISSING, f"{name!r} is no name of a blob")
        key = self._blob_key(person_id, kind, name, create=False) or person.key
        try:
            stored = (self.person_folder(person_id) / name).read_bytes()
        except FileNotFoundError:
            raise VaultError(Standing.MISSING, f"{name}: not in the vault") from None
        seal = AESGCM(key)
        data = _unseal(seal, stored, _bound(person_id, kind), name)
        if not hmac.compare_digest(_name(person, kind, data), name):
            raise VaultError(Standing.DAMAGED, f"{name}: holds another content")
        return data

    def wanted(self, person_id: str, name: str) -> bool:
        """Say that an act is about to name a blob; False when it is not here."""
        folder = self.person_folder(person_id)
        with self.guard():
            want(folder, name)
            return bool(_NAME.fullmatch(name)) and (folder / name).exists()

    @contextlib.contextmanager
    def guard(self, *, alone: bool = False) -> Iterator[bool]:
        """Keep what lies here from being swept meanwhile; raises OSError.

        ``alone``: be the one that sweeps; yields False while others are at work.
        A lock of the file, as an import is a process of its own.
        """
        make_private(self.folder)
        with locked(self.folder, alone=alone) as free:
            yield free

    def verify(self, person_id: str, kind: str, name: str) -> Standing:
        """Say whether what an event names is there, unchanged, gone or erased."""
        try:
            self.get(person_id, kind, name)
        except VaultError as error:
            return error.standing
        return Standing.SOUND

    def erased(self, person_id: str) -> bool:
        """Say whether a person's erasure came to its end: its mark alone is left."""
        folder = self.person_folder(person_id)
        if not (folder / _ERASED).exists():
            return False
        return all(path.name == _ERASED for path in folder.iterdir())

    def erase(self, person_id: str) -> None:
        """Destroy a person's key, then their blobs; idempotent; raises OSError.

        The mark comes first: after a stop in between, the key is no longer used
        and the same call ends the work.
        """
        folder = self.person_folder(person_id)
        make_private(folder)
        write_whole(folder / _ERASED, b"")
        destroy(folder / _KEY)
        for path in sorted(folder.iterdir()):
            if path.name != _ERASED:
                destroy(path)

    def erase_template(self, person_id: str, name: str) -> None:
        """Destroy the key of a face's template, then the blob; idempotent.

        The person's other data stay. Raises ValueError for no name, OSError.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a blob")
        folder = self.person_folder(person_id)
        make_private(folder)
        write_whole(folder / f"{name}.{_ERASED}", b"")
        destroy(folder / f"{name}.{_KEY}")
        destroy(folder / name)

    def template_erased(self, person_id: str, name: str) -> bool:
        """Say whether a template's erasure came to its end, or the person's own did."""
        folder = self.person_folder(person_id)
        if (folder / _ERASED).exists():
            return True
        left = (folder / f"{name}.{_KEY}", folder / name)
        marked = (folder / f"{name}.{_ERASED}").exists()
        return marked and not any(path.exists() for path in left)

    # --- what is sealed in pieces ---------------------------------------------

    def permit_folder(self, permit_id: str) -> Path:
        """Return where a permit's blobs lie; an id is anybody's text, never a path."""
        return self.folder / "permits" / _hashed(permit_id)

    def wrap(self, owner: Owner, what: str, plain: bytes) -> bytes:
        """Seal a few bytes, such as a file's key, under a person's or permit's key.

        ``what`` is bound into the seal. Makes the owner's key on first use;
        raises VaultError where it was destroyed, OSError.
        """
        nonce = fresh(_NONCE)
        seal = AESGCM(self._owned(owner, create=True).key)
        return _MAGIC + nonce + seal.encrypt(nonce, plain, _wrapped(owner, what))

    def unwrap(self, owner: Owner, what: str, stored: bytes) -> bytes:
        """Return what `wrap` sealed; raises VaultError or OSError."""
        seal = AESGCM(self._owned(owner, create=False).key)
        return _unseal(seal, stored, _wrapped(owner, what), f"{what} of {owner.id}")

    def erase_permit(self, permit_id: str) -> None:
        """Destroy a permit's or a task's key, then what it sealed; idempotent.

        Raises OSError; the same call then ends the work.
        """
        folder = self.permit_folder(permit_id)
        make_private(folder)
        write_whole(folder / _ERASED, b"")
        destroy(folder / _KEY)
        for path in sorted(folder.iterdir()):
            if path.name != _ERASED:
                # Without the key it is noise, and overwriting a film wears the card.
                path.unlink(missing_ok=True)
        sync_folder(folder)

    def permit_gone(self, permit_id: str) -> bool:
        """Say whether a permit's key was destroyed, or is about to be."""
        return (self.permit_folder(permit_id) / _ERASED).exists()

    def permit_erased(self, permit_id: str) -> bool:
        """Say whether a permit's erasure came to its end: its mark alone is left."""
        folder = self.permit_folder(permit_id)
        return self.permit_gone(permit_id) and len(list(folder.iterdir())) == 1

    # --- keys -----------------------------------------------------------------

    def _blob_key(
        self, person_id: str, kind: str, name: str, *, create: bool
    ) -> bytes | None:
        """Return a blob's own key; None for a kind that shares the person's."""
        if kind not in _ALONE:
            return None
        folder, owner = self.person_folder(person_id), Owner("person", person_id)
        if (folder / f"{name}.{_ERASED}").exists():
            raise VaultError(Standing.ERASED, f"{name}: the template was erased")
        path = folder / f"{name}.{_KEY}"
        try:
            return self.unwrap(owner, name, path.read_bytes())
        except FileNotFoundError:
            if not create:
                raise VaultError(Standing.MISSING, f"{name}: no key") from None
        made = fresh(32)
        try:
            write_whole(path, self.wrap(owner, name, made), once=True)
        except FileExistsError:
            return self._blob_key(person_id, kind, name, create=False)
        return made

    def person_folder(self, person_id: str) -> Path:
        """Return a person's folder; an id is anybody's text, so never a path."""
        return self.folder / _hashed(person_id)

    def _key(self, person_id: str, *, create: bool) -> PersonKey:
        return self._owned(Owner("person", person_id), create=create)

    def _owned(self, owner: Owner, *, create: bool) -> PersonKey:
        if owner.kind == "person":
            folder, bound = self.person_folder(owner.id), _bound(owner.id, _KEY)
        else:
            folder, bound = self.permit_folder(owner.id), _wrapped(owner, _KEY)
        if (folder / _ERASED).exists():
            raise VaultError(Standing.ERASED, f"{owner.id}: the data were erased")
        site = self._site_key()
        try:
            stored = (folder / _KEY).read_bytes()
        except FileNotFoundError:
            if not create:
                raise VaultError(Standing.MISSING, f"{owner.id}: no key") from None
        else:
            plain = _unseal(site, stored, bound, f"key of {owner.id}")
            return msgspec.msgpack.decode(plain, type=PersonKey)
        made = PersonKey(fresh(32), fresh(32))
        make_private(folder)
        nonce = fresh(_NONCE)
        sealed = site.encrypt(nonce, msgspec.msgpack.encode(made), bound)
        try:
            write_whole(folder / _KEY, _MAGIC + nonce + sealed, once=True)
        except FileExistsError:
            return self._owned(owner, create=False)  # another process was first
        if (folder / _ERASED).exists():  # erased while the key was being made
            destroy(folder / _KEY)
            raise VaultError(Standing.ERASED, f"{owner.id}: the data were erased")
        return made

    def _site_key(self) -> AESGCM:
        if self._site is None:
            secret = self._secrets.get_or_create(_SECRET).encode()
            derived = HKDF(SHA256(), 32, salt=None, info=b"safehold vault 1")
            self._site = AESGCM(derived.derive(secret))
        return self._site


def want(folder: Path, name: str) -> None:
    """Take away the mark of a blob that nobody wanted; its time begins anew."""
    (folder / (name + UNNAMED)).unlink(missing_ok=True)


def _bound(person_id: str, kind: str) -> bytes:
    return msgspec.msgpack.encode(["safehold vault", person_id, kind])


def _wrapped(owner: Owner, what: str) -> bytes:
    return msgspec.msgpack.encode(["safehold vault", *owner, what])


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _name(person: PersonKey, kind: str, data: bytes) -> str:
    digest = hashlib.sha256(person.salt)
    digest.update(kind.encode() + b"\0")
    digest.update(data)
    return digest.hexdigest()


def _unseal(seal: AESGCM, stored: bytes, bound: bytes, what: str) -> bytes:
    head = len(_MAGIC) + _NONCE
    if not stored.startswith(_MAGIC) or len(stored) <= head:
        raise VaultError(Standing.DAMAGED, f"{what}: not a file of the vault")
    try:
        return seal.decrypt(stored[len(_MAGIC) : head], stored[head:], bound)
    except InvalidTag:
        raise VaultError(
            Standing.DAMAGED, f"{what}: bytes were changed, or the key is another"
        ) from None
