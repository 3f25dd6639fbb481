"""Shelly relays over real WebSockets: read-back, trips, calls that never end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from core.api import KEEP, Command, CommandState, Quality, asking
from core.clock import NS
from integrations.shelly import flow
from integrations.shelly.integration import ShellyIntegration
from integrations.shelly.relay import TRIP_S
from integrations.shelly.simulated import SimulatedRelay
from integrations.shelly.simulator import Simulator
from tests.support.host import FakeHost, Report, Running
from tests.support.waiting import until

MAC = "EC62608AB123"
DELIVERED, CONFIRMED = CommandState.DELIVERED, CommandState.CONFIRMED
FAILED, EXPIRED = CommandState.FAILED, CommandState.EXPIRED
OUTPUTS = {
    "0": "siren",
    "1": {"kind": "power_cut", "fail_safe": "on", "inverted": True},
    "2": {"kind": "lamp", "fail_safe": "off"},
}


class Site:
    """Hold simulator, host and driver of one test."""

    def __init__(self, simulator: Simulator, options: dict[str, Any]) -> None:
        self.simulator = simulator
        self.host = FakeHost(options)
        self.driver = ShellyIntegration(self.host)

    @property
    def relay(self) -> SimulatedRelay:
        """Return the simulated device."""
        return self.simulator.stations[MAC].relay

    async def tell(self, **order: Any) -> None:
        """Send the simulator one line that must be accepted."""
        assert await self.simulator.order(json.dumps(order)) == {"ok": True}

    async def shows(self, entity: str, **wanted: Any) -> Report:
        """Wait for a reading with these fields."""

        def holds() -> bool:
            last = self.host.last(MAC, entity)
            return last is not None and all(
                getattr(last, name) == value for name, value in wanted.items()
            )

        await until(holds, f"{entity} {wanted}")
        found = self.host.last(MAC, entity)
        assert found is not None
        return found

    async def order(
        self, entity: str, value: bool, in_s: float = 5.0, **more: Any
    ) -> list[CommandState]:
        """Carry out a command; return the states it went through."""
        ident = f"c{len(self.host.results)}"
        command = Command(
            id=ident,
            device_uid=MAC,
            entity_uid=entity,
            value=value,
            deadline_ns=self.host.clock.mono_ns() + int(in_s * NS),
            **more,
        )
        await self.driver.command(command)
        return self.host.states(ident)


@asynccontextmanager
async def running(
    password: str = "", given: str = "", **more: Any
) -> AsyncIterator[Site]:
    device = {"host": "127.0.0.1", "port": 0, "mac": MAC, "channels": 3, "poll_s": 0.3}
    device |= {"outputs": OUTPUTS, **more}
    if password:
        device["password"] = "shelly.box"
    simulator = Simulator({"devices": [device]}, {"shelly.box": password})
    options = await simulator.start()
    options["secrets"] = {"shelly.box": given or password}
    site = Site(simulator, options)
    try:
        async with Running(site.driver), asyncio.TaskGroup() as group:
            group.create_task(simulator.run())
            try:
                yield site
            finally:
                simulator.stopped.set()
    finally:
        await simulator.close()


async def test_a_command_is_confirmed_by_the_relays_own_status() -> None:
    """Requirement 1.15; the password is proved, not told."""
    async with running(password="correct-horse") as site:
        await site.shows("switch:0", value=False, quality=Quality.GOOD)
        assert await site.order("switch:0", True) == [DELIVERED, CONFIRMED]
        await site.shows("switch:0", value=True, quality=Quality.GOOD)
        assert site.host.links[MAC] == (True, "")


async def tried(site: Site, password: str, **changes: Any) -> dict[str, Any]:
    """Return what the set-up form's test of the connection answers."""
    [device] = site.host.options["devices"]
    options = flow.schema()({"devices": [{**device, **changes}]})
    given = {"options": options, "secrets": {"shelly.box": password}}
    return await asyncio.to_thread(asking.answer, flow, "schema", "probe", given)


def failed(answer: dict[str, Any]) -> str:
    """Return the code of the one error."""
    [error] = answer["errors"]
    return str(error["code"])


async def test_the_connection_is_tried_before_it_is_saved() -> None:
    """Design §5: enrolment proves; a trial moves nothing and tells what is wrong."""
    async with running(password="correct-horse") as site:
        await site.shows("switch:0", quality=Quality.GOOD)
        told = await tried(site, "correct-horse")
        assert told == {"facts": {MAC: "SPSW-202XE16EU 0 1 2"}}
        assert failed(await tried(site, "wrong")) == "shelly.auth"
        assert failed(await tried(site, "")) == "shelly.auth"
        other = await tried(site, "correct-horse", mac="EC62608AB999")
        assert failed(other) == "shelly.wrong_device"
        away = await tried(site, "correct-horse", outputs={"7": "siren"})
        assert failed(away) == "shelly.no_channel"
        assert site.relay.asked == []
        await site.tell(do="stop")
        gone = await tried(site, "correct-horse")
        assert failed(gone) == "shelly.unreachable"


async def test_a_stranger_that_asks_for_the_password_gets_no_proof_of_it() -> None:
    """Design §5: nothing of a secret goes to a peer that has not said who it is."""
    heard: list[dict[str, Any]] = []
    asks = json.dumps({"auth_type": "digest", "nonce": 1, "nc": 1, "realm": "shelly"})

    async def stranger(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            heard.append(order := json.loads(message.data))
            no = {"code": 401, "message": asks[:-1] + ', "algorithm": "SHA-256"}'}
            await socket.send_json({"id": order["id"], "error": no})
        return socket

    app = web.Application()
    app.router.add_get("/rpc", stranger)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        place = web.TCPSite(runner, "127.0.0.1", 0)
        await place.start()
        [(_, port, *_)] = runner.addresses
        device = {"host": "127.0.0.1", "port": port, "mac": MAC, "password": "k"}
        given = {"options": flow.schema()({"devices": [device]}), "secrets": {"k": "s"}}
        told = await asyncio.to_thread(asking.answer, flow, "schema", "probe", given)
        assert failed(told) == "shelly.auth"
        assert [sorted(each) for each in heard] == [["id", "method", "src"]]
    finally:
        await runner.cleanup()


async def test_a_relay_that_answers_and_does_not_move_fails() -> None:
    async with running() as site:
        await site.shows("switch:0", quality=Quality.GOOD)
        await site.tell(device=MAC, fault={"stuck": True})
        assert await site.order("switch:0", True, in_s=1.0) == [DELIVERED, FAILED]


async def test_a_siren_is_never_given_a_time_after_which_it_ends() -> None:
    """Design §5: sirens never use a self-timed off."""
    async with running() as site:
        await site.shows("switch:0", quality=Quality.GOOD)
        await site.order("switch:0", True)
        assert site.relay.asked == [{"id": 0, "on": True}]


async def test_a_siren_that_the_device_would_end_by_itself_is_a_fault() -> None:
    async with running() as site:
        site.relay.auto_off[0] = True
        site.simulator.stations[MAC].drop()
        await site.shows("switch:0", quality=Quality.FAULT, reason="shelly.self_timed")
        assert site.host.counts["shelly.self_timed"] >= 1


async def test_an_ignition_source_trips_without_the_hub_and_stays_tripped() -> None:
    """Design §5: trips on loss of the hub, and is never restored by itself."""
    async with running() as site:
        await site.shows("switch:1", value=True, quality=Quality.GOOD)
        assert await site.order("switch:1", False) == [DELIVERED, CONFIRMED]
        assert site.relay.asked[-1] == {"id": 1, "on": True, "toggle_after": TRIP_S}
        kept = await site.order("switch:1", False, priority=KEEP)
        assert kept == [DELIVERED, CONFIRMED]
        await site.shows("switch:1", value=False, quality=Quality.GOOD)
        site.relay.trips_s[1] = 0.01
        await site.shows("switch:1", value=True, quality=Quality.GOOD)
        asked = len(site.relay.asked)
        assert await site.order("switch:1", False, priority=KEEP) == [FAILED]
        assert len(site.relay.asked) == asked and not site.relay.on[1]


async def test_cutting_power_waits_for_nothing() -> None:
    async with running() as site:
        await site.shows("switch:1", quality=Quality.GOOD)
        await site.order("switch:1", False)
        assert await site.order("switch:1", True) == [DELIVERED, CONFIRMED]
        assert site.relay.asked[-1] == {"id": 1, "on": False}


async def test_a_heartbeat_lamp_goes_dark_without_the_hub() -> None:
    async with running() as site:
        await site.shows("switch:2", quality=Quality.GOOD)
        await site.order("switch:2", True)
        assert site.relay.asked[-1]["toggle_after"] == TRIP_S
        await site.order("switch:2", False)
        assert "toggle_after" not in site.relay.asked[-1]


async def test_a_stranger_at_the_address_is_told_nothing() -> None:
    """R27: identity by the hardware address, never by the place."""
    async with running(password="correct-horse") as site:
        site.relay.uid = "EC62608AB999"
        site.simulator.stations[MAC].drop()
        await until(
            lambda: site.host.links.get(MAC) == (False, "shelly.wrong_device"), "it"
        )
        last = site.host.last(MAC, "switch:0")
        assert last is not None and last.quality is not Quality.GOOD


async def test_a_wrong_password_is_told() -> None:
    async with running(password="correct-horse", given="wrong-horse") as site:
        await until(lambda: site.host.links.get(MAC) == (False, "shelly.auth"), "it")
        last = site.host.last(MAC, "switch:0")
        assert last is not None and last.quality is Quality.NOT_PRESENT


async def test_a_command_survives_a_cut_connection() -> None:
    async with running() as site:
        await site.shows("switch:0", quality=Quality.GOOD)
        await site.tell(do="stop")
        waiting = asyncio.create_task(site.order("switch:0", True, in_s=20.0))
        await site.shows("switch:0", quality=Quality.FAULT)
        await site.tell(do="start")
        assert (await waiting)[-1] is CONFIRMED


async def test_what_the_site_gave_no_meaning_is_shown_and_not_moved() -> None:
    async with running(outputs={}) as site:
        await site.shows("switch:0", value=False, quality=Quality.GOOD)
        kinds = {e.uid: e.kind for e in site.host.devices[MAC].entities}
        assert kinds["switch:0"] == "binary"
        assert await site.order("switch:0", True) == [FAILED]


@pytest.mark.parametrize(("value", "code"), [(3.5, "bad_value"), ("on", "bad_value")])
async def test_only_on_and_off(value: Any, code: str) -> None:
    async with running() as site:
        await site.shows("switch:0", quality=Quality.GOOD)
        assert await site.order("switch:0", value) == [FAILED]
        assert site.host.results["c0"][0][1] == f"shelly.{code}"


async def test_late_is_late() -> None:
    async with running() as site:
        await site.shows("switch:0", quality=Quality.GOOD)
        assert await site.order("switch:0", True, in_s=-1.0) == [EXPIRED]
