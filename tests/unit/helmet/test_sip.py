"""SIP and MANSCDP: good words are read, anything else is one error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.helmet import manscdp, sip
from integrations.helmet.manscdp import XmlError
from integrations.helmet.sip import SipError

ID = "34020000001180000001"
REGISTER = (
    b"REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:34020000001180000001@3402000000>;tag=1\r\n"
    b"To: <sip:34020000001180000001@3402000000>\r\n"
    b"Call-ID: a\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)
ALARM = """<?xml version="1.0" encoding="GB2312"?>
<Notify>
<CmdType>Alarm</CmdType><SN>7</SN><DeviceID>34020000001180000001</DeviceID>
<AlarmPriority>1</AlarmPriority><AlarmMethod>5</AlarmMethod>
<AlarmTime>2026-05-01T12:00:00</AlarmTime>
<AlarmDescription>求救</AlarmDescription>
<Longitude>121.5</Longitude><Latitude>31.2</Latitude>
<Info><AlarmType>2</AlarmType></Info>
</Notify>"""


def test_a_registration() -> None:
    message = sip.parse(REGISTER)
    assert (message.method, message.user) == ("REGISTER", ID)
    said = sip.answer(message, 200, "OK", {"Expires": "60"})
    back = sip.parse(said)
    assert (back.status, back.get("cseq")) == (200, "1 REGISTER")
    assert "tag=safehold" in back.get("to")


def test_a_stream_is_cut_by_its_lengths() -> None:
    assert sip.length(REGISTER) == len(REGISTER)
    assert sip.length(REGISTER[:40]) is None
    with pytest.raises(SipError):
        sip.length(REGISTER.replace(b"Content-Length: 0", b"X: 0"))
    with pytest.raises(SipError):
        sip.length(REGISTER.replace(b"Length: 0", b"Length: 99999"))


@given(st.one_of(st.binary(max_size=2000), st.text(max_size=500).map(str.encode)))
def test_any_bytes_are_a_message_or_one_error(data: bytes) -> None:
    for read in (sip.parse, sip.length):
        try:
            read(data)
        except SipError:
            pass


@given(st.integers(0, len(REGISTER)), st.binary(max_size=20))
def test_what_is_near_a_message_too(at: int, more: bytes) -> None:
    data = REGISTER[:at] + more + REGISTER[at + len(more) :]
    try:
        sip.parse(data)
    except SipError:
        pass


def test_the_digest_of_the_rfc() -> None:
    """RFC 2617, 3.5: its own example."""
    told = {
        "uri": "/dir/index.html",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "nc": "00000001",
        "cnonce": "0a4f113b",
        "qop": "auth",
    }
    name, realm = "Mufasa", "testrealm@host.com"
    found = sip.digest("GET", told, name, realm, "Circle Of Life")
    assert found == "6629fae49393a05397450978507c4ef1"


def test_a_proof_needs_name_realm_and_password() -> None:
    told = {"uri": "sip:x", "nonce": "n"}
    good = sip.digest("REGISTER", told, ID, "r", "secret")
    text = (
        f'Digest username="{ID}", realm="r", nonce="n", uri="sip:x", response="{good}"'
    )
    assert sip.proves("REGISTER", text, ID, "r", "secret")
    assert not sip.proves("REGISTER", text, ID, "r", "other")
    assert not sip.proves("REGISTER", text, ID, "other", "secret")
    assert not sip.proves("REGISTER", text, ID[:-1] + "2", "r", "secret")
    # No password is set: nobody proves anything.
    empty = sip.digest("REGISTER", told, ID, "r", "")
    assert not sip.proves("REGISTER", text.replace(good, empty), ID, "r", "")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_an_alarm_in_its_encodings(encoding: str) -> None:
    text = ALARM if encoding != "utf-8" else ALARM.replace("GB2312", "UTF-8")
    notice = manscdp.parse(text.encode(encoding))
    assert (notice.kind, notice.command, notice.device_id) == ("Notify", "Alarm", ID)
    assert notice.fields["AlarmDescription"] == "求救"
    assert notice.fields["AlarmType"] == "2"
    assert notice.place == (31.2, 121.5)
    assert notice.at == 1_777_608_000.0  # noon in China


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Notify/>",
        "<Notify><CmdType>Alarm</CmdType><DeviceID>1</DeviceID></Notify>",
        '<!DOCTYPE a [<!ENTITY b "c">]><Notify>&b;</Notify>',
        "<a>" * 3000,
    ],
)
def test_what_is_no_notice(text: str) -> None:
    with pytest.raises(XmlError):
        manscdp.parse(text.encode())


@given(st.one_of(st.binary(max_size=500), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_a_notice_or_one_error(data: bytes) -> None:
    for each in (data, ALARM.encode("gb18030")[: len(data)] + data):
        try:
            manscdp.parse(each)
        except XmlError:
            pass


def test_what_is_built_is_read() -> None:
    data = manscdp.build("Query", "MobilePosition", "3", ID, Interval="5")
    assert manscdp.parse(data).fields["Interval"] == "5"
