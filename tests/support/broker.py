"""A real mosquitto of the test's own on loopback, started as the hub starts it."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from core.registry.secrets import Secrets
from integrations.mqtt.broker import DEVICE_SECRET, find_mosquitto
from integrations.mqtt.flow import OWN_SECRET
from tests.support.waiting import until_sync


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class OwnBroker:
    """The hub's own broker in a folder; killed and started at will."""

    def __init__(
        self, data: Path, devices: Iterable[str] = ("sim=#",), more: Iterable[str] = ()
    ) -> None:
        self.data = data
        self.port = free_port()
        self._devices = [part for name in devices for part in ("--device", name)]
        self._devices += more
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        if find_mosquitto() is None and "--fallback" not in self._devices:
            pytest.skip("mosquitto is not installed: apt install mosquitto")
        module = [sys.executable, "-m", "integrations.mqtt.broker"]
        where = ["--data", str(self.data), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*module, *where, *self._devices], stderr=subprocess.DEVNULL
        )
        until_sync(self._listens, "the broker listens")

    def _listens(self) -> bool:
        process = self._process
        assert process is not None and process.poll() is None, "the broker has ended"
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it: SIGTERM in order (its store is written), SIGKILL at once."""
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait(10)
            self._process = None

    async def restart(self) -> None:
        """Stop it in order and start it again on the same port."""
        await asyncio.to_thread(self.stop)
        await asyncio.to_thread(self.start)

    def password(self, user: str = "hub") -> str:
        """Return the generated password of a user."""
        name = OWN_SECRET if user == "hub" else DEVICE_SECRET + user
        return Secrets(self.data).get_or_create(name)

    def options(self, **more: object) -> dict[str, object]:
        """Return the options of an integration that uses this broker."""
        secrets = {OWN_SECRET: self.password()}
        return {"broker": "own", "port": self.port, "secrets": secrets, **more}
