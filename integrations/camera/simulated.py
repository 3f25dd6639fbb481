"""One simulated camera: what it sees, what it reports, what is wrong with it."""

import asyncio
import hashlib
import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

from core.api.clock import NS, Clock
from integrations.camera.simscene import STATES, Scene

#: Old firmware beats so often; a test need not wait for the new one's 10 s.
BEAT_S = 1.0
#: How long an event that was made by hand lasts.
EVENT_S = 3.0
_ON = ("motion", "tamper", "videoloss", "flame", "smoke", "heat", "intrusion")


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hold what is wrong with a camera; set by the control line, checked there."""

    silent: bool = False
    garbage: bool = False
    slow: float = 0.0
    half: bool = False
    frozen: bool = False
    replay: bool = False
    clock_s: float = 0.0
    rate: float = 1.0


class SimulatedCamera:
    """Hold one camera's state; the web service asks it."""

    def __init__(self, options: Mapping[str, Any], password: str, clock: Clock) -> None:
        self.options = options
        self.uid: str = options["uid"]
        self.user: str = options.get("username", "")
        self.password = password
        self.serial: str = options.get("serial_number", f"SIM-{self.uid}")
        self.scene = Scene(self.uid)
        self.faults = Faults()
        self.values: dict[str, bool | float] = {}
        self.changed = asyncio.Event()
        self.speaks = asyncio.Event()
        """Cleared: it is silent."""
        self.speaks.set()
        self.version = 0
        """Rises with each change of a value; pull points compare it."""
        self._clock = clock
        for uid in options["events"]:
            self.values[uid] = 20.0 if uid.startswith("temperature") else False
        self.recording = bool(options["recorder"])
        self._names = itertools.count(1)
        self.points: dict[str, tuple[int, int]] = {}
        """Pull point → version that it has told, boot ns at which it ends."""

    @property
    def mac(self) -> str:
        """Return a lasting hardware address of its own."""
        digest = hashlib.sha256(self.uid.encode()).digest()[:5]
        return "02:" + ":".join(f"{each:02x}" for each in digest)

    def wall_ns(self) -> int:
        """Return the camera's own idea of the time."""
        return self._clock.wall_ns() + int(self.faults.clock_s * NS)

    # --- control ------------------------------------------------------------------

    def set(self, name: str, value: Any) -> None:
        """Set what it sees or reports; raises KeyError, ValueError."""
        if name == "brightness":
            self.scene.brightness = float(value)
        elif name == "recording":
            self.recording = bool(value)
        elif name.partition(".")[0] == "temperature":
            self._report(name, float(value))
        elif name.partition(".")[0] in (*_ON, "input"):
            self._report(name, bool(value))
        else:
            raise KeyError(name)

    def event(self, kind: str) -> None:
        """Report something for three seconds; raises KeyError."""
        self.set(kind, True)
        asyncio.get_running_loop().call_later(EVENT_S, self.set, kind, False)

    def _report(self, name: str, value: bool | float) -> None:
        self.values[name] = value
        self.version += 1
        self.changed.set()
        self.changed = asyncio.Event()

    def enter(self, state: str) -> None:
        """Enter a state of the picture; raises ValueError."""
        if state not in STATES:
            raise ValueError(f"no state {state!r}; expected one of {', '.join(STATES)}")
        self.scene.state = state

    def fault(self, changes: Mapping[str, Any]) -> None:
        """Set faults, or clear all by ``{}``; raises msgspec.ValidationError."""
        merged = {**msgspec.to_builtins(self.faults), **changes} if changes else {}
        self.faults = msgspec.convert(merged, Faults)
        if self.faults.silent:
            self.speaks.clear()
        else:
            self.speaks.set()

    # --- what the service asks ----------------------------------------------------

    def jpeg(self) -> bytes:
        """Return the picture of now, as its faults let it be."""
        faults = self.faults
        whole = not (faults.silent or faults.garbage or faults.slow or faults.half)
        return self.scene.jpeg(frozen=faults.frozen, replay=faults.replay, keep=whole)

    def subscribe(self, life_s: float) -> str:
        """Make a pull point; return its name."""
        name = str(next(self._names))
        self.points[name] = -1, self._clock.mono_ns() + int(life_s * NS)
        return name

    def renew(self, name: str, life_s: float) -> bool:
        """Let a pull point live on; False when it has run out."""
        if not self.alive(name):
            return False
        told, _ = self.points[name]
        self.points[name] = told, self._clock.mono_ns() + int(life_s * NS)
        return True

    def alive(self, name: str) -> bool:
        """Say whether a pull point still stands."""
        point = self.points.get(name)
        if point is not None and self._clock.mono_ns() > point[1]:
            del self.points[name]
            return False
        return point is not None

    async def news(self, name: str, wait_s: float) -> tuple[bool, bool]:
        """Wait for news of a pull point; whether there is any, whether it is first."""
        told, until = self.points[name]
        if told == self.version and self.faults.rate <= 1:
            try:
                async with asyncio.timeout(wait_s):
                    await self.changed.wait()
            except TimeoutError:
                return False, False
        elif told == self.version:
            await asyncio.sleep(wait_s / self.faults.rate)
        if name in self.points:
            self.points[name] = self.version, until
        return True, told < 0

    def drop_points(self) -> None:
        """Forget every pull point, as a restart does."""
        self.points.clear()
