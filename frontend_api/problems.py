"""Errors as problem+json: a stable code, its parameters, both languages."""

from typing import Any

import msgspec
from aiohttp import web

from core import config
from core.link.messages import ActReply
from frontend_api.names import Names, text
from frontend_api.views import Text

#: HTTP status of a refusal by its code; others are 409: the object's state forbids it.
_STATUS = {
    "gateway.not_logged_in": 401,
    "gateway.wrong_login": 401,
    "gateway.not_allowed": 403,
    "gateway.wrong_origin": 403,
    "gateway.wrong_code": 403,
    "gateway.wrong_pin": 403,
    "gateway.not_found": 404,
    "gateway.unknown_act": 404,
    "gateway.unknown_person": 404,
    "gateway.claimed": 410,
    "gateway.too_large": 413,
    "gateway.weak_password": 422,
    "gateway.weak_pin": 422,
    "signature.malformed": 422,
    "gateway.bad_request": 422,
    "gateway.key_reused": 422,
    "gateway.too_often": 429,
    "gateway.unexpected": 500,
    "gateway.unreachable": 503,
    "gateway.busy": 503,
    "gateway.no_history": 503,
    "gateway.host_not_running": 503,
    "gateway.unanswered": 504,
    "journal.not_durable": 503,
}
#: What a body that is not what it should be makes a decoder raise.
MALFORMED = (msgspec.MsgspecError, ValueError, RecursionError)
_BY_ENDING = {"role": 403, "forbidden": 403, "unknown": 404, "version": 412}


class ProblemView(msgspec.Struct, kw_only=True):
    """Show an error; ``code`` is stable, ``detail`` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    params: dict[str, str | int | float | bool | None]
    sentences: Text


class Problem(Exception):
    """An answer that is an error, raised by handlers."""

    def __init__(self, code: str, status: int = 0, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or status_of(code)
        self.params = params
        self.named: dict[str, Any] | None = None
        """The parameters with names for ids, where the raiser knows them."""


def refused(code: str, said: config.Names) -> Problem:
    """Return a problem whose detail is a message in both languages."""
    problem = Problem(code, detail=said.en)
    problem.named = {"detail": Text(said.zh, said.en)}
    return problem


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal's code."""
    ending = code.rpartition(".")[2]
    return _STATUS.get(code) or _BY_ENDING.get(ending, 409)


def refusal(reply: ActReply, names: Names) -> Problem:
    """Turn the core's refusal of an act into a problem."""
    problem = Problem(reply.code or "act.refused")
    problem.params = dict(reply.params)
    problem.named = names.params(problem.params)
    return problem


def view(problem: Problem, language: str) -> ProblemView:
    """Return a problem's body in the reader's language."""
    said = text(problem.code, problem.named or problem.params)
    return ProblemView(
        type=f"urn:safehold:{problem.code}",
        title=problem.code,
        status=problem.status,
        code=problem.code,
        detail=said.en if language == "en" else said.zh,
        params=problem.params,
        sentences=said,
    )


def language_of(request: web.Request) -> str:
    """Return zh or en, as the reader prefers."""
    wanted = request.headers.get("Accept-Language", "").lower()
    first = wanted.split(",", 1)[0].strip()
    return "en" if first.startswith("en") else "zh"


def response(problem: Problem, request: web.Request) -> web.Response:
    """Answer with a problem."""
    answer = web.Response(
        status=problem.status,
        body=msgspec.json.encode(view(problem, language_of(request))),
        content_type="application/problem+json",
    )
    if problem.status == 429:
        answer.headers["Retry-After"] = str(problem.params.get("seconds", 60))
    return answer
