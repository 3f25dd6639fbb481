"""What the shipped packs hold: the law's numbers, codes and counts (domain facts)."""

import math

import pytest

from automations.packs.compile import find, load, shipped
from automations.packs.overlay import permit_kinds
from core import texts
from core.api.reading import Value
from core.logic.evaluate import names_of
from core.logic.truth import Truth
from core.permits.facts import FACTS, possible
from core.permits.gas_limits import Verdict, acceptance, acceptance_lel, judge
from core.permits.pack import ALARM_CODES, Action, Pack, Phase
from core.permits.pack_rules import (
    compile_rules,
    evaluate,
    grades,
    max_hours,
    own_rules,
    worst,
)

PACKS = {name: load(find(name)) for name in shipped()}
HAZCHEM = PACKS["cn-hazchem"]


def test_the_three_packs_and_their_kinds() -> None:
    """With the eight works there are at least 20 ready kinds."""
    assert set(PACKS) == {"cn-hazchem", "cn-construction", "us-osha"}
    assert len({kind.family for kind in HAZCHEM.kinds}) == 8
    eight_and_site = 8 + len(PACKS["cn-construction"].kinds)
    assert eight_and_site >= 20


@pytest.mark.parametrize(
    ("kind_id", "code", "hours", "role"),
    [
        ("hot-special", "01", 8, "company_lead"),
        ("hot-1", "02", 8, "safety_dept"),
        ("hot-2", "03", 72, "base_unit"),
        ("temp-power", "10", 360, "power_supplier"),
        ("height-1", "21", 168, "base_unit"),
        ("height-2", "22", 168, "specialist_dept"),
        ("height-3", "23", 168, "specialist_dept"),
        ("height-4", "24", 168, "chief_engineer"),
        ("dig", "30", None, "specialist_dept"),
        ("road", "40", None, "specialist_dept"),
        ("blind-plate", "50", None, "base_unit"),
        ("lift-1", "61", None, "chief_engineer"),
        ("lift-2", "62", None, "specialist_dept"),
        ("lift-3", "63", None, "specialist_dept"),
        ("confined", "70", 24, "base_unit"),
    ],
)
def test_the_table_of_grades(
    kind_id: str, code: str, hours: float | None, role: str
) -> None:
    """GB 30871-2022 B.1, AQ 3064.2 A.2; what the text leaves open is a setting."""
    kind = HAZCHEM.kind(kind_id)
    assert kind is not None
    assert kind.code == code
    assert kind.validity.hours == hours
    assert kind.approvers[-1].role == role
    if hours is None:
        setting = HAZCHEM.setting(kind.validity.setting)
        assert setting is not None
        assert setting.certainty == "L"
        assert HAZCHEM.hours(kind) == setting.value


@pytest.mark.parametrize(
    ("form", "count"),
    [
        ("hot", 16),
        ("confined", 15),
        ("blind-plate", 11),
        ("height", 15),
        ("lifting", 20),
        ("temp-power", 14),
        ("dig", 11),
        ("road", 4),
    ],
)
def test_the_measures_of_the_forms(form: str, count: int) -> None:
    """GB 30871-2022 annex A: how many measures, the last one free text."""
    found = HAZCHEM.form(form)
    assert found is not None
    assert len(found.measures) == count
    assert [each.free_text for each in found.measures] == [False] * (count - 1) + [True]
    assert all(each.clause for each in found.measures[:-1])
    fields = {field.id for field in found.fields}
    assert ("linked" in fields) == (form != "lifting")
    assert found.signatures[-1].phase is Phase.CLOSE


def test_the_alarm_codes_that_a_permit_can_break() -> None:
    """AQ 3064.2 A.4: all 22, the missing ones are none."""
    used = {rule.alarm for rule in HAZCHEM.rules} | {
        raised.alarm for kind in HAZCHEM.kinds for raised in kind.upgrades
    }
    assert len(ALARM_CODES) == len(set(ALARM_CODES)) == 22
    assert used - {""} == set(ALARM_CODES)


def test_the_hard_rules_are_all_there() -> None:
    """H1–H15; H13 stands in the kinds' own table."""
    ids = {rule.id for rule in HAZCHEM.rules}
    assert {f"H{n}" for n in range(1, 16)} - ids == {"H13"}
    raised = {k.id: len(k.upgrades) for k in HAZCHEM.kinds if k.upgrades}
    assert raised == {"hot-1": 4, "hot-2": 4}


def test_the_gaps_of_the_gas_tests() -> None:
    """G7, G8: 30 min at signing and start; 30 or 60 min of break."""
    gaps = {k.id: k.gas.retest_gap_min for k in HAZCHEM.kinds if k.gas}
    assert (gaps["hot-special"], gaps["hot-1"], gaps["hot-2"]) == (30, 30, 60)
    assert gaps["confined"] == 60
    for kind in HAZCHEM.kinds:
        if kind.gas:
            assert (kind.gas.age_sign_min, kind.gas.age_start_min) == (30, 30)


@pytest.mark.parametrize("name", PACKS)
def test_every_site_setting_is_marked_and_every_word_has_both_languages(
    name: str,
) -> None:
    pack = PACKS[name]
    assert any(setting.certainty == "L" for setting in pack.settings)
    named = [kind.names for kind in pack.kinds] + [rule.names for rule in pack.rules]
    named += [form.names for form in pack.forms]
    named += [setting.names for setting in pack.settings]
    assert all(names.zh and names.en for names in named)
    for rule in pack.rules:
        assert rule.clause


def test_every_fact_has_a_meaning_and_a_use() -> None:
    used: set[str] = set()
    for pack in PACKS.values():
        for kind in pack.kinds:
            rules = compile_rules(pack, kind)
            used.update(*rules.facts.values())
            for case in kind.validity.cases:
                used.update(names_of(case.when.node))
    assert used == set(FACTS)
    said = {c[5:] for c in texts.catalogue() if c.startswith("fact.")}
    words = {f"{f.name}.{word}" for f in FACTS.values() for word in f.choices}
    assert said == set(FACTS) | words
    for name in said:
        assert all(texts.catalogue()[f"fact.{name}"][one] for one in texts.LANGUAGES)


def test_what_cannot_be_is_unknown() -> None:
    age, area, on = FACTS["gas_age_min"], FACTS["fire_area"], FACTS["gas_tested"]
    assert possible(age, 0) and possible(age, 30.5)
    for bad in (-1, math.nan, math.inf, True, "30", None, 10**400):
        assert not possible(age, bad)
    assert possible(area, "other") and not possible(area, "Other")
    assert possible(on, False) and not possible(on, 1)
    assert not possible(FACTS["oxygen_vol"], 101)


# --- gas limits -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("gas", "lel"), [("ch4", 10.0), ("h2", 12.5), ("c3h8", 9.52), ("petrol", 14.29)]
)
def test_acceptance_goes_by_the_gas_own_lel(gas: str, lel: float) -> None:
    """The unit trap: one %LEL setting would be wrong for half of them."""
    limit = HAZCHEM.limit(gas)
    assert limit is not None
    found = acceptance_lel(limit)
    assert found is not None
    assert found == pytest.approx(lel, abs=0.01)


def test_without_a_lel_only_volume_proves() -> None:
    limit = HAZCHEM.limit("lel")
    assert limit is not None
    assert acceptance(limit) == 0.2
    assert acceptance_lel(limit) is None
    assert judge(limit, 1.0, "%LEL") is Verdict.UNKNOWN
    assert judge(limit, math.nan, "%vol") is Verdict.UNKNOWN
    assert judge(limit, 0.1, "bananas") is Verdict.UNKNOWN


# --- helpers for the life cycle -------------------------------------------------


def test_a_longer_validity_needs_its_case_to_be_true() -> None:
    """GB 30871 10.8: 15 days, 30 only where approved; UNKNOWN is not approved."""
    kind = HAZCHEM.kind("temp-power")
    assert kind is not None
    assert max_hours(HAZCHEM, kind, {"extension_approved": True}) == 720
    assert max_hours(HAZCHEM, kind, {"extension_approved": False}) == 360
    assert max_hours(HAZCHEM, kind, {}) == 360


def test_the_grade_of_a_work() -> None:
    facts: dict[str, Value] = {
        "height_m": 10,
        "height_factors": 1,
        "height_kind": "plain",
    }
    assert list(grades(HAZCHEM, "height", facts).values()) == [
        Truth.TRUE,
        Truth.TRUE,
        Truth.FALSE,
        Truth.FALSE,
    ]
    assert grades(HAZCHEM, "hot", {})["hot-2"] is Truth.UNKNOWN


def test_the_worst_action_and_the_wrong_rules() -> None:
    hot, confined = HAZCHEM.kind("hot-1"), HAZCHEM.kind("confined")
    assert hot is not None and confined is not None
    rules = compile_rules(HAZCHEM, hot)
    assert worst([]) is None
    found = evaluate(hot, rules, {"site_normal": False}, Phase.RUN)
    assert worst(found) is Action.EVACUATE
    assert worst(b for b in found if b.action is Action.HOLD) is Action.HOLD
    with pytest.raises(ValueError, match="rules of hot-1 asked about confined"):
        evaluate(confined, rules, {}, Phase.RUN)
    assert own_rules(hot)[0].id == "grade"


@pytest.mark.parametrize("name", PACKS)
def test_kinds_for_the_permit_room(name: str) -> None:
    """The room of today's permits can run the new kinds by their plain fields."""
    pack: Pack = PACKS[name]
    made = permit_kinds(pack)
    assert [kind.id for kind in made] == [kind.id for kind in pack.kinds]
    for kind in made:
        assert f"order.{kind.safe_state}" in texts.catalogue()
        assert kind.issuer_roles
        assert kind.valid_h > 0
