"""The list of findings is bounded, and forgets what has gone."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SimClock
from core.config import EMPTY, IntegrationConfig
from core.link.findings import MAX_FINDINGS, Finding, Findings, Sign
from core.link.frames import MAX_FRAME
from core.registry.proposals_state import IgnoredRecord
from core.registry.state import DeviceRecord, RegistryState
from integrations.runtime.discovery.board import MAX_OF_KIND, Board
from integrations.runtime.discovery.known import Known, host_in
from integrations.runtime.discovery.sighting import Match, Sighting
from tests.unit.discovery.sightings import sighting


def board() -> Board:
    return Board(SimClock())


def keys(found: list[Finding]) -> list[str]:
    return sorted(each.key for each in found)


def test_goodbye_takes_a_finding_from_the_list() -> None:
    made, told = board(), list[int]()
    made.changed = lambda: told.append(len(made))
    made.seen(sighting("mdns", "a", "mac:1"))
    made.seen(sighting("mdns", "a", "mac:1"))
    made.gone("mdns:a")
    made.gone("mdns:a")
    assert told == [1, 0]
    assert made.findings() == []


def test_what_is_not_heard_of_in_its_time_goes() -> None:
    clock = SimClock()
    made = Board(clock)
    made.seen(sighting("wsd", "a", "uuid:1"), 60)
    made.seen(sighting("wsd", "b", "uuid:2"), 60)
    clock.advance(50)
    made.seen(sighting("wsd", "b", "uuid:2"), 60)
    clock.advance(20)
    made.expire()
    assert keys(made.findings()) == ["uuid:2"]


def test_a_thing_that_matches_nothing_any_more_goes() -> None:
    made = board()
    made.seen(sighting("mdns", "a", "mac:1"))
    made.seen(msgspec.structs.replace(sighting("mdns", "a", "mac:1"), matches=()))
    assert made.findings() == []


def test_a_flood_of_one_kind_costs_no_other_its_findings() -> None:
    """Policy: of a kind that is full the one heard of longest ago is shed, counted."""
    clock = SimClock()
    made = Board(clock)
    made.seen(sighting("usb", "adapter", "usb:1"))
    for number in range(MAX_OF_KIND + 40):
        clock.advance(1)
        made.seen(sighting("wsd", str(number), f"uuid:{number}"))
    assert made.shed == 40
    assert made.sources("usb") == {"usb:adapter"}
    assert "wsd:39" not in made.sources("wsd")
    assert len(made.findings()) == MAX_FINDINGS


def test_the_longest_list_fits_one_frame() -> None:
    text = "设" * 120
    facts = {f"{number:040}": text for number in range(16)}
    sign = Sign("discovery.why.usb", {"sign": text, "port": text})
    made = board()
    for number in range(MAX_OF_KIND):
        made.seen(
            Sighting(
                source=f"mdns:{number}",
                kind="mdns",
                slot="m",
                name=text,
                address=f"10.0.0.{number}",
                keys=tuple(f"serial:{number:0150}{n}" for n in range(12)),
                facts=facts,
                matches=tuple(Match(f"i{n}", 1, sign) for n in range(9)),
            )
        )
    size = len(msgspec.msgpack.encode(Findings(made.findings())))
    assert MAX_FRAME // 2 < size < MAX_FRAME


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_the_board_holds_what_was_seen_and_not_said_goodbye(
    steps: list[tuple[bool, int]],
) -> None:
    made, model = board(), set[int]()
    for comes, number in steps:
        if comes:
            made.seen(sighting("mdns", str(number), f"mac:{number}"))
            model.add(number)
        else:
            made.gone(f"mdns:{number}")
            model.discard(number)
    assert keys(made.findings()) == sorted(f"mac:{number}" for number in model)


# --- what the site has already -----------------------------------------------------


def known(registry: RegistryState | None = None, *configs: IntegrationConfig) -> Known:
    made = Known()
    made.covers["modbus"] = lambda options: [str(options.get("key"))]
    bundle = msgspec.structs.replace(EMPTY, integrations=configs)
    made.take(registry or RegistryState(), bundle)
    return made


def found(*own: str, **fields: object) -> Finding:
    base = {"kind": "mdns", "key": own[0], "keys": own, "name": "n", "integration": "x"}
    return msgspec.convert({**base, **fields}, Finding)


def config(kind: str, options: dict[str, object]) -> IntegrationConfig:
    return IntegrationConfig(id=f"my-{kind}", integration=kind, options=options)


def enrolled(uid: str, serial: str = "") -> RegistryState:
    record = DeviceRecord(
        id="D",
        integration="my-x",
        uid=uid,
        name="n",
        manufacturer="",
        model="",
        zone_id=None,
        person_id=None,
        entities=[],
        serial=serial,
    )
    return RegistryState(devices={"D": record})


def test_an_enrolled_device_is_not_proposed_again() -> None:
    assert known(enrolled("esp-24:6F:28:AA:BB:CC")).covered(found("mac:246f28aabbcc"))
    assert known(enrolled("gas-1", "GX 004711")).covered(found("serial:gx004711"))
    assert not known(enrolled("gas-1")).covered(found("mac:246f28aabbcc"))


def test_an_address_that_its_integration_has_is_not_proposed_again() -> None:
    made = known(None, config("x", {"cameras": [{"address": "10.0.0.5", "port": 80}]}))
    assert made.covered(found("uuid:1", address="10.0.0.5"))
    assert not made.covered(found("uuid:1", address="10.0.0.6"))
    assert not made.covered(found("uuid:1", address="10.0.0.5", integration="y"))
    # Whichever integration the box was first thought to be of.
    assert made.covered(
        found("uuid:1", address="10.0.0.5", integration="y", also=("x",))
    )


def test_a_name_in_an_option_is_no_device() -> None:
    """A host called homeassistant is not what a topic's prefix speaks of."""
    made = known(
        None, config("mqtt", {"prefix": "homeassistant", "uid": "2857be001122"})
    )
    assert not made.covered(found("mdns:homeassistant"))
    assert made.covered(found("mac:2857be001122"))
    assert known(enrolled("gas-node")).covered(found("mdns:gas-node"))


def test_units_at_one_gateway_are_told_apart() -> None:
    made = known(
        None, config("modbus", {"tcp": "10.0.0.5:502", "key": "modbus:10.0.0.5:502/3"})
    )
    common = {"kind": "modbus_tcp", "integration": "modbus", "address": "10.0.0.5"}
    assert made.covered(found("modbus:10.0.0.5:502/3", **common))
    assert not made.covered(found("modbus:10.0.0.5:502/4", **common))
    assert made.places == {"10.0.0.5:502": "my-modbus"}


def test_hosts_are_found_in_whatever_form_options_have() -> None:
    assert host_in("10.0.0.5:502") == host_in("rtsp://u:p@10.0.0.5/x") == "10.0.0.5"
    assert host_in("PLC.local:4840") == "plc.local"
    assert host_in("[fd00::5]") == host_in("fd00::5") == "fd00::5"
    assert host_in("own") == host_in("/dev/ttyUSB0") == host_in("http://[") == ""


def test_an_ignored_finding_is_known_by_any_of_its_keys() -> None:
    record = IgnoredRecord(key="mac:1", keys=("mac:1", "uuid:1"))
    made = known(RegistryState(ignored={"mac:1": record}))
    assert made.ignored(found("serial:1", "uuid:1"))
    assert not made.ignored(found("serial:1"))


def test_ignored_findings_stand_last_and_are_marked() -> None:
    made = board()
    made.ignored = lambda each: each.key == "mac:1"
    made.seen(sighting("mdns", "a", "mac:1"))
    made.seen(sighting("mdns", "b", "mac:2"))
    assert [(f.key, f.ignored) for f in made.findings()] == [
        ("mac:2", False),
        ("mac:1", True),
    ]
