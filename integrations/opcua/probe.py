"""Try what was typed before it is set up: is it this server, and has it the nodes."""

from collections.abc import Mapping
from typing import Any

from asyncua import ua

from integrations.opcua import flow, nodes
from integrations.opcua.session import BATCH, OpcUaError, Session


async def answers(
    options: Mapping[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Return how many nodes of each server answer; raises AuthError, DeviceError.

    The session itself pins the server's certificate before it says who we are.
    """
    found: dict[str, str] = {}
    for said in options["servers"]:
        session = Session(said, secrets)
        try:
            await session.open()
            found[said["id"]] = str(await _read(session, said))
        finally:
            await session.close()
    return found


async def _read(session: Session, said: Mapping[str, Any]) -> int:
    """Read every node of every device once; raises DeviceError for one not there."""
    wanted: list[ua.NodeId] = []
    try:
        for device in said["devices"]:
            space = device.get("namespace", "")
            places = [each["node"] for each in flow.entities(device).values()]
            beat = flow.heartbeat(device)
            places += [beat["node"]] if beat is not None else []
            wanted += [
                nodes.resolve(nodes.parse(place, space), session.namespaces)
                for place in places
            ]
    except nodes.NodeError as missing:
        raise OpcUaError("opcua.no_such_node", str(missing)[:200]) from missing
    for at in range(0, len(wanted), BATCH):
        part = wanted[at : at + BATCH]
        for node, value in zip(part, await session.read(part), strict=True):
            # A bad sensor is there all the same; a node that nobody knows is not.
            code = value.StatusCode.value if value.StatusCode is not None else 0
            if code in _ABSENT:
                raise OpcUaError("opcua.no_such_node", node.to_string()[:200])
    return len(wanted)


_ABSENT = frozenset(
    {
        ua.StatusCodes.BadNodeIdUnknown,
        ua.StatusCodes.BadNodeIdInvalid,
        ua.StatusCodes.BadAttributeIdInvalid,
        ua.StatusCodes.BadNotReadable,
        ua.StatusCodes.BadUserAccessDenied,
    }
)
