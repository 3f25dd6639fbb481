"""Helmets of JT/T 808 over real TCP: who proves nothing is deaf and dumb here."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.api import Command, CommandState, Quality
from core.clock import NS
from integrations.helmet import body
from integrations.helmet.frame import Frame, Splitter, build, parse, unbcd
from integrations.helmet.integration import HelmetIntegration
from integrations.helmet.simulator import Helmets
from integrations.helmet.terminal import code_of
from tests.support.host import FakeHost, Running
from tests.support.waiting import pause, until

PHONE, UID = "013800000007", "jt808-13800000007"
SECRETS = {"site": "code-of-the-site"}
LISTED = {"phone": "13800000007", "name": "Helmet 7", "serial": "T-7"}


class Wire:
    """Speak to the hub byte by byte."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader, self.writer = reader, writer
        self.splitter = Splitter()
        self.got: list[Frame] = []
        self.seq = 0

    def send(self, number: int, content: bytes, phone: str = PHONE) -> int:
        """Send a message; return its number."""
        self.seq += 1
        self.writer.write(build(Frame(number, phone, self.seq, content)))
        return self.seq

    async def answer(self, number: int = body.GENERAL) -> Frame:
        """Return the next message of a kind."""
        async with asyncio.timeout(5):
            while True:
                for at, frame in enumerate(self.got):
                    if frame.id == number:
                        return self.got.pop(at)
                data = await self.reader.read(4096)
                if not data:
                    raise ConnectionError
                self.got += map(parse, self.splitter.feed(data))

    async def result(self) -> int:
        """Return the result of the next general answer."""
        return body.answer((await self.answer()).body)[2]

    async def admitted(self) -> None:
        """Prove that it is the listed terminal."""
        self.send(body.AUTH, SECRETS["site"].encode())
        assert await self.result() == body.DONE


class Place:
    """Hold a driver's host and port, and open wires to it."""

    def __init__(self, host: FakeHost, driver: HelmetIntegration, port: int) -> None:
        self.host, self.driver, self.port = host, driver, port
        self.wires: list[Wire] = []

    async def dial(self) -> Wire:
        """Connect; the server may still be on its way up."""
        async with asyncio.timeout(5):
            while True:
                try:
                    found = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await pause(0.01)
                else:
                    self.wires.append(Wire(*found))
                    return self.wires[-1]


@asynccontextmanager
async def serving(**more: Any) -> AsyncIterator[Place]:
    """Run the driver on a free port."""
    jt808 = {
        "host": "127.0.0.1",
        "port": 0,
        "secret": "site",
        "terminals": [LISTED],
        "profile": "helmet-e1",
        **more,
    }
    plant = Helmets({"jt808": {**jt808, "terminals": []}, "secrets": SECRETS})
    port = (await plant.start())["options"]["jt808"]["port"]
    host = FakeHost({"jt808": {**jt808, "port": port}, "secrets": SECRETS})
    driver = HelmetIntegration(host)
    async with Running(driver):
        place = Place(host, driver, port)
        try:
            yield place
        finally:
            for wire in place.wires:
                wire.writer.transport.abort()


def report(
    ago_s: float = 0.0, alarm: int = 0, battery: int = 80, place: int = 31_200_000
) -> bytes:
    """Return the body of a position."""
    told = datetime.now(UTC) + timedelta(hours=8) - timedelta(seconds=ago_s)
    head = struct.pack(">IIIIhHH", alarm, 3, place, 121_500_000, 0, 0, 0)
    return head + unbcd(f"{told:%y%m%d%H%M%S}") + bytes([0xE1, 1, battery])


async def told(host: FakeHost, entity: str, value: object) -> None:
    """Wait for a value."""

    def there() -> bool:
        last = host.last(UID, entity)
        return last is not None and last.value == value

    await until(there, f"{entity} {value}")


class TestWho:
    async def test_a_stranger_reports_in_vain(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            wire.send(body.LOCATION, report(alarm=1))
            assert await wire.result() == body.FAILED
            assert not site.host.reports
            assert not site.host.events
            assert site.host.counts["helmet.unproven"] == 1

    async def test_a_wrong_code_is_told_and_hung_up_on(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            for _ in range(3):
                wire.send(body.AUTH, b"guess")
                assert await wire.result() == body.FAILED
            assert await wire.reader.read() == b""
            assert site.host.links[UID] == (False, "helmet.auth")

    async def test_a_wrong_code_takes_nothing_from_one_who_is_there(self) -> None:
        async with serving() as site:
            good, bad = await site.dial(), await site.dial()
            await good.admitted()
            bad.send(body.AUTH, b"guess")
            assert await bad.result() == body.FAILED
            assert site.host.links[UID] == (True, "")

    @pytest.mark.parametrize(
        ("label", "phone", "result"),
        [
            (b"T-7", PHONE, body.DONE),
            (b"T-8", PHONE, body.NO_TERMINAL),
            (b"T-7", "013800000009", body.NO_TERMINAL),
        ],
    )
    async def test_registering_needs_the_label(
        self, label: bytes, phone: str, result: int
    ) -> None:
        async with serving() as site:
            wire = await site.dial()
            content = bytes(4) + b"MAKER" + bytes(20) + label.ljust(7, b"\0") + b"\0"
            wire.send(body.REGISTER, content, phone)
            said = (await wire.answer(body.REGISTERED)).body
            assert said[2] == result
            code = said[3:].decode()
            if result == body.DONE:
                assert code == code_of(SECRETS["site"], PHONE)
                wire.send(body.AUTH, code.encode())
                assert await wire.result() == body.DONE
            else:
                assert code == ""
                assert site.host.counts["helmet.unknown_terminal"] == 1

    async def test_one_that_proved_itself_speaks_for_no_other(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            wire.send(body.LOCATION, report(), "013800000009")
            wire.send(body.HEARTBEAT, b"")
            assert await wire.result() == body.DONE
            assert site.host.last(UID, "battery") is None
            assert site.host.counts["helmet.bad_frame"] == 1

    async def test_one_that_nobody_listed_is_proposed_once_it_proves_itself(
        self,
    ) -> None:
        async with serving() as site:
            wire = await site.dial()
            wire.send(body.AUTH, SECRETS["site"].encode(), "013800000055")
            assert await wire.result() == body.DONE
            assert "jt808-13800000055" in site.host.devices

    async def test_the_newest_connection_counts(self) -> None:
        async with serving() as site:
            old, new = await site.dial(), await site.dial()
            await old.admitted()
            await new.admitted()
            assert await old.reader.read() == b""
            new.send(body.LOCATION, report())
            assert await new.result() == body.DONE
            assert site.host.links[UID] == (True, "")


class TestReports:
    async def test_values_place_and_time(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            wire.send(body.LOCATION, report(ago_s=10))
            assert await wire.result() == body.DONE
            battery, place = (
                site.host.last(UID, each) for each in ("battery", "location")
            )
            assert battery is not None
            assert place is not None
            assert (battery.value, battery.quality) == (80, Quality.GOOD)
            assert place.value == "31.200000,121.500000"
            age = (site.host.clock.mono_ns() - battery.measured_ns) / NS
            assert age > 8  # it is dated by its own clock

    async def test_a_batch_of_the_past_is_no_present(self) -> None:
        """Measured times are kept; what is older than the last is not told at all."""
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            wire.send(body.LOCATION, report(battery=80))
            assert await wire.result() == body.DONE
            old = [report(ago_s=ago, battery=10) for ago in (900, 600, 300)]
            content = struct.pack(">HB", 3, 1)
            content += b"".join(struct.pack(">H", len(o)) + o for o in old)
            wire.send(body.BATCH, content)
            assert await wire.result() == body.DONE
            await told(site.host, "battery", 80)
            assert len(site.host.reports[UID, "battery"]) == 1

    async def test_a_batch_in_parts(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            one = report(battery=66)
            content = struct.pack(">HBH", 1, 0, len(one)) + one
            for part, at in ((1, 0), (2, 20)):
                piece = content[at : at + 20] if part == 1 else content[at:]
                frame = Frame(body.BATCH, PHONE, 90 + part, piece, None, 2, part)
                wire.writer.write(build(frame))
            assert await wire.result() == body.DONE
            await told(site.host, "battery", 66)

    async def test_without_a_fix_there_is_no_place(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            content = bytearray(report())
            content[7] = 0
            wire.send(body.LOCATION, bytes(content))
            assert await wire.result() == body.DONE
            place = site.host.last(UID, "location")
            assert place is not None
            assert (place.value, place.quality) == (None, Quality.FAULT)
            assert place.reason == "helmet.no_fix"

    @pytest.mark.parametrize("junk", [b"\0" * 9000, b"\x7e\x7d\x7e", b"GET / HTTP/1.1"])
    async def test_nonsense_is_counted_and_never_a_value(self, junk: bytes) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            wire.writer.write(junk)
            wire.send(body.LOCATION, report())
            assert await wire.result() == body.DONE
            assert site.host.counts["helmet.bad_frame"] >= 1
            await told(site.host, "battery", 80)


class TestCalls:
    async def test_a_call_is_durable_before_it_is_answered(self) -> None:
        """Design §2: the terminal forgets its SOS when the platform has answered."""
        async with serving() as site:
            site.host.durable.clear()
            wire = await site.dial()
            await wire.admitted()
            wire.send(body.LOCATION, report(alarm=1))
            await until(lambda: len(site.host.events) == 1, "the call")
            wire.send(body.HEARTBEAT, b"")
            answered = body.answer((await wire.answer()).body)
            assert answered[1] == body.HEARTBEAT  # and not the report
            # What the report measured does not wait for the disk.
            await told(site.host, "battery", 80)
            site.host.durable.set()
            assert body.answer((await wire.answer()).body)[1] == body.LOCATION
            event = site.host.events[0]
            assert (event.device_uid, event.kind) == (UID, "sos")

    async def test_a_bit_that_stays_is_one_call_and_a_new_one_another(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            for alarm in (1, 1, 0, 1):
                wire.send(body.LOCATION, report(alarm=alarm))
                assert await wire.result() == body.DONE
            idents = {event.event_id for event in site.host.events}
            assert len(idents) == 2

    async def test_a_call_of_the_past_still_calls(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            wire.send(body.LOCATION, report())
            assert await wire.result() == body.DONE
            old = report(ago_s=600, alarm=1 | 1 << 30)
            wire.send(body.BATCH, struct.pack(">HBH", 1, 1, len(old)) + old)
            assert await wire.result() == body.DONE
            kinds = {event.kind: event.params for event in site.host.events}
            assert kinds.keys() == {"sos", "fall"}
            assert kinds["sos"]["late"] is True


class TestVoice:
    def order(self, site: Place, value: bool | str, seconds: float = 5.0) -> Command:
        return Command(
            id=f"c-{value}",
            device_uid=UID,
            entity_uid="voice",
            value=value,
            deadline_ns=site.host.clock.mono_ns() + int(seconds * NS),
        )

    @pytest.mark.parametrize(
        ("result", "state"),
        [(body.DONE, CommandState.CONFIRMED), (body.WRONG, CommandState.FAILED)],
    )
    async def test_only_its_own_answer_confirms(
        self, result: int, state: CommandState
    ) -> None:
        async with serving(phrases={"leave": "立即撤离"}) as site:
            wire = await site.dial()
            await wire.admitted()
            command = self.order(site, "leave")
            running = asyncio.create_task(site.driver.command(command))
            asked = await wire.answer(body.TEXT)
            assert asked.body[1:].decode("gbk") == "立即撤离"
            assert site.host.states(command.id) == [CommandState.DELIVERED]
            wire.send(body.ANSWER, body.general(asked.seq, asked.id, result))
            await running
            assert site.host.states(command.id)[-1] is state

    async def test_one_that_leaves_before_its_answer_fails(self) -> None:
        async with serving() as site:
            wire = await site.dial()
            await wire.admitted()
            command = self.order(site, "leave")
            running = asyncio.create_task(site.driver.command(command))
            await wire.answer(body.TEXT)
            wire.writer.transport.abort()
            await running
            last = site.host.results[command.id][-1]
            assert last == (CommandState.FAILED, "helmet.connection_lost")

    async def test_one_that_is_away_fails_and_one_that_is_mute_expires(self) -> None:
        async with serving() as site:
            await site.driver.command(self.order(site, True))
            assert site.host.states("c-True") == [CommandState.FAILED]
            wire = await site.dial()
            await wire.admitted()
            await site.driver.command(self.order(site, "leave", 0.2))
            assert site.host.states("c-leave")[-1] is CommandState.EXPIRED


async def test_silence_is_told() -> None:
    async with serving(heartbeat_s=0.2) as site:
        wire = await site.dial()
        await wire.admitted()
        gone = (False, "helmet.silent")
        await until(lambda: site.host.links.get(UID) == gone, "its loss")


async def test_diagnostics_hold_no_secret_and_no_whole_number() -> None:
    async with serving() as site:
        wire = await site.dial()
        await wire.admitted()
        text = str(site.driver.diagnostics())
        assert "code-of" not in text
        assert PHONE.lstrip("0") not in text
        found: Mapping[str, Any] = site.driver.diagnostics()["jt808"]
        assert found["connections"] == 1
