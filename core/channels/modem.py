"""A modem on a serial port: SMS out and in by AT commands, as the notifier's child.

    python -m core.channels.modem PORT BAUD

Takes `Sms` lines on its input, tells `Told` lines: what became of each, delivery
reports, replies. Each command has its deadline; a modem that is gone ends it.
"""

import os
import re
import selectors
import sys
from collections import deque
from collections.abc import Callable

from core.processes import lean  # noqa: F401  (before msgspec)

import msgspec  # isort: skip
import serial

from core.channels import pdu
from core.channels.letters import Sms, Told
from core.clock import NS, RealClock

ANSWER_S, SEND_S, PROMPT_S = 5.0, 60.0, 10.0
_SLICE_S = 0.2
#: Lines that wait to be looked at; of more, the oldest are lost.
_SAID = 1000
_DONE = re.compile(r"^(OK|ERROR|\+CM[ES] ERROR:.*|NO CARRIER)$")
#: A message follows on the next line.
_AHEAD = ("+CMT:", "+CDS:")
_START = (
    "ATE0",
    "AT+CMEE=1",
    "AT+CMGF=0",
    # New messages and reports come at once; nothing stays on the card.
    "AT+CNMI=2,2,0,1,0",
)


class ModemError(Exception):
    """The modem refused, or did not answer in time; its text is a code."""


class Modem:
    """Speak AT to one modem; what comes in between is told at once."""

    def __init__(self, port: serial.Serial, tell: Callable[[Told], None]) -> None:
        self._port, self._tell = port, tell
        self._clock = RealClock()
        self._buffer = b""
        self._said: deque[str] = deque(maxlen=_SAID)
        self._ahead = False
        self._joint = 0
        self._parts: dict[int, str] = {}
        """Reference of a part → the message that waits for its report."""
        self._open: dict[str, int] = {}
        """Message → parts that are not reported yet."""

    def start(self) -> None:
        """Set the modem up; raises ModemError."""
        for _ in range(3):
            try:
                self._ask("AT", 1.0)
                break
            except ModemError:
                self._buffer = b""
                self._said.clear()
        for command in _START:
            self._ask(command, ANSWER_S)
        ready = self._ask("AT+CPIN?", ANSWER_S)
        if not any("READY" in line for line in ready):
            raise ModemError("sim_locked")
        self._tell(Told(kind="ready"))

    def send(self, sms: Sms) -> None:
        """Send a message and tell how it went."""
        try:
            self._joint = (self._joint + 1) % 256
            parts = pdu.submit(sms.number, sms.text, self._joint)
        except ValueError:
            self._tell(Told(kind="failed", id=sms.id, detail="bad_address"))
            return
        try:
            references = [self._submit(part) for part in parts]
        except ModemError as bad:
            self._tell(Told(kind="failed", id=sms.id, detail=str(bad)))
            return
        self._tell(Told(kind="sent", id=sms.id))
        self._open[sms.id] = len(references)
        self._parts.update(dict.fromkeys(references, sms.id))

    def listen(self) -> None:
        """Take what the modem says by itself."""
        self._fill()
        while self._said:
            self._aside(self._said.popleft())

    # --- commands -------------------------------------------------------------

    def _submit(self, part: str) -> int:
        self._write(f"AT+CMGS={pdu.length(part)}\r".encode())
        self._wait_prompt()
        self._write(part.encode() + b"\x1a")
        for line in self._answer(SEND_S):
            if line.startswith("+CMGS:"):
                return int(line.partition(":")[2].split(",")[0])
        raise ModemError("modem.no_reference")

    def _ask(self, command: str, limit_s: float) -> list[str]:
        self._write(f"{command}\r".encode())
        return self._answer(limit_s)

    def _answer(self, limit_s: float) -> list[str]:
        """Return the lines up to OK; raises ModemError."""
        said: list[str] = []
        ends = self._clock.mono_ns() + int(limit_s * NS)
        while self._clock.mono_ns() < ends:
            if not self._said:
                self._fill()
            while self._said:
                line = self._said.popleft()
                if _DONE.match(line) and not self._ahead:
                    if line == "OK":
                        return said
                    raise ModemError(_code(line))
                if not self._aside(line):
                    said.append(line)
        raise ModemError("modem.timeout")

    def _wait_prompt(self) -> None:
        ends = self._clock.mono_ns() + int(PROMPT_S * NS)
        while self._clock.mono_ns() < ends:
            self._fill()
            if self._buffer.lstrip().startswith(b">"):
                self._buffer = self._buffer.partition(b">")[2]
                return
            while self._said:
                line = self._said.popleft()
                if _DONE.match(line) and line != "OK":
                    raise ModemError(_code(line))
                self._aside(line)
        # Out of a text that was never begun, back to commands.
        self._write(b"\x1b")
        raise ModemError("modem.no_prompt")

    def _write(self, data: bytes) -> None:
        self._port.write(data)

    # --- what it says ---------------------------------------------------------

    def _fill(self) -> None:
        """Read what has come, or wait a moment for it; keep the whole lines."""
        data = self._port.read(max(1, self._port.in_waiting))
        lines, self._buffer = _split((self._buffer + data)[-65536:])
        self._said.extend(lines)

    def _aside(self, line: str) -> bool:
        """Take a line that the modem said by itself; False: it is an answer."""
        if self._ahead:
            self._ahead = False
            self._message(line)
            return True
        if line.startswith(_AHEAD):
            self._ahead = True
            return True
        return line.startswith(("+CREG", "+CGREG", "^", "RING", "+CMTI"))

    def _message(self, line: str) -> None:
        try:
            found = pdu.read(line)
        except pdu.BadPdu:
            return
        if isinstance(found, pdu.Received):
            self._tell(Told(kind="reply", number=found.number, text=found.text))
        elif found.state != "waiting":
            self._reported(found)

    def _reported(self, report: pdu.Report) -> None:
        sms_id = self._parts.pop(report.reference, "")
        if not sms_id:
            return
        if report.state == "failed":
            self._open.pop(sms_id, None)
            self._tell(Told(kind="lost", id=sms_id))
            return
        left = self._open.get(sms_id, 0) - 1
        self._open[sms_id] = left
        if left == 0:
            del self._open[sms_id]
            self._tell(Told(kind="delivered", id=sms_id))


def _split(data: bytes) -> tuple[list[str], bytes]:
    """Return the whole lines, and what of the last one has come."""
    *whole, rest = re.split(rb"[\r\n]+", data)
    lines = [line.decode("latin-1").strip() for line in whole]
    return [line for line in lines if line], rest


def _code(line: str) -> str:
    """Return a modem's refusal as a code, with its number."""
    number = line.rpartition(":")[2].strip() if ":" in line else ""
    return f"modem.error.{number}" if number.isdigit() else "modem.error"


def main() -> int:
    """Serve until the input ends or the modem is gone; returns the exit status."""
    tell_to = sys.stdout.buffer

    def tell(told: Told) -> None:
        tell_to.write(msgspec.json.encode(told) + b"\n")
        tell_to.flush()

    try:
        port = serial.Serial(
            sys.argv[1], int(sys.argv[2]), timeout=_SLICE_S, write_timeout=ANSWER_S
        )
        modem = Modem(port, tell)
        modem.start()
        _serve(modem, port)
    except ModemError as bad:
        tell(Told(kind="gone", detail=str(bad)))
        return 1
    except (OSError, serial.SerialException) as bad:
        tell(Told(kind="gone", detail=f"modem.port.{type(bad).__name__}"))
        return 1
    return 0


def _serve(modem: Modem, port: serial.Serial) -> None:
    asked = b""
    with selectors.DefaultSelector() as both:
        both.register(sys.stdin.fileno(), selectors.EVENT_READ, "asked")
        both.register(port.fileno(), selectors.EVENT_READ, "modem")
        while True:
            for key, _ in both.select():
                if key.data == "modem":
                    modem.listen()
                    continue
                data = os.read(sys.stdin.fileno(), 65536)
                if not data:
                    return
                *lines, asked = (asked + data).split(b"\n")
                for line in lines:
                    modem.send(msgspec.json.decode(line, type=Sms))
                    modem.listen()


if __name__ == "__main__":
    sys.exit(main())
