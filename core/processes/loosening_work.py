"""Which work a loosening concerns: that takes two persons, and is held."""

from collections.abc import Iterable

from core.permits.state import PermitRecord
from core.processes import loosening_days
from core.processes.loosening import ANYWHERE, Loosening


def touches(found: Loosening, permit: PermitRecord) -> bool:
    """Say whether a permit may need what is loosened."""
    if found.part == "calendar":
        asks = permit.kind not in found.free
        return asks and loosening_days.concerns(permit, found.calendars)
    if found.part == "kind":
        return not permit.life.pack and permit.kind == found.about
    return ANYWHERE in found.zones or permit.zone_id in found.zones


def weighty(
    found: Iterable[Loosening],
    working: Iterable[PermitRecord],
    booked: Iterable[PermitRecord] = (),
) -> list[Loosening]:
    """Return what takes two persons while these permits are open.

    Of those that are only booked a day is asked before they begin (H13).
    """
    permits, early = list(working), list(booked)
    return [
        each
        for each in found
        if each.always
        or any(touches(each, permit) for permit in permits)
        or (each.part == "calendar" and any(touches(each, p) for p in early))
    ]
