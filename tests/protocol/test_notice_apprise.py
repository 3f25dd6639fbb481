"""Real apprise against local sinks: mail, hooks, ntfy, bots; and what can go wrong."""

import asyncio
import email
import email.policy
import json
import ssl
from pathlib import Path

import pytest

from core.channels.letters import Letter, Reply
from core.processes import notifier_lines
from core.processes.notifier_lines import Senders
from core.processes.sender import send
from tests.protocol.notice_sinks import http_sink, mail_sink, raw_sink

pytestmark = pytest.mark.filterwarnings(
    # What apprise itself imports on Python 3.11 and 3.12.
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)

BODY = "井下气体报警：硫化氢 25 ppm\nSump: H₂S 25 ppm"


def letter(address: str, number: str = "n1") -> Letter:
    return Letter(id=number, address=address, title="三号工地", body=BODY, urgent=True)


async def sent(address: str) -> Reply:
    return await asyncio.to_thread(send, letter(address))


async def test_mail_arrives_readable() -> None:
    query = "from=hub@site.example&to=boss@site.example"
    async with mail_sink() as mail:
        reply = await sent(f"mailto://127.0.0.1:{mail.port}?{query}")
    assert reply.ok, reply
    ((to, content),) = mail.got
    assert to == ["boss@site.example"]
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert "三号工地" in str(message["Subject"])
    body = message.get_body(("plain", "html"))
    assert body is not None
    assert "硫化氢 25 ppm" in body.get_content()


async def test_hooks_and_topics_take_it() -> None:
    async with http_sink() as sink:
        at = f"127.0.0.1:{sink.port}"
        for address in (
            f"json://{at}/hook",
            f"form://{at}/hook",
            f"ntfy://{at}/gas-alarms",
            f"gotify://{at}/tokentoken",
            f"mmost://{at}/abcdefghijkl1234",
        ):
            reply = await sent(address)
            assert reply.ok, (address, reply)
        assert len(sink.taken) == 5
        assert json.loads(sink.taken[0].body)["message"].startswith("井下")
        assert "硫化氢" in json.loads(sink.taken[2].body)["message"]


BOTS = {
    "wecombot": "wecombot://12345678-aaaa-bbbb-cccc-1234567890ab",
    "dingtalk": "dingtalk://secret@token123456",
    "feishu": "feishu://tokentokentokentoken",
}


def point(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Point the bots' fixed addresses to this host."""
    from apprise.plugins.dingtalk import NotifyDingTalk
    from apprise.plugins.feishu import NotifyFeishu
    from apprise.plugins.wecombot import NotifyWeComBot

    base = f"http://127.0.0.1:{port}"
    for plugin, path in (
        (NotifyWeComBot, "/cgi-bin/webhook/send?key={key}"),
        (NotifyDingTalk, "/robot/send?access_token={token}"),
        (NotifyFeishu, "/open-apis/bot/v2/hook/{token}/"),
    ):
        monkeypatch.setattr(plugin, "notify_url", base + path)


class TestBots:
    """devices.md §7: they refuse with status 200 and a code of their own."""

    @pytest.mark.parametrize("name", BOTS)
    async def test_what_a_bot_took_is_sent(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with http_sink() as sink:
            point(monkeypatch, sink.port)
            sink.reply = {"errcode": 0, "code": 0}
            reply = await sent(BOTS[name])
            assert reply.ok, reply
            told = json.dumps(json.loads(sink.taken[0].body), ensure_ascii=False)
            assert "硫化氢" in told

    @pytest.mark.parametrize(
        ("name", "answer", "detail"),
        [
            ("wecombot", {"errcode": 45009}, "too_many"),
            ("wecombot", {"errcode": 93000}, "refused"),
            ("dingtalk", {"errcode": 130101}, "too_many"),
            ("dingtalk", {"errcode": 310000}, "refused"),
            ("feishu", {"code": 11232}, "too_many"),
            ("feishu", {"code": 19021}, "refused"),
        ],
    )
    async def test_what_a_bot_refuses_is_not_sent(
        self,
        name: str,
        answer: dict[str, int],
        detail: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async with http_sink() as sink:
            point(monkeypatch, sink.port)
            sink.reply = dict(answer)
            reply = await sent(BOTS[name])
            assert (reply.ok, reply.detail) == (False, detail)


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "detail"), [(429, "too_many"), (503, "http_503")]
    )
    async def test_a_status_is_told(self, status: int, detail: str) -> None:
        async with http_sink() as sink:
            sink.status = status
            reply = await sent(f"json://127.0.0.1:{sink.port}/")
            assert (reply.ok, reply.detail) == (False, detail)

    async def test_a_line_that_is_not_there_hangs_or_talks_nonsense(self) -> None:
        async with http_sink() as sink, raw_sink(b"\x00\xff nonsense\r\n") as noise:
            sink.hang = True
            limits = "?rto=0.5&cto=0.5"
            found = {
                name: (await sent(address)).detail
                for name, address in (
                    ("closed", "json://127.0.0.1:9/"),
                    ("hang", f"json://127.0.0.1:{sink.port}/{limits}"),
                    ("noise", f"json://127.0.0.1:{noise}/"),
                    ("tls", f"jsons://127.0.0.1:{noise}/"),
                    ("mail", "mailto://127.0.0.1:9?from=a@b.example&to=c@d.example"),
                )
            }
        assert found == {
            "closed": "unreachable",
            "hang": "timeout",
            "noise": "unreachable",
            "tls": "tls",
            "mail": "refused",
        }

    async def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, tmp_path: Path
    ) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate(tmp_path))
        async with http_sink(context) as sink:
            reply = await sent(f"jsons://127.0.0.1:{sink.port}/")
            assert (reply.ok, reply.detail) == (False, "tls")
            assert not sink.taken

    @pytest.mark.parametrize("address", ["nonsense", "json://", "syslog://localhost"])
    async def test_a_bad_address_is_told(self, address: str) -> None:
        assert (await sent(address)).detail == "bad_address"


class TestChild:
    """Letters go side by side through one child; a hanging one holds up nobody."""

    async def test_a_hanging_service_holds_up_no_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notifier_lines, "SEND_S", 300.0)
        async with http_sink() as slow, http_sink() as well:
            slow.hang = True
            async with asyncio.TaskGroup() as group:
                senders = Senders(group)
                stuck = f"json://127.0.0.1:{slow.port}/?rto=300"
                hangs = [
                    group.create_task(senders.send(letter(stuck, f"h{n}")))
                    for n in range(3)
                ]
                for n in range(3):
                    address = f"json://127.0.0.1:{well.port}/{n}"
                    assert await senders.send(letter(address, f"w{n}")) == ""
                assert not any(task.done() for task in hangs)
                await senders.close()
                assert {await task for task in hangs} == {"sender.ended"}

    async def test_a_child_that_dies_is_followed_by_another(self) -> None:
        async with http_sink() as sink, asyncio.TaskGroup() as group:
            senders = Senders(group)
            address = f"json://127.0.0.1:{sink.port}/"
            assert await senders.send(letter(address)) == ""
            child = senders._child
            assert child is not None
            child.process.kill()
            await child.process.wait()
            again = await senders.send(letter(address))
            if again:  # it was handed to the one that had just died
                again = await senders.send(letter(address))
            assert again == ""
            await senders.close()

    async def test_one_that_leaves_too_much_unanswered_is_put_aside(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notifier_lines, "SEND_S", 3.0)
        async with http_sink() as slow, asyncio.TaskGroup() as group:
            slow.hang = True
            senders = Senders(group)
            address = f"json://127.0.0.1:{slow.port}/?rto=60"
            results = await asyncio.gather(
                *(senders.send(letter(address, f"h{n}")) for n in range(5))
            )
            assert "timeout" in results
            assert senders._child is None
            await senders.close()


def certificate(folder: Path) -> Path:
    """Return a certificate for nobody, signed by itself."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    path = folder / "hub.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
