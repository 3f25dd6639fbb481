"""The OPC UA integration: one peer per server, readings by subscription, outputs."""

import asyncio
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
from integrations.opcua import diagnostics, flow
from integrations.opcua.peer import Peer
from integrations.opcua.session import Ear


class OpcUaIntegration(Integration):
    """Subscribe to OPC UA servers and write their outputs."""

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
                    of="opcua",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        secrets = host.options.get("secrets", {})
        self.peers = [
            Peer(host, server, secrets, options["language"])
            for server in options["servers"]
        ]

    async def run(self) -> None:
        """Serve every server; AuthError when none is left that takes us."""
        refused: list[AuthError] = []
        with Ear(lambda wrong: self.host.count("opcua.bad_frame", wrong)):
            async with asyncio.TaskGroup() as group:
                for peer in self.peers:
                    group.create_task(_until_refused(peer, refused))
        raise refused[0]

    async def command(self, command: Command) -> None:
        """Write a node and prove it by reading its state back."""
        for peer in self.peers:
            if command.device_uid in peer.devices:
                await peer.command(command)
                return
        self.host.result(command.id, CommandState.FAILED, "opcua.no_such_output")

    def diagnostics(self) -> dict[str, Any]:
        """Return states and counters; places and names of users are left out."""
        return diagnostics.gather(self.peers)


async def _until_refused(peer: Peer, refused: list[AuthError]) -> None:
    """Keep one server's refusal from stopping the others."""
    try:
        await peer.run()
    except AuthError as error:
        refused.append(error)
