"""What a host is: its configuration, its code, and the contract it is held to."""

from collections.abc import Set

import msgspec

from core.api.model import Device, EntityKind, OutputKind, wrong_fail_safe
from core.api.proof import ProofKind


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what an integration's manifest states; core refuses what goes beyond."""

    kinds: tuple[EntityKind, ...]
    outputs: tuple[OutputKind, ...] = ()
    """Empty: of any kind."""
    events: tuple[str, ...] = ()
    proof: tuple[ProofKind, ...] = ()
    """Of these one is demanded of who enrols a device; empty: none is."""
    devices: int = 1000
    entities: int = 256


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """Pin the code of an integration that is not ours, and what it may reach."""

    module: str
    folder: str
    """Its package's folder."""
    digest: str
    """SHA-256 over its files; a host that finds another does not start."""
    connect: tuple[int, ...] = ()
    listens: tuple[int, ...] = ()
    devices: tuple[str, ...] = ()
    """Device files."""
    udp: bool = False
    netlink: bool = False
    bluetooth: bool = False
    memory_mb: int = 256
    files: int = 128


class IntegrationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Configure one host process; secrets are named, never held here."""

    id: str
    integration: str
    options: dict[str, object] = {}
    secrets: tuple[str, ...] = ()
    companions: tuple[tuple[str, ...], ...] = ()
    """Python module and arguments of helper processes, such as the site broker."""
    contract: Contract | None = None
    """None only where no manifest is: in tests of the kernel."""
    code: Code | None = None
    """None for the integrations that come with the hub."""
    made: str = ""
    """'' by the site's files, hub: at the hub itself, which files leave alone."""


def device_breach(config: IntegrationConfig, device: Device, known: Set[str]) -> str:
    """Return what of a device the manifest does not state; '' when all is.

    ``known``: uids that the host has declared so far.
    """
    contract = config.contract
    if contract is None:
        return ""
    if device.uid not in known and len(known) >= contract.devices:
        return f"devices>{contract.devices}"
    if len(device.entities) > contract.entities:
        return f"entities>{contract.entities}"
    for entity in device.entities:
        if entity.kind not in contract.kinds:
            return f"kind:{entity.kind}"
        output = entity.output
        if (
            output is not None
            and contract.outputs
            and output.kind not in contract.outputs
        ):
            return f"output:{output.kind}"
        if output is not None and wrong_fail_safe(output.kind, output.fail_safe):
            return f"fail_safe:{entity.uid}:{output.kind}={output.fail_safe}"
    return ""


def event_breach(config: IntegrationConfig, kind: str) -> str:
    """Return the kind of an event that the manifest does not state; '' when it does."""
    contract = config.contract
    if contract is None or "*" in contract.events or kind in contract.events:
        return ""
    return f"event:{kind[:60]}"
