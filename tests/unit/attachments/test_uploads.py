"""Uploads on disk: offsets, hashes, quotas, restarts, erasure; each refusal by name."""

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from core.api.errors import Refused
from core.clock import NS, SimClock
from core.journal.store import Options
from core.people.vault import Standing, Vault, VaultError
from frontend_api.evidence import Evidence
from frontend_api.media import sniff
from frontend_api.quota import Limits, Upload
from frontend_api.sealed import CHUNK
from frontend_api.uploads import EXPIRES_MS, Uploads

JPEG = b"\xff\xd8\xff\xe0" + b"picture " * 40
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"film " * 20
ROOM = Limits(floor_bytes=0)


def made(folder: Path, limits: Limits = ROOM, clock: SimClock | None = None) -> Uploads:
    evidence = Evidence(Vault(folder))
    return Uploads(evidence, clock or SimClock(), limits)


def begun(uploads: Uploads, data: bytes = JPEG, media: str = "image/jpeg") -> Upload:
    return uploads.begin("ann", "evidence", "pt-1", len(data), media)


def sent(uploads: Uploads, upload: Upload, data: bytes, at: int = 0) -> None:
    turn = uploads.turn(upload.id, upload.by, at, len(data))
    uploads.take(upload.id, upload.by, turn, data)
    uploads.flush(upload.id, upload.by, turn)


def brought(uploads: Uploads, data: bytes = JPEG, by: str = "ann") -> str:
    media = sniff(data[:64])
    upload = uploads.begin(by, "evidence", "pt-1", len(data), media)
    sent(uploads, upload, data)
    sha256 = hashlib.sha256(data).hexdigest()
    return uploads.finish(upload.id, by, sha256).done


def refusal(work: object) -> str:
    with pytest.raises(Refused) as caught:
        work()  # type: ignore[operator]
    return caught.value.refusal


class Phone(RuleBasedStateMachine):
    """A phone that sends pieces of any size, is cut, lies about offsets, comes back.

    Promise: nothing that the hub said it has is ever lost, nothing that it refused
    is kept, and the end is the content, byte for byte (issue: a video cut in two).
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.uploads = made(Path(self.folder.name))
        self.film = MP4 + bytes(i * 7 % 251 for i in range(3 * CHUNK))
        self.upload = begun(self.uploads, self.film, "video/mp4")
        self.acknowledged = self.here = 0
        self.turn = 0
        self.done = False

    def teardown(self) -> None:
        self.folder.cleanup()

    def offset(self) -> int:
        return self.uploads.offset(self.upload.id, "ann")[1]

    @precondition(lambda self: not self.done)
    @rule()
    def connect(self) -> None:
        self.turn = self.uploads.turn(self.upload.id, "ann", self.offset(), None)

    @precondition(lambda self: self.turn and not self.done)
    @rule(
        size=st.one_of(
            st.integers(0, 100),
            st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1]),
            st.integers(0, 2 * CHUNK),
        )
    )
    def send(self, size: int) -> None:
        piece = self.film[self.here : self.here + size]
        told = self.uploads.take(self.upload.id, "ann", self.turn, piece)
        self.here += len(piece)
        assert told == self.here

    @precondition(lambda self: self.turn and not self.done)
    @rule()
    def cut(self) -> None:
        self.acknowledged = self.uploads.flush(self.upload.id, "ann", self.turn)

    @precondition(lambda self: not self.done)
    @rule()
    def the_gateway_is_killed(self) -> None:
        self.uploads = made(Path(self.folder.name))
        self.turn = 0
        self.here = self.offset()
        assert self.here >= self.acknowledged

    @precondition(lambda self: not self.done)
    @rule(by=st.integers(-5, 5).filter(bool))
    def begin_elsewhere(self, by: int) -> None:
        at = max(0, self.offset() + by)
        if at == self.offset():
            return
        wrong = refusal(lambda: self.uploads.turn(self.upload.id, "ann", at, None))
        assert wrong == "attachment.offset"

    @precondition(lambda self: self.turn and not self.done)
    @rule()
    def another_connection_takes_over(self) -> None:
        old = self.turn
        self.connect()
        late = refusal(lambda: self.uploads.take(self.upload.id, "ann", old, b"x"))
        assert late == "attachment.taken_over"

    @precondition(lambda self: self.turn and not self.done)
    @rule(more=st.integers(1, 100))
    def send_too_much(self, more: int) -> None:
        data = self.film[self.here :] + bytes(more)
        long = refusal(
            lambda: self.uploads.take(self.upload.id, "ann", self.turn, data)
        )
        assert long == "attachment.too_long"

    @precondition(lambda self: not self.done)
    @rule()
    def finish(self) -> None:
        sha256 = hashlib.sha256(self.film).hexdigest()
        if self.here < len(self.film):
            early = refusal(lambda: self.uploads.finish(self.upload.id, "ann", sha256))
            assert early == "attachment.incomplete"
            return
        done = self.uploads.finish(self.upload.id, "ann", sha256).done
        assert done == sha256
        self.done = True
        evidence = self.uploads.evidence
        assert evidence.verify("pt-1", sha256) is Standing.SOUND

    @invariant()
    def the_hub_tells_what_it_has(self) -> None:
        assert self.offset() == (len(self.film) if self.done else self.here)


Phone.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
TestPhone = Phone.TestCase


def test_what_is_done_is_told_again_and_kept_once(tmp_path: Path) -> None:
    uploads = made(tmp_path)
    upload = begun(uploads)
    sent(uploads, upload, JPEG)
    sha256 = hashlib.sha256(JPEG).hexdigest()
    first = uploads.finish(upload.id, "ann", sha256)
    assert made(tmp_path).finish(upload.id, "ann", sha256) == first
    assert refusal(lambda: uploads.turn(upload.id, "ann", len(JPEG), 0)) == (
        "attachment.done"
    )
    assert brought(uploads, by="bob") == sha256
    assert uploads.evidence.about("pt-1", sha256).by == ("ann", "bob")
    assert uploads.evidence.held("pt-1")[0] == 1
    assert not list((tmp_path / "vault" / "uploads").glob("*.part"))


def test_nothing_readable_lies_on_the_disk(tmp_path: Path) -> None:
    """Design §5: sealed at rest, while it comes and afterwards."""
    uploads = made(tmp_path)
    upload = begun(uploads, JPEG)
    sent(uploads, upload, JPEG[:100])
    files = [p for p in (tmp_path / "vault").rglob("*") if p.is_file()]
    assert files
    sent(uploads, upload, JPEG[100:], 100)
    uploads.finish(upload.id, "ann", hashlib.sha256(JPEG).hexdigest())
    files += [p for p in (tmp_path / "vault").rglob("*") if p.is_file()]
    for path in {p for p in files if p.exists()}:
        assert b"picture" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"MZ" + bytes(100), "image/jpeg"),
        (b"<html>" + bytes(100), "application/pdf"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "video/mp4"),
        (b"\x1a\x45\xdf\xa3\x42\x82\x88matroska" + bytes(100), "video/webm"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image/jpeg"),
        (b"\xff\xd8", "image/jpeg"),
    ],
)
def test_bytes_are_believed_and_not_the_declared_type(
    tmp_path: Path, data: bytes, media: str
) -> None:
    uploads = made(tmp_path)
    upload = begun(uploads, data, media)
    turn = uploads.turn(upload.id, "ann", 0, None)
    wrong = refusal(lambda: uploads.take(upload.id, "ann", turn, data))
    assert wrong == "attachment.media_wrong"
    # Refused at its first bytes, not after 200 MB; nothing of it stays.
    assert refusal(lambda: uploads.offset(upload.id, "ann")) == (
        "attachment.upload_unknown"
    )
    assert not list((tmp_path / "vault" / "uploads").iterdir())


def test_every_refusal_before_the_first_byte(tmp_path: Path) -> None:
    limits = ROOM._replace(open_each=2, open_all=3, permit=1, day_each=3)
    uploads = made(tmp_path, limits)

    def begin(by: str, size: int, media: str, permit: str = "pt-1") -> None:
        uploads.begin(by, "evidence", permit, size, media)

    assert refusal(lambda: begin("ann", 5, "text/html")) == "attachment.media"
    assert refusal(lambda: begin("ann", 1 << 40, "video/mp4")) == "attachment.size"
    assert refusal(lambda: begin("ann", 0, "image/png")) == "attachment.size"
    wrong = refusal(lambda: uploads.begin("ann", "photo", "ann", 5, "video/mp4"))
    assert wrong == "attachment.media"
    begin("ann", 5, "image/png")
    assert refusal(lambda: begin("ann", 5, "image/png")) == "attachment.permit_quota"
    begin("ann", 5, "image/png", "pt-2")
    many = refusal(lambda: begin("ann", 5, "image/png", "pt-3"))
    assert many == "attachment.many_open"
    begin("bob", 5, "image/png", "pt-4")
    assert refusal(lambda: begin("cat", 5, "image/png", "pt-5")) == "attachment.busy"
    # A restart forgets none of them.
    again = made(tmp_path, limits)
    assert again.open_count() == 3


def test_a_persons_day_is_bounded_and_ends(tmp_path: Path) -> None:
    clock = SimClock()
    uploads = made(tmp_path, ROOM._replace(day_each=2), clock)
    for number in range(2):
        brought(uploads, JPEG + bytes([number]))
    full = refusal(lambda: brought(uploads, JPEG + b"x"))
    assert full == "attachment.person_quota"
    clock.advance(86_401)
    brought(uploads, JPEG + b"x")


def test_the_journals_room_is_never_promised(tmp_path: Path) -> None:
    """The floor holds the reserve that the journal makes for itself, twice over."""
    options = Options()
    least = 2 * options.reserve_bytes + 8 * options.segment_bytes
    assert Limits().floor_bytes > least
    uploads = made(tmp_path, ROOM._replace(floor_bytes=1 << 60))
    assert refusal(lambda: begun(uploads)) == "attachment.disk_full"
    free = made(tmp_path / "b")
    upload = begun(free)
    turn = free.turn(upload.id, "ann", 0, None)
    free.limits = free.limits._replace(floor_bytes=1 << 60)
    full = refusal(lambda: free.take(upload.id, "ann", turn, JPEG))
    assert full == "attachment.disk_full"
    free.limits = ROOM
    assert free.take(upload.id, "ann", turn, JPEG) == len(JPEG)


def test_a_wrong_hash_loses_nothing(tmp_path: Path) -> None:
    uploads = made(tmp_path)
    upload = begun(uploads)
    sent(uploads, upload, JPEG)
    wrong = refusal(lambda: uploads.finish(upload.id, "ann", "0" * 64))
    assert wrong == "attachment.hash"
    right = hashlib.sha256(JPEG).hexdigest()
    assert uploads.finish(upload.id, "ann", right).done == right


def test_an_upload_is_its_persons_alone(tmp_path: Path) -> None:
    uploads = made(tmp_path)
    upload = begun(uploads)
    sha256 = hashlib.sha256(JPEG).hexdigest()
    for work in (
        lambda: uploads.offset(upload.id, "bob"),
        lambda: uploads.turn(upload.id, "bob", 0, None),
        lambda: uploads.finish(upload.id, "bob", sha256),
        lambda: uploads.drop(upload.id, "bob"),
        lambda: uploads.offset("../../keys", "ann"),
    ):
        assert refusal(work) == "attachment.upload_unknown"


def test_personal_blobs_go_to_the_persons_own_key(tmp_path: Path) -> None:
    """Their name is the vault's salted one, and erasing the person erases them."""
    uploads = made(tmp_path)
    upload = uploads.begin("kim", "photo", "ann", len(JPEG), "image/jpeg")
    sent(uploads, upload, JPEG)
    sha256 = hashlib.sha256(JPEG).hexdigest()
    name = uploads.finish(upload.id, "kim", sha256).done
    assert name != sha256
    vault = uploads.vault
    assert vault.get("ann", "photo", name) == JPEG
    vault.erase("ann")
    assert vault.verify("ann", "photo", name) is Standing.ERASED
    late = refusal(lambda: uploads.begin("kim", "photo", "ann", 9, "image/png"))
    assert late == "attachment.erased"


def test_erased_evidence_says_so_for_ever(tmp_path: Path) -> None:
    """Design §5 Personal data: deletion destroys the key; verify says 'erased'."""
    uploads = made(tmp_path)
    evidence = uploads.evidence
    picture, film = brought(uploads), brought(uploads, MP4)
    kept = {p: p.read_bytes() for p in evidence.vault.permit_folder("pt-1").iterdir()}
    blob = evidence.about("pt-1", film)
    evidence.erase("pt-1", film)
    evidence.erase("pt-1", film)
    assert evidence.verify("pt-1", film) is Standing.ERASED
    assert evidence.verify("pt-1", picture) is Standing.SOUND
    assert refusal(lambda: brought(uploads, MP4)) == "attachment.erased"
    # A copy of the content alone says nothing: its key is gone.
    content = kept[evidence.vault.permit_folder("pt-1") / f"{film}.blob"]
    assert b"film" not in content
    with pytest.raises(VaultError):
        b"".join(evidence.read("pt-1", blob))
    evidence.vault.erase_permit("pt-1")
    for path, stored in kept.items():
        if path.name != "key":
            path.write_bytes(stored)
    again = Evidence(Vault(tmp_path))
    assert again.verify("pt-1", picture) is Standing.ERASED
    assert again.verify("pt-1", film) is Standing.ERASED


def test_damage_is_told_apart_from_absence(tmp_path: Path) -> None:
    uploads = made(tmp_path)
    evidence = uploads.evidence
    name = brought(uploads)
    assert evidence.verify("pt-2", name) is Standing.MISSING
    assert evidence.verify("pt-1", "0" * 64) is Standing.MISSING
    assert evidence.verify("pt-1", "../key") is Standing.MISSING
    path = evidence.vault.permit_folder("pt-1") / f"{name}.blob"
    stored = bytearray(path.read_bytes())
    stored[-1] ^= 1
    path.write_bytes(stored)
    assert evidence.standing("pt-1", name) is Standing.SOUND
    assert evidence.verify("pt-1", name) is Standing.DAMAGED
    path.unlink()
    assert evidence.verify("pt-1", name) is Standing.MISSING


def test_a_stop_between_content_and_key_is_mended_by_the_next_try(
    tmp_path: Path,
) -> None:
    uploads = made(tmp_path)
    upload = begun(uploads)
    sent(uploads, upload, JPEG)
    sha256 = hashlib.sha256(JPEG).hexdigest()
    uploads.finish(upload.id, "ann", sha256)
    folder = uploads.vault.permit_folder("pt-1")
    (folder / f"{sha256}.key").unlink()
    assert uploads.evidence.verify("pt-1", sha256) is Standing.MISSING
    assert brought(made(tmp_path)) == sha256
    assert uploads.evidence.verify("pt-1", sha256) is Standing.SOUND


def test_time_ends_uploads_only_while_it_is_known(tmp_path: Path) -> None:
    clock = SimClock()
    clock.trusted = False
    uploads = made(tmp_path, clock=clock)
    upload = begun(uploads)
    clock.advance(EXPIRES_MS / 1000 + 60)
    assert uploads.expired() == []
    clock.trusted = True
    assert uploads.expired() == []
    clock.advance(EXPIRES_MS / 1000 + 60)
    assert [one.id for one in uploads.expired()] == [upload.id]
    assert clock.mono_ns() > 2 * EXPIRES_MS * NS // 1000


def test_what_a_stop_left_of_nothing_is_taken_away(tmp_path: Path) -> None:
    uploads = made(tmp_path)
    upload = begun(uploads)
    sent(uploads, upload, JPEG[:50])
    folder = tmp_path / "vault" / "uploads"
    (folder / f"{'0' * 32}.part").write_bytes(b"left")
    (folder / f"{'1' * 32}.upload").write_bytes(b"\xc1")
    again = made(tmp_path)
    assert again.offset(upload.id, "ann")[1] == 50
    left = sorted(p.name for p in folder.iterdir())
    assert left == [f"{upload.id}.part", f"{upload.id}.upload"]
