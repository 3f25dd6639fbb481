"""The simulator as docs/conformance.md wants it: with a broker of its own.

    python -m integrations.mqtt.simulator --options FILE --scenario-socket PATH

FILE holds the integration's options, and under ``site`` the devices as `simulated`
builds them. A real mosquitto is started on a free port; `ready` tells how it is
reached. Connections are cut by who stands between: it speaks no ``drop``.
"""

import asyncio
import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.api import ConfigError
from core.api.said import Said
from integrations.mqtt import broker, flow, simulated
from integrations.mqtt.simulator import STEP_S, Simulator
from integrations.mqtt.spoil import Spoil

USER = "sim"
LISTENS_S = 10.0
MAX_LINE = 1 << 20


class Scenario:
    """Own broker, devices and the control socket."""

    def __init__(self, options: Mapping[str, Any], folder: Path) -> None:
        self.options = {k: v for k, v in options.items() if k != "site"}
        self._site: Mapping[str, Any] = options.get("site", {})
        self._folder = folder
        self._passwords = {name: secrets.token_hex(12) for name in ("hub", USER)}
        self._process: asyncio.subprocess.Process | None = None
        self._spoils: dict[str, Spoil] = {}
        self.simulator = Simulator()

    # --- life -----------------------------------------------------------------

    async def run(self, control: Path) -> None:
        """Serve until told to quit; raises ConfigError without a mosquitto."""
        port = await self._broker()
        await self.simulator.connect(
            {"port": port, "username": USER, "password": self._passwords[USER]}
        )
        self._build()
        server = await asyncio.start_unix_server(self._serve, control, limit=MAX_LINE)
        where = {"host": "127.0.0.1", "port": port, "username": flow.OWN_USER}
        self._ready({**self.options, "broker": where})
        try:
            await self._turns()
        finally:
            server.close()
            await self.close()

    async def close(self) -> None:
        """Hang up and end the broker; idempotent."""
        await self.simulator.close()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()

    async def _broker(self) -> int:
        mosquitto = broker.find_mosquitto()
        if mosquitto is None:
            raise ConfigError("mosquitto is not installed: apt install mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        lines = [broker.password_line(u, p) for u, p in self._passwords.items()]
        files = {
            "passwords": "\n".join(lines) + "\n",
            "acl": broker.acl({USER: ["#"]}),
            "mosquitto.conf": broker.configuration(self._folder, "127.0.0.1", port, ()),
        }
        for name, text in files.items():
            file = self._folder / name
            file.write_text(text, "utf-8")
            file.chmod(0o600)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _TIED, mosquitto),
            *("-c", str(self._folder / "mosquitto.conf")),
            stdout=asyncio.subprocess.DEVNULL,
        )
        await _listens(port)
        return port

    def _build(self) -> None:
        models = self.simulator.models
        for kind, entries in self._site.items():
            for entry in entries:
                loop = asyncio.get_running_loop()
                spoil = Spoil(self.simulator.say, loop.call_later)
                found = simulated.build({kind: [entry]}, spoil)
                models |= found
                self._spoils |= dict.fromkeys(found, spoil)
        self.simulator.announce()

    async def _turns(self) -> None:
        """Let time pass; a device under `rate` has more of it to speak in."""
        simulator = self.simulator
        while not simulator.stopped.is_set():
            now = simulator.now()
            for name, model in simulator.models.items():
                model.turn(now)
                self._hasten(name, model)
            await asyncio.sleep(STEP_S)

    def _hasten(self, name: str, model: simulated.Model) -> None:
        rate = self._spoils[name].rate
        if rate > 1 and not model.silent:
            for _ in range(max(1, round(rate * STEP_S / model.interval_s))):
                model.publish()

    def _ready(self, options: Mapping[str, Any]) -> None:
        told = {"mqtt.password": self._passwords["hub"]}
        said = {"event": "ready", "options": options, "secrets": told}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    # --- control --------------------------------------------------------------

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while line := await reader.readline():
                answer = json.dumps(self._answer(line)) + "\n"
                writer.write(answer.encode())
                await writer.drain()
        finally:
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            self._carry_out(order)
        except simulated.CommandError as error:
            return {"error": str(error)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
        return {"ok": True}

    def _carry_out(self, order: Mapping[str, Any]) -> None:
        if "do" in order:
            if order["do"] != "quit":
                raise simulated.CommandError("the connection is cut on the wire")
            self.simulator.stopped.set()
            return
        name = self._name(str(order["device"]))
        model = self.simulator.models[name]
        for entity, value in order.get("set", {}).items():
            self._set(model, entity.removeprefix(f"{name}_"), value)
        if "event" in order:
            model.do(order["event"], order.get("params", {}))
        if "fault" in order:
            self._spoils[name].fault(order["fault"])

    def _name(self, uid: str) -> str:
        """Return a device's name here: maps put a word before it in the hub."""
        for name in self.simulator.models:
            if uid == name or uid.endswith(f"-{name}"):
                return name
        raise simulated.CommandError(f"no device {uid!r}")

    def _set(self, model: simulated.Model, entity: str, value: Any) -> None:
        """Change what a device measures, and let it say so at its next turn."""
        if isinstance(model, simulated.Detector):
            model.do("gas", {"quantity": entity, "value": value})
        elif entity == "location":
            model.do("place", {"to": [float(part) for part in value.split(",")]})
        elif entity == "wear":
            model.do("wear", {"worn": value})
        elif entity == "battery":
            model.do("battery", {"value": value})
        elif isinstance(model, simulated.Output):
            model.do("switch", {"on": value})
        else:
            model.do("set", {"entity": entity, "value": value})


#: Ties the broker's life to ours, and becomes it.
_TIED = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9, 0, 0, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


async def _listens(port: int) -> None:
    """Wait until the broker takes connections; raises TimeoutError."""
    async with asyncio.timeout(LISTENS_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(STEP_S)
            else:
                writer.close()
                return


def serve(options: Mapping[str, Any], control: Path) -> None:
    """Run a scenario in a folder of its own; raises ConfigError."""
    os.umask(0o077)
    if control.exists():
        raise ConfigError(
            Said("{control}: is there already; name another socket", control=control)
        )
    with tempfile.TemporaryDirectory(prefix="mqtt-") as folder:
        asyncio.run(_play(options, Path(folder), control))


async def _play(options: Mapping[str, Any], folder: Path, control: Path) -> None:
    await Scenario(options, folder).run(control)
