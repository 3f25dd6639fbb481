"""The gateway's process: started by the keeper with a control socket."""

import asyncio
import contextlib
import ctypes
import logging
import socket
import ssl
import sys

from core.processes import lean  # noqa: F401  (before msgspec)

from aiohttp import web  # isort: skip

from core.link import messages as m
from core.link.client import Client, Side
from core.processes.child import Control, option, rename
from frontend_api.app import Gateway

_DRAIN_S = 2.0
_M_MMAP_THRESHOLD = -3
_GIVE_BACK_BYTES = 1 << 20
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8470


def _tls() -> ssl.SSLContext | None:
    """Return the TLS context of --cert and --key, None for plain HTTP."""
    certificate, key = option("--cert"), option("--key")
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key or None)
    return context


def _give_back() -> None:
    """Let large blocks go back to the system: argon2 takes 19 MiB for 50 ms."""
    # glibc keeps such a block after the first time unless its threshold is fixed.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _GIVE_BACK_BYTES)


async def main() -> None:
    """Serve until the keeper says stop."""
    control = Control.greet()
    _give_back()
    rename("gateway")
    gateway = Gateway(control.clock, control.data)
    uplink = gateway.uplink
    client = Client(uplink.hello, uplink.take, on_down=uplink.down)
    archive, discovery = Side(uplink.take), Side(gateway.discovery.take)

    def side(name: str, lanes: list[str], socks: list[socket.socket]) -> None:
        (discovery if name == "discovery" else archive).attach(name, lanes, socks)

    def send(message: m.Message) -> None:
        (archive if isinstance(message, m.Query) else client).send(message)

    # The keeper makes a fresh link when one ends; it begins with a snapshot.
    uplink.send, uplink.renew = send, client.detach
    control.listen(
        lambda _name, lanes, socks: client.attach(lanes, socks),
        on_side=side,
    )
    runner = web.AppRunner(
        gateway.application(), access_log=None, shutdown_timeout=_DRAIN_S
    )
    await runner.setup()
    try:
        await _open(runner)
        await control.stopping.wait()
    finally:
        await runner.cleanup()
        client.detach("stop")
        archive.close()
        discovery.close()
        control.close()


async def _open(runner: web.AppRunner) -> None:
    """Listen where the command line says; ends with the mend when that fails."""
    host = option("--host", DEFAULT_HOST)
    port = int(option("--port", str(DEFAULT_PORT)))
    site = web.TCPSite(runner, host, port, ssl_context=_tls())
    try:
        await site.start()
    except OSError as error:
        # Named with its mend, or the keeper only shows a restart loop.
        sys.stderr.write(
            f"gateway: cannot listen on {host}:{port}: {error.strerror};"
            " choose another with --port\n"
        )
        raise SystemExit(1) from error


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    asyncio.run(main())
