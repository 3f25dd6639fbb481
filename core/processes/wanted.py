"""Which processes an armed bundle asks the keeper for."""

import hashlib
from pathlib import Path

import msgspec

from core.config import Bundle, IntegrationConfig
from core.processes.spec import BOTH, Spec

#: Measures what works at once; it steps back by itself, and starts on first use.
_GEOMETRY = Spec("geometry", ("-m", "core.geometry.worker"))


def wanted(bundle: Bundle, data: Path) -> list[Spec]:
    """Return one host per integration and its companions, and the workers needed.

    ``{data}`` in a companion's arguments stands for the hub's data folder.
    """
    specs: list[Spec] = []
    if any(pack.distances for pack in bundle.packs):
        specs.append(_GEOMETRY)
    for each in bundle.integrations:
        stamp = _stamp(each)
        for number, companion in enumerate(each.companions):
            args = [arg.replace("{data}", str(data)) for arg in companion]
            specs.append(
                Spec(
                    f"companion:{each.id}:{number}",
                    ("-m", *args),
                    speaks=False,
                    lanes=(),
                    stamp=stamp,
                )
            )
        specs.append(_host(each, stamp))
    return specs


def _host(each: IntegrationConfig, stamp: str) -> Spec:
    name, code = each.integration, each.code
    # A name with a dot is a package of its own: so the tests' integrations are.
    module = name if "." in name else f"integrations.{name}"
    if code is not None:
        module = code.module
    args = ["-m", "integrations.runtime", "--instance", each.id, "--module", module]
    if code is not None:
        args += ["--code", msgspec.json.encode(code).decode()]
    # Whoever wrote it: what protects goes first on the processor.
    foreign = code is not None
    return Spec(f"host:{each.id}", tuple(args), lanes=BOTH, stamp=stamp, yields=foreign)


def _stamp(each: IntegrationConfig) -> str:
    """Return what changes when the configuration of a host does."""
    encoded = msgspec.msgpack.encode(each, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:16]
