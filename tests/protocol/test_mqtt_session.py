"""Sessions, the safety lane and commands against a real mosquitto.

Issue: QoS 1, persistent session, own reconnect, 3.1.1 as a fallback; design §2:
a broker's message is acknowledged to the broker after it is durable.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.api import AuthError, Command, CommandState, ConfigError, Quality
from core.clock import NS
from integrations.mqtt.integration import MqttIntegration
from tests.support.broker import OwnBroker, free_port
from tests.support.host import FakeHost, Running
from tests.support.mqtt_device import MqttDevice
from tests.support.waiting import until

MAP = {
    "map": "site",
    "version": 1,
    "names": {"zh": "现场", "en": "Site"},
    "topics": [
        {
            "topic": "helmet/+/event",
            "device": {"uid": "helmet-{1}"},
            "events": [{"uid": "sos", "kind": "sos", "id": "id"}],
        },
        {
            "topic": "gas/+/state",
            "device": {"uid": "{1}"},
            "entities": [{"uid": "h2s", "kind": "gas", "path": "h2s", "unit": "ppm"}],
        },
        {
            "topic": "siren/+/state",
            "device": {"uid": "siren-{1}"},
            "entities": [
                {
                    "uid": "siren",
                    "kind": "output",
                    "output": "siren",
                    "on": "ON",
                    "off": "OFF",
                    "command": {"topic": "siren/{1}/set"},
                }
            ],
        },
    ],
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnBroker]:
    found = OwnBroker(tmp_path, ("sim=#", "h07"))
    found.start()
    yield found
    found.stop()


@asynccontextmanager
async def hub_on(
    broker: OwnBroker, **more: object
) -> AsyncIterator[tuple[FakeHost, MqttIntegration]]:
    host = FakeHost(broker.options(maps=[MAP], **more))
    hub = MqttIntegration(host)
    async with Running(hub):
        await until(lambda: hub.client.hears("siren/+/state"), "the session")
        yield host, hub


def sos(number: int) -> str:
    return json.dumps({"id": number})


def ids(host: FakeHost) -> list[str]:
    return [event.event_id.rpartition("#")[2] for event in host.events]


async def test_a_wrong_password_stops_until_the_configuration_changes(
    broker: OwnBroker,
) -> None:
    options = broker.options(secrets={"mqtt.hub": "guess"})
    with pytest.raises(AuthError):
        await asyncio.wait_for(MqttIntegration(FakeHost(options)).run(), 20)


async def test_an_event_is_acknowledged_only_once_it_is_durable(
    broker: OwnBroker,
) -> None:
    """Design §2: the hub dies before its disk answers; the broker sends again."""
    with MqttDevice(broker) as device:
        async with hub_on(broker) as (host, _):
            host.durable.clear()
            device.say("helmet/h1/event", sos(1))
            await until(lambda: ids(host) == ["1"], "the event reaches the core")
        device.say("helmet/h1/event", sos(2))
        async with hub_on(broker) as (host, hub):
            await until(lambda: sorted(ids(host)) == ["1", "2"], "both come again")
            await until(lambda: not hub.doubt, "the broker's queue is drained")
        async with hub_on(broker) as (host, hub):
            await until(lambda: not hub.doubt, "the broker's queue is drained")
            assert host.events == [], "what was durable is not sent a third time"


async def test_nothing_of_the_safety_lane_is_lost_when_the_broker_restarts(
    broker: OwnBroker,
) -> None:
    """Issue: broker killed and restarted (R30)."""
    async with hub_on(broker) as (host, hub):
        with MqttDevice(broker) as device:
            host.durable.clear()
            for number in range(5):
                device.say("helmet/h1/event", sos(number))
            await until(lambda: len(host.events) >= 5, "the events")
        # Nothing is acknowledged yet: mosquitto must hold all five over its restart.
        await broker.restart()
        await until(lambda: hub.client.counters.sessions == 2, "the second session")
        assert host.links[""] == (True, "")
        assert (False, "mqtt.broker_lost") in [link[1:] for link in host.link_history]
        with MqttDevice(broker) as device:
            device.say("helmet/h1/event", sos(5))
            await until(lambda: "5" in ids(host), "an event after the restart")
            host.durable.set()
            await until(lambda: not hub.doubt, "the queue is drained")
        assert set(ids(host)) == {str(n) for n in range(6)}


async def test_a_killed_broker_is_found_again(broker: OwnBroker) -> None:
    async with hub_on(broker) as (host, hub):
        broker.stop(signal.SIGKILL)
        await until(lambda: host.links[""] == (False, "mqtt.broker_lost"), "the loss")
        broker.start()
        await until(lambda: host.links[""] == (True, ""), "the return")
        with MqttDevice(broker) as device:
            await until(lambda: hub.client.hears("gas/+/state"), "the subscription")
            await until(lambda: not hub.doubt, "no doubt is left")
            device.say("gas/g1/state", '{"h2s": 4}')
            await until(lambda: host.last("g1", "h2s"), "a reading")
            last = host.last("g1", "h2s")
            assert last is not None
            assert last[:2] == (4, Quality.GOOD)


async def test_what_the_broker_kept_for_us_proves_nothing(broker: OwnBroker) -> None:
    """Design §5 Truth: an hour-old reading from the queue is no fresh evidence."""
    async with hub_on(broker):
        pass
    with MqttDevice(broker) as device:
        device.say("gas/g1/state", '{"h2s": 0}')
        async with hub_on(broker) as (host, hub):
            await until(lambda: host.last("g1", "h2s"), "the queued reading")
            last = host.last("g1", "h2s")
            assert last is not None
            assert last[:3] == (0, Quality.UNCERTAIN, "mqtt.replayed")
            await until(lambda: not hub.doubt, "the marker is back")
            device.say("gas/g1/state", '{"h2s": 0}')
            await until(lambda: len(host.reports["g1", "h2s"]) == 2, "a live reading")
            assert host.reports["g1", "h2s"][1].quality == Quality.GOOD


async def test_a_broker_of_3_1_1_is_spoken_to_in_3_1_1(broker: OwnBroker) -> None:
    async with Downgrade(broker.port) as gate:
        options = broker.options(maps=[MAP], port=gate.port)
        host = FakeHost(options)
        hub = MqttIntegration(host)
        async with Running(hub):
            await until(lambda: hub.client.hears("helmet/+/event"), "the session")
            assert hub.diagnostics()["broker"]["version"] == "MQTTv311"
            assert host.counts["mqtt.version_fallback"] == 1
            with MqttDevice(broker) as device:
                device.say("helmet/h1/event", sos(1))
                await until(lambda: ids(host) == ["1"], "an event")
                device.say("gas/g1/state", '{"h2s": 2.5}')
                await until(lambda: host.last("g1", "h2s"), "a reading")


class Downgrade:
    """A gate before the broker that refuses MQTT 5, as a broker of 3.1.1 does."""

    def __init__(self, to: int) -> None:
        self.port = free_port()
        self._to = to
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Downgrade":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first = await reader.read(4096)
        if first[8] == 5:
            writer.write(b"\x20\x02\x00\x01")
            await writer.drain()
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        back.write(first)
        loop = asyncio.get_running_loop()
        for source, sink in ((reader, back), (there, writer)):
            task = loop.create_task(self._copy(source, sink))
            self._tasks.add(task)

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except OSError:
            return
        finally:
            sink.close()


async def test_the_acl_keeps_a_device_to_its_own_topics(broker: OwnBroker) -> None:
    """Issue: generated password and ACL; a device cannot speak for another."""
    async with hub_on(broker) as (host, _):
        with MqttDevice(broker, "h07") as helmet:
            helmet.say("helmet/h08/event", sos(1))
            helmet.say("safehold/hub/safehold/marker", b"x")
            helmet.say("siren/s1/state", "OFF")
            helmet.say("helmet/h07/event", sos(2))
            await until(lambda: host.events, "the helmet's own event")
            assert len(helmet.refused) == 3
        assert [e.device_uid for e in host.events] == ["helmet-h07"]


# --- commands ------------------------------------------------------------------


def order(
    host: FakeHost, value: bool, ident: str = "c1", seconds: float = 5
) -> Command:
    deadline = host.clock.mono_ns() + int(seconds * NS)
    return Command(
        id=ident,
        device_uid="siren-s1",
        entity_uid="siren",
        value=value,
        deadline_ns=deadline,
    )


async def test_a_command_is_confirmed_by_the_devices_own_state(
    broker: OwnBroker,
) -> None:
    """Requirement 1.15: CONFIRMED only from a read-back."""
    with MqttDevice(broker, listen="siren/s1/set") as siren:
        siren.answer["siren/s1/set"] = (
            "siren/s1/state",
            {b"ON": b"ON", b"OFF": b"OFF"},
        )
        async with hub_on(broker) as (host, hub):
            siren.say("siren/s1/state", "OFF")
            await until(lambda: host.last("siren-s1", "siren"), "the siren's state")
            await hub.command(order(host, True))
            await until(lambda: host.states("c1")[-1:] == ["confirmed"], "confirmation")
            assert set(host.states("c1")) <= {
                CommandState.DELIVERED,
                CommandState.CONFIRMED,
            }
            await hub.command(order(host, True))
            assert host.states("c1")[-1] is CommandState.CONFIRMED
            sent = [payload for topic, payload, _ in siren.heard if "set" in topic]
            assert sent == [b"ON"], "a command offered twice runs once"


async def test_a_stuck_output_is_a_failure(broker: OwnBroker) -> None:
    with MqttDevice(broker, listen="siren/s1/set") as siren:
        siren.answer["siren/s1/set"] = ("siren/s1/state", {b"ON": b"OFF"})
        siren.say("siren/s1/state", "ON", retain=True)
        async with hub_on(broker) as (host, hub):
            await until(lambda: host.last("siren-s1", "siren"), "the siren's state")
            await hub.command(order(host, True, seconds=0.4))
            await until(lambda: "failed" in host.states("c1"), "the failure")
            assert host.results["c1"][-1] == (
                CommandState.FAILED,
                "mqtt.contrary_state",
            )
            await hub.command(order(host, False, "c2", 0.4))
            await until(lambda: "failed" in host.states("c2"), "the failure")
            assert host.results["c2"][-1] == (CommandState.FAILED, "mqtt.no_read_back")


async def test_a_command_that_cannot_go_out_in_time_expires(broker: OwnBroker) -> None:
    with MqttDevice(broker, listen="siren/s1/set") as siren:
        siren.say("siren/s1/state", "OFF", retain=True)
        async with hub_on(broker) as (host, hub):
            await until(lambda: host.last("siren-s1", "siren"), "the siren's state")
            await asyncio.to_thread(broker.stop)
            await until(lambda: not hub.client.connected, "the loss")
            await hub.command(order(host, True, seconds=0.3))
            await until(lambda: host.states("c1") == ["expired"], "the expiry")
            await hub.command(order(host, True, "c2", seconds=60))
            await asyncio.to_thread(broker.start)
            await until(lambda: hub.client.connected, "the return")
            # The hub is back before the siren is: it says the command again.
            await until(lambda: b"ON" in [h[1] for h in siren.heard], "the command")
            assert host.states("c1") == ["expired"], "the late one never went out"


async def test_an_unknown_target_is_a_failure(broker: OwnBroker) -> None:
    """Design §5 Commands: a target that resolves to nothing is a failure."""
    async with hub_on(broker) as (host, hub):
        await hub.command(order(host, True))
        assert host.results["c1"] == [(CommandState.FAILED, "mqtt.no_output")]


def test_wrong_options_name_the_place() -> None:
    with pytest.raises(ConfigError, match=r"broker\.port|port"):
        MqttIntegration(FakeHost({"broker": {"host": "b", "port": 70_000}}))
