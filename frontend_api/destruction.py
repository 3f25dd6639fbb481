"""Destroy what the journal says is erased, and what no event ever named.

The core decides when a blob's time is over and writes it down; the key is
destroyed here, once that word is durable. Every pass starts from the state, so a
stop in between loses nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import msgspec

from core.people.events import PersonErased
from core.people.keys_events import FaceConsented, FaceWithdrawn
from core.people.vault import Vault
from core.permits.attachments_events import AllErased, AttachmentErased
from frontend_api.evidence import Evidence
from frontend_api.problems import Problem
from frontend_api.quota import Upload
from frontend_api.replica import Kept, Replica
from frontend_api.sweep import Looked, Sweep, named_by
from frontend_api.uploads import Uploads

#: Between two passes where nothing calls for one.
_EVERY_S = 3600.0
#: An erasure that is not durable yet is looked at again.
_SOON_S = 5.0
#: After these something has to be destroyed.
_WORDS = (AllErased, AttachmentErased, FaceConsented, FaceWithdrawn, PersonErased)
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
    folders: int = 0
    """Folders of the vault that the last sweep has to look at."""
    looked: int = 0
    """How many of these it has looked at."""
    unnamed: int = 0
    """Blobs that no event names, found by it; they go after three days."""
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
        self._sweep = Sweep(evidence.vault, replica.clock)
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.forget: Callable[[str, Iterable[str]], bool] | None = None
        """Take away what else the gateway holds of a person, beside the others'."""
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
            if self._replica.state.seq:  # before the first snapshot nobody knows
                await self._swept()
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
        for task_id in state.response.tasks.tasks:
            for photo in state.response.tasks.tasks[task_id].photos:
                if photo.erased_seq:
                    work = (self._erase, task_id, photo.sha256)
                    due.append((photo.erased_seq, work))
        due += [(seq, (self._all, owner)) for owner, seq in self._gone()]
        durable = self._replica.durable
        self.report.waiting += sum(seq > durable for seq, _ in due)
        # The same blob may be named twice.
        return list(dict.fromkeys(work for seq, work in due if seq <= durable))

    def _gone(self) -> Iterator[tuple[str, int]]:
        """Yield the permits and tasks whose own key is to go, and by which event."""
        state = self._replica.state
        tasks = state.response.tasks
        for permit in state.permits.permits.values():
            if permit.attachments.gone_seq:
                yield permit.id, permit.attachments.gone_seq
        for task_id in (*tasks.tasks, *tasks.filed):
            held = tasks.pictured(task_id)
            if held is None:
                continue
            if held.gone_seq:
                yield task_id, held.gone_seq

    def _all(self, owner_id: str) -> bool:
        if self._vault.permit_erased(owner_id):
            return False
        self._vault.erase_permit(owner_id)
        return True

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
        replica = self._replica
        known = {*replica.state.people.roles, *(p.id for p in replica.bundle.people)}
        left = self.forget is not None and self.forget(person_id, known - {person_id})
        if self._vault.erased(person_id):
            return left
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

        None: the journal's word is not here yet.
        """
        name = upload.done or upload.keeping
        if upload.purpose != "evidence" or not name:
            return True
        state = self._replica.state
        permit = state.permits.permits.get(upload.owner_id)
        if permit is not None:
            return bool(permit.attachments.of(name))
        task = state.response.tasks.pictured(upload.owner_id)
        if task is not None:
            return name in {photo.sha256 for photo in task.photos}
        return False if state.seq else None

    async def _swept(self) -> None:
        """Look through the vault, folder by folder, for what nothing names."""
        report = self.report
        try:
            uploads = await self._run(self._uploads.named)
            folders = await self._run(self._sweep.folders)
        except (Problem, OSError) as error:
            self._failed(error)
            return
        named = named_by(self._replica.state, self._vault, uploads)
        report.folders, report.looked, report.unnamed = len(folders), 0, 0
        for folder in folders:
            try:
                names = named.get(folder, frozenset())
                found: Looked = await self._run(self._sweep.look, folder, names)
            except (Problem, OSError) as error:
                self._failed(error)
            else:
                report.unnamed += found.waiting
                report.dropped += found.dropped
            report.looked += 1

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
