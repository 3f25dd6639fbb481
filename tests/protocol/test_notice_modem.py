"""SMS by a modem on a serial port: Chinese, parts, reports, replies, its faults."""

import asyncio
from collections.abc import Iterator

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from core.channels import modem as at
from core.channels import pdu
from core.channels.letters import Sms, Told
from core.channels.modem import Modem, ModemError
from core.config import EMPTY
from core.processes import notifier_lines
from core.processes.notifier_lines import ModemLine
from core.response.notices_config import Modem as ModemConfig
from core.response.notices_config import NoticePolicy
from tests.protocol.notice_modem import FakeModem
from tests.support.waiting import until

import msgspec  # isort: skip

NUMBER = "+8613800138000"
LONG = "一号储罐硫化氢二十五，停止作业，立即撤离。" * 8


@pytest.fixture
def fake() -> Iterator[FakeModem]:
    with FakeModem() as running:
        yield running


class Bench:
    """A modem's driver on the double's port, with short limits."""

    def __init__(self, fake: FakeModem, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, seconds in (("ANSWER_S", 5.0), ("SEND_S", 3.0), ("PROMPT_S", 3.0)):
            monkeypatch.setattr(at, name, seconds)
        self.told: list[Told] = []
        self.port = serial.Serial(fake.port, 115_200, timeout=0.05)
        self.modem = Modem(self.port, self.told.append)

    def send(self, text: str, number: str = NUMBER) -> Told:
        self.modem.send(Sms(id=f"m{len(self.told)}", number=number, text=text))
        found = [told for told in self.told if told.kind in ("sent", "failed")]
        return found[-1]

    def listen(self, kind: str) -> Told:
        """Listen until something of a kind is told."""
        for _ in range(400):
            self.modem.listen()
            for told in self.told:
                if told.kind == kind:
                    return told
        raise AssertionError(f"no {kind} in {self.told}")


@pytest.fixture
def bench(fake: FakeModem, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(fake, monkeypatch)
    yield made
    made.port.close()


def test_chinese_goes_out_with_a_report_asked_for(
    fake: FakeModem, bench: Bench
) -> None:
    bench.modem.start()
    assert bench.send("井下硫化氢报警 H₂S 😷").kind == "sent"
    (sent,) = fake.sent()
    assert (sent.number, sent.text) == (NUMBER, "井下硫化氢报警 H₂S 😷")
    assert sent.reports


def test_a_long_one_goes_in_parts_and_is_delivered_when_all_are(
    fake: FakeModem, bench: Bench
) -> None:
    bench.modem.start()
    assert bench.send(LONG).kind == "sent"
    (sent,) = fake.sent()
    assert (sent.text, sent.parts) == (LONG, 3)
    fake.report(41, NUMBER)
    fake.report(42, NUMBER, status=0x20)  # still trying
    fake.report(43, NUMBER)
    fake.report(42, NUMBER)
    assert bench.listen("delivered").id == "m1"


def test_a_report_of_failure_says_that_it_is_lost(
    fake: FakeModem, bench: Bench
) -> None:
    bench.modem.start()
    bench.send("撤离")
    fake.report(41, NUMBER, status=0x46)
    assert bench.listen("lost").id == "m1"


@pytest.mark.parametrize("plain", [True, False])
def test_a_reply_is_heard(fake: FakeModem, bench: Bench, plain: bool) -> None:
    bench.modem.start()
    if plain:
        fake.receive_plain(NUMBER, "4711 ok")
    else:
        fake.receive(NUMBER, "收到 4711")
    told = bench.listen("reply")
    assert told.number == NUMBER
    assert "4711" in told.text


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("refused", "modem.error.304"),
        ("network", "modem.error.38"),
        ("no_prompt", "modem.no_prompt"),
        ("no_reference", "modem.no_reference"),
        ("hang", "modem.timeout"),
    ],
)
def test_a_fault_ends_one_message_and_the_next_goes(
    fake: FakeModem, bench: Bench, fault: str, detail: str
) -> None:
    """Each message ends; a modem that recovers is used again."""
    bench.modem.start()
    fake.fault = fault
    told = bench.send("撤离")
    assert (told.kind, told.detail) == ("failed", detail)
    fake.fault = ""
    assert bench.send("再次撤离").kind == "sent"
    assert fake.sent()[-1].text == "再次撤离"


@pytest.mark.parametrize("fault", ["garbage", "between"])
def test_what_comes_in_between_confuses_nothing(
    fake: FakeModem, bench: Bench, fault: str
) -> None:
    bench.modem.start()
    fake.fault = fault
    assert bench.send("撤离").kind == "sent"
    if fault == "between":
        assert bench.listen("reply").text == "在吗"


def test_a_number_that_is_none_is_refused_without_the_modem(
    fake: FakeModem, bench: Bench
) -> None:
    assert bench.send("x", number="sms:abc").detail == "bad_address"
    assert not fake.commands


def test_a_locked_card_and_a_dead_modem_are_named(
    fake: FakeModem, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.pin = "SIM PIN"
    with pytest.raises(ModemError, match="sim_locked"):
        bench.modem.start()
    monkeypatch.setattr(at, "ANSWER_S", 0.2)
    fake.fault = "mute"
    with pytest.raises(ModemError, match=r"modem\.timeout"):
        bench.modem.start()


@given(st.text(max_size=400))
def test_any_text_arrives_whole_or_cut_with_its_sign(text: str) -> None:
    text = text.encode("utf-16-be", "ignore").decode("utf-16-be", "ignore")
    fake = FakeModem()
    fake.pdus = [bytes.fromhex(part) for part in pdu.submit(NUMBER, text, 7)]
    (sent,) = fake.sent()
    assert sent.text == text or (sent.text.endswith("…") and text[:50] in sent.text)
    assert len(fake.pdus) <= pdu.MOST_PARTS


@given(st.binary(max_size=60))
def test_no_line_of_a_modem_breaks_the_reader(data: bytes) -> None:
    try:
        pdu.read(data.hex())
    except pdu.BadPdu:
        return


async def test_the_child_sends_most_urgent_first_and_says_when_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The modem's own process: a queue by rank, a fault that is told, an end."""
    monkeypatch.setattr(notifier_lines, "MODEM_AGAIN_S", 0.2)
    heard: list[Told] = []
    with FakeModem() as fake:
        policy = NoticePolicy(modem=ModemConfig(port=fake.port))
        bundle = msgspec.structs.replace(EMPTY, notices=policy)
        async with asyncio.TaskGroup() as group:
            line = ModemLine(group, heard.append)
            assert (
                await line.send(Sms(id="0", number=NUMBER, text="x"), 0) == "no_modem"
            )
            line.arm(bundle)
            letters = [(2, "班后会"), (1, "交接"), (0, "撤离")]
            results = await asyncio.gather(
                *(
                    line.send(Sms(id=str(r), number=NUMBER, text=t), r)
                    for r, t in letters
                )
            )
            assert results == ["", "", ""]
            texts = [sent.text for sent in fake.sent()]
            assert texts.index("撤离") < texts.index("班后会")
            fake.report(41, NUMBER)
            fake.receive(NUMBER, "4711")
            await until(lambda: {"delivered", "reply"} <= {t.kind for t in heard}, "it")
            fake.fault = "network"
            last = await line.send(Sms(id="9", number=NUMBER, text="x"), 0)
            assert last == "modem.error.38"
            line.arm(EMPTY)
            line.close()
