"""Reading expressions: a small language with positioned errors (design §6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import ConfigError
from core.logic import tree
from core.logic.parse import parse

NAMES = {"h2s": "ppm", "zone.people": "number", "siren_on": "yes or no"}


def test_a_condition_becomes_a_tree() -> None:
    assert parse("h2s > 7 and not siren_on", NAMES) == tree.All(
        (
            tree.Compare(">", tree.Name("h2s"), tree.Literal(7)),
            tree.Not(tree.Name("siren_on")),
        )
    )


def test_dotted_names_are_names() -> None:
    assert parse("zone.people == 0", NAMES) == tree.Compare(
        "==", tree.Name("zone.people"), tree.Literal(0)
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("h2x > 7", 1, 1, "did you mean h2s?"),
        ("h2s > 7 and\n  sirn_on", 2, 3, "did you mean siren_on?"),
        ("h2s >", 1, 6, "invalid syntax"),
        ("硫 > 7", 1, 1, "not declared; known: h2s, siren_on, zone.people"),
        ("'硫化氢' == zone and h2s", 1, 10, "not declared"),
        ("h2s is siren_on", 1, 1, "write == or known"),
        ("h2s == None", 1, 8, "ask known"),
        ("h2s ** 2 > 1", 1, 1, "only + - * /"),
        ("__import__('os')", 1, 1, "no such function; allowed: all, any"),
        ("h2s.real.imag > 1", 1, 1, "not declared"),
        ("h2s[0] > 1", 1, 1, "names are written whole"),
        ("(lambda: 1)() > 0", 1, 1, "no such function"),
        ("1 if h2s > 1 else 0", 1, 1, "rule's `if`"),
        ("any(x > 1 for x in [h2s])", 1, 4, "list the members"),
        ("f'{h2s}' == 'x'", 1, 1, "without f"),
        ("max(h2s, default=1) > 1", 1, 1, "no named arguments"),
        ("max() > 1", 1, 1, "needs arguments"),
        ("(h2s > 1) > 0", 1, 1, "condition where a value"),
        ("~h2s > 1", 1, 1, "write not"),
        ("h2s > 1e999", 1, 7, "write a number"),
        ("h2s > 1j", 1, 7, "write a number"),
        ("h2s in siren_on", 1, 1, "list in brackets"),
        ("votes(3, h2s > 1, h2s > 2)", 1, 1, "from 1 to 2"),
        ("(h2s := 1) > 0", 1, 2, "compare with =="),
        ("", 1, 1, "is empty"),
        ("h2s > 1 # or\n siren_on", 1, 9, "no comments"),
        ("h2s > 1\0", 1, 1, "NUL"),
        ("h2s > 1" + " " * 3000, 1, 1, "2048 bytes"),
        ("not " * 40 + "siren_on", 1, 133, "nested too deeply"),
    ],
)
def test_an_error_names_place_and_mend(
    text: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, NAMES, file="rules.yaml")
    assert (caught.value.params["line"], caught.value.params["column"]) == (
        line,
        column,
    )
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"rules.yaml:{line}:{column}: ")


def test_places_count_from_where_the_text_stands_in_its_file() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("h2x > 7", NAMES, file="rules.yaml", line=12, column=15)
    assert (caught.value.params["line"], caught.value.params["column"]) == (12, 15)
    with pytest.raises(ConfigError) as caught:
        parse("\n   h2x > 7", NAMES, file="rules.yaml", line=12, column=15)
    assert (caught.value.params["line"], caught.value.params["column"]) == (13, 4)


_WORDS = (
    "h2s siren_on and or not ( ) [ ] , in is < > == + - / 1 2.5 'x' max votes known if"
    " else lambda : . x f'{1}' await yield *"
)
_words = st.lists(st.sampled_from([*_WORDS.split(), "\n"]), max_size=20).map(" ".join)


@given(st.one_of(st.text(max_size=80), _words))
def test_any_text_is_a_tree_or_a_positioned_error(text: str) -> None:
    """Bad input never ends the publisher with anything but a ConfigError."""
    try:
        parse(text, NAMES)
    except ConfigError as bad:
        assert {"file", "line", "column"} <= bad.params.keys()
