"""A person at a running hub: a client of the public API with a device key of the own.

Whatever a person does here goes through HTTP, in a session of that person alone, and
is signed by that person's own P-256 key.
"""

import asyncio
import base64
import hashlib
import json
from types import SimpleNamespace
from typing import Any, cast

import aiohttp

from core.clock import RealClock
from core.people.acts import Act
from core.people.keys_acts import EnrolKey
from tests.support.kernel import Bench
from tests.support.signer import Phone
from tests.support.waiting import pause

_CALL_S = 30.0
#: How long a refusal may still be one that passes, in real seconds.
_PATIENCE_S = 45.0
_AGAIN_S = 0.25


class RefusedError(Exception):
    """The hub refused; ``code`` and ``params`` say why."""

    def __init__(self, status: int, said: dict[str, Any]) -> None:
        super().__init__(f"{status} {said}")
        self.status, self.code = status, str(said.get("code", ""))
        self.params: dict[str, Any] = said.get("params") or {}
        self.said = said


class HubTime:
    """Tell the hub's time as its clients learn it: asked once, then counted on."""

    def __init__(self, now_ms: int, speed: float) -> None:
        self._clock, self._speed = RealClock(), speed
        self._ms, self._from = now_ms, self._clock.mono_ns()

    def wall_ns(self) -> int:
        """Return the hub's wall time."""
        passed = (self._clock.mono_ns() - self._from) * self._speed
        return self._ms * 1_000_000 + int(passed)


class Client:
    """Act as one person over HTTP."""

    def __init__(self, address: str, person: str, speed: float = 1.0) -> None:
        self.person, self._speed = person, speed
        self._password = f"{person} has a long password"
        self._phone: Phone | None = None
        self._session = aiohttp.ClientSession(
            base_url=address,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=_CALL_S),
            headers={"Origin": address},
        )

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    # --- a session and a key ---------------------------------------------------

    async def claim(self, code: str) -> None:
        """Claim the hub as its owner."""
        asked = {"code": code, "person_id": self.person, "password": self._password}
        await self.post("/api/v1/auth/claim", asked)

    async def invite(self, person: str) -> str:
        """Return a one-time code for another person."""
        made = await self.post("/api/v1/accounts", {"person_id": person})
        return str(made["code"])

    async def join(self, code: str) -> None:
        """Make the own account with a one-time code."""
        asked = {"code": code, "password": self._password}
        await self.post("/api/v1/auth/enrol", asked)

    async def enrol(self) -> None:
        """Make this device's key and let the hub know it."""
        keys = await self.get("/api/v1/keys")
        bench = SimpleNamespace(
            clock=HubTime(keys["now_ms"], self._speed),
            hub=SimpleNamespace(
                state=SimpleNamespace(hub=SimpleNamespace(id=keys["hub"]))
            ),
        )
        self._phone = Phone(cast(Bench, bench), self.person)
        name = self._phone.name
        await self.act(EnrolKey(public=self._phone.public.hex(), label=name))

    # --- acts ------------------------------------------------------------------

    def signed(self, act: Act, version: int | None = None) -> dict[str, Any]:
        """Return the request of an act, signed by this person's device."""
        assert self._phone is not None
        proof = self._phone.sign(act.verb_, act, expected_version=version)
        sig = base64.b64encode(proof.sig).decode()
        return {"proof": {"key": proof.key, "data": proof.data.decode(), "sig": sig}}

    async def act(self, act: Act, version: int | None = None) -> dict[str, Any]:
        """Sign an act and have it done; raises RefusedError."""
        asked = self.signed(act, version)
        done = await self.post(f"/api/v1/acts/{act.verb_}", asked)
        return dict(done["result"])

    async def soon(self, act: Act, *codes: str) -> dict[str, Any]:
        """Ask until the hub agrees; only these refusals may pass by themselves."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    return await self.act(act)
                except RefusedError as no:
                    if no.code not in codes:
                        raise
                    last = no
                try:
                    await pause(_AGAIN_S)
                except asyncio.CancelledError:
                    raise AssertionError(f"{act.verb_}: still {last}") from last

    async def refused(self, act: Act, version: int | None = None) -> RefusedError:
        """Have an act refused; returns why."""
        try:
            await self.act(act, version)
        except RefusedError as no:
            return no
        raise AssertionError(f"{act.verb_} was allowed")

    async def bring(self, data: bytes, media: str, **more: str) -> str:
        """Upload a file into the vault; returns its name."""
        asked = {"size": len(data), "media": media, **more}
        upload = await self.post("/api/v1/attachments", asked)
        path = f"/api/v1/uploads/{upload['id']}"
        headers = {"Upload-Offset": "0"}
        async with self._session.patch(path, data=data, headers=headers) as answer:
            await _told(answer)
        whole = {"sha256": hashlib.sha256(data).hexdigest()}
        return str((await self.post(f"{path}/finish", whole))["done"])

    # --- HTTP ------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """Read a path; raises RefusedError."""
        async with self._session.get(path) as answer:
            return await _told(answer)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Post a body; raises RefusedError."""
        async with self._session.post(path, json=body) as answer:
            return await _told(answer)

    async def delete(self, path: str) -> None:
        """Delete a path; raises RefusedError."""
        async with self._session.delete(path) as answer:
            await _told(answer)


async def _told(answer: aiohttp.ClientResponse) -> Any:
    text = await answer.text()
    said = json.loads(text) if text else {}
    if answer.status >= 400:
        raise RefusedError(answer.status, said)
    return said
