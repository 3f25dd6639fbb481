"""SOAP 1.2 as ONVIF speaks it: letters out, answers in; no I/O, no clock.

Sources: ONVIF Core Specification 5.9 and 9; WS-Security UsernameToken Profile 1.0;
WS-BaseNotification 1.3. Tags are known by their local names: cameras disagree about
prefixes, and some about name spaces.
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, tostring
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
SEARCH = "http://www.onvif.org/ver10/search/wsdl"
NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECEXT = _WSS + "wssecurity-secext-1.0.xsd"
_UTILITY = _WSS + "wssecurity-utility-1.0.xsd"
_DIGEST = _WSS + "username-token-profile-1.0#PasswordDigest"
_BASE64 = _WSS + "soap-message-security-1.0#Base64Binary"
MAX_TEXT = 400
#: Elements in one answer: more is an attack, not a camera.
MAX_ELEMENTS = 20_000
_NOT_AUTHORISED = ("NotAuthorized", "FailedAuthentication", "InvalidSecurity")


class SoapError(Exception):
    """An answer is no SOAP, is a fault, or lacks what it must have.

    ``denied``: the camera refused the credentials.
    """

    def __init__(self, what: str, *, denied: bool = False) -> None:
        super().__init__(what[:MAX_TEXT])
        self.denied = denied


def stamp(wall_ns: int) -> str:
    """Return a UTC time as the xs:dateTime of a letter."""
    moment = datetime.fromtimestamp(wall_ns / 1e9, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def token(user: str, password: str, nonce: bytes, created: str) -> str:
    """Return the UsernameToken header: the password goes as a digest only."""
    # SHA-1 is what the profile prescribes; there is no other digest in it.
    salted = nonce + created.encode() + password.encode()
    digest = hashlib.sha1(salted, usedforsecurity=False).digest()
    return (
        f'<Security xmlns="{_SECEXT}"><UsernameToken>'
        f"<Username>{escape(user)}</Username>"
        f'<Password Type="{_DIGEST}">{base64.b64encode(digest).decode()}</Password>'
        f'<Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</Nonce>'
        f'<Created xmlns="{_UTILITY}">{created}</Created>'
        "</UsernameToken></Security>"
    )


def addressed(action: str, to: str, message_id: str) -> str:
    """Return the addressing headers that subscriptions need."""
    return (
        f'<Action xmlns="{_ADDRESSING}">{escape(action)}</Action>'
        f'<MessageID xmlns="{_ADDRESSING}">{escape(message_id)}</MessageID>'
        f'<To xmlns="{_ADDRESSING}">{escape(to)}</To>'
    )


def letter(body: str, header: str = "") -> bytes:
    """Return a whole envelope."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{_ENVELOPE}" xmlns:tt="{_SCHEMA}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def ask(namespace: str, operation: str, inner: str = "") -> str:
    """Return the body of a request; ``inner`` is XML already."""
    return f'<{operation} xmlns="{namespace}">{inner}</{operation}>'


# --- answers -----------------------------------------------------------------------


def document(data: bytes) -> Element:
    """Return the root of an XML document; raises SoapError.

    No document type, no entity, no external part, a bounded number of elements.
    """
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SoapError(f"no XML: {type(error).__name__}") from error
    for count, _ in enumerate(root.iter()):
        if count > MAX_ELEMENTS:
            raise SoapError("too many elements")
    return root


def answer(data: bytes) -> Element:
    """Return the first element of an answer's body; raises SoapError."""
    root = document(data)
    if local(root) != "Envelope":
        raise SoapError(f"no envelope: {local(root)}")
    body = child(root, "Body")
    first = next(iter(body), None) if body is not None else None
    if first is None:
        raise SoapError("an empty body")
    if local(first) == "Fault":
        raise _fault(first)
    return first


def _fault(fault: Element) -> SoapError:
    values = [words(each) for each in every(fault, "Value")]
    values += [words(each) for each in every(fault, "faultcode")]
    reason = words(find(fault, "Text")) or words(find(fault, "faultstring"))
    denied = any(code in value for value in values for code in _NOT_AUTHORISED)
    return SoapError(f"{' '.join(values)}: {reason}", denied=denied)


def local(element: Element) -> str:
    """Return a tag without its name space."""
    return str(element.tag).rpartition("}")[2]


def child(element: Element, name: str) -> Element | None:
    """Return the first child of a name."""
    return next((each for each in element if local(each) == name), None)


def every(element: Element, name: str) -> Iterator[Element]:
    """Yield all descendants of a name, itself included."""
    return (each for each in element.iter() if local(each) == name)


def find(element: Element, name: str) -> Element | None:
    """Return the first descendant of a name."""
    return next(every(element, name), None)


def words(element: Element | None) -> str:
    """Return an element's text, trimmed and bounded; '' for none."""
    return (element.text or "").strip()[:MAX_TEXT] if element is not None else ""


def raw(element: Element) -> str:
    """Return an element as XML, to be sent back as it came."""
    return tostring(element, "unicode")


def instant(text: str) -> int | None:
    """Return the UTC nanoseconds of an xs:dateTime; None when it is none."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00")[:40])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1e9)
    except (ValueError, OverflowError):
        return None
