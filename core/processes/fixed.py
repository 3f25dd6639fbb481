"""The children that every hub has, whatever its configuration."""

import importlib.util
import os
from collections.abc import Iterator

from core.processes.control import Packet
from core.processes.spec import BOTH, CORE, Spec

_ARCHIVE = Spec(
    "archive", ("-m", "core.processes.archive"), lanes=BOTH, early=False, yields=True
)
_GATEWAY = Spec("gateway", ("-m", "frontend_api"), early=False, yields=True)
_NOTIFIER = Spec("notifier", ("-m", "core.processes.notifier"), early=False)
#: It listens to the site's networks and buses; without it nothing is lost.
_DISCOVERY = Spec(
    "discovery", ("-m", "integrations.runtime.discovery"), early=False, yields=True
)
_UPLINK = Spec("uplink", ("-m", "core.processes.uplink"), early=False, yields=True)
#: Nothing leaves a site that has no such file in its data folder.
UPLINK_SETTINGS = os.path.join("exchange", "settings.yaml")


def core_spec() -> Spec:
    """Return how the safety process is started."""
    return Spec(CORE, ("-m", "core.processes.safety"), lanes=())


def fixed_children(options: Packet) -> Iterator[Spec]:
    """Yield the fixed children that are installed and not left out.

    ``options``: without (names), gateway (arguments), config (folder to publish).
    """
    config = options.get("config", "")
    if config:
        yield _publish(config, options["data"])
    gateway = _GATEWAY._replace(args=(*_GATEWAY.args, *options.get("gateway", ())))
    found = [_ARCHIVE, gateway, _NOTIFIER, _DISCOVERY]
    data = options.get("data", "")
    if data and os.path.exists(os.path.join(data, UPLINK_SETTINGS)):
        found.append(_UPLINK)
    for spec in found:
        left_out = spec.name in options.get("without", ())
        if not left_out and _installed(spec.args[1]):
            yield spec


def _publish(config: str, data: str) -> Spec:
    args = ("publish", config, "--data", data, "--wait", "60")
    return Spec("publish", ("-m", "core.cli", *args), speaks=False, lanes=(), once=True)


def _installed(module: str) -> bool:
    try:
        found = importlib.util.find_spec(module)
        if found is not None and found.submodule_search_locations is not None:
            found = importlib.util.find_spec(f"{module}.__main__")
    except ModuleNotFoundError:
        return False
    return found is not None
