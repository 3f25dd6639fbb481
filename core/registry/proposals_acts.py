"""Acts on what discovery finds: ignore it, recall it, scan for more, stop."""

from typing import Annotated, Literal

import msgspec

from core.people.acts import Act, Id, Line, act

_ROLES = ("maintainer", "safety_officer")
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=160)]
Keys = Annotated[tuple[Key, ...], msgspec.Meta(max_length=16)]
Unit = Annotated[int, msgspec.Meta(ge=0, le=255)]
Baud = Annotated[int, msgspec.Meta(ge=300, le=4_000_000)]
Parity = Literal["N", "E", "O"]
Target = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ScanKind = Literal["modbus_tcp", "modbus_serial", "opcua"]


@act("discovery.ignore", *_ROLES)
class IgnoreFinding(Act, frozen=True, kw_only=True):
    """Take a finding from the list for good; ``keys`` are all its identities."""

    key: Key
    keys: Keys = ()
    name: Line = ""


@act("discovery.recall", *_ROLES)
class RecallFinding(Act, frozen=True, kw_only=True):
    """Propose again what was ignored."""

    key: Key


@act("discovery.scan", *_ROLES)
class StartScan(Act, frozen=True, kw_only=True):
    """Look for devices where a technician says; it only reads.

    ``target``: addresses (``10.0.0.0/24``, ``10.0.0.5-40``, a host), a serial
    port, or an OPC UA server. ``units``: first and last Modbus unit.
    """

    kind: ScanKind
    target: Target
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    units: tuple[Unit, Unit] | None = None
    bauds: Annotated[tuple[Baud, ...], msgspec.Meta(max_length=8)] = ()
    parities: Annotated[tuple[Parity, ...], msgspec.Meta(max_length=3)] = ()


@act("discovery.stop", *_ROLES)
class StopScan(Act, frozen=True, kw_only=True):
    """End a scan before it has asked everywhere."""

    scan_id: Id
