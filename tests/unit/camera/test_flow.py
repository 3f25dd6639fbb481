"""The form of cameras: what it takes, fills in and refuses; no secret in an address."""

from typing import Any

import pytest
import voluptuous as vol

from core.api import packages
from integrations.camera import flow
from integrations.camera.pictures import with_credentials
from integrations.camera.source import port_of
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.soap import parse
from integrations.runtime.discovery.wsd import sighting_of
from tests.support.discovery.announce import UUID
from tests.support.discovery.announce import word as announced


def _checked(**camera: Any) -> dict[str, Any]:
    whole = {"uid": "c1", "address": "192.0.2.7", **camera}
    options: dict[str, Any] = flow.schema()({"cameras": [whole]})
    found: dict[str, Any] = options["cameras"][0]
    return found


def test_a_camera_of_onvif_needs_no_more_than_a_place() -> None:
    found = _checked()
    assert (found["port"], found["picture"]) == (80, "rtsp")
    assert found["events"] == ["motion", "tamper"]
    assert _checked(tls=True)["port"] == 443


@pytest.mark.parametrize(
    ("camera", "where"),
    [
        ({"protocol": "http"}, "path"),
        ({"protocol": "rtsp"}, "path"),
        ({"protocol": "http", "path": "/a", "events": ["motion"]}, "events"),
        ({"protocol": "rtsp", "path": "/a", "picture": "mjpeg"}, "picture"),
        ({"picture": "mjpeg"}, "path"),
        ({"picture": "none", "events": []}, "picture"),
        ({"protocol": "isapi", "recorder": True}, "recorder"),
        ({"username": "hub"}, "password"),
        ({"fps": 0.5, "lost_s": 5.0}, "lost_s"),
        ({"address": "http://hub:pw@192.0.2.7"}, "address"),
        ({"path": "/a b"}, "path"),
        ({"masks": [[[0, 0], [1, 1]]]}, "masks"),
        ({"masks": [[[0, 0], [1, 1], [2, 0]]]}, "masks"),
        ({"events": ["motoin"]}, "events"),
        ({"events": ["input"]}, "events"),
        ({"reference": ["v1:zz"]}, "reference"),
        ({"fingerprint": "12"}, "fingerprint"),
        ({"fps": 25}, "fps"),
        ({"uid": "a/b"}, "uid"),
        ({"port": True}, "port"),
    ],
)
def test_what_fits_nothing_is_refused_at_its_place(
    camera: dict[str, Any], where: str
) -> None:
    with pytest.raises(vol.MultipleInvalid) as caught:
        _checked(**camera)
    assert where in [str(part) for part in caught.value.errors[0].path]


def test_two_cameras_of_one_name_are_refused() -> None:
    one = {"uid": "c1", "address": "192.0.2.7"}
    with pytest.raises(vol.MultipleInvalid):
        flow.schema()({"cameras": [one, one]})


def test_secrets_are_named_and_never_part_of_an_address() -> None:
    options = flow.schema()(
        {
            "cameras": [
                {"uid": u, "address": "a", "username": "hub", "password": "cam.pw"}
                for u in ("c1", "c2")
            ]
        }
    )
    assert flow.secrets_of(options) == ("cam.pw",)
    url = with_credentials("rtsp://evil:x@192.0.2.7:554/a?b=c", "h@b", "p/w:ä")
    assert url == "rtsp://h%40b:p%2Fw%3A%C3%A4@192.0.2.7:554/a?b=c"
    assert port_of("rtsp://192.0.2.7:99999/") == 0


def test_a_finding_fills_the_form_with_a_lasting_identity() -> None:
    """R27: an identity comes from a serial, MAC or key, never from an address."""
    facts = {
        "key": "uuid:4d454930-0000-1000-8000-0200deadbeef",
        "name": "Gate",
        "address": "192.0.2.7",
        "port": "8080",
    }
    options = flow.schema()(flow.prefill(facts))
    (camera,) = options["cameras"]
    assert camera["uid"] == "cam-uuid-4d454930-0000-1000-8000-0200deadbeef"
    assert (camera["port"], camera["name"]) == (8080, "Gate")
    moved = flow.prefill({**facts, "address": "192.0.2.99"})["cameras"][0]
    assert moved["uid"] == camera["uid"]
    serial = flow.prefill({**facts, "serial": "DS-1"})["cameras"][0]
    assert (serial["uid"], serial["serial_number"]) == ("cam-ds-1", "DS-1")


def test_the_manifest_says_how_cameras_are_found() -> None:
    manifest = packages.packages()["camera"].manifest
    assert "NetworkVideoTransmitter" in manifest.discovery.wsd
    assert not manifest.outputs


def test_what_a_camera_announces_becomes_options_of_its_own() -> None:
    """Issue §1: WS-Discovery names the camera; the form is filled in from that."""
    manifest = packages.packages()["camera"].manifest
    signs = Signs([manifest])
    word = parse(announced("Hello", "192.0.2.44"))
    found = sighting_of(word.endpoints[0], signs, "192.0.2.44")
    assert [each.integration for each in found.matches] == ["camera"]
    facts = {
        **found.facts,
        "key": found.keys[0],
        "name": found.name,
        "address": found.address,
        "port": str(found.port),
    }
    (camera,) = flow.schema()(flow.prefill(facts))["cameras"]
    assert camera["uid"] == f"cam-uuid-{UUID}"
    assert camera["name"] == "Gate"
