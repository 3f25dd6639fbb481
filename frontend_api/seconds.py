"""Acts of two persons: one asks, another signs the same on a device of their own.

The first person's statement waits here, never in the core: it is no event until both
have signed. Nobody is kept waiting for long, since a statement counts for two minutes.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from core.journal.envelope import Proof
from core.people.acts import ACTS, Act
from core.people.signing import FRESH_MS, Statement
from frontend_api.accounts import Session
from frontend_api.acts import Acts, Asked, DoneReply, ProofBody, statement
from frontend_api.guard import Call, Route, body
from frontend_api.problems import MALFORMED, Problem, view
from frontend_api.replica import Replica
from frontend_api.views import Text, View

#: Requests that wait or were answered just now; one more is refused.
MOST = 30
#: A statement is stale a little before the core says so.
_MARGIN_MS = 3_000
#: How long an answer stands on the screens.
_SHOWN_MS = 60_000
_NOTHING = Text("", "")

State = Literal["waiting", "done", "refused", "declined", "expired"]


class AskSecond(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Ask another person to sign what oneself has signed."""

    verb: Annotated[str, msgspec.Meta(max_length=80)]
    proof: ProofBody


class AnswerSecond(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Sign the same act as the second person."""

    proof: ProofBody


class SecondView(View):
    """Show an act that waits for a second person, or what became of it."""

    id: str
    verb: str
    by: str
    """Who asked."""
    roles: list[str]
    """Whoever else holds one of these may sign."""
    body: dict[str, Any]
    """The act, as both sign it."""
    expected_version: int | None
    until_ms: int
    state: State
    second: str = ""
    """Who signed it, or declined."""
    text: Text = _NOTHING
    """Why the hub refused it."""


class _Request(msgspec.Struct):
    view: SecondView
    act: Act
    proof: Proof


class Seconds:
    """Keep what waits for a second person; carry it to the core once both signed."""

    def __init__(self, replica: Replica, acts: Acts) -> None:
        self.replica, self.acts = replica, acts
        self._requests: dict[str, _Request] = {}
        self.changed: Callable[[], None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1/seconds"
        return [
            Route("POST", base, self.ask, "Ask a second person to sign an act",
                  body=AskSecond, reply=SecondView),
            Route("POST", f"{base}/{{id}}/sign", self.sign,
                  "Sign an act as its second person",
                  body=AnswerSecond, reply=DoneReply),
            Route("DELETE", f"{base}/{{id}}", self.end,
                  "Decline an act as its second person, or take it back",
                  status=204),
        ]  # fmt: skip

    def views(self) -> Mapping[str, SecondView]:
        """Return what waits, and what was answered just now."""
        self._age()
        return {name: each.view for name, each in self._requests.items()}

    # --- routes ---------------------------------------------------------------

    async def ask(self, call: Call) -> SecondView:
        """Keep a person's statement until another one has signed the same."""
        asked: AskSecond = await body(call.request, AskSecond)
        cls = ACTS.get(asked.verb)
        if cls is None or not cls.two_:
            raise Problem("gateway.unknown_act", verb=asked.verb)
        proof = asked.proof.proof()
        told = self._own(call.session, asked.verb, proof)
        me = call.session.person_id
        self._age()
        for name, each in list(self._requests.items()):
            # Asked anew: the older signature is worth nothing beside this one.
            if each.view.by == me and each.view.verb == asked.verb:
                del self._requests[name]
        if len(self._requests) >= MOST:
            raise Problem("gateway.busy")
        try:
            act = msgspec.json.decode(told.body, type=cls)
            fields = msgspec.json.decode(told.body)
        except MALFORMED as wrong:
            raise Problem("gateway.bad_request", reason=str(wrong)) from None
        shown = SecondView(
            id=secrets.token_hex(8),
            verb=asked.verb,
            by=me,
            roles=sorted(cls.two_),
            body=fields,
            expected_version=told.expected_version,
            until_ms=told.at + FRESH_MS - _MARGIN_MS,
            state="waiting",
        )
        self._requests[shown.id] = _Request(shown, act, proof)
        self._tell()
        return shown

    async def sign(self, call: Call) -> DoneReply:
        """Carry an act to the core with both signatures."""
        asked: AnswerSecond = await body(call.request, AnswerSecond)
        request, me = self._waiting(call.request), call.session.person_id
        shown = request.view
        second = asked.proof.proof()
        self._own(call.session, shown.verb, second)
        if me == shown.by:
            raise Problem("signature.second_same", person=me)
        both = Asked(request.act, shown.expected_version, None, request.proof, second)
        try:
            reply = await self.acts.carry(shown.by, shown.verb, both)
        except Problem as no:
            # A second person's own key may be mended, or another one may sign.
            if not no.code.startswith("signature."):
                request.view.text = view(no, "en").sentences
                self._over(request, "refused")
            raise
        shown.second = me
        self._over(request, "done")
        return DoneReply(seq=reply.seq, result=dict(reply.result))

    async def end(self, call: Call) -> None:
        """Let an act not be done; whoever asked, or could have signed, may say so."""
        request, me = self._waiting(call.request), call.session.person_id
        may = self.replica.roles(me) & ACTS[request.view.verb].two_
        if me != request.view.by and not may:
            raise Problem("gateway.not_allowed")
        request.view.second = me
        self._over(request, "declined")

    # --- inside ---------------------------------------------------------------

    def _own(self, session: Session, verb: str, proof: Proof) -> Statement:
        """Return a statement that the session's own person signed for this verb."""
        told = statement(proof)
        if told.method != "key" or told.person != session.person_id:
            raise Problem("gateway.not_allowed")
        if not session.may_act(verb):
            raise Problem("gateway.not_allowed")
        if told.verb != verb:
            raise Problem("signature.other_act", person=told.person, verb=told.verb)
        return told

    def _waiting(self, request: web.Request) -> _Request:
        self._age()
        found = self._requests.get(request.match_info["id"])
        if found is None:
            raise Problem("gateway.not_found")
        if found.view.state != "waiting":
            raise Problem("gateway.second_over")
        return found

    def _over(self, request: _Request, state: State) -> None:
        request.view.state = state
        request.view.until_ms = self.replica.now_ms() + _SHOWN_MS
        self._tell()

    def _age(self) -> None:
        now = self.replica.now_ms()
        for name, each in list(self._requests.items()):
            if now < each.view.until_ms:
                continue
            if each.view.state == "waiting":
                each.view.state = "expired"
                each.view.until_ms = now + _SHOWN_MS
            else:
                del self._requests[name]

    def _tell(self) -> None:
        """Tell the screens now, and again when the next request has grown old."""
        self.stop()
        self._age()
        self.changed()
        if self._requests:
            first_ms = min(each.view.until_ms for each in self._requests.values())
            delay_s = max(0.1, (first_ms - self.replica.now_ms()) / 1000)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay_s, self._tell)

    def stop(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
