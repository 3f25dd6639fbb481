"""Commands to outputs and their terminal states."""

import enum

import msgspec


class CommandState(enum.StrEnum):
    """Name where a command stands; the last three are terminal."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    EXPIRED = "expired"


TERMINAL = frozenset(
    {CommandState.CONFIRMED, CommandState.FAILED, CommandState.EXPIRED}
)


#: Priority of a command that prolongs the state an output has, and never changes it:
#: a driver that finds another state leaves it as it is.
KEEP = 9


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Ask one output for one state; confirmed only by the device's read-back.

    ``deadline_ns`` is boot-clock time; ``priority`` 0 is the most urgent.
    """

    id: str
    device_uid: str
    entity_uid: str
    value: bool | float | str
    deadline_ns: int
    priority: int = 0
