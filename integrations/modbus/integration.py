"""The Modbus integration: one task per port, devices from profiles, outputs."""

import asyncio
from typing import Any

import voluptuous as vol

from core.api import Command, CommandState, ConfigError, Host, Integration
from core.api.said import Said, sentence
from integrations.modbus import diagnostics, flow
from integrations.modbus.bus import Bus, place_of
from integrations.modbus.port import Port
from integrations.modbus.session import Session


class ModbusIntegration(Integration):
    """Poll detectors and switch outputs over Modbus TCP and RTU."""

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
                    of="modbus",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        self.ports: list[Port] = []
        self._devices: dict[str, tuple[Port, Session]] = {}
        for bus in options["buses"]:
            sessions = [
                Session(host, device, options["language"]) for device in bus["devices"]
            ]
            place = place_of(bus, sessions[0].profile.serial)
            port = Port(host, bus["id"], Bus(place), sessions)
            self.ports.append(port)
            self._devices |= {s.uid: (port, s) for s in sessions}

    async def run(self) -> None:
        """Serve every port until cancelled; a port's trouble stays its own."""
        for _, session in self._devices.values():
            session.declare()
        async with asyncio.TaskGroup() as group:
            for port in self.ports:
                group.create_task(port.run(), name=f"modbus {port.id}")

    async def command(self, command: Command) -> None:
        """Write a coil and prove it by reading it back (requirement 1.15)."""
        port, session = self._devices.get(command.device_uid, (None, None))
        output = session.output(command.entity_uid) if session else None
        if port is None or session is None or output is None:
            self.host.result(command.id, CommandState.FAILED, "modbus.no_such_output")
            return
        await port.command(command, session, output)

    def diagnostics(self) -> dict[str, Any]:
        """Return counters per bus and device; network places are redacted."""
        return diagnostics.gather(self.ports)
