"""What an integration states of itself: the one thing that core believes of it.

``manifest.yaml`` beside the driver. A host that declares, reports or reaches more
than stands here is refused, whatever its code says (design §5 Security).
"""

import hashlib
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

import msgspec

from core.api.errors import ConfigError
from core.api.model import EntityKind, OutputKind
from core.api.proof import PROOFS, ProofKind
from core.api.said import Said

Ident = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Grade = Literal["bronze", "silver", "gold", "platinum"]
Scale = Literal["S1", "S2", "S3", "S4", "S5"]


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name the integration to people."""

    en: str
    zh: str


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say what the driver reaches; nothing else is within its reach.

    ``from_options`` are dotted paths of options that hold a port, or a map with
    ``port``; ``*`` stands for each item of a list.
    """

    ports: tuple[Port, ...] = ()
    """TCP ports that it connects to."""
    from_options: tuple[Path, ...] = ()
    listens: tuple[Port, ...] = ()
    """TCP ports that it serves."""
    udp: bool = False
    netlink: bool = False
    bluetooth: bool = False


class Devices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say which device files the driver opens."""

    serial: bool = False
    from_options: tuple[Path, ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bound what the driver's process may take; it writes no file at all."""

    memory_mb: Annotated[int, msgspec.Meta(ge=32, le=2048)] = 256
    files: Annotated[int, msgspec.Meta(ge=16, le=1024)] = 128
    devices: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 1000
    entities: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 256
    """Of one device."""


class Usb(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Match a thing on the USB bus; what is empty matches anything."""

    interface: str = ""
    vid: str = ""
    pid: str = ""
    description: str = ""


class Mdns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Match an announced service; ``*`` stands for anything, case does not count."""

    service: Annotated[str, msgspec.Meta(pattern=r"^_[A-Za-z0-9-]{1,40}\._(tcp|udp)$")]
    name: str = ""
    """Its instance's name, as in ``shelly*``; '' matches any."""
    txt: dict[str, str] = {}
    """Key of its text record → value, as in ``gen: "2"``."""


class Discovery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say by which signs the integration's devices are known."""

    mdns: tuple[str | Mdns, ...] = ()
    """Service types such as ``_esphomelib._tcp``, or with name and text record."""
    wsd: tuple[str, ...] = ()
    """Types or scopes of WS-Discovery, as in ``NetworkVideoTransmitter`` or
    ``onvif://www.onvif.org/hardware/*``."""
    ssdp: tuple[str, ...] = ()
    """Device or service types, or ``server:`` and a part of the server's name."""
    ble: tuple[str, ...] = ()
    """Service data or manufacturer ids, as 16-bit hexadecimal or whole UUIDs;
    ``manufacturer:`` before one says that it is no service."""
    mqtt: tuple[str, ...] = ()
    """Topic filters. The first level names the system; a wildcard there, the device."""
    usb: tuple[Usb, ...] = ()
    """``interface: serial`` alone matches every serial adapter."""
    dhcp: tuple[str, ...] = ()
    """Beginnings of hardware addresses, as in ``a8:03:2a``."""
    modbus_scan: bool = False
    """Found by the scan of ``<package>.scan``; a technician starts it."""
    opcua: bool = False
    """Found by asking a server that a technician names."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold a manifest; every field is checked before anything of its code is read."""

    id: Ident
    names: Names
    version: Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+\.\d+$")]
    integration: str
    """``package.module:Class`` of the driver."""
    flow: str
    """``package.module:function`` that returns the form of its options."""
    simulator: str
    """Module that plays the device; ``python -m`` starts it."""
    iot_class: Literal["local_push", "local_polling", "calculated"]
    kinds: tuple[EntityKind, ...]
    outputs: tuple[OutputKind, ...] = ()
    events: tuple[str, ...] = ()
    """Kinds of discrete events (sos, fall, gate); ``*`` for any."""
    requires: tuple[str, ...] = ()
    companion: str = ""
    secrets: tuple[str, ...] = ()
    network: Network = Network()
    devices: Devices = Devices()
    limits: Limits = Limits()
    discovery: Discovery = Discovery()
    worst_case_latency_s: Annotated[float, msgspec.Meta(gt=0, le=600)]
    heartbeat_s: Annotated[float, msgspec.Meta(gt=0, le=3600)]
    fail_safe: Literal["per_output", "none"] = "none"
    proof: tuple[ProofKind, ...] = PROOFS
    """Any one of these proves a device at its enrolment; empty: none is asked."""
    safety_scale: Scale
    grade: Grade = "bronze"


def parse(data: Any, file: str) -> Manifest:
    """Return the manifest of a file's plain data; raises ConfigError."""
    try:
        found: Manifest = msgspec.convert(data, Manifest)
    except msgspec.ValidationError as error:
        raise ConfigError(
            Said("{file}: {error}", file=file, error=error),
            file=file,
            detail=str(error),
        ) from error
    if found.outputs and EntityKind.OUTPUT not in found.kinds:
        wrong = Said("it names outputs; add 'output' to kinds")
        raise ConfigError(
            Said("{file}: {wrong}", file=file, wrong=wrong),
            file=file,
            detail=str(wrong),
        )
    return found


#: What a package of a driver may hold.
MAX_FILES, MAX_BYTES = 2_000, 64 << 20


def digest(folder: Folder) -> str:
    """Return the SHA-256 over a package's files, names and bytes.

    Compiled modules do not count. Raises ConfigError for a folder that is too
    large or that reaches out of itself by a link; OSError.
    """
    found = hashlib.sha256()
    count = size = 0
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if "__pycache__" in name.parts:
            continue
        if file.is_symlink():
            raise ConfigError(
                Said("{file}: a link; put the file itself here", file=file)
            )
        if not file.is_file():
            continue
        data = file.read_bytes()
        count, size = count + 1, size + len(data)
        if count > MAX_FILES or size > MAX_BYTES:
            raise ConfigError(
                Said(
                    "{folder}: more than {max_files} files or 64 MB",
                    folder=folder,
                    max_files=MAX_FILES,
                )
            )
        found.update(f"{name.as_posix()}\0{len(data)}\0".encode() + data)
    return found.hexdigest()
