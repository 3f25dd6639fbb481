"""The disk door: the only way from the journal to stable storage."""

import fcntl
import os
from pathlib import Path
from typing import Protocol


class SegmentFile(Protocol):
    """Write one file at given offsets; every method may raise OSError."""

    def write(self, offset: int, data: bytes) -> None:
        """Write all of ``data``; durable only after `sync`."""

    def allocate(self, size: int) -> None:
        """Grow to ``size`` bytes of reserved zeros."""

    def truncate(self, size: int) -> None:
        """Cut to ``size`` bytes; durable only after `sync`."""

    def sync(self) -> None:
        """Return when all written bytes are durable."""

    def close(self) -> None:
        """Give the file back; never raises."""


class Disk(Protocol):
    """Hold the files of one folder; every method may raise OSError."""

    def list(self) -> list[str]:
        """Return the names of all files, sorted."""

    def open(self, name: str, *, create: bool = False) -> SegmentFile:
        """Open for reading and writing; a created name is durable on return."""

    def put(self, name: str, data: bytes) -> None:
        """Write a small file whole or not at all, durable on return."""

    def read(self, name: str, limit: int = -1) -> bytes:
        """Return a whole file, or its first ``limit`` bytes."""

    def remove(self, name: str) -> None:
        """Delete a file if it exists, durable on return."""

    def retire(self, name: str, new: str) -> None:
        """Rename and make read-only, durable on return."""

    def free(self) -> int:
        """Return the free bytes of the file system."""


class RealSegmentFile:
    """Write a file of the machine's file system."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, offset: int, data: bytes) -> None:
        """Write all of ``data`` at ``offset``."""
        view = memoryview(data)
        while view:
            done = os.pwrite(self._fd, view, offset)
            view, offset = view[done:], offset + done

    def allocate(self, size: int) -> None:
        """Reserve blocks up to ``size`` bytes."""
        os.posix_fallocate(self._fd, 0, size)

    def truncate(self, size: int) -> None:
        """Cut to ``size`` bytes."""
        os.ftruncate(self._fd, size)

    def sync(self) -> None:
        """Wait until the written bytes are durable."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._fd)


class RealDisk:
    """Keep the journal's files in one folder, 0700, files 0600.

    ``lock`` keeps a second hub from writing the same journal: it raises
    BlockingIOError. Readers do not lock.
    """

    def __init__(self, folder: Path, *, lock: bool = False) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._dir = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if lock:
            fcntl.flock(self._dir, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def list(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(name for name in os.listdir(self._dir) if name[0] != ".")

    def open(self, name: str, *, create: bool = False) -> RealSegmentFile:
        """Open a file for reading and writing."""
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        fd = os.open(name, flags, 0o600, dir_fd=self._dir)
        if create:
            self._sync_folder_or_close(fd)
        return RealSegmentFile(fd)

    def put(self, name: str, data: bytes) -> None:
        """Replace a small file atomically."""
        part = f".{name}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        file = RealSegmentFile(os.open(part, flags, 0o600, dir_fd=self._dir))
        try:
            file.write(0, data)
            file.sync()
        finally:
            file.close()
        os.rename(part, name, src_dir_fd=self._dir, dst_dir_fd=self._dir)
        os.fsync(self._dir)

    def read(self, name: str, limit: int = -1) -> bytes:
        """Return a whole file, or its beginning."""
        with (self.folder / name).open("rb") as file:
            return file.read(limit)

    def remove(self, name: str) -> None:
        """Delete a file if it exists."""
        try:
            os.unlink(name, dir_fd=self._dir)
        except FileNotFoundError:
            return
        os.fsync(self._dir)

    def retire(self, name: str, new: str) -> None:
        """Rename and make read-only."""
        os.chmod(name, 0o400, dir_fd=self._dir)
        os.rename(name, new, src_dir_fd=self._dir, dst_dir_fd=self._dir)
        os.fsync(self._dir)

    def free(self) -> int:
        """Return the bytes that may still be written."""
        stat = os.fstatvfs(self._dir)
        return stat.f_bavail * stat.f_frsize

    def close(self) -> None:
        """Give folder and lock back."""
        os.close(self._dir)

    def _sync_folder_or_close(self, fd: int) -> None:
        try:
            os.fsync(self._dir)
        except OSError:
            os.close(fd)
            raise
