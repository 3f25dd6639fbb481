"""Signs speak for integrations as their manifests say, and for no others."""

from hypothesis import given
from hypothesis import strategies as st

from core.api.packages import packages
from core.texts import catalogue
from integrations.runtime.discovery.match import Signs, fits
from integrations.runtime.discovery.sighting import Match
from tests.unit.discovery.sightings import SIGNS


def names(found: tuple[Match, ...]) -> list[str]:
    return [each.integration for each in found]


def test_a_service_is_matched_by_type_name_and_text() -> None:
    assert names(SIGNS.mdns("_esphomelib._tcp", "node", {})) == ["esphome"]
    assert names(SIGNS.mdns("_HTTP._tcp", "ShellyPlus1-A8", {"Gen": "2"})) == ["shelly"]
    assert not SIGNS.mdns("_http._tcp", "printer", {"gen": "2"})
    assert not SIGNS.mdns("_http._tcp", "shellyplus1", {"gen": "3"})
    assert not SIGNS.mdns("_http._tcp", "shellyplus1", {})


def test_wsd_matches_types_and_scopes() -> None:
    assert names(SIGNS.wsd(["NetworkVideoTransmitter"], [])) == ["camera"]
    scope = "onvif://www.onvif.org/hardware/IPC-1"
    assert SIGNS.wsd([], [scope])[0].sign.params == {"sign": scope}
    assert not SIGNS.wsd(["Printer"], ["onvif://www.onvif.org/name/x"])
    assert SIGNS.wsd_types() == ("NetworkVideoTransmitter",)


def test_ssdp_matches_type_or_server() -> None:
    assert names(SIGNS.ssdp("urn:schemas-upnp-org:device:MediaServer:1", "")) == [
        "camera"
    ]
    assert names(SIGNS.ssdp("upnp:rootdevice", "Linux/3 ipcam/1")) == ["camera"]
    assert not SIGNS.ssdp("upnp:rootdevice", "Linux/3")


def test_bluetooth_matches_services_in_both_lengths_and_makers_apart() -> None:
    long = "0000fcd2-0000-1000-8000-00805f9b34fb"
    assert names(SIGNS.ble([long], [])) == ["bthome"]
    assert names(SIGNS.ble(["fcd2"], [])) == ["bthome"]
    assert names(SIGNS.ble([], [0x0BA9])) == ["shelly"]
    assert not SIGNS.ble(["0ba9"], [])


def test_the_more_a_manifest_says_of_a_usb_device_the_surer() -> None:
    facts = {
        "interface": "serial",
        "vid": "1366",
        "pid": "0105",
        "description": "SEGGER J-Link",
    }
    scores = {m.integration: m.score for m in SIGNS.usb(facts)}
    assert scores["tags"] > scores["modbus"]
    assert names(SIGNS.usb({"interface": "serial", "vid": "0403"})) == ["modbus"]


def test_topics_match_like_a_brokers_filters() -> None:
    assert names(SIGNS.mqtt("frigate/front/status")) == ["frigate"]
    assert names(SIGNS.mqtt("tags/1/2")) == ["frigate"]
    assert not SIGNS.mqtt("frigate/front/status/x")
    assert not fits("#", "$SYS/x")
    assert not fits("+/x", "$SYS/x")


def test_hardware_addresses_are_hints() -> None:
    assert names(SIGNS.dhcp("2857be001122")) == ["camera"]
    assert SIGNS.dhcp("2857be001122")[0].score < 50
    assert not SIGNS.dhcp("a00000000000")


def test_only_asked_integrations_answer_a_scan() -> None:
    sign = SIGNS.dhcp("246f28000000")[0].sign
    assert names(SIGNS.asked("opcua", sign)) == ["opcua"]
    assert names(SIGNS.asked("modbus_scan", sign, only="modbus")) == ["modbus"]
    assert not SIGNS.asked("modbus_scan", sign, only="opcua")


def test_every_reason_has_its_sentence() -> None:
    kinds = ("mdns", "wsd", "ssdp", "ble", "mqtt", "usb", "dhcp", "modbus", "opcua")
    assert {f"discovery.why.{kind}" for kind in kinds} <= catalogue().keys()


def test_the_bundled_manifests_can_be_listened_for() -> None:
    signs = Signs(package.manifest for package in packages().values())
    assert signs.asks("modbus_scan")
    assert all(service.startswith("_") for service in signs.services())


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.text(), max_size=4))
def test_no_sign_of_a_stranger_raises(one: str, other: str, many: list[str]) -> None:
    SIGNS.mdns(one, other, {one: other})
    SIGNS.wsd(many, many)
    SIGNS.ssdp(one, other)
    SIGNS.ble(many, [1])
    SIGNS.usb({"vid": one, "description": other})
    SIGNS.mqtt(one)
    SIGNS.dhcp(one)
    fits(one, other)
