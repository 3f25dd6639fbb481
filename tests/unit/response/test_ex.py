"""Ex: what may switch in a combustible cloud (design §5 Commands; 1.15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.model import Output, OutputKind
from core.response.events import CommandIssued, CommandWithheld
from core.response.ex import PROTECTIVE_OUTPUTS, withheld
from tests.support.yard import HOST, Yard, box

#: kind, Ex, contact (in: tank, out: hall, ?: not declared), outside air, cloud → why
TABLE = [
    ("siren", True, "in", False, "tank", None),
    ("siren", False, "in", False, "tank", "ex.contact_inside"),
    ("siren", False, "out", False, "tank", None),
    ("siren", False, "?", False, "tank", "ex.contact_undeclared"),
    ("siren", False, "?", False, "yard", None),
    ("siren", False, "in", False, "yard", None),
    ("siren", False, "out", False, "hall", "ex.contact_inside"),
    ("siren", False, "out", False, None, "ex.contact_inside"),
    ("strobe", False, "in", False, "tank", "ex.contact_inside"),
    ("voice", False, "?", False, "tank", "ex.contact_undeclared"),
    ("power_cut", True, "in", False, "tank", None),
    ("power_cut", False, "out", False, "tank", None),
    ("power_cut", False, "in", False, "tank", "ex.contact_inside"),
    ("power_cut", False, "?", False, "tank", "ex.contact_undeclared"),
    ("fan", True, "in", False, "tank", None),
    ("fan", True, "?", False, "tank", None),
    ("fan", False, "out", True, "tank", None),
    ("fan", False, "out", False, "tank", "ex.fan_inside"),
    ("fan", False, "in", True, "tank", "ex.contact_inside"),
    ("fan", False, "?", True, "tank", "ex.contact_undeclared"),
    ("barrier", False, "in", False, "tank", "ex.contact_inside"),
    ("barrier", False, "out", False, "tank", None),
]
PLACES = {"in": "tank", "out": "hall", "?": None}


@pytest.mark.parametrize(("kind", "ex", "contact", "air", "cloud", "why"), TABLE)
def test_the_table(
    kind: str, ex: bool, contact: str, air: bool, cloud: str | None, why: str | None
) -> None:
    output = Output(
        kind=OutputKind(kind),
        ex_rated=ex,
        contact_zone=PLACES[contact],
        outside_air=air,
    )
    assert withheld(output, "tank", True, {cloud}) == why
    assert withheld(output, "tank", True, set()) is None


OUTPUTS = st.builds(
    Output,
    # A recorder is asked for what it has seen: it switches nothing.
    kind=st.sampled_from([k for k in OutputKind if k is not OutputKind.RECORDER]),
    ex_rated=st.booleans(),
    contact_zone=st.sampled_from([None, "tank", "hall"]),
    outside_air=st.booleans(),
)
CLOUDS = st.sets(st.sampled_from([None, "tank", "hall", "yard"]))


@given(output=OUTPUTS, on=st.booleans(), cloud=CLOUDS)
def test_nothing_that_is_not_ex_switches_inside_a_cloud(
    output: Output, on: bool, cloud: set[str | None]
) -> None:
    allowed = withheld(output, "tank", on, cloud) is None
    if allowed and not output.ex_rated and output.contact_zone is not None:
        assert output.contact_zone not in cloud
        assert None not in cloud


@given(output=OUTPUTS, on=st.booleans(), cloud=CLOUDS, more=CLOUDS)
def test_more_cloud_never_allows_more(
    output: Output, on: bool, cloud: set[str | None], more: set[str | None]
) -> None:
    if withheld(output, "tank", on, cloud) is not None:
        assert withheld(output, "tank", on, cloud | more) is not None


@pytest.mark.parametrize(
    ("gas", "value", "given_"), [("lel", 50.0, False), ("h2s", 40_000.0, True)]
)
def test_a_gas_counts_by_its_class_alone(gas: str, value: float, given_: bool) -> None:
    yard = Yard()
    plain = Output(kind=OutputKind.STROBE, contact_zone="tank")
    yard.declare(HOST, box(strobe=plain))
    yard.reading(gas, value)
    strobe = yard.entity(HOST, "box-tank", "strobe")
    command = yard.kernel.commands.order(strobe, True, why="test")
    assert (command is not None) is given_
    kind = CommandIssued if given_ else CommandWithheld
    assert yard.events(kind)[-1].entity_id == strobe


def test_a_marked_alarm_is_no_cloud() -> None:
    yard = Yard()
    plain = Output(kind=OutputKind.STROBE, contact_zone="tank")
    yard.declare(HOST, box(strobe=plain))
    yard.kernel.alarms.raise_(
        "zone:tank",
        "drill",
        kind="gas.combustible",
        priority=1,
        zone_id="tank",
        mark="DRILL",
    )
    strobe = yard.entity(HOST, "box-tank", "strobe")
    assert yard.kernel.commands.order(strobe, True, why="test") is not None


def test_only_the_heartbeat_lamp_and_a_recorder_are_not_protective() -> None:
    others = {OutputKind.LAMP, OutputKind.RECORDER}
    assert set(OutputKind) - PROTECTIVE_OUTPUTS == others
