"""Faces: consent first, and a verifier that somebody else supplies.

A template lies in the vault outside the chain, under its salted hash and a key of
its own; the word that ends the consent, once it is durable, destroys that key.
Without consent or without a verifier the answer is a refusal, never a guess.
"""

from collections.abc import Sequence
from typing import Protocol

from core.api.errors import Refused
from core.hub import Hub
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.keys_acts import ConsentToFace, WithdrawFace
from core.people.keys_events import FaceConsented, FaceWithdrawn


class FaceVerifier(Protocol):
    """Compare what a camera saw with a template; its answer is never awaited."""

    def verify(
        self, person_id: str, template: str, attachments: Sequence[str]
    ) -> Truth:
        """Say whether the attached pictures (hashes) show the person."""


class Faces:
    """Keep consents; ask the verifier where there is one."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub = hub
        self.verifier: FaceVerifier | None = None
        access.bind(ConsentToFace, self._consent)
        access.bind(WithdrawFace, self._withdraw)
        access.signing.faces = self.judge
        hub.undo(FaceConsented, self._take_back)

    def judge(self, person_id: str, attachments: Sequence[str]) -> None:
        """Refuse unless the verifier knows this person by the pictures."""
        if self.verifier is None:
            raise Refused("face.unavailable")
        template = self._hub.state.people.keys.faces.get(person_id)
        if template is None:
            raise Refused("face.no_consent", person=person_id)
        seen = self.verifier.verify(person_id, template, attachments)
        if seen is not Truth.TRUE:
            raise Refused("face.not_known", person=person_id)

    def _consent(
        self, actor: str, act: ConsentToFace, _version: int | None, cause: Cause
    ) -> Answer:
        gone = self._hub.state.people.keys.faces_gone.get(actor, {})
        if act.template in gone:
            raise Refused("face.template_gone", person=actor)
        self._hub.emit(FaceConsented(person_id=actor, template=act.template), cause)
        return {"person_id": actor}

    def _withdraw(
        self, actor: str, _act: WithdrawFace, _version: int | None, cause: Cause
    ) -> Answer:
        template = self._hub.state.people.keys.faces.get(actor)
        if template is None:
            raise Refused("face.no_consent", person=actor)
        self._hub.emit(FaceWithdrawn(person_id=actor, template=template), cause)
        return {"person_id": actor}

    def _take_back(self, body: FaceConsented) -> None:
        self._hub.emit(FaceWithdrawn(person_id=body.person_id, template=body.template))
