"""SIP as GB/T 28181 needs it: messages, digest; bytes in, typed out, nothing else.

Source: RFC 3261 (messages), RFC 2617 (digest, MD5 as the standard prescribes).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from core.api import SafeholdError

MAX_BYTES: Final = 32 * 1024
_MAX_HEADERS, _MAX_LINE = 64, 1024
#: Short names of headers that are used here.
_SHORT: Final = {
    **{"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"},
    **{"l": "content-length", "c": "content-type", "o": "event"},
}
_USER = re.compile(r"sips?:([^@;>\s]{1,64})@")
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_REQUEST = re.compile(r"([A-Z]{3,12}) (\S{1,256}) SIP/2\.0")
_ANSWER = re.compile(r"SIP/2\.0 (\d{3}) ?(.{0,100})")


class SipError(SafeholdError):
    """Bytes are no message of SIP; the text says why."""

    code = "helmet.bad_sip"


class Message(NamedTuple):
    """Hold a request (``method``) or an answer (``status``)."""

    method: str
    target: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def get(self, name: str) -> str:
        """Return the first header of a name, '' where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def every(self, name: str) -> list[str]:
        """Return all headers of a name."""
        return [value for key, value in self.headers if key == name]

    @property
    def user(self) -> str:
        """Return who sent it, by its From header."""
        return user(self.get("from"))


def user(text: str) -> str:
    """Return the user of an address; '' where it names none."""
    found = _USER.search(text)
    return found.group(1) if found else ""


def length(data: bytes) -> int | None:
    """Return how long the first message of a stream is; None while unknown.

    Raises SipError when it is longer than may be, or has no length.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_BYTES:
            raise SipError("a head of more than 32 KiB")
        return None
    found = re.search(rb"\r\n(?:content-length|l)\s*:\s*(\d{1,6})", data[:end], re.I)
    if found is None:
        raise SipError("a message of a stream without Content-Length")
    whole = end + 4 + int(found.group(1))
    if whole > MAX_BYTES:
        raise SipError("a message of more than 32 KiB")
    return whole


def parse(data: bytes) -> Message:
    """Return a whole message; raises SipError."""
    if len(data) > MAX_BYTES:
        raise SipError("a message of more than 32 KiB")
    head, _, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    if len(lines) > _MAX_HEADERS or any(len(line) > _MAX_LINE for line in lines):
        raise SipError("too many headers, or too long ones")
    asked, told = _REQUEST.fullmatch(lines[0]), _ANSWER.fullmatch(lines[0])
    if asked is None and told is None:
        raise SipError("its first line is none of SIP/2.0")
    headers = tuple(_header(line) for line in lines[1:])
    if asked is not None:
        found = Message(asked.group(1), asked.group(2), 0, headers)
    else:
        found = Message("", "", int(told.group(1)) if told else 0, headers)
    for name in ("via", "from", "to", "call-id", "cseq"):
        if not found.get(name):
            raise SipError(f"it has no {name}")
    return found._replace(body=body)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.strip().lower()
    if not colon or not name:
        raise SipError("a header without a name")
    return _SHORT.get(name, name), value.strip()


def answer(
    message: Message, status: int, reason: str, extra: Mapping[str, str] | None = None
) -> bytes:
    """Return the answer to a request, with what a peer needs to match it."""
    lines = [f"SIP/2.0 {status} {reason}"]
    lines += [f"Via: {each}" for each in message.every("via")]
    lines.append(f"From: {message.get('from')}")
    to = message.get("to")
    lines.append(f"To: {to}" if "tag=" in to else f"To: {to};tag=safehold")
    lines.append(f"Call-ID: {message.get('call-id')}")
    lines.append(f"CSeq: {message.get('cseq')}")
    lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


def request(start: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request's bytes."""
    lines = [f"{start} SIP/2.0", *(f"{name}: {each}" for name, each in headers.items())]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


# --- digest -------------------------------------------------------------------


def pairs(text: str) -> dict[str, str]:
    """Return the pairs of a Digest header; of anything else none."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {name.lower(): quoted or bare for name, quoted, bare in _PAIR.findall(rest)}


def digest(
    method: str, told: Mapping[str, str], name: str, realm: str, password: str
) -> str:
    """Return what the response of a Digest header must be."""
    first = _md5(f"{name}:{realm}:{password}")
    second = _md5(f"{method}:{told.get('uri', '')}")
    middle = told.get("nonce", "")
    if told.get("qop"):
        more = (told.get("nc", ""), told.get("cnonce", ""), told.get("qop", ""))
        middle = ":".join((middle, *more))
    return _md5(f"{first}:{middle}:{second}")


def proves(method: str, text: str, name: str, realm: str, password: str) -> bool:
    """Say whether an Authorization header proves a name and its password."""
    told = pairs(text)
    if told.get("username") != name or told.get("realm") != realm or not password:
        return False
    wanted = digest(method, told, name, realm, password)
    return hmac.compare_digest(
        told.get("response", "").lower().encode(), wanted.encode()
    )


def _md5(text: str) -> str:
    # The standard's digest knows nothing else; the network must be the site's own.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
