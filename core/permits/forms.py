"""Check what was filled into a form by the fields that its kind asks for."""

import math
from collections.abc import Iterable

from core.api.errors import Refused
from core.api.reading import Value
from core.permits.life_events import Given
from core.permits.pack import Field

#: Filled from the permit itself: nobody types them a second time.
OWN = frozenset(
    """
number unit applied_at content place work_unit lead workers guardian grade linked risk
from to entry_log gas_item gas_time gas_name gas_value gas_analyst gas_point gas_part
photo briefing_video process_video
""".split()
)
#: Given as an attachment's name, which the attachment's own record proves.
_TEXTS = ("text", "choice", "person", "location", "signature", "photo", "video")
_LONGEST = 2_000


def check_fields(fields: Iterable[Field], given: dict[str, Given]) -> None:
    """Refuse fields that are unknown, missing, of another type or out of range."""
    known = {each.id: each for each in fields}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Refused("permit.field_unknown", fields=", ".join(unknown))
    for name, field in known.items():
        if name not in given:
            if field.required and name not in OWN and field.type != "signature":
                raise Refused("permit.field_missing", field=name)
            continue
        values = given[name]
        several = values if isinstance(values, tuple) else (values,)
        if len(several) > field.repeats:
            raise Refused("permit.field_many", field=name, at_most=field.repeats)
        for value in several:
            _check(field, value)


def _check(field: Field, value: Value) -> None:
    if field.type in ("number", "device_reading"):
        _number(field, value)
    elif field.type == "checklist":
        if not isinstance(value, bool | str):
            raise Refused("permit.field_value", field=field.id, type=field.type)
    elif field.type == "time":
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise Refused("permit.field_value", field=field.id, type=field.type)
    elif field.type in _TEXTS:
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise Refused("permit.field_value", field=field.id, type=field.type)
        if field.choices and value not in field.choices:
            raise Refused(
                "permit.field_choice", field=field.id, choices=", ".join(field.choices)
            )


def _number(field: Field, value: Value) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
    ):
        raise Refused("permit.field_value", field=field.id, type=field.type)
    low, high = field.low, field.high
    if (low is not None and value < low) or (high is not None and value > high):
        raise Refused(
            "permit.field_range",
            field=field.id,
            low=low,
            high=high,
            unit=field.unit,
        )
