"""Acts over HTTP: POST /api/v1/acts/<verb>, one route per registered act."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from aiohttp import web

from core.api.errors import Refused
from core.journal.envelope import Proof
from core.link.messages import ActReply, ActRequest
from core.people.acts import ACTS, Act, ClaimHub
from core.people.signing import Statement, read
from frontend_api.accounts import Session
from frontend_api.link import Uplink, encode_act
from frontend_api.names import Names
from frontend_api.problems import MALFORMED, Problem, refusal
from frontend_api.replica import Replica, load_rooms

#: Answers kept for a phone that sends its queue again; oldest forgotten first.
KEPT_ANSWERS = 1000
_KEY_LENGTH = 128
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=1 << 42)]
_Pin = Annotated[str, msgspec.Meta(max_length=12)]
_Version = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class DoneReply(msgspec.Struct, kw_only=True):
    """Tell that an act is done; a permissive one is then durable."""

    ok: bool = True
    seq: int = 0
    result: dict[str, str | int | float | bool | None] = {}


class ProofBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Carry what a device signed; the core reads the act from it alone."""

    key: Annotated[str, msgspec.Meta(max_length=64)]
    data: str
    """The statement's canonical JSON: sorted keys, no spaces."""
    sig: Annotated[bytes, msgspec.Meta(max_length=64)]
    """r and s, 32 bytes each, in base64."""

    def proof(self) -> Proof:
        """Return it as the link carries it; raises ValueError."""
        return Proof(key=self.key, data=self.data.encode(), sig=self.sig)


class Asked(NamedTuple):
    """Hold one act as a request asks for it."""

    act: Act
    expected: int | None = None
    act_ms: int | None = None
    proof: Proof | None = None
    second: Proof | None = None
    pin: str = ""


MayBring = Callable[[web.Request, Session, str, Asked], Awaitable[str]]


async def _plain(_: web.Request, session: Session, verb: str, __: Asked) -> str:
    """Return in whose name an act goes to the core: the session's own."""
    if not session.may_act(verb):
        raise Problem("gateway.not_allowed")
    return session.person_id


class Acts:
    """Decode acts by their own types and carry them to the core."""

    def __init__(self, replica: Replica, uplink: Uplink) -> None:
        load_rooms("acts")
        self.replica, self.uplink = replica, uplink
        self.names = Names(replica)
        self.may_bring: MayBring = _plain
        """Returns in whose name an act goes to the core; raises Problem."""
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
        if not (session.may_act(verb) or session.is_terminal()):
            raise Problem("gateway.not_allowed")
        asked = _decode(cls, await request.read())
        person_id = await self.may_bring(request, session, verb, asked)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > _KEY_LENGTH:
            raise Problem("gateway.bad_request", reason="Idempotency-Key")
        reply = await self._send(person_id, verb, asked, key)
        return DoneReply(seq=reply.seq, result=dict(reply.result))

    async def ask(self, person_id: str, verb: str, act: Act) -> ActReply:
        """Send an unsigned act and return the core's answer; raises Problem."""
        return await self._send(person_id, verb, Asked(act), "")

    async def carry(self, person_id: str, verb: str, asked: Asked) -> ActReply:
        """Send an act with the signatures that came with it; raises Problem."""
        return await self._send(person_id, verb, asked, "")

    async def _send(
        self, person_id: str, verb: str, asked: Asked, key: str
    ) -> ActReply:
        """Send an act once per key and return the core's answer; raises Problem."""
        act_ms = asked.act_ms
        number = _number(person_id, key) if key else secrets.token_hex(13)
        request = ActRequest(
            id=number,
            person_id=person_id,
            verb=verb,
            body=encode_act(asked.act),
            expected_version=asked.expected,
            act_ns=act_ms * 1_000_000 if act_ms is not None else None,
            proof=asked.proof,
            second=asked.second,
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
        if not reply.ok:
            # Nothing was done: signed anew, the same key may ask again.
            self._answers.pop(request.id, None)
        return reply


def _number(person_id: str, key: str) -> str:
    """Return the act's id for a key, the same after a gateway restart."""
    return hashlib.sha256(f"{person_id}\0{key}".encode()).hexdigest()[:26]


def _decode(cls: type[Act], data: bytes) -> Asked:
    """Return the typed act and what comes with it.

    With a proof the act's own fields stand in what was signed, and nowhere else.
    """
    try:
        fields: Any = msgspec.json.decode(data or b"{}")
        if not isinstance(fields, dict):
            raise Problem("gateway.bad_request", reason="an object is expected")
        proof, second = _proof(fields, "proof"), _proof(fields, "second")
        pin = msgspec.convert(fields.pop("pin", ""), _Pin)
        expected = msgspec.convert(
            fields.pop("expected_version", None), _Version | None
        )
        act_ms = msgspec.convert(fields.pop("act_ms", None), _Milliseconds | None)
        fields = fields if proof is None else _signed_body(proof, fields)
        unknown = set(fields) - {f.encode_name for f in msgspec.structs.fields(cls)}
        if unknown:
            reason = f"unknown field {sorted(unknown)[0]}"
            raise Problem("gateway.bad_request", reason=reason)
        act = msgspec.convert(fields, cls)
    except MALFORMED as wrong:
        raise Problem("gateway.bad_request", reason=str(wrong)) from None
    return Asked(act, expected, act_ms, proof, second, pin)


def _proof(fields: dict[str, Any], name: str) -> Proof | None:
    given = msgspec.convert(fields.pop(name, None), ProofBody | None)
    return given.proof() if given is not None else None


def statement(proof: Proof) -> Statement:
    """Return what a proof says, proved by nobody yet; raises Problem."""
    try:
        return read(proof.data)
    except Refused as no:
        problem = Problem(no.refusal)
        problem.params = dict(no.params)
        raise problem from None


def _signed_body(proof: Proof, beside: dict[str, Any]) -> dict[str, Any]:
    """Return the act's fields as they were signed; raises Problem."""
    if beside:
        reason = f"{sorted(beside)[0]} stands beside a proof: sign it"
        raise Problem("gateway.bad_request", reason=reason)
    body = msgspec.json.decode(statement(proof).body)
    if not isinstance(body, dict):
        raise Problem("gateway.bad_request", reason="body: an object is expected")
    return body
