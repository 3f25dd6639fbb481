"""The two processes that the kit starts: the simulator, and the real host."""

import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.clock import RealClock
from core.config import Code
from core.processes.control import CONTROL_FD, Channel, close_all
from core.processes.spec import BOTH
from integrations.runtime.kit.result import Broken

#: Longest line that a simulator may say.
LINE = 1 << 20
ANSWER_S = 5.0
LOOK_S = 0.02
END_S = 3.0
_LOG_BYTES = 1 << 20
#: Ties a program's life to ours before any of its own code runs.
_TIED = (
    "import sys, runpy; from core.processes import parent; parent.die_with();"
    "module = sys.argv.pop(1); runpy.run_module(module, run_name='__main__',"
    " alter_sys=True)"
)


class Simulator:
    """Run an integration's simulator and steer it by its scenario socket."""

    def __init__(self, module: str, folder: Path, site: Path | None) -> None:
        self._module, self._folder, self._site = module, folder, site
        self.ready: dict[str, Any] = {}
        self._starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def start(self, options: Mapping[str, Any], within_s: float) -> None:
        """Start it and wait for its ready line; raises Broken."""
        self._starts += 1
        file = self._folder / "options.json"
        control = self._folder / f"scenario-{self._starts}"
        file.write_text(json.dumps(options), "utf-8")
        told = ("--options", str(file), "--scenario-socket", str(control))
        env = dict(os.environ)
        if self._site is not None:
            env["PYTHONPATH"] = os.pathsep.join(
                part for part in (str(self._site), env.get("PYTHONPATH", "")) if part
            )
        with (self._folder / "simulator.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _TIED, self._module, *told),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE,
                env=env,
            )
        try:
            async with asyncio.timeout(within_s):
                self.ready = await self._ready()
                await self._connect(control)
        except TimeoutError:
            raise Broken(f"not ready within {within_s:g} s{self._said()}") from None
        loop = asyncio.get_running_loop()
        self._reading = loop.create_task(self._drain())

    async def _ready(self) -> dict[str, Any]:
        """Return its ready line, whatever else it says before."""
        while True:
            line = await self._line()
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict) and found.get("event") == "ready":
                return found

    async def _line(self) -> bytes:
        process = self._process
        if process is None or process.stdout is None:
            raise Broken("the simulator does not run")
        line = await process.stdout.readline()
        if not line:
            raise Broken(f"ended with {await process.wait()}{self._said()}")
        return line

    async def _connect(self, control: Path) -> None:
        while self._writer is None:
            try:
                self._reader, self._writer = await asyncio.open_unix_connection(
                    str(control), limit=LINE
                )
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(LOOK_S)

    async def _drain(self) -> None:
        """Read what it says on, so that it never waits for us."""
        process = self._process
        while process is not None and process.stdout is not None:
            if not await process.stdout.read(LINE):
                return

    async def tell(self, **request: Any) -> str:
        """Send one control line; return '' or the error that it answered."""
        if self._writer is None:
            raise Broken("the simulator does not run")
        try:
            async with asyncio.timeout(ANSWER_S):
                self._writer.write(json.dumps(request).encode() + b"\n")
                await self._writer.drain()
                answer = json.loads(await self._reader.readline())
        except (OSError, ValueError, TimeoutError) as error:
            raise Broken(f"no answer to {request}: {error}{self._said()}") from error
        if answer.get("ok") is True:
            return ""
        return str(answer.get("error", answer))

    async def must(self, **request: Any) -> None:
        """Send one control line that has to be accepted; raises Broken."""
        error = await self.tell(**request)
        if error:
            raise Broken(f"the simulator refused {request}: {error}")

    async def stop(self) -> None:
        """End it, by force where it does not; idempotent."""
        process, self._process = self._process, None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if process is not None:
            if process.returncode is None:
                process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None

    def _said(self) -> str:
        return last_words(self._folder / "simulator.log")


class HostProcess:
    """Run the real host process, as the keeper does, with its words in a file."""

    def __init__(self, name: str, folder: Path, clock: RealClock) -> None:
        self.name, self.log = name, folder / "host.log"
        self._data, self._clock = folder, clock
        self.pid = 0
        self._channel: Channel | None = None

    def start(self, module: str, code: Code | None) -> None:
        """Start it; raises OSError."""
        args = ["-m", "integrations.runtime", "--instance", "kit", "--module", module]
        if code is not None:
            args += ["--code", msgspec.json.encode(code).decode()]
        ours, theirs = Channel.pair()
        # Above the number it will get, or dup2 would leave it closed on exec.
        control = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, CONTROL_FD + 7)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions: list[tuple[Any, ...]] = [
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            (os.POSIX_SPAWN_DUP2, control, CONTROL_FD),
        ]
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PYTHONPATH")
        env = {name: os.environ[name] for name in kept if name in os.environ}
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", *args],
                env,
                file_actions=actions,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGPIPE, signal.SIGTERM),
            )
        finally:
            theirs.close()
            os.close(control)
        self._channel = ours
        greeting = {"keeper": os.getpid(), "data": str(self._data)}
        ours.send({**greeting, "op": "start", "name": self.name})

    def link(self) -> list[socket.socket]:
        """Hand it fresh lanes; return our ends, in the order of `BOTH`."""
        ends = [socket.socketpair() for _ in BOTH]
        ours, theirs = [a for a, _ in ends], [b for _, b in ends]
        peer = {"op": "peer", "lanes": list(BOTH), "name": "core"}
        if self._channel is None or not self._channel.send(peer, *theirs):
            close_all(ours)
            ours = []
        close_all(theirs)
        if not ours:
            raise Broken(f"the host process has gone{last_words(self.log)}")
        return ours

    def alive(self) -> bool:
        """Say whether the process still runs."""
        if not self.pid:
            return False
        if os.waitpid(self.pid, os.WNOHANG)[0] == self.pid:
            self.pid = 0
        return bool(self.pid)

    def memory_kb(self) -> int:
        """Return the memory that it holds; 0 when it has gone."""
        try:
            with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
                pages = int(file.read().split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    async def stop(self) -> None:
        """End it in order, or by force; idempotent."""
        if self._channel is not None:
            self._channel.send({"op": "stop"})
        loop = asyncio.get_running_loop()
        end = loop.time() + END_S
        while self.alive():
            if loop.time() > end:
                break
            await asyncio.sleep(LOOK_S)
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, self.pid, 0)
            self.pid = 0
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def last_words(log: Path) -> str:
    """Return the last line that a process said, to be put behind a sentence."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1][:300]}" if lines else ""
