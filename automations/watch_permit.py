"""Permits as level triggers: how long in a status, how near to their end."""

from collections.abc import Iterable

from automations.selecting import (
    Catalogue,
    Lacking,
    kind_of,
    named_zones,
    number,
    words,
)
from automations.watch_people import is_kind
from automations.watching import FALSE, Judged
from core.clock import NS
from core.config import Trigger
from core.kernel import Kernel
from core.logic.truth import Truth, of
from core.permits.state import PermitRecord


class PermitWatch:
    """Watch permits; one level a permit."""

    def __init__(self, kernel: Kernel, trigger: Trigger) -> None:
        self._kernel, self.trigger = kernel, trigger
        self._statuses = frozenset(words(trigger, "status"))
        self._kinds = frozenset(words(trigger, "kind"))
        self._zones = frozenset(named_zones(trigger))
        self._expires_ns = _span(trigger, "expires_within")
        self._running_ns = _span(trigger, "running_for")

    def resolve(self, catalogue: Catalogue) -> list[Lacking]:
        """Lack nothing: permits come and go."""
        return []

    def subjects(self) -> Iterable[str]:
        """Return the permits that are not over."""
        permits = self._kernel.hub.state.permits.permits.values()
        return [f"permit:{each.id}" for each in permits if self._fits(each)]

    def _fits(self, permit: PermitRecord) -> bool:
        return (
            (not permit.ended or permit.status in self._statuses)
            and is_kind(self._kernel, permit, self._kinds)
            and (not self._zones or permit.zone_id in self._zones)
        )

    def judge(self, subject: str, *, held: bool) -> Judged:
        """Say how a permit stands."""
        number_ = subject.removeprefix("permit:")
        permit = self._kernel.hub.state.permits.permits.get(number_)
        if permit is None or not self._fits(permit):
            return FALSE
        if self._statuses and permit.status not in self._statuses:
            return FALSE
        left = permit.valid.remaining_ns(self._kernel.hub.clock)
        return Judged(
            self._timely(permit, left),
            {
                "trigger_kind": kind_of(self.trigger, "level"),
                "trigger_value": None if left is None else round(left / NS / 60),
                "source": subject,
                "permit": permit.id,
                "kind": permit.kind,
                "status": str(permit.status),
                "minutes": None if left is None else round(left / NS / 60),
            },
        )

    def _timely(self, permit: PermitRecord, left: int | None) -> Truth:
        if self._expires_ns is None and self._running_ns is None:
            return Truth.TRUE
        if left is None:
            return Truth.UNKNOWN
        near = self._expires_ns is None or left <= self._expires_ns
        passed = permit.valid.duration_ns - left
        return of(near and (self._running_ns is None or passed >= self._running_ns))


def _span(trigger: Trigger, key: str) -> int | None:
    seconds = number(trigger, key)
    return None if seconds is None else int(seconds * NS)
