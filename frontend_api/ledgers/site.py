"""A command's own link to a running hub: its state, and acts in a person's name."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core import texts
from core.api.reading import Value
from core.clock import Clock
from core.link import messages as m
from core.link.client import Client
from core.people.acts import Act
from core.processes.guest import NotRunning, ask
from frontend_api.ledgers.apply import NotDone
from frontend_api.link import Uplink, encode_act
from frontend_api.problems import Problem
from frontend_api.replica import Replica

_SNAPSHOT_S = 15.0


class Site:
    """Hold the replica of a running hub, and ask for acts."""

    def __init__(self, clock: Clock, person_id: str, language: str) -> None:
        self.replica = Replica(clock)
        self._uplink = Uplink(self.replica)
        self._person_id, self._language = person_id, language
        self._numbers = itertools.count(1)
        self.client = Client(_hello, self._uplink.take, on_down=self._uplink.down)
        self._uplink.send = self.client.send

    def roles(self, person_id: str) -> frozenset[str]:
        """Return a person's roles as the core will judge them."""
        people = self.replica.state.people
        given = {p.id: p.roles for p in self.replica.bundle.people}
        found = people.roles.get(person_id, given.get(person_id, ()))
        owner = ("owner",) if person_id == people.owner_id else ()
        return frozenset((*found, *owner))

    async def act(self, act: Act) -> dict[str, Value]:
        """Ask for one act; raises NotDone, or TimeoutError when unanswered."""
        request = m.ActRequest(
            id=f"import-{next(self._numbers)}",
            person_id=self._person_id,
            verb=act.verb_,
            body=encode_act(act),
        )
        try:
            reply = await self._uplink.act(request)
        except Problem as problem:
            raise TimeoutError(f"{act.verb_}: the hub did not answer") from problem
        if not reply.ok:
            said = texts.render(reply.code, dict(reply.params), self._language)
            raise NotDone(said)
        return reply.result


def _hello() -> m.Hello:
    return m.Hello(name="import", role="cli", version="1")


@asynccontextmanager
async def attached(
    data: Path, clock: Clock, person_id: str, language: str
) -> AsyncIterator[Site]:
    """Attach to the hub that runs on a data folder, with its state at hand.

    Raises NotRunning, or TimeoutError when it does not tell its state.
    """
    answer, socks = await asyncio.to_thread(ask, data, {"op": "attach"})
    if answer["op"] != "done":
        raise NotRunning(str(answer.get("detail", "the hub is starting")))
    site = Site(clock, person_id, language)
    told = asyncio.Event()
    site.replica.on_reset.append(told.set)
    site.client.attach(["safety"], socks)
    try:
        async with asyncio.timeout(_SNAPSHOT_S):
            await told.wait()
        site.replica.link(True)
        yield site
    finally:
        site.client.detach()
