"""What stands before every handler: who speaks, and from where."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from frontend_api import problems
from frontend_api.accounts import Accounts, Session
from frontend_api.problems import MALFORMED, Problem

COOKIE = "safehold_session"
BODY_BYTES = 64 * 1024
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:;"
        " style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Call(NamedTuple):
    """Hand a request to its handler, with who asks; open routes have nobody."""

    request: web.Request
    session: Session


Handler = Callable[[Call], Awaitable[Any]]
NOBODY = Session(person_id="", until_s=0, scopes=())


class Route(NamedTuple):
    """Describe one route: the router, the guard and OpenAPI read this one table."""

    method: str
    path: str
    handler: Handler
    summary: str
    reply: Any = None
    body: Any = None
    query: tuple[str, ...] = ()
    open: bool = False
    """True: anyone may call it; at most five routes are."""
    status: int = 200
    cookie_only: bool = False
    """True: not by token, since a token must not make more of itself."""


def source_of(request: web.Request) -> str:
    """Return the peer's address; forwarding headers are not believed."""
    return request.remote or "unknown"


class Guard:
    """Wrap the handlers of the route table."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def session(self, request: web.Request) -> Session | None:
        """Return who speaks, by bearer token or by cookie."""
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and secret:
            return self.accounts.token(secret.strip())
        cookie = request.cookies.get(COOKIE, "")
        return self.accounts.session(cookie) if cookie else None

    def wrap(
        self, route: Route
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the aiohttp handler of a route."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                call = Call(request, self._admit(route, request))
                return _answer(await route.handler(call), route.status)
            except Problem as problem:
                return problems.response(problem, request)

        return handle

    def _admit(self, route: Route, request: web.Request) -> Session:
        if request.method not in _SAFE or route.path in STREAMS:
            same_origin(request)
        if route.open:
            return NOBODY
        session = self.session(request)
        if session is None:
            raise Problem("gateway.not_logged_in")
        if session.scopes is not None and route.cookie_only:
            raise Problem("gateway.not_allowed")
        if request.method in _SAFE and not session.may_read():
            raise Problem("gateway.not_allowed")
        return session


#: Paths of WebSockets: a browser sends them cookies from any origin.
STREAMS = frozenset({"/api/websocket", "/api/alarms"})


def same_origin(request: web.Request) -> None:
    """Refuse what another site makes a browser send; tokens carry no ambient power."""
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        if urlsplit(origin).netloc.lower() != request.host.lower():
            raise Problem("gateway.wrong_origin")
    elif COOKIE in request.cookies:
        # Every browser sends an Origin with an unsafe request.
        raise Problem("gateway.wrong_origin")


def _answer(found: Any, status: int) -> web.StreamResponse:
    if isinstance(found, web.StreamResponse):
        return found
    if found is None:
        return web.Response(status=204)
    return web.Response(
        status=status,
        body=msgspec.json.encode(found),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def body(request: web.Request, cls: type[Any]) -> Any:
    """Return a request's typed body; raises Problem with the place and the mend."""
    try:
        return msgspec.json.decode(await request.read(), type=cls)
    except MALFORMED as wrong:
        raise Problem("gateway.bad_request", reason=str(wrong)) from None


@web.middleware
async def outermost(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Put aiohttp's own errors into the one form; nothing inside is told outside."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return problems.response(Problem("gateway.too_large"), request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = "gateway.not_found" if error.status in (404, 405) else ""
        problem = Problem(
            code or "gateway.bad_request", status=error.status, reason=error.reason
        )
        return problems.response(problem, request)
    except UnicodeError:
        return problems.response(
            Problem("gateway.bad_request", reason="not UTF-8"), request
        )


async def harden(_: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers to every answer."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
