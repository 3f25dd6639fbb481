"""Find out what the registers of a Modbus device mean, against its own display.

A worker reads the live registers, never the safety process. The technician says what
the display shows at zero and with span gas; a decoding that agrees with both becomes
a profile of the site.
"""

import asyncio
import secrets as chance
from pathlib import Path

import msgspec

from core.api.unknown_map import Decoding, MapAnswer, MapAsk, Point
from core.people.acts import ACTS
from core.registry.acts import EnrolDevice
from frontend_api import setup_views as v
from frontend_api.accounts import Session
from frontend_api.guard import Call, Route, body
from frontend_api.problems import Problem, refused
from frontend_api.replica import Replica
from frontend_api.rules_worker import answered

MOST, REST_MS, LIMIT_S = 8, 60 * 60_000, 20.0
_MODULE = "integrations.modbus.unknown"
_ROUND = 6


class _Session(msgspec.Struct, kw_only=True):
    """Hold one unit that is looked at."""

    id: str
    person: str
    asked: v.ReadMap
    until_ms: int
    registers: list[int] = []
    decodings: list[Decoding] = []
    points: dict[str, Point] = {}


class UnknownMap:
    """Keep the units that are looked at; ask the worker that reads them."""

    def __init__(self, replica: Replica, data: Path) -> None:
        self.replica, self._data = replica, data
        self._sessions: dict[str, _Session] = {}
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1/unknown-map"
        return [
            Route("POST", base, self.read, "Read a unit whose map nobody knows",
                  reply=v.UnknownMapView, body=v.ReadMap),
            Route("GET", f"{base}/{{id}}", self.again,
                  "Read it again: live registers and every decoding",
                  reply=v.UnknownMapView),
            Route("POST", f"{base}/{{id}}/point", self.point,
                  "Match its display at zero or with span gas",
                  reply=v.UnknownMapView, body=v.MatchPoint),
            Route("POST", f"{base}/{{id}}/profile", self.profile,
                  "Make a profile of the site of one decoding",
                  reply=v.ProfileMade, body=v.MakeProfile),
        ]  # fmt: skip

    async def read(self, call: Call) -> v.UnknownMapView:
        """Read a unit for the first time."""
        self._require(call.session)
        asked: v.ReadMap = await body(call.request, v.ReadMap)
        self._age()
        if len(self._sessions) >= MOST:
            raise Problem("gateway.busy")
        found = _Session(
            id=chance.token_hex(8),
            person=call.session.person_id,
            asked=asked,
            until_ms=self.replica.now_ms() + REST_MS,
        )
        await self._live(found)
        self._sessions[found.id] = found
        return _shown(found)

    async def again(self, call: Call) -> v.UnknownMapView:
        """Read it again."""
        found = self._session(call)
        await self._live(found)
        return _shown(found)

    async def point(self, call: Call) -> v.UnknownMapView:
        """Take what the display shows beside what the registers hold now."""
        found = self._session(call)
        asked: v.MatchPoint = await body(call.request, v.MatchPoint)
        await self._live(found)
        found.points[asked.at] = Point(shown=asked.shown, registers=found.registers)
        if asked.at == "span" and "zero" in found.points:
            if found.points["zero"].shown == asked.shown:
                del found.points["span"]
                raise Problem("gateway.map_same_point")
        await self._ask(found, "decode")
        return _shown(found)

    async def profile(self, call: Call) -> v.ProfileMade:
        """Make the profile; what was not matched at both points is no evidence."""
        found = self._session(call)
        asked: v.MakeProfile = await body(call.request, v.MakeProfile)
        told = await self._ask(found, "profile", asked)
        return v.ProfileMade(
            profile=told.profile, evidence=told.evidence, bump_every_h=told.bump_every_h
        )

    # --- inside -----------------------------------------------------------------

    async def _live(self, found: _Session) -> None:
        await self._ask(found, "read")

    async def _ask(
        self, found: _Session, op: str, make: v.MakeProfile | None = None
    ) -> MapAnswer:
        asked = found.asked
        question = MapAsk(
            op=op,
            data=str(self._data),
            place=asked.place,
            unit=asked.unit,
            table=asked.table,
            first=asked.first,
            count=asked.count,
            baudrate=asked.baudrate,
            parity=asked.parity,
            registers=found.registers,
            points=found.points,
        )
        if make is not None:
            question.decoding, question.profile = make.decoding, make.profile
            question.zh, question.en = make.names.zh, make.names.en
            question.quantity, question.unit_text = make.quantity, make.unit
            question.full_scale = make.full_scale
            question.status, question.status_good = make.status, make.status_good
        try:
            async with asyncio.timeout(LIMIT_S), self._turn:
                data = msgspec.msgpack.encode(question)
                told = await answered(_MODULE, data, MapAnswer)
        except TimeoutError:
            raise Problem("gateway.map_unread", detail="") from None
        if told.problem:
            raise refused("gateway.map_unread", told.problem)
        if op != "profile":
            found.registers, found.decodings = told.registers, told.decodings
        return told

    def _session(self, call: Call) -> _Session:
        self._require(call.session)
        self._age()
        found = self._sessions.get(call.request.match_info["id"])
        if found is None or found.person != call.session.person_id:
            raise Problem("gateway.not_found")
        found.until_ms = self.replica.now_ms() + REST_MS
        return found

    def _age(self) -> None:
        now = self.replica.now_ms()
        for old in [e for e in self._sessions.values() if now >= e.until_ms]:
            del self._sessions[old.id]

    def _require(self, session: Session) -> None:
        verb = EnrolDevice.verb_
        roles = self.replica.roles(session.person_id)
        if not (ACTS[verb].roles_ & roles and session.may_act(verb)):
            raise Problem("gateway.not_allowed")


def _shown(found: _Session) -> v.UnknownMapView:
    asked, points = found.asked, found.points
    rows = [
        v.DecodingView(
            id=each.id,
            address=each.address,
            type=each.type,
            order=each.order,
            scale=each.scale,
            raw=each.raw,
            value=round(each.value, _ROUND),
            zero=each.at.get("zero"),
            span=each.at.get("span"),
            matches=list(each.matches),
        )
        for each in found.decodings
    ]
    return v.UnknownMapView(
        id=found.id,
        place=asked.place,
        unit=asked.unit,
        table=asked.table,
        registers=[
            v.RegisterView(address=asked.first + number, raw=raw)
            for number, raw in enumerate(found.registers)
        ],
        decodings=rows,
        zero=points["zero"].shown if "zero" in points else None,
        span=points["span"].shown if "span" in points else None,
        matched=any(set(row.matches) >= {"zero", "span"} for row in rows),
        until_ms=found.until_ms,
    )
