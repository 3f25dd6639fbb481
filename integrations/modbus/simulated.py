"""A simulated device: registers made from a profile by the decoder's inverse."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from integrations.modbus import load
from integrations.modbus.decode import put
from integrations.modbus.profile import Image

Say = Callable[[dict[str, Any]], None]
ILLEGAL_ADDRESS = 2


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hold what is wrong with a device; set by the control line, checked there."""

    silent: bool = False
    slow_s: float = 0.0
    bad_crc: bool = False
    exception: int = 0
    garbage: str = ""
    """Hex bytes sent before each answer."""
    answer_as: int | None = None
    """Unit that the answers carry instead of the device's own."""
    freeze: bool = False
    """The heartbeat stands still."""
    ignore_writes: bool = False
    """A relay that echoes a command and does nothing."""
    noise: bool = False
    """Bytes that are no frame, instead of each answer."""
    half: bool = False
    """The first half of each answer, and then the end of the connection."""
    replay: bool = False
    """An old answer instead of each new one."""
    swapped: bool = False
    """The words of long registers the other way round."""


#: What every simulator understands, in this one's own words.
_UNIFORM = {"slow": "slow_s", "frozen": "freeze"}
#: Answers kept of each shape, for the day when they are sent again.
_OLD = 50


class SimulatedDevice:
    """Answer for one unit; holds values, state, coils and faults."""

    def __init__(self, options: Mapping[str, Any], speed: float, say: Say) -> None:
        self.uid: str = options["uid"]
        self.unit: int = options["unit"]
        self.profile = load.load(options["profile"])
        self.faults = Faults()
        self.values: dict[str, float] = dict(self.profile.simulate.get("normal", {}))
        self.state = "normal"
        self._say = say
        self._speed = speed
        self._options = options
        self._coils: dict[int, bool] = {}
        for entity in self.profile.outputs:
            if entity.coil is not None:
                idle = (not entity.coil.on_state) != self._inverted(entity.uid)
                self._coils[entity.coil.address] = idle
        self._echo = False
        self._old: dict[tuple[int, int], deque[bytes]] = {}
        self._born = asyncio.get_running_loop().time()
        self._frozen_at = 0

    def _inverted(self, uid: str) -> bool:
        chosen = self._options.get("outputs", {}).get(uid)
        return isinstance(chosen, Mapping) and bool(chosen.get("inverted", False))

    def set(self, name: str, value: float) -> None:
        """Set an entity (in its unit) or a register; raises KeyError or ValueError."""
        entity = self.profile.entities.get(name)
        if entity is not None and entity.register:
            scale = entity.scale
            if entity.scale_from is not None:
                code = int(self.values.get(entity.scale_from.register, 0))
                scale *= float(entity.scale_from.values.get(code, 1.0))
            value = (value - entity.offset) / scale
            name = entity.register
        register = self.profile.registers[name]
        put(register, value, {})
        self.values[name] = value

    def enter(self, state: str) -> None:
        """Enter a state that the profile names, such as warm_up or fault."""
        if state not in self.profile.simulate and state != "normal":
            names = ", ".join(self.profile.simulate) or "normal"
            raise ValueError(f"no state {state!r}; expected one of {names}")
        self.state = state

    def fault(self, changes: Mapping[str, Any]) -> None:
        """Set faults; none given clears all. Raises msgspec.ValidationError."""
        before = self.faults.freeze
        words = {_UNIFORM.get(name, name): value for name, value in changes.items()}
        if isinstance(words.get("garbage"), bool):
            words["noise"] = words.pop("garbage")
        merged = {**msgspec.to_builtins(self.faults), **words} if words else {}
        self.faults = msgspec.convert(merged, Faults)
        if self.faults.freeze and not before:
            self._frozen_at = self._ticks()

    def _ticks(self) -> int:
        beat = self.profile.beat
        if beat is None:
            return 0
        passed = (asyncio.get_running_loop().time() - self._born) * self._speed
        return int(passed / beat.period_s)

    def image(self) -> Image:
        """Return every address that the device knows, as it stands now."""
        image: Image = {
            (b.function, b.address + i): 0
            for b in self.profile.blocks
            for i in range(b.count)
        }
        values = dict(self.values)
        if self.state != "normal":
            values |= self.profile.simulate[self.state]
        for name, value in values.items():
            register = self.profile.registers[name]
            if self.faults.swapped:
                register = msgspec.structs.replace(register, little=not register.little)
            put(register, value, image)
        beat = self.profile.beat
        if beat is not None:
            register = self.profile.registers[beat.register]
            ticks = self._frozen_at if self.faults.freeze else self._ticks()
            put(register, ticks % (2 if register.type == "bit" else 0x10000), image)
        for entity in self.profile.outputs:
            if entity.coil is not None:
                place = (entity.coil.read_function, entity.coil.read_address)
                image[place] = int(self._coils[entity.coil.address])
        return image

    def read(self, function: int, address: int, count: int) -> list[int] | None:
        """Return what a read gets, or None for an address that is not there."""
        if function == 5:
            return [int(self._echo)]
        image = self.image()
        cells = [(function, address + i) for i in range(count)]
        if any(cell not in image for cell in cells):
            return None
        return [image[cell] for cell in cells]

    def write(self, function: int, address: int, state: bool) -> bool:
        """Set a coil and tell of the change; False when there is no such coil."""
        if function != 5 or address not in self._coils:
            return False
        self._echo = state
        if self.faults.ignore_writes or self._coils[address] == state:
            return True
        self._coils[address] = state
        for entity in self.profile.outputs:
            coil = entity.coil
            if coil is not None and coil.address == address:
                on = (state == coil.on_state) != self._inverted(entity.uid)
                told = {"device": self.uid, "entity": entity.uid, "value": on}
                self._say({"event": "output", **told, "coil": address})
        return True

    def again(self, frame: bytes) -> bytes:
        """Keep an answer, and return an old one of its shape where that is asked."""
        kept = self._old.setdefault((len(frame), frame[7]), deque(maxlen=_OLD))
        if self.faults.replay and kept:
            return kept[0]
        kept.append(frame)
        return frame

    def on(self, entity_uid: str) -> bool:
        """Say whether an output is on (tests and demos look here)."""
        coil = self.profile.entities[entity_uid].coil
        if coil is None:
            raise KeyError(entity_uid)
        level = self._coils[coil.address]
        return (level == coil.on_state) != self._inverted(entity_uid)
