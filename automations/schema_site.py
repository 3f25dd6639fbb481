"""The shape of a site's configuration (voluptuous, at the edge)."""

from typing import Any

import voluptuous as vol

from automations.alarm_policy import ALARMS
from automations.calendar import CALENDAR, day
from automations.leaving import NEEDS
from automations.retention import RETENTION
from automations.schema_words import (
    channels,
    ident,
    listed,
    minute,
    names,
    number,
    path,
    point,
    polygon,
    roles,
    span,
    words,
)
from core.api.model import OutputKind, wrong_fail_safe


def _fails_safely(output: dict[str, Any]) -> dict[str, Any]:
    """Refuse what would fail unsafe without the hub (design §5 Commands)."""
    fail_safe = output.get("fail_safe", "hold_last")
    wrong = wrong_fail_safe(OutputKind(output["kind"]), fail_safe)
    if wrong:
        raise vol.Invalid(wrong, path=["fail_safe"])
    return output


OUTPUT = vol.All(
    {
        vol.Required("kind"): vol.In([str(kind) for kind in OutputKind]),
        "ex_rated": bool,
        "contact_zone": ident,
        "outside_air": bool,
        "fail_safe": vol.In(("on", "off", "hold_last")),
        "read_back": bool,
        "phrases": [vol.In(("no_rescue", "leave", "drill"))],
    },
    _fails_safely,
)

LIMIT = {
    vol.Required("condition"): ident,
    vol.Required("kind"): str,
    vol.Required("unit"): str,
    vol.Exclusive("above", "side"): number,
    vol.Exclusive("below", "side"): number,
    "priority": vol.All(int, vol.Range(1, 4)),
    "hysteresis": number,
    "sustain": span,
    "life_safety": bool,
    "latching": bool,
    "source": str,
}

QUANTITY = {
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("unit"): str,
    "gas_class": vol.In(("combustible", "toxic", "oxygen", "")),
    "lel_vol": number,
    "molar_mass": number,
    "accept_above": number,
    "accept_below": number,
    "limits": [LIMIT],
}

PERMIT_KIND = {
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("safe_state"): ident,
    "gases": [ident],
    "guardian": bool,
    "valid": span,
    "reaction": span,
    "gas_age": span,
    "retest": {"gases": [ident], "roles": roles},
    "issuer_roles": roles,
    "clause": str,
}

DEVICE = {
    vol.Required("integration"): ident,
    vol.Required("uid"): str,
    "zone": ident,
    "person": ident,
    "name": str,
    "critical": words,
    "max_age": span,
    "lost": span,
    "limits": {str: [LIMIT]},
    "outputs": {str: OUTPUT},
    "evidence": bool,
    "bump_every": span,
    "proof_every": {str: span},
    "calibrate_every": span,
    "carried": bool,
    "rack": str,
}

PLACES = {
    "methods": [vol.In(("uwb", "gate", "nfc", "qr", "ble", "gnss"))],
    "nfc": [str],
    "ble": [str],
}

GEO = {
    vol.Required("lat"): vol.All(number, vol.Range(-90, 90)),
    vol.Required("lon"): vol.All(number, vol.Range(-180, 180)),
    "bearing": vol.All(number, vol.Range(0, 360)),
}

HAZARD = {
    vol.Required("id"): ident,
    vol.Required("kind"): ident,
    vol.Required("level"): ident,
    "polygon": polygon,
    "at": point,
    "radius": number,
    "line": path,
    "width": number,
    "low": number,
    "high": number,
}

SCOPE = {
    "neighbours": bool,
    "zones": [ident],
    "levels": vol.In(("none", "below", "above", "both", "gas")),
}

DRILL = {
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("zones"): vol.All([ident], vol.Length(min=1, msg="name a zone")),
    "every": span,
    "target_within": span,
    "target_share": vol.All(number, vol.Range(1, 100)),
    "attacks": [
        {
            vol.Required("kind"): vol.In(tuple(NEEDS)),
            "at": span,
            "person": ident,
            "muster": ident,
            "zone": ident,
            "alarm": str,
        }
    ],
}

_HOURS: dict[Any, Any] = {vol.Required("from"): minute, vol.Required("to"): minute}

SHIFT = {
    **_HOURS,
    vol.Required("id"): ident,
    vol.Required("names"): names,
    vol.Required("people"): [ident],
    "days": [vol.In(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))],
    "rota": {
        vol.Required("from"): day,
        vol.Required("days"): vol.All(int, vol.Range(1, 60)),
        vol.Required("on"): [vol.All(int, vol.Range(0, 59))],
    },
}

NOTICES = {
    "link": vol.Match(r"^https?://[^\s/]+$", msg="write for example https://hub:8443"),
    "quiet": [_HOURS],
    "may_wait": [str],
    "channels": listed(
        {
            vol.Required("id"): ident,
            vol.Required("names"): names,
            "rate": vol.All(int, vol.Range(1, 10_000)),
            "per": span,
        }
    ),
    "regulators": listed(
        {
            vol.Required("id"): ident,
            vol.Required("names"): names,
            vol.Required("channels"): vol.All(
                [ident], vol.Length(min=1, msg="name at least one of the channels")
            ),
        }
    ),
    "report_within": span,
    "modem": {vol.Required("port"): str, "baud": vol.All(int, vol.Range(1200))},
}

_MODES = ("off", "shadow", "advise", "enforce")

SITE = vol.Schema(
    {
        vol.Required("site"): {
            vol.Required("id"): ident,
            vol.Required("names"): names,
            "time_zone": str,
            "language": vol.In(("zh", "en")),
            "evacuate_within": span,
            "geo": GEO,
            "leave": SCOPE,
            "clear_after": span,
        },
        "alarms": ALARMS,
        "retention": RETENTION,
        "calendar": CALENDAR,
        "levels": listed(
            {vol.Required("id"): ident, vol.Required("names"): names, "z": number}
        ),
        "zones": listed(
            {
                vol.Required("id"): ident,
                vol.Required("names"): names,
                vol.Required("level"): ident,
                vol.Required("polygon"): polygon,
                "hazard": vol.In(("general", "confined", "height", "lifting", "hot")),
                "neighbours": [ident],
                "upstream": [ident],
                "places": PLACES,
                "leave": SCOPE,
            }
        ),
        "muster_points": listed(
            {
                vol.Required("id"): ident,
                vol.Required("names"): names,
                vol.Required("level"): ident,
                vol.Required("at"): point,
                "zone": ident,
            }
        ),
        "hazards": listed(HAZARD),
        "drills": listed(DRILL),
        "people": listed(
            {
                vol.Required("id"): ident,
                vol.Required("name"): str,
                vol.Required("roles"): roles,
                "company": str,
                "tags": [str],
                "contacts": channels,
            }
        ),
        "quantities": listed(QUANTITY),
        "permit_packs": [ident],
        "pack_overlays": [str],
        "permit_kinds": listed(PERMIT_KIND),
        "devices": [DEVICE],
        "integrations": listed(
            {
                vol.Required("id"): ident,
                vol.Required("integration"): ident,
                "options": dict,
                "secrets": [str],
            }
        ),
        "notify": listed(
            {
                vol.Required("id"): ident,
                vol.Required("steps"): vol.All(
                    [
                        {
                            vol.Required("roles"): roles,
                            "channels": words,
                            "respond_within": span,
                            "on_shift": bool,
                        }
                    ],
                    vol.Length(min=1, msg="a chain needs at least one step"),
                ),
            }
        ),
        "shifts": listed(SHIFT),
        "notices": NOTICES,
        "publishers": listed(
            {
                vol.Required("id"): vol.All(ident, vol.NotIn(("safehold",))),
                vol.Required("key"): vol.Match(
                    r"^[0-9a-f]{64}$", msg="expected an Ed25519 public key in hex"
                ),
            }
        ),
        "automations": listed(
            {
                vol.Required("id"): ident,
                "blueprint": ident,
                "input": dict,
                "mode": vol.In(_MODES),
                "modes": {ident: vol.In(_MODES)},
                "rule": dict,
            }
        ),
    },
)
