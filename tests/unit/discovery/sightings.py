"""Sightings as listeners make them, for tests."""

from core.api.manifest import Discovery, Manifest, Mdns, Names, Usb
from core.api.model import EntityKind
from core.link.findings import Sign
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Match, Sighting


def manifest(name: str, discovery: Discovery) -> Manifest:
    return Manifest(
        id=name,
        names=Names(en=name, zh=name),
        version="1.0.0",
        integration=f"{name}:X",
        flow=f"{name}:schema",
        simulator=name,
        iot_class="local_push",
        kinds=(EntityKind.SENSOR,),
        worst_case_latency_s=1.0,
        heartbeat_s=1.0,
        safety_scale="S1",
        discovery=discovery,
    )


SIGNS = Signs(
    [
        manifest("esphome", Discovery(mdns=("_esphomelib._tcp",), dhcp=("24:6f:28",))),
        manifest(
            "shelly",
            Discovery(
                mdns=(
                    "_shelly._tcp",
                    Mdns(service="_http._tcp", name="shelly*", txt={"gen": "2"}),
                ),
                ble=("manufacturer:0ba9",),
            ),
        ),
        manifest(
            "camera",
            Discovery(
                wsd=("NetworkVideoTransmitter", "onvif://www.onvif.org/hardware/*"),
                ssdp=("urn:schemas-upnp-org:device:MediaServer:*", "server:IPCam"),
                dhcp=("28-57-be",),
            ),
        ),
        manifest("modbus", Discovery(usb=(Usb(interface="serial"),), modbus_scan=True)),
        manifest(
            "tags", Discovery(usb=(Usb(vid="1366", pid="0105", description="J-Link"),))
        ),
        manifest("bthome", Discovery(ble=("fcd2",))),
        manifest("frigate", Discovery(mqtt=("frigate/+/status", "tags/#"))),
        manifest("opcua", Discovery(opcua=True)),
    ]
)


def sighting(
    kind: str,
    source: str,
    *keys: str,
    address: str = "",
    port: int = 0,
    slot: str = "",
    integration: str = "x",
    score: int = 50,
) -> Sighting:
    return Sighting(
        source=f"{kind}:{source}",
        kind=kind,
        slot=slot or kind,
        name=source,
        address=address,
        port=port,
        keys=keys,
        facts={"said": source},
        matches=(Match(integration, score, Sign(f"discovery.why.{kind}")),),
        hint=kind == "dhcp",
    )
