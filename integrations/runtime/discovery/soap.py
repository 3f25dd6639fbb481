"""The words of WS-Discovery: read from a datagram, written for a probe.

Source: WS-Discovery 2005/04, as ONVIF devices speak it, and its 2009/01 edition.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

MAX_BYTES = 16_384
_MAX_WORDS, _MAX_WORD, _MAX_MATCHES = 40, 200, 20
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_KINDS = ("Hello", "Bye", "ProbeMatches", "ResolveMatches", "Probe", "Resolve")
_ENDPOINTS = ("Hello", "Bye", "ProbeMatch", "ResolveMatch")
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,80}")


class BadWord(ValueError):
    """A datagram that is no word of WS-Discovery."""


class Endpoint(NamedTuple):
    """Hold one device of a word; types stand without their namespace."""

    id: str
    types: tuple[str, ...]
    scopes: tuple[str, ...]
    addresses: tuple[str, ...]


class Word(NamedTuple):
    """Hold one word: its kind, and the devices that it tells of."""

    kind: str
    endpoints: tuple[Endpoint, ...]


def parse(data: bytes) -> Word:
    """Return what a datagram says; raises BadWord."""
    if len(data) > MAX_BYTES:
        raise BadWord(f"longer than {MAX_BYTES} bytes")
    try:
        root = ElementTree.fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise BadWord(f"no XML: {error}"[:120]) from error
    if _local(root) != "Envelope":
        raise BadWord("no SOAP envelope")
    for part in root:
        if _local(part) == "Body":
            return _word(part)
    raise BadWord("no body")


def _word(body: Element) -> Word:
    for element in body:
        kind = _local(element)
        if kind in _KINDS:
            found = tuple(_endpoint(each) for each in _endpoints(element))
            return Word(kind, tuple(each for each in found if each.id))
    raise BadWord("an unknown word")


def _endpoints(element: Element) -> Iterator[Element]:
    if _local(element) in _ENDPOINTS:
        yield element
    for each in list(element)[:_MAX_MATCHES]:
        if _local(each) in _ENDPOINTS:
            yield each


def _endpoint(element: Element) -> Endpoint:
    address = ""
    words: dict[str, tuple[str, ...]] = {}
    for each in element:
        name = _local(each)
        if name == "EndpointReference":
            inner = (i.text or "" for i in each if _local(i) == "Address")
            address = next(inner, "").strip()[:_MAX_WORD]
        elif name in ("Types", "Scopes", "XAddrs"):
            split = (each.text or "").split()[:_MAX_WORDS]
            words[name] = tuple(word[:_MAX_WORD] for word in split)
    types = tuple(word.rpartition(":")[2] for word in words.get("Types", ()))
    return Endpoint(address, types, words.get("Scopes", ()), words.get("XAddrs", ()))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def probe(message_id: str, types: Sequence[str] = ()) -> bytes:
    """Return the datagram that asks everybody, or those of some types, who is there.

    ``message_id`` is a UUID.
    """
    named = [f"dn:{each}" for each in types if _NAME.fullmatch(each)]
    wanted = f"<d:Types>{escape(' '.join(named))}</d:Types>" if named else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        f' xmlns:w="{_ADDRESSING}" xmlns:d="{_DISCOVERY}"'
        ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>uuid:{escape(message_id)}</w:MessageID>"
        '<w:To e:mustUnderstand="true">'
        "urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        f'<w:Action e:mustUnderstand="true">{_DISCOVERY}/Probe</w:Action>'
        f"</e:Header><e:Body><d:Probe>{wanted}</d:Probe></e:Body></e:Envelope>"
    ).encode()
