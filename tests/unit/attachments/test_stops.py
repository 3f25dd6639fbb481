"""A stop or a failing disk between any two writes: nothing lost, nothing left over.

Each test is named after its situation (issue: evidence; design §5 Personal data).
"""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.clock import SimClock
from core.deadlines import Deadline
from core.people import vault as vaults
from core.people.vault import Owner, Standing, Vault, VaultError
from core.permits.attachments_state import AttachmentRecord, key_of
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from core.registry.files import write_whole
from frontend_api import evidence as evidences
from frontend_api.destruction import Destruction
from frontend_api.evidence import Evidence
from frontend_api.quota import Upload
from frontend_api.replica import Replica
from frontend_api.sealed import CHUNK, Growing, Sealed
from frontend_api.uploads import EXPIRES_MS, Uploads
from tests.unit.attachments.test_uploads import (
    JPEG,
    begun,
    brought,
    made,
    refusal,
    sent,
)

NAME = hashlib.sha256(JPEG).hexdigest()


class Stop(Exception):
    """The power goes at this write."""


def stops(*_: Any, **__: Any) -> None:
    raise Stop


def fails(*_: Any, **__: Any) -> None:
    raise OSError(errno.EIO, "Input/output error")


class Pass:
    """The pass that destroys, over a real vault and a replica of some permits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SimClock()
        self.uploads: Uploads = made(folder, clock=self.clock)
        self.replica = Replica(self.clock)
        self.replica.reachable = True
        self.replica.durable = 1000
        self.again()

    def again(self) -> None:
        """Be started anew, as after a stop."""
        self.uploads = made(self.folder, clock=self.clock)

        async def run(work: Callable[..., Any], *args: Any) -> Any:
            return work(*args)

        self.made = Destruction(self.replica, self.evidence, self.uploads, run)

    @property
    def evidence(self) -> Evidence:
        return self.uploads.evidence

    @property
    def vault(self) -> Vault:
        return self.uploads.vault

    def permit(self, *names: str, erased: bool = False) -> PermitRecord:
        """Let the journal know of a permit, and of its attachments."""
        permit = PermitRecord(
            id="pt-1",
            kind="hot",
            zone_id="z",
            title="",
            issuer_id="",
            supervisor_id="",
            guardian_id="",
            workers=[],
            linked=[],
            valid=Deadline.after(self.clock, 60),
            status=PermitStatus.ACTIVE,
            issued_wall_ns=0,
        )
        for name in names:
            permit.attachments.items[key_of("evidence", name)] = AttachmentRecord(
                slot="evidence",
                sha256=name,
                size=1,
                media="image/jpeg",
                person_id="ann",
                taken_ms=1,
                recorded_wall_ns=1,
                erased_seq=5 if erased else 0,
            )
        self.replica.state.permits.permits["pt-1"] = permit
        return permit

    def files(self, of: str = "pt-1") -> set[str]:
        """Return what lies in a permit's folder beside its own key."""
        folder = self.vault.permit_folder(of)
        return (
            {p.name for p in folder.iterdir()} - {"key"} if folder.exists() else set()
        )

    async def days(self, days: float) -> None:
        self.clock.advance(days * 86_400)
        await self.made.once()


@pytest.fixture
def work(tmp_path: Path) -> Pass:
    return Pass(tmp_path)


# --- erasing ------------------------------------------------------------------


async def test_an_erasure_that_the_disk_failed_is_tried_until_the_key_is_gone(
    work: Pass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark beside a key is not an erasure: it says so and destroys nothing."""
    name = brought(work.uploads)
    face = work.vault.put("ann", "template", b"vector")
    work.vault.put("bob", "photo", b"picture")
    work.permit(name, erased=True)
    work.replica.state.people.keys.faces_gone["ann"] = {face: 6}
    work.replica.state.people.cards.erased_seq["bob"] = 7
    with monkeypatch.context() as bad:
        bad.setattr(evidences, "destroy", fails)
        bad.setattr(vaults, "destroy", fails)
        await work.made.once()
        assert (work.made.report.failed, work.made.report.destroyed) == (3, 0)
    work.again()
    await work.made.once()
    assert (work.made.report.failed, work.made.report.destroyed) == (0, 3)
    assert work.files() == {f"{name}.erased"}
    assert [p.name for p in work.vault.person_folder("bob").iterdir()] == ["erased"]
    assert {p.name for p in work.vault.person_folder("ann").iterdir()} == {
        "key",
        f"{face}.erased",
    }
    assert work.vault.erased("bob")
    await work.made.once()
    assert work.made.report.destroyed == 3, "what is gone is not done again"


async def test_a_person_erased_after_their_face_is_not_done_over_and_over(
    work: Pass,
) -> None:
    face = work.vault.put("ann", "template", b"vector")
    work.replica.state.people.keys.faces_gone["ann"] = {face: 6}
    await work.made.once()
    work.replica.state.people.cards.erased_seq["ann"] = 7
    await work.made.once()
    assert work.made.report.destroyed == 2
    await work.made.once()
    assert work.made.report.destroyed == 2
    assert work.vault.erased("ann")


def test_a_key_half_written_before_a_stop_does_not_outlive_the_erasure(
    work: Pass, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(work.uploads)
    sent(work.uploads, upload, JPEG)
    with monkeypatch.context() as cut:
        cut.setattr("core.registry.files.os.replace", stops)
        cut.setattr("core.registry.files.Path.unlink", lambda *_, **__: None)
        evidence = work.evidence
        plain = b"the blob's own key"
        wrapped = evidence.vault.wrap(Owner("permit", "pt-1"), NAME, plain)
        folder = evidence.vault.permit_folder("pt-1")
        with pytest.raises(Stop):
            write_whole(folder / f"{NAME}.key", wrapped)
    work.again()
    work.uploads.finish(upload.id, "ann", NAME)
    assert any(name.endswith(".part") for name in work.files())
    work.evidence.erase("pt-1", NAME)
    assert work.files() == {f"{NAME}.erased"}


def test_a_person_erased_while_a_photo_comes_gets_no_new_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads: the key is looked for, the person is erased, the key is made."""
    vault = Vault(tmp_path)
    wrote = write_whole

    def erased_first(path: Path, data: bytes, *, once: bool = False) -> None:
        if path.name == "key":
            monkeypatch.setattr(vaults, "write_whole", wrote)
            Vault(tmp_path).erase("ann")
        wrote(path, data, once=once)

    monkeypatch.setattr(vaults, "write_whole", erased_first)
    with pytest.raises(VaultError) as caught:
        vault.put("ann", "photo", JPEG)
    assert caught.value.standing is Standing.ERASED
    assert vault.erased("ann")


# --- between blob and event ---------------------------------------------------


async def test_a_stop_between_the_vault_and_the_upload_leaves_no_orphan(
    work: Pass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blob is in the vault, its upload does not know, the phone never comes."""
    work.permit()
    upload = begun(work.uploads)
    sent(work.uploads, upload, JPEG)
    with monkeypatch.context() as cut:
        put = work.uploads._put

        def until_done(told: Upload) -> None:
            if told.done:
                raise Stop
            put(told)

        cut.setattr(work.uploads, "_put", until_done)
        with pytest.raises(Stop):
            work.uploads.finish(upload.id, "ann", NAME)
    work.again()
    assert work.evidence.standing("pt-1", NAME) is Standing.SOUND
    assert refusal(lambda: work.uploads.drop(upload.id, "ann")) == "attachment.done"
    await work.days(1)
    assert work.evidence.standing("pt-1", NAME) is Standing.SOUND
    await work.days(3)
    assert work.files() == set()
    assert work.made.report.dropped == 1


async def test_who_gives_up_what_is_in_the_vault_hides_no_orphan_and_no_quota(
    work: Pass,
) -> None:
    work.permit()
    upload = begun(work.uploads)
    sent(work.uploads, upload, JPEG)
    work.uploads.finish(upload.id, "ann", NAME)
    assert refusal(lambda: work.uploads.drop(upload.id, "ann")) == "attachment.done"
    limits = work.uploads.limits
    work.uploads.limits = limits._replace(day_bytes_each=len(JPEG) + 10)
    assert refusal(lambda: begun(work.uploads)) == "attachment.person_quota"
    await work.days(4)
    assert work.files() == set()


async def test_what_a_colleague_brought_too_is_not_taken_from_them(
    work: Pass,
) -> None:
    work.permit()
    brought(work.uploads, by="ann")
    work.clock.advance(2 * 86_400)
    brought(work.uploads, by="bob")
    await work.days(1.5)
    assert work.evidence.verify("pt-1", NAME) is Standing.SOUND
    await work.days(2)
    assert work.files() == set()


async def test_nothing_is_forgotten_before_the_gateway_knows_the_permits(
    work: Pass,
) -> None:
    """After a start the link may be up before the first snapshot is here."""
    brought(work.uploads)
    await work.days(4)
    assert work.evidence.verify("pt-1", NAME) is Standing.SOUND
    work.permit()
    await work.made.once()
    assert work.files() == set()


async def test_what_an_event_names_stays_when_its_upload_is_forgotten(
    work: Pass,
) -> None:
    brought(work.uploads)
    work.permit(NAME)
    await work.days(EXPIRES_MS / 86_400_000 + 1)
    assert work.uploads.open_count() == 0
    assert not work.uploads.expired()
    assert work.evidence.verify("pt-1", NAME) is Standing.SOUND


# --- content ------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["changed", "cut", "swapped"])
def test_a_damaged_blob_is_mended_by_bringing_it_again(work: Pass, harm: str) -> None:
    brought(work.uploads)
    path = work.vault.permit_folder("pt-1") / f"{NAME}.blob"
    stored = path.read_bytes()
    path.unlink()
    path.write_bytes(
        {
            "changed": stored[:-1] + bytes([stored[-1] ^ 1]),
            "cut": stored[:-30],
            "swapped": stored[::-1],
        }[harm]
    )
    assert work.evidence.verify("pt-1", NAME) is Standing.DAMAGED
    assert brought(work.uploads, by="bob") == NAME
    assert work.evidence.verify("pt-1", NAME) is Standing.SOUND
    assert work.evidence.about("pt-1", NAME).by == ("ann", "bob")


def test_what_was_put_away_survives_a_disk_that_fills_in_mid_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk grows in its place; half of its longer form must not spoil it."""
    file = Sealed(tmp_path / "a", bytes(32), b"u")
    growing = Growing(file)
    growing.write(b"a" * 100)
    growing.flush()
    wrote = os.pwrite
    calls = iter([True, False])

    def half(fd: int, data: bytes, at: int) -> int:
        if next(calls):
            return wrote(fd, data[: len(data) // 2], at)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("frontend_api.sealed.os.pwrite", half)
        with pytest.raises(OSError, match="No space"):
            growing.write(b"b" * CHUNK)
    growing.flush()
    again = Growing.resume(file)
    assert again.size == growing.size == 100
    assert again.digest() == growing.digest()
    assert again.digest() == hashlib.sha256(b"a" * 100).hexdigest()
