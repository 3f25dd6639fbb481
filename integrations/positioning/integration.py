"""The positioning integration: each source in a task of its own, one book of tags."""

import asyncio
from dataclasses import replace
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
from integrations.positioning import broker, diagnostics, dwm, flow, pozyx
from integrations.positioning.book import Book
from integrations.positioning.model import Sighting, UnreadableError
from integrations.positioning.studio import Studio
from integrations.positioning.tag import Source
from integrations.positioning.uart import Shell


class PositioningIntegration(Integration):
    """Read tags of DWM1001, Pozyx and Sewio as one kind of device."""

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
                    of="positioning",
                    where=where,
                    said=sentence(first.error_message),
                ),
                where=where,
            ) from problem
        self._secrets: dict[str, str] = options["secrets"]
        self.book = Book(host, options)
        self.peers: dict[str, broker.Link | Shell | Studio] = {
            source.id: self._peer(source) for source in self.book.sources
        }
        self.refused: dict[str, str] = {}

    async def run(self) -> None:
        """Serve until cancelled; AuthError once every source has refused the hub."""
        self.book.anchors.declare()
        async with asyncio.TaskGroup() as group:
            sweeping = group.create_task(self._sweep(), name="positioning sweep")
            serving = [
                group.create_task(self._serve(source), name=f"positioning {source.id}")
                for source in self.book.sources
            ]
            await asyncio.wait(serving)
            sweeping.cancel()
        raise AuthError("; ".join(f"{k}: {v}" for k, v in self.refused.items()))

    async def _serve(self, source: Source) -> None:
        """Serve one source; wrong credentials of one are no end of the others."""
        try:
            await self.peers[source.id].run()
        except AuthError as error:
            self.refused[source.id] = str(error)
            self.host.count("positioning.auth", f"{source.id}: {error}")
            self.book.link(source, False, "auth")

    async def _sweep(self) -> None:
        while True:
            await self.host.timer.sleep(self.book.turn_s())
            self.book.sweep()

    async def command(self, command: Command) -> None:
        """Refuse: a tag has nothing to switch."""
        self.host.result(command.id, CommandState.FAILED, "positioning.no_output")

    def diagnostics(self) -> dict[str, Any]:
        """Return counters and states of sources, tags and anchors."""
        return diagnostics.gather(self.book, self.peers, self.refused)

    # --- sources --------------------------------------------------------------------

    def _peer(self, source: Source) -> broker.Link | Shell | Studio:
        options = source.options

        def told(up: bool, why: str) -> None:
            self.book.link(source, up, why)

        def bad(error: UnreadableError, data: bytes) -> None:
            peer = self.peers[source.id]
            node = peer.node if isinstance(peer, Shell) else ""
            self.book.bad(source, error, data, node)

        if source.kind == "dwm1001_uart":

            def line(found: Sighting) -> None:
                self._line(source, found)

            return Shell(self.host, options, line, bad, told)
        if source.kind == "sewio":

            def take(found: Sighting) -> None:
                self.book.take(source, found)

            key = self._secrets.get(options["api_key"], "")
            return Studio(self.host, options, key, take, bad, told)
        where = broker.place(options["broker"], self._secrets)
        if source.kind == "pozyx":
            topics = [options["topic"], f"{options['topic']}/+"]
        else:
            topics = [f for each in options["prefixes"] for f in dwm.filters(each)]
        deliver = self._pozyx if source.kind == "pozyx" else self._dwm
        return broker.Link(
            self.host,
            where,
            topics,
            lambda topic, payload, kept: deliver(source, topic, payload, kept),
            told,
        )

    def _line(self, source: Source, found: Sighting) -> None:
        """Take a line of the shell; what names no node is the module's own."""
        peer = self.peers[source.id]
        if not found.node and isinstance(peer, Shell):
            found = replace(found, node=peer.node)
        self.book.take(source, found)

    def _dwm(self, source: Source, topic: str, payload: bytes, kept: bool) -> None:
        try:
            found = dwm.message(topic, payload)
        except UnreadableError as error:
            self.book.bad(source, error, payload, dwm.node_of(topic))
            return
        if found is None:
            return
        if kept:
            # What a broker kept was so once, nobody knows when: names, and absence.
            gone = False if found.present is False else None
            found = replace(found, located=False, battery=None, present=gone)
        self.book.take(source, found)

    def _pozyx(self, source: Source, _topic: str, payload: bytes, kept: bool) -> None:
        if kept:
            return
        try:
            found = pozyx.message(payload)
        except UnreadableError as error:
            self.book.bad(source, error, payload)
            return
        for each in found:
            self.book.take(source, each)
