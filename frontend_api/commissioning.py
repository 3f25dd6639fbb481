"""Each zone's sheet of causes and effects, for the page that proves a zone."""

from core.api.reading import Value
from core.people.acts import ACTS
from core.registry import commissioning_sheet as sheets
from core.registry.commissioning_acts import BeginCommission, SignCommission, TickLine
from core.registry.commissioning_state import ZoneSheet
from core.registry.declared import Rules
from frontend_api.accounts import Session
from frontend_api.guard import Call, Route
from frontend_api.names import Names, text
from frontend_api.problems import Problem
from frontend_api.replica import MS, Replica
from frontend_api.views import Text, View


class StepTickView(View):
    """Show one line of a detector's row."""

    step: str
    """gas, reading, alarm, hold, siren or message, in this order."""
    names: Text
    done: bool
    by_journal: bool
    """True: the journal itself shows it; nobody ticks it."""
    by: Text | None
    """Who said so; None while it is not done, or where the journal shows it."""
    at_ms: int
    evidence: list[str]
    """Ids of the events that show it."""
    value: Value
    note: str


class SheetRowView(View):
    """Show one detector of a zone's sheet."""

    entity_id: str
    device_id: str
    names: Text
    device: Text
    quantity: Text
    unit: str
    under_test: bool
    """True: it has test gas now."""
    gas: str
    steps: list[StepTickView]


class ZoneSheetView(View):
    """Show how far a zone is proved; only a signed sheet makes it protected."""

    zone_id: str
    names: Text
    state: str
    """none, testing, ready (all is shown, nobody has signed), protected, changed."""
    sheet: str
    """Fingerprint of the sheet as it stands: the signature names it."""
    begun_by: Text | None
    begun_ms: int
    signed_by: Text | None
    signed_ms: int
    why: Text | None
    """Why it is not protected any more."""
    changed: list[Text]
    """What is not as it was proved."""
    changed_ms: int
    done: int
    total: int
    rows: list[SheetRowView]
    outputs: list[Text]
    """Sirens, lamps and voices that must be heard or seen."""


class ZoneSheets(View):
    """Show every zone's sheet."""

    items: list[ZoneSheetView]
    may_test: bool
    may_begin: bool
    may_sign: bool


class Commissioning:
    """Answer reads about what was proved of each zone."""

    def __init__(self, replica: Replica) -> None:
        self.replica, self.names = replica, Names(replica)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1/commissioning"
        return [
            Route("GET", base, self.every, "Every zone's sheet of causes and effects",
                  reply=ZoneSheets),
            Route("GET", f"{base}/{{id}}", self.one,
                  "One zone's sheet of causes and effects", reply=ZoneSheetView),
        ]  # fmt: skip

    async def every(self, call: Call) -> ZoneSheets:
        """Show all zones, those without detectors too."""
        bundle = self.replica.bundle
        rules = Rules(bundle)
        return ZoneSheets(
            items=[self.shown(zone.id, rules) for zone in bundle.site.zones],
            may_test=self._may(call.session, TickLine.verb_),
            may_begin=self._may(call.session, BeginCommission.verb_),
            may_sign=self._may(call.session, SignCommission.verb_),
        )

    async def one(self, call: Call) -> ZoneSheetView:
        """Show one zone."""
        wanted = call.request.match_info["id"]
        if all(zone.id != wanted for zone in self.replica.bundle.site.zones):
            raise Problem("gateway.not_found")
        return self.shown(wanted)

    def shown(self, zone_id: str, rules: Rules | None = None) -> ZoneSheetView:
        """Return a zone's sheet as it stands."""
        state = self.replica.state.registry
        made = sheets.sheet(self.replica.bundle, state, zone_id, rules)
        done = state.commissioning.get(zone_id)
        known = done or ZoneSheet()
        lapsed = known.lapsed if not known.signed_by else ""
        return ZoneSheetView(
            zone_id=zone_id,
            names=self.names.zone(zone_id),
            state=sheets.standing(made, done),
            sheet=made.stamp,
            begun_by=self._person(known.begun_by),
            begun_ms=known.begun_wall_ns // MS,
            signed_by=self._person(known.signed_by),
            signed_ms=known.signed_wall_ns // MS,
            why=text(f"commission.lapsed.{lapsed}") if lapsed else None,
            changed=[self._changed(each) for each in known.changed] if lapsed else [],
            changed_ms=known.lapsed_wall_ns // MS if lapsed else 0,
            done=sheets.shown(made.rows, known),
            total=sum(len(row.steps) for row in made.rows),
            rows=[self._row(row, known) for row in made.rows],
            outputs=[
                self.names.entity(each.id) for each in sheets.outputs(state, zone_id)
            ],
        )

    def _row(self, row: sheets.Row, done: ZoneSheet) -> SheetRowView:
        declared = row.entity.declared
        under = bool(done.begun_by) and done.under == row.entity.id
        return SheetRowView(
            entity_id=row.entity.id,
            device_id=row.device.id,
            names=self.names.entity(row.entity.id),
            device=self.names.device(row.device.id),
            quantity=self.names.quantity(declared.quantity),
            unit=declared.unit,
            under_test=under,
            gas=done.gas if under else "",
            steps=[self._step(row, done, step) for step in row.steps],
        )

    def _step(self, row: sheets.Row, done: ZoneSheet, step: str) -> StepTickView:
        found = sheets.tick(done, row, step)
        return StepTickView(
            step=step,
            names=text(f"commission.step.{step}"),
            done=found is not None,
            by_journal=step in sheets.BY_JOURNAL,
            by=self._person(found.person_id) if found else None,
            at_ms=found.wall_ns // MS if found else 0,
            evidence=list(found.evidence) if found else [],
            value=found.value if found else None,
            note=found.note if found else "",
        )

    def _changed(self, what: str) -> Text:
        if what == "zone":
            return text("commission.changed.zone")
        if what in self.replica.state.registry.entities:
            return self.names.entity(what)
        return text("commission.changed.gone")

    def _person(self, person_id: str) -> Text | None:
        return self.names.person(person_id) if person_id else None

    def _may(self, session: Session, verb: str) -> bool:
        roles = self.replica.roles(session.person_id)
        return bool(ACTS[verb].roles_ & roles) and session.may_act(verb)
