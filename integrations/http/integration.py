"""The HTTP integration: sources that are asked, sources that tell, outputs."""

import asyncio
from typing import Any, Final

import voluptuous as vol
from aiohttp import ClientSession

from core.api import (
    AuthError,
    Command,
    CommandState,
    ConfigError,
    Host,
    Integration,
)
from core.api.said import Said, sentence
from integrations.http import body, diagnostics, fetch, flow
from integrations.http.body import BodyError
from integrations.http.device import HttpDevice
from integrations.http.fetch import FetchError
from integrations.http.hooks import Hooks
from integrations.http.source import Source

_LOOK_S: Final = 0.25
#: After a service refused the token it is asked again only so often.
_REFUSED_S: Final = 300.0


class HttpIntegration(Integration):
    """Bring in what other systems know, and tell them what the hub orders."""

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
                    of="http",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        self._listen = options.get("listen")
        self._secrets = dict(host.options.get("secrets", {}))
        self.sources = [Source(host, said) for said in options["sources"]]

    async def run(self) -> None:
        """Serve every source; AuthError when all that are asked refuse us."""
        for source in self.sources:
            source.begin()
        heard = {s.said["receive"]: s for s in self.sources if "receive" in s.said}
        hooks = Hooks(self.host, heard, self._secrets, self._take)
        try:
            if heard:
                await hooks.start(self._listen)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(), name="http watch")
                for source in self.sources:
                    if "poll" in source.said:
                        group.create_task(self._poll(source), name=source.id)
        finally:
            await hooks.stop()

    def diagnostics(self) -> dict[str, Any]:
        """Return the state of sources and devices; addresses are left out."""
        return diagnostics.gather(self.sources)

    # --- records --------------------------------------------------------------

    async def _take(self, source: Source, data: bytes) -> None:
        """Report a body; returns when its events are durable.

        Raises BodyError, DeviceError.
        """
        for event in source.take(data):
            await self.host.event(*event)
            source.told(event)
        source.answered()

    async def _poll(self, source: Source) -> None:
        """Ask for ever; what fails is asked again at the next turn."""
        said = source.said
        head = fetch.headers(said, self._secrets)
        while True:
            pause = said["every_s"]
            try:
                async with fetch.session() as web:
                    while True:
                        began = self.host.clock.mono_ns()
                        data = await fetch.ask(
                            web, said["poll"], timeout_s=said["timeout_s"], headers=head
                        )
                        source.refused = False
                        await self._take(source, data)
                        await self._stand(web, source)
                        spent = (self.host.clock.mono_ns() - began) / 1e9
                        await self.host.timer.sleep(max(pause - spent, 0.05))
            except FetchError as wrong:
                source.failed(wrong.reason, str(wrong))
            except BodyError:
                source.up, source.reason = False, "http.body"
            except AuthError as refused:
                pause = max(pause, min(_REFUSED_S, 10 * pause))
                self._refused(source, refused)
            await self.host.timer.sleep(pause)

    def _refused(self, source: Source, refused: AuthError) -> None:
        source.refused = True
        source.failed("http.token", str(refused))
        for device in source.devices.values():
            device.lose("http.token")
        asked = [each for each in self.sources if "poll" in each.said]
        if all(each.refused for each in asked) and len(asked) == len(self.sources):
            raise refused

    async def _watch(self) -> None:
        while True:
            await self.host.timer.sleep(_LOOK_S)
            for source in self.sources:
                source.look()

    # --- outputs --------------------------------------------------------------

    async def command(self, command: Command) -> None:
        """Tell the other system, then ask it how the output stands (1.15)."""
        found = self._output(command)
        if found is None:
            self.host.result(command.id, CommandState.FAILED, "http.no_such_output")
            return
        source, device, said = found
        head = fetch.headers(source.said, self._secrets)
        limit = source.said["timeout_s"]
        send = said["on" if command.value else "off"]
        try:
            async with fetch.session() as web:
                await fetch.ask(
                    web,
                    send["url"],
                    timeout_s=limit,
                    headers=head,
                    method=send["method"],
                    data=send["body"],
                )
                self.host.result(command.id, CommandState.DELIVERED)
                if "confirm" not in said:
                    return
                asked = said["confirm"]
                data = await fetch.ask(web, asked["url"], timeout_s=limit, headers=head)
                self._confirm(command, device, said, data)
        except (FetchError, AuthError) as wrong:
            code = getattr(wrong, "reason", "http.token")
            self.host.result(command.id, CommandState.FAILED, code)

    async def _stand(self, web: ClientSession, source: Source) -> None:
        """Ask how each output stands, also when nobody has ordered anything."""
        head = fetch.headers(source.said, self._secrets)
        for device in source.devices.values():
            for said in device.outputs.values():
                if "confirm" in said:
                    limit = source.said["timeout_s"]
                    url = said["confirm"]["url"]
                    data = await fetch.ask(web, url, timeout_s=limit, headers=head)
                    device.stand(said["uid"], self._stands(device, said, data))

    def _stands(
        self, device: HttpDevice, said: dict[str, Any], data: bytes
    ) -> bool | None:
        """Return an output's own word; None when it says nothing clear."""
        asked = said["confirm"]
        try:
            (record, *_) = body.parse(data)
            raw = body.at(record, asked["path"])
            return body.switch(raw, asked["on"], asked["off"])
        except (BodyError, ValueError) as wrong:
            self.host.count("http.confirm", f"{said['uid']}: {wrong}", device.uid)
            return None

    def _output(
        self, command: Command
    ) -> tuple[Source, HttpDevice, dict[str, Any]] | None:
        for source in self.sources:
            device = source.devices.get(command.device_uid)
            if device is not None and command.entity_uid in device.outputs:
                return source, device, device.outputs[command.entity_uid]
        return None

    def _confirm(
        self, command: Command, device: HttpDevice, said: dict[str, Any], data: bytes
    ) -> None:
        on = self._stands(device, said, data)
        device.stand(said["uid"], on)
        if on is None:
            self.host.result(command.id, CommandState.FAILED, "http.unconfirmed")
            return
        right = on is bool(command.value)
        state = CommandState.CONFIRMED if right else CommandState.FAILED
        self.host.result(command.id, state, "" if right else "http.not_moved")
