"""The discovery process: started by the keeper with a control socket."""

import asyncio
import socket

from core.processes import lean  # noqa: F401  (before msgspec)

from core.link import messages as m  # isort: skip
from core.link.client import Client, Side
from core.processes.child import Control, rename
from integrations.runtime.discovery.service import Discovery


async def main() -> None:
    """Serve until the keeper says stop."""
    control = Control.greet()
    rename("discovery")
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
