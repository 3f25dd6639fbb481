"""Uploads that go on where they were cut: sealed to disk as the bytes come.

The file itself says how far an upload has come, so a gateway that was killed
goes on as well. Everything here runs in a worker thread, never on the loop.
"""

import contextlib
import errno
import hmac
import os
import threading
from collections.abc import Iterator

import msgspec

from core.api.errors import Refused
from core.clock import Clock
from core.people.vault import VaultError
from core.registry.files import destroy, fresh, make_private, sync_folder, write_whole
from frontend_api.evidence import Blob, Evidence
from frontend_api.media import sniff
from frontend_api.quota import (
    DAY_MS,
    Limits,
    Purpose,
    Upload,
    check_kind,
    check_permit,
    check_person,
)
from frontend_api.sealed import HEAD, Growing, Sealed

MS = 1_000_000
#: Uploads, and what tells that they are done, are forgotten after this time.
EXPIRES_MS = 3 * DAY_MS
_RECORD, _PART = ".upload", ".part"


class _Live:
    """Hold an upload's own lock, its open end and who writes now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.turn = 0
        self.growing: Growing | None = None


class Uploads:
    """Keep uploads below ``data/vault/uploads``; every method may raise Refused."""

    def __init__(self, evidence: Evidence, clock: Clock, limits: Limits) -> None:
        self.evidence, self.vault = evidence, evidence.vault
        self.limits = limits
        self._clock = clock
        self._folder = self.vault.folder / "uploads"
        self._lock = threading.RLock()
        self._keeping = threading.Lock()
        self._known: dict[str, Upload] | None = None
        self._live: dict[str, _Live] = {}

    # --- the table ------------------------------------------------------------

    def _all(self) -> dict[str, Upload]:
        """Return every upload; what a stop left of others is taken away."""
        with self._lock:
            if self._known is None:
                self._known = dict(self._load())
            return self._known

    def _load(self) -> Iterator[tuple[str, Upload]]:
        for path in sorted(self._folder.glob(f"*{_RECORD}")):
            try:
                upload = msgspec.msgpack.decode(path.read_bytes(), type=Upload)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                path.unlink(missing_ok=True)
                continue
            yield upload.id, upload
        for part in self._folder.glob(f"*{_PART}"):
            if not part.with_suffix(_RECORD).exists():
                part.unlink(missing_ok=True)

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // MS if self._clock.synced() else 0

    def _find(self, upload_id: str, by: str) -> Upload:
        upload = self._all().get(upload_id)
        if upload is None or upload.by != by:
            raise Refused("attachment.upload_unknown", id=upload_id)
        return upload

    def _put(self, upload: Upload) -> None:
        make_private(self._folder)
        data = msgspec.msgpack.encode(upload)
        write_whole(self._folder / (upload.id + _RECORD), data)
        with self._lock:
            self._all()[upload.id] = upload

    def open_count(self) -> int:
        """Return how many uploads are under way."""
        with self._lock:
            return sum(not one.done for one in self._all().values())

    # --- beginning ------------------------------------------------------------

    def begin(
        self, by: str, purpose: Purpose, owner_id: str, size: int, media: str
    ) -> Upload:
        """Begin an upload once everything that can be known speaks for it."""
        check_kind(purpose, size, media)
        with self._lock, _told():
            every = list(self._all().values())
            check_person(self.limits, every, by, size, self._now_ms())
            if purpose == "evidence":
                held = self.evidence.held(owner_id)
                check_permit(self.limits, every, owner_id, held, size)
            self._check_disk(size)
            upload = Upload(
                id=fresh(16).hex(),
                by=by,
                purpose=purpose,
                owner_id=owner_id,
                size=size,
                media=media,
                made_ms=self._now_ms(),
                key=b"",
            )
            wrapped = self.vault.wrap(upload.owner(), upload.id, fresh(32))
            upload = msgspec.structs.replace(upload, key=wrapped)
            self._put(upload)
        return upload

    def _check_disk(self, more: int) -> None:
        """Refuse what, with all that is promised, would eat the journal's room."""
        promised = sum(
            max(0, one.size - self._stored(one.id))
            for one in self._all().values()
            if not one.done
        )
        self._check_room(promised + more)

    def _stored(self, upload_id: str) -> int:
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / (upload_id + _PART)).stat().st_size
        return 0

    def _check_room(self, more: int) -> None:
        make_private(self._folder)
        found = os.statvfs(self._folder)
        free = found.f_bavail * found.f_frsize
        if free - more < self.limits.floor_bytes:
            need = more + self.limits.floor_bytes
            raise Refused(
                "attachment.disk_full", free_mb=free >> 20, need_mb=(need >> 20) + 1
            )

    # --- going on -------------------------------------------------------------

    def offset(self, upload_id: str, by: str) -> tuple[Upload, int]:
        """Return an upload and how many of its bytes are here."""
        upload = self._find(upload_id, by)
        if upload.done:
            return upload, upload.size
        with self._held(upload) as live:
            self._find(upload_id, by)
            return upload, self._grown(upload, live).size

    def turn(self, upload_id: str, by: str, at: int, length: int | None) -> int:
        """Take over an upload at its offset; who wrote before may write no more.

        A phone that changes network comes back before its dead connection is
        noticed. ``length``: how much is to come, None when nobody says.
        """
        upload = self._find(upload_id, by)
        with self._held(upload) as live:
            self._not_done(upload_id, by)
            size = self._grown(upload, live).size
            if at != size:
                raise Refused("attachment.offset", offset=size, given=at)
            self._check_end(upload, size, length or 0)
            live.turn += 1
            return live.turn

    def take(self, upload_id: str, by: str, turn: int, data: bytes) -> int:
        """Append bytes; return how many are here. What is refused is not kept."""
        upload = self._find(upload_id, by)
        with self._held(upload) as live:
            growing = self._writing(upload, live, turn)
            before = growing.size
            self._check_end(upload, before, len(data))
            self._check_room(len(data))
            growing.write(data)
            known = min(HEAD, upload.size)
            if before < known <= growing.size:
                self._check_media(upload, growing)
            return growing.size

    def flush(self, upload_id: str, by: str, turn: int) -> int:
        """Put on disk what is here; return how much that is."""
        upload = self._find(upload_id, by)
        with self._held(upload) as live:
            growing = self._writing(upload, live, turn)
            growing.flush()
            return growing.size

    def _writing(self, upload: Upload, live: _Live, turn: int) -> Growing:
        if live.turn != turn or live.growing is None:
            raise Refused("attachment.taken_over", id=upload.id)
        return live.growing

    def _check_end(self, upload: Upload, at: int, more: int) -> None:
        if at + more > upload.size:
            raise Refused(
                "attachment.too_long", size=upload.size, offset=at, given=more
            )

    def _not_done(self, upload_id: str, by: str) -> None:
        """Look again under the lock: another request may have finished it."""
        if self._find(upload_id, by).done:
            raise Refused("attachment.done", id=upload_id)

    def _check_media(self, upload: Upload, growing: Growing) -> None:
        found = sniff(growing.head)
        if found != upload.media:
            self._forget(upload)
            raise Refused(
                "attachment.media_wrong", media=upload.media, found=found or "?"
            )

    # --- the end --------------------------------------------------------------

    def finish(self, upload_id: str, by: str, sha256: str) -> Upload:
        """Put a whole upload into the vault; told twice, it answers the same.

        All is on disk before this returns, so an event may name it.
        """
        upload = self._find(upload_id, by)
        with self._held(upload) as live:
            upload = self._find(upload_id, by)
            if upload.done:
                return upload
            growing = self._grown(upload, live)
            if growing.size != upload.size:
                raise Refused(
                    "attachment.incomplete", offset=growing.size, size=upload.size
                )
            found = growing.digest()
            if not hmac.compare_digest(found, sha256):
                raise Refused("attachment.hash", found=found, given=sha256)
            self._check_media(upload, growing)
            growing.flush()
            if upload.purpose == "evidence" and upload.keeping != found:
                upload = msgspec.structs.replace(upload, keeping=found)
                self._put(upload)
            name = self._keep(upload, growing, found)
            upload = msgspec.structs.replace(upload, done=name)
            self._put(upload)
            live.growing = None
            live.turn += 1
            growing.file.path.unlink(missing_ok=True)
        return upload

    def _keep(self, upload: Upload, growing: Growing, sha256: str) -> str:
        if upload.purpose != "evidence":
            content = b"".join(growing.file.read(upload.size))
            return self.vault.put(upload.owner_id, upload.purpose, content)
        blob = Blob(
            sha256=sha256,
            size=upload.size,
            media=upload.media,
            by=(upload.by,),
            made_ms=upload.made_ms,
            key=self.vault.unwrap(upload.owner(), upload.id, upload.key),
            bound=upload.id,
        )
        with self._keeping, self.vault.guard():
            return self.evidence.keep(upload.owner_id, blob, growing.file.path).sha256

    def drop(self, upload_id: str, by: str) -> None:
        """Give an upload up; refused once it is, or may be, in the vault.

        What no event names then is found by its upload, and by nothing else.
        """
        upload = self._find(upload_id, by)
        with self._held(upload):
            upload = self._find(upload_id, by)
            if upload.done or upload.keeping:
                raise Refused("attachment.done", id=upload_id)
            self._forget(upload)

    def forget(self, upload_id: str, by: str) -> None:
        """Forget an upload after its time."""
        upload = self._find(upload_id, by)
        with self._held(upload):
            self._forget(upload)

    def let_go(self, upload: Upload) -> None:
        """Take away evidence that no event names; another's upload of it keeps it."""
        name = upload.done or upload.keeping
        with self._keeping, _told():
            others = [
                one
                for one in list(self._all().values())
                if one.id != upload.id
                and one.owner_id == upload.owner_id
                and name in (one.done, one.keeping)
            ]
            if not others:
                self.evidence.drop(upload.owner_id, name)

    def _forget(self, upload: Upload) -> None:
        destroy(self._folder / (upload.id + _RECORD))
        (self._folder / (upload.id + _PART)).unlink(missing_ok=True)
        sync_folder(self._folder)
        with self._lock:
            self._all().pop(upload.id, None)
            live = self._live.pop(upload.id, _Live())
        live.turn, live.growing = live.turn + 1, None

    def named(self) -> dict[str, set[str]]:
        """Return what was brought and may yet be named, by person, permit or task."""
        found: dict[str, set[str]] = {}
        for one in list(self._all().values()):
            found.setdefault(one.owner_id, set()).update({one.done, one.keeping})
        return found

    def expired(self) -> list[Upload]:
        """Return the uploads whose time is over; none while the time is unknown."""
        now = self._now_ms()
        if not now:
            return []
        for upload in list(self._all().values()):
            if not upload.made_ms:
                self._put(msgspec.structs.replace(upload, made_ms=now))
        every = list(self._all().values())
        return [one for one in every if one.made_ms + EXPIRES_MS < now]

    # --- one at a time --------------------------------------------------------

    @contextlib.contextmanager
    def _held(self, upload: Upload) -> Iterator[_Live]:
        with self._lock:
            live = self._live.setdefault(upload.id, _Live())
        with live.lock, _told():
            yield live

    def _grown(self, upload: Upload, live: _Live) -> Growing:
        """Return an upload's end; after a start it is read from the file."""
        if live.growing is None:
            key = self.vault.unwrap(upload.owner(), upload.id, upload.key)
            path = self._folder / (upload.id + _PART)
            live.growing = Growing.resume(Sealed(path, key, upload.id.encode()))
        return live.growing


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what disk and vault raise into refusals."""
    try:
        yield
    except VaultError as error:
        raise refused(error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused("attachment.disk_full", free_mb=0, need_mb=1) from error
        raise Refused("attachment.disk", reason=error.strerror or "?") from error


def refused(error: VaultError) -> Refused:
    """Return the refusal of what the vault cannot give or take."""
    return Refused(f"attachment.{error.standing.value}")
