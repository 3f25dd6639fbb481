"""Destroy what the journal says is erased, and what no event ever named.

The core decides when a blob's time is over and writes it down; the key is
destroyed here, once that word is durable. Every pass starts from the state, so a
stop in between loses nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from core.people.events import PersonErased
from core.people.keys_events import FaceConsented, FaceWithdrawn
from core.people.vault import Vault
from core.permits.attachments_events import AttachmentErased
from frontend_api.evidence import Evidence
from frontend_api.problems import Problem
from frontend_api.quota import Upload
from frontend_api.replica import Kept, Replica
from frontend_api.uploads import Uploads

#: Between two passes where nothing calls for one.
_EVERY_S = 3600.0
#: An erasure that is not durable yet is looked at again.
_SOON_S = 5.0
#: After these something has to be destroyed.
_WORDS = (AttachmentErased, FaceConsented, FaceWithdrawn, PersonErased)
Run = Callable[..., Awaitable[Any]]


class DestructionView(msgspec.Struct, kw_only=True):
    """Show what the passes since the gateway's start did."""

    passes: int = 0
    last_ms: int = 0
    destroyed: int = 0
    """Keys destroyed because the time to be kept was over."""
    dropped: int = 0
    """Blobs and uploads that no event named in time."""
    waiting: int = 0
    """Erasures that the disk has not proven yet."""
    failed: int = 0
    """What could not be destroyed in the last pass; it is tried again."""
    reason: str = ""


class Destruction:
    """Make passes at the start, on each erasure and once an hour."""

    def __init__(
        self, replica: Replica, evidence: Evidence, uploads: Uploads, run: Run
    ) -> None:
        self._replica, self._run = replica, run
        self._evidence, self._uploads = evidence, uploads
        self._vault: Vault = evidence.vault
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.report = DestructionView()
        replica.on_event.append(self._heard)
        replica.on_reset.append(self._wanted.set)

    def begin(self) -> None:
        """Begin to make passes on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def end(self) -> None:
        """End with the application; tells what ended the passes before."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _heard(self, kept: Kept) -> None:
        if isinstance(kept.body, _WORDS):
            self._wanted.set()

    async def _work(self) -> None:
        while True:
            await self.once()
            wait = _SOON_S if self.report.waiting else _EVERY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wanted.wait()
            self._wanted.clear()

    async def once(self) -> None:
        """Make one pass."""
        report = self.report
        report.failed, report.reason, report.waiting = 0, "", 0
        for work, *words in self._due():
            if await self._try(work, *words):
                report.destroyed += 1
        if self._replica.reachable:
            await self._expire()
        report.passes += 1
        report.last_ms = self._replica.now_ms()

    def _due(self) -> list[tuple[Any, ...]]:
        """Return what the journal durably calls erased; count what still waits."""
        state = self._replica.state
        due: list[tuple[int, tuple[Any, ...]]] = [
            (item.erased_seq, (self._erase, permit.id, item.sha256))
            for permit in state.permits.permits.values()
            for item in permit.attachments.items.values()
            if item.erased_seq
        ]
        for person_id, gone in state.people.keys.faces_gone.items():
            due += [(seq, (self._face, person_id, each)) for each, seq in gone.items()]
        for person_id, seq in state.people.cards.erased_seq.items():
            due.append((seq, (self._person, person_id)))
        durable = self._replica.durable
        self.report.waiting += sum(seq > durable for seq, _ in due)
        # The same blob may be named twice.
        return list(dict.fromkeys(work for seq, work in due if seq <= durable))

    def _erase(self, permit_id: str, sha256: str) -> bool:
        if self._evidence.erased(permit_id, sha256):
            return False
        self._evidence.erase(permit_id, sha256)
        return True

    def _face(self, person_id: str, template: str) -> bool:
        if self._vault.template_erased(person_id, template):
            return False
        self._vault.erase_template(person_id, template)
        return True

    def _person(self, person_id: str) -> bool:
        if self._vault.erased(person_id):
            return False
        self._vault.erase(person_id)
        return True

    async def _expire(self) -> None:
        """Forget uploads after their time, and their blobs that nothing names."""
        try:
            old = await self._run(self._uploads.expired)
        except (Problem, OSError) as error:
            self._failed(error)
            return
        for upload in old:
            named = self._named(upload)
            if named is None:
                continue  # nobody can say now: it is asked again
            if not named and not await self._try(self._drop, upload):
                continue
            if await self._try(self._forget, upload):
                self.report.dropped += not (named and upload.done)

    def _named(self, upload: Upload) -> bool | None:
        """Say whether an event names an upload's blob, or it has none of its own.

        None: its permit or task is not known, now or any more.
        """
        name = upload.done or upload.keeping
        if upload.purpose != "evidence" or not name:
            return True
        state = self._replica.state
        permit = state.permits.permits.get(upload.owner_id)
        if permit is not None:
            return bool(permit.attachments.of(name))
        task = state.response.tasks.tasks.get(upload.owner_id)
        if task is not None:
            return name in {photo.sha256 for photo in task.photos}
        return None

    def _drop(self, upload: Upload) -> bool:
        self._uploads.let_go(upload)
        return True

    def _forget(self, upload: Upload) -> bool:
        self._uploads.forget(upload.id, upload.by)
        return True

    async def _try(self, work: Callable[..., bool], *args: Any) -> bool:
        try:
            return bool(await self._run(work, *args))
        except (Problem, OSError, ValueError) as error:
            self._failed(error)
            return False

    def _failed(self, error: Exception) -> None:
        self.report.failed += 1
        self.report.reason = str(error)
