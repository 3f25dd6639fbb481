"""Every error of configuration is said in Chinese and in English (issue 4)."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import ConfigError
from core.api.said import Said, fill, lines, sentence
from core.texts import sentences as catalogue
from tests.support.sentences import constants, sentences

#: The sources are parsed once for all files of this folder.
pytestmark = pytest.mark.xdist_group("scan")

FOLDER = Path(catalogue.__file__).parent / "config"
FOREIGN: dict[str, str] = json.loads((FOLDER / "foreign.json").read_text("utf-8"))


def places(template: str) -> set[str]:
    """Return the names of a template's places."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def neutral(template: str) -> bool:
    """Say whether a template has no words of its own, such as a place in a file."""
    parts = string.Formatter().parse(template)
    return not any(each.isalpha() for text, *_ in parts for each in text)


def chinese(text: str) -> bool:
    """Say whether a text holds Chinese."""
    return any("\u4e00" <= each <= "\u9fff" for each in text)


def test_the_scan_finds_the_sentences() -> None:
    """The scan would be worth nothing if it found none."""
    assert len({each.text for each in sentences()}) > 400


def test_no_error_is_an_f_string() -> None:
    """A sentence filled where it is raised cannot be said in another language."""
    assert [f"{e.where}: {e.text}" for e in sentences() if e.filled] == []


def test_every_sentence_has_chinese() -> None:
    """What is raised, and what a table holds, stands in core/texts/config."""
    known = catalogue.chinese().keys() | FOREIGN.keys()
    missing = {
        each.where: each.text
        for each in sentences()
        if not each.filled
        and each.text
        and each.text not in known
        and not (each.said and neutral(each.text))
    }
    assert missing == {}


def test_every_chinese_sentence_is_used() -> None:
    """A sentence that nothing says any more goes."""
    assert sorted(catalogue.chinese().keys() - constants()) == []


def test_both_languages_take_the_same_parameters() -> None:
    """A place that only one language has would stay open, or lose a fact."""
    filled = {each.text for each in sentences() if each.said}
    for english, said in catalogue.chinese().items():
        if english in filled:
            assert places(said) == places(english), english
        assert chinese(said) or neutral(english), english
    for english, said in FOREIGN.items():
        # What a library says too much of may be left out.
        assert places(said) <= places(english), english
        assert chinese(said), english


class Awkward:
    """Refuse to be shown."""

    def __str__(self) -> str:
        raise ValueError("no")

    __repr__ = __str__


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just(5000).map(lambda digits: 10**digits)
    | st.builds(Awkward)
    | st.builds(ConfigError, st.text())
    | st.builds(ValueError, st.text())
    | st.builds(Said, st.text())
    | st.builds(OSError, st.integers(), st.text()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("zh", "en", "x")), inner, max_size=3)
        | st.builds(
            Said, st.sampled_from(["{a} {b!r}", "{a:g}", "{c}"]), a=inner, b=inner
        )
    ),
    max_leaves=6,
)


@given(template=st.sampled_from(sorted(catalogue.chinese())), data=st.data())
def test_saying_never_raises(template: str, data: st.DataObject) -> None:
    """Whatever the parameters hold: a message is never worth an exception."""
    params = {name: data.draw(VALUES) for name in places(template)}
    said = Said(template, **params)
    for language in ("en", "zh"):
        assert isinstance(catalogue.say(said, language), str)
        assert isinstance(catalogue.say(ConfigError(said), language), str)


@given(template=st.text(), value=VALUES)
def test_no_template_raises(template: str, value: object) -> None:
    """Even a template that is none stays readable."""
    assert isinstance(Said(template, a=value), str)
    assert isinstance(catalogue.say(Said(template), "zh"), str)


def test_a_cause_is_said_in_the_same_language() -> None:
    """A message that embeds another says both in one language."""
    inner = ConfigError(Said("{value!r} is no number", value="x"))
    outer = Said("{file}: {bad}; publish that version again", file="f", bad=inner)
    assert outer == "f: 'x' is no number; publish that version again"
    assert catalogue.say(outer, "zh") == "f：'x' 不是数字；请重新发布该版本"


def test_data_is_never_said_anew() -> None:
    """An id that happens to be one of our words stays the id."""
    assert catalogue.say(Said("there is no {instance!r}", instance="zone"), "zh") == (
        "没有 'zone'"
    )
    assert catalogue.say(Said("no role {role!r} in this pack", role="text"), "zh")
    known = Said("known: {words}", words=["zone", "level"])
    assert catalogue.say(known, "zh") == "已知：zone、level"


def test_a_list_is_joined_as_the_language_does() -> None:
    """An empty one says so."""
    assert Said("known: {words}", words=[]) == "known: none"
    assert catalogue.say(Said("known: {words}", words=[]), "zh") == "已知：无"


def test_lines_are_said_one_by_one() -> None:
    """Several problems of one file are several lines."""
    both = lines(["stands twice", Said("{value!r} is no number", value=1)])
    assert both == "stands twice\n1 is no number"
    assert catalogue.say(both, "zh") == "出现两次\n1 不是数字"


@pytest.mark.parametrize(
    ("english", "wanted"),
    [
        ("expected float", "应为数字"),
        (
            "Expected `int`, got `str` - at `$.a.b`",
            "应为 `int`，却是 `str`，位于 `$.a.b`",
        ),
        ("value must be at least 3", "不能小于 3"),
        ("nothing like it", "nothing like it"),
    ],
)
def test_what_a_library_says_is_said_by_the_table(english: str, wanted: str) -> None:
    """The frequent ones have Chinese; the others stay as they are."""
    assert catalogue.say(sentence(english), "zh") == wanted


def test_a_place_without_a_value_stays() -> None:
    """A missing parameter is readable, not an error."""
    assert fill("{a} {b}", {"a": 1}, str) == "1 {b}"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "C"}, "zh"),
        ({}, "en"),
    ],
)
def test_a_command_speaks_the_language_of_its_environment(
    environ: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every other program does: LC_ALL, LC_MESSAGES, LANG."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert catalogue.reader() == wanted
