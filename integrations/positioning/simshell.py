"""A simulated DWM1001 at a pseudo terminal: its shell, with all its manners."""

import asyncio
import contextlib
import os
import pty
import tty
from pathlib import Path

_PROMPT = b"dwm> "
#: The second CR must come within this.
_SECOND_S = 1.0


class SimShell:
    """Serve the shell at a pty; ``link`` is a symlink to the hub's end."""

    def __init__(self, link: str, address: str) -> None:
        self.link, self.address = Path(link), address
        self.streaming = ""
        """'', lec or lep."""
        self.open = False
        self._last = b""
        self._typed = b""
        self._cr_at = -10.0
        self._ends: tuple[int, int] | None = None

    def start(self) -> None:
        """Plug in: a fresh module in binary mode."""
        ours, hub = pty.openpty()
        tty.setraw(ours)
        tty.setraw(hub)
        os.set_blocking(ours, False)
        self._ends = ours, hub
        self.reset()
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(hub))
        asyncio.get_running_loop().add_reader(ours, self._readable)

    def stop(self) -> None:
        """Unplug: the hub's end hangs up and the link goes."""
        ends, self._ends = self._ends, None
        if ends is not None:
            asyncio.get_running_loop().remove_reader(ends[0])
            for end in ends:
                os.close(end)
            self.link.unlink(missing_ok=True)

    def reset(self) -> None:
        """Start anew, as after a brown-out: no shell, no stream."""
        self.open, self.streaming = False, ""
        self._last = self._typed = b""

    def say(self, data: bytes) -> None:
        """Write to the wire; what nobody reads is dropped."""
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._ends[0], data)

    def _readable(self) -> None:
        if self._ends is None:
            return
        try:
            data = os.read(self._ends[0], 256)
        except OSError:
            return
        for byte in data:
            if byte in b"\r\n":
                self._enter()
            else:
                self._typed = (self._typed + bytes([byte]))[-64:]

    def _enter(self) -> None:
        word, self._typed = self._typed.strip(), b""
        if not self.open:
            now = asyncio.get_running_loop().time()
            within = not word and now - self._cr_at <= _SECOND_S
            self._cr_at = now
            if within:
                self.open = True
                self.say(b"\r\n DWM1001 TWR Real Time Location System\r\n\r\n")
                self.say(b" Help      :  ? or help\r\n\r\n" + _PROMPT)
            return
        # An empty line repeats the last command, as the maker's guide warns.
        self._last = word = word or self._last
        self.say(word + b"\r\n")
        self._command(word)
        self.say(_PROMPT)

    def _command(self, word: bytes) -> None:
        if word in (b"lec", b"lep"):
            name = word.decode()
            self.streaming = "" if self.streaming == name else name
        elif word == b"si":
            self.say(b"[000042.580 INF] sys: fw2 fw_ver=x01030001\r\n")
            self.say(
                f"[000042.580 INF] uwb0: panid=x1234 addr=x{self.address}\r\n".encode()
            )
        elif word:
            self.say(b"unknown command\r\n")
