"""The camera integration: one task per camera, each camera's trouble its own."""

import asyncio
from typing import Any

import voluptuous as vol

from core.api import AuthError, Command, CommandState, ConfigError, Host, Integration
from core.api.said import Said, sentence
from integrations.camera import diagnostics, flow
from integrations.camera.camera import Camera


class CameraIntegration(Integration):
    """Watch cameras: their pictures' health, their reports, their losses."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        given = {k: v for k, v in host.options.items() if k != "secrets"}
        try:
            options = flow.schema()(given)
        except vol.MultipleInvalid as problem:
            first = problem.errors[0]
            where = ".".join(str(part) for part in first.path)
            raise ConfigError(
                Said(
                    "{of} options, {where}: {said}",
                    of="camera",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        secrets = host.options.get("secrets", {})
        self.cameras = [
            Camera(host, each, secrets.get(each.get("password", ""), ""), language)
            for language in (options["language"],)
            for each in options["cameras"]
        ]

    async def run(self) -> None:
        """Serve every camera until cancelled; raises AuthError when all refuse us."""
        for camera in self.cameras:
            camera.declare()
        async with asyncio.TaskGroup() as group:
            for camera in self.cameras:
                group.create_task(self._keep(camera), name=f"camera {camera.uid}")
        raise AuthError("every camera refuses the credentials")

    async def _keep(self, camera: Camera) -> None:
        try:
            await camera.run()
        except* AuthError:
            # Not again: cameras lock out whoever goes on with a wrong password.
            camera.refused()

    async def command(self, command: Command) -> None:
        """Refuse: a camera has no output here."""
        self.host.result(command.id, CommandState.FAILED, "camera.no_such_output")

    def diagnostics(self) -> dict[str, Any]:
        """Return counters and states of every camera; nothing of its pictures."""
        return diagnostics.gather(self.cameras)
