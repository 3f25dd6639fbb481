"""The index of open alarms tells what a look at all of them would (design §5)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core import state
from core.alarms.places import Places
from core.alarms.state import AlarmRecord
from core.hub import CORE
from tests.support.kernel import Bench, make_kernel

ZONES = (None, "pit", "deck", "yard")
KINDS = ("gas.toxic", "gas.combustible", "sos", "fault.lost", "fault", "gasket")

_steps = st.lists(
    st.tuples(
        st.sampled_from(["raise", "clear", "end"]),
        st.integers(0, 5),
        st.sampled_from(ZONES),
        st.sampled_from(KINDS),
        st.booleans(),
    ),
    max_size=25,
)


def _do(bench: Bench, step: tuple[str, int, str | None, str, bool]) -> None:
    what, number, zone, kind, vital = step
    alarms, source = bench.kernel.alarms, f"entity:{number}"
    record = alarms.find(source, "c")
    if what == "raise":
        alarms.raise_(
            source, "c", kind=kind, priority=2, zone_id=zone, life_safety=vital
        )
    elif what == "clear":
        alarms.clear(source, "c")
    elif record is not None:
        alarms.end(record, CORE)
    bench.settle()


def _agrees(open_: dict[str, AlarmRecord], places: Places) -> None:
    every = list(open_.values())
    for zone in ZONES:
        here = [each for each in every if each.zone_id == zone]
        assert list(places.at(zone)) == here
        assert list(places.vital(zone)) == [e for e in here if e.life_safety]
        assert list(places.of("gas", zone)) == [
            each for each in here if each.kind.startswith("gas.")
        ]
    ids = {each.id for each in every if each.life_safety}
    assert {each.id for each in places.vital()} == ids
    toxic = {each.id for each in every if each.kind == "gas.toxic"}
    assert {each.id for each in places.of("gas.toxic")} == toxic
    near = [each for each in every if each.zone_id in ("pit", None)]
    assert {e.id for e in places.of("fault", "pit", None)} == {
        each.id for each in near if each.kind.partition(".")[0] == "fault"
    }


@settings(max_examples=60, deadline=None)
@given(steps=_steps)
def test_the_index_is_what_all_open_alarms_say_at_every_step(
    steps: list[tuple[str, int, str | None, str, bool]],
) -> None:
    bench = make_kernel()
    for step in steps:
        _do(bench, step)
        alarms = bench.kernel.hub.state.alarms
        _agrees(alarms.open, alarms.places)
    again = state.load(bench.kernel.hub.snapshot())
    _agrees(again.alarms.open, again.alarms.places)


def test_the_index_is_no_part_of_a_snapshot() -> None:
    bench = make_kernel()
    before = bench.kernel.hub.snapshot()
    assert not list(bench.kernel.hub.state.alarms.places.vital())
    assert bench.kernel.hub.snapshot() == before


def test_asking_a_zone_does_not_look_at_the_alarms_of_others() -> None:
    bench = make_kernel()
    alarms = bench.kernel.alarms
    for number in range(300):
        alarms.raise_(
            f"entity:{number}", "c", kind="gas.toxic", priority=1,
            zone_id="deck", life_safety=True,
        )  # fmt: skip
    bench.settle()
    places = bench.kernel.hub.state.alarms.places
    assert not list(places.vital("pit", None))
    assert not list(places.of("gas", "pit"))
    assert len(places.at("deck")) == 300
