"""Flows on a real hub: forms, trials, secrets, arming, changing (issue 5 §2)."""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.registry.acts import EnrolDevice
from core.registry.facts import Possession
from core.registry.secrets import NAME
from frontend_api.claim import CLAIM_FILE
from tests.process.test_config_faults import published
from tests.support.client import Client, RefusedError
from tests.support.site import RunningHub
from tests.support.waiting import pause, until

ACME = Path(__file__).parent / "acme"
SITE = """
site: {id: s, names: {en: S, zh: 站}, language: en}
levels: [{id: l, names: {en: L, zh: 层}, z: 0}]
zones: [{id: z, names: {en: Z, zh: 区}, level: l, polygon: [[0,0],[9,0],[9,9]]}]
people:
  - {id: own, name: Own, roles: [owner]}
  - {id: mia, name: Mia, roles: [maintainer]}
"""
SECRET = "quite a long secret 4711"
OTHER = "another long secret 4712"
pytestmark = pytest.mark.timeout(180)


class Peer:
    """Listen as the gateway that is set up, and keep what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.answer = "fw 2.1"

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.heard.append((await reader.readline()).decode().strip())
        writer.write(self.answer.encode() + b"\n")
        await writer.drain()
        writer.close()


class Site:
    """Hold a running hub, its owner, and the peer that is set up."""

    def __init__(self, hub: RunningHub, owner: Client, peer: Peer, port: int) -> None:
        self.hub, self.owner, self.peer, self.port = hub, owner, peer, port
        self.address = ""

    async def start(self, **asked: Any) -> dict[str, Any]:
        return dict(await self.owner.post("/api/v1/setup", asked))

    async def go(self, flow: dict[str, Any], what: str, **asked: Any) -> dict[str, Any]:
        return dict(await self.owner.post(f"/api/v1/setup/{flow['id']}/{what}", asked))

    async def fill(self, flow: dict[str, Any], **values: Any) -> dict[str, Any]:
        """Fill in both steps."""
        place = {"host": "127.0.0.1", "port": self.port, **values}
        found = await self.go(flow, "step", step="place", values=place)
        assert found["errors"] == []
        return await self.go(found, "step", step="name", values={"serial": "AC-778899"})

    async def set_up(self, **values: Any) -> dict[str, Any]:
        flow = await self.start(integration="acme", instance="gate")
        flow = await self.fill(flow, **values)
        return await self.go(flow, "finish")

    async def instance(self) -> dict[str, Any]:
        every = await self.owner.get("/api/v1/integrations")
        (found,) = [e for e in every["instances"] if e["id"] == "gate"]
        return dict(found)

    def secrets(self) -> dict[str, str]:
        text = (self.hub.data / "keys" / NAME).read_text()
        return {k: v for k, v in json.loads(text).items() if k.startswith("gate.")}

    def told(self, word: str) -> list[Path]:
        """Return the files, other than the store, that hold a word."""
        files = [f for f in self.hub.data.rglob("*") if f.is_file()]
        files = [f for f in files if "keys" not in f.relative_to(self.hub.data).parts]
        return [f for f in (*files, self.hub.log) if word.encode() in f.read_bytes()]


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[Site]:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "site.yaml").write_text(SITE, "utf-8")
    data = tmp_path / "data"
    shutil.copytree(ACME, data / "custom_integrations" / "acme")
    with socket.create_server(("127.0.0.1", 0)) as free:
        web = free.getsockname()[1]
    args = ("--without", "notifier", "--without", "discovery", "--port", str(web))
    peer = Peer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with RunningHub(data, args=args) as hub:
        assert await published(str(folder), "--data", str(data)) == 0
        await until(lambda: _open(web), "the gateway")
        owner = Client(f"http://127.0.0.1:{web}", "own")
        try:
            await owner.claim((data / CLAIM_FILE).read_text("ascii").strip())
            site = Site(hub, owner, peer, port)
            site.address = f"http://127.0.0.1:{web}"
            yield site
        finally:
            await owner.close()
            server.close()


def _open(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(1.0)
        return sock.connect_ex(("127.0.0.1", port)) == 0


async def test_a_flow_of_steps_ends_in_an_armed_instance(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        every = await site.owner.get("/api/v1/integrations")
        assert {"modbus", "mqtt", "acme"} <= {each["id"] for each in every["items"]}
        flow = await site.start(integration="acme", instance="gate")
        assert [step["id"] for step in flow["steps"]] == ["place", "name"]
        fields = flow["form"]["properties"]
        assert fields["port"] == {"type": "integer", "minimum": 1, "maximum": 65535}
        assert fields["password"]["x-secret"] is True
        assert fields["host"]["x-label"] == {"zh": "地址", "en": "Address"}
        bad = await site.go(flow, "step", step="place", values={"port": 0})
        assert [each["path"] for each in bad["errors"]] == [["port"], ["host"]] or [
            each["path"] for each in bad["errors"]
        ] == [["host"], ["port"]]
        flow = await site.fill(flow, password=SECRET)
        assert (flow["state"], flow["errors"]) == ("ready", [])
        assert SECRET not in json.dumps(flow)
        flow = await site.go(flow, "test")
        assert (flow["tested"], flow["facts"]) == ("ok", {"firmware": "fw 2.1"})
        assert site.peer.heard == [SECRET]
        flow = await site.go(flow, "finish")
        assert (flow["state"], flow["refused"]) == ("armed", None)
        # Its name stands in the bundle, its value in one file.
        assert site.secrets() == {"gate.password": SECRET}
        assert site.told(SECRET) == []
        await until(
            lambda: site.hub.child("host:gate").get("state") == "running", "it runs"
        )
        await _enrolled(site)
        # What was set up here survives the site's files.
        folder = tmp_path / "config"
        assert await published(str(folder), "--data", str(site.hub.data)) == 0
        assert (await site.instance())["own"] is True


async def _enrolled(site: Site) -> None:
    """Enrol the detector by the key that its driver accepted."""
    waiting: list[dict[str, Any]] = []

    async def looked() -> bool:
        found = await site.owner.get("/api/v1/waiting-devices")
        waiting[:] = found["items"]
        return bool(waiting)

    async with asyncio.timeout(90):
        while not await looked():
            await pause(0.1)
    (row,) = waiting
    assert (row["uid"], row["proof"], row["keyed"]) == (
        "AC-778899", ["key", "code"], True
    )  # fmt: skip
    act = EnrolDevice(
        integration="gate",
        uid=row["uid"],
        zone_id="z",
        possession=Possession(kind="key"),
    )
    await site.owner.enrol()
    assert await site.owner.act(act)


async def test_a_peer_that_was_only_found_hears_no_secret(tmp_path: Path) -> None:
    """Secrets are never sent to an unproven peer."""
    finding = {"name": "acme", "key": "serial:ac778899", "address": "127.0.0.1"}
    async with running(tmp_path) as site:
        found = {**finding, "port": str(site.port)}
        flow = await site.start(integration="acme", instance="gate", finding=found)
        assert flow["values"] == {"host": "127.0.0.1", "port": site.port}
        flow = await site.fill(flow, password=SECRET)
        flow = await site.go(flow, "test")
        assert (flow["tested"], site.peer.heard) == ("unproven", [])
        wrong = {"kind": "code", "detail": "112233"}
        flow = await site.go(flow, "test", proof=wrong)
        assert (flow["tested"], site.peer.heard) == ("unproven", [])
        with pytest.raises(RefusedError, match="setup_unproven"):
            await site.go(flow, "finish")
        right = {"kind": "code", "detail": "AC-778899"}
        flow = await site.go(flow, "test", proof=right)
        assert (flow["tested"], site.peer.heard) == ("ok", [SECRET])


async def test_wrong_credentials_are_told_and_entered_again(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        site.peer.answer = "no"
        flow = await site.start(integration="acme", instance="gate")
        flow = await site.fill(flow, password="wrong")
        flow = await site.go(flow, "finish")
        assert (flow["state"], flow["tested"]) == ("ready", "failed")
        assert flow["errors"][0]["code"] == "device.auth"
        flow = await site.go(flow, "finish", untested=True)
        assert flow["state"] == "armed"
        async with asyncio.timeout(90):
            while not (await site.instance())["reauthenticate"]:
                await pause(0.1)
        site.peer.answer = "fw 2.2"
        again = await site.start(instance="gate", kind="authenticate")
        assert again["stored"] == [["password"]]
        again = await site.fill(again, password=OTHER)
        again = await site.go(again, "finish")
        assert again["state"] == "armed"
        # The new one has a name of its own, and the old one is forgotten.
        assert site.secrets() == {"gate.password.2": OTHER}
        async with asyncio.timeout(90):
            while (await site.instance())["reauthenticate"]:
                await pause(0.1)


async def test_what_is_not_typed_anew_stays(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        assert (await site.set_up(password=SECRET))["state"] == "armed"
        flow = await site.start(instance="gate", kind="change")
        assert flow["values"] == {
            "host": "127.0.0.1", "port": site.port, "password": ""
        }  # fmt: skip
        flow = await site.fill(flow)
        flow = await site.go(flow, "finish")
        assert flow["state"] == "armed"
        assert site.secrets() == {"gate.password": SECRET}
        assert site.peer.heard[-1] == SECRET
        # Another address is another peer: what is stored does not go there either.
        moved = {"name": "x", "key": "serial:zz9988", "address": "127.0.0.1"}
        found = {**moved, "port": str(site.port)}
        other = await site.start(instance="gate", kind="change", finding=found)
        other = await site.fill(other)
        with pytest.raises(RefusedError, match="setup_unproven"):
            await site.go(other, "finish")
        gone = await site.start(instance="gate", kind="remove")
        gone = await site.go(gone, "finish")
        assert gone["state"] == "armed"
        every = await site.owner.get("/api/v1/integrations")
        assert every["instances"] == []
        assert site.secrets() == {}


async def test_a_flow_is_its_persons_own_and_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        flow = await site.start(integration="acme", instance="gate")
        flow = await site.fill(flow, password=SECRET)
        mia = Client(site.address, "mia")
        try:
            await mia.join(await site.owner.invite("mia"))
            with pytest.raises(RefusedError, match="not_found"):
                await mia.get(f"/api/v1/setup/{flow['id']}")
            mine = Site(site.hub, mia, site.peer, site.port)
            own = await mine.set_up(password=OTHER)
            # A maintainer sets up; who may put it in force is another's to say.
            assert (own["state"], own["refused_code"]) == ("drafted", "act.role")
            every = await site.owner.get("/api/v1/integrations")
            assert [each["hash"] for each in every["drafts"]] == [own["hash"]]
            assert OTHER in site.secrets().values()
            await mia.delete(f"/api/v1/setup/{own['id']}")
            assert OTHER not in site.secrets().values()
            every = await site.owner.get("/api/v1/integrations")
            assert every["drafts"] == []
        finally:
            await mia.close()
        await site.owner.delete(f"/api/v1/setup/{flow['id']}")
        with pytest.raises(RefusedError, match="not_found"):
            await site.owner.get(f"/api/v1/setup/{flow['id']}")
        assert SECRET not in (site.hub.data / "keys" / NAME).read_text()
        assert site.told(SECRET) == []


async def test_unknown_things_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        with pytest.raises(RefusedError, match="setup_refused"):
            await site.start(integration="nothing", instance="x")
        with pytest.raises(RefusedError, match="not_found"):
            await site.start(instance="gate", kind="change")
        flow = await site.start(integration="acme", instance="gate")
        for what in ("finish", "test"):
            with pytest.raises(RefusedError, match="setup_step"):
                await site.go(flow, what)
        with pytest.raises(RefusedError, match="setup_step"):
            await site.go(flow, "step", step="name", values={})
