"""The crew: each person a client of the gateway with a session of their own."""

import asyncio
import contextlib
import hashlib
import secrets
from typing import Any

import aiohttp

from core.clock import RealClock

#: A step of a flow waits for a worker that reads an integration's form.
_CALL_S = 60.0


class RefusedError(Exception):
    """The hub refused an act; ``code`` says why, the text says it in words."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code = code


class Crew:
    """Log people in when they first act, and carry their acts over HTTP."""

    def __init__(self, address: str, codes: dict[str, str]) -> None:
        self._address = address
        self._codes = codes
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._passwords: dict[str, str] = {}

    async def act(
        self,
        person: str,
        verb: str,
        body: dict[str, Any],
        version: int | None = None,
    ) -> dict[str, Any]:
        """Ask for an act; returns its result. Raises RefusedError."""
        session = await self._session(person)
        fields = dict(body)
        if version is not None:
            fields["expected_version"] = version
        return await self._post(session, f"/api/v1/acts/{verb}", fields)

    async def call(
        self, person: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask the API as a person; returns its answer. Raises RefusedError."""
        session = await self._session(person)
        async with session.request(method, path, json=body) as answer:
            reply: dict[str, Any] = await answer.json(content_type=None) or {}
            if answer.status >= 400:
                raise RefusedError(str(reply.get("code")), str(reply.get("detail")))
            return reply

    async def photo(self, person: str, task_id: str, stage: str, data: bytes) -> None:
        """Bring a picture of a task, as a phone does; raises RefusedError."""
        session = await self._session(person)
        told = {"size": len(data), "media": "image/png"}
        begun = await self._post(
            session,
            "/api/v1/attachments",
            {"purpose": "evidence", "permit_id": task_id, **told},
        )
        url, sha256 = f"/api/v1/uploads/{begun['id']}", hashlib.sha256(data).hexdigest()
        async with session.patch(url, data=data, headers={"Upload-Offset": "0"}):
            pass
        await self._post(session, f"{url}/finish", {"sha256": sha256})
        taken_ms = RealClock().wall_ns() // 1_000_000
        fields = {"task_id": task_id, "stage": stage, "sha256": sha256}
        await self.act(person, "task.photo", {**fields, **told, "taken_ms": taken_ms})

    async def claim(self, person: str, code: str) -> None:
        """Claim the hub as a person would at its first screen."""
        session = self._open(person)
        await self._post(
            session,
            "/api/v1/auth/claim",
            {"code": code, "person_id": person, "password": self.password(person)},
        )
        self._sessions[person] = session

    async def arrive(self) -> None:
        """Open everybody's account, so that whoever claims the hub keeps theirs."""
        for person in self._codes:
            with contextlib.suppress(RefusedError):  # who has claimed it already
                await self._session(person)

    async def _session(self, person: str) -> aiohttp.ClientSession:
        if person not in self._sessions:
            session = self._open(person)
            await self._post(
                session,
                "/api/v1/auth/enrol",
                {"code": self._codes[person], "password": self.password(person)},
            )
            self._sessions[person] = session
        return self._sessions[person]

    def _open(self, person: str) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            base_url=self._address,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=_CALL_S),
            headers={"Origin": self._address},
        )

    def password(self, person: str) -> str:
        """Return the password that the crew chose for a person."""
        return self._passwords.setdefault(person, secrets.token_urlsafe(12))

    async def _post(
        self, session: aiohttp.ClientSession, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        async with session.post(path, json=body) as answer:
            reply: dict[str, Any] = await answer.json(content_type=None) or {}
            if answer.status >= 400:
                raise RefusedError(str(reply.get("code")), str(reply.get("detail")))
            return reply

    async def close(self) -> None:
        """Close every client."""
        async with asyncio.timeout(_CALL_S):
            for session in self._sessions.values():
                await session.close()
