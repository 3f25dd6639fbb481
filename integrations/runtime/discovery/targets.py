"""The places that a technician names for a scan, checked and bounded."""

import ipaddress
import re

from core.api.errors import Refused

#: A /22: more would take long and tell little.
MAX_ADDRESSES = 1_024
_RANGE = re.compile(r"(\d+\.\d+\.\d+\.)(\d+)-(\d+)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_PLACE = re.compile(r"(?:opc\.tcp://)?([^/:\s]+)(?::(\d{1,5}))?(?:/\S*)?")


def addresses(target: str) -> list[str]:
    """Return the IPv4 addresses of ``10.0.0.0/24``, ``10.0.0.5-40`` or one of them.

    Raises Refused: no such form, too many, or not of a local network.
    """
    try:
        found = _addresses(target.strip())
    except ValueError as error:
        raise Refused("discovery.bad_target", target=target, why=str(error)) from error
    if not all(_local(each) for each in (found[0], found[-1])):
        raise Refused("discovery.not_private", target=target)
    return [str(each) for each in found]


def _addresses(target: str) -> list[ipaddress.IPv4Address]:
    span = _RANGE.fullmatch(target)
    if span is not None:
        low, high = int(span.group(2)), int(span.group(3))
        if not low <= high <= 255:
            raise ValueError("the range runs backwards or beyond 255")
        return [
            ipaddress.IPv4Address(f"{span.group(1)}{n}") for n in range(low, high + 1)
        ]
    network = ipaddress.IPv4Network(target, strict=False)
    if network.num_addresses > MAX_ADDRESSES:
        raise Refused(
            "discovery.too_wide",
            target=target,
            count=network.num_addresses,
            most=MAX_ADDRESSES,
        )
    return list(network.hosts())


def _local(address: ipaddress.IPv4Address) -> bool:
    return address.is_private or address.is_link_local or address.is_loopback


def place(target: str, port: int) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or an ``opc.tcp`` URL.

    Raises Refused.
    """
    found = _PLACE.fullmatch(target.strip())
    if found is None or not _HOST.fullmatch(found.group(1)):
        raise Refused("discovery.bad_target", target=target, why="host:port")
    number = int(found.group(2) or port)
    if not 0 < number < 1 << 16:
        raise Refused("discovery.bad_target", target=target, why="1-65535")
    return found.group(1), number
