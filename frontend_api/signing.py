"""Signatures at the gateway: people's keys to see, PINs, and who may bring what.

The gateway proves no signature: the core does. It checks a signer's PIN, whose
witness signs with their own device, and that nobody brings what another signed.
"""

import asyncio
import re
from typing import Annotated

import msgspec
from aiohttp import web

from core.people.keys_state import KeyRecord
from core.people.signing import Statement
from frontend_api import accounts as store
from frontend_api.accounts import Accounts, Session
from frontend_api.acts import Asked, statement
from frontend_api.guard import Call, Route, body, source_of
from frontend_api.limits import Tries
from frontend_api.problems import Problem
from frontend_api.replica import Replica

_PIN = re.compile(r"[0-9]{6,12}")
MS = 1_000_000


class PinBody(msgspec.Struct, kw_only=True):
    """Set one's own PIN."""

    pin: Annotated[str, msgspec.Meta(max_length=12)]


class KeyView(msgspec.Struct, kw_only=True):
    """Show a device's key."""

    id: str
    person_id: str
    label: str
    device: str
    zone_id: str
    enrolled_ms: int
    pending: bool
    revoked: str


class KeyList(msgspec.Struct, kw_only=True):
    """List keys, and tell what a statement must name."""

    hub: str
    """Goes into every statement: it counts on this hub only."""
    now_ms: int
    pin: bool
    """True when one has set a PIN."""
    items: list[KeyView]


class Signers:
    """Handle PINs and keys."""

    def __init__(
        self, replica: Replica, accounts: Accounts, hashing: asyncio.Lock
    ) -> None:
        self.replica, self.accounts = replica, accounts
        self.tries = Tries(replica.clock)
        self._hashing = hashing

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/keys", self.keys, "List devices' keys",
                  reply=KeyList),
            Route("PUT", "/api/v1/pin", self.set_pin, "Set one's own PIN",
                  body=PinBody, status=204, cookie_only=True),
        ]  # fmt: skip

    async def keys(self, call: Call) -> KeyList:
        """List one's own keys; who is responsible sees all."""
        person_id = call.session.person_id
        roles = self.replica.roles(person_id)
        everyone = bool(roles & {"owner", "safety_officer"})
        keys = self.replica.state.people.keys.keys.values()
        return KeyList(
            hub=self.replica.state.hub.id,
            now_ms=self.replica.now_ms(),
            pin=bool(await asyncio.to_thread(self.accounts.pin, person_id)),
            items=[
                _view(k)
                for k in keys
                # A terminal is nobody's: whoever stands at it sees whether it signs.
                if everyone or k.person_id in ("", person_id)
            ],
        )

    async def set_pin(self, call: Call) -> None:
        """Keep the PIN's hash; digits nearly all alike are refused."""
        asked: PinBody = await body(call.request, PinBody)
        if not _PIN.fullmatch(asked.pin) or len(set(asked.pin)) < 3:
            raise Problem("gateway.weak_pin")
        async with self._hashing:
            hashed = await asyncio.to_thread(store.hash_password, asked.pin)
        await asyncio.to_thread(self.accounts.set_pin, call.session.person_id, hashed)

    async def may_bring(
        self, request: web.Request, session: Session, verb: str, asked: Asked
    ) -> str:
        """Return in whose name an act goes to the core; raises Problem."""
        if asked.proof is None:
            if not session.may_act(verb):
                raise Problem("gateway.not_allowed")
            return session.person_id
        told = statement(asked.proof)
        if not _is_brought_by(session, verb, told):
            raise Problem("gateway.not_allowed")
        if told.method == "pin_witness":
            await self._check_pin(request, told.person, asked.pin)
        return told.person

    async def _check_pin(self, request: web.Request, person_id: str, pin: str) -> None:
        keys = (f"source:{source_of(request)}", f"pin:{person_id}")
        self._may_try(*keys)
        stored = await asyncio.to_thread(self.accounts.pin, person_id)
        async with self._hashing:
            # Others may have failed while this one waited for its turn.
            self._may_try(*keys)
            if not await asyncio.to_thread(store.check_password, stored, pin):
                self.tries.failed(*keys)
                raise Problem("gateway.wrong_pin")
        self.tries.passed(keys[1])

    def _may_try(self, *keys: str) -> None:
        wait = self.tries.wait_s(*keys)
        if wait:
            raise Problem("gateway.too_often", seconds=wait)


def _is_brought_by(session: Session, verb: str, told: Statement) -> bool:
    """Say whether a statement comes from its signer, witness or terminal."""
    mine = session.may_act(verb)
    if told.method == "key":
        return mine and told.person == session.person_id
    if told.method == "pin_witness":
        return mine and told.witness == session.person_id
    return mine or session.is_terminal()


def _view(key: KeyRecord) -> KeyView:
    return KeyView(
        id=key.id,
        person_id=key.person_id,
        label=key.label,
        device=key.device,
        zone_id=key.zone_id,
        enrolled_ms=key.enrolled_wall_ns // MS,
        pending=key.pending,
        revoked=key.revoked,
    )
