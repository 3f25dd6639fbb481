"""Try what was typed before it is set up: is it this node, and does the key fit."""

from collections.abc import Mapping
from typing import Any

from integrations.esphome.link import NodeError, client_of, closed, opened, secret_of
from integrations.esphome.points import arrange


async def answers(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Return each node's model and number of entities; raises AuthError, DeviceError.

    The key itself is never sent: the handshake proves it on both sides.
    """
    found = {}
    for said in options["nodes"]:
        key = secret_of(said, secrets)
        client = client_of(said, key)
        try:
            info, infos = await opened(client, said, key)
        finally:
            await closed(client)
        points = arrange(infos, said).points
        missing = sorted(said["entities"].keys() - points.keys())
        if missing:
            raise NodeError("esphome.no_such_entity", ", ".join(missing)[:200])
        model = info.model or info.name or said["mac"]
        found[said["mac"]] = f"{model[:120]} ({len(points)})"
    return found
