"""Pieces out of a stream that never ends: alerts in XML, pictures in JPEG.

Cameras break the rules of RFC 2046 in every way: a boundary that differs from the one
announced, or lacks its dashes; a wrong length, or none. A part is therefore known by
whatever is right: its length if a boundary follows it, else the next boundary. A
document of XML is known by its own beginning and end, and needs no boundary.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MAX_HEADER = 4_096
_NAME = re.compile(rb"boundary\s*=\s*\"?([^\";,\s]{1,200})", re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n")
#: White space and dashes that may stand between a body and the boundary's name.
_SHORT = 6
_SLACK = b"\r\n -"


class StreamError(Exception):
    """This is no stream of parts: no boundary within a whole part's length."""


class Part(NamedTuple):
    """Hold one part: header names in lower case, and its body."""

    headers: Mapping[str, str]
    body: bytes


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type announces, without dashes, or b''."""
    found = _NAME.search(content_type.encode("latin-1", "replace"))
    return found.group(1).strip(b"-") if found else b""


class Parts:
    """Cut a stream into parts; holds at most one part and what came with it.

    ``most``: bytes of the largest body; a larger one is dropped and counted.
    """

    def __init__(self, content_type: str, most: int) -> None:
        self._take(boundary_of(content_type))
        self._most = most
        self._buffer = bytearray()
        self._scanned = 0
        self.dropped = 0

    def feed(self, data: bytes) -> Iterator[Part]:
        """Yield the parts that are complete now; raises StreamError."""
        self._buffer += data
        while True:
            if not self._mark and not self._sniff():
                return
            part = self._cut()
            if part is None:
                break
            if part.body:
                yield part
        if len(self._buffer) > self._most + 2 * MAX_HEADER:
            self._give_up()

    def _sniff(self) -> bool:
        """Take the first line that looks like a boundary for one."""
        found = re.search(rb"(?:^|\n)--([^\r\n\0]{1,70})\r?\n", self._buffer)
        if found is None:
            if len(self._buffer) > MAX_HEADER:
                raise StreamError("no boundary at its beginning")
            return False
        self._take(bytes(found.group(1)).strip(b"- "))
        return bool(self._mark)

    def _take(self, name: bytes) -> None:
        self._name = name
        # A short name without its dashes may stand in any picture.
        self._mark = b"--" + name if 0 < len(name) < _SHORT else name

    def _cut(self) -> Part | None:
        """Return the next part and forget it; an empty one where none was whole."""
        start = self._buffer.find(self._mark)
        if start < 0 and len(self._buffer) > MAX_HEADER and self._sniff():
            start = self._buffer.find(self._mark)  # it announced another one
        if start < 0:
            return None
        line = self._buffer.find(b"\n", start, start + MAX_HEADER)
        if line < 0:
            return None
        blank = _END.search(self._buffer, line - 1, line + MAX_HEADER)
        if blank is None:
            if len(self._buffer) - line > MAX_HEADER:
                self._skip(line)
                return Part({}, b"")
            return None
        headers = _headers(bytes(self._buffer[line : blank.start()]))
        end = self._end(headers, blank.end())
        if end < 0:
            return None
        body = bytes(self._buffer[blank.end() : end])
        del self._buffer[:end]
        self._scanned = 0
        return Part(headers, body.rstrip(_SLACK) if body else b"")

    def _end(self, headers: Mapping[str, str], body: int) -> int:
        """Return where a body ends, or -1 while that is not known."""
        told = headers.get("content-length", "")
        if told.isascii() and told.isdecimal() and len(told) < 10:
            end = body + int(told)
            if int(told) <= self._most and self._follows(end):
                return end
        # It may still come, or a boundary may, earlier or later than it said.
        return self._next(body)

    def _follows(self, end: int) -> bool:
        """Say whether a boundary, or nothing yet but all of the body, stands there."""
        if len(self._buffer) < end:
            return False
        rest = bytes(self._buffer[end : end + 8 + len(self._name)]).lstrip(_SLACK)
        return self._name.startswith(rest[: len(self._name)])

    def _next(self, body: int) -> int:
        begin = max(body, self._scanned - len(self._mark))
        found = self._buffer.find(self._mark, begin)
        if found < 0:
            self._scanned = len(self._buffer)
            return -1
        while found > body and self._buffer[found - 1 : found] == b"-":
            found -= 1
        return found

    def _skip(self, position: int) -> None:
        del self._buffer[:position]
        self._scanned = 0
        self.dropped += 1

    def _give_up(self) -> None:
        """Leave out a body that is too large; raises StreamError for no stream."""
        known = self._buffer.find(self._mark) >= 0
        self._buffer.clear()
        self._scanned = 0
        self.dropped += 1
        if not known:
            raise StreamError("its boundary never comes")


class Documents:
    """Cut XML documents of one name out of a stream, whatever stands between them.

    ``most``: bytes of the largest; a larger one, or one cut short, is dropped.
    """

    def __init__(self, name: bytes, most: int) -> None:
        self._begin, self._end = b"<" + name, b"</" + name + b">"
        self._most = most
        self._buffer = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the documents that are complete now."""
        self._buffer += data
        while (close := self._buffer.find(self._end)) >= 0:
            start = self._buffer.rfind(self._begin, 0, close)
            end = close + len(self._end)
            found = bytes(self._buffer[start:end]) if start >= 0 else b""
            if start < 0 or self._buffer.find(self._begin) < start:
                self.dropped += 1  # another began before, and was cut short
            del self._buffer[:end]
            if 0 < len(found) <= self._most:
                yield found
            elif found:
                self.dropped += 1
        self._forget()

    def _forget(self) -> None:
        start = self._buffer.find(self._begin)
        keep = len(self._buffer) - len(self._begin) + 1 if start < 0 else start
        if start >= 0 and len(self._buffer) - start > self._most:
            keep, self.dropped = len(self._buffer), self.dropped + 1
        del self._buffer[: max(keep, 0)]


def parts_of(data: bytes) -> list[Part]:
    """Return the parts of a recorded stream; raises StreamError."""
    return list(Parts("", 1 << 16).feed(data))


def documents_of(data: bytes) -> list[bytes]:
    """Return the alerts of a recorded stream."""
    return list(Documents(b"EventNotificationAlert", 1 << 16).feed(data))


def _headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.split(b"\n")[:32]:
        name, colon, value = line.partition(b":")
        if colon:
            key = name.strip().lower().decode("latin-1")
            found[key] = value.strip().decode("latin-1")
    return found
