"""Look at a server before it is enrolled: its endpoints, then its variables.

    python -m integrations.opcua.browse opc.tcp://192.0.2.7:4840/plc

Prints JSON: each endpoint's policy and the fingerprint of its certificate, and where
the server lets anybody look, the variables in the words of a device's map. It only
reads. Compare a fingerprint with what the server itself shows before it is trusted.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from asyncua import Client, ua
from cryptography import x509

from core.api import DeviceError
from integrations.opcua import nodes
from integrations.opcua.identity import fingerprint, first_of
from integrations.opcua.session import BROKEN

TIMEOUT_S, DEADLINE_S = 3.0, 30.0
MAX_NODES, MAX_DEPTH, MAX_CHILDREN = 2_000, 12, 500
MAX_TEXT = 200


class Endpoint(NamedTuple):
    """Hold one way to a server."""

    application_uri: str
    name: str
    policy: str
    mode: str
    fingerprint: str
    subject: str
    tokens: tuple[str, ...]


class Variable(NamedTuple):
    """Hold one variable in the words of a map."""

    node: str
    path: str
    type: str
    unit: str
    writable: bool


async def endpoints(url: str, deadline_s: float = DEADLINE_S) -> list[Endpoint]:
    """Ask a server how it may be spoken to; raises DeviceError."""
    try:
        async with asyncio.timeout(deadline_s):
            client = Client(url, timeout=TIMEOUT_S)
            found = await client.connect_and_get_server_endpoints()
            return [_endpoint(each) for each in found[:100]]
    except BROKEN as failure:
        raise DeviceError(f"{url}: {failure!r}", reason="opcua.link_down") from failure


def _endpoint(said: ua.EndpointDescription) -> Endpoint:
    certificate = first_of(said.ServerCertificate or b"")
    subject = ""
    if certificate:
        subject = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    policy = (said.SecurityPolicyUri or "").rpartition("#")[2].lower()
    tokens = {each.TokenType.name for each in said.UserIdentityTokens}
    return Endpoint(
        application_uri=_short(said.Server.ApplicationUri),
        name=_short(said.Server.ApplicationName.Text),
        policy=_short(policy),
        mode=said.SecurityMode.name,
        fingerprint=fingerprint(certificate) if certificate else "",
        subject=_short(subject),
        tokens=tuple(sorted(tokens)),
    )


async def variables(url: str, most: int = MAX_NODES) -> list[Variable]:
    """Browse what anybody may see, at most ``most`` variables; raises DeviceError."""
    client = Client(url, timeout=TIMEOUT_S)
    found: list[Variable] = []
    try:
        async with asyncio.timeout(DEADLINE_S), client:
            spaces = await client.get_namespace_array()
            async for variable in _walk(client, list(spaces)):
                found.append(variable)
                if len(found) >= most:
                    break
    except BROKEN as failure:
        raise DeviceError(f"{url}: {failure!r}", reason="opcua.link_down") from failure
    return found


async def _walk(client: Client, spaces: list[str]) -> AsyncIterator[Variable]:
    """Go through the objects, breadth first; the standard's own are left out."""
    queue: list[tuple[Any, str, int]] = [(client.nodes.objects, "", 0)]
    seen: set[Any] = set()
    while queue and len(seen) < 4 * MAX_NODES:
        node, path, depth = queue.pop(0)
        children = await node.get_children_descriptions()
        for child in children[:MAX_CHILDREN]:
            ident = child.NodeId
            if ident in seen or ident.NamespaceIndex == 0:
                continue
            seen.add(ident)
            where = f"{path}/{_short(child.BrowseName.Name)}"[-MAX_TEXT:]
            below = client.get_node(ident)
            if child.NodeClass == ua.NodeClass.Variable:
                yield await _variable(below, ident, where, spaces)
            elif depth < MAX_DEPTH:
                queue.append((below, where, depth + 1))


async def _variable(
    node: Any, ident: ua.NodeId, path: str, spaces: list[str]
) -> Variable:
    access = ua.AccessLevel.CurrentWrite in await node.get_user_access_level()
    try:
        kind = (await node.read_data_type_as_variant_type()).name
    except BROKEN:
        kind = "?"
    unit = ""
    for held in await node.get_properties():
        if (await held.read_browse_name()).Name == "EngineeringUnits":
            told = await held.read_value()
            unit = _short(getattr(getattr(told, "DisplayName", None), "Text", ""))
    return Variable(nodes.name(ident, spaces), path, kind, unit, access)


def _short(text: object) -> str:
    return text[:MAX_TEXT] if isinstance(text, str) else ""


async def _look(url: str) -> dict[str, Any]:
    found = await endpoints(url)
    told: dict[str, Any] = {"endpoints": [each._asdict() for each in found]}
    if any(each.policy == "none" and "Anonymous" in each.tokens for each in found):
        told["variables"] = [each._asdict() for each in await variables(url)]
    return told


def main() -> int:
    """Print what a server shows."""
    parser = argparse.ArgumentParser(prog="integrations.opcua.browse")
    parser.add_argument("url", help="opc.tcp://host:port/path")
    try:
        told = asyncio.run(_look(parser.parse_args().url))
    except DeviceError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
