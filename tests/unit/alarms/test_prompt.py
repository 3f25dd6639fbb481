"""Suppression begins and ends at the very event (ISA-18.2; design §5 Levels).

No second passes in these tests: what the tick would find must be known before it.
"""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.alarms.acts import ReturnDevice, ServiceDevice
from core.alarms.events import AlarmSuppressed, AlarmUnsuppressed
from core.alarms.policy import AlarmPolicy, Cause, Suppression
from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.config import Bundle
from tests.support.detectors import HOST, detector, named, say, site
from tests.support.kernel import Bench, make_kernel


def because(number: str, kinds: tuple[str, ...], **cause: object) -> Suppression:
    return Suppression(
        id=number,
        names=named(number),
        cause=Cause(**cause),  # type: ignore[arg-type]
        kinds=kinds,
    )


def bench_of(*rules: Suppression, **rule: object) -> Bench:
    bundle: Bundle = site(**rule)
    return make_kernel(
        msgspec.structs.replace(bundle, alarms=AlarmPolicy(suppress=rules))
    )


def meter(kind: EntityKind = EntityKind.BINARY) -> Device:
    made = Entity(uid="run", name="run", kind=kind, max_age_s=10.0)
    return Device(uid="g-pump", name="pump", entities=(made,))


def raised(bench: Bench, condition: str, kind: str, zone: str | None = "pit") -> str:
    number = bench.kernel.alarms.raise_(
        f"hub:{condition}.{zone}", "x", kind=kind, priority=3, zone_id=zone
    )
    bench.settle()
    return number


def put(bench: Bench, number: str) -> str:
    return bench.kernel.hub.state.alarms.open[number].suppressed


def test_a_reading_begins_and_ends_it_before_the_next_tick() -> None:
    bench = bench_of(
        because("off", ("level",), integration="sim", uid="g-pump", entity="run",
                on=False)
    )  # fmt: skip
    bench.declare(HOST, meter())
    say(bench, "g-pump", "run", True)
    number = raised(bench, "c", "level")
    say(bench, "g-pump", "run", False)
    assert put(bench, number) == "off"
    say(bench, "g-pump", "run", False, Quality.UNCERTAIN)
    assert put(bench, number) == "", "only proof suppresses"
    assert bench.codes(AlarmUnsuppressed, "why") == ["ended"]


def test_a_number_that_crosses_its_threshold_does_so_at_once() -> None:
    bench = bench_of(
        because("low", ("level",), integration="sim", uid="g-pump", entity="run",
                below=2.0)
    )  # fmt: skip
    bench.declare(HOST, meter(EntityKind.SENSOR))
    say(bench, "g-pump", "run", 5.0)
    number = raised(bench, "c", "level")
    say(bench, "g-pump", "run", 1.0)
    assert put(bench, number) == "low"
    say(bench, "g-pump", "run", 3.0)
    assert put(bench, number) == ""


def test_an_alarm_that_is_the_cause_begins_and_ends_it_in_its_zone() -> None:
    bench = bench_of(because("storm", ("level",), alarm="weather"))
    here = raised(bench, "c", "level")
    there = raised(bench, "c", "level", "yard")
    raised(bench, "w", "weather.storm")
    assert (put(bench, here), put(bench, there)) == ("storm", "")
    raised(bench, "everywhere", "weather.storm", None)
    assert put(bench, there) == "storm", "one without a place is everywhere"
    bench.kernel.alarms.clear("hub:everywhere.None", "x")
    assert (put(bench, here), put(bench, there)) == ("storm", "")
    bench.kernel.alarms.clear("hub:w.pit", "x")
    assert put(bench, here) == ""


def test_what_is_put_by_no_longer_suppresses_others() -> None:
    bench = bench_of(
        because("storm", ("level",), alarm="weather"),
        because("off", ("weather",), integration="sim", uid="g-pump", entity="run",
                on=False),
    )  # fmt: skip
    bench.declare(HOST, meter())
    say(bench, "g-pump", "run", True)
    raised(bench, "w", "weather.storm")
    number = raised(bench, "c", "level")
    assert put(bench, number) == "storm"
    say(bench, "g-pump", "run", False)
    assert put(bench, number) == ""


def test_a_drill_suppresses_nothing_real() -> None:
    """Design §5: TEST and DRILL are never evidence."""
    bench = bench_of(because("storm", ("level",), alarm="weather"))
    number = raised(bench, "c", "level")
    bench.kernel.alarms.raise_(
        "zone:pit", "w", kind="weather", priority=3, zone_id="pit", mark="DRILL"
    )
    bench.settle()
    bench.advance(2)
    assert put(bench, number) == ""


def test_maintenance_puts_a_silent_device_by_at_once_and_its_return_ends_it() -> None:
    bench = bench_of()
    bench.declare(HOST, detector("g1", "h2s"))
    device = bench.kernel.registry.find_device(HOST, "g1")
    assert device is not None
    number = bench.kernel.alarms.raise_(
        f"device:{device.id}", "stuck", kind="fault.stuck", priority=3, zone_id="pit"
    )
    bench.settle()
    serve = ServiceDevice(device_id=device.id, reason="calibration", hours=1)
    assert bench.act("tech", serve).ok
    assert put(bench, number) == "idle"
    assert bench.act("tech", ReturnDevice(device_id=device.id)).ok
    assert put(bench, number) == ""


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(["a", "b", "c"]), seconds=st.integers(1, 5))
def test_causes_in_a_ring_end_every_moment(order: list[str], seconds: int) -> None:
    """An odd ring has no answer: each one changes at most once between two ticks."""
    bench = bench_of(
        because("ab", ("b",), alarm="a"),
        because("bc", ("c",), alarm="b"),
        because("ca", ("a",), alarm="c"),
    )
    for kind in order:
        raised(bench, kind, kind)
    bench.advance(seconds)
    assert len(bench.events(AlarmSuppressed)) <= 3 * (seconds + 2)


def test_life_safety_is_never_put_by_at_an_event_either() -> None:
    bench = bench_of(because("storm", ("level",), alarm="weather"))
    number = bench.kernel.alarms.raise_(
        "zone:pit", "c", kind="level", priority=1, zone_id="pit", life_safety=True
    )
    raised(bench, "w", "weather.storm")
    assert put(bench, number) == ""
