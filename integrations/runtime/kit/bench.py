"""One run's bench: simulator, host process and kernel put together."""

import asyncio
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.api.errors import ConfigError
from core.api.manifest import digest
from core.api.packages import Package
from core.clock import RealClock
from core.config import Code, Contract, IntegrationConfig
from integrations.runtime.kit import paths, wire
from integrations.runtime.kit.process import HostProcess, Simulator
from integrations.runtime.kit.result import Broken
from integrations.runtime.kit.schema import Conformance
from integrations.runtime.kit.side import PEER, Side
from integrations.runtime.kit.witness import Lag, Watched, until

LINK_S = 15.0
#: A simulator may have so long to come up: a process's start is not the device's.
PROCESS_S = 60.0


class Bench:
    """Own what runs; hand the checks what they look at."""

    def __init__(
        self, package: Package, contract: Conformance, folder: Path, site: Path | None
    ) -> None:
        self.package, self.contract, self.folder = package, contract, folder
        self.manifest = package.manifest
        self.clock = RealClock()
        self.side = Side(self.clock)
        self.wires = wire.Wires()
        self.watched: list[Watched] = []
        self.lag = Lag()
        self.options: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        """The simulator's own options, without a proxy."""
        self.secrets: dict[str, str] = {}
        self.latency: float | None = None
        """Seconds from the device to the hub, at worst; None: not measured."""
        self.command_latency: float | None = None
        self.bad_input: dict[str, int] = {}
        """Fault → how much bad input the driver counted under it."""
        self._site = site
        self._tasks: list[asyncio.Task[None]] = []
        self.simulator = Simulator(self.manifest.simulator, self.folder, self._site)
        self.host = HostProcess(PEER, self.folder, self.clock)

    async def __aenter__(self) -> "Bench":
        self.side.start()
        self._tasks.append(asyncio.get_running_loop().create_task(self.lag.run()))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.side.stop()

    # --- the simulator --------------------------------------------------------

    async def simulate(self) -> None:
        """Start the simulator and take the options that reach it; raises Broken."""
        contract = self.contract
        given: dict[str, Any] = dict(contract.options)
        if contract.secrets:
            given["secrets"] = dict(contract.secrets)
        await self.simulator.start(given, max(contract.start_s, PROCESS_S))
        told = self.simulator.ready.get("options")
        if not isinstance(told, dict):
            raise Broken("its ready line has no 'options' for the driver")
        self.secrets = {**contract.secrets, **self.simulator.ready.get("secrets", {})}
        self._told = {k: v for k, v in told.items() if k != "secrets"}
        self.secrets |= told.get("secrets", {})
        await self._wire()

    async def _wire(self) -> None:
        """Put a proxy before every place that conformance.yaml names."""
        self.options = self._told
        for path in self.contract.proxy:
            change = await self.wires.through(paths.found(self.options, path))
            self.options = paths.replaced(self.options, path, change)

    async def move(self) -> None:
        """Give the device another address: by the proxy, or else by a fresh start."""
        if self.wires:
            await self.wires.close()
            await self._wire()
            return
        await self.simulator.stop()
        await self.simulate()

    async def give(self, watched: Watched, value: Any, expect: Any) -> None:
        """Give the simulator another value; raises Broken."""
        point = watched.point
        watched.want(expect)
        name = point.as_entity or point.entity
        await self.simulator.must(device=point.device, set={name: value})

    async def act(self, what: str) -> None:
        """Let the simulator, or else the wire, drop, stop or start."""
        error = await self.simulator.tell(do=what)
        if not error:
            return
        if not self.wires:
            raise Broken(f"the simulator cannot {what} ({error}); add 'proxy:'")
        await self.wires.act(what)

    async def fault(self, device: str, name: str, value: Any) -> None:
        """Let one device, or else the wire, have a fault; raises Broken."""
        error = await self.simulator.tell(device=device, fault={name: value})
        if not error:
            return
        if not self.wires or name not in wire.FAULTS:
            raise Broken(f"the simulator does not know it: {error}")
        self.wires.fault(name, value)

    async def mend(self, devices: Iterable[str]) -> None:
        """Clear every fault; raises Broken."""
        self.wires.fault("", None)
        for uid in devices:
            error = await self.simulator.tell(device=uid, fault={})
            if error and not self.wires:
                raise Broken(f"the simulator cannot clear a fault: {error}")

    # --- the host -------------------------------------------------------------

    async def join(
        self,
        options: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """Start a fresh host process with these options; raises Broken."""
        options = self.options if options is None else options
        secrets = self.secrets if secrets is None else secrets
        checked, held, code = self._configured(dict(options), secrets)
        self.side.configure(checked, held)
        before = self.side.welcomed
        self.host = HostProcess(PEER, self.folder, self.clock)
        self.host.start(self.package.module, code)
        self.side.attach(self.host.link())
        await until(
            lambda: self.side.welcomed > before,
            LINK_S,
            lambda: "the host process does not come up",
        )

    def _configured(
        self, options: dict[str, Any], secrets: Mapping[str, str]
    ) -> tuple[IntegrationConfig, Mapping[str, str], Code | None]:
        manifest = self.manifest
        checked = form(self.package)(options)
        code = None if self.package.ours else _code(self.package, checked)
        limits = manifest.limits
        held = IntegrationConfig(
            id="kit",
            integration=manifest.id,
            options=checked,
            secrets=tuple(secrets),
            contract=Contract(
                kinds=manifest.kinds,
                outputs=manifest.outputs,
                events=manifest.events,
                devices=limits.devices,
                entities=limits.entities,
            ),
            code=code,
        )
        return held, secrets, code

    async def leave(self) -> None:
        """End the host process."""
        await self.host.stop()
        await until(
            lambda: not self.side.attached, LINK_S, lambda: "its link does not end"
        )

    async def end(self) -> None:
        """End host, simulator and proxies; idempotent."""
        await self.host.stop()
        await self.simulator.stop()
        await self.wires.close()

    async def counters(self) -> dict[str, int]:
        """Return the host's counters of bad input; raises Broken."""
        facts = await self.facts()
        found: dict[str, int] = facts.get("host", {}).get("counters", {})
        return found

    async def facts(self) -> dict[str, Any]:
        """Return the host's diagnostics; raises Broken."""
        answer = await self.side.diagnose()
        if answer.error:
            raise Broken(f"no diagnostics: {answer.error}")
        found: dict[str, Any] = json.loads(answer.facts)
        return found


def form(package: Package) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what checks options by the integration's own form."""
    module, _, name = package.manifest.flow.partition(":")
    schema: Callable[[], Any] = getattr(importlib.import_module(module), name)

    def check(options: dict[str, Any]) -> dict[str, Any]:
        try:
            checked: dict[str, Any] = schema()(options)
        except Exception as error:
            raise Broken(
                f"the form refuses the simulator's options: {error}"
            ) from error
        return checked

    return check


def _code(package: Package, options: dict[str, Any]) -> Code:
    """Pin the code and its reach, as publishing does."""
    manifest, network = package.manifest, package.manifest.network
    ports = set(network.ports)
    for path in network.from_options:
        for value in paths.found(options, path):
            port = value.get("port") if isinstance(value, dict) else value
            if isinstance(port, int) and 0 < port < 1 << 16:
                ports.add(port)
    devices = [
        each
        for path in manifest.devices.from_options
        for each in paths.found(options, path)
        if isinstance(each, str) and each.startswith("/dev/")
    ]
    try:
        pinned = digest(package.folder)
    except ConfigError as error:
        raise Broken(str(error)) from error
    return Code(
        module=package.module,
        folder=str(package.folder),
        digest=pinned,
        connect=tuple(sorted(ports)),
        listens=network.listens,
        devices=tuple(devices),
        udp=network.udp,
        netlink=network.netlink,
        bluetooth=network.bluetooth,
        memory_mb=manifest.limits.memory_mb,
        files=manifest.limits.files,
    )


@contextmanager
def importable(site: Path | None) -> Iterator[None]:
    """Let a site's own packages be imported, in this process of the kit alone."""
    import sys

    if site is None:
        yield
        return
    sys.path.insert(0, str(site))
    try:
        yield
    finally:
        sys.path.remove(str(site))
