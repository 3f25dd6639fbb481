"""The discovery process: started by the keeper with a control socket."""

import asyncio
import contextlib
import resource
import socket

from core.processes import lean  # noqa: F401  (before msgspec)

from core.link import messages as m  # isort: skip
from core.link.client import Client, Side
from core.processes.child import Control, rename
from integrations.runtime import landlock
from integrations.runtime.discovery.service import Discovery

#: What strangers say may cost no more: 45 MB, and what an OPC UA library takes.
_MEMORY, _FILES = 512 << 20, 256


def _be_modest() -> None:
    """Bound what a flood of strangers' words may take of the machine."""
    landlock.no_new_privileges()
    for limit, most in (
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError):  # it is lower already
            resource.setrlimit(limit, (most, most))


async def main() -> None:
    """Serve until the keeper says stop."""
    control = Control.greet()
    rename("discovery")
    _be_modest()
    discovery = Discovery(data=control.data)
    client = Client(
        lambda: m.Hello(name=control.name, role="discovery", version="1"),
        discovery.receive,
    )
    gateway = Side(lambda _: None)
    discovery.send = gateway.send

    def side(name: str, lanes: list[str], socks: list[socket.socket]) -> None:
        gateway.attach(name, lanes, socks)
        discovery.connected()

    control.listen(
        lambda _name, lanes, socks: client.attach(lanes, socks), on_side=side
    )
    try:
        await discovery.run(control.stopping)
    finally:
        client.detach("stop")
        gateway.close()
        control.close()


if __name__ == "__main__":
    asyncio.run(main())
