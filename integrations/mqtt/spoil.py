"""What goes wrong between a simulated device and its broker, payload by payload."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from integrations.mqtt.simulated import CommandError, Say

Later = Callable[[float, Callable[[], None]], object]
#: Payloads kept of each topic, for the day when they are sent again.
_OLD = 200
_NOISE = '\u0000\u0001{"never": an object'
#: What is announced stays whole: only what the device measures is spoilt.
_ANNOUNCED = ("/config", "/online")


class Spoil:
    """Stand between a device and its broker; faults as docs/conformance.md names."""

    #: Fault → what it is when all is well.
    NAMES: Mapping[str, Any] = {
        "silent": False,
        "garbage": False,
        "half": False,
        "slow": 0.0,
        "replay": False,
        "frozen": False,
        "rate": 1.0,
    }

    def __init__(self, say: Say, later: Later) -> None:
        self._say, self._later = say, later
        self._faults: dict[str, Any] = dict(self.NAMES)
        self._old: dict[str, deque[str]] = {}

    @property
    def rate(self) -> float:
        """Return how much faster than normal the device speaks."""
        return float(self._faults["rate"])

    def fault(self, changes: Mapping[str, Any]) -> None:
        """Set faults; none given clears all. Raises CommandError."""
        unknown = [name for name in changes if name not in self.NAMES]
        if unknown:
            known = ", ".join(self.NAMES)
            raise CommandError(f"no fault {unknown[0]!r}; known: {known}")
        self._faults = {**(self._faults if changes else self.NAMES), **changes}

    def __call__(self, topic: str, payload: str, retain: bool) -> None:
        """Publish, as well as the faults let it."""
        if topic.endswith(_ANNOUNCED):
            self._say(topic, payload, retain)
            return
        if self._faults["silent"]:
            return
        spoilt = self._spoilt(topic, payload)
        if self._faults["slow"]:
            self._later(
                float(self._faults["slow"]), lambda: self._say(topic, spoilt, retain)
            )
        else:
            self._say(topic, spoilt, retain)

    def _spoilt(self, topic: str, payload: str) -> str:
        old = self._old.setdefault(topic, deque(maxlen=_OLD))
        if self._faults["frozen"] and old:
            return old[-1]
        if self._faults["replay"] and old:
            return old[0]
        old.append(payload)
        if self._faults["garbage"]:
            return _NOISE
        return payload[: len(payload) // 2] if self._faults["half"] else payload
