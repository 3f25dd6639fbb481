"""Claim, login, enrolment, accounts and tokens."""

import asyncio
import re
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web

from core.people.acts import ClaimHub
from frontend_api import access_views as av
from frontend_api import accounts as store
from frontend_api import claim
from frontend_api.accounts import Accounts, TokenRow
from frontend_api.acts import Acts
from frontend_api.guard import COOKIE, Call, Route, body, source_of
from frontend_api.limits import Tries
from frontend_api.problems import Problem
from frontend_api.replica import Replica

LEAST_PASSWORD = 10
#: read, act, act:<room>, act:<verb>, or terminal: a gate's, which only brings
#: what it signed with its own key.
_SCOPE = re.compile(r"read|terminal|act(:[a-z_]+(\.[a-z_]+)?)?")

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Secret = Annotated[str, msgspec.Meta(max_length=200)]


class ClaimBody(msgspec.Struct, kw_only=True):
    """Claim the hub; without a person it only proves the code and lists people."""

    code: Secret
    person_id: str = ""
    password: Secret = ""


class ClaimReply(msgspec.Struct, kw_only=True):
    """Answer a claim: people to pick from, then the session."""

    people: list[av.PickView] = []
    session: av.SessionView | None = None


class LoginBody(msgspec.Struct, kw_only=True):
    """Log in by person id or full name."""

    account: Line
    password: Secret


class EnrolBody(msgspec.Struct, kw_only=True):
    """Make an account with a one-time code."""

    code: Secret
    password: Secret


class InviteBody(msgspec.Struct, kw_only=True):
    """Ask for a one-time code for a person of the site."""

    person_id: Line


class InviteReply(msgspec.Struct, kw_only=True):
    """Hand over a one-time code; it is shown once."""

    person_id: str
    code: str
    until_ms: int


class TokenBody(msgspec.Struct, kw_only=True):
    """Ask for a long-lived token."""

    name: Line
    scopes: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=20)]


class TokenReply(msgspec.Struct, kw_only=True):
    """Hand over a token; its secret is shown once."""

    secret: str
    token: av.TokenView


class AccountList(msgspec.Struct, kw_only=True):
    """List accounts."""

    items: list[av.AccountView]


class TokenList(msgspec.Struct, kw_only=True):
    """List tokens."""

    items: list[av.TokenView]


class Auth:
    """Handle everything about who may speak."""

    def __init__(
        self, replica: Replica, accounts: Accounts, acts: Acts, data: Path
    ) -> None:
        self.replica, self.accounts, self.acts = replica, accounts, acts
        self.data = data
        self.tries = Tries(replica.clock)
        self._claiming = asyncio.Lock()
        # One at a time: argon2 takes 19 MiB each, and a flood must not take more.
        self.hashing = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the routes of this module; the open ones stand first."""
        base = "/api/v1/auth"
        return [
            Route("GET", base, self.state, "Tell whether the hub is claimed",
                  reply=av.AuthView, open=True),
            Route("POST", f"{base}/claim", self.claim, "Claim the hub",
                  reply=ClaimReply, body=ClaimBody, open=True),
            Route("POST", f"{base}/login", self.login, "Log in",
                  reply=av.SessionView, body=LoginBody, open=True),
            Route("POST", f"{base}/enrol", self.enrol, "Use a one-time code",
                  reply=av.SessionView, body=EnrolBody, open=True),
            Route("POST", f"{base}/logout", self.logout, "Log out", status=204,
                  cookie_only=True),
            Route("GET", "/api/v1/session", self.session, "Tell who is logged in",
                  reply=av.SessionView),
            Route("GET", "/api/v1/accounts", self.list_accounts, "List accounts",
                  reply=AccountList),
            Route("POST", "/api/v1/accounts", self.invite, "Make a one-time code",
                  reply=InviteReply, body=InviteBody, status=201, cookie_only=True),
            Route("DELETE", "/api/v1/accounts/{id}", self.remove, "Remove an account",
                  status=204, cookie_only=True),
            Route("GET", "/api/v1/tokens", self.list_tokens, "List tokens",
                  reply=TokenList),
            Route("POST", "/api/v1/tokens", self.mint, "Make a token",
                  reply=TokenReply, body=TokenBody, status=201, cookie_only=True),
            Route("DELETE", "/api/v1/tokens/{id}", self.revoke, "Revoke a token",
                  status=204, cookie_only=True),
        ]  # fmt: skip

    # --- open routes -----------------------------------------------------------------

    async def state(self, call: Call) -> av.AuthView:
        """Tell anyone only what the login page needs."""
        cookie = call.request.cookies.get(COOKIE, "")
        return av.AuthView(
            claimed=bool(self.accounts.owner()),
            language=self.replica.bundle.site.language,
            here=self.accounts.session(cookie) is not None,
        )

    async def claim(self, call: Call) -> web.Response | ClaimReply:
        """Make the first owner: exactly one, however many ask at once."""
        asked: ClaimBody = await body(call.request, ClaimBody)
        source = f"source:{source_of(call.request)}"
        async with self._claiming:
            if self.accounts.owner():
                raise Problem("gateway.claimed")
            self._may_try(source)
            if not claim.matches(self.data, asked.code):
                self.tries.failed(source)
                raise Problem("gateway.wrong_code")
            if not self.replica.reachable:
                raise Problem("gateway.unreachable")
            if not asked.person_id:
                return ClaimReply(people=self._picks())
            self._person(asked.person_id)
            hashed = await self._hash(asked.password)
            await self._claim_in_core(asked.person_id)
            if not await asyncio.to_thread(
                self.accounts.claim, asked.person_id, hashed
            ):
                raise Problem("gateway.claimed")
            await asyncio.to_thread(claim.used, self.data)
        return await self._welcome(call.request, asked.person_id, claimed=True)

    async def _claim_in_core(self, person_id: str) -> None:
        """Let the core journal the owner; a lost gateway file may claim again."""
        if self.replica.state.people.owner_id == person_id:
            return
        await self.acts.ask(person_id, ClaimHub.verb_, ClaimHub())

    async def login(self, call: Call) -> web.Response:
        """Log in; the answer does not tell which of the two was wrong."""
        asked: LoginBody = await body(call.request, LoginBody)
        person_id = self._find(asked.account)
        keys = (
            f"source:{source_of(call.request)}",
            f"account:{person_id or asked.account}",
        )
        self._may_try(*keys)
        stored = await asyncio.to_thread(self.accounts.password, person_id)
        async with self.hashing:
            # Others may have failed while this one waited for its turn.
            self._may_try(*keys)
            right = await asyncio.to_thread(
                store.check_password, stored, asked.password
            )
            if not right:
                self.tries.failed(*keys)
                raise Problem("gateway.wrong_login")
        self.tries.passed(keys[1])
        return await self._welcome(call.request, person_id)

    async def enrol(self, call: Call) -> web.Response:
        """Make an account with a one-time code."""
        asked: EnrolBody = await body(call.request, EnrolBody)
        source = f"source:{source_of(call.request)}"
        self._may_try(source)
        if not self.accounts.invited(asked.code):
            self.tries.failed(source)
            raise Problem("gateway.wrong_code")
        hashed = await self._hash(asked.password)
        person_id = await asyncio.to_thread(self.accounts.enrol, asked.code, hashed)
        if not person_id:
            raise Problem("gateway.wrong_code")
        return await self._welcome(call.request, person_id)

    def _may_try(self, *keys: str) -> None:
        wait = self.tries.wait_s(*keys)
        if wait:
            raise Problem("gateway.too_often", seconds=wait)

    async def _hash(self, password: str) -> str:
        if len(password) < LEAST_PASSWORD:
            raise Problem("gateway.weak_password", least=LEAST_PASSWORD)
        async with self.hashing:
            return await asyncio.to_thread(store.hash_password, password)

    async def _welcome(
        self, request: web.Request, person_id: str, claimed: bool = False
    ) -> web.Response:
        secret = await asyncio.to_thread(self.accounts.begin, person_id)
        session = self.accounts.session(secret)
        shown = self.view(session or store.Session(person_id=person_id, until_s=0))
        reply = ClaimReply(session=shown) if claimed else shown
        answer = web.Response(
            body=msgspec.json.encode(reply), content_type="application/json"
        )
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=store.SESSION_S,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
            path="/",
        )
        return answer

    def _find(self, account: str) -> str:
        """Return the person of an id or of a name that only one person has."""
        people = self.replica.bundle.people
        ids = [p.id for p in people if p.id == account]
        named = [p.id for p in people if p.name == account.strip()]
        found = ids or (named if len(named) == 1 else [])
        return found[0] if found else ""

    def _person(self, person_id: str) -> str:
        for person in self.replica.bundle.people:
            if person.id == person_id:
                return person.name
        raise Problem("gateway.unknown_person", person=person_id)

    def _picks(self) -> list[av.PickView]:
        return [
            av.PickView(id=p.id, name=p.name, roles=list(p.roles))
            for p in self.replica.bundle.people
        ]

    # --- the session ---------------------------------------------------------------

    def view(self, session: store.Session) -> av.SessionView:
        """Show a session and what it may ask for."""
        names = {p.id: p.name for p in self.replica.bundle.people}
        return av.SessionView(
            person_id=session.person_id,
            name=names.get(session.person_id, session.person_id),
            roles=sorted(self.replica.roles(session.person_id)),
            verbs=self.acts.allowed(session),
            language=self.replica.bundle.site.language,
            expires_ms=session.until_s * 1000,
        )

    async def session(self, call: Call) -> av.SessionView:
        """Tell who is logged in."""
        return self.view(call.session)

    async def logout(self, call: Call) -> web.Response:
        """End this session."""
        await asyncio.to_thread(self.accounts.end, call.session.key)
        answer = web.Response(status=204)
        answer.del_cookie(COOKIE, path="/", samesite="Strict", httponly=True)
        return answer

    # --- accounts and tokens -------------------------------------------------------

    def _owner_only(self, call: Call) -> None:
        if "owner" not in self.replica.roles(call.session.person_id):
            raise Problem("gateway.not_allowed")

    async def list_accounts(self, call: Call) -> AccountList:
        """List accounts, for the owner."""
        self._owner_only(call)
        rows = await asyncio.to_thread(self.accounts.listed)
        names = {p.id: p.name for p in self.replica.bundle.people}
        return AccountList(
            items=[
                av.AccountView(
                    person_id=person,
                    name=names.get(person, person),
                    enrolled=enrolled,
                    code_until_ms=until * 1000,
                )
                for person, enrolled, until in rows
            ]
        )

    async def invite(self, call: Call) -> InviteReply:
        """Make a one-time code for a person of the site."""
        self._owner_only(call)
        asked: InviteBody = await body(call.request, InviteBody)
        self._person(asked.person_id)
        code = await asyncio.to_thread(self.accounts.invite, asked.person_id)
        until = (self.accounts.now_s() + store.CODE_S) * 1000
        return InviteReply(person_id=asked.person_id, code=code, until_ms=until)

    async def remove(self, call: Call) -> None:
        """Remove an account; the owner's own stays."""
        self._owner_only(call)
        person_id = call.request.match_info["id"]
        if person_id == self.accounts.owner():
            raise Problem("gateway.not_allowed")
        await asyncio.to_thread(self.accounts.remove, person_id)

    async def list_tokens(self, call: Call) -> TokenList:
        """List one's own tokens; the owner sees all."""
        everyone = "owner" in self.replica.roles(call.session.person_id)
        rows = self.accounts.tokens("" if everyone else call.session.person_id)
        return TokenList(items=[token_view(row) for row in rows])

    async def mint(self, call: Call) -> TokenReply:
        """Make a long-lived token in one's own name."""
        asked: TokenBody = await body(call.request, TokenBody)
        wrong = [scope for scope in asked.scopes if not _SCOPE.fullmatch(scope)]
        if wrong:
            raise Problem("gateway.bad_request", reason=f"scope {wrong[0]}")
        secret, row = await asyncio.to_thread(
            self.accounts.mint, call.session.person_id, asked.name, tuple(asked.scopes)
        )
        return TokenReply(secret=secret, token=token_view(row))

    async def revoke(self, call: Call) -> None:
        """Revoke one's own token; the owner may revoke any."""
        token_id = call.request.match_info["id"]
        everyone = "owner" in self.replica.roles(call.session.person_id)
        mine = self.accounts.tokens("" if everyone else call.session.person_id)
        if token_id not in {token.id for token in mine}:
            raise Problem("gateway.not_found")
        await asyncio.to_thread(self.accounts.revoke, token_id)


def token_view(row: TokenRow) -> av.TokenView:
    """Show a token without its secret."""
    return av.TokenView(
        id=row.id,
        name=row.name,
        person_id=row.person_id,
        scopes=list(row.scopes),
        created_ms=row.created_s * 1000,
        expires_ms=row.until_s * 1000,
        used_ms=row.used_s * 1000,
    )
