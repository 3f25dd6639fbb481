"""The ESPHome integration: one peer per node."""

import asyncio
import logging
from typing import Any

import voluptuous as vol

from core.api import (
    AuthError,
    Command,
    CommandState,
    ConfigError,
    Host,
    Integration,
)
from core.api.said import Said, sentence
from integrations.esphome import diagnostics, flow
from integrations.esphome.peer import Peer

# What matters of its messages is counted and reported by the driver.
logging.getLogger("aioesphomeapi").setLevel(logging.CRITICAL + 1)


class EspHomeIntegration(Integration):
    """Follow ESPHome nodes and command their outputs."""

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
                    of="esphome",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        secrets = host.options.get("secrets", {})
        self.peers = {
            node["mac"]: Peer(host, node, secrets) for node in options["nodes"]
        }

    async def run(self) -> None:
        """Serve every node; AuthError when none is left that takes our key."""
        refused: list[AuthError] = []
        async with asyncio.TaskGroup() as group:
            for peer in self.peers.values():
                group.create_task(_until_refused(peer, refused))
        raise refused[0]

    async def command(self, command: Command) -> None:
        """Command an output and prove it by the node's own word."""
        peer = self.peers.get(command.device_uid)
        if peer is None:
            self.host.result(command.id, CommandState.FAILED, "esphome.no_such_output")
            return
        await peer.command(command)

    def diagnostics(self) -> dict[str, Any]:
        """Return states and counters; keys and places are left out."""
        return diagnostics.gather(list(self.peers.values()))


async def _until_refused(peer: Peer, refused: list[AuthError]) -> None:
    """Keep one node's refusal from stopping the others."""
    try:
        await peer.run()
    except AuthError as error:
        refused.append(error)
