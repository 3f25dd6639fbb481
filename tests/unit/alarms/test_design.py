"""Suppression by design, devices not in use, maintenance (ISA-18.2; domain §2.3)."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.compile_site import compile_folder
from core.alarms.acts import (
    ReturnDevice,
    ServiceDevice,
)
from core.alarms.events import (
    AlarmSuppressed,
    AlarmUnsuppressed,
    DeviceServed,
)
from core.alarms.policy import AlarmPolicy, Cause, Suppression
from core.alarms.state import AlarmRecord
from core.api.errors import ConfigError
from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.api.reading import Value
from core.config import Bundle, Person
from core.hub import CORE
from tests.support.detectors import HOST, detector, named, say, site
from tests.support.kernel import Bench, make_kernel

PUMP = Suppression(
    id="pump-off",
    names=named("pump off"),
    cause=Cause(integration="sim", uid="g-pump", entity="run", on=False),
    kinds=("level", "gas"),
)


def declared(*rules: Suppression, **rule: object) -> Bundle:
    bundle = site(**rule)
    return msgspec.structs.replace(bundle, alarms=AlarmPolicy(suppress=rules))


def switch(uid: str, entity: str) -> Device:
    made = Entity(uid=entity, name=entity, kind=EntityKind.BINARY, max_age_s=10.0)
    return Device(uid=uid, name=uid, entities=(made,))


def helmet(uid: str, rack: bool = True) -> Device:
    gas = Entity(
        uid="h2s", name="h2s", kind=EntityKind.GAS, quantity="h2s", unit="ppm",
        max_age_s=1000.0,
    )  # fmt: skip
    worn = Entity(uid="worn", name="w", kind=EntityKind.BINARY, quantity="wear")
    dock = Entity(uid="dock", name="d", kind=EntityKind.BINARY, max_age_s=20.0)
    return Device(uid=uid, name=uid, entities=(gas, worn, *([dock] if rack else ())))


def raise_(bench: Bench, condition: str = "c", **fields: object) -> AlarmRecord:
    given_: dict[str, object] = {"kind": "level", "priority": 3, **fields}
    source = str(given_.pop("source", "zone:pit"))
    bench.kernel.alarms.raise_(source, condition, **given_)  # type: ignore[arg-type]
    bench.settle()
    return find(bench, condition, source)


def find(bench: Bench, condition: str = "c", source: str = "zone:pit") -> AlarmRecord:
    found = bench.kernel.alarms.find(source, condition)
    assert found is not None
    return found


def pump(bench: Bench, value: Value, quality: Quality = Quality.GOOD) -> None:
    say(bench, "g-pump", "run", value, quality)
    bench.advance(1)


# --- declared causes --------------------------------------------------------------


def test_a_declared_cause_suppresses_and_its_end_calls_again() -> None:
    bench = make_kernel(declared(PUMP))
    bench.declare(HOST, switch("g-pump", "run"))
    pump(bench, False)
    assert raise_(bench).suppressed == "pump-off"
    assert find(bench).put_by
    pump(bench, True)
    assert find(bench).suppressed == ""
    assert bench.codes(AlarmUnsuppressed, "why") == ["ended"]
    pump(bench, False)
    assert bench.codes(AlarmSuppressed, "rule") == ["pump-off"], "journalled again"
    assert find(bench).suppressed == "pump-off"


@pytest.mark.parametrize(
    "quality", [q for q in Quality if q is not Quality.GOOD], ids=str
)
def test_what_is_not_proven_suppresses_nothing(quality: Quality) -> None:
    """Unknown is never safe: only GOOD evidence suppresses."""
    bench = make_kernel(declared(PUMP))
    bench.declare(HOST, switch("g-pump", "run"))
    pump(bench, False)
    raise_(bench)
    pump(bench, False, quality)
    assert find(bench).suppressed == ""
    assert raise_(bench, "d").suppressed == ""


def test_a_cause_that_grows_old_or_is_not_enrolled_suppresses_nothing() -> None:
    bench = make_kernel(declared(PUMP))
    assert raise_(bench, "early").suppressed == ""
    bench.declare(HOST, switch("g-pump", "run"))
    pump(bench, False)
    raise_(bench)
    bench.advance(12)
    assert find(bench).suppressed == ""


def test_a_dead_disk_lets_every_suppressed_alarm_call() -> None:
    """Design §2: what permits waits for the disk, what warns does not."""
    bench = make_kernel(declared(PUMP))
    bench.declare(HOST, switch("g-pump", "run"))
    pump(bench, False)
    raise_(bench)
    bench.break_disk()
    bench.advance(1)
    assert find(bench).suppressed == ""
    assert raise_(bench, "d").suppressed == ""


def test_a_suppressed_alarm_that_returns_needs_nobody() -> None:
    bench = make_kernel(declared(PUMP))
    bench.declare(HOST, switch("g-pump", "run"))
    pump(bench, False)
    raise_(bench)
    bench.kernel.alarms.clear("zone:pit", "c")
    bench.settle()
    assert bench.kernel.alarms.find("zone:pit", "c") is None


def test_a_standing_alarm_may_be_the_cause_of_others() -> None:
    host = Cause(alarm="fault.host")
    rule = Suppression(id="h", names=named("h"), cause=host, kinds=("fault.lost",))
    bench = make_kernel(declared(rule))
    raise_(bench, "host", kind="fault.host", zone_id="pit")
    lost = raise_(bench, "lost", kind="fault.lost", zone_id="pit", source="zone:x")
    assert lost.suppressed == "h"
    other = raise_(bench, "lost", kind="fault.lost", zone_id="yard", source="zone:y")
    assert other.suppressed == "", "of another zone"
    bench.kernel.alarms.clear("zone:pit", "host")
    bench.advance(1)
    assert lost.suppressed == ""


_conditions = st.sampled_from(["a", "b"])
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("pump"), st.booleans(), st.sampled_from(list(Quality))),
        st.tuples(st.just("raise"), _conditions, st.booleans()),
        st.tuples(st.just("clear"), _conditions, st.just(0)),
        st.tuples(st.just("wait"), st.just(7), st.just(0)),
    ),
    max_size=12,
)


@given(_steps)
@settings(max_examples=40, deadline=None)
def test_suppression_never_hides_a_life_safety_alarm(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    """Design §5 Alarms: whatever is declared, and whatever came before."""
    bench = make_kernel(declared(PUMP))
    bench.declare(HOST, switch("g-pump", "run"))
    real: set[str] = set()
    for what, one, two in steps:
        if what == "pump":
            pump(bench, one, two)
        elif what == "raise":
            raise_(bench, one, kind="gas.toxic", priority=1, life_safety=two)
            if two:
                real.add(one)
        elif what == "clear":
            bench.kernel.alarms.clear("zone:pit", one)
            real.discard(one)
        else:
            bench.advance(one)
        bench.settle()
        for condition in real:
            record = find(bench, condition)
            assert record.active
            assert record.life_safety
            assert not record.put_by


# --- devices not in use -----------------------------------------------------------


def worn_site(**rule: object) -> Bundle:
    return site(rack="dock", critical=(), **rule)


def gas(bench: Bench, value: float, uid: str = "g1") -> None:
    say(bench, uid, "h2s", value)


def kinds(bench: Bench) -> list[str]:
    return [record.kind for record in bench.kernel.alarms.active()]


def test_a_device_bound_to_nobody_raises_faults_only() -> None:
    bench = make_kernel(worn_site())
    bench.declare(HOST, helmet("g1", rack=False))
    gas(bench, 50.0)
    assert kinds(bench) == ["fault.idle"]
    (record,) = bench.kernel.alarms.active()
    assert (record.params["why"], record.params["would_be"]) == ("unbound", "gas.toxic")
    assert record.params["value"] == 50.0
    gas(bench, 0.0)
    assert kinds(bench) == []


def test_it_alarms_in_earnest_as_soon_as_somebody_wears_it() -> None:
    bench = make_kernel(worn_site())
    bench.declare(HOST, helmet("g1", rack=False))
    gas(bench, 50.0)
    bench.bundle = msgspec.structs.replace(
        bench.bundle,
        people=(*bench.bundle.people, Person(id="w", name="w", roles=(), tags=("g1",))),
    )
    bench.hub.load(bench.bundle)
    bench.advance(1)
    assert kinds(bench) == ["gas.toxic"]
    assert bench.kernel.alarms.active()[0].life_safety


def test_a_real_alarm_stays_when_its_device_is_racked() -> None:
    bench = make_kernel(worn_site(person="ann"))
    bench.declare(HOST, helmet("g1"))
    gas(bench, 50.0)
    say(bench, "g1", "dock", True)
    bench.advance(2)
    assert kinds(bench) == ["gas.toxic"]


def test_a_racked_device_raises_faults_only_while_its_rack_is_proven() -> None:
    bench = make_kernel(worn_site(person="ann"))
    bench.declare(HOST, helmet("g1"))
    say(bench, "g1", "dock", True)
    gas(bench, 50.0)
    assert kinds(bench) == ["fault.idle"]
    bench.advance(25)
    assert kinds(bench) == ["gas.toxic"], "the rack has not been heard of since"


def test_a_call_for_help_counts_from_whoever_wears_it_unless_racked() -> None:
    bench = make_kernel(worn_site())
    bench.declare(HOST, helmet("g1"))
    device = bench.kernel.registry.find_device(HOST, "g1")
    assert device is not None
    source = f"device:{device.id}"
    fall = raise_(bench, "fall", kind="fall", life_safety=True, source=source)
    sos = raise_(bench, "sos", kind="sos", life_safety=True, source=source)
    assert (fall.kind, sos.kind) == ("fault.idle", "sos")
    bench.kernel.alarms.end(sos, CORE)
    say(bench, "g1", "dock", True)
    assert raise_(bench, "sos", kind="sos", source=source).kind == "fault.idle"


# --- maintenance ------------------------------------------------------------------


def device_id(bench: Bench, uid: str = "g1") -> str:
    found = bench.kernel.registry.find_device(HOST, uid)
    assert found is not None
    return found.id


def serve(bench: Bench, hours: float = 8.0, reason: str = "new cell") -> ServiceDevice:
    return ServiceDevice(device_id=device_id(bench), reason=reason, hours=hours)


def test_a_device_in_maintenance_is_no_evidence_and_tells_so() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    gas(bench, 1.0)
    assert bench.act("tech", serve(bench)).ok
    assert kinds(bench) == ["fault.maintenance"]
    gas(bench, 1.0)
    reading = bench.kernel.readings.current("pit", "h2s")[0]
    assert reading.quality is Quality.INHIBITED
    assert bench.kernel.readings.unmonitored() == {"pit"}
    gas(bench, 50.0)
    assert sorted(kinds(bench)) == ["fault.idle", "fault.maintenance"]
    bench.restart(reboot="boot-2")
    assert bench.act("tech", ReturnDevice(device_id=device_id(bench))).ok
    gas(bench, 50.0)
    bench.advance(1)
    assert kinds(bench) == ["gas.toxic"]


def test_maintenance_ends_by_itself_and_by_an_unknown_time() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    assert bench.act("tech", serve(bench, hours=1)).ok
    bench.advance(3599)
    assert device_id(bench) in bench.hub.state.alarms.serviced
    bench.advance(1)
    assert bench.hub.state.alarms.serviced == {}
    assert bench.codes(DeviceServed, "why") == ["expired"]
    assert bench.act("tech", serve(bench, hours=1)).ok
    bench.clock.trusted = False
    bench.restart(reboot="boot-2")
    assert bench.hub.state.alarms.serviced == {}
    assert bench.act("ann", serve(bench)).code == "act.role"
    assert bench.act("tech", serve(bench, reason=" ")).code == "act.reason_missing"


def test_without_a_disk_no_device_goes_into_maintenance() -> None:
    bench = make_kernel(site())
    bench.declare(HOST, detector("g1", "h2s"))
    bench.break_disk()
    assert bench.act("tech", serve(bench)).code == "journal.not_durable"


# --- what a site declares ---------------------------------------------------------

HEAD = """
site: {id: s, names: S}
levels: [{id: g, names: G}]
zones: [{id: pit, names: P, level: g, polygon: [[0, 0], [1, 0], [1, 1]]}]
"""
RULE = """
alarms:
  suppress:
    - id: pump-off
      names: Pump off
      while: {integration: sim, uid: p1, entity: run, on: false}
      kinds: [KIND]
      zones: [ZONE]
  risk: {work: 0.4}
"""


def compiled(folder: Path, text: str) -> AlarmPolicy:
    (folder / "site.yaml").write_text(HEAD + text)
    return compile_folder(folder).alarms


def test_a_site_declares_its_suppressions(tmp_path: Path) -> None:
    text = RULE.replace("KIND", "level").replace("ZONE", "pit")
    policy = compiled(tmp_path, text)
    (rule,) = policy.suppress
    assert (rule.id, rule.kinds, rule.zones) == ("pump-off", ("level",), ("pit",))
    assert rule.cause.on is False
    assert policy.risk == {"work": 0.4}


@pytest.mark.parametrize(
    ("kind", "zone", "mend"),
    [
        ("gas.toxic", "pit", "'gas.toxic' is life safety and is never suppressed"),
        ("sos", "pit", "never suppressed"),
        ("level", "moon", "'moon' is no zone; known: pit"),
    ],
)
def test_what_may_not_be_suppressed_is_refused_with_its_place(
    tmp_path: Path, kind: str, zone: str, mend: str
) -> None:
    text = RULE.replace("KIND", kind).replace("ZONE", zone)
    with pytest.raises(ConfigError, match=r"site.yaml:\d+:\d+: .*") as bad:
        compiled(tmp_path, text)
    assert mend in str(bad.value)
