"""One machine as the hub sees it: what is fresh, of the past, and when it is lost."""

from collections.abc import Mapping
from typing import Any, Final

from core.api import Device, Host, Quality, Value
from core.api.clock import NS
from integrations.crane.profile import Profile, Told

#: A recorder's clock may be so far ahead of the hub's.
AHEAD_S: Final = 60.0
#: Intervals without a record after which a machine is lost: told within three.
_SILENT: Final = 2.5
#: A record that is so old was kept for want of a network, or its clock is wrong.
PAST_S: Final = 60.0


class Machine:
    """Declare one machine; report its records, dated and judged."""

    def __init__(
        self,
        host: Host,
        number: str,
        profile: Profile,
        interval_s: float,
        options: Mapping[str, Any],
    ) -> None:
        self.host, self.number, self.profile = host, number, profile
        self.uid = f"crane-{number}"
        self.interval_s = interval_s
        self._proven = profile.certain or bool(options.get("checked"))
        self._device = Device(
            uid=self.uid,
            name=options.get("name") or f"Crane {number}",
            serial=number,
            entities=profile.entities(3 * interval_s),
        )
        self._handles = {
            each.uid: host.handle(self.uid, each.uid) for each in self._device.entities
        }
        self._last: tuple[float, float] | None = None
        self._heard_ns = 0
        self._declared = False
        self.up = False
        self.counters = {"records": 0, "repeats": 0, "past": 0}

    def declare(self) -> None:
        """Announce the machine; once is enough."""
        if not self._declared:
            self._declared = True
            self.host.declare(self._device)

    def lost(self, code: str) -> None:
        """Say that the machine is gone, and why."""
        if self.up or code.endswith("auth"):
            self.up = False
            self.declare()
            self.host.link_state(self.uid, False, code)

    def watch(self, now_ns: int) -> None:
        """Notice silence: no record that was news for two and a half intervals."""
        if self.up and now_ns - self._heard_ns > int(_SILENT * self.interval_s * NS):
            self.lost("crane.silent")

    def take(self, told: Told, detail: str) -> None:
        """Report a record."""
        quality, reason, measured_ns = self._dated(told)
        if quality is None:
            return
        self.declare()
        self._heard_ns = self.host.clock.mono_ns()
        if not self.up:
            self.up = True
            self.host.link_state(self.uid, True)
        self.counters["records"] += 1
        if quality is Quality.GOOD and not self._proven:
            quality, reason = Quality.UNCERTAIN, "crane.unchecked"
        for entity, value in told.values.items():
            if value is None:
                self.host.count("crane.no_value", detail, self.uid)
                self._tell(entity, None, Quality.FAULT, "no_value", measured_ns)
            else:
                self._tell(entity, value, quality, reason, measured_ns)

    def _tell(
        self, entity: str, value: Value, quality: Quality, reason: str, at_ns: int
    ) -> None:
        self.host.report(self._handles[entity], value, quality, reason, at_ns)

    def _dated(self, told: Told) -> tuple[Quality | None, str, int]:
        """Return quality, reason and measuring time; None: it is no news."""
        clock = self.host.clock
        if told.at is None:
            # Nothing tells a record that comes again from one that is new.
            return Quality.UNCERTAIN, "crane.no_time", 0
        skew_s = told.at - clock.wall_ns() / NS
        if skew_s > AHEAD_S:
            return Quality.UNCERTAIN, "crane.clock_ahead", 0
        stamp = (told.at, told.seq if told.seq is not None else 0.0)
        if self._last is not None and stamp <= self._last:
            self.counters["repeats"] += 1
            return None, "", 0
        self._last = stamp
        # A clock of whole seconds is behind by up to one: that is no age.
        age_s = max(0.0, -skew_s - 1.0)
        measured_ns = max(1, clock.mono_ns() - int(age_s * NS))
        if age_s > max(PAST_S, 3 * self.interval_s):
            self.counters["past"] += 1
            return Quality.STALE, "crane.past", measured_ns
        return Quality.GOOD, "", measured_ns
