"""Hold what a host says against its manifest (design §5 Security)."""

from collections.abc import Set

from core.api.model import Device
from core.config import IntegrationConfig
from core.link.messages import DeviceEvent


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
    return ""


def event_breach(config: IntegrationConfig, event: DeviceEvent) -> str:
    """Return the kind of an event that the manifest does not state; '' when it does."""
    contract = config.contract
    if contract is None or "*" in contract.events or event.kind in contract.events:
        return ""
    return f"event:{event.kind[:60]}"
