"""Acts over HTTP: POST /api/v1/acts/<verb>, one route per registered act."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from typing import Annotated, Any

import msgspec
from aiohttp import web

from core.link.messages import ActReply, ActRequest
from core.people.acts import ACTS, Act, ClaimHub
from frontend_api.accounts import Session
from frontend_api.link import Uplink, encode_act
from frontend_api.names import Names
from frontend_api.problems import MALFORMED, Problem, refusal
from frontend_api.replica import Replica, load_rooms

#: Answers kept for a phone that sends its queue again; oldest forgotten first.
KEPT_ANSWERS = 1000
_KEY_LENGTH = 128
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=1 << 42)]
_Version = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class DoneReply(msgspec.Struct, kw_only=True):
    """Tell that an act is done; a permissive one is then durable."""

    ok: bool = True
    seq: int = 0
    result: dict[str, str | int | float | bool | None] = {}


class Acts:
    """Decode acts by their own types and carry them to the core."""

    def __init__(self, replica: Replica, uplink: Uplink) -> None:
        load_rooms("acts")
        self.replica, self.uplink = replica, uplink
        self.names = Names(replica)
        self._answers: OrderedDict[str, tuple[str, asyncio.Future[ActReply]]] = (
            OrderedDict()
        )

    def allowed(self, session: Session) -> list[str]:
        """Return the verbs that a person's roles and scopes allow."""
        roles = self.replica.roles(session.person_id)
        return [
            verb
            for verb, act in sorted(ACTS.items())
            if verb != ClaimHub.verb_ and act.roles_ & roles and session.may_act(verb)
        ]

    async def handle(
        self, request: web.Request, session: Session, verb: str
    ) -> DoneReply:
        """Carry one act of a request to the core."""
        cls = ACTS.get(verb)
        # The claim has its own route, which checks the code.
        if cls is None or cls is ClaimHub:
            raise Problem("gateway.unknown_act", verb=verb)
        if not session.may_act(verb):
            raise Problem("gateway.not_allowed")
        act, expected, act_ms = _decode(cls, await request.read())
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > _KEY_LENGTH:
            raise Problem("gateway.bad_request", reason="Idempotency-Key")
        reply = await self.ask(session.person_id, verb, act, key, expected, act_ms)
        return DoneReply(seq=reply.seq, result=dict(reply.result))

    async def ask(
        self,
        person_id: str,
        verb: str,
        act: Act,
        key: str = "",
        expected: int | None = None,
        act_ms: int | None = None,
    ) -> ActReply:
        """Send an act once per key and return the core's answer; raises Problem."""
        body = encode_act(act)
        number = _number(person_id, key) if key else secrets.token_hex(13)
        request = ActRequest(
            id=number,
            person_id=person_id,
            verb=verb,
            body=body,
            expected_version=expected,
            act_ns=act_ms * 1_000_000 if act_ms is not None else None,
        )
        reply = await (self._once(request) if key else self.uplink.act(request))
        if not reply.ok:
            raise refusal(reply, self.names)
        return reply

    async def _once(self, request: ActRequest) -> ActReply:
        content = f"{request.verb}:{hashlib.sha256(request.body).hexdigest()}"
        kept = self._answers.get(request.id)
        if kept is not None:
            if kept[0] != content:
                raise Problem("gateway.key_reused")
            return await asyncio.shield(kept[1])
        future: asyncio.Future[ActReply] = asyncio.get_running_loop().create_future()
        self._answers[request.id] = (content, future)
        while len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)
        try:
            reply = await self.uplink.act(request)
        except BaseException as failed:
            # Not answered, so not kept: the same key may be sent again.
            self._answers.pop(request.id, None)
            shown = failed if isinstance(failed, Problem) else None
            future.set_exception(shown or Problem("gateway.unanswered"))
            future.exception()
            raise
        future.set_result(reply)
        return reply


def _number(person_id: str, key: str) -> str:
    """Return the act's id for a key, the same after a gateway restart."""
    return hashlib.sha256(f"{person_id}\0{key}".encode()).hexdigest()[:26]


def _decode(cls: type[Act], data: bytes) -> tuple[Act, int | None, int | None]:
    """Return the typed act, the expected version and the phone's own time (ms)."""
    try:
        fields: Any = msgspec.json.decode(data or b"{}")
        if not isinstance(fields, dict):
            raise Problem("gateway.bad_request", reason="an object is expected")
        expected = msgspec.convert(
            fields.pop("expected_version", None), _Version | None
        )
        act_ms = msgspec.convert(fields.pop("act_ms", None), _Milliseconds | None)
        unknown = set(fields) - {f.encode_name for f in msgspec.structs.fields(cls)}
        if unknown:
            reason = f"unknown field {sorted(unknown)[0]}"
            raise Problem("gateway.bad_request", reason=reason)
        return msgspec.convert(fields, cls), expected, act_ms
    except MALFORMED as wrong:
        raise Problem("gateway.bad_request", reason=str(wrong)) from None
