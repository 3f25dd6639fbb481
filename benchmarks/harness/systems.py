"""The systems that can be measured, each behind the same few questions.

To add one: subclass `System`, say how it is configured and started, list it in
`alarm_path.ALL`. All else is done from outside: it is up when it answers an alarm.
"""

import abc
import json
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import machine, site, work

#: What its log tells of a host when it is asked by SIGUSR1.
_SHOWN_S = 2.0


class System(abc.ABC):
    """One way to do the work."""

    name = ""
    about = ""
    patience_s = 60.0
    settle_s = 1.0

    def __init__(self, folder: Path, port: int, detectors: int) -> None:
        self.folder, self.port, self.detectors = folder, port, detectors
        self.log = folder / f"{self.name}.log"

    @classmethod
    def missing(cls) -> str:
        """Return why it cannot run here, '' when it can."""
        return ""

    def prepare(self) -> None:  # noqa: B027 - a floor has nothing to configure
        """Write its configuration into its folder."""

    def retained(self) -> Iterator[tuple[str, bytes]]:
        """Yield what the broker holds before it starts."""
        return iter(())

    @abc.abstractmethod
    def command(self) -> list[str]:
        """Return how it is started."""

    def env(self) -> dict[str, str]:
        """Return what it needs in its environment."""
        return {}

    def coalesced(self, pid: int) -> int:
        """Return the readings of this life that it did not judge one by one."""
        return 0

    def unrecorded(self) -> int:
        """Return the readings of all lives so far that its history lacks."""
        return 0


class Paho(System):
    """The floor."""

    name, about = "paho", "bare paho client: JSON, one comparison, republish"

    def command(self) -> list[str]:
        """Return how it is started."""
        module = "benchmarks.harness.paho_floor"
        return [sys.executable, "-m", module, str(self.port)]


class Safehold(System):
    """The whole hub: every process, journal and history on the disk."""

    name, about = "safehold", "safehold run: all processes, journal and history on"

    def __init__(self, folder: Path, port: int, detectors: int) -> None:
        super().__init__(folder, port, detectors)
        self.data, self.config = folder / "data", folder / "config"
        self._page = machine.free_port()
        self._published = False

    def prepare(self) -> None:
        """Write the site's configuration."""
        site.write(self.config, self.port, self.detectors)

    def retained(self) -> Iterator[tuple[str, bytes]]:
        """Yield the discovery of detectors and sirens."""
        yield from work.announcements(self.detectors)
        yield from work.siren_announcements(self.detectors)

    def command(self) -> list[str]:
        """Return how it is started; only the first start publishes."""
        run = [sys.executable, "-m", "core.cli", "run", "--data", str(self.data)]
        run += ["--host", "127.0.0.1", "--port", str(self._page)]
        if not self._published:
            self._published = True
            run += ["--config", str(self.config)]
        return run

    def unrecorded(self) -> int:
        """Return what the archive says that it lost; complete once it has stopped."""
        with sqlite3.connect(f"file:{self.data}/history.db?mode=ro", uri=True) as db:
            found = db.execute("SELECT coalesce(sum(rows), 0) FROM losses").fetchone()
        return int(found[0])

    def coalesced(self, pid: int) -> int:
        """Ask the host by SIGUSR1 how many readings it has coalesced."""
        host = [p for p in machine.tree(pid) if machine.name_of(p) == "host:mqtt"]
        start = self.log.stat().st_size
        for each in host:
            machine.signal_process(each, signal.SIGUSR1)
        end = time.monotonic() + _SHOWN_S
        while time.monotonic() < end:
            with self.log.open("rb") as words:
                words.seek(start)
                for line in words.read().decode(errors="replace").splitlines():
                    _, found, fact = line.partition("host:mqtt: {")
                    if found and fact.endswith("}"):
                        return int(json.loads("{" + fact)["host"]["coalesced"])
            time.sleep(0.02)
        raise RuntimeError(f"the host told nothing; see {self.log}")


class NodeRed(System):
    """Node-RED, if it is on the PATH: mqtt in, switch, function, mqtt out."""

    name, about = "node-red", "Node-RED: mqtt in, switch, function, mqtt out"

    @classmethod
    def missing(cls) -> str:
        """Return why it cannot run here."""
        return "" if shutil.which("node-red") else "not installed"

    def prepare(self) -> None:
        """Write the flow and quiet settings."""
        (self.folder / "flows.json").write_text(json.dumps(self._flow()))
        settings = {
            "flowFile": "flows.json",
            "uiHost": "127.0.0.1",
            "uiPort": machine.free_port(),
            "httpAdminRoot": False,
            "credentialSecret": False,
            "telemetry": {"enabled": False},
        }
        text = f"module.exports = {json.dumps(settings)};\n"
        (self.folder / "settings.js").write_text(text)

    def _flow(self) -> list[dict[str, Any]]:
        text = "msg.topic = 'siren/' + msg.topic.split('/')[1] + '/set';"
        return [
            {"id": "tab", "type": "tab", "label": "alarm"},
            {
                "id": "broker",
                "type": "mqtt-broker",
                "broker": "127.0.0.1",
                "port": str(self.port),
                "cleansession": True,
                "protocolVersion": "4",
            },
            self._node("in", "mqtt in", "beyond", topic="gas/+/state", datatype="json"),
            self._node(
                "beyond",
                "switch",
                "name",
                property="payload.h2s",
                propertyType="msg",
                rules=[{"t": "gt", "v": str(work.LIMIT_PPM), "vt": "num"}],
            ),
            self._node(
                "name",
                "function",
                "out",
                func=text + "msg.payload = 'ON'; return msg;",
                outputs=1,
            ),
            self._node("out", "mqtt out", "", topic=""),
        ]

    @staticmethod
    def _node(ident: str, kind: str, to: str, **fields: Any) -> dict[str, Any]:
        node = {"id": ident, "type": kind, "z": "tab", "wires": [[to]] if to else []}
        if kind.startswith("mqtt"):
            node |= {"broker": "broker", "qos": "0"}
        return node | fields

    def command(self) -> list[str]:
        """Return how it is started."""
        settings = str(self.folder / "settings.js")
        return ["node-red", "-u", str(self.folder), "-s", settings]
