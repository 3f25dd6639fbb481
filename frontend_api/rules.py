"""Rules, drafts and blueprints for the page (R25): made, checked and compared here.

Reviewing and arming are acts of persons, which the core judges by itself.
"""

import asyncio
from pathlib import Path
from typing import Any

from core.config import Rule
from core.logic.events import RunStarted
from core.logic.state import run_key
from core.people.acts import ACTS, ROLES
from core.processes import drafts
from core.processes.acts import ApproveConfig, SubmitConfig
from core.processes.drafts import Answer, Draft, Looser, RuleLines, Wish
from core.processes.state import Review
from frontend_api import rules_views as v
from frontend_api.accounts import Session
from frontend_api.guard import Call, Route, body
from frontend_api.names import Names, text
from frontend_api.past import Past
from frontend_api.problems import Problem, refused
from frontend_api.replica import Kept, Replica
from frontend_api.rules_worker import Worker
from frontend_api.views import Text

#: Starts of runs that are looked up once, for when each rule last fired.
_STARTS = 500
_MS = 1_000_000
#: Fields of a draft that the page shows as they are.
_AS_IS = (
    *("id", "kind", "rule", "made_ms", "hash", "base", "two", "life_safety"),
    *("blueprint", "version", "was_version", "signer", "mode", "given"),
)
_TOLD_BY_LINES = frozenset({"steps", "triggers", "condition", "closes", "values"})


class Rules:
    """Answer reads about rules; let the worker make drafts."""

    def __init__(self, replica: Replica, past: Past, data: Path) -> None:
        self.replica, self.names = replica, Names(replica)
        self._past, self._data = past, data
        self.worker = Worker(replica, data)
        self._book: tuple[str, Answer] | None = None
        """What the worker told of the bundle with this hash."""
        self._fired: dict[str, int] = {}
        self._looked = False
        replica.on_event.append(self._heard)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1"
        return [
            Route("GET", f"{base}/rulebook", self.book,
                  "Armed rules with their pins, and drafts", reply=v.RuleBook),
            Route("GET", f"{base}/blueprints", self.blueprints,
                  "Blueprints, and what their inputs may name", reply=v.Blueprints),
            Route("POST", f"{base}/blueprints", self.upload,
                  "Bring a blueprint into the hub", reply=v.Uploaded,
                  body=v.UploadBody),
            Route("POST", f"{base}/drafts", self.draft,
                  "Make and check a draft of a rule; arms nothing",
                  reply=v.DraftView, body=v.DraftBody),
            Route("GET", f"{base}/drafts/{{id}}", self.one, "One draft",
                  reply=v.DraftView),
            Route("DELETE", f"{base}/drafts/{{id}}", self.drop, "Forget a draft"),
        ]  # fmt: skip

    # --- rules ------------------------------------------------------------------

    async def book(self, call: Call) -> v.RuleBook:
        """Show every armed rule and every draft."""
        told = await self._told()
        await self._look()
        lines = {each.id: each for each in told.rules}
        rules = [
            self._card(rule, lines.get(rule.id)) for rule in self.replica.bundle.rules
        ]
        made = await asyncio.to_thread(drafts.every, self._data)
        return v.RuleBook(
            hash=self.replica.state.hub.config_hash,
            rules=rules,
            drafts=[self.shown(each) for each in made if each.kind != drafts.HOST],
            unprotected=[
                text(
                    "rules.unprotected",
                    {"rule": rule.names, "zone": place.names, "mode": place.mode},
                )
                for rule in rules
                for place in rule.places
                if not place.protected
            ],
            may_draft=self._may(call.session, SubmitConfig.verb_),
            may_review=self._may(call.session, ApproveConfig.verb_),
            problem=words(told.problem) if told.problem else None,
        )

    async def blueprints(self, _: Call) -> v.Blueprints:
        """Show what a rule can be made of, with the site's own words to choose."""
        told = await self._told()
        bundle = self.replica.bundle
        return v.Blueprints(
            items=told.cards,
            zones=[v.Choice(id=z.id, names=words(z.names)) for z in bundle.site.zones],
            chains=[v.Choice(id=c.id, names=Text(c.id, c.id)) for c in bundle.chains],
            roles=list(ROLES),
            quantities=[
                v.Choice(id=each, names=self.names.quantity(each))
                for each in self._quantities(told)
            ],
            permit_kinds=[
                v.Choice(id=k.id, names=words(k.names)) for k in bundle.permit_kinds
            ],
            problem=words(told.problem) if told.problem else None,
        )

    def _quantities(self, told: Answer) -> list[str]:
        """Return the site's quantities, the devices' own, and those of defaults."""
        found = {quantity.id for quantity in self.replica.bundle.quantities}
        entities = self.replica.state.registry.entities.values()
        found |= {entity.declared.quantity for entity in entities}
        for given in (i for card in told.cards for i in card.inputs):
            if given.kind == "quantity" and given.default is not None:
                several = isinstance(given.default, list)
                found |= set(given.default if several else [given.default])
        return sorted(found - {""})

    async def _told(self) -> Answer:
        """Return what the worker says of the bundle in force; asked once for it."""
        digest = self.replica.bundle_hash
        if self._book is None or self._book[0] != digest:
            self._book = digest, await self.worker.ask("book")
        return self._book[1]

    def _card(self, rule: Rule, lines: RuleLines | None) -> v.RuleCard:
        runs = self.replica.state.runs.open.values()
        earlier = self.replica.state.hub.earlier.get(rule.id)
        does = zip(lines.zh, lines.en, strict=True) if lines else ()
        return v.RuleCard(
            id=rule.id,
            names=words(rule.names),
            life_safety=rule.life_safety,
            blueprint=rule.blueprint,
            version=rule.version,
            hash=rule.blueprint_hash,
            signer=rule.signer,
            own=rule.made == "hub",
            mode=self._mode(rule, ""),
            places=self._places(rule),
            given=dict(rule.given),
            does=[Text(zh, en) for zh, en in does],
            newer=lines.newer if lines else "",
            earlier=earlier.version if earlier else "",
            open_runs=sum(run.rule == rule.id for run in runs),
            last_fired_ms=self._fired.get(rule.id),
        )

    def _mode(self, rule: Rule, zone_id: str) -> str:
        """Return a rule's mode in a zone, as the core answers it."""
        told = self.replica.state.runs.modes
        for key in (zone_id, ""):
            if (mode := told.get(run_key(rule.id, key))) is not None:
                return mode
        return rule.zone_modes.get(zone_id, rule.mode)

    def _places(self, rule: Rule) -> list[v.PlaceMode]:
        """Return the modes by zone, where they are not all the same."""
        named = {zone for trigger in rule.triggers for zone in _zones(trigger.fields)}
        site = [zone.id for zone in self.replica.bundle.site.zones]
        zones = site if not named or "all" in named else [z for z in site if z in named]
        modes = {zone: self._mode(rule, zone) for zone in zones}
        return [
            v.PlaceMode(
                zone_id=zone,
                names=self.names.zone(zone),
                mode=mode,
                protected=not rule.life_safety or mode == "enforce",
            )
            for zone, mode in modes.items()
        ]

    # --- last fired -------------------------------------------------------------

    def _heard(self, kept: Kept) -> None:
        if isinstance(kept.body, RunStarted):
            self._fired[kept.body.rule] = kept.envelope.wall_ns // _MS

    async def _look(self) -> None:
        """Look once at what fired before this gateway's life."""
        if self._looked or not self.replica.state.seq:
            return
        self._looked = True
        seq = self.replica.state.seq + 1
        older = await asyncio.to_thread(self._past.before, seq, _STARTS, "run.started")
        for kept in older:
            if isinstance(kept.body, RunStarted):
                at = kept.envelope.wall_ns // _MS
                self._fired.setdefault(kept.body.rule, at)

    # --- drafts -----------------------------------------------------------------

    async def upload(self, call: Call) -> v.Uploaded:
        """Check a blueprint and keep it."""
        self._require(call.session)
        given: v.UploadBody = await body(call.request, v.UploadBody)
        told = await self.worker.ask(
            "import", text=given.text, signature=given.signature
        )
        if told.problem:
            raise refused("gateway.blueprint_refused", told.problem)
        self._book = None
        return v.Uploaded(card=told.cards[0])

    async def draft(self, call: Call) -> v.DraftView:
        """Make a draft of one rule."""
        self._require(call.session)
        asked: v.DraftBody = await body(call.request, v.DraftBody)
        wish = Wish(
            kind=asked.kind,
            rule=asked.rule,
            blueprint=asked.blueprint,
            given=asked.given,
            mode=asked.mode,
            zone_modes=asked.zone_modes,
            note=asked.note,
        )
        told = await self.worker.ask("draft", by=call.session.person_id, wish=wish)
        if told.draft is None:
            if told.problem is None:
                raise Problem("gateway.draft_failed", detail="")
            raise refused("gateway.draft_failed", told.problem)
        if asked.instead:
            await asyncio.to_thread(drafts.remove, self._data, asked.instead)
        return self.shown(told.draft)

    async def one(self, call: Call) -> v.DraftView:
        """Show one draft."""
        wanted = call.request.match_info["id"]
        for draft in await asyncio.to_thread(drafts.every, self._data):
            if draft.id == wanted:
                return self.shown(draft)
        raise Problem("gateway.not_found")

    async def drop(self, call: Call) -> None:
        """Forget a draft; what was said of it stays in the journal."""
        self._require(call.session)
        wanted = call.request.match_info["id"]
        if not await asyncio.to_thread(drafts.remove, self._data, wanted):
            raise Problem("gateway.not_found")

    def shown(self, draft: Draft) -> v.DraftView:
        """Return a draft as it stands now: against what is armed, and its review."""
        return v.DraftView(
            **{name: getattr(draft, name) for name in _AS_IS},
            **self._said(draft, self.replica.state.hub.reviews.get(draft.hash)),
            by=self.names.person(draft.by),
            problems=[words(each) for each in draft.problems],
            tests=[
                v.TestView(
                    names=Text(e.zh, e.en), problems=list(map(words, e.problems))
                )
                for e in draft.tests
            ],
            diff=[v.LineView(sign=e.sign, text=Text(e.zh, e.en)) for e in draft.diff],
            looser=[self._looser(each) for each in draft.looser],
            looks=[
                v.LooksView(
                    names=Text(e.zh, e.en),
                    zone=self.names.zone(e.zone_id) if e.zone_id else None,
                    devices=list(e.devices),
                )
                for e in draft.looks
            ],
        )

    def _said(self, draft: Draft, review: Review | None) -> dict[str, Any]:
        """Return what persons said of a draft, and where that leaves it."""
        standing = self._standing(draft, review)
        if review is None:
            review = Review(base="", by="", signed=False)
        answered = review.rejected_by or review.approved_by
        return {
            "standing": standing,
            "note": review.note or draft.note,
            "submitted_by": review.by,
            "approved_by": review.approved_by,
            "answered": self.names.person(answered) if answered else None,
            "answer": review.answer,
            "signed": review.signed
            and (review.approved_signed or not review.approved_by),
        }

    def _looser(self, found: Looser) -> Text:
        """Say what is looser; a rule's own parts stand line by line beside it."""
        part = found.path.rpartition(".")[2]
        if found.part == "rule" and part in _TOLD_BY_LINES:
            return text(f"rules.looser.{part}", {"rule": self.names.rule(found.about)})
        params = {each: getattr(found, each) for each in found.__struct_fields__}
        return text(f"loosening.{found.part}", params)

    def _standing(self, draft: Draft, review: Review | None) -> str:
        force = self.replica.state.hub.config_hash
        if not draft.hash:
            return "failed"
        if draft.hash == force:
            return "armed"
        if draft.base != force:
            return "outdated"
        if review is None or review.base != draft.base:
            return "checked"
        if review.rejected_by:
            return "rejected"
        return "approved" if review.approved_by else "submitted"

    # --- who ----------------------------------------------------------------------

    def _may(self, session: Session, verb: str) -> bool:
        roles = self.replica.roles(session.person_id)
        return bool(ACTS[verb].roles_ & roles) and session.may_act(verb)

    def _require(self, session: Session) -> None:
        if not self._may(session, SubmitConfig.verb_):
            raise Problem("gateway.not_allowed")


def words(names: Any) -> Text:
    """Return a bundle's names as a text."""
    return Text(names.zh, names.en)


def _zones(fields: dict[str, Any]) -> tuple[str, ...]:
    value = fields.get("zone", ())
    return tuple(value) if isinstance(value, tuple | list) else (str(value),)
