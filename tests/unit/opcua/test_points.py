"""What a data value proves: total over every status, type and time (design §5)."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from core.api import Entity, EntityKind, Quality
from integrations.opcua import nodes
from integrations.opcua.points import NS, Map, Point, convert, wall_ns
from integrations.opcua.quality import SUBCODES, judge

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW_NS = wall_ns(NOW)
TOLERANCE = 5 * NS


def said(kind: EntityKind = EntityKind.GAS, **more: Any) -> Map:
    return Map(
        entity=Entity(uid="x", name="x", kind=kind),
        node=nodes.parse("nsu=urn:x;s=x"),
        **more,
    )


def data(value: Any, status: int = 0, at: datetime | None = NOW) -> ua.DataValue:
    return ua.DataValue(
        ua.Variant(value) if value is not None else None,
        StatusCode=ua.StatusCode(ua.UInt32(status)),
        SourceTimestamp=None
        if at is None
        else ua.DateTime.fromtimestamp(at.timestamp(), UTC),
    )


@given(st.integers(0, 2**32 - 1))
def test_only_a_good_status_is_good_evidence(status: int) -> None:
    """R7: whatever the code, uncertain and bad ones never prove safety."""
    verdict = judge(status)
    if status >> 30:
        assert verdict.quality is not Quality.GOOD
    if status >> 30 >= 2:
        assert verdict.quality in (
            Quality.FAULT,
            Quality.NOT_PRESENT,
            Quality.INHIBITED,
        )
    assert (verdict.quality is Quality.GOOD) == (verdict.reason == "")


@pytest.mark.parametrize(
    ("name", "quality"),
    [
        ("BadSensorFailure", Quality.FAULT),
        ("BadOutOfService", Quality.INHIBITED),
        ("BadNodeIdUnknown", Quality.NOT_PRESENT),
        ("UncertainLastUsableValue", Quality.STALE),
        ("UncertainNoCommunicationLastUsableValue", Quality.STALE),
        ("UncertainSimulatedValue", Quality.UNCERTAIN),
        ("GoodLocalOverride", Quality.UNCERTAIN),
        ("Good", Quality.GOOD),
    ],
)
def test_status_codes_by_name(name: str, quality: Quality) -> None:
    assert judge(getattr(ua.StatusCodes, name)).quality is quality


def test_each_code_of_the_table_is_of_its_severity() -> None:
    for code, verdict in SUBCODES.items():
        assert code & 0xFFFF == 0
        assert verdict.quality is not Quality.GOOD


def test_limit_and_semantics_bits_lower_a_good_value() -> None:
    assert judge(0x0400 | 0x0300).reason == "opcua.constant"
    assert judge(0x0400 | 0x0200).reason == "opcua.limited"
    assert judge(0x4000).reason == "opcua.semantics_changed"
    assert judge(0x0300).quality is Quality.GOOD  # no info type: bits mean nothing


@given(
    st.sampled_from([kind for kind in EntityKind if kind is not EntityKind.EVENT]),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(max_size=300),
        st.binary(max_size=20),
        st.lists(st.floats(), max_size=3),
    ),
)
def test_no_foreign_type_becomes_a_value(kind: EntityKind, raw: Any) -> None:
    """R16: a value is of the entity's type and finite, or it is a fault."""
    value, wrong = convert(said(kind, low=0.0, high=100.0), raw)
    if value is None:
        assert wrong is not None
    if kind is EntityKind.GAS and value is not None:
        assert isinstance(value, float)
        assert abs(value) < float("inf")
        assert (wrong is None) == (0 <= value <= 100)
    if kind is EntityKind.OUTPUT and raw not in (True, False):
        assert value is None


def test_float32_noise_and_scale() -> None:
    raw = struct.unpack("f", struct.pack("f", 20.9))[0]
    value, wrong = convert(said(scale=0.5, offset=1.0), raw)
    assert value == pytest.approx(11.45, abs=1e-4)
    assert wrong is None


def test_an_older_source_time_is_a_replay_until_a_newer_one_comes() -> None:
    """R7: what was sent again says nothing of now."""
    point = Point(said(), 1)
    assert point.take(data(1.0), NOW_NS, TOLERANCE)
    old = NOW - timedelta(seconds=60)
    assert not point.take(data(2.0, at=old), NOW_NS, TOLERANCE)
    assert point.verdict(NOW_NS, TOLERANCE)[1].quality is Quality.STALE
    assert point.take(data(3.0, at=NOW + timedelta(seconds=1)), NOW_NS + NS, TOLERANCE)
    assert point.verdict(NOW_NS + NS, TOLERANCE) == (3.0, judge(0))


def test_a_time_of_the_future_is_uncertain_and_poisons_nothing() -> None:
    point = Point(said(), 1)
    point.take(data(1.0, at=NOW + timedelta(hours=1)), NOW_NS, TOLERANCE)
    assert point.verdict(NOW_NS, TOLERANCE)[1].reason == "opcua.future"
    assert point.take(data(2.0), NOW_NS, TOLERANCE)
    assert point.verdict(NOW_NS, TOLERANCE)[1].quality is Quality.GOOD


@given(
    st.lists(
        st.tuples(st.integers(-100, 100), st.integers(0, 2**32 - 1), st.floats(0, 100)),
        min_size=1,
        max_size=20,
    )
)
def test_good_only_for_the_newest_good_value(
    heard: list[tuple[int, int, float]],
) -> None:
    """R7: never GOOD with a value that a newer source time has overtaken."""
    point = Point(said(), 1)
    newest = -(10**9)
    for second, status, value in heard:
        at = NOW + timedelta(seconds=second)
        point.take(data(value, status, at), NOW_NS + 200 * NS, TOLERANCE)
        newest = max(newest, second)
        told, verdict = point.verdict(NOW_NS + 200 * NS, TOLERANCE)
        if verdict.quality is Quality.GOOD:
            assert (told, second) == (value, newest)
            assert judge(status).quality is Quality.GOOD


@given(st.text(max_size=80), st.text(max_size=20))
def test_node_texts(text: str, space: str) -> None:
    """Fuzz: a node's text is parsed or refused by the one error."""
    try:
        ref = nodes.parse(text, space)
    except nodes.NodeError:
        return
    node = nodes.resolve(ref, ["x", ref.uri])
    assert nodes.parse(nodes.name(node, ["x", ref.uri])) == nodes.parse(str(ref))


def test_an_index_is_refused_and_a_lost_namespace_is_told() -> None:
    with pytest.raises(nodes.NodeError, match="index moves"):
        nodes.parse("ns=2;s=Gas")
    with pytest.raises(nodes.NodeError, match="no namespace"):
        nodes.resolve(nodes.parse("nsu=urn:a;s=Gas"), ["urn:b"])
