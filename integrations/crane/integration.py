"""The crane integration: recorders post here what they would post to a cloud."""

from typing import Any

import voluptuous as vol

from core.api import Command, CommandState, ConfigError, Host, Integration
from core.api.said import Said, sentence
from integrations.crane import flow
from integrations.crane.server import Server


class CraneIntegration(Integration):
    """Take what cranes, hoists and platforms post."""

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
                    of="crane",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        self.server = Server(host, options, options.get("secrets", {}))

    async def run(self) -> None:
        """Serve until cancelled; DeviceError when the port cannot be had."""
        await self.server.run()

    async def command(self, command: Command) -> None:
        """Refuse: a crane is driven by its driver alone."""
        self.host.result(command.id, CommandState.FAILED, "crane.no_output")

    def diagnostics(self) -> dict[str, Any]:
        """Return the machines and their counters; no secret."""
        return self.server.diagnostics()
