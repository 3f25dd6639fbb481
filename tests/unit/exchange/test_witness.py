"""Journal heads with outside witnesses, each against a real sink on loopback."""

import base64
import datetime
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.clock import AsyncClock, RealClock
from core.journal.segment import RealDisk
from core.registry.secrets import Secrets
from frontend_api.commands import aq as command
from frontend_api.exchange import tsp, witness
from frontend_api.exchange.heads import Head, last_head, parse, stands
from frontend_api.exchange.peer import PeerHeads
from frontend_api.exchange.settings import Witness
from tests.unit.exchange.conftest import Told
from tests.unit.paper.conftest import write_hub


@pytest.fixture
def hub(tmp_path: Path, told: Told) -> Path:
    """Return a hub's folder whose journal ends in a signed head."""
    told.issue()
    return write_hub(tmp_path / "data", told)


def newest(hub: Path) -> Head:
    disk = RealDisk(hub / "journal")
    found = last_head(disk)
    disk.close()
    assert found is not None
    return found


async def lodge(hub: Path, told: Witness) -> tuple[bool, witness.Heads]:
    heads = witness.Heads(hub, (told,), AsyncClock(RealClock()))
    return await heads.lodge(told), heads


def receipt(hub: Path, name: str) -> witness.Receipt:
    found = witness.last_receipt(witness.receipts_of(hub, name))
    assert found is not None
    return found


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url("/")).rstrip("/")
    finally:
        await server.close()


def test_head_is_signed_and_stands(hub: Path) -> None:
    """Design §5 Journal: a head verifies alone, and against its journal."""
    head = newest(hub)
    assert head.sound()
    assert parse(head.data()) == head
    forged = msgspec.structs.replace(head, count=head.count - 1)
    assert not forged.sound()
    with pytest.raises(ValueError, match="signature"):
        parse(forged.data())
    disk = RealDisk(hub / "journal")
    assert stands(disk, head)
    assert not stands(disk, forged)
    disk.close()


async def test_file_keeps_each_head_once(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    share = hub.parent / "share" / "heads.jsonl"
    told = Witness(kind="file", id="share", path=str(share))
    for _ in range(2):
        assert (await lodge(hub, told))[0]
    (line,) = share.read_bytes().splitlines()
    assert parse(line) == newest(hub)
    for file in (share, witness.receipts_of(hub, "share")):
        assert command.main(["heads", str(file), "--data", str(hub)]) == 0
    other = msgspec.structs.replace(newest(hub), journal="00" * 16)
    share.write_bytes(other.data())
    assert command.main(["heads", str(share), "--data", str(hub)]) == 1
    assert "IS NOT in the journal" in capsys.readouterr().out


class _Inbox:
    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, e: object) -> str:
        self.letters.append(getattr(e, "content", b""))
        return "250 kept"


@pytest.fixture
def inbox(closed_port: int) -> Iterator[tuple[_Inbox, int]]:
    """Run an SMTP server on loopback."""
    box = _Inbox()
    controller = Controller(box, hostname="127.0.0.1", port=closed_port)
    controller.start()
    yield box, closed_port
    controller.stop()


async def test_mail_carries_the_head(hub: Path, inbox: tuple[_Inbox, int]) -> None:
    box, port = inbox
    told = Witness(
        kind="mail",
        id="notary",
        host="127.0.0.1",
        port=port,
        sender="hub@site.example",
        to="notary@example.org",
    )
    assert (await lodge(hub, told))[0]
    (letter,) = box.letters
    body = letter.partition(b"\r\n\r\n")[2]
    assert newest(hub).head.encode() in letter.replace(b"=\r\n", b"")
    assert body
    assert receipt(hub, "notary").head == newest(hub)


async def test_peer_verifies_keeps_and_echoes(hub: Path, tmp_path: Path) -> None:
    Secrets(hub).put("peer.token", "s3cret")
    app = web.Application()
    PeerHeads(tmp_path / "kept", "s3cret").add_to(app)
    async with served(app) as url:
        told = Witness(kind="peer", id="hub2", url=f"{url}/heads", secret="peer.token")
        assert (await lodge(hub, told))[0]
        bad = Witness(kind="peer", id="hub3", url=f"{url}/heads")
        done, heads = await lodge(hub, bad)
        assert not done
        for _ in range(2):
            await heads.lodge(bad)
        assert "401" in heads.fault()
    (file,) = (tmp_path / "kept").iterdir()
    assert parse(file.read_bytes().strip()) == newest(hub)


async def test_peer_refuses_another_key(hub: Path, tmp_path: Path, told: Told) -> None:
    """Two keys for one journal: rewritten, and somebody must look."""
    Secrets(hub).put("t", "s3cret")
    other = write_hub(tmp_path / "other", told)
    Secrets(other).put("t", "s3cret")
    app = web.Application()
    PeerHeads(tmp_path / "kept", "s3cret").add_to(app)
    async with served(app) as url:
        peer = Witness(kind="peer", id="p", url=f"{url}/heads", secret="t")
        assert (await lodge(hub, peer))[0]
        assert not (await lodge(other, peer))[0]


def _write_authority(folder: Path) -> None:
    """Write key, certificate and settings for ``openssl ts``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test TSA")])
    now = datetime.datetime.fromtimestamp(RealClock().wall_ns() / 1e9, datetime.UTC)
    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(stamping, critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    (folder / "tsa.key").write_bytes(key.private_bytes(pem, pkcs8, plain))
    (folder / "tsa.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ndefault_policy = 1.2.3.4\n"
        "digests = sha256\nsigner_digest = sha256\n"
    )


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """Serve an RFC 3161 authority made of ``openssl ts``; yields URL and its CA."""
    _write_authority(folder)

    async def stamp(request: web.Request) -> web.Response:
        (folder / "q.tsq").write_bytes(await request.read())
        words = "ts -reply -config tsa.cnf -queryfile q.tsq -signer tsa.pem"
        more = "-inkey tsa.key -out r.tsr"
        subprocess.run(
            ["openssl", *words.split(), *more.split()],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        return web.Response(body=(folder / "r.tsr").read_bytes())

    app = web.Application()
    app.router.add_post("/tsa", stamp)
    async with served(app) as url:
        yield f"{url}/tsa", folder / "tsa.pem"


needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="Debian's package openssl is not installed"
)


@needs_openssl
async def test_time_stamp_is_kept_and_openssl_verifies_it(
    hub: Path, tmp_path: Path
) -> None:
    """RFC 3161: the kept answer proves the head to whoever trusts the authority."""
    async with authority(tmp_path) as (url, ca):
        assert (await lodge(hub, Witness(kind="tsa", id="tsa", url=url)))[0]
    kept = receipt(hub, "tsa")
    (tmp_path / "head.json").write_bytes(kept.head.data())
    (tmp_path / "answer.tsr").write_bytes(base64.b64decode(kept.proof))
    done = subprocess.run(
        [*"openssl ts -verify -in answer.tsr -data head.json -CAfile".split(), str(ca)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in done.stdout + done.stderr


@needs_openssl
async def test_time_stamp_of_another_request_is_refused(tmp_path: Path) -> None:
    async with authority(tmp_path) as (url, _):
        first = tsp.query(b"one")
        answer = await witness._post(url, first.data, "application/timestamp-query")
    assert tsp.check(first, answer)
    for other in (tsp.query(b"one"), tsp.query(b"two")):
        with pytest.raises(ValueError, match="another"):
            tsp.check(other, answer)
    for nonsense in (b"", b"<html>", answer[:40]):
        with pytest.raises(ValueError, match=r"\w"):
            tsp.check(first, nonsense)


async def test_absent_witness_is_a_fault_after_some_tries(
    hub: Path, closed_port: int
) -> None:
    told = Witness(kind="peer", id="gone", url=f"http://127.0.0.1:{closed_port}/")
    heads = witness.Heads(hub, (told,), AsyncClock(RealClock()))
    for _ in range(2):
        assert not await heads.lodge(told)
    assert not heads.fault()
    await heads.lodge(told)
    assert heads.fault().startswith("gone: ")
