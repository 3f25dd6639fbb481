"""Play tags of all four makers in one world: ``core.api.simulating`` steers it.

The options have the shape of the integration's own; port 0 takes a free one, a
serial ``port`` becomes a symlink to a pty, of its own folder where it is no whole
path. A section ``simulate`` says more:

    simulate: {rate_hz: 5, noise_m: 0.03, tags: {SOURCE_ID: [NODE, …]}}

Besides the common control lines: ``{"device": "dwm-3b5c", "set": {"location":
"6,5,1.2", "velocity": "1.2,0", "battery": 40, "quality": 90}}``, ``{"device":
"anchor-022e", "set": {"bias": 2.0}}``, state ``unresolved`` or ``normal``.
"""

import asyncio
import copy
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.api.simulating import Plant, main
from integrations.positioning import flow
from integrations.positioning.anchors import surveyed
from integrations.positioning.book import PREFIXES
from integrations.positioning.frame import Frame
from integrations.positioning.simbroker import SimBroker
from integrations.positioning.simshell import SimShell
from integrations.positioning.simstudio import SimStudio
from integrations.positioning.simulated import Form, SimTag, Teller, World

_FOLDER = "safehold-dwm1001-"
_NODES = {
    "dwm1001_uart": ["0f34"],
    "dwm1001_mqtt": ["3b5c"],
    "pozyx": ["1000001"],
    "sewio": ["18"],
}


class SimSource:
    """Hold one source: its tags, its teller, its door to the hub."""

    def __init__(self, options: dict[str, Any], tags: list[SimTag], world: World):
        self.options, self.tags = options, tags
        self.teller = Teller(world, Frame(options["frame"]))
        self.teller.mode = options.get("mode", "lec")
        self.broker: SimBroker | None = None
        self.shell: SimShell | None = None
        self.studio: SimStudio | None = None
        self.folder: Path | None = None
        """Made for the pty's link, and removed at the end."""

    async def start(self) -> None:
        """Open its door."""
        if self.shell is not None:
            self.shell.start()
        for server in (self.broker, self.studio):
            if server is not None:
                await server.start()

    async def stop(self) -> None:
        """Close its door."""
        if self.shell is not None:
            self.shell.stop()
        for server in (self.broker, self.studio):
            if server is not None:
                await server.stop()

    def drop(self) -> None:
        """Cut connections; a module at a wire starts anew."""
        if self.shell is not None:
            self.shell.reset()
        for server in (self.broker, self.studio):
            if server is not None:
                server.drop()


class Positions(Plant):
    """Play every source of the options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = copy.deepcopy(dict(options))
        simulate = given.pop("simulate", {})
        secrets = given.get("secrets", {})
        ports = _free(given)
        checked = flow.schema()(given)
        super().__init__(checked)
        self.world = World(surveyed(checked), simulate.get("noise_m", 0.03))
        self.period_s = 1 / simulate.get("rate_hz", 5)
        self.sources = [
            self._source(each, simulate.get("tags", {}), secrets, port)
            for each, port in zip(checked["sources"], ports, strict=True)
        ]
        self._tasks: set[asyncio.Task[None]] = set()

    def _source(
        self,
        options: dict[str, Any],
        tags: Mapping[str, list[str]],
        secrets: Mapping[str, str],
        port: int,
    ) -> SimSource:
        kind = options["kind"]
        prefix = options.get("prefix", PREFIXES[kind])
        made = []
        for index, node in enumerate(tags.get(options["id"], _NODES[kind])):
            at = (6.0 + index % 8, 5.0 + index // 8 % 8, 1.2)
            tag = SimTag(uid=f"{prefix}-{node}", node=node, at=at)
            self.world.tags[tag.uid] = tag
            made.append(tag)
        found = SimSource(options, made, self.world)
        if kind == "dwm1001_uart":
            node = made[0].node.upper()
            folder = Path(options["port"]).parent
            found.folder = folder if folder.name.startswith(_FOLDER) else None
            found.shell = SimShell(options["port"], f"DECA00000000{node}")
        elif kind == "sewio":
            key = secrets.get(options["api_key"], "")
            found.studio = SimStudio(key, lambda: self._feeds(found))
            found.studio.port = port
        else:
            broker = options["broker"]
            password = secrets.get(broker.get("password", ""), "")
            found.broker = SimBroker(port, broker.get("username", ""), password)
        return found

    def _feeds(self, source: SimSource) -> list[dict[str, Any]]:
        return [
            source.teller.feed(tag, self._stamp())
            for tag in source.tags
            if not tag.faults
        ]

    # --- Plant ----------------------------------------------------------------------

    async def start(self) -> dict[str, Any]:
        """Serve every source."""
        for source in self.sources:
            await source.start()
            if source.broker is not None:
                source.options["broker"]["port"] = source.broker.port
            if source.studio is not None:
                source.options["port"] = source.options["ws_port"] = source.studio.port
        self._spawn(self._run())
        options = {k: v for k, v in self.options.items() if k != "secrets"}
        return {"options": options, "secrets": self.options["secrets"]}

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for source in self.sources:
            await source.stop()
            if source.folder is not None:
                shutil.rmtree(source.folder, ignore_errors=True)

    async def do(self, what: str) -> None:
        """Drop, stop or start every source."""
        for source in self.sources:
            if what == "drop":
                source.drop()
            elif what == "stop":
                await source.stop()
            elif what == "start":
                await source.start()
            else:
                raise ValueError(f"cannot {what!r}; expected drop, stop or start")

    def put(self, uid: str, entity: str, value: Any) -> None:
        """Let a tag be, walk or fare; or an anchor measure wrongly."""
        if uid.startswith("anchor-"):
            name = uid.removeprefix("anchor-")
            if name not in self.world.anchors or entity != "bias":
                raise KeyError(f"{uid}/{entity}")
            self.world.bias[name] = float(value)
            return
        tag = self.world.tags[uid]
        if entity == "location":
            x, y, z = (float(part) for part in str(value).split(","))
            tag.at = x, y, z
        elif entity == "velocity":
            vx, vy = (float(part) for part in str(value).split(","))
            tag.speed = vx, vy
        elif entity in ("battery", "quality"):
            setattr(tag, entity, float(value))
        else:
            raise KeyError(entity)

    def enter(self, uid: str, state: str) -> None:
        """Let the engine find a tag, or not."""
        if state not in ("normal", "unresolved"):
            raise ValueError(f"no state {state!r}; expected normal or unresolved")
        self.world.tags[uid].resolved = state == "normal"

    def fault(self, uid: str, faults: Mapping[str, Any]) -> None:
        """Let exactly these faults stand."""
        name = uid.removeprefix("anchor-")
        if name in self.world.anchors:
            dead = bool(faults.get("silent"))
            (self.world.dead.add if dead else self.world.dead.discard)(name)
            return
        self.world.tags[uid].faults = dict(faults)

    # --- the turn -------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self.timer.sleep(self.period_s)
            self.world.step(self.period_s)
            for source in self.sources:
                for tag in source.tags:
                    self._tell(source, tag)

    def _stamp(self) -> float:
        return self.clock.wall_ns() / 1e9

    def _tell(self, source: SimSource, tag: SimTag) -> None:
        """Send one turn's frames of a tag, at once or late."""
        slow = float(tag.faults.get("slow") or 0)
        form = self._form(source)
        if form is None:
            return
        for data in source.teller.frames(tag, self._stamp(), form):
            if slow:
                self.timer.call_later(slow, partial(self._send, source, tag, data))
            else:
                self._send(source, tag, data)
        if tag.counter % 25 == 1 and source.options["kind"] == "dwm1001_mqtt":
            self._status(source, tag)

    @staticmethod
    def _form(source: SimSource) -> Form | None:
        """Return what a source says now; None while its shell streams nothing."""
        teller = source.teller
        if source.shell is not None:
            teller.mode = source.shell.streaming or teller.mode
            return teller.line if source.shell.streaming else None
        if source.studio is not None:
            return teller.push
        return teller.pozyx if source.options["kind"] == "pozyx" else teller.dwm

    def _send(self, source: SimSource, tag: SimTag, data: bytes) -> None:
        if source.shell is not None:
            cut = bool(tag.faults.get("half"))
            source.shell.say(data if cut else data + b"\r\n")
        elif source.broker is not None:
            if source.options["kind"] == "pozyx":
                source.broker.publish(source.options["topic"], data)
            else:
                prefix = source.options["prefixes"][0]
                topic = f"{prefix}/node/{tag.node}/uplink/location"
                source.broker.publish(topic, data)
        elif source.studio is not None:
            self._spawn(source.studio.push(tag.node, data))

    def _status(self, source: SimSource, tag: SimTag) -> None:
        if source.broker is not None and not tag.faults.get("silent"):
            prefix = source.options["prefixes"][0]
            payload = f'{{"present":true,"batt":{tag.battery:.0f}}}'.encode()
            topic = f"{prefix}/node/{tag.node}/uplink/status"
            source.broker.publish(topic, payload, retain=True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _free(given: dict[str, Any]) -> list[int]:
    """Return the wanted ports, 0 for free ones, and make the options checkable."""
    found = []
    for source in given.get("sources", ()):
        kind = source.get("kind")
        if kind == "sewio":
            found.append(int(source.get("port", 0)))
            source["port"] = source["ws_port"] = found[-1] or 1
            source.setdefault("host", "127.0.0.1")
        elif kind == "dwm1001_uart":
            found.append(0)
            if not source["port"].startswith("/"):
                folder = tempfile.mkdtemp(prefix=_FOLDER)
                source["port"] = str(Path(folder) / source["port"])
        else:
            broker = source.get("broker")
            broker = dict(broker) if isinstance(broker, dict) else {}
            broker.setdefault("host", "127.0.0.1")
            found.append(int(broker.get("port", 0)))
            broker["port"] = found[-1] or 1
            source["broker"] = broker
    return found


if __name__ == "__main__":
    sys.exit(main("positioning", Positions))
