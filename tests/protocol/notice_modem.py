"""A double of a GSM modem on a pseudo-terminal: AT commands, PDU mode, its faults."""

import datetime as dt
import os
import pty
import re
import select
import threading
import tty
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Sent:
    """An SMS as the network would see it."""

    number: str
    text: str
    parts: int
    reports: bool


@dataclass
class FakeModem:
    """Serve one modem; ``fault`` says how it misbehaves at the next message."""

    fault: str = ""
    pin: str = "READY"
    echo: bool = True
    commands: list[str] = field(default_factory=list)
    pdus: list[bytes] = field(default_factory=list)
    port: str = ""

    def __enter__(self) -> "FakeModem":
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self._stop, self._woken = os.pipe()
        self._reference = 40
        self._text = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._woken, b"x")
        self._thread.join(5)
        for fd in (self._ours, self._theirs, self._stop, self._woken):
            if fd >= 0:
                os.close(fd)

    # --- what tests make it say -----------------------------------------------

    def say(self, line: str) -> None:
        """Say a line by itself."""
        os.write(self._ours, f"\r\n{line}\r\n".encode())

    def report(self, reference: int, number: str, status: int = 0) -> None:
        """Hand on a delivery report."""
        stamp = _stamp() * 2
        body = bytes([0, 0x06, reference]) + _address(number) + stamp + bytes([status])
        self.say(f"+CDS: {len(body) - 1}\r\n{body.hex().upper()}")

    def receive(self, number: str, text: str) -> None:
        """Hand on an SMS that came in, in UCS-2."""
        data = text.encode("utf-16-be")
        body = bytes([0, 4]) + _address(number) + bytes([0, 8]) + _stamp()
        body += bytes([len(data)]) + data
        self.say(f"+CMT: ,{len(body) - 1}\r\n{body.hex().upper()}")

    def receive_plain(self, number: str, text: str) -> None:
        """Hand on an SMS that came in, in the 7-bit alphabet."""
        packed = sum(ord(c) << 7 * i for i, c in enumerate(text))
        data = packed.to_bytes((len(text) * 7 + 7) // 8, "little")
        body = bytes([0, 4]) + _address(number) + bytes([0, 0]) + _stamp()
        body += bytes([len(text)]) + data
        self.say(f"+CMT: ,{len(body) - 1}\r\n{body.hex().upper()}")

    def sent(self) -> list[Sent]:
        """Return what was sent, parts joined."""
        found: list[Sent] = []
        joined: dict[tuple[str, int], dict[int, str]] = {}
        for pdu in self.pdus:
            number, head, text, reports = _submitted(pdu)
            if head is None:
                found.append(Sent(number, text, 1, reports))
                continue
            reference, total, index = head
            parts = joined.setdefault((number, reference), {})
            parts[index] = text
            if len(parts) == total:
                whole = "".join(parts[n] for n in sorted(parts))
                found.append(Sent(number, whole, total, reports))
        return found

    # --- the modem ------------------------------------------------------------

    def _serve(self) -> None:
        data = b""
        while True:
            ready, _, _ = select.select([self._ours, self._stop], [], [])
            if self._stop in ready:
                return
            try:
                data += os.read(self._ours, 4096)
            except OSError:
                return
            while found := re.search(rb"[\r\x1a\x1b]", data):
                line, data = data[: found.start()], data[found.end() :]
                self._heard(line.decode("latin-1").strip(), found[0])

    def _heard(self, line: str, end: bytes) -> None:
        if self._text and end in (b"\x1a", b"\x1b"):
            self._text = False
            if end == b"\x1a":
                self._message(line)
            return
        if not line:
            return
        self.commands.append(line)
        if self.echo:
            os.write(self._ours, f"{line}\r\n".encode())
        if self.fault == "mute":
            return
        if line == "ATE0":
            self.echo = False
        if line == "AT+CPIN?":
            self.say(f"+CPIN: {self.pin}")
        if line.startswith("AT+CMGS="):
            self._begin()
            return
        self.say("OK")

    def _begin(self) -> None:
        if self.fault == "no_prompt":
            return
        if self.fault == "refused":
            self.say("+CMS ERROR: 304")
            return
        self._text = True
        os.write(self._ours, b"\r\n> ")

    def _message(self, line: str) -> None:
        if self.fault == "hang":
            return
        if self.fault == "network":
            self.say("+CMS ERROR: 38")
            return
        if self.fault == "garbage":
            os.write(self._ours, b"\xff\x00\x7f\r\n\xfe\xfe+CM\r\n")
        if self.fault == "no_reference":
            self.say("OK")
            return
        if self.fault == "between":
            self.receive("+8613900000000", "在吗")
            self.say("+CREG: 1")
        self.pdus.append(bytes.fromhex(line))
        self._reference += 1
        self.say(f"+CMGS: {self._reference}")
        self.say("OK")


def _stamp() -> bytes:
    at = dt.datetime(2026, 9, 21, 8, 30, 15, tzinfo=dt.UTC)
    values = (at.year % 100, at.month, at.day, at.hour, at.minute, at.second, 32)
    return bytes(v % 10 << 4 | v // 10 for v in values)


def _address(number: str) -> bytes:
    digits = number.lstrip("+")
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    kind = 0x91 if number.startswith("+") else 0x81
    return bytes([len(digits), kind]) + bytes.fromhex(swapped)


def _submitted(pdu: bytes) -> tuple[str, tuple[int, int, int] | None, str, bool]:
    """Read an SMS-SUBMIT: number, (reference, total, index), text, report wanted."""
    assert pdu[0] == 0, "the service centre is the card's"
    first = pdu[1]
    assert first & 0x03 == 1
    assert first & 0x18 == 0x10, "relative validity"
    digits = pdu[3]
    size = (digits + 1) // 2
    raw = pdu[5 : 5 + size].hex()
    number = "".join(raw[i + 1] + raw[i] for i in range(0, len(raw), 2))[:digits]
    number = ("+" if pdu[4] == 0x91 else "") + number
    rest = pdu[5 + size :]
    assert rest[1] == 8, "UCS-2"
    length, body = rest[3], rest[4:]
    assert length == len(body) <= 140
    head = None
    if first & 0x40:
        assert body[:3] == bytes([5, 0, 3])
        head = body[3], body[4], body[5]
        body = body[6:]
    return number, head, body.decode("utf-16-be"), bool(first & 0x20)
