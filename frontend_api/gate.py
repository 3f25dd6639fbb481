"""The gate's terminal: whose card was read, and on which permits that person is named.

It tells a name for a card, so only what stands at a gate may ask: a page beside an
enrolled terminal's key, of somebody who answers for the place. What the person then
does is signed by that key and proved by the core.
"""

from typing import Annotated

import msgspec

from core.journal import proofs
from core.people.state import PeopleState
from frontend_api.guard import Call, Route, body, source_of
from frontend_api.limits import Tries
from frontend_api.problems import Problem
from frontend_api.replica import Replica
from frontend_api.views import View

_ANSWERS = frozenset(
    {"owner", "safety_officer", "issuer", "supervisor", "guardian", "marshal"}
    | {"maintainer"}
)


class CardBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say what a terminal's reader read."""

    card: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    terminal: Annotated[str, msgspec.Meta(max_length=64)]
    """Id of the terminal's key."""


class CardView(View):
    """Tell whose card it is; the page forgets it when the person goes."""

    person_id: str
    name: str
    roles: list[str]
    permits: list[str]
    """Ids of the permits that name this person and are not over."""


class Gate:
    """Answer a gate's terminal."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._tries = Tries(replica.clock)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("POST", "/api/v1/gate/card", self.read,
                  "Whose card a gate's terminal has read", reply=CardView,
                  body=CardBody),
        ]  # fmt: skip

    async def read(self, call: Call) -> CardView:
        """Return the card's person; unknown ones are counted, and soon must wait."""
        asked: CardBody = await body(call.request, CardBody)
        self._require(call, asked.terminal)
        source = f"gate:{source_of(call.request)}:{asked.terminal}"
        wait = self._tries.wait_s(source)
        if wait:
            raise Problem("gateway.too_often", seconds=wait)
        found = self._person(asked.card.strip())
        if found is None:
            self._tries.failed(source)
            raise Problem("gate.card_unknown", status=404)
        self._tries.passed(source)
        return self._shown(*found)

    def _require(self, call: Call, terminal: str) -> None:
        key = self._people.keys.keys.get(terminal)
        stands = key is not None and key.active() and key.device == proofs.TERMINAL
        roles = self._replica.roles(call.session.person_id)
        if not stands or not (call.session.is_terminal() or roles & _ANSWERS):
            raise Problem("gateway.not_allowed")

    @property
    def _people(self) -> PeopleState:
        return self._replica.state.people

    def _person(self, card: str) -> tuple[str, str] | None:
        """Return (id, name) of whom a card belongs to: its tags count as well."""
        for person in self._replica.bundle.people:
            kept = self._people.cards.of(person.id)
            cards = {each.id for each in kept if not each.withdrawn}
            if card and card in cards | set(person.tags):
                return person.id, person.name
        return None

    def _shown(self, person_id: str, name: str) -> CardView:
        permits = self._replica.state.permits.permits.values()
        return CardView(
            person_id=person_id,
            name=name,
            roles=sorted(self._replica.roles(person_id)),
            permits=[
                permit.id
                for permit in permits
                if not permit.ended and person_id in permit.people()
            ],
        )
