"""One host process: ``python -m integrations.runtime --instance ID --module NAME``."""

import asyncio
import gc
import importlib
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.processes import lean  # noqa: F401  (before msgspec)

from core.api import Integration  # isort: skip
from core.processes import heap
from core.processes.child import Control, option, rename
from integrations.runtime import diagnose
from integrations.runtime.host import HostLink
from integrations.runtime.supervise import DriverCrashed, Runner

log = logging.getLogger("integrations.runtime")


def find(module: str) -> type[Integration]:
    """Return the integration's class by its manifest; raises SystemExit.

    Only the line ``integration: package.module:Class`` is read: a host needs no
    YAML for it.
    """
    package = importlib.import_module(module)
    manifest = Path(str(package.__path__[0])) / "manifest.yaml"
    for line in manifest.read_text("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "integration":
            name, _, cls = value.strip().strip("\"'").partition(":")
            found: type[Integration] = getattr(importlib.import_module(name), cls)
            return found
    raise SystemExit(f"{manifest}: no line 'integration: package.module:Class'")


async def serve(
    control: Control,
    make: Callable[[HostLink], Integration],
    missing: tuple[str, ...] = (),
) -> int:
    """Join core and run the integration until the keeper says stop.

    ``missing``: what this kernel could not take from a driver that is not ours.
    """
    host = HostLink(control.clock, control.timer, control.name)
    if missing:
        host.count("unconfined", ", ".join(missing))
    control.listen(lambda _name, lanes, socks: host.client.attach(lanes, socks))
    runner = Runner(host, lambda: make(host))
    host.facts = lambda: _facts(host, runner)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: _show(host, runner))
    stopping = loop.create_task(control.stopping.wait())
    running = loop.create_task(_run(host, runner))
    await asyncio.wait([stopping, running], return_when=asyncio.FIRST_COMPLETED)
    crashed = running.done()
    for task in (stopping, running):
        task.cancel()
    results = await asyncio.gather(stopping, running, return_exceptions=True)
    host.close()
    control.close()
    if crashed:
        log.error("%s: %s", control.name, results[1])
    return 1 if crashed else 0


async def _run(host: HostLink, runner: Runner) -> None:
    await host.welcomed.wait()  # the options come with core's first word
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    heap.gather()
    await runner.run()


def _facts(host: HostLink, runner: Runner) -> dict[str, Any]:
    """Return what the host and its driver tell of themselves."""
    facts: dict[str, Any] = {"host": host.diagnostics()}
    try:
        if runner.integration is not None:
            facts["integration"] = runner.integration.diagnostics()
    except Exception as error:  # noqa: BLE001 - the border to plugins
        host.count("diagnostics_failed", f"{type(error).__name__}: {error}")
    return facts


def _show(host: HostLink, runner: Runner) -> None:
    """Write diagnostics to the log, for support (SIGUSR1)."""
    secrets = dict(host.options.get("secrets", {})).values()
    said = diagnose.answer(_facts(host, runner), secrets).decode()
    log.warning("%s: %s", host.name, said)


def main() -> int:
    """Run one integration as the keeper's child."""
    control = Control.greet()
    rename(control.name)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    missing = _confined(control)
    cls = find(option("--module"))
    return asyncio.run(serve(control, cls, missing))


def _confined(control: Control) -> tuple[str, ...]:
    """Confine the process where the driver is not ours, before it is read."""
    if not option("--code"):
        return ()
    from integrations.runtime import confine

    code = confine.parse(option("--code"))
    missing = confine.confine(code, control.data)
    confine.admit(code)
    return missing


__all__ = ["DriverCrashed", "find", "main", "serve"]

if __name__ == "__main__":
    sys.exit(main())
