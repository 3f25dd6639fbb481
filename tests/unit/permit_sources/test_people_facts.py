"""What the hub tells of a permit's people (H2, H4; GB 30871 4.9, 4.10)."""

import pytest

from core.api.quality import Quality
from core.people import acts
from core.people.acts import SetRoles
from core.permits.lifecycle import PermitStatus
from core.permits.people_facts import GUARDIAN_LOST_S
from tests.support.sources import Sources, kind
from tests.support.yard import HOST


@pytest.fixture
def yard() -> Sources:
    return Sources()


class TestCards:
    def test_a_work_that_needs_no_trade_needs_no_card(self, yard: Sources) -> None:
        assert yard.about(yard.work("p"))["card_required"] is False

    def test_one_worker_with_the_kinds_trade_is_enough(self, yard: Sources) -> None:
        yard.card("bob")
        facts = yard.about(yard.work("p"), kind("hot_work"))
        names = ("required", "present", "trade_ok", "valid", "matches_person")
        assert all(facts[f"card_{name}"] is True for name in names)

    def test_either_of_two_trades_is_enough(self, yard: Sources) -> None:
        yard.card("bob", "electric_low")
        facts = yard.about(yard.work("p"), kind("electric|electric_low"))
        assert facts["card_trade_ok"] is True

    def test_no_card_is_no_expired_card(self, yard: Sources) -> None:
        """AQ 3064.2 A.4: 50, and not 51 or 52 as well."""
        facts = yard.about(yard.work("p"), kind("hot_work"))
        assert facts["card_present"] is False and facts["card_trade_ok"] is False
        assert "card_valid" not in facts and "card_matches_person" not in facts

    def test_another_trade_is_the_wrong_one(self, yard: Sources) -> None:
        yard.card("bob", "rigging")
        facts = yard.about(yard.work("p"), kind("hot_work"))
        assert facts["card_present"] is True and facts["card_trade_ok"] is False

    def test_each_worker_needs_the_trade_that_the_form_gives(
        self, yard: Sources
    ) -> None:
        yard.card("bob")
        permit = yard.work("p", trades={"ann": "hot_work"})
        assert yard.about(permit, kind("hot_work"))["card_trade_ok"] is False
        yard.card("ann")
        assert yard.about(permit, kind("hot_work"))["card_trade_ok"] is True

    def test_an_expired_card_is_present_and_not_valid(self, yard: Sources) -> None:
        yard.card("bob", days=1)
        permit = yard.work("p")
        yard.clock.advance(3 * 86_400)
        yard.advance(2)
        facts = yard.about(permit, kind("hot_work"))
        assert facts["card_present"] is True and facts["card_valid"] is False
        assert facts["card_matches_person"] is True

    def test_an_untrusted_clock_leaves_the_date_open(self, yard: Sources) -> None:
        yard.card("bob")
        yard.clock.trusted = False
        facts = yard.about(yard.work("p"), kind("hot_work"))
        assert "card_valid" not in facts and facts["card_matches_person"] is True

    @pytest.mark.parametrize(
        ("verdict", "value"), [("mismatch", False), ("unknown", None)]
    )
    def test_the_registrys_doubt_counts(
        self, yard: Sources, verdict: str, value: bool | None
    ) -> None:
        card_id = yard.card("bob")
        doubt = acts.DoubtCard(
            card_id=card_id,
            verdict=verdict,  # type: ignore[arg-type]
            source="registry",
        )
        assert yard.act("sam", doubt).ok
        facts = yard.about(yard.work("p"), kind("hot_work"))
        assert facts.get("card_matches_person") is value
        assert facts["card_present"] is True

    def test_a_withdrawn_card_tells_its_permits(self, yard: Sources) -> None:
        card_id = yard.card("bob")
        yard.work("p")
        yard.work(
            "q", workers=["max"], zone_id="hall", guardian_id="", supervisor_id=""
        )
        yard.told.clear()
        assert yard.act("sam", acts.WithdrawCard(card_id=card_id, code="lost")).ok
        assert yard.told == [["p"]]


class TestGuardian:
    def test_beside_the_zone_is_on_the_spot_and_outside(self, yard: Sources) -> None:
        yard.train("gil")
        facts = yard.about(yard.work("p"), kind(outside=True))
        assert facts["guardian_present"] is True and facts["guardian_outside"] is True
        assert facts["guardian_trained"] is True and facts["guardian_count"] == 1
        assert facts["guardian_sole_duty"] is True

    def test_inside_is_present_and_not_outside(self, yard: Sources) -> None:
        yard.place("gil", "tank")
        facts = yard.about(yard.work("p"), kind(outside=True))
        assert facts["guardian_present"] is True and facts["guardian_outside"] is False
        assert facts["guardian_count"] == 0

    @pytest.mark.parametrize("place", ["hall", "500,500,0"])
    def test_seen_elsewhere_is_away(self, yard: Sources, place: str) -> None:
        permit = yard.work("p")
        yard.told.clear()
        yard.place("gil", place)
        assert yard.about(permit)["guardian_present"] is False
        assert ["p"] in yard.told

    def test_a_lost_fix_is_no_absence(self, yard: Sources) -> None:
        yard.train("gil")
        permit = yard.work("p")
        yard.dead.add("gil")
        yard.live(15)
        facts = yard.about(permit)
        assert "guardian_present" not in facts and "guardian_outside" not in facts
        assert "guardian_count" not in facts

    @pytest.mark.parametrize("quality", sorted(set(Quality) - {Quality.GOOD}))
    def test_no_bad_fix_proves_a_guardian(
        self, yard: Sources, quality: Quality
    ) -> None:
        """Design §5 Truth: only GOOD proves safe."""
        permit = yard.work("p")
        yard.report(HOST, "tag-gil", "fix", "yard", quality)
        assert yard.about(permit).get("guardian_present") is not True

    def test_nobody_is_no_guardian(self, yard: Sources) -> None:
        facts = yard.about(yard.work("p", guardian_id=""))
        assert facts["guardian_present"] is False and facts["guardian_count"] == 0

    def test_untrained_or_out_of_date(self, yard: Sources) -> None:
        permit = yard.work("p")
        assert yard.about(permit)["guardian_trained"] is False
        yard.train("gil", days=1)
        assert yard.about(permit)["guardian_trained"] is True
        yard.clock.advance(3 * 86_400)
        assert yard.about(permit)["guardian_trained"] is False

    def test_a_guardian_who_works_elsewhere_has_another_duty(
        self, yard: Sources
    ) -> None:
        permit = yard.work("p")
        yard.work("q", workers=["gil"], guardian_id="max", zone_id="hall")
        assert yard.about(permit)["guardian_sole_duty"] is False

    def test_two_works_of_one_job_may_share_a_guardian(self, yard: Sources) -> None:
        permit = yard.work("p", job="j")
        other = yard.work("q", job="j", zone_id="yard", workers=["max"])
        assert yard.about(permit)["guardian_sole_duty"] is True
        other.life.job = "k"
        assert yard.about(permit)["guardian_sole_duty"] is False
        other.status = PermitStatus.COMPLETED
        assert yard.about(permit)["guardian_sole_duty"] is True

    def test_every_named_guardian_counts(self, yard: Sources) -> None:
        for person in ("gil", "max"):
            yard.train(person)
        permit = yard.work("p", guardians=["gil", "max"])
        assert yard.about(permit)["guardian_count"] == 2
        yard.place("max", "hall")
        assert yard.about(permit)["guardian_count"] == 1

    def test_only_a_lost_place_has_a_minute(self, yard: Sources) -> None:
        assert yard.people.reaction_s("guardian_present") == GUARDIAN_LOST_S
        assert yard.people.reaction_s("guardian_outside") == GUARDIAN_LOST_S
        assert yard.people.reaction_s("card_valid") is None


class TestInside:
    def test_those_on_the_permit_match(self, yard: Sources) -> None:
        assert yard.about(yard.work("p"))["workers_matched"] is True

    def test_a_stranger_inside_does_not(self, yard: Sources) -> None:
        permit = yard.work("p", workers=["ann"])
        assert yard.about(permit)["workers_matched"] is False

    def test_another_works_people_in_the_same_zone_match(self, yard: Sources) -> None:
        permit = yard.work("p", workers=["ann"])
        other = yard.work("q", workers=["bob"], guardian_id="max")
        assert yard.about(permit)["workers_matched"] is True
        other.status = PermitStatus.EXPIRED
        assert yard.about(permit)["workers_matched"] is False

    def test_a_lost_stranger_may_be_inside(self, yard: Sources) -> None:
        permit = yard.work("p", workers=["ann"])
        yard.dead.add("bob")
        yard.live(15)
        assert "workers_matched" not in yard.about(permit)

    def test_a_lost_worker_of_the_permit_spoils_nothing(self, yard: Sources) -> None:
        permit = yard.work("p")
        yard.dead.add("bob")
        yard.live(15)
        assert yard.about(permit)["workers_matched"] is True

    def test_an_officer_may_look_in_but_not_into_a_space(self, yard: Sources) -> None:
        permit = yard.work("p")
        yard.place("sam", "tank")
        assert yard.about(permit)["workers_matched"] is True
        assert yard.about(permit, kind(outside=True))["workers_matched"] is False

    def test_moving_in_and_out_tells_the_zones_permits(self, yard: Sources) -> None:
        yard.work("p")
        yard.work("q", zone_id="hall", workers=[], guardian_id="", supervisor_id="")
        yard.told.clear()
        yard.place("max", "tank")
        assert yard.told == [["p"]]
        yard.told.clear()
        yard.place("max", "hall")
        assert yard.told == [["p", "q"]]
        yard.told.clear()
        yard.place("max", "yard")
        assert yard.told == [["q"]]

    def test_a_person_whose_roles_ended_does_not_match(self, yard: Sources) -> None:
        yard.act_claim("max")
        permit = yard.work("p")
        yard.told.clear()
        assert yard.act("max", SetRoles(person_id="ann", roles=())).ok
        assert yard.about(permit)["workers_matched"] is False
        assert yard.told == [["p"]]


class TestCompanies:
    def test_unrecorded_people_tell_nothing(self, yard: Sources) -> None:
        facts = yard.about(yard.work("p"))
        assert "company_registered" not in facts and "contract_valid" not in facts

    def test_a_named_company_must_be_recorded(self, yard: Sources) -> None:
        permit = yard.work("p", company="north")
        assert yard.about(permit)["company_registered"] is False
        yard.firm("north", "ann")
        facts = yard.about(permit)
        assert facts["company_registered"] is True and facts["contract_valid"] is True

    def test_the_end_of_a_company_breaks_its_peoples_permits(
        self, yard: Sources
    ) -> None:
        yard.firm("north", "ann")
        permit = yard.work("p")
        yard.work(
            "q", workers=["max"], zone_id="hall", guardian_id="", supervisor_id=""
        )
        yard.told.clear()
        assert yard.act("sam", acts.EndCompany(company_id="north")).ok
        facts = yard.about(permit)
        assert facts["contract_valid"] is False and facts["workers_matched"] is False
        assert yard.told and all(each == ["p"] for each in yard.told)

    def test_everybody_needs_a_training_and_none_out_of_date(
        self, yard: Sources
    ) -> None:
        permit = yard.work("p", guardian_id="")
        yard.train("ann", "entry")
        assert yard.about(permit)["training_valid"] is False
        yard.train("bob", "entry", days=1)
        assert yard.about(permit)["training_valid"] is True
        yard.clock.advance(3 * 86_400)
        assert yard.about(permit)["training_valid"] is False
        yard.clock.trusted = False
        assert "training_valid" not in yard.about(permit)

    def test_a_new_day_is_told_to_all(self, yard: Sources) -> None:
        yard.work("p")
        yard.told.clear()
        yard.clock.advance(86_400)
        yard.advance(2)
        assert ["p"] in yard.told
