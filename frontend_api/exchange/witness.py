"""Lodge journal heads with outside witnesses, each behind one interface.

A witness that keeps a head makes a later rewriting of the journal, or a cut at its
end, provable. What was lodged is noted in ``exchange/receipts/<id>.jsonl``.
"""

import asyncio
import base64
import os
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import msgspec

from core.clock import AsyncClock
from core.journal.segment import RealDisk
from core.registry.secrets import Secrets
from frontend_api.exchange.heads import Head, last_head
from frontend_api.exchange.settings import FOLDER, Witness

_TIMEOUT_S = 30.0
_RETRY_S = 60.0
#: Failures in a row that a person must hear of.
_MANY = 3
_MAX_ANSWER = 1 << 20


class WitnessError(Exception):
    """A witness did not take the head; says why."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Note that a witness has a head; ``proof`` is its answer, base64."""

    witness: str
    lodged_ns: int
    head: Head
    proof: str = ""


class Adapter(Protocol):
    """Hand one head to a witness."""

    async def lodge(self, head: Head) -> bytes:
        """Return the witness's proof, if it gives one; raises WitnessError."""


class FileWitness:
    """Append heads to a file, such as on a share that the hub can only append to."""

    def __init__(self, settings: Witness) -> None:
        self._path = Path(settings.path)

    async def lodge(self, head: Head) -> bytes:
        """Append one line."""
        await asyncio.to_thread(append, self._path, head.data())
        return b""


class MailWitness:
    """Mail heads to an address outside the site."""

    def __init__(self, settings: Witness, secrets: Secrets) -> None:
        self._settings = settings
        self._password = secrets.get(settings.secret) or ""

    async def lodge(self, head: Head) -> bytes:
        """Send one mail; the server's word that it took it is all the proof."""
        await asyncio.to_thread(self._send, head)
        return b""

    def _send(self, head: Head) -> None:
        told, mail = self._settings, EmailMessage()
        mail["From"], mail["To"] = told.sender, told.to
        mail["Subject"] = f"Safehold journal head {head.seq} {head.head[:16]}"
        mail["Message-ID"] = (
            f"<{head.head[:32]}.{head.seq}@{told.sender.split('@')[-1]}>"
        )
        mail.set_content(head.data().decode() + "\n")
        try:
            with smtplib.SMTP(told.host, told.port, timeout=_TIMEOUT_S) as server:
                if told.starttls:
                    server.starttls(context=ssl.create_default_context())
                if told.user:
                    server.login(told.user, self._password)
                server.send_message(mail)
        except smtplib.SMTPException as bad:
            raise WitnessError(f"{type(bad).__name__}: {bad}") from bad


class PeerWitness:
    """Lodge heads with a peer hub, which echoes what it has verified and kept."""

    def __init__(self, settings: Witness, secrets: Secrets) -> None:
        self._url = settings.url
        self._token = secrets.get(settings.secret) or ""

    async def lodge(self, head: Head) -> bytes:
        """Post one head; the echo must name it."""
        kind = "application/json"
        answer = await _post(self._url, head.data(), kind, self._token)
        try:
            if msgspec.json.decode(answer, type=Head) != head:
                raise WitnessError("the peer kept another head")
        except msgspec.MsgspecError as bad:
            raise WitnessError(f"the peer's answer is no head: {bad}") from bad
        return b""


class TsaWitness:
    """Have a time-stamping authority sign the head's hash (RFC 3161)."""

    def __init__(self, settings: Witness) -> None:
        self._url = settings.url

    async def lodge(self, head: Head) -> bytes:
        """Return the authority's whole answer, which ``openssl ts`` verifies."""
        from frontend_api.exchange import tsp

        query = tsp.query(head.data())
        kind = "application/timestamp-query"
        answer = await _post(self._url, query.data, kind)
        try:
            tsp.check(query, answer)
        except ValueError as bad:
            raise WitnessError(str(bad)) from bad
        return answer


async def _post(url: str, data: bytes, kind: str, token: str = "") -> bytes:
    import aiohttp

    headers = {"Content-Type": kind}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                url, data=data, headers=headers, allow_redirects=False
            ) as reply,
        ):
            answer = await reply.content.read(_MAX_ANSWER)
            if reply.status != 200:
                raise WitnessError(f"{url} answered {reply.status}")
            return answer
    except aiohttp.ClientError as bad:
        raise WitnessError(f"{url}: {type(bad).__name__}: {bad}") from bad


def adapter(settings: Witness, secrets: Secrets) -> Adapter:
    """Return the adapter of a configured witness."""
    match settings.kind:
        case "file":
            return FileWitness(settings)
        case "mail":
            return MailWitness(settings, secrets)
        case "peer":
            return PeerWitness(settings, secrets)
        case "tsa":
            return TsaWitness(settings)
    raise ValueError(f"unknown kind of witness {settings.kind!r}")


class Heads:
    """Lodge the newest head with every witness, each at its own pace."""

    def __init__(
        self, data: Path, witnesses: Sequence[Witness], timer: AsyncClock
    ) -> None:
        self._data, self._timer = data, timer
        secrets = Secrets(data)
        self._adapters = {each.id: adapter(each, secrets) for each in witnesses}
        self._failed: dict[str, tuple[int, str]] = {}

    def fault(self) -> str:
        """Return the witnesses that did not answer several times, and why."""
        bad = [
            f"{name}: {why}"
            for name, (times, why) in self._failed.items()
            if times >= _MANY
        ]
        return "; ".join(bad)

    async def run(self, witness: Witness) -> None:
        """Lodge with one witness until cancelled."""
        while True:
            lodged = await self.lodge(witness)
            pause = witness.every_s if lodged else min(witness.every_s, _RETRY_S)
            await self._timer.sleep(pause)

    async def lodge(self, witness: Witness) -> bool:
        """Lodge the newest head once; False when the witness did not take it."""
        try:
            async with asyncio.timeout(2 * _TIMEOUT_S):
                head = await asyncio.to_thread(self._newest)
                receipts = receipts_of(self._data, witness.id)
                known = await asyncio.to_thread(last_receipt, receipts)
                if head is None or (known is not None and known.head == head):
                    return True
                proof = await self._adapters[witness.id].lodge(head)
                receipt = Receipt(
                    witness=witness.id,
                    lodged_ns=self._timer.clock.wall_ns(),
                    head=head,
                    proof=base64.b64encode(proof).decode(),
                )
                data = msgspec.json.encode(receipt)
                await asyncio.to_thread(append, receipts, data)
        except (WitnessError, OSError) as bad:
            times, _ = self._failed.get(witness.id, (0, ""))
            why = str(bad) or type(bad).__name__
            self._failed[witness.id] = times + 1, why[:120]
            return False
        self._failed.pop(witness.id, None)
        return True

    def _newest(self) -> Head | None:
        disk = RealDisk(self._data / "journal")
        try:
            return last_head(disk)
        finally:
            disk.close()


def receipts_of(data: Path, witness_id: str) -> Path:
    """Return the file of a witness's receipts."""
    return data / FOLDER / "receipts" / f"{witness_id}.jsonl"


def last_receipt(file: Path) -> Receipt | None:
    """Return the last whole receipt; a torn last line was never one."""
    if not file.exists():
        return None
    for line in reversed(file.read_bytes().splitlines()):
        try:
            return msgspec.json.decode(line, type=Receipt)
        except msgspec.MsgspecError:
            continue
    return None


def append(file: Path, line: bytes) -> None:
    """Append a line and sync it; raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("ab") as out:
        out.write(line + b"\n")
        out.flush()
        os.fsync(out.fileno())
