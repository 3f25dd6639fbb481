"""The law for the permit pages: kinds of the packs in force, and a permit's file."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from core.names import Names
from core.permits import chain
from core.permits.acts import CheckPermit
from core.permits.attachments import Recordings
from core.permits.checklist import Question, at_application, questions
from core.permits.conflicts import Conflicts
from core.permits.entries import Entries
from core.permits.facts import FACTS
from core.permits.forms import OWN
from core.permits.gas_tests import GasTests
from core.permits.isolation import Isolation
from core.permits.life_facts import GateFacts, LifeFacts
from core.permits.pack import Field, Kind, Pack, Phase, Signature
from core.permits.pack_rules import compile_rules
from core.permits.packs import Ruled, digest_of
from core.permits.people_facts import PeopleFacts
from core.permits.state import PermitRecord
from core.permits.surroundings import Surroundings
from core.permits.view import Open
from core.permits.view import PermitView as Shown
from frontend_api import law_views as v
from frontend_api.acts import Acts
from frontend_api.guard import Call, Route
from frontend_api.names import known, text
from frontend_api.permit_file import permit_file
from frontend_api.problems import Problem
from frontend_api.replica import Replica
from frontend_api.views import Text

#: Facts that a source of the core tells, so that nobody is asked for them.
DERIVED: Final = frozenset().union(
    *(LifeFacts.names, GateFacts.names, PeopleFacts.names, GasTests.names),
    *(Isolation.names, Entries.names, Conflicts.names, Surroundings.names),
    Recordings.names,
)
_AHEAD: Final = "book_ahead_h"


def words(names: Names) -> Text:
    """Return a pack's names as a text."""
    return Text(names.zh, names.en)


def fact_words(name: str) -> Text:
    """Return the words of a fact."""
    return text(known(f"fact.{name}", "gateway.code_itself"), {"code": name})


def choice(prefix: str, name: str) -> v.ChoiceView:
    """Return a choice with its words, where it has some."""
    code = known(f"{prefix}.{name}", f"choice.{name}", "gateway.code_itself")
    return v.ChoiceView(id=name, names=text(code, {"code": name}))


def question(asked: Question) -> v.QuestionView:
    """Return a question with its words."""
    return v.QuestionView(
        fact=asked.fact,
        names=fact_words(asked.fact),
        type=asked.type,
        unit=asked.unit,
        low=asked.low,
        high=asked.high,
        choices=[choice(f"fact.{asked.fact}", each) for each in asked.choices],
        content=asked.content,
    )


def _field(field: Field) -> v.FieldView:
    return v.FieldView(
        id=field.id,
        type=field.type,
        names=words(field.names),
        unit=field.unit,
        choices=[choice("choice", each) for each in field.choices],
        required=field.required,
        repeats=field.repeats,
        low=field.low,
        high=field.high,
        own=field.id in OWN,
    )


def slots(pack: Pack, kind: Kind) -> list[v.SlotView]:
    """Return a kind's chain of signatures with its words."""
    form = pack.form(kind.form)
    signed: dict[str, Signature] = {s.id: s for s in form.signatures} if form else {}
    roles = {role.id: words(role.names) for role in pack.roles}
    return [
        v.SlotView(
            id=slot.id,
            names=words(signed[slot.id].names)
            if slot.id in signed
            else _role(roles, slot),
            role=_role(roles, slot),
            roles=sorted(slot.acts_as),
            phase=str(slot.phase),
            approves=slot.approves,
            on_site=slot.on_site,
            delegable=slot.delegable,
            lead=slot.lead,
        )
        for slot in chain.chain(pack, kind)
    ]


def _role(roles: dict[str, Text], slot: chain.Slot) -> Text:
    return roles.get(slot.role, Text(slot.role, slot.role))


def _card(pack: Pack, kind: Kind) -> dict[str, object]:
    ahead = pack.setting(_AHEAD)
    return {
        "id": kind.id,
        "pack": pack.id,
        "names": words(kind.names),
        "pack_names": words(pack.names),
        "family": kind.family,
        "grade": kind.grade,
        "rank": kind.rank,
        "clause": kind.clause,
        "test_names": words(kind.test_names) if kind.test_names else None,
        "hours": pack.hours(kind),
        "book_ahead_h": ahead.value if ahead is not None else 0.0,
        "guardian": kind.guardian.required,
    }


@lru_cache(64)
def kind_law(pack: Pack, kind_id: str) -> v.KindLaw | None:
    """Return all that a kind of a pack asks for; None: no such kind."""
    kind = pack.kind(kind_id)
    if kind is None:
        return None
    form = pack.form(kind.form)
    ruled = Ruled(pack, kind, compile_rules(pack, kind))
    read = frozenset().union(*ruled.rules.facts.values())
    return v.KindLaw(
        **_card(pack, kind),  # type: ignore[arg-type]
        trades=list(kind.trades),
        gases=list(kind.gas.gases) if kind.gas else [],
        places=list(kind.gas.places) if kind.gas else [],
        gas_age_min=kind.gas.age_start_min if kind.gas else None,
        entry_log="count_inside" in ruled.rules.facts[Phase.CLOSE]
        or "entry_log_open" in read,
        duties=[words(each) for each in kind.guardian.duties],
        fields=[_field(each) for each in form.fields] if form else [],
        measures=[
            v.MeasureView(
                id=each.id,
                names=words(each.names),
                clause=each.clause,
                free_text=each.free_text,
            )
            for each in (form.measures if form else ())
        ],
        slots=slots(pack, kind),
        questions=[question(q) for q in questions(at_application(ruled, DERIVED))],
    )


@lru_cache(8)
def _read(data: bytes) -> Pack | None:
    try:
        return msgspec.msgpack.decode(data, type=Pack)
    except msgspec.MsgspecError:
        return None


class Law:
    """Answer reads about the law and about one permit under it."""

    def __init__(self, replica: Replica, acts: Acts) -> None:
        self.replica, self.acts = replica, acts

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1"
        return [
            Route("GET", f"{base}/permit_kinds", self.kinds,
                  "Kinds of permit of the packs in force", reply=v.KindCards),
            Route("GET", f"{base}/permit_kinds/{{id}}", self.kind,
                  "All that a kind of permit asks for", reply=v.KindLaw),
            Route("GET", f"{base}/permits/{{id}}/file", self.file,
                  "A legal permit whole: what is due, missing, open, signed",
                  reply=v.PermitFile),
        ]  # fmt: skip

    async def kinds(self, _: Call) -> v.KindCards:
        """List the kinds that may be booked."""
        cards = [
            v.KindCard(**_card(pack, kind))  # type: ignore[arg-type]
            for pack in self.replica.bundle.packs
            for kind in pack.kinds
        ]
        return v.KindCards(items=cards)

    async def kind(self, call: Call) -> v.KindLaw:
        """Tell what a kind asks for."""
        kind_id = call.request.match_info["id"]
        for pack in self.replica.bundle.packs:
            found = kind_law(pack, kind_id)
            if found is not None:
                return found
        raise Problem("gateway.not_found")

    async def file(self, call: Call) -> v.PermitFile:
        """Show a permit by the version of the law that it pins."""
        permit_id = call.request.match_info["id"]
        permit = self.replica.state.permits.permits.get(permit_id)
        if permit is None or not permit.life.pack:
            raise Problem("gateway.not_found")
        pack = self._pack(permit)
        law = kind_law(pack, permit.kind) if pack is not None else None
        if pack is None or law is None:
            raise Problem("permit.pack_unreadable", permit=permit_id)
        person_id = call.session.person_id
        check = CheckPermit(permit_id=permit_id)
        reply = await self.acts.ask(person_id, CheckPermit.verb_, check)
        shown = msgspec.json.decode(str(reply.result["view"]), type=Shown)
        asked = [question(q) for q in questions(_known(shown.missing_facts))]
        opened = [self._open(pack, each) for each in shown.open]
        guard = self.replica.state.permits.asked.get(permit_id)
        waits = guard is not None and guard.placed is None
        return permit_file(
            permit,
            shown,
            law,
            asked=asked,
            opened=opened,
            me=(person_id, frozenset(self.replica.roles(person_id))),
            asked_guardian=guard.person_id if guard is not None and waits else "",
            register=self.replica.state.permits.isolation,
        )

    def _pack(self, permit: PermitRecord) -> Pack | None:
        data = self.replica.state.permits.packs.data.get(permit.life.pack)
        if data is not None:
            return _read(data)
        packs = self.replica.bundle.packs
        return next((p for p in packs if digest_of(p) == permit.life.pack), None)

    def _open(self, pack: Pack, found: Open) -> v.OpenView:
        rule_id = found.name.removeprefix("rule.")
        rule = next((r for r in pack.rules if r.id == rule_id), None)
        code = known(f"open.{found.name}", "gateway.code_itself")
        names = words(rule.names) if rule else text(code, {"code": found.name})
        why = "" if rule else found.why
        return v.OpenView(
            name=found.name,
            names=names,
            clause=rule.clause if rule else "",
            why=why,
            truth=found.truth,
            action=found.action,
            aq=found.aq,
            facts=[
                v.FactView(
                    fact=name,
                    names=fact_words(name),
                    value=value,
                    unit=FACTS[name].unit if name in FACTS else "",
                )
                for name, value in found.facts.items()
            ],
        )


def _known(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in FACTS)
