"""Ask core for one act over a guest's link, as the hub's own system user."""

import asyncio
import getpass
import socket

import msgspec

from core.link import messages as m
from core.link.client import Client
from core.people.acts import Act


class LinkEnded(Exception):
    """Core closed the link before it answered."""


async def ask_core(name: str, act: Act, socks: list[socket.socket]) -> m.ActReply:
    """Return core's answer; the caller sets the deadline. Raises LinkEnded."""
    done: asyncio.Future[m.ActReply] = asyncio.get_running_loop().create_future()

    def take(message: m.Message) -> None:
        if isinstance(message, m.ActReply) and not done.done():
            done.set_result(message)

    def ended(reason: str) -> None:
        if not done.done():
            done.set_exception(LinkEnded(f"the hub closed the link: {reason}"))

    client = Client(
        lambda: m.Hello(name=name, role="caller", version="1"), take, None, ended
    )
    client.attach(["safety"], socks)
    client.send(
        m.ActRequest(
            id=name,
            person_id=getpass.getuser(),
            verb=act.verb_,
            body=msgspec.msgpack.encode(act),
        )
    )
    try:
        return await done
    finally:
        client.detach()
