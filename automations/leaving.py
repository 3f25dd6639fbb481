"""How far a site is left, and the drills it holds: from YAML into the bundle."""

from collections.abc import Callable
from typing import Any

from core.names import Names
from core.site.leaving import Attack, DrillPlan, Scope

#: What an attack of a drill must name.
NEEDS = {
    "person_hidden": "person",
    "muster_blocked": "muster",
    "detector_silent": "zone",
    "second_alarm": "zone",
}
Refer = Callable[[str, int, str, str, set[str], str], None]


def scope(given: dict[str, Any] | None) -> Scope | None:
    """Return what else is left with a zone."""
    return None if given is None else Scope(**given)


def drill(given: dict[str, Any]) -> DrillPlan:
    """Return a drill's plan."""
    every = given.get("every")
    attacks = (dict(each) for each in given.get("attacks", ()))
    return DrillPlan(
        id=given["id"],
        names=Names(**given["names"]),
        zones=given["zones"],
        every_d=None if every is None else every / 86400.0,
        target_s=given.get("target_within", 600.0),
        target_share=given.get("target_share", 90.0),
        attacks=tuple(Attack(at_s=each.pop("at", 0.0), **each) for each in attacks),
    )


def check_drills(data: dict[str, Any], refer: Refer) -> None:
    """Refuse drills of zones, people and muster points that the site has not."""
    known = {
        "zone": {zone["id"] for zone in data.get("zones", ())},
        "person": {person["id"] for person in data.get("people", ())},
        "muster": {point["id"] for point in data.get("muster_points", ())},
    }
    for number, each in enumerate(data.get("drills", ())):
        for zone in each["zones"]:
            refer("drills", number, "zones", zone, known["zone"], "zone")
        for attack in each.get("attacks", ()):
            need = NEEDS[attack["kind"]]
            given = str(attack.get(need, ""))
            refer("drills", number, "attacks", given, known[need], need)
