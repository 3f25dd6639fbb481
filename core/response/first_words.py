"""The first words: nobody goes in after them without breathing apparatus.

Most who die in confined spaces went in to rescue. In a call for help, a fall or a
gas alarm there, every notice, voice and page says so before anything else.
"""

from typing import Final

from core.api.reading import Value
from core.hub import Hub
from core.permits.interlocks import MARKS

NO_RESCUE: Final = "first.no_rescue"
DRILL: Final = "first.drill"
_KINDS: Final = ("sos", "fall")
#: Classes that those and gas belong to.
ROOTS: Final = (*_KINDS, "gas")


def warns(kind: str) -> bool:
    """Say whether an alarm of a kind tempts people to go in after others."""
    return kind in _KINDS or kind.startswith("gas.")


def confined(hub: Hub, zone_id: str | None) -> bool:
    """Say whether a zone is a confined space."""
    zones = hub.bundle.site.zones if zone_id else ()
    return any(zone.id == zone_id and zone.hazard == "confined" for zone in zones)


def asked(hub: Hub, zone_id: str | None, mark: str = "") -> bool:
    """Say whether a zone is a confined space in which such an alarm stands."""
    if not confined(hub, zone_id):
        return False
    return any(
        alarm.stands and warns(alarm.kind)
        for root in ROOTS
        for alarm in hub.state.alarms.places.of(root, zone_id)
        if alarm.mark not in MARKS or alarm.mark == mark
    )


def given(hub: Hub, params: dict[str, Value], mark: str) -> dict[str, Value]:
    """Return a notice's parameters with the codes that are said first."""
    zone = params.get("zone_id") or params.get("zone")
    codes = [DRILL] if mark == "DRILL" else []
    if isinstance(zone, str) and asked(hub, zone, mark):
        codes.append(NO_RESCUE)
    return {**params, "first": " ".join(codes)} if codes else params
