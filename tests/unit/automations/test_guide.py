"""The guide to blueprints shows what the program accepts."""

import re
from pathlib import Path

import pytest

from automations import vectors
from automations.blueprint import from_document
from core.api.documents import parse
from tests.support.rules import played

DOCS = Path(__file__).resolve().parents[3] / "docs"
GUIDES = ("blueprints.md", "blueprints.zh-CN.md")
EMPTY = """\
on_unknown: fault
triggers: [{trigger: manual}]
actions: [{action: notify, roles: [supervisor], code: notice.rule.wind}]
"""
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guides_blueprint_passes_its_own_tests(guide: str) -> None:
    """From a blank file to a tested blueprint."""
    text = BLOCK.findall((DOCS / guide).read_text("utf-8"))[0]
    blueprint = from_document(parse(text, "solvent-room.yaml"))
    outcomes = vectors.run_all(blueprint)
    assert len(outcomes) == 2
    assert [each.problems for each in outcomes] == [(), ()]


def test_both_languages_have_the_same_examples_and_sections() -> None:
    """What is mended in one language is mended in the other."""
    texts = [(DOCS / guide).read_text("utf-8") for guide in GUIDES]
    assert BLOCK.findall(texts[0]) == BLOCK.findall(texts[1])
    heads = [len(re.findall(r"^## ", text, re.MULTILINE)) for text in texts]
    assert heads[0] == heads[1]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_names_every_word_of_a_test(guide: str) -> None:
    """A word that a script may use and the guide does not tell is no use."""
    text = (DOCS / guide).read_text("utf-8")
    stage = played(EMPTY, [], zones={"a": {}})
    words = {*vectors._WORDS, *stage._acts()}
    assert not [word for word in sorted(words) if f"`{word}`" not in text]
