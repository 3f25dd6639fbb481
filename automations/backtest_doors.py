"""What a tried rule would do, written down instead of done.

The doors through which a rule acts are taken over one by one; what the rooms know
of the past stays as it was, so that the next run sees what really stood.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from core.api.command import CommandState
from core.api.reading import Value
from core.journal.envelope import Cause
from core.kernel import Kernel
from core.permits.lifecycle import RUNNING, PermitStatus
from core.response.events import CommandMoved


class Would(msgspec.Struct, frozen=True, kw_only=True):
    """Say one thing that a run would have done."""

    at_ns: int
    """Boot ns of the virtual clock."""
    run_id: str
    what: str
    """command, withheld, hold, evacuation, notice, task, plan or shelve."""
    target: str
    """entity:…, permit:…, zone:…, role:…, person:…, chain:… or another name."""
    detail: str = ""


class Doors:
    """Stand in for the rooms that act."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._hub = kernel, kernel.hub
        self.would: list[Would] = []
        self._count = 0
        doors: tuple[tuple[Any, str, Any], ...] = (
            (kernel.commands, "order", self._order),
            (kernel.permits, "hold", self._hold),
            (kernel.permits, "hold_zone", self._hold_zone),
            (kernel.evacuations, "start", self._evacuate),
            (kernel.notices, "tell", self._tell),
            (kernel.notices, "tell_chain", self._tell_chain),
            (kernel.notices, "tell_persons", self._tell_persons),
            (kernel.alarms, "shelve", self._shelve),
            (kernel.tasks, "create", self._task),
            (kernel.plans, "start", self._plan),
        )
        for room, name, door in doors:
            if not hasattr(room, name):  # a door that is gone would act for real
                raise TypeError(f"{type(room).__name__} has no {name}")
            setattr(room, name, door)

    def _say(self, cause: Cause, what: str, target: str, detail: str = "") -> str:
        self._count += 1
        self.would.append(
            Would(
                at_ns=self._hub.clock.mono_ns(),
                run_id=cause.parent,
                what=what,
                target=target,
                detail=detail,
            )
        )
        return f"would-{self._count}"

    def _order(
        self, entity_id: str, value: Value, *, cause: Cause, **_: Any
    ) -> str | None:
        target = f"entity:{entity_id}"
        plain = value if isinstance(value, bool | float | str) else str(value)
        reason = self._kernel.commands.why_not(entity_id, plain)
        if reason is not None:
            self._say(cause, "withheld", target, reason)
            return None
        made = self._say(cause, "command", target, str(value))
        moved = CommandMoved(command_id=made, state=CommandState.CONFIRMED)
        # A device answers after the command has been written down.
        self._hub.after(0.0, f"backtest.{made}", lambda: self._confirm(moved))
        return made

    def _confirm(self, moved: CommandMoved) -> None:
        self._hub.emit(moved)

    def _hold(self, permit_id: str, code: str, *, cause: Cause, **_: Any) -> str | None:
        permit = self._kernel.hub.state.permits.permits.get(permit_id)
        known = (*RUNNING, PermitStatus.HELD)
        if permit is None or permit.status not in known:
            return None
        return self._say(cause, "hold", f"permit:{permit_id}", code)

    def _hold_zone(
        self,
        zone_id: str,
        code: str,
        *,
        linked: bool = True,
        cause: Cause,
        **_: Any,
    ) -> list[str]:
        permits = self._kernel.hub.state.permits.permits
        here = [p.id for p in permits.values() if p.zone_id == zone_id and not p.ended]
        kin = {
            other.id
            for other in permits.values()
            for each in here
            if linked and (each in other.linked or other.id in permits[each].linked)
        }
        wanted = [*here, *sorted(kin - set(here))]
        return [each for each in wanted if self._hold(each, code, cause=cause)]

    def _evacuate(
        self, zones: Iterable[str], code: str, *, cause: Cause, **_: Any
    ) -> str:
        listed = list(zones)
        for zone in listed[1:]:
            self._say(cause, "evacuation", f"zone:{zone}", code)
        return self._say(cause, "evacuation", f"zone:{listed[0]}", code)

    def _tell(
        self, *, roles: Iterable[str], code: str, cause: Cause, **_: Any
    ) -> list[str]:
        return [self._say(cause, "notice", f"role:{role}", code) for role in roles]

    def _tell_chain(
        self, chain_id: str, code: str, params: Any, *, cause: Cause, **_: Any
    ) -> list[str]:
        return [self._say(cause, "notice", f"chain:{chain_id}", code)]

    def _tell_persons(
        self, persons: Iterable[str], code: str, *_: Any, cause: Cause, **__: Any
    ) -> list[str]:
        return [
            self._say(cause, "notice", f"person:{person}", code)
            for person in dict.fromkeys(persons)
            if person
        ]

    def _shelve(self, alarm_id: str, *, reason: str, cause: Cause, **_: Any) -> None:
        self._say(cause, "shelve", f"alarm:{alarm_id}", reason)

    def _task(self, kind: str, code: str, *, cause: Cause, **_: Any) -> str:
        return self._say(cause, "task", kind, code)

    def _plan(
        self, plan_id: str, *, zone_id: str | None, cause: Cause, **_: Any
    ) -> str | None:
        known = any(each.id == plan_id for each in self._hub.bundle.plans)
        made = self._say(cause, "plan", plan_id, f"zone:{zone_id}" if zone_id else "")
        return made if known else None
