"""A question for diagnostics goes to its host, and the answer to who asked."""

import json

from hypothesis import given
from hypothesis import strategies as st

from core.link import messages as m
from integrations.runtime import diagnose
from tests.support.office import Office


def test_core_hands_the_question_on_and_the_answer_back() -> None:
    office = Office()
    office.join("gateway", "gateway")
    host = office.join("host:loop", "host")
    office.desk.receive("gateway", m.Diagnose("q", "loop"))
    office.turn()
    assert office.of("host:loop", m.Diagnose) == [m.Diagnose("q")]
    host.send(m.Diagnosis("q", b"{}"))
    office.turn()
    assert office.of("gateway", m.Diagnosis) == [m.Diagnosis("q", b"{}")]


def test_a_host_that_is_away_is_told_at_once() -> None:
    office = Office()
    office.join("gateway", "gateway")
    office.desk.receive("gateway", m.Diagnose("q", "loop"))
    office.turn()
    (answer,) = office.of("gateway", m.Diagnosis)
    assert isinstance(answer, m.Diagnosis) and answer.error == "host.not_running"


def test_what_nobody_asked_for_goes_nowhere_and_is_counted() -> None:
    """Design §5 Security: a driver that runs wild answers nobody."""
    office = Office()
    office.join("gateway", "gateway")
    host = office.join("host:loop", "host")
    host.send(m.Diagnosis("q", b"{}"))
    office.turn()
    assert office.of("gateway", m.Diagnosis) == []
    assert office.desk.counters["host:loop.unexpected"] == 1


secrets = st.text("abcdefgh0123-", min_size=4, max_size=12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(secrets, min_size=1, max_size=3), plain, st.data())
def test_no_secret_is_ever_told(
    hidden: list[str], facts: object, data: st.DataObject
) -> None:
    """Design §5 Security: whatever a driver tells, and wherever it puts it."""
    one = data.draw(st.sampled_from(hidden))
    told = {"facts": facts, "line": f"auth {one} refused", one: [one], "password": one}
    said = diagnose.answer(told, hidden).decode()
    for each in hidden:
        assert each not in " ".join(_texts(json.loads(said)))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [t for k, v in value.items() for t in (k, *_texts(v)) if k not in _OWN]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


_OWN = ("facts", "line", "password")


def test_what_is_too_large_says_so() -> None:
    found = json.loads(diagnose.answer({"a": "x" * diagnose.MAX_BYTES}, ()))
    assert found == {"too_large": diagnose.MAX_BYTES + 9}


def test_a_field_may_say_that_a_secret_is_set() -> None:
    facts = {"password": "set", "token": True, "noise_psk": "abc=", "psk": "abc="}
    found = json.loads(diagnose.answer(facts, ()))
    assert found == {"password": "set", "token": True, "noise_psk": "•••", "psk": "•••"}
