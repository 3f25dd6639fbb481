"""What may switch in a combustible cloud (design §5 Commands; requirement 1.15)."""

from core.api.model import Output, OutputKind
from core.hub import Hub

#: Outputs whose ON protects: only a named person switches them off.
PROTECTIVE_OUTPUTS = frozenset(OutputKind) - {OutputKind.LAMP, OutputKind.RECORDER}
_MARKS = ("TEST", "DRILL")


def clouds(hub: Hub) -> set[str | None]:
    """Return the zones whose combustible alarm stands; None: place unknown.

    A catalytic bead reads low again in rich gas, so a latched one counts.

    Gas counts by its class alone: hydrogen sulphide alarms as toxic, even where
    it would burn, unless its combustible limit is declared too.
    """
    return {
        alarm.zone_id
        for alarm in hub.state.alarms.places.of("gas.combustible")
        if alarm.stands and alarm.mark not in _MARKS
    }


def withheld(
    output: Output, zone_id: str | None, on: bool, cloud: set[str | None]
) -> str | None:
    """Return why an output must not be switched now, or None when it may.

    ``zone_id`` is the zone that the output serves. A cloud at an unknown place
    is everywhere.
    """
    everywhere = None in cloud
    in_alarm = everywhere or zone_id in cloud or output.contact_zone in cloud
    # Asking for a record of what a camera sees switches nothing.
    if not in_alarm or output.ex_rated or output.kind is OutputKind.RECORDER:
        return None
    if output.contact_zone is None:
        return "ex.contact_undeclared"
    if everywhere or output.contact_zone in cloud:
        return "ex.contact_inside"
    if output.kind is OutputKind.FAN and on and not output.outside_air:
        return "ex.fan_inside"
    return None
