"""The machine's own networks, and which of a device's addresses answers."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import ifaddr

KNOCK_S = 1.0
_MAX_ADDRESSES = 6


class Network(NamedTuple):
    """Hold one address of this machine and the network that it lies in."""

    interface: str
    address: str
    network: ipaddress.IPv4Network


def networks() -> list[Network]:
    """Return this machine's IPv4 networks; its own loopback only when there is none."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                net = ipaddress.IPv4Network(
                    f"{ip.ip}/{ip.network_prefix}", strict=False
                )
                found.append(Network(adapter.name, ip.ip, net))
    outer = [each for each in found if not each.network.is_loopback]
    return outer or found


def near(address: str, known: Iterable[Network]) -> bool:
    """Say whether an address lies in one of the machine's own networks."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.version == 6:
        return ip.is_link_local or ip.is_private
    return any(ip in each.network for each in known)


def ranked(addresses: Sequence[str], known: Sequence[Network]) -> list[str]:
    """Return a device's addresses, those first that this machine is likelier to reach.

    What is no address, and what nobody can be reached at, is left out.
    """
    good: list[tuple[int, str]] = []
    for text in dict.fromkeys(addresses):
        try:
            ip = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue
        if ip.is_unspecified or ip.is_multicast:
            continue
        local = near(text, known)
        rank = 0 if ip.version == 4 and local else 1 if ip.version == 4 else 2
        good.append((rank + 2 * (ip.is_link_local or ip.is_loopback), text))
    return [text for _, text in sorted(good, key=lambda each: each[0])][:_MAX_ADDRESSES]


async def answers(address: str, port: int, limit_s: float = KNOCK_S) -> bool:
    """Say whether something takes connections there; sends no byte."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(address, port)
        writer.close()
        return True
    return False


async def pick(addresses: Sequence[str], port: int) -> str:
    """Return the address that answers, else the likeliest; '' when there is none.

    Only the machine's own networks are knocked at, whatever a device claims.
    """
    known = networks()
    candidates = ranked(addresses, known)
    if len(candidates) < 2 or not port:
        return candidates[0] if candidates else ""
    tries = [a for a in candidates if near(a, known)]
    good = await asyncio.gather(*(answers(address, port) for address in tries))
    for address, well in zip(tries, good, strict=True):
        if well:
            return address
    return candidates[0]
