"""Every act is bounded: what a person may say has an end, what protects is done."""

from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from core.api.errors import Refused
from core.journal.envelope import Effect
from core.link.messages import ActReply
from core.people import acts
from core.people.acts import ACTS, MOST_TEXT, SetRoles, bounded
from core.permits.acts import HoldPermit, IssuePermit
from core.permits.life_acts import DeclareFacts
from frontend_api.replica import load_rooms
from tests.support.works import Works
from tests.support.yard import Yard

load_rooms("acts")
#: What `bounded` looks into, and what has no length.
_SEEN = (
    *(inspect.StrType, inspect.BytesType, inspect.ListType, inspect.DictType),
    *(inspect.VarTupleType, inspect.TupleType, inspect.StructType, inspect.UnionType),
)
_SHORT = (
    *(inspect.IntType, inspect.FloatType, inspect.BoolType, inspect.NoneType),
    *(inspect.LiteralType, inspect.EnumType),
)


def _parts(kind: Any, path: str, seen: frozenset[Any]) -> list[tuple[str, Any]]:
    found = [(path, kind)]
    match kind:
        case inspect.StructType() if kind.cls not in seen:
            for field in kind.fields:
                found += _parts(field.type, f"{path}.{field.name}", seen | {kind.cls})
        case inspect.ListType() | inspect.VarTupleType():
            found += _parts(kind.item_type, f"{path}[]", seen)
        case inspect.TupleType():
            for each in kind.item_types:
                found += _parts(each, f"{path}[]", seen)
        case inspect.DictType():
            found += _parts(kind.key_type, f"{path}{{}}", seen)
            found += _parts(kind.value_type, f"{path}{{}}", seen)
        case inspect.UnionType():
            for each in kind.types:
                found += _parts(each, path, seen)
    return found


@pytest.mark.parametrize("verb", sorted(ACTS))
def test_every_text_and_list_of_an_act_has_a_bound(verb: str) -> None:
    """Nothing of an act is of a kind that the border does not measure."""
    for path, kind in _parts(inspect.type_info(ACTS[verb]), verb, frozenset()):
        assert isinstance(kind, (*_SEEN, *_SHORT)), f"{path}: {type(kind).__name__}"


class Told(msgspec.Struct, frozen=True):
    text: str = ""
    data: bytes = b""
    items: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    more: tuple["Told", ...] = ()


#: Small bounds for the property, so that its examples stay small.
_TEXT, _ITEMS, _BYTES = 4, 3, 5
_texts = st.text("xy", max_size=_TEXT + 1)
_told = st.recursive(
    st.builds(
        Told,
        _texts,
        st.binary(max_size=_BYTES + 1),
        st.lists(st.just("a"), max_size=_ITEMS + 1).map(tuple),
        st.dictionaries(_texts, st.one_of(_texts, st.integers()), max_size=2),
    ),
    lambda inner: st.builds(Told, more=st.tuples(inner, inner)),
    max_leaves=3,
)


def _within(value: Any) -> bool:
    match value:
        case str():
            return len(value) <= _TEXT
        case bytes():
            return len(value) <= _BYTES
        case tuple():
            return len(value) <= _ITEMS and all(map(_within, value))
        case dict():
            return all(map(_within, (*value, *value.values())))
        case msgspec.Struct():
            return all(_within(getattr(value, n)) for n in value.__struct_fields__)
    return True


@given(_told, st.booleans())
def test_what_passes_is_within_and_unchanged_unless_it_protects(
    told: Told, cut: bool
) -> None:
    small: dict[str, Any]
    small = {"MOST_TEXT": _TEXT, "MOST_ITEMS": _ITEMS, "MOST_BYTES": _BYTES}
    try:
        with mock.patch.multiple(acts, **small):
            found = bounded(told, cut=cut)
    except Refused as no:
        assert no.refusal == "act.too_long"
        assert not _within(told)
        return
    assert _within(found)
    assert (found is told) == _within(told)


def test_a_text_too_long_is_refused_where_it_permits() -> None:
    yard = Yard()
    long = "x" * 5_000
    act = msgspec.structs.replace(yard.form(), title=long)
    assert isinstance(act, IssuePermit)
    assert yard.act("ivy", act).code == "act.malformed"
    reply = yard.act("own", SetRoles(person_id="ann", roles=("worker",) * 1_001))
    assert (reply.code, reply.params["field"]) == ("act.too_long", "roles")


def test_a_text_too_long_keeps_nobody_from_stopping_work() -> None:
    """Nothing protective waits for anything: the reason is cut, the work is held."""
    yard = Yard()
    permit = yard.issued()
    assert HoldPermit.effect_ is Effect.PROTECTIVE
    reply: ActReply = yard.act("ann", HoldPermit(permit_id=permit, reason="x" * 50_000))
    assert reply.ok, reply
    (held,) = yard.permit(permit).holds.values()
    assert held.hold.params["reason"] == "x" * MOST_TEXT


def test_a_signed_act_is_measured_too() -> None:
    site = Works()
    permit_id = site.applied(site.booked())
    act = DeclareFacts(permit_id=permit_id, facts={"fire_area": "x" * 5_000})
    code, params = site.refused("sue", act)
    assert (code, params["field"]) == ("act.too_long", "fire_area")
