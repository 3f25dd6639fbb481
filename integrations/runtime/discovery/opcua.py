"""Ask an OPC UA server that a technician names who it is; it logs in nowhere."""

import asyncio
import hashlib
import logging
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client, ua

from core.api.errors import Refused
from core.api.identity import key
from core.link.findings import Sign
from integrations.runtime.discovery.match import Signs
from integrations.runtime.discovery.sighting import Sighting, clean, clean_facts

PORT, ASK_S = 4840, 5.0
_MAX_ENDPOINTS = 40
#: The strongest first.
_BEST = ("aes256_sha256_rsapss", "aes128_sha256_rsaoaep", "basic256sha256")
_MODES = {1: "none", 2: "sign", 3: "encrypt"}

logging.getLogger("asyncua").setLevel(logging.CRITICAL)


async def ask(host: str, port: int, signs: Signs) -> list[Sighting]:
    """Return the servers that one place knows of; raises Refused when it is silent."""
    url = f"opc.tcp://{host}:{port}/"
    client = Client(url, timeout=ASK_S)
    try:
        async with asyncio.timeout(2 * ASK_S):
            endpoints = await client.connect_and_get_server_endpoints()
    except (OSError, TimeoutError, ValueError, ua.UaError) as error:
        why = str(error) or type(error).__name__
        raise Refused("discovery.unreachable", target=url, why=why[:120]) from error
    return sightings_of(list(endpoints or ())[:_MAX_ENDPOINTS], host, port, signs)


def sightings_of(
    endpoints: list[Any], host: str, port: int, signs: Signs
) -> list[Sighting]:
    """Return a sighting per application; the address is the one that was asked.

    What a server calls its own address is often a name that nobody resolves.
    """
    found: dict[str, list[Any]] = {}
    for each in endpoints:
        found.setdefault(clean(each.Server.ApplicationUri or ""), []).append(each)
    return [_sighting(uri, those, host, port, signs) for uri, those in found.items()]


def _sighting(
    uri: str, endpoints: list[Any], host: str, port: int, signs: Signs
) -> Sighting:
    server = endpoints[0].Server
    policies = {_policy(each) for each in endpoints}
    tokens = {
        str(token.TokenType.name).lower()
        for each in endpoints
        for token in each.UserIdentityTokens or ()
    }
    facts = {
        "application_uri": uri,
        "product": str(server.ProductUri or ""),
        "url": str(endpoints[0].EndpointUrl or ""),
        "policy": next((p for p in _BEST if f"{p}:encrypt" in policies), "none"),
        "policies": " ".join(sorted(policies)),
        "logins": " ".join(sorted(tokens)),
        "path": urlsplit(str(endpoints[0].EndpointUrl or "")).path,
        "fingerprint": _fingerprint(endpoints),
    }
    sign = Sign("discovery.why.opcua", {"url": f"{host}:{port}", "uri": uri})
    return Sighting(
        source=f"opcua:{host}:{port}:{uri}",
        kind="opcua",
        slot=f"opcua:{port}",
        name=clean(str(server.ApplicationName.Text or "")),
        address=host,
        port=port,
        keys=(key("uri", uri) or key("opcua", f"{host}:{port}"),),
        facts=clean_facts(facts),
        matches=signs.asked("opcua", sign),
    )


def _fingerprint(endpoints: list[Any]) -> str:
    """Return the certificate's SHA-256, for people to compare."""
    found = [each.ServerCertificate for each in endpoints if each.ServerCertificate]
    return hashlib.sha256(found[0]).hexdigest() if found else ""


def _policy(endpoint: Any) -> str:
    name = str(endpoint.SecurityPolicyUri or "").rpartition("#")[2].lower()
    return f"{clean(name, 40)}:{_MODES.get(int(endpoint.SecurityMode), '?')}"
