"""Every parser of discovery that meets the network: no other error, bounded.

Issue: fuzzing of every parser that meets the network, 0 unhandled exceptions.
"""

import itertools
import uuid
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.api.manifest import Discovery
from core.clock import SimClock
from integrations.runtime.discovery import neighbours, soap, ssdp, wsd
from integrations.runtime.discovery.board import Board
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.mdns import sighting_of as of_service
from integrations.runtime.discovery.mdns import txt_of
from integrations.runtime.discovery.neighbours import NeighbourListener
from integrations.runtime.discovery.reach import ranked
from integrations.runtime.discovery.ssdp import SsdpListener
from integrations.runtime.discovery.wsd import WsdListener
from tests.unit.discovery.sightings import SIGNS, manifest

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
    "<s:Header><a:MessageID>uuid:1</a:MessageID></s:Header><s:Body>{body}</s:Body>"
    "</s:Envelope>"
)
_ID = "urn:uuid:2419d68a-2dd2-21b2-a205-2857be001122"


def device(kind: str, xaddrs: str = "http://192.168.1.64/onvif/device_service") -> str:
    return (
        f"<d:{kind}><a:EndpointReference><a:Address>{_ID}</a:Address>"
        "</a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>"
        "<d:Scopes>onvif://www.onvif.org/name/Gate%20camera"
        " onvif://www.onvif.org/hardware/IPC-7 </d:Scopes>"
        f"<d:XAddrs>{escape(xaddrs)}</d:XAddrs></d:{kind}>"
    )


def word(body: str) -> bytes:
    return _ENVELOPE.format(body=body).encode()


MATCHES = word(f"<d:ProbeMatches>{device('ProbeMatch')}</d:ProbeMatches>")


def test_an_answer_to_a_probe_is_read() -> None:
    found = soap.parse(MATCHES)
    assert found.kind == "ProbeMatches"
    assert found.endpoints == (
        soap.Endpoint(
            _ID,
            ("NetworkVideoTransmitter",),
            (
                "onvif://www.onvif.org/name/Gate%20camera",
                "onvif://www.onvif.org/hardware/IPC-7",
            ),
            ("http://192.168.1.64/onvif/device_service",),
        ),
    )


def test_a_camera_is_known_by_its_identity_and_its_nearest_address() -> None:
    made = wsd.sighting_of(soap.parse(MATCHES).endpoints[0], SIGNS, "192.168.1.64")
    assert made.keys == ("uuid:2419d68a-2dd2-21b2-a205-2857be001122",)
    assert (made.name, made.address, made.port) == ("Gate camera", "192.168.1.64", 80)
    assert made.facts["hardware"] == "IPC-7"
    assert made.facts["url"] == "http://192.168.1.64/onvif/device_service"


def test_hello_and_bye_are_heard() -> None:
    board = Board(SimClock())
    listener = WsdListener(SIGNS, board)
    listener.heard(word(device("Hello")), "192.168.1.64")
    assert len(board) == 1
    listener.heard(word(device("Bye")), "192.168.1.64")
    assert len(board) == 0


def test_our_probe_is_a_word_that_asks_for_what_is_wanted() -> None:
    data = soap.probe(str(uuid.uuid4()), ["NetworkVideoTransmitter", "<x>"])
    assert soap.parse(data).kind == "Probe"
    assert b"dn:NetworkVideoTransmitter<" in data
    assert b"Types" not in soap.probe("1")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"<a/>",
        b"\xff\xfe<\x00",
        b'<?xml version="1.0" encoding="utf-99"?><a/>',
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        word("<d:Other/>"),
        word(""),
        b"<e:Envelope xmlns:e='e'/>",
        b"a" * (soap.MAX_BYTES + 1),
    ],
)
def test_what_is_no_word_is_refused(data: bytes) -> None:
    with pytest.raises(soap.BadWord):
        soap.parse(data)


@given(st.binary(max_size=2_000))
def test_any_datagram_is_a_word_or_none(data: bytes) -> None:
    try:
        soap.parse(data)
    except soap.BadWord:
        return


@given(
    st.integers(0, len(MATCHES)),
    st.binary(max_size=40),
    st.integers(0, len(MATCHES)),
    st.text(max_size=60),
)
@example(0, b"", 0, "http://[")
@example(0, b"", 0, "http://10.0.0.1:99999/")
def test_a_mangled_answer_never_raises(
    at: int, put: bytes, skip: int, xaddrs: str
) -> None:
    listener = WsdListener(SIGNS, Board(SimClock()))
    listener.heard(MATCHES[:at] + put + MATCHES[at + skip :], "192.168.1.64")
    shown = "".join(c for c in xaddrs if c.isprintable())
    listener.heard(word(device("Hello", shown)), "192.168.1.64")


# --- SSDP --------------------------------------------------------------------------

_NOTIFY = (
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
    b"CACHE-CONTROL: max-age=1800\r\nLOCATION: http://192.168.1.64:49152/d.xml\r\n"
    b"NT: urn:schemas-upnp-org:device:MediaServer:1\r\nNTS: ssdp:alive\r\n"
    b"SERVER: Linux UPnP/1.0 IPCam/2\r\n"
    b"USN: uuid:2419d68a-2dd2-21b2-a205-2857be001122::urn:schemas-upnp-org:device:"
    b"MediaServer:1\r\n\r\n"
)


def test_a_notice_is_read_and_taken_back() -> None:
    board = Board(SimClock())
    listener = SsdpListener(SIGNS, board)
    listener.heard(_NOTIFY, "192.168.1.64")
    (found,) = board.findings()
    assert found.key == "uuid:2419d68a-2dd2-21b2-a205-2857be001122"
    assert (found.integration, found.port) == ("camera", 49152)
    listener.heard(_NOTIFY.replace(b"alive", b"byebye"), "192.168.1.64")
    assert board.findings() == []
    listener.heard(b"M-SEARCH * HTTP/1.1\r\n\r\n", "192.168.1.9")
    assert listener.bad == 0
    listener.heard(b"GET / HTTP/1.1\r\n\r\n", "192.168.1.9")
    assert listener.bad == 1


def test_a_device_with_many_types_is_one() -> None:
    board = Board(SimClock())
    listener = SsdpListener(SIGNS, board)
    for kind in (b"upnp:rootdevice", b"urn:schemas-upnp-org:device:MediaServer:1"):
        told = _NOTIFY.replace(b"urn:schemas-upnp-org:device:MediaServer:1", kind)
        listener.heard(told, "192.168.1.64")
    assert len(board.findings()) == 1


@given(
    st.one_of(
        st.binary(max_size=600),
        st.binary(max_size=200).map(lambda tail: _NOTIFY[:60] + tail),
        st.text(max_size=80).map(
            lambda v: (
                f"HTTP/1.1 200 OK\r\nUSN: {v}\r\nST: {v}\r\nLOCATION: {v}\r\n"
                f"CACHE-CONTROL: max-age={v}\r\n".encode()
            )
        ),
    )
)
def test_any_datagram_is_a_notice_or_none(data: bytes) -> None:
    SsdpListener(SIGNS, Board(SimClock())).heard(data, "192.168.1.9")


def test_how_long_a_notice_counts_is_bounded() -> None:
    for said, ttl_s in ((b"1", 60), (b"99999999999", 1800), (b"x", 60), (b"300", 300)):
        assert ssdp.parse(_NOTIFY.replace(b"=1800", b"=" + said)).ttl_s == ttl_s


# --- mDNS, neighbours --------------------------------------------------------------


@given(
    st.dictionaries(
        st.binary(max_size=50), st.none() | st.binary(max_size=300), max_size=90
    ),
    st.text(max_size=300),
    st.text(max_size=300),
)
def test_any_text_record_makes_a_bounded_sighting(
    record: dict[bytes, bytes | None], instance: str, server: str
) -> None:
    txt = txt_of(record)
    made = of_service("_esphomelib._tcp", instance, server, txt, signs=SIGNS)
    assert len(made.facts) <= 16
    assert len(made.source) < 200
    assert all(len(key) <= 160 for key in made.keys)


def test_a_service_tells_who_it_is() -> None:
    txt = txt_of({b"mac": b"246F28AABBCC", b"friendly_name": b"Gas node", b"x": None})
    made = of_service(
        "_esphomelib._tcp", "gas-node", "gas-node.local.", txt, signs=SIGNS, port=6053
    )
    assert made.keys == ("mac:246f28aabbcc",)
    assert made.name == "Gas node"
    assert made.facts["host"] == "gas-node"
    bare = of_service("_esphomelib._tcp", "n", "gas-node.local.", {}, signs=SIGNS)
    assert bare.keys == ("mdns:gas-node",)


def test_the_table_of_neighbours_gives_hints() -> None:
    table = (
        "IP address    HW type   Flags     HW address          Mask   Device\n"
        "192.168.1.64  0x1       0x2       28:57:be:00:11:22   *      eth0\n"
        "192.168.1.65  0x1       0x0       28:57:be:00:11:23   *      eth0\n"
    )
    assert neighbours.parse(table) == [("192.168.1.64", "2857be001122")]


_TABLE = (
    "IP address    HW type   Flags     HW address          Mask   Device\n"
    "192.168.1.64  0x1       0x2       28:57:be:00:11:22   *      eth0\n"
)
_KNOWN = Discovery(
    mdns=("_cam._tcp",),
    ssdp=("urn:schemas-upnp-org:device:MediaServer:*",),
    dhcp=("28:57:be",),
)


@pytest.mark.parametrize("mac", [b"2857BE001122", b""])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_box_that_every_listener_hears_is_proposed_once(
    tmp_path: Path, order: tuple[int, ...], mac: bytes
) -> None:
    """Issue 5 §1: real packets of SSDP and mDNS, and a line of the machine's table."""
    signs, board = Signs([manifest("camera", _KNOWN)]), Board(SimClock())
    table = tmp_path / "arp"
    table.write_text(_TABLE, "ascii")
    told = of_service(
        *("_cam._tcp", "Gate", "gate.local."),
        txt_of({b"mac": mac} if mac else {}),
        signs=signs,
        address="192.168.1.64",
        port=80,
    )
    heard = (
        lambda: board.seen(told, 120),
        lambda: SsdpListener(signs, board).heard(_NOTIFY, "192.168.1.64"),
        NeighbourListener(signs, board, table).look,
    )
    for at in order:
        heard[at]()
        (found,) = board.findings()
        assert found.integration == "camera"
    assert {sign.code for sign in found.why} == {
        "discovery.why.mdns",
        "discovery.why.ssdp",
        "discovery.why.dhcp",
    }
    assert (found.name, found.port) == ("Gate", 80)


@given(st.text(max_size=500))
def test_any_table_is_read(text: str) -> None:
    neighbours.parse(text)


@given(st.lists(st.text(max_size=40) | st.ip_addresses().map(str), max_size=12))
def test_addresses_that_nobody_reaches_are_left_out(addresses: list[str]) -> None:
    found = ranked(addresses, ())
    assert len(found) <= 6
    assert not {"0.0.0.0", "::", "not an address"} & set(found)
