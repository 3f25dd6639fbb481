"""One device never yields two proposals, and two devices never become one."""

import itertools
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from core.link.findings import MAX_FACTS, Sign
from integrations.runtime.discovery.sighting import (
    Match,
    Sighting,
    clean,
    clean_facts,
    finding,
    unify,
)
from tests.unit.discovery.sightings import sighting


class Thing(NamedTuple):
    """A device of the model: which listeners hear it, and what they can tell."""

    number: int
    mdns: int
    """Services that it announces; 0: none."""
    tells_mac: bool
    wsd: bool
    ssdp: bool
    ble: bool
    neighbour: bool
    at: bool
    """True: it has an address of its own."""


def heard(thing: Thing) -> list[Sighting]:
    """Return what the listeners say of a device."""
    n, address = thing.number, f"10.0.0.{thing.number}" if thing.at else ""
    mac = f"mac:{n:012x}"
    uuid = f"uuid:{n:08x}-0000-4000-8000-000000000001"
    other = f"uuid:{n:08x}-0000-4000-8000-000000000002"
    found = [
        sighting(
            "mdns",
            f"service{service}:{n}",
            *((mac,) if thing.tells_mac or not thing.at else ()),
            address=address,
            port=80 + service,
            slot=f"mdns:service{service}",
        )
        for service in range(thing.mdns)
    ]
    # Their identities differ; without an address only what both tell unites them.
    shared = () if thing.at else (mac,)
    if thing.wsd:
        found.append(sighting("wsd", f"{n}", uuid, *shared, address=address, port=8000))
    if thing.ssdp:
        found.append(sighting("ssdp", f"{n}", other, *shared, address=address))
    if thing.ble and (thing.tells_mac or not thing.at):
        found.append(sighting("ble", f"{n}", mac))
        if thing.at:
            found.append(sighting("mdns", f"b:{n}", mac, address=address, slot="b"))
    if thing.neighbour and thing.at:
        found.append(sighting("dhcp", f"{n}", mac, address=address, score=10))
    return found


THINGS = st.lists(
    st.tuples(st.integers(0, 2), *(st.booleans() for _ in range(6))), max_size=8
).map(lambda rows: [Thing(number, *row) for number, row in enumerate(rows, 1)])


@settings(max_examples=300)
@given(THINGS, st.randoms(use_true_random=False))
def test_one_device_one_proposal_in_any_order(
    things: list[Thing], order: object
) -> None:
    """Requirement: one device never yields two proposals."""
    parts = [heard(thing) for thing in things]
    every = list(itertools.chain(*parts))
    order.shuffle(every)  # type: ignore[attr-defined]
    groups = unify(every)
    assert len(groups) == sum(bool(part) for part in parts)
    for group in groups:
        numbers = {each.source.rpartition(":")[2] for each in group}
        assert len(numbers) == 1


@given(st.integers(2, 6), st.booleans())
def test_devices_behind_one_address_stay_apart(count: int, hint: bool) -> None:
    """Cameras of a recorder have its address, and identities of their own."""
    many = [
        sighting("wsd", f"{n}", f"uuid:{n}", address="10.0.0.9") for n in range(count)
    ]
    if hint:
        many.append(sighting("dhcp", "m", "mac:1", address="10.0.0.9"))
    assert len(unify(many)) == count
    units = [
        sighting("modbus_tcp", f"g/{n}", f"modbus:g/{n}", address="g", slot="modbus")
        for n in range(count)
    ]
    assert len(unify(units)) == count


def test_a_service_that_was_renamed_is_still_one() -> None:
    """Its old name lives on until its time is over."""
    old = sighting("mdns", "a", address="10.0.0.1", port=6053, slot="mdns:x")
    new = sighting("mdns", "a-2", address="10.0.0.1", port=6053, slot="mdns:x")
    assert len(unify([old, new])) == 1
    other = sighting("mdns", "b", address="10.0.0.1", port=6054, slot="mdns:x")
    assert len(unify([old, other])) == 2


def test_a_finding_speaks_for_the_surest_match() -> None:
    hint = sighting("dhcp", "h", "mac:1", address="10.0.0.1", integration="b", score=10)
    sure = sighting(
        "mdns", "s", "mac:1", address="10.0.0.1", port=80, integration="a", score=80
    )
    made = finding([hint, sure], 5)
    assert (made.integration, made.also, made.kind) == ("a", ("b",), "mdns")
    assert (made.key, made.address, made.port, made.seen_ms) == (
        "mac:1",
        "10.0.0.1",
        80,
        5,
    )
    assert [sign.code for sign in made.why] == ["discovery.why.mdns"]
    assert made.facts["mac"] == "1"
    assert {"key", "name", "address", "port"} <= made.facts.keys()


def test_a_device_without_an_identity_is_known_by_its_place() -> None:
    made = finding([sighting("mdns", "_x._tcp:node")], 0)
    assert made.key == "place:mdns:_x._tcp:node"
    assert made.keys == (made.key,)


@given(
    st.dictionaries(st.text(max_size=100), st.text(max_size=500), max_size=40),
    st.text(max_size=500),
)
def test_what_strangers_say_is_bounded_and_printable(
    facts: dict[str, str], name: str
) -> None:
    one = Sighting(
        source="mdns:x",
        kind="mdns",
        slot="x",
        name=clean(name),
        facts=clean_facts(facts),
        matches=(Match("a", 1, Sign("c")),),
    )
    made = finding([one], 0)
    assert len(made.facts) <= MAX_FACTS
    for text in (*made.facts, *made.facts.values(), made.name):
        assert len(text) <= 170
        assert all(c.isprintable() for c in text)


def test_a_fact_is_whole_or_none() -> None:
    """Half of a path is the path of something else."""
    whole = "/dev/serial/by-id/" + "x" * 250
    made = clean_facts({"device": whole, "url": "http://" + "y" * 300, "a\tb": "c\n"})
    assert made == {"device": whole, "a b": "c"}
