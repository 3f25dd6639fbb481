"""A helmet as the hub sees it: what is fresh, what is of the past, who calls.

A report of the past never becomes a present value; a call of the past still calls.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from core.api import Device, DeviceError, Entity, Host, Quality, Value
from core.api.clock import NS

#: A terminal's clock may be so far ahead of the hub's.
AHEAD_S: Final = 60.0
#: A report that is so old was kept for want of a network, or its clock is wrong.
PAST_S: Final = 120.0
#: Calls that wait for the disk, of one helmet; beyond it they are not answered.
MAX_CALLS: Final = 64
RETRY_S: Final = 1.0
_WRAP, _HALF = 1 << 16, 1 << 15


class Stamp(NamedTuple):
    """Say when a report was made, by the helmet's clock, and its number."""

    at: float | None
    """POSIX seconds; None: the helmet has no clock."""
    seq: int


class Worn:
    """Declare one helmet; report what it tells, dated; hand its calls over."""

    def __init__(self, host: Host, device: Device, interval_s: float) -> None:
        self.host, self.device, self.uid = host, device, device.uid
        self._handles: dict[str, int] = {}
        """Entity uid → handle; none until it is declared: strangers cost nothing."""
        self._past_s = max(PAST_S, 3 * interval_s)
        self._last: Stamp | None = None
        self._declared = False
        self.up = False
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._standing: dict[str, str] = {}
        """Kind → id of the call whose bit is still set."""
        self.counters = {"reports": 0, "repeats": 0, "past": 0, "calls": 0}

    def declare(self) -> None:
        """Announce the helmet; once is enough."""
        if not self._declared:
            self._declared = True
            handle = self.host.handle
            self._handles = {
                e.uid: handle(self.uid, e.uid) for e in self.device.entities
            }
            self.host.declare(self.device)

    def heard(self) -> None:
        """Say that the helmet is here, where it was not."""
        self.declare()
        if not self.up:
            self.up = True
            self.host.link_state(self.uid, True)

    def lost(self, code: str) -> None:
        """Say that the helmet is gone, and why."""
        if self.up or code.endswith("auth"):
            self.up = False
            self.declare()
            self.host.link_state(self.uid, False, code)

    # --- values ---------------------------------------------------------------

    def report(self, stamp: Stamp, values: Mapping[str, tuple[Value, str]]) -> None:
        """Take entity → (value, reason that it is none); dated by the stamp."""
        quality, reason, measured_ns = self._dated(stamp)
        if quality is None:
            return
        self.declare()
        self.counters["reports"] += 1
        for entity, (value, wrong) in values.items():
            if entity not in self._handles:
                continue
            if wrong:
                self.tell(entity, None, Quality.FAULT, wrong, measured_ns)
            else:
                self.tell(entity, value, quality, reason, measured_ns)

    def tell(
        self,
        entity: str,
        value: Value,
        quality: Quality,
        reason: str = "",
        measured_ns: int = 0,
    ) -> None:
        """Report one value as it is."""
        self.host.report(self._handles[entity], value, quality, reason, measured_ns)

    def _dated(self, stamp: Stamp) -> tuple[Quality | None, str, int]:
        """Return quality, reason and measuring time; None: it is no news."""
        clock = self.host.clock
        if stamp.at is None:
            return Quality.UNCERTAIN, "helmet.no_time", 0
        skew_s = stamp.at - clock.wall_ns() / NS
        if skew_s > AHEAD_S:
            # What lies in the future must not make the present look old.
            return Quality.UNCERTAIN, "helmet.clock_ahead", 0
        last = self._last
        if last is not None and last.at is not None and not _newer(stamp, last):
            self.counters["repeats"] += 1
            return None, "", 0
        self._last = stamp
        # A clock of whole seconds is behind by up to one: that is no age.
        age_s = max(0.0, -skew_s - 1.0)
        measured_ns = max(1, clock.mono_ns() - int(age_s * NS))
        if age_s > self._past_s:
            self.counters["past"] += 1
            return Quality.STALE, "helmet.past", measured_ns
        return Quality.GOOD, "", measured_ns

    # --- calls ----------------------------------------------------------------

    def rising(self, kinds: Mapping[str, bool], mark: str) -> dict[str, str]:
        """Return the id of each call that stands; a bit that stays is one call."""
        for kind, on in kinds.items():
            if not on:
                self._standing.pop(kind, None)
            elif kind not in self._standing:
                self._standing[kind] = f"{self.uid}#{kind}#{mark}"
                self.counters["calls"] += 1
        return dict(self._standing)

    async def durable(self, kind: str, ident: str, params: Mapping[str, Value]) -> None:
        """Wait until the core has a call durable; raises DeviceError when full.

        Calls that are the same one wait together.
        """
        task = self._calls.get(ident)
        if task is None:
            if len(self._calls) >= MAX_CALLS:
                raise DeviceError("too many calls of one helmet wait for the disk")
            loop = asyncio.get_running_loop()
            task = loop.create_task(
                self._hand_over(kind, ident, dict(params)), name=f"helmet {ident}"
            )
            self._calls[ident] = task
            task.add_done_callback(lambda _: self._calls.pop(ident, None))
        await asyncio.shield(task)

    async def _hand_over(
        self, kind: str, ident: str, params: Mapping[str, Value]
    ) -> None:
        while True:
            try:
                await self.host.event(self.uid, kind, params, ident)
            except DeviceError as error:
                self.host.count("helmet.call_waits", str(error), self.uid)
                await self.host.timer.sleep(RETRY_S)
            else:
                return

    async def close(self) -> None:
        """End what waits; the helmet will say it again."""
        for task in list(self._calls.values()):
            task.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)


def _newer(stamp: Stamp, last: Stamp) -> bool:
    if stamp.at != last.at:
        return stamp.at is not None and last.at is not None and stamp.at > last.at
    return 0 < (stamp.seq - last.seq) % _WRAP < _HALF


def device(
    uid: str, name: str, serial: str, entities: tuple[Entity, ...], maker: str = ""
) -> Device:
    """Return a helmet's declaration; an entity that is named twice counts once."""
    once = {each.uid: each for each in entities}
    return Device(
        uid=uid,
        name=name,
        manufacturer=maker,
        serial=serial,
        entities=tuple(once.values()),
    )
