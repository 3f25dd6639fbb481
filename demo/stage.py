"""The stage: a data folder, simulators as processes of their own, and the hub."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import string
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from core.clock import RealClock
from core.processes.guest import NotRunning, ask
from core.registry.secrets import Secrets
from demo.chance import PACE, WALK, Chance
from frontend_api.accounts import Accounts
from frontend_api.claim import CLAIM_FILE

HERE = Path(__file__).parent
_START_S = 60.0
_STOP_S = 20.0
_POLL_S = 0.1
#: Read again after a simulator said that it is ready.
_LINE = 1 << 20
#: Files of the site that a person's enrolment over the API stands in for.
_ENROLLED = ("devices", "integrations")


class StageError(Exception):
    """A part of the stage did not come up; names it and shows its last words."""


class Simulator:
    """One simulator process, steered by lines of JSON on its standard input."""

    def __init__(self, name: str, args: Sequence[str]) -> None:
        self.name = name
        self._args = args
        self._lock = asyncio.Lock()
        self.process: asyncio.subprocess.Process
        self.said: list[dict[str, Any]] = []

    async def start(self) -> None:
        """Start the process."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            *self._args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE,
        )

    async def line(self) -> dict[str, Any]:
        """Return the next line that the simulator says; raises StageError."""
        if self.process.stdout is None:
            raise StageError(f"{self.name}: no output")
        async with _within(f"{self.name}: an answer"):
            text = await self.process.stdout.readline()
        if not text:
            raise StageError(f"{self.name}: ended; see its message above")
        found: dict[str, Any] = json.loads(text)
        return found

    async def order(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send one order and return its answer; raises StageError when refused."""
        async with self._lock:
            if self.process.stdin is None:
                raise StageError(f"{self.name}: no input")
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            await self.process.stdin.drain()
            while "event" in (answer := await self.line()):
                self.said.append(answer)
        if "error" in answer:
            raise StageError(f"{self.name}: {order}: {answer['error']}")
        return answer

    async def stop(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        await _end(self.process, signal.SIGTERM)


class Stage:
    """Bring everything up in a data folder, and down again in order."""

    def __init__(
        self,
        data: Path,
        speed: float,
        web_port: int = 0,
        seed: int = 0,
        *,
        empty: bool = False,
    ) -> None:
        """``empty``: the hub begins without integrations and devices."""
        self._empty = empty
        self.data, self.speed = data, speed
        self.chance = Chance(seed)
        self.config = data / "config"
        self.web_port = web_port or _free_port()
        self.ports = {"modbus_port": _free_port(), "mqtt_port": _free_port()}
        self.codes: dict[str, str] = {}
        self.hub: asyncio.subprocess.Process | None = None
        self.simulators: dict[str, Simulator] = {}
        self._log = data / "hub.log"

    @property
    def address(self) -> str:
        """Return the web page's address."""
        return f"http://127.0.0.1:{self.web_port}"

    def claim_code(self) -> str:
        """Return the code with which a person claims the hub, or ''."""
        with contextlib.suppress(OSError):
            return (self.data / CLAIM_FILE).read_text("ascii").strip()
        return ""

    async def start(self) -> None:
        """Write the configuration, start simulators and hub, wait until armed."""
        self._write_config()
        self._invite_crew()
        opening = yaml.safe_load((HERE / "simulated.yaml").read_text("utf-8"))
        await self._start_modbus(opening["modbus"])
        await self._start_hub()
        if not self._empty:
            await self._start_mqtt(opening["mqtt"])

    async def join_broker(self) -> None:
        """Let the MQTT devices join the broker that a person has set up."""
        opening = yaml.safe_load((HERE / "simulated.yaml").read_text("utf-8"))
        await self._start_mqtt(opening["mqtt"])

    def notes(self, name: str) -> Any:
        """Return one file of the site as a technician would have noted it down."""
        text = (HERE / "site" / f"{name}.yaml").read_text("utf-8")
        places = {**self.ports, "serial_port": str(self.data / "line")}
        return yaml.safe_load(string.Template(text).substitute(places))[name]

    def _write_config(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self.config, ignore_errors=True)
        self.config.mkdir()
        places = {**self.ports, "serial_port": str(self.data / "line")}
        for file in sorted((HERE / "site").glob("*.yaml")):
            if self._empty and file.stem in _ENROLLED:
                continue
            text = string.Template(file.read_text("utf-8")).substitute(places)
            (self.config / file.name).write_text(text, "utf-8")

    def _invite_crew(self) -> None:
        """Make a one-time code for each of the crew; the claim stays free."""
        site = yaml.safe_load((self.config / "site.yaml").read_text("utf-8"))
        accounts = Accounts(self.data / "gateway.db", RealClock())
        try:
            self.codes = {p["id"]: accounts.invite(p["id"]) for p in site["people"]}
        finally:
            accounts.close()

    async def _start_modbus(self, opening: list[dict[str, Any]]) -> None:
        options = next(
            each["options"]
            for each in self.notes("integrations")
            if each["integration"] == "modbus"
        )
        file = self.data / "modbus-simulator.json"
        file.write_text(json.dumps(options), "utf-8")
        args = ["integrations.modbus.simulator", "--options", str(file), "--stdin"]
        simulator = Simulator("modbus", [*args, "--speed", f"{self.speed:g}"])
        self.simulators["modbus"] = simulator
        await simulator.start()
        while (await simulator.line()).get("event") != "ready":
            pass
        for order in opening:
            near = {n: self.chance.around(v) for n, v in order["set"].items()}
            await simulator.order({**order, "set": near})

    async def _start_mqtt(self, site: dict[str, Any]) -> None:
        simulator = Simulator(
            "mqtt", ["integrations.mqtt.simulator", "--speed", f"{self.speed:g}"]
        )
        self.simulators["mqtt"] = simulator
        await simulator.start()
        where = {
            "host": "127.0.0.1",
            "port": self.ports["mqtt_port"],
            "username": "simulator",
            "password": await self._secret("mqtt.device.simulator"),
        }
        async with _within("the broker"):
            while True:
                try:
                    await simulator.order({"connect": where})
                    break
                except StageError:
                    await asyncio.sleep(0.2)
        for helmet in site["helmets"]:
            helmet["speed"] = self.chance.around(WALK, PACE)
        for detector in site["detectors"]:
            for gas in detector["gases"].values():
                gas["value"] = self.chance.around(gas["value"])
        await simulator.order({"site": site})

    async def _secret(self, name: str) -> str:
        async with _within("the broker's password"):
            while True:
                found = Secrets(self.data).get(name)
                if found is not None:
                    return found
                await asyncio.sleep(_POLL_S)

    async def _start_hub(self) -> None:
        args = ["run", "--data", str(self.data), "--config", str(self.config)]
        args += ["--port", str(self.web_port), "--speed", f"{self.speed:g}"]
        with self._log.open("ab") as log:
            self.hub = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "core.cli", *args, stdout=log, stderr=log
            )
        async with _within("the hub", self.last_words):
            while True:
                if self._armed():
                    return
                if self.hub.returncode is not None:
                    raise StageError(f"the hub ended:\n{self.last_words()}")
                await asyncio.sleep(_POLL_S)

    def _armed(self) -> bool:
        try:
            answer, _ = ask(self.data, {"op": "status"})
        except (NotRunning, TimeoutError):
            return False
        running = {n for n, p in answer["processes"].items() if p["state"] == "running"}
        if self._empty:
            published = answer["processes"].get("publish", {}).get("state") != "running"
            return bool(answer["ready"]) and published and self._listens()
        return bool(answer["ready"]) and {"host:modbus", "host:mqtt"} <= running

    def _listens(self) -> bool:
        """Say whether the web page can be asked."""
        with socket.socket() as sock:
            sock.settimeout(1.0)
            return sock.connect_ex(("127.0.0.1", self.web_port)) == 0

    def last_words(self, lines: int = 15) -> str:
        """Return the end of the hub's own messages."""
        try:
            return "\n".join(self._log.read_text("utf-8").splitlines()[-lines:])
        except OSError:
            return ""

    async def stop(self) -> None:
        """End hub and simulators; idempotent."""
        if self.hub is not None:
            await _end(self.hub, signal.SIGTERM)
        for simulator in self.simulators.values():
            await simulator.stop()


@contextlib.asynccontextmanager
async def _within(
    what: str, words: Callable[[], str] = lambda: ""
) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_START_S):
            yield
    except TimeoutError:
        told = f"{what} did not come within {_START_S:g} s"
        raise StageError(f"{told}\n{words()}".rstrip()) from None


async def _end(process: asyncio.subprocess.Process, number: int) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
