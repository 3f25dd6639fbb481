"""Watch the journal from outside: a replica attached through the keeper."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from core import state as states
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.link import messages as m
from core.link.client import Client
from core.processes.guest import ask

Seen = tuple[int, Event, Envelope]


class Watch:
    """Keep every event since the start, in the journal's order."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.state = states.SiteState()
        self.events: list[Seen] = []
        self._changed = asyncio.Event()
        self._client = Client(self._hello, self._take)

    def _hello(self) -> m.Hello:
        return m.Hello(name="demo", role="viewer", version="1")

    async def start(self) -> None:
        """Attach; raises RuntimeError when the keeper refuses."""
        answer, socks = ask(self._data, {"op": "attach"})
        if answer["op"] != "done":
            raise RuntimeError(f"the hub does not let us watch: {answer}")
        links: list[socket.socket] = socks
        self._client.attach(["safety"], links)

    def stop(self) -> None:
        """Detach."""
        self._client.detach()

    def _take(self, message: m.Message) -> None:
        match message:
            case m.Snapshot():
                self.state = states.load(message.state)
            case m.Events():
                for data in message.envelopes:
                    wrapped = envelopes.decode(data)
                    body = fold.replay(self.state, wrapped)
                    self.events.append((wrapped.seq, body, wrapped))
            case _:
                return
        self._changed.set()

    async def first(
        self, wanted: Callable[[Seen], bool], after: int, real_s: float
    ) -> Seen | None:
        """Return the first event behind seq ``after`` that is wanted, or None."""
        place = 0
        try:
            async with asyncio.timeout(real_s):
                while True:
                    self._changed.clear()
                    while place < len(self.events):
                        seen = self.events[place]
                        place += 1
                        if seen[0] > after and wanted(seen):
                            return seen
                    await self._changed.wait()
        except TimeoutError:
            return None
