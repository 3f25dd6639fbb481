"""A phone's questions come from the pack's rules."""

import pytest

from automations.packs.compile import find, load, shipped
from core import texts
from core.permits.checklist import (
    at_application,
    needed_facts,
    questions,
)
from core.permits.facts import CONTENT, FACTS
from core.permits.pack import Phase
from core.permits.pack_rules import compile_rules
from core.permits.packs import Ruled

PACKS = {name: load(find(name)) for name in shipped()}
HAZCHEM = PACKS["cn-hazchem"]
TOLD = frozenset({"valid_left_min", "gas_age_min", "wind_ms"})


def ruled(kind_id: str) -> Ruled:
    kind = HAZCHEM.kind(kind_id)
    assert kind is not None
    return Ruled(HAZCHEM, kind, compile_rules(HAZCHEM, kind))


def test_a_checklist_holds_what_only_people_tell() -> None:
    hot = ruled("hot-1")
    asked = needed_facts(hot, Phase.START, TOLD)
    assert asked
    assert set(asked) == hot.rules.facts[Phase.START] - TOLD
    assert list(asked) == sorted(asked, key=list(FACTS).index)
    assert needed_facts(hot, Phase.START, FACTS) == ()
    content = at_application(hot, TOLD)
    assert "fire_area" in content
    assert set(content) <= CONTENT
    assert "fire_area" not in at_application(hot, {"fire_area"})


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("phase", list(Phase))
def test_each_question_has_its_words(name: str, phase: Phase) -> None:
    pack = PACKS[name]
    for kind in pack.kinds:
        one = Ruled(pack, kind, compile_rules(pack, kind))
        names = needed_facts(one, phase, ())
        for each in questions(names):
            codes = [f"fact.{each.fact}"]
            codes += [f"fact.{each.fact}.{choice}" for choice in each.choices]
            for code in codes:
                assert set(texts.catalogue()[code]) == set(texts.LANGUAGES)
            assert each.content == (each.fact in CONTENT)
