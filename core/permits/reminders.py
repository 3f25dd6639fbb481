"""Tell people in time: a permit that ends, waits, or has to be looked at again."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from core.api.reading import Value
from core.clock import NS
from core.hub import CORE, Hub
from core.journal.envelope import Cause
from core.permits.life_events import PermitReminded
from core.permits.life_facts import LifeFacts
from core.permits.lifecycle import RUNNING, PermitStatus
from core.permits.pack import COMING, OWN_PEOPLE, Kind, Pack, Reminder
from core.permits.packs import Packs, Ruled
from core.permits.state import PermitRecord
from core.permits.view import Viewer

#: Reminders are looked at once in so many ticks: they speak of minutes.
_EACH: Final = 20
#: Hot work that was not raised for the night is warned this long before (H13).
NIGHT: Final = "night"
_NIGHT_MIN: Final = 120.0
_NIGHT_CODE: Final = "42"
_WORKING: Final = (*RUNNING, PermitStatus.HELD)
_WAITS: Final = {
    "approval": (PermitStatus.BOOKED, PermitStatus.APPLIED, PermitStatus.ANALYSED),
    "start": (PermitStatus.APPROVED, PermitStatus.BRIEFED),
    "acceptance": (PermitStatus.COMPLETED,),
}


class Teller(Protocol):
    """Tell people by name or by role; `Notices` does."""

    def tell(
        self,
        *,
        roles: Iterable[str],
        channels: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        cause: Cause,
    ) -> list[str]:
        """Tell everybody with one of the roles."""

    def tell_persons(
        self,
        persons: Iterable[str],
        code: str,
        params: dict[str, Value],
        about: str,
        *,
        cause: Cause,
    ) -> list[str]:
        """Tell named people."""


class Nights(Protocol):
    """Know the site's nights; `Surroundings` does."""

    def night_begins(self, permit: PermitRecord, pack: Pack) -> float | None:
        """Return the seconds until a permit's night; 0 at night, None if unknown."""


class Reminders:
    """Fire the reminders of running and waiting permits, each as its pack says."""

    def __init__(
        self,
        hub: Hub,
        packs: Packs,
        life: LifeFacts,
        viewer: Viewer,
        teller: Teller,
        nights: Nights,
    ) -> None:
        self._hub, self._packs, self._life = hub, packs, life
        self._viewer, self._teller, self._nights = viewer, teller, nights
        self._ticks = 0

    def arm(self) -> None:
        """Have no tables: reminders belong to the pack that a permit pins."""

    def recover(self, clean: bool) -> None:
        """Owe nothing: what was told is in the state, the rest is told soon."""

    def tick(self) -> None:
        """Tell what is due."""
        self._ticks += 1
        if self._ticks % _EACH:
            return
        for permit in list(self._hub.state.permits.permits.values()):
            ruled = self._packs.kind(permit) if permit.life.pack else None
            if ruled is not None and not permit.ended:
                self._look(permit, ruled)

    def _look(self, permit: PermitRecord, ruled: Ruled) -> None:
        for reminder in _all(ruled.kind):
            left = self._left_min(permit, reminder, ruled)
            near = reminder.before_min if reminder.of in COMING else 0.0
            if left is None or near is None or left > near:
                continue
            told = permit.life.reminded.get(reminder.id)
            since = self._life.since(told)
            again = reminder.every_min
            if told is not None and (again is None or since is None or since < again):
                continue
            minutes = left
            if reminder.id == NIGHT:
                minutes += _NIGHT_MIN
            elif reminder.of in _WAITS:
                minutes = (reminder.after_min or 0.0) - left
            self._tell(permit, reminder, max(minutes, 0.0))

    def _left_min(
        self, permit: PermitRecord, reminder: Reminder, ruled: Ruled
    ) -> float | None:
        """Return the minutes left until a reminder's time; None: it has none."""
        if reminder.id == NIGHT:
            seconds = self._nights.night_begins(permit, ruled.pack)
            raised = self._raised(permit, ruled)
            return None if raised or seconds is None else seconds / 60 - _NIGHT_MIN
        if reminder.of in _WAITS:
            waited = self._waited_min(permit, reminder)
            return None if waited is None else (reminder.after_min or 0.0) - waited
        if permit.status not in _WORKING:
            return None
        if reminder.of == "expiry":
            left = permit.valid.remaining_ns(self._hub.clock)
            return None if left is None else left / NS / 60
        if reminder.of == "confirmation":
            setting = ruled.pack.setting("confirm_min")
            passed = self._life.since(permit.life.confirmed)
            if setting is None or passed is None:
                return None
            return setting.value - passed
        return self._record_left_min(permit, ruled)

    def _record_left_min(self, permit: PermitRecord, ruled: Ruled) -> float | None:
        need, last = ruled.kind.gas, permit.gas.recorded
        if need is None or need.record_every_min is None or last is None:
            return None
        left = last.remaining_ns(self._hub.clock)
        return None if left is None else need.record_every_min + left / NS / 60

    def _waited_min(self, permit: PermitRecord, reminder: Reminder) -> float | None:
        if permit.status not in _WAITS[reminder.of]:
            return None
        if reminder.of == "acceptance":
            return self._life.since(permit.life.paused)
        if not self._hub.clock.synced():
            return None
        return (self._hub.clock.wall_ns() - permit.life.from_wall_ns) / NS / 60

    def _raised(self, permit: PermitRecord, ruled: Ruled) -> bool:
        if permit.status not in _WORKING:
            return True
        facts = self._life.facts(permit, ruled.kind, ruled.pack)
        return facts.get("grade_raised") is True

    # --- telling --------------------------------------------------------------

    def _tell(self, permit: PermitRecord, reminder: Reminder, minutes: float) -> None:
        self._hub.emit(PermitReminded(permit_id=permit.id, reminder=reminder.id))
        code = (
            f"notice.permit_reminder.{reminder.id if _own(reminder) else reminder.of}"
        )
        params: dict[str, Value] = {"title": permit.title, "minutes": round(minutes)}
        roles = [to for to in reminder.to if to not in OWN_PEOPLE]
        people = list(self._people(permit, reminder))
        if "next" in reminder.to:
            for due in self._viewer.view(permit).due:
                people += due.people
                roles += () if due.people else due.roles
        about = f"permit:{permit.id}"
        self._teller.tell_persons(people, code, params, about, cause=CORE)
        if roles:
            self._teller.tell(
                roles=tuple(dict.fromkeys(roles)),
                channels=reminder.channels,
                code=code,
                params=params,
                about=about,
                cause=CORE,
            )

    def _people(self, permit: PermitRecord, reminder: Reminder) -> Iterator[str]:
        own = {
            "lead": (permit.supervisor_id,),
            "guardian": (permit.guardian_id,),
            "workers": tuple(permit.workers),
        }
        for to in reminder.to:
            yield from own.get(to, ())


def _own(reminder: Reminder) -> bool:
    return reminder.id == NIGHT


def _all(kind: Kind) -> tuple[Reminder, ...]:
    """Return a kind's reminders, with the one of the night where the law has it."""
    if not any(raised.alarm == _NIGHT_CODE for raised in kind.upgrades):
        return kind.reminders
    night = Reminder(id=NIGHT, of="start", after_min=0.0, to=("lead", "guardian"))
    return (*kind.reminders, night)
