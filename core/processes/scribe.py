"""What a driver that is not ours writes to its log: bounded, and under its own name.

The keeper holds the pipe's other end, so no driver reaches the hub's log itself: it
cannot fill the disk, hide what others say, or speak as the keeper. Standard library
only. What is more than a pipe holds waits in the driver, for a turn of the keeper.
"""

import os
import sys
from collections.abc import Callable

from core.clock import NS

#: Lines that a driver may write in a second for ever, and at once after a silence.
LINES_S, BURST = 10, 50
#: Bytes of a line that are kept; the rest of it is left out.
LINE_BYTES = 500
#: Bytes that are read in one go, and how long it is until the next.
READ_BYTES, READ_S = 65_536, 0.5


def to_log(line: str) -> None:
    """Write one line to the hub's own standard error."""
    sys.stderr.write(line)
    sys.stderr.flush()


class Scribe:
    """Hold one process's standard output and error until it ends; raises OSError."""

    def __init__(
        self, name: str, now_ns: int, write: Callable[[str], None] = to_log
    ) -> None:
        self._name, self._write = name, write
        self._reads, self.writes = os.pipe()
        os.set_blocking(self._reads, False)
        self._line = b""
        self._cut = False
        """The rest of a line that was too long is still to come."""
        self._left, self._filled_ns = float(BURST), now_ns
        self._next_ns = 0
        self.dropped = 0
        """Lines since it last kept quiet."""

    def handed(self) -> None:
        """Close the driver's end here: the process has its own."""
        if self.writes >= 0:
            os.close(self.writes)
            self.writes = -1

    def relay(self, now_ns: int) -> None:
        """Pass on what stands in the pipe, as much as may be."""
        if self._reads < 0 or now_ns < self._next_ns:
            return
        self._next_ns = now_ns + int(READ_S * NS)
        self._fill(now_ns)
        try:
            data = os.read(self._reads, READ_BYTES)
        except BlockingIOError:
            return
        *whole, rest = data.split(b"\n")
        for at, each in enumerate(whole):
            if self.dropped and self._left < 1:
                # A flood costs no more than its bytes.
                self.dropped += len(whole) - at
                self._line, self._cut = b"", False
                break
            self._piece(each)
            self._end()
        self._piece(rest)

    def close(self, now_ns: int) -> None:
        """Take the last words, and let go; idempotent."""
        if self._reads < 0:
            return
        self._next_ns = 0
        self.relay(now_ns)
        if self._line:
            self._end()
        self.handed()
        os.close(self._reads)
        self._reads = -1

    def _piece(self, data: bytes) -> None:
        room = LINE_BYTES - len(self._line)
        self._cut = self._cut or len(data) > room
        self._line += data[:room]

    def _end(self) -> None:
        line, self._line = self._line, b""
        cut, self._cut = self._cut, False
        if self._left >= 1:
            self._left -= 1
            text = line.decode("utf-8", "replace")
            shown = "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
            self._write(f"{self._name}: {shown}{' …' if cut else ''}\n")
            return
        if not self.dropped:
            self._write(
                f"{self._name}: writes more than {LINES_S} lines a second: "
                "the rest is left out\n"
            )
        self.dropped += 1

    def _fill(self, now_ns: int) -> None:
        passed = max(now_ns - self._filled_ns, 0) / NS
        self._filled_ns = now_ns
        self._left = min(self._left + passed * LINES_S, float(BURST))
        if self.dropped and self._left >= BURST:
            self._write(f"{self._name}: {self.dropped} lines were left out\n")
            self.dropped = 0
