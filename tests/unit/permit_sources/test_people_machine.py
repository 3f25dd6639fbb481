"""What is told of people follows every event, and nothing uncertain is ever told."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from core.api.reading import Value
from core.logic.truth import Truth
from core.people import acts
from core.people.acts import SetRoles
from core.permits.pack import Kind
from tests.support.sources import Sources, kind, pack

PEOPLE = st.sampled_from(["ann", "bob", "gil", "max"])
FIRMS = st.sampled_from(["north", "south"])
PLACES = st.sampled_from(["tank", "yard", "hall", "500,500,0"])
TRADES = st.sampled_from(["hot_work", "rigging"])
LAW = pack()
KINDS = (kind("hot_work", "rigging|crane"), kind(outside=True))


class Crew(RuleBasedStateMachine):
    """Change records, places and clocks; compare with a judgement made afresh."""

    @initialize()
    def begin(self) -> None:
        self.yard = Sources()
        self.yard.act_claim("sam")
        trades = {"ann": "hot_work"}
        self.yard.work("p", trades=trades, company="north")
        self.yard.work("q", workers=["max"], zone_id="hall", guardian_id="gil")
        self.cards: list[str] = []
        self.told: dict[str, dict[str, Value]] = {}

    @rule(person=PEOPLE, trade=TRADES, days=st.integers(0, 5))
    def card(self, person: str, trade: str, days: int) -> None:
        if self.yard.clock.trusted:
            act = acts.RecordCard(
                person_id=person,
                trade=trade,
                kind="special_operation",
                valid_to=self.yard.day(days),
                document="ab" * 32,
            )
            reply = self.yard.act("sam", act)
            if reply.ok:
                self.cards.append(str(reply.result["card_id"]))

    @precondition(lambda self: self.cards)
    @rule(pick=st.integers(0, 99), how=st.sampled_from(["lost", "unknown", "mismatch"]))
    def doubt(self, pick: int, how: str) -> None:
        card_id = self.cards[pick % len(self.cards)]
        if how == "lost":
            self.yard.act("sam", acts.WithdrawCard(card_id=card_id, code="lost"))
        else:
            act = acts.DoubtCard(card_id=card_id, verdict=how, source="r")  # type: ignore[arg-type]
            self.yard.act("sam", act)

    @rule(person=PEOPLE, topic=st.sampled_from(["guardian", "entry"]))
    def train(self, person: str, topic: str) -> None:
        self.yard.act("sam", acts.RecordTraining(person_id=person, topic=topic))

    @rule(firm=FIRMS, person=PEOPLE, days=st.integers(0, 5))
    def firm(self, firm: str, person: str, days: int) -> None:
        if self.yard.clock.trusted:
            valid_to = self.yard.day(days)
            act = acts.RecordCompany(company_id=firm, valid_to=valid_to)
            self.yard.act("sam", act)
        file = acts.RecordPerson(person_id=person, fields="ab" * 32, company_id=firm)
        self.yard.act("sam", file)

    @rule(firm=FIRMS)
    def end(self, firm: str) -> None:
        self.yard.act("sam", acts.EndCompany(company_id=firm))

    @rule(person=PEOPLE, roles=st.sampled_from([(), ("worker",), ("guardian",)]))
    def roles(self, person: str, roles: tuple[str, ...]) -> None:
        self.yard.act("sam", SetRoles(person_id=person, roles=roles))

    @rule(person=PEOPLE, place=PLACES, dead=st.booleans())
    def walk(self, person: str, place: str, dead: bool) -> None:
        (self.yard.dead.add if dead else self.yard.dead.discard)(person)
        self.yard.place(person, place)

    @rule(seconds=st.sampled_from([1, 12, 86_400, 3 * 86_400]))
    def wait(self, seconds: int) -> None:
        self.yard.clock.advance(seconds)
        self.yard.live(1)

    @rule(trusted=st.booleans(), step=st.sampled_from([0, -86_400, 86_400]))
    def clock(self, trusted: bool, step: int) -> None:
        self.yard.clock.trusted = trusted
        self.yard.clock.step_wall(step)

    @invariant()
    def kept_is_what_is_so(self) -> None:
        """Nothing that is kept outlives the record behind it."""
        for permit, each in zip(self.yard.permits(), KINDS, strict=True):
            told = self.yard.people.facts(permit, each, LAW)
            self.told[permit.id] = told
            self.only_certain(permit.id, each, told)
        self.yard.people.recover(clean=True)
        for permit, each in zip(self.yard.permits(), KINDS, strict=True):
            fresh = self.yard.people.facts(permit, each, LAW)
            assert self.told[permit.id] == fresh

    def only_certain(self, permit_id: str, of: Kind, told: dict[str, Value]) -> None:
        """Design §5 Truth: what is told good rests on GOOD evidence alone."""
        yard, permit = self.yard, self.yard.permit(permit_id)
        guardian = permit.guardian_id
        if told.get("guardian_present"):
            assert yard.kernel.people.on_site(guardian) is Truth.TRUE
        if told.get("guardian_trained"):
            assert yard.kernel.cards.trained(guardian, "guardian") is Truth.TRUE
            assert yard.kernel.access.roles(guardian)
        if told.get("card_valid"):
            assert yard.clock.trusted and told["card_required"]
            worker = permit.workers[0]
            assert yard.kernel.cards.valid(worker, "hot_work") is Truth.TRUE
        if told.get("workers_matched"):
            inside = yard.kernel.people.inside([permit.zone_id])
            named = {*permit.people(), permit.supervisor_id}
            roles = yard.kernel.access.roles
            strangers = {line.person_id for line in inside} - named
            officers = {p for p in strangers if "worker" not in roles(p)}
            assert strangers == (set() if of.guardian.outside else officers)


TestCrew = Crew.TestCase
TestCrew.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
