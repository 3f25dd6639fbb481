"""One device's topic in time: is each message new, how many were lost, who is silent.

A radio device counts its messages. A number that went up tells how many were lost on
the way; one that did not is an old message told again, and makes no reading. A device
that said how often it speaks is lost after three times that (R16).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.api import Host, Value
from integrations.mqtt.points import GOOD, NOT_PRESENT
from integrations.mqtt.templates import Extract, SilentError, TemplateError, text_of

#: Silence of so many intervals is a lost device.
LOST_AFTER = 3
#: Messages over which the share of lost ones is told.
_WINDOW = 100
#: A jump of the counter beyond it is a new count, not that many lost messages.
_MOST_LOST = 1_000
REPLAYED = "mqtt.old_message"
NO_COUNT = "mqtt.no_counter"


class Sequence:
    """Judge a device's own message counter; ``absent`` is what its lack means."""

    def __init__(
        self, count: Extract, at: Extract | None = None, absent: int | None = None
    ) -> None:
        self._count, self._at, self._absent = count, at, absent
        self._last: int | None = None
        self._last_at: datetime | None = None
        self._missed: deque[int] = deque(maxlen=_WINDOW)

    def admit(self, data: Any) -> str:
        """Return '' for a new message, else the code of why it makes no reading.

        A counter that begins again is believed when the network's time of the
        message has gone on: a device that was switched off counts from 0.
        """
        number = self._number(data)
        if number is None:
            return NO_COUNT
        at = self._time(data)
        last, last_at = self._last, self._last_at
        if last is not None and number <= last:
            later = at is not None and last_at is not None and at > last_at
            if number == last or not later:
                return REPLAYED
        missed = number - last - 1 if last is not None and number > last else 0
        self._missed.append(missed if missed < _MOST_LOST else 0)
        self._last, self._last_at = number, at or last_at
        return ""

    def loss(self, _: Any) -> tuple[Value, int, str]:
        """Return the share of lost messages in per cent, over the last hundred."""
        if not self._missed:
            return None, NOT_PRESENT, "mqtt.none"
        lost = sum(self._missed)
        return round(100.0 * lost / (lost + len(self._missed)), 1), GOOD, ""

    def _number(self, data: Any) -> int | None:
        found = _taken(self._count, data)
        if found is None:
            return self._absent
        whole = isinstance(found, int) and not isinstance(found, bool)
        return found if whole and 0 <= found < 1 << 53 else None

    def _time(self, data: Any) -> datetime | None:
        found = None if self._at is None else _taken(self._at, data)
        if found is None:
            return None
        try:
            at = datetime.fromisoformat(text_of(found)[:40])
        except ValueError:
            return None
        return at if at.tzinfo is not None else None


def _taken(extract: Extract, data: Any) -> Any:
    try:
        return extract.fn("", data)
    except (TemplateError, SilentError):
        return None


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What a map says of one device topic."""

    topic: str
    sequence: Sequence | None = None
    interval_s: float = 0.0
    """At most so long between two messages; 0: nobody said."""
    polls: tuple[tuple[str, bytes], ...] = ()
    """Topics and payloads by which the device is asked."""
    poll_s: float = 0.0


class Line:
    """Hear one device topic, ask for it, and tell when it falls silent."""

    def __init__(
        self,
        host: Host,
        device_uid: str,
        spec: LineSpec,
        ask: Callable[[str, bytes], None],
    ) -> None:
        self._host, self._uid, self._spec, self._ask = host, device_uid, spec, ask
        self._up: bool | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._poll: asyncio.TimerHandle | None = None
        if spec.polls:
            self._say()

    def hear(self, data: Any, doubt: str) -> bool:
        """Take a message; say whether it is new."""
        if self._spec.sequence is not None:
            why = self._spec.sequence.admit(data)
            if why:
                self._host.count(why, self._spec.topic[:200], self._uid)
                return False
        if self._spec.interval_s and not doubt:
            self._tell(up=True)
            self._arm()
        return True

    def close(self) -> None:
        """Stop the clocks."""
        for timer in (self._silence, self._poll):
            if timer is not None:
                timer.cancel()

    def _arm(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        # A moment early: the core counts from when it hears of it.
        left = self._spec.interval_s * LOST_AFTER * 0.95
        self._silence = self._host.timer.call_later(left, self._lost)

    def _lost(self) -> None:
        self._tell(up=False)

    def _tell(self, *, up: bool) -> None:
        if self._up is not up:
            self._up = up
            self._host.link_state(self._uid, up, "" if up else "mqtt.silent")

    def _say(self) -> None:
        for topic, payload in self._spec.polls:
            self._ask(topic, payload)
        self._poll = self._host.timer.call_later(self._spec.poll_s, self._say)
