"""Uploads over real HTTP: cut, resumed, refused; in bounded memory."""

import asyncio
import contextlib
import errno
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from aiohttp import web

from core.people.vault import Standing
from frontend_api import blobio
from frontend_api.problems import Problem
from tests.support.mounts import mount, unmount
from tests.support.phone import JPEG, MIB, Phone, cut, digest, ended, film, part_of
from tests.support.waiting import until
from tests.ui.fixture_server import running
from tests.unit.gateway.conftest import Desk


@pytest.mark.parametrize("reset", [True, False])
async def test_a_film_cut_in_the_middle_goes_on(owner: Desk, reset: bool) -> None:
    """Issue, Bad input: a cut connection loses nothing that had come."""
    phone, data = Phone(owner), film(3 * MIB + 777)
    _, upload = await phone.begin(data)
    tasks = len(asyncio.all_tasks())
    await cut(phone, upload["id"], 0, data[: MIB + 5], reset=reset)
    await phone.resume(upload["id"], data)
    status, done = await phone.finish(upload["id"], digest(data))
    assert (status, done["done"]) == (200, digest(data))
    evidence = owner.fixture.gateway.attachments.evidence
    assert evidence.verify("pt-1", digest(data)) is Standing.SOUND
    await ended(tasks)


@pytest.mark.parametrize("reset", [True, False])
async def test_what_was_taken_before_the_cut_is_kept(owner: Desk, reset: bool) -> None:
    """An offset that was once told is never taken back."""
    phone, data = Phone(owner), film(2 * MIB)
    _, upload = await phone.begin(data)
    least = MIB - blobio.BLOCK
    tasks = len(asyncio.all_tasks())
    await cut(phone, upload["id"], 0, data[:MIB], reset=reset, taken=least)
    here = part_of(owner.fixture)
    await until(lambda: not here._streams, "the cut to be noticed")
    assert least <= await phone.offset(upload["id"]) <= MIB
    await ended(tasks)


async def read_back(owner: Desk, name: str) -> str:
    """Return the SHA-256 of an attachment as the gateway hands it over."""
    url = f"{owner.fixture.url}/api/v1/attachments/{name}?permit=pt-1"
    read = hashlib.sha256()
    async with owner.session.get(url) as answer:
        async for piece in answer.content.iter_chunked(MIB):
            read.update(piece)
    return read.hexdigest()


async def test_200_mb_cut_in_two_stay_out_of_memory(owner: Desk) -> None:
    """The content is 200 MB; what stands in memory at once is a tenth at most."""
    phone, size = Phone(owner), 200 * MIB
    block = film(MIB)
    whole = hashlib.sha256()
    for _ in range(200):
        whole.update(block)

    async def pieces(at: int, until_: int) -> AsyncIterator[bytes]:
        while at < until_:
            piece = block[at % MIB : at % MIB + until_ - at]
            yield piece
            at += len(piece)

    _, upload = await phone.begin(size)
    tracemalloc.start()
    try:
        tasks = len(asyncio.all_tasks())
        await cut(phone, upload["id"], 0, block, reset=True)
        half = 100 * MIB + 12_345
        for _ in range(20):
            at = await phone.offset(upload["id"])
            status, _ = await phone.append(upload["id"], at, pieces(at, half))
            if status == 204:
                break
        assert await phone.offset(upload["id"]) == half
        status, _ = await phone.append(upload["id"], half, pieces(half, size))
        assert status == 204
        status, done = await phone.finish(upload["id"], whole.hexdigest())
        assert (status, done["done"]) == (200, whole.hexdigest())
        read = await read_back(owner, done["done"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == whole.hexdigest()
    assert peak < size // 10
    await ended(tasks)


async def test_a_gateway_that_was_replaced_goes_on(tmp_path: Path) -> None:
    """Uploads are on disk: another process finds them where they stood."""
    data = film(MIB)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with running(tmp_path / "data", pulse=False) as fixture:
            desk = Desk(fixture, session)
            await until(lambda: fixture.gateway.replica.reachable, "snapshot")
            await desk.claim()
            phone = Phone(desk)
            _, upload = await phone.begin(data)
            await phone.append(upload["id"], 0, data[:70_001])
        async with running(tmp_path / "data", pulse=False) as fixture:
            await until(lambda: fixture.gateway.replica.reachable, "snapshot")
            phone = Phone(Desk(fixture, session))
            assert await phone.offset(upload["id"]) == 70_001
            await phone.resume(upload["id"], data)
            status, _ = await phone.finish(upload["id"], digest(data))
            assert status == 200


async def test_each_wrong_upload_has_its_own_answer(owner: Desk) -> None:
    phone = Phone(owner)
    assert (await phone.begin(JPEG, media="text/html"))[0] == 415
    assert (await phone.begin(1 << 39))[0] == 413
    assert (await phone.begin(JPEG, permit_id="none"))[0] == 404
    assert (await phone.begin(JPEG, purpose="virus"))[0] == 422
    assert (await phone.begin(JPEG, extra=1))[0] == 422
    _, upload = await phone.begin(JPEG, media="image/jpeg")
    one = upload["id"]
    status, wrong = await phone.append(one, 3, JPEG)
    assert (status, wrong["code"]) == (409, "attachment.offset")
    assert wrong["params"]["offset"] == 0
    assert "从 0 继续" in wrong["sentences"]["zh"]
    assert "go on from 0" in wrong["sentences"]["en"]
    for nonsense in ("", "-1", "1.0", "٣", "9" * 30):
        assert (await phone.append(one, nonsense, JPEG))[0] == 422
    assert (await phone.append(one, 0, JPEG + b"x"))[0] == 413

    async def chunked() -> AsyncIterator[bytes]:
        yield JPEG
        yield b"one more"

    status, wrong = await phone.append(one, 0, chunked())
    assert (status, wrong["code"]) == (413, "attachment.too_long")
    at = await phone.offset(one)
    status, wrong = await phone.finish(one, digest(JPEG))
    if at < len(JPEG):
        assert (status, wrong["code"]) == (409, "attachment.incomplete")
        assert await phone.append(one, at, JPEG[at:]) == (204, len(JPEG))
    status, wrong = await phone.finish(one, "0" * 64)
    assert (status, wrong["code"]) == (422, "attachment.hash")
    assert (await phone.finish(one, "nonsense"))[0] == 422
    assert (await phone.finish(one, digest(JPEG)))[0] == 200
    assert (await phone.append("0" * 32, 0, JPEG))[0] == 404


async def test_another_kind_of_content_is_refused_at_its_first_bytes(
    owner: Desk,
) -> None:
    phone = Phone(owner)
    _, upload = await phone.begin(10 * MIB)
    status, wrong = await phone.append(upload["id"], 0, b"MZ" + bytes(MIB))
    assert (status, wrong["code"]) == (415, "attachment.media_wrong")
    url = f"{owner.fixture.url}/api/v1/uploads/{upload['id']}"
    async with owner.session.head(url) as answer:
        assert answer.status == 404


async def test_a_silent_phone_is_given_up_and_loses_nothing(
    owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobio, "IDLE_S", 0.2)
    phone = Phone(owner)
    _, upload = await phone.begin(MIB)
    silent, before = asyncio.Event(), asyncio.all_tasks()

    async def pieces() -> AsyncIterator[bytes]:
        yield film(1000)
        await silent.wait()

    here = part_of(owner.fixture)
    async with aiohttp.ClientSession(cookie_jar=owner.session.cookie_jar) as session:
        other = Phone(Desk(owner.fixture, session))
        sending = asyncio.ensure_future(other.append(upload["id"], 0, pieces()))
        await until(lambda: here._streams, "the request to begin")
        await until(lambda: not here._streams, "the gateway's patience to end")
        assert await phone.offset(upload["id"]) == 1000
        silent.set()
        status, told = await sending
    assert (status, told["code"]) == (408, "attachment.idle")
    await until(lambda: asyncio.all_tasks() <= before, "the connection to end")


async def test_too_many_streams_are_told_to_come_again(owner: Desk) -> None:
    phone = Phone(owner)
    _, upload = await phone.begin(JPEG, media="image/jpeg")
    here = part_of(owner.fixture)
    with contextlib.ExitStack() as stack:
        for number in range(8):
            stack.enter_context(here._streams.of(f"p-{number}"))
        status, wrong = await phone.append(upload["id"], 0, JPEG)
        assert (status, wrong["code"]) == (503, "attachment.busy")
    assert (await phone.append(upload["id"], 0, JPEG))[0] == 204


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data" / "vault"
    folder.mkdir(parents=True)
    if not mount("-t", "tmpfs", "-o", "size=8m", "none", str(folder)):
        pytest.skip("needs the right to mount a file system")
    yield folder
    unmount(str(folder))


async def test_a_full_disk_stops_the_film_and_not_the_hub(
    small_disk: Path, owner: Desk
) -> None:
    """A real disk that fills: refused by name, resumed once there is room."""
    phone, data = Phone(owner), film(4 * MIB)
    # What is promised to one is not promised to another.
    status, promised = await phone.begin(7 * MIB)
    assert status == 201
    status, wrong = await phone.begin(2 * MIB)
    assert (status, wrong["code"]) == (507, "attachment.disk_full")
    url = f"{owner.fixture.url}/api/v1/uploads/{promised['id']}"
    async with owner.session.delete(url, headers=owner.headers) as answer:
        assert answer.status == 204
    _, upload = await phone.begin(data)
    await phone.append(upload["id"], 0, data[:MIB])
    filler = small_disk / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
            file.flush()
    status, wrong = await phone.append(upload["id"], MIB, data[MIB:])
    assert (status, wrong["code"]) == (507, "attachment.disk_full")
    assert (await owner.get("/api/v1/site"))[0] == 200
    filler.unlink()
    await phone.resume(upload["id"], data)
    assert (await phone.finish(upload["id"], digest(data)))[0] == 200


async def test_who_opens_many_streams_and_dawdles_keeps_nobody_out(
    owner: Desk,
) -> None:
    here = part_of(owner.fixture)
    phone = Phone(owner)
    with contextlib.ExitStack() as stack:
        with pytest.raises(Problem):
            for _ in range(8):
                stack.enter_context(here._streams.of("p-idle"))
        assert await phone.bring(JPEG) == digest(JPEG)


async def test_a_disk_that_fails_at_the_last_write_is_told(
    owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No 'well done' for bytes that are not on the disk; they may come again."""
    phone = Phone(owner)
    _, upload = await phone.begin(JPEG, media="image/jpeg")

    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as bad:
        bad.setattr("frontend_api.sealed.os.fsync", fails)
        status, told = await phone.append(upload["id"], 0, JPEG)
        assert (status, told["code"]) == (503, "attachment.disk")
    at = await phone.offset(upload["id"])
    assert await phone.append(upload["id"], at, JPEG[at:]) == (204, len(JPEG))
    status, done = await phone.finish(upload["id"], digest(JPEG))
    assert (status, done["done"]) == (200, digest(JPEG))


class Drops:
    """A body that comes byte by byte, and never fills a block."""

    def __init__(self) -> None:
        self.content = self
        self.read = 0

    async def readany(self) -> bytes:
        self.read += 1
        return b"x" if self.read < 10 else b""


async def test_a_slow_phone_hears_that_it_was_taken_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hands over what it has now and then, and does not hold its place for ever."""
    monkeypatch.setattr(blobio, "IDLE_S", 0.0)  # every byte has waited long enough
    slow = Drops()
    reading = blobio.blocks(cast("web.Request", slow))
    assert await anext(reading) == b"x"
    assert slow.read == 1, "the refusal would be heard before the next byte"
    assert b"".join([block async for block in reading]) == b"x" * 8
