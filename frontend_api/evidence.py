"""A permit's blobs: photos, films, signatures, named by their SHA-256.

``<sha256>.blob`` holds the content in sealed chunks under a key of its own, which
``<sha256>.key`` holds wrapped by the permit's key. Erasing destroys the key and
leaves ``<sha256>.erased`` behind, so that the name in the journal says 'erased'
and not 'missing'. The gateway and exports use this; the safety process does not.
"""

import contextlib
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.people.vault import Owner, Standing, Vault, VaultError, want
from core.registry.files import destroy, make_private, sync_folder, write_whole
from frontend_api.sealed import Sealed, Unsealable

_NAME = re.compile(r"[0-9a-f]{64}")
_KEY, _BLOB, _ERASED = ".key", ".blob", ".erased"


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what is known of a blob; stored wrapped only, as it holds the key."""

    sha256: str
    size: int
    media: str
    """What its bytes say they are, never what somebody declared."""
    by: tuple[str, ...]
    made_ms: int
    key: bytes
    bound: str
    """What its chunks are bound to: the upload's id."""

    def __repr__(self) -> str:
        return f"Blob({self.sha256})"


class Evidence:
    """Keep the blobs of permits. Methods are short or stream; one per thread."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    def file(self, path: Path, blob: Blob) -> Sealed:
        """Return a blob's sealed content at a path."""
        return Sealed(path, blob.key, blob.bound.encode())

    def keep(self, permit_id: str, blob: Blob, part: Path) -> Blob:
        """Take over a finished, synced file; all is on disk before this returns.

        The same content brought twice is kept once, with both names; where what is
        here was damaged or lost, what is brought takes its place. Idempotent.
        Raises VaultError where it was erased, OSError.
        """
        folder = self.vault.permit_folder(permit_id)
        make_private(folder)
        want(folder, blob.sha256)
        self._check_erased(permit_id, blob.sha256)
        with contextlib.suppress(VaultError):
            known = self.about(permit_id, blob.sha256)
            before = set(known.by)
            both = tuple(dict.fromkeys((*known.by, *blob.by)))
            if self.verify(permit_id, blob.sha256) is Standing.SOUND:
                known = msgspec.structs.replace(known, by=both)
                if not set(blob.by) <= before:
                    self._write_key(permit_id, folder, known)
                return known
            blob = msgspec.structs.replace(blob, by=both)
        target = folder / (blob.sha256 + _BLOB)
        # A blob without a key is what a stop left behind; nobody can read it.
        target.unlink(missing_ok=True)
        os.link(part, target)
        sync_folder(folder)
        self._write_key(permit_id, folder, blob)
        return blob

    def _write_key(self, permit_id: str, folder: Path, blob: Blob) -> None:
        plain = msgspec.msgpack.encode(blob)
        sealed = self.vault.wrap(Owner("permit", permit_id), blob.sha256, plain)
        write_whole(folder / (blob.sha256 + _KEY), sealed)

    def about(self, permit_id: str, sha256: str) -> Blob:
        """Return what is known of a blob; raises VaultError or OSError."""
        if not _NAME.fullmatch(sha256):
            raise VaultError(Standing.MISSING, f"{sha256!r} is no name of a blob")
        folder = self.vault.permit_folder(permit_id)
        self._check_erased(permit_id, sha256)
        try:
            stored = (folder / (sha256 + _KEY)).read_bytes()
        except FileNotFoundError:
            raise VaultError(Standing.MISSING, f"{sha256}: not in the vault") from None
        plain = self.vault.unwrap(Owner("permit", permit_id), sha256, stored)
        blob = msgspec.msgpack.decode(plain, type=Blob)
        if not (folder / (sha256 + _BLOB)).exists():
            raise VaultError(Standing.MISSING, f"{sha256}: its content is gone")
        return blob

    def wanted(self, permit_id: str, sha256: str) -> Blob:
        """Return what an act is about to name; it stays, at least for a while."""
        with self.vault.guard():
            want(self.vault.permit_folder(permit_id), sha256)
            return self.about(permit_id, sha256)

    def _check_erased(self, permit_id: str, sha256: str) -> None:
        mark = self.vault.permit_folder(permit_id) / (sha256 + _ERASED)
        if mark.exists() or self.vault.permit_gone(permit_id):
            raise VaultError(Standing.ERASED, f"{sha256}: was erased")

    def read(
        self, permit_id: str, blob: Blob, start: int = 0, stop: int | None = None
    ) -> Iterator[bytes]:
        """Yield a blob's content in pieces; raises VaultError, OSError."""
        path = self.vault.permit_folder(permit_id) / (blob.sha256 + _BLOB)
        try:
            yield from self.file(path, blob).read(blob.size, start, stop)
        except Unsealable as wrong:
            raise VaultError(Standing.DAMAGED, str(wrong)) from None
        except FileNotFoundError:
            raise VaultError(Standing.MISSING, f"{blob.sha256}: is gone") from None

    def standing(self, permit_id: str, sha256: str) -> Standing:
        """Say whether a blob is there or erased, without reading it through."""
        try:
            self.about(permit_id, sha256)
        except VaultError as error:
            return error.standing
        return Standing.SOUND

    def verify(self, permit_id: str, sha256: str) -> Standing:
        """Read a blob through and say whether it is what the journal names."""
        digest = hashlib.sha256()
        try:
            blob = self.about(permit_id, sha256)
            for part in self.read(permit_id, blob):
                digest.update(part)
        except VaultError as error:
            return error.standing
        same = hmac.compare_digest(digest.hexdigest(), sha256)
        return Standing.SOUND if same else Standing.DAMAGED

    def erase(self, permit_id: str, sha256: str) -> None:
        """Destroy a blob's key, then its content; idempotent; raises OSError."""
        if not _NAME.fullmatch(sha256):
            return
        folder = self.vault.permit_folder(permit_id)
        make_private(folder)
        write_whole(folder / (sha256 + _ERASED), b"")
        self._unkey(folder, sha256)
        # Without its key it is noise, and overwriting a film wears the card.
        (folder / (sha256 + _BLOB)).unlink(missing_ok=True)
        sync_folder(folder)

    def drop(self, permit_id: str, sha256: str) -> None:
        """Take away a blob that no event names; it may be brought again."""
        folder = self.vault.permit_folder(permit_id)
        self._unkey(folder, sha256)
        (folder / (sha256 + _BLOB)).unlink(missing_ok=True)

    def erased(self, permit_id: str, sha256: str) -> bool:
        """Say whether a blob's erasure came to its end: its mark alone is left."""
        if self.vault.permit_gone(permit_id):
            return True
        folder = self.vault.permit_folder(permit_id)
        left = any((folder / (sha256 + end)).exists() for end in (_KEY, _BLOB))
        return (folder / (sha256 + _ERASED)).exists() and not left

    def _unkey(self, folder: Path, sha256: str) -> None:
        """Destroy a blob's key; first what a stop left of writing it."""
        for part in folder.glob(f".{sha256}{_KEY}.*"):
            destroy(part)
        destroy(folder / (sha256 + _KEY))

    def held(self, permit_id: str) -> tuple[int, int]:
        """Return how many blobs a permit has, and their bytes on disk."""
        sizes = [
            path.stat().st_size
            for path in self.vault.permit_folder(permit_id).glob(f"*{_BLOB}")
        ]
        return len(sizes), sum(sizes)
