"""A small site for the tests of registry, readings and alarms."""

from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.api.reading import Reading, Value
from core.config import (
    Bundle,
    DeviceRule,
    Limit,
    Names,
    Person,
    Quantity,
    Site,
    Zone,
)
from core.link import messages as m
from tests.support.kernel import Bench

HOST = "host:sim"
UNITS = {"h2s": "ppm", "o2": "%vol", "lel": "%LEL", "ch4": "%LEL", "level": "m"}


def named(text: str) -> Names:
    return Names(zh=text, en=text)


def limit(condition: str, kind: str, unit: str, **fields: object) -> Limit:
    return Limit(condition=condition, kind=kind, unit=unit, **fields)  # type: ignore[arg-type]


QUANTITIES = (
    Quantity(
        id="h2s",
        names=named("H2S"),
        unit="ppm",
        gas_class="toxic",
        molar_mass=34.08,
        accept_below=7.0,
        limits=(
            limit(
                "high",
                "gas.toxic",
                "ppm",
                above=7.0,
                hysteresis=1.0,
                priority=1,
                life_safety=True,
            ),
        ),
    ),
    Quantity(
        id="o2",
        names=named("O2"),
        unit="%vol",
        gas_class="oxygen",
        accept_above=19.5,
        accept_below=23.5,
        limits=(
            limit("low", "gas.oxygen", "%vol", below=19.5, priority=1),
            limit("high", "gas.oxygen", "%vol", above=23.5, priority=1),
        ),
    ),
    Quantity(
        id="ch4",
        names=named("CH4"),
        unit="%LEL",
        gas_class="combustible",
        lel_vol=5.0,
        molar_mass=16.04,
        accept_below=10.0,
        limits=(
            limit(
                "high", "gas.combustible", "%LEL", above=25.0, priority=2, latching=True
            ),
        ),
    ),
    Quantity(
        id="level",
        names=named("Level"),
        unit="m",
        limits=(limit("high", "level", "m", above=3.0, priority=3, sustain_s=10.0),),
    ),
)


def site(**rule: object) -> Bundle:
    """Return a bundle whose rule enrols every ``g…`` device into zone pit."""
    fields: dict[str, object] = {"zone": "pit", "critical": ("*",), **rule}
    return Bundle(
        site=Site(
            id="s",
            names=named("site"),
            zones=tuple(
                Zone(id=each, names=named(each), level="ground", polygon=())
                for each in ("pit", "yard")
            ),
        ),
        people=(
            Person(id="boss", name="boss", roles=("safety_officer",)),
            Person(id="tech", name="tech", roles=("maintainer",)),
            Person(id="ann", name="ann", roles=("worker",)),
        ),
        quantities=QUANTITIES,
        devices=(DeviceRule(integration="sim", uid="g*", **fields),),  # type: ignore[arg-type]
    )


def detector(uid: str, *quantities: str, **fields: object) -> Device:
    """Return a detector with one gas entity per quantity (max age 10 s)."""
    fields = {"max_age_s": 10.0, "kind": EntityKind.GAS, **fields}
    return Device(
        uid=uid,
        name=uid,
        entities=tuple(
            Entity(
                uid=each,
                name=f"{uid} {each}",
                quantity=each,
                **{"unit": UNITS.get(each, ""), **fields},  # type: ignore[arg-type]
            )
            for each in quantities
        ),
    )


def say(  # the facts of one row
    bench: Bench,
    uid: str,
    entity: str,
    value: Value,
    quality: int = Quality.GOOD,
    *,
    reason: str = "",
    seq: int = 0,
    measured_ns: int = 0,
    sent_ns: int | None = None,
) -> None:
    """Let the host send one row."""
    handle = bench._handles[HOST, uid, entity]
    row = m.Row(handle, value, int(quality), measured_ns, seq, reason)
    sent = bench.clock.mono_ns() if sent_ns is None else sent_ns
    bench.kernel.readings.receive(HOST, m.Readings(sent, [row]))
    bench.settle()


def coalesce(
    bench: Bench,
    uid: str,
    entity: str,
    last: Value,
    low: float,
    high: float,
    quality: int = Quality.GOOD,
    worst: int = Quality.GOOD,
) -> None:
    """Let the host send one coalesced row."""
    handle = bench._handles[HOST, uid, entity]
    row = m.Extremes(handle, last, low, high, int(quality), int(worst), 9)
    frame = m.Readings(bench.clock.mono_ns(), [], [row])
    bench.kernel.readings.receive(HOST, frame)
    bench.settle()


def read(bench: Bench, uid: str, entity: str) -> Reading:
    """Return the reading of an entity as it stands."""
    return bench.kernel.readings.get(bench.entity(HOST, uid, entity))


def conditions(bench: Bench) -> list[str]:
    """Return the conditions of the active alarms, most urgent first."""
    return [record.condition for record in bench.kernel.alarms.active()]
