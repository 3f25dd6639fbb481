"""Every parser that meets a camera: its own error or a value, whatever comes."""

import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.camera import alerts, frame, multipart, replies, soap
from integrations.camera.multipart import Documents, Part, Parts, StreamError
from integrations.camera.soap import SoapError

_NOTICE = soap.letter(
    "<PullMessagesResponse><NotificationMessage>"
    "<Topic>tns1:RuleEngine/CellMotionDetector/Motion</Topic><Message>"
    '<tt:Message UtcTime="2026-01-01T00:00:00Z" PropertyOperation="Changed">'
    '<tt:Source><tt:SimpleItem Name="V" Value="1"/></tt:Source>'
    '<tt:Data><tt:SimpleItem Name="IsMotion" Value="true"/></tt:Data>'
    "</tt:Message></Message></NotificationMessage></PullMessagesResponse>"
)
_ALERT = (
    b"<EventNotificationAlert><channelID>1</channelID><eventType>VMD</eventType>"
    b"<eventState>active</eventState></EventNotificationAlert>"
)
_BODIES: tuple[Callable[[bytes], object], ...] = (
    lambda data: replies.wall(soap.answer(data)),
    lambda data: replies.services(soap.answer(data)),
    lambda data: replies.capabilities(soap.answer(data)),
    lambda data: replies.profiles(soap.answer(data)),
    lambda data: replies.uri(soap.answer(data)),
    lambda data: replies.subscription(soap.answer(data)),
    lambda data: replies.recorded(soap.answer(data)),
    replies.read_notices,
    replies.read_info,
    alerts.alert,
    alerts.device,
)


def _spoilt(base: bytes) -> st.SearchStrategy[bytes]:
    """Yield good input of which pieces are cut, doubled or replaced."""
    at = st.integers(0, len(base))
    return st.one_of(
        st.binary(max_size=400),
        st.builds(lambda a, b, c: base[:a] + c + base[b:], at, at, st.binary()),
    )


@given(data=_spoilt(_NOTICE))
@example(data=b"")
@example(data=_NOTICE)
@example(data=b'<?xml version="1.0" encoding="nonsense"?><a/>')
@example(data=b"<a>" * 5_000)
def test_an_answer_is_read_or_refused_by_one_error(data: bytes) -> None:
    """Issue, tests: no other exception of any parser that meets the network."""
    for parse in _BODIES:
        with contextlib.suppress(SoapError):
            parse(data)


@given(data=_spoilt(_ALERT))
def test_an_alert_is_read_or_refused_by_one_error(data: bytes) -> None:
    with contextlib.suppress(SoapError):
        found = alerts.alert(data)
        assert isinstance(found.active, bool)


@pytest.mark.parametrize(
    "bomb",
    [
        b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://192.0.2.1/x"><a/>',
        b"<a>" + b"<b/>" * (soap.MAX_ELEMENTS + 1) + b"</a>",
    ],
)
def test_xml_that_attacks_is_refused(bomb: bytes) -> None:
    with pytest.raises(SoapError):
        soap.document(bomb)


def test_a_refusal_of_credentials_is_told_from_other_faults() -> None:
    """Driver rules: wrong credentials are no reason to try again."""

    def fault(code: str) -> bytes:
        return soap.letter(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
            f"<s:Value>ter:{code}</s:Value></s:Subcode></s:Code></s:Fault>"
        )

    for code, denied in (("NotAuthorized", True), ("ActionNotSupported", False)):
        with pytest.raises(SoapError) as caught:
            soap.answer(fault(code))
        assert caught.value.denied is denied


def test_the_password_goes_as_the_digest_of_the_profile() -> None:
    """WS-Security UsernameToken Profile 1.0: Base64(SHA-1(nonce + created + pw))."""
    nonce, created = b"0123456789abcdef", "2026-01-01T00:00:00.000Z"
    header = soap.token("hub", "secret", nonce, created)
    assert "secret" not in header
    # Computed once by openssl: (nonce, created, password) | sha1 | base64.
    assert "Jcd++c9gZ/c4zFSpJtkPJ3kxLec=" in header


def test_text_from_a_camera_is_bounded() -> None:
    long = "x" * 5_000
    about = soap.letter(f"<R><SerialNumber>{long}</SerialNumber></R>")
    assert len(replies.read_info(about).serial) == soap.MAX_TEXT


def test_a_topic_loses_its_prefixes_only() -> None:
    (notice,) = replies.read_notices(_NOTICE)
    assert notice.topic == "RuleEngine/CellMotionDetector/Motion"
    assert notice.data == {"IsMotion": "true"}


# --- streams -------------------------------------------------------------------------


def _stream(bodies: list[bytes], mark: bytes, *, lengths: bool) -> bytes:
    found = b""
    for body in bodies:
        head = b"--" + mark + b"\r\nContent-Type: image/jpeg\r\n"
        if lengths:
            head += b"Content-Length: %d\r\n" % len(body)
        found += head + b"\r\n" + body + b"\r\n"
    return found + b"--" + mark + b"\r\n"


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


_BODY = st.binary(min_size=1, max_size=80).map(lambda b: b"\xff\xd8" + b + b"\xff\xd9")


@given(
    bodies=st.lists(_BODY, min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
    lengths=st.booleans(),
    told=st.sampled_from(
        ['multipart/x-mixed-replace; boundary="zz-mark"', "multipart/mixed", ""]
    ),
)
def test_parts_come_whole_however_the_network_cuts_them(
    bodies: list[bytes], cuts: list[int], lengths: bool, told: str
) -> None:
    parts = Parts(told, 1 << 16)
    found: list[Part] = []
    for piece in _pieces(_stream(bodies, b"zz-mark", lengths=lengths), cuts):
        found += parts.feed(piece)
    assert [part.body for part in found] == bodies


@pytest.mark.parametrize(
    "told",
    [
        "multipart/mixed; boundary=--zz-mark",
        "multipart/mixed; boundary=zz-mark",
        "multipart/mixed;boundary=another",
    ],
)
def test_a_boundary_that_was_announced_wrongly_is_found(told: str) -> None:
    """Issue §5: the stream of alerts and pictures survives broken boundaries."""
    parts = Parts(told, 1 << 16)
    data = _stream(
        [b"\xff\xd8" + b"a" * 3_000 + b"\xff\xd9"] * 4, b"zz-mark", lengths=True
    )
    found = [
        part
        for piece in _pieces(data, [700 * n for n in range(20)])
        for part in parts.feed(piece)
    ]
    assert len(found) >= 3


def test_a_length_that_lies_is_not_believed() -> None:
    data = (
        b"--m\r\nContent-Length: 3\r\n\r\nabcdef\r\n"
        b"--m\r\nContent-Length: 99999999999999\r\n\r\nghi\r\n"
        b"--m\r\nContent-Length: -4\r\n\r\njkl\r\n--m\r\n"
    )
    assert [p.body for p in Parts("", 1 << 16).feed(data)] == [
        b"abcdef", b"ghi", b"jkl"
    ]  # fmt: skip


@given(pieces=st.lists(st.binary(max_size=600), max_size=40), known=st.booleans())
def test_noise_is_dropped_within_a_bound(pieces: list[bytes], known: bool) -> None:
    """Driver rules: every buffer is bounded, noise ends in one named error."""
    parts = Parts("boundary=m" if known else "", 1_000)
    documents = Documents(b"EventNotificationAlert", 1_000)
    with contextlib.suppress(StreamError):
        for piece in pieces:
            list(parts.feed(piece))
            assert len(parts._buffer) <= 1_000 + 2 * multipart.MAX_HEADER
    for piece in pieces:
        list(documents.feed(piece))
        assert len(documents._buffer) <= 1_700


@given(
    cuts=st.lists(st.integers(0, 10_000), max_size=10),
    noise=st.binary(max_size=50).filter(lambda b: b"<" not in b),
)
def test_alerts_are_found_between_any_boundaries(cuts: list[int], noise: bytes) -> None:
    documents = Documents(alerts.NAME, alerts.MAX_ALERT)
    data = noise + _ALERT + b"\r\n--x\r\n" + noise + _ALERT + noise
    found = [d for piece in _pieces(data, cuts) for d in documents.feed(piece)]
    assert found == [_ALERT, _ALERT]
    assert documents.dropped == 0


def test_an_alert_that_was_cut_short_is_dropped_and_the_next_is_read() -> None:
    documents = Documents(alerts.NAME, alerts.MAX_ALERT)
    assert list(documents.feed(_ALERT[:60] + _ALERT)) == [_ALERT]
    assert documents.dropped == 1


# --- the decoder's records ----------------------------------------------------------


@given(data=st.binary(max_size=20))
def test_a_record_of_the_decoder_is_checked_before_it_is_believed(data: bytes) -> None:
    with contextlib.suppress(frame.BadRecord):
        kind, width, height, size = frame.head(data)
        limit = frame.MAX_SIDE**2 * 3 if kind == frame.PICTURE else frame.MAX_NOTE
        assert 0 < size <= limit
        assert kind == frame.NOTE or size == width * height * 3
