"""Attachments over HTTP: uploads that resume, reads by role and by range.

The bytes never reach the core and never stand whole in memory: a bounded number
of requests hands blocks to two threads, which seal and hash them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web

from core.api.errors import Refused
from core.people.acts import Blob as Hash
from core.people.vault import Vault, VaultError
from core.permits.attachments_acts import ReadPersonal, RecordAttachment
from core.permits.attachments_state import people_of
from core.permits.state import PermitRecord
from frontend_api.accounts import Session
from frontend_api.acts import Acts
from frontend_api.blobio import (
    IDLE_S,
    LENGTH,
    OFFSET,
    Streams,
    answer_of,
    blocks,
    close,
    gather,
    offset_of,
    problem_of,
    span_of,
)
from frontend_api.destruction import Destruction, DestructionView
from frontend_api.evidence import Evidence
from frontend_api.guard import Call, Route, body
from frontend_api.loops import may_photograph
from frontend_api.media import sniff
from frontend_api.problems import Problem
from frontend_api.quota import PERSONAL, Limits, Purpose, Upload
from frontend_api.replica import Replica
from frontend_api.uploads import EXPIRES_MS, Uploads, refused

_LEADS = frozenset({"supervisor", "issuer", "safety_officer", "owner"})
_READERS = _LEADS | {"auditor"}
_KEEPERS = frozenset({"safety_officer", "maintainer", "owner"})
Line = Annotated[str, msgspec.Meta(max_length=80)]
Done = TypeVar("Done")


class BeginBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Ask to upload: for a permit or a task (evidence), or for a person's file."""

    purpose: Purpose
    size: Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
    media: Line
    permit_id: Line = ""
    person_id: Line = ""


class UploadView(msgspec.Struct, kw_only=True):
    """Show how far an upload has come; go on with PATCH at ``offset``."""

    id: str
    purpose: Purpose
    owner_id: str
    size: int
    media: str
    offset: int
    until_ms: int
    """When it is forgotten; 0: the hub's clock is not to be trusted now."""
    done: str = ""
    """The blob's name, once it is whole and on disk."""


class FinishBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """End an upload by the SHA-256 of the whole content."""

    sha256: Hash


class AttachmentView(msgspec.Struct, kw_only=True):
    """Show one attachment of a permit."""

    slot: str
    sha256: str
    size: int
    media: str
    person_id: str
    taken_ms: int
    from_ms: int
    to_ms: int
    late: bool
    standing: str
    """sound, erased, missing, damaged."""


class AttachmentList(msgspec.Struct, kw_only=True):
    """List a permit's attachments, in the order in which they came."""

    items: list[AttachmentView]
    keep: bool


class Attachments:
    """Answer everything about attachments; own the threads that do the work."""

    def __init__(
        self, replica: Replica, acts: Acts, data: Path, limits: Limits | None = None
    ) -> None:
        self.replica, self.acts = replica, acts
        self.vault = Vault(data)
        self.evidence = Evidence(self.vault)
        self.uploads = Uploads(self.evidence, replica.clock, limits or Limits())
        self._pool = ThreadPoolExecutor(2, "blobs")
        self._streams = Streams()
        self.destruction = Destruction(replica, self.evidence, self.uploads, self.run)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base, one = "/api/v1/attachments", "/api/v1/uploads/{id}"
        return [
            Route("POST", base, self.begin, "Begin an upload",
                  reply=UploadView, body=BeginBody, status=201),
            Route("HEAD", one, self.head, "Tell the offset of an upload in headers"),
            Route("GET", one, self.show, "Tell how far an upload has come",
                  reply=UploadView),
            Route("PATCH", one, self.append, "Append bytes at Upload-Offset",
                  status=204),
            Route("DELETE", one, self.drop, "Give an upload up", status=204),
            Route("POST", f"{one}/finish", self.finish, "End an upload by its hash",
                  reply=UploadView, body=FinishBody),
            Route("GET", f"{base}/{{id}}", self.read, "A blob's content, by range",
                  query=("permit", "person", "kind")),
            Route("GET", "/api/v1/permits/{id}/attachments", self.list_permit,
                  "A permit's attachments", reply=AttachmentList),
            Route("GET", "/api/v1/destruction", self.destroyed,
                  "What was destroyed after its time", reply=DestructionView),
        ]  # fmt: skip

    async def life(self, _: web.Application) -> AsyncIterator[None]:
        """Run what destroys; end the threads with the application."""
        self.destruction.begin()
        yield
        await self.destruction.end()
        self._pool.shutdown(cancel_futures=True)

    async def run(self, work: Callable[..., Done], *args: Any) -> Done:
        """Do blocking work in a thread; raises Problem for a refusal."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, partial(work, *args))
        except Refused as no:
            raise problem_of(no) from None
        except VaultError as error:
            raise problem_of(refused(error)) from None

    # --- who may --------------------------------------------------------------

    def _permit(self, permit_id: str) -> PermitRecord:
        permit = self.replica.state.permits.permits.get(permit_id)
        if permit is None:
            raise Problem("permit.unknown", permit=permit_id)
        return permit

    def _on_permit(
        self, session: Session, permit_id: str, roles: frozenset[str]
    ) -> None:
        task = self.replica.state.response.tasks.pictured(permit_id)
        if task is not None:
            held = self.replica.roles(session.person_id)
            if may_photograph(task, session.person_id, held):
                return
            raise problem_of(Refused("attachment.not_yours", permit=permit_id))
        named = session.person_id in people_of(self._permit(permit_id))
        if not named and not self.replica.roles(session.person_id) & roles:
            raise problem_of(Refused("attachment.not_yours", permit=permit_id))

    def _on_person(
        self, session: Session, person_id: str, roles: frozenset[str]
    ) -> None:
        mine = session.person_id == person_id
        if not mine and not self.replica.roles(session.person_id) & roles:
            raise Problem("gateway.not_allowed")

    # --- uploads --------------------------------------------------------------

    async def begin(self, call: Call) -> UploadView:
        """Begin an upload for a permit, or for a person's file."""
        asked: BeginBody = await body(call.request, BeginBody)
        me = _writer(call)
        if asked.purpose == "evidence":
            self._on_permit(call.session, asked.permit_id, _LEADS)
            owner = asked.permit_id
        else:
            owner = asked.person_id or me
            self._on_person(call.session, owner, _KEEPERS)
        upload = await self.run(
            self.uploads.begin, me, asked.purpose, owner, asked.size, asked.media
        )
        return _view(upload, 0)

    async def show(self, call: Call) -> UploadView:
        """Tell how far an upload has come."""
        return _view(*await self._offset(call))

    async def head(self, call: Call) -> web.Response:
        """Tell the offset in headers, as tus does."""
        upload, offset = await self._offset(call)
        headers = {OFFSET: str(offset), LENGTH: str(upload.size)}
        return web.Response(headers=headers | {"Cache-Control": "no-store"})

    async def _offset(self, call: Call) -> tuple[Upload, int]:
        return await self.run(
            self.uploads.offset, _id(call.request), call.session.person_id
        )

    async def append(self, call: Call) -> web.Response:
        """Append the request's bytes; a cut keeps what had come."""
        request, me = call.request, _writer(call)
        at = offset_of(request)
        upload_id = _id(request)
        with self._streams.of(me):
            turn = await self.run(
                self.uploads.turn, upload_id, me, at, request.content_length
            )
            take = partial(self.run, self.uploads.take, upload_id, me, turn)
            try:
                async for block in blocks(request):
                    await take(block)
            except BaseException:
                # Also after a cut: what came is on disk before anybody asks.
                with contextlib.suppress(Problem):
                    await self.run(self.uploads.flush, upload_id, me, turn)
                raise
            at = await self.run(self.uploads.flush, upload_id, me, turn)
        return web.Response(status=204, headers={OFFSET: str(at)})

    async def finish(self, call: Call) -> UploadView:
        """End an upload; the blob is on disk before this answers."""
        asked: FinishBody = await body(call.request, FinishBody)
        upload = await self.run(
            self.uploads.finish, _id(call.request), _writer(call), asked.sha256
        )
        return _view(upload, upload.size)

    async def drop(self, call: Call) -> None:
        """Give an upload up."""
        await self.run(self.uploads.drop, _id(call.request), _writer(call))

    # --- reads ----------------------------------------------------------------

    async def read(self, call: Call) -> web.StreamResponse:
        """Hand over a blob of a permit or of a person's file."""
        query = call.request.query
        if query.get("person"):
            return await self._personal(call, query["person"], query.get("kind", ""))
        permit_id = query.get("permit", "")
        self._on_permit(call.session, permit_id, _READERS)
        name = _id(call.request)
        blob = await self.run(self.evidence.about, permit_id, name)
        start, stop = span_of(call.request, blob.size)
        pieces = self.evidence.read(permit_id, blob, start, stop)
        response = answer_of(name, blob.media, start, stop, blob.size)
        with self._streams.of(call.session.person_id):
            return await self._send(call.request, response, pieces)

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        pieces: Iterator[bytes],
    ) -> web.StreamResponse:
        try:
            # The first piece shows damage before any header is out.
            block = await self.run(gather, pieces)
            await response.prepare(request)
            while block:
                async with asyncio.timeout(IDLE_S):
                    await response.write(block)
                block = await self.run(gather, pieces)
        except (ConnectionError, TimeoutError, Problem):
            if not response.prepared:
                raise
            # Short of what was promised: the reader sees it at once.
            if request.transport is not None:
                request.transport.abort()
        finally:
            await self.run(close, pieces)
        return response

    async def _personal(
        self, call: Call, person_id: str, kind: str
    ) -> web.StreamResponse:
        """Hand over a blob of a person's file, once the journal says to whom."""
        name = _id(call.request)
        if kind not in PERSONAL:
            raise Problem("gateway.bad_request", reason="kind is photo or document")
        self._on_person(call.session, person_id, _READERS - {"issuer"})
        if not call.session.may_act(ReadPersonal.verb_):
            raise Problem("gateway.not_allowed")  # a screen's token reads no faces
        content = await self.run(self.vault.get, person_id, kind, name)
        read = ReadPersonal(person_id=person_id, kind=kind, name=name)
        await self.acts.ask(call.session.person_id, ReadPersonal.verb_, read)
        media = sniff(content[:64]) or "application/octet-stream"
        start, stop = span_of(call.request, len(content))
        response = answer_of(name, media, start, stop, len(content))
        with self._streams.of(call.session.person_id):
            return await self._send(call.request, response, iter([content[start:stop]]))

    async def list_permit(self, call: Call) -> AttachmentList:
        """List a permit's attachments, with what the vault still has."""
        permit = self._permit(_id(call.request))
        self._on_permit(call.session, permit.id, _READERS)
        items = list(permit.attachments.items.values())
        names = [item.sha256 for item in items]
        found = await self.run(
            lambda: [self.evidence.standing(permit.id, name).value for name in names]
        )
        shown = [
            AttachmentView(
                **{
                    field: getattr(item, field)
                    for field in AttachmentView.__struct_fields__
                    if field != "standing"
                },
                standing=standing,
            )
            for item, standing in zip(items, found, strict=True)
        ]
        return AttachmentList(items=shown, keep=permit.attachments.keep)

    async def destroyed(self, call: Call) -> DestructionView:
        """Tell the owner what was destroyed, and what failed to be."""
        if not self.replica.roles(call.session.person_id) & (_KEEPERS | {"auditor"}):
            raise Problem("gateway.not_allowed")
        return self.destruction.report


def _id(request: web.Request) -> str:
    return request.match_info["id"]


def _writer(call: Call) -> str:
    """Return who writes; a token needs the scope of the act that will follow."""
    if not call.session.may_act(RecordAttachment.verb_):
        raise Problem("gateway.not_allowed")
    return call.session.person_id


def _view(upload: Upload, offset: int) -> UploadView:
    return UploadView(
        id=upload.id,
        purpose=upload.purpose,
        owner_id=upload.owner_id,
        size=upload.size,
        media=upload.media,
        offset=offset,
        until_ms=upload.made_ms + EXPIRES_MS if upload.made_ms else 0,
        done=upload.done,
    )
