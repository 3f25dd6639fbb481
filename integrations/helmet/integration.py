"""The helmet integration: both doors of one process."""

import asyncio
from typing import Any

import voluptuous as vol

from core.api import Command, CommandState, ConfigError, Host, Integration
from core.api.said import Said, sentence
from integrations.helmet import flow
from integrations.helmet.gb28181 import Gb28181
from integrations.helmet.jt808 import Jt808


class HelmetIntegration(Integration):
    """Take helmets that dial in by JT/T 808 or register by GB/T 28181."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        try:
            options = flow.schema()(dict(host.options))
        except vol.MultipleInvalid as problem:
            first = problem.errors[0]
            where = ".".join(str(part) for part in first.path)
            raise ConfigError(
                Said(
                    "{of} options, {where}: {said}",
                    of="helmet",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        secrets = options.get("secrets", {})
        jt808, gb28181 = options.get("jt808"), options.get("gb28181")
        self.jt808 = Jt808(host, jt808, secrets) if jt808 else None
        self.gb28181 = Gb28181(host, gb28181, secrets) if gb28181 else None

    async def run(self) -> None:
        """Serve until cancelled; DeviceError when a port cannot be had."""
        async with asyncio.TaskGroup() as group:
            if self.jt808 is not None:
                group.create_task(self.jt808.run(), name="jt808")
            if self.gb28181 is not None:
                group.create_task(self.gb28181.run(), name="gb28181")

    async def command(self, command: Command) -> None:
        """Let a helmet speak."""
        if self.jt808 is None or not await self.jt808.command(command):
            self.host.result(command.id, CommandState.FAILED, "helmet.no_output")

    def diagnostics(self) -> dict[str, Any]:
        """Return each door's state and counters; no secret, no whole number."""
        found: dict[str, Any] = {}
        if self.jt808 is not None:
            found["jt808"] = self.jt808.diagnostics()
        if self.gb28181 is not None:
            found["gb28181"] = self.gb28181.diagnostics()
        return found
