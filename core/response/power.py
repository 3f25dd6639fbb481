"""A known power end: everybody on site is told, all work held, the hub stops."""

from collections.abc import Callable

from core.alarms.alarms import Alarms
from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.deadlines import Deadline
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.logic.truth import Truth
from core.people.access import Access, Answer
from core.people.people import People
from core.permits.lifecycle import PermitStatus
from core.permits.permits import Permits
from core.processes.acts import POWER_END_MAX_S, EndPower, PowerStays
from core.processes.events import PowerBack, PowerEnding
from core.registry.events import DeviceReported
from core.response.notices import Notices

#: The orderly stop begins so long before the end; until then the hub protects.
MARGIN_S = 3.0
#: The time to the end when a device does not say it.
UNTOLD_S = 60.0
#: An end told again counts as new when it comes this much sooner.
_SOONER_S = 5.0
_SOURCE, _ABOUT, _TIMER = "hub:power", "power", "power.end"
_RUNNING = (PermitStatus.ACTIVE, PermitStatus.VERIFYING)


class PowerEnd:
    """Take word of a power end from a person, the operator or an enrolled UPS.

    A device says it as an event of the safety lane, ``power_end`` with
    ``seconds``, and ``power_back``.
    """

    def __init__(
        self,
        hub: Hub,
        access: Access,
        people: People,
        notices: Notices,
        permits: Permits,
        alarms: Alarms,
    ) -> None:
        self._hub, self._access, self._people = hub, access, people
        self._notices, self._permits, self._alarms = notices, permits, alarms
        self.stop: Callable[[], object] = lambda: None
        """Who ends the hub in order."""
        access.bind(EndPower, self._end_act)
        access.bind(PowerStays, self._back_act)
        hub.on(DeviceReported, self._reported)

    def arm(self) -> None:
        """Have no tables of its own."""

    def recover(self, clean: bool) -> None:
        """Take a start as proof that there is power; what is held stays held."""
        self._over(CORE)

    def tick(self) -> None:
        """Have no levels: the end is a deadline."""

    # --- what is told ---------------------------------------------------------

    def ends(self, seconds: float, cause: Cause) -> dict[str, Value]:
        """Announce, hold and plan the stop; raises Refused for a senseless time."""
        if not 0.0 <= seconds <= POWER_END_MAX_S:  # NaN too
            raise Refused("power.seconds", seconds=seconds, most=POWER_END_MAX_S)
        if not self._known(seconds):
            until = Deadline.after(self._hub.clock, seconds)
            self._hub.emit(PowerEnding(until=until, by=cause.actor), cause)
            self._alarms.raise_(
                _SOURCE,
                "ending",
                kind="fault.power",
                priority=1,
                params={"seconds": round(seconds)},
                cause=cause,
            )
            self._hold(cause)
            self._tell(round(seconds), cause)
            self._hub.after(max(seconds - MARGIN_S, 1.0), _TIMER, self._stop)
        return {"seconds": round(seconds)}

    def back(self, cause: Cause) -> None:
        """Hear that the power stays: the stop is off, the holds are not."""
        if self._hub.state.hub.power_end is not None:
            self._hub.timers.cancel(_TIMER)
            self._hub.emit(PowerBack(by=cause.actor), cause)
            self._over(cause)

    def _known(self, seconds: float) -> bool:
        """Say whether this end was told before, and is not much nearer."""
        until = self._hub.state.hub.power_end
        left = until.remaining_ns(self._hub.clock) if until else None
        return left is not None and seconds > left / NS - _SOONER_S

    def _hold(self, cause: Cause) -> None:
        for permit in list(self._hub.state.permits.permits.values()):
            if permit.status in _RUNNING:
                self._permits.hold(permit.id, "power_end", source=_SOURCE, cause=cause)

    def _tell(self, seconds: int, cause: Cause) -> None:
        """Tell everybody who is not known to be outside."""
        here = [
            person
            for person in self._access.persons()
            if self._people.on_site(person) is not Truth.FALSE
        ]
        params: dict[str, Value] = {"seconds": seconds}
        self._notices.tell_persons(
            here, "notice.power_end", params, _ABOUT, cause=cause
        )

    def _stop(self) -> None:
        self.stop()

    def _over(self, cause: Cause) -> None:
        self._alarms.clear(_SOURCE, "ending", cause)
        self._notices.close_about(_ABOUT)

    # --- who tells ------------------------------------------------------------

    def _reported(self, body: DeviceReported, envelope: Envelope) -> None:
        # Only what somebody enrolled may stop the hub.
        if not body.device_id:
            return
        cause = Cause(actor=f"device:{body.device_id}", parent=envelope.id)
        if body.kind == "power_back":
            self.back(cause)
        elif body.kind == "power_end":
            self.ends(_seconds(body.params.get("seconds")), cause)

    def _end_act(
        self, _actor: str, act: EndPower, _version: int | None, cause: Cause
    ) -> Answer:
        return self.ends(act.seconds, cause)

    def _back_act(
        self, _actor: str, _act: PowerStays, _version: int | None, cause: Cause
    ) -> Answer:
        self.back(cause)
        return {}


def _seconds(told: Value | None) -> float:
    """Return a device's figure; one that makes no sense means soon."""
    if isinstance(told, int | float) and 0.0 <= told <= POWER_END_MAX_S:
        return float(told)
    return UNTOLD_S
