"""Value templates: closures and sandbox agree, errors are never values (design §5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.mqtt import sandbox
from integrations.mqtt.templates import (
    MAX_SOURCE,
    SilentError,
    TemplateError,
    compile_template,
)

CASES = [
    ("{{ value_json.a }}", {"a": 3}, 3),
    ("{{ value_json['a b'].c }}", {"a b": {"c": "x"}}, "x"),
    ("{{ value_json[1] }}", [1, 2], 2),
    ("{{ value_json.a.b[0] }}", {"a": {"b": [7]}}, 7),
    ("{{ value_json.a | float / 10 }}", {"a": "25"}, 2.5),
    ("{{ value_json.a | int }}", {"a": "25.9"}, 25),
    ("{{ (value_json.a | float * 1.8 + 32) | round(1) }}", {"a": 20}, 68.0),
    ("{{ 'ON' if value_json.a else 'OFF' }}", {"a": True}, "ON"),
    ("{{ 'ON' if value_json.a == 2 else 'OFF' }}", {"a": 1}, "OFF"),
    ("{{ value_json.a | lower }}", {"a": "OPEN"}, "open"),
    ("{{ not value_json.a }}", {"a": 0}, True),
    ("{{ -value_json.a }}", {"a": 2}, -2),
    ("{% if value_json.a > 3 %}high{% else %}low{% endif %}", {"a": 4}, "high"),
    ("{% set m = {1: 'ON', 0: 'OFF'} %}{{ m[value_json.a] }}", {"a": 1}, "ON"),
    ("{{ value_json.get('a') }}", {"a": 4}, "4"),
    ("{{ value.split(',')[1] }}", None, "2"),
    ("{{ value | float / 10 }}", None, TemplateError),
    ("{{ value_json.gone }}", {}, TemplateError),
    ("{{ value_json.a | float }}", {"a": "warm"}, TemplateError),
    ("{{ value_json.gone | is_defined }}", {}, SilentError),
    ("{{ (value_json.gone | is_defined) == 'ON' }}", {}, SilentError),
    ("{{ value_json.a / 0 }}", {"a": 1}, TemplateError),
    ("{{ value_json.a + value_json.a }}", {"a": [1]}, TemplateError),
]


def outcome(source: str, data: object) -> object:
    extract = compile_template(source)
    try:
        found = extract.fn("1,2,3", data)
    except (TemplateError, SilentError) as error:
        return TemplateError if isinstance(error, TemplateError) else SilentError
    return found


@pytest.mark.parametrize(("source", "data", "expected"), CASES)
def test_common_forms(source: str, data: object, expected: object) -> None:
    assert outcome(source, data) == expected


@pytest.mark.parametrize(("source", "data", "expected"), CASES)
def test_the_sandbox_says_what_the_closure_says(
    source: str, data: object, expected: object
) -> None:
    render = sandbox.rendered(source, strict=True)
    if isinstance(expected, type):
        with pytest.raises(expected):
            render("1,2,3", data)
    else:
        assert render("1,2,3", data) == str(expected)


def test_a_default_was_not_measured() -> None:
    """Design §5 Truth: only what was measured is GOOD."""
    for source in (
        "{{ value_json.a | default(0) }}",
        "{{ value_json.a | float(0) }}",
        "{% if true %}{{ value_json.a | default(0) }}{% endif %}",
    ):
        extract = compile_template(source)
        with pytest.raises(TemplateError):
            extract.fn("", {"a": "x"} if "float" in source else {})
        assert extract.assumed is not None
        assert float(extract.assumed("", {"a": "x"} if "float" in source else {})) == 0
    assert compile_template("{{ value_json.a | float }}").assumed is None


@pytest.mark.parametrize(
    "source",
    [
        "{{ states('sensor.x') }}",
        "{% for i in value_json %}{{ i }}{% endfor %}",
        "{% macro m() %}{% endmacro %}",
        "{% set a = value %}{% set a = a ~ a %}{{ a }}",
        "{% set a = value %}{% set a = [a, a] %}{{ a }}",
        "{% include 'x' %}",
        "{{ value | replace('a', value) }}",
        "{{ value | center(999999999) }}",
        "{{ range(10) }}",
        "{{ value",
        "{{ " + "(" * 5000 + " }}",
        "x" * (MAX_SOURCE + 1),
    ],
)
def test_what_could_run_long_or_reach_out_is_refused(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ value * 999999999 }}",
        "{{ 'a' * 999999999 }}",
        "{{ value_json.a ** 99999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ value.format(1) }}",
        "{{ value.__class__.__mro__ }}",
        "{{ value_json.a.__init__.__globals__ }}",
        "{% if 1 %}{{ value.ljust(999999999) }}{% endif %}",
        "{{ value_json | attr('__class__') }}",
    ],
)
def test_what_grows_or_escapes_gives_no_value(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(source).fn("text", {"a": 9})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "1", ""]), inner, max_size=4)
    ),
    max_leaves=8,
)
PIECES = st.sampled_from(
    "value value_json .a .b ['a'] [0] [1] | float int round(1) default(0) is_defined "
    "+ - * / ** % ~ // == != < > and or not if else in is defined ( ) {{ }} {% %} "
    "{% if {% endif %} {% set x = 'ON' 'OFF' 1 2.5 , ' \" \\ {# #} abs lower length "
    "{%- -}} 0xff 1e999 none true".split(" ")
)


@given(st.lists(PIECES, max_size=14).map(" ".join), JSON, st.text(max_size=30))
def test_no_template_raises_anything_else(source: str, data: object, text: str) -> None:
    """Issue: 0 unhandled exceptions in every parser that meets the network."""
    for wrapped in (source, "{{ " + source + " }}"):
        try:
            extract = compile_template(wrapped)
            extract.fn(text, data)
        except (TemplateError, SilentError):
            continue
