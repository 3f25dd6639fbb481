"""No act that names a blob is carried to the core before the blob is in the vault.

The core cannot see the vault, and a blob is synced before the event that names it
(design §5). What is malformed passes: the act's own decoder refuses it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import web

from core.api.errors import Refused
from core.people import acts
from core.people.acts import ActT
from core.people.keys_acts import ConsentToFace
from core.permits.attachments_acts import RecordAttachment
from core.response.tasks_acts import PhotographTask
from frontend_api.accounts import Session
from frontend_api.acts import ProofBody, statement
from frontend_api.attachments import Attachments
from frontend_api.blobio import problem_of

_EVIDENCE: dict[str, type[acts.Act]] = {
    kind.verb_: kind for kind in (RecordAttachment, PhotographTask)
}
_PERSONAL: dict[str, type[acts.Act]] = {
    kind.verb_: kind
    for kind in (
        *(acts.RecordPerson, acts.RecordCard, acts.VerifyCard, acts.DoubtCard),
        *(acts.RecordTraining, ConsentToFace),
    )
}
#: Fields of those that name a blob.
_NAMING = ("fields", "photo", "document", "evidence", "template")


class Vouching:
    """Look whether what an act names is here, and keep it from being swept."""

    def __init__(self, attachments: Attachments) -> None:
        self._keeper = attachments

    async def check(self, verb: str, request: web.Request, session: Session) -> None:
        """Refuse an act for a blob that is not here; raises Problem."""
        if verb in _EVIDENCE:
            evidence = await told(request, _EVIDENCE[verb])
            if evidence is not None:
                await self._evidence(evidence, session.person_id)
        elif verb in _PERSONAL:
            personal = await told(request, _PERSONAL[verb])
            if personal is not None:
                await self._personal(personal, session.person_id)

    async def _evidence(self, act: Any, person_id: str) -> None:
        """Refuse what another brought, or what is not what is said of it."""
        owner = act.permit_id if isinstance(act, RecordAttachment) else act.task_id
        blob = await self._keeper.run(self._keeper.evidence.wanted, owner, act.sha256)
        if person_id not in blob.by:
            raise problem_of(Refused("attachment.not_yours", permit=owner))
        if (act.size, act.media) != (blob.size, blob.media):
            raise problem_of(
                Refused("attachment.differs", size=blob.size, media=blob.media)
            )

    async def _personal(self, act: acts.Act, person_id: str) -> None:
        owner = self._owner(act, person_id)
        for name in _names(act):
            here = await self._keeper.run(self._keeper.vault.wanted, owner, name)
            # What doubts a card protects: it waits for no blob.
            if not here and not isinstance(act, acts.DoubtCard):
                raise problem_of(Refused("attachment.missing"))

    def _owner(self, act: acts.Act, person_id: str) -> str:
        if isinstance(act, acts.VerifyCard | acts.DoubtCard):
            card = self._keeper.replica.state.people.cards.cards.get(act.card_id)
            return card.person_id if card else ""
        return str(getattr(act, "person_id", person_id))


def _names(act: acts.Act) -> Iterator[str]:
    for field in _NAMING:
        name = getattr(act, field, "")
        if name:
            yield name


async def told(request: web.Request, kind: type[ActT]) -> ActT | None:
    """Return the act that a request asks for, signed or not; None: malformed."""
    try:
        said = msgspec.json.decode(await request.read(), type=dict[str, object])
        if said.get("proof") is not None:
            # The act is then what was signed, and nothing beside it.
            proof = msgspec.convert(said["proof"], ProofBody).proof()
            said = msgspec.json.decode(statement(proof).body, type=dict[str, object])
        own = {name: said[name] for name in kind.__struct_fields__ if name in said}
        return msgspec.convert(own, kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
