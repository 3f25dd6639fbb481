"""All that a plugin may import from the hub."""

from core.api.command import KEEP, TERMINAL, Command, CommandState
from core.api.errors import AuthError, ConfigError, DeviceError, Refused, SafeholdError
from core.api.integration import Host, Integration
from core.api.model import (
    Device,
    Entity,
    EntityKind,
    Output,
    OutputKind,
    wrong_fail_safe,
)
from core.api.proof import fingerprint
from core.api.quality import NEVER_ACTS, Quality
from core.api.reading import Reading, Value

__all__ = [
    "KEEP",
    "NEVER_ACTS",
    "TERMINAL",
    "AuthError",
    "Command",
    "CommandState",
    "ConfigError",
    "Device",
    "DeviceError",
    "Entity",
    "EntityKind",
    "Host",
    "Integration",
    "Output",
    "OutputKind",
    "Quality",
    "Reading",
    "Refused",
    "SafeholdError",
    "Value",
    "fingerprint",
    "wrong_fail_safe",
]
