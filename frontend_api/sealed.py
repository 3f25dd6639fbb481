"""Files sealed in chunks: written as the bytes come, read from any place.

A chunk is nonce, AES-256-GCM of at most 64 KiB, tag; bound to its file and its
place. Its nonce is random, so the last one may be sealed again as it grows. How
long the content is stands elsewhere, sealed too: a file cut short is seen.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.registry.files import fresh

#: Content bytes of a whole chunk.
CHUNK: Final = 64 << 10
NONCE: Final = 12
_OVER: Final = NONCE + 16
_STORED: Final = CHUNK + _OVER
#: Bytes written between two syncs: more at once would make the journal wait.
_SYNC_EVERY: Final = 4 << 20
HEAD: Final = 64


class Unsealable(Exception):
    """A chunk is not what was sealed there: changed, cut, or of another key."""


class Sealed:
    """Seal and open the chunks of one file; ``key`` is this file's own."""

    def __init__(self, path: Path, key: bytes, bound: bytes) -> None:
        self.path = path
        self._seal = AESGCM(key)
        self._bound = bound

    def __repr__(self) -> str:
        return f"Sealed({self.path})"

    def _about(self, index: int) -> bytes:
        return self._bound + b"\0" + index.to_bytes(8, "big")

    def put(self, fd: int, index: int, content: bytes) -> None:
        """Write one chunk in its place; raises OSError."""
        nonce = fresh(NONCE)
        data = nonce + self._seal.encrypt(nonce, content, self._about(index))
        at = index * _STORED
        while data:
            done = os.pwrite(fd, data, at)
            data, at = data[done:], at + done

    def get(self, fd: int, index: int, length: int = CHUNK) -> bytes:
        """Return one chunk's content of at most ``length``; raises Unsealable."""
        data = os.pread(fd, length + _OVER, index * _STORED)
        if len(data) <= _OVER:
            raise Unsealable(f"{self.path.name}: chunk {index} is missing")
        try:
            return self._seal.decrypt(data[:NONCE], data[NONCE:], self._about(index))
        except InvalidTag:
            text = f"{self.path.name}: chunk {index} was changed"
            raise Unsealable(text) from None

    def read(
        self, size: int, start: int = 0, stop: int | None = None
    ) -> Iterator[bytes]:
        """Yield the content from ``start`` up to ``stop``, chunk by chunk.

        ``size`` is what the whole file holds. Raises Unsealable, OSError.
        """
        stop = size if stop is None else min(stop, size)
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while start < stop:
                index, skip = divmod(start, CHUNK)
                length = min(CHUNK, size - index * CHUNK)
                content = self.get(fd, index, length)
                if len(content) != length:
                    raise Unsealable(f"{self.path.name}: chunk {index} is cut")
                part = content[skip : skip + stop - start]
                start += len(part)
                yield part
        finally:
            os.close(fd)


class Growing:
    """Append to a sealed file and know its length and hash at any moment.

    What `flush` has put away survives a stop: `resume` finds the last sound chunk.
    One thread at a time. Any method may raise OSError; the length then stands
    where it stood before the bytes that failed.
    """

    def __init__(self, file: Sealed) -> None:
        self.file = file
        self.size = 0
        self.head = b""
        """The first bytes, by which a kind of content is known."""
        self._hash = hashlib.sha256()
        self._tail = b""
        """What does not fill a chunk yet."""
        self._unsynced = 0

    @classmethod
    def resume(cls, file: Sealed) -> "Growing":
        """Go on behind what is sound on disk; nothing there is a new file."""
        grown = cls(file)
        fd = os.open(file.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            grown._scan(fd)
        finally:
            os.close(fd)
        return grown

    def _scan(self, fd: int) -> None:
        stored = os.fstat(fd).st_size
        while self.size // CHUNK * _STORED < stored and not self._tail:
            try:
                content = self.file.get(fd, self.size // CHUNK)
            except Unsealable:
                break
            self._take(content)
            self.size += len(content)
            self._tail = content if len(content) < CHUNK else b""
        os.ftruncate(fd, self._end())

    def _end(self) -> int:
        """Return how long the file is once all of it is put away."""
        whole = self.size // CHUNK * _STORED
        return whole + (len(self._tail) + _OVER if self._tail else 0)

    def _take(self, content: bytes) -> None:
        self._hash.update(content)
        if len(self.head) < HEAD:
            self.head = (self.head + content)[:HEAD]

    def write(self, data: bytes) -> None:
        """Append content; what fills no chunk waits in memory for `flush`."""
        fd = os.open(self.file.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(data)
            while view:
                fits = CHUNK - len(self._tail)
                tail = self._tail + view[:fits]
                if len(tail) == CHUNK:
                    self.file.put(fd, self.size // CHUNK, tail)
                    self._unsynced += CHUNK
                # Counted once it is put away: the same bytes may come again.
                self._take(bytes(view[:fits]))
                self.size += len(view[:fits])
                self._tail = b"" if len(tail) == CHUNK else tail
                view = view[fits:]
            if self._unsynced >= _SYNC_EVERY:
                os.fdatasync(fd)
                self._unsynced = 0
        finally:
            os.close(fd)

    def flush(self) -> None:
        """Put everything on disk, the unfilled chunk too, and return when it is."""
        fd = os.open(self.file.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if self._tail:
                self.file.put(fd, self.size // CHUNK, self._tail)
            # A write that failed half-way may have left bytes behind the end.
            os.ftruncate(fd, self._end())
            os.fsync(fd)
            self._unsynced = 0
        finally:
            os.close(fd)

    def digest(self) -> str:
        """Return the SHA-256 of all that was written."""
        return self._hash.hexdigest()
