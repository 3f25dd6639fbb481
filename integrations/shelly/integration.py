"""The Shelly integration: one task per relay, outputs confirmed by read-back."""

import asyncio
from typing import Any

import aiohttp
import voluptuous as vol

from core.api import Command, CommandState, ConfigError, Host, Integration
from core.api.said import Said, sentence
from integrations.shelly import diagnostics, flow
from integrations.shelly.relay import Relay


class ShellyIntegration(Integration):
    """Speak to every relay that the site's options name."""

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
                    of="shelly",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        secrets = options["secrets"]
        self.relays = {
            each["mac"]: Relay(host, each, secrets.get(each.get("password", ""), ""))
            for each in options["devices"]
        }

    async def run(self) -> None:
        """Serve every relay until cancelled; one's trouble stays its own."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
            asyncio.TaskGroup() as group,
        ):
            for relay in self.relays.values():
                group.create_task(relay.run(http), name=f"shelly {relay.uid}")

    async def command(self, command: Command) -> None:
        """Switch a channel and prove it by the relay's own status."""
        relay = self.relays.get(command.device_uid)
        if relay is None:
            code = "shelly.no_such_output"
            self.host.result(command.id, CommandState.FAILED, code)
            return
        await relay.command(command)

    def diagnostics(self) -> dict[str, Any]:
        """Return states and counters of every relay; no password, no place."""
        return diagnostics.gather(self.relays.values())
