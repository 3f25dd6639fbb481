"""What a site declares of its alarms: suppression by design, weights of risk."""

import msgspec

from core.names import Names


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Name a condition under which alarms are expected: a reading or another alarm."""

    integration: str = ""
    uid: str = ""
    entity: str = ""
    on: bool | None = None
    above: float | None = None
    below: float | None = None
    alarm: str = ""
    """Kind of an alarm that stands in the same zone, or anywhere where it has none."""


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """Declare which alarms call nobody under which cause (ISA-18.2); never gas, SOS."""

    id: str
    names: Names
    cause: Cause
    kinds: tuple[str, ...]
    zones: tuple[str, ...] = ()
    """Empty: all zones."""
    uids: tuple[str, ...] = ()
    """Device uids (``*`` ends a prefix); empty: every source."""


class AlarmPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a site declares of its alarms."""

    suppress: tuple[Suppression, ...] = ()
    risk: dict[str, float] = {}
    """Input of the zones' risk index → weight that replaces the shipped one."""
