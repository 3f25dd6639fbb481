"""Small private files that a power loss leaves whole: 0600, synced, atomic."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

#: Random bytes from the operating system.
fresh = os.urandom


def make_private(folder: Path) -> None:
    """Make a folder and its parents for this user alone; raises OSError."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)


def write_whole(path: Path, data: bytes, *, once: bool = False) -> None:
    """Put a file's bytes on disk or leave what was there; raises OSError.

    ``once``: a file that is there already stays, and FileExistsError says so.
    """
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(part, flags, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if once:
            os.link(part, path)
            part.unlink()
        else:
            os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def destroy(path: Path) -> None:
    """Overwrite a file, then take it away, each synced; a missing one is fine."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.pwrite(fd, bytes(os.fstat(fd).st_size), 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextlib.contextmanager
def locked(folder: Path, *, alone: bool) -> Iterator[bool]:
    """Hold a folder's lock, with others or alone; across processes and threads.

    Alone never waits: it yields False while others hold the lock. With others waits
    for one who is alone. Raises OSError.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        free = True
        try:
            mode = fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH
            fcntl.flock(fd, mode)
        except BlockingIOError:
            free = False
        yield free
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
