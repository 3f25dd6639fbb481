"""Attachments over real HTTP: named by events, read by role and range, erased."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from core.people.events import PersonErased
from core.people.keys_events import FaceConsented, FaceWithdrawn
from core.people.vault import Standing
from core.permits.attachments_events import (
    AllErased,
    AttachmentErased,
    PersonalRead,
)
from core.permits.events import PermitClosed
from tests.support.phone import JPEG, MIB, Phone, digest, film, part_of
from tests.support.waiting import until
from tests.ui.fixture_server import Fixture
from tests.unit.gateway.conftest import PASSWORD, Desk

TAKEN = 1_790_000_000_000


@contextlib.asynccontextmanager
async def as_person(fixture: Fixture, owner: Desk, person: str) -> AsyncIterator[Desk]:
    """Give a desk at which another person is logged in."""
    _, invited = await owner.post("/api/v1/accounts", {"person_id": person})
    before = asyncio.all_tasks()
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        desk = Desk(fixture, session)
        enrol = {"code": invited["code"], "password": PASSWORD}
        status, _ = await desk.post("/api/v1/auth/enrol", enrol)
        assert status == 200
        yield desk
    await until(lambda: asyncio.all_tasks() <= before, "the connections to end")


async def test_the_event_follows_the_blob_and_names_it_rightly(owner: Desk) -> None:
    """Design §5: a blob is synced before the event that names it."""
    phone = Phone(owner)
    act = {
        "permit_id": "pt-1", "slot": "evidence", "sha256": digest(JPEG),
        "size": len(JPEG), "media": "image/jpeg", "taken_ms": TAKEN,
    }  # fmt: skip
    status, wrong = await owner.act("attachment.record", act)
    assert (status, wrong["code"]) == (404, "attachment.missing")
    await phone.bring(JPEG)
    wrong_size = act | {"size": len(JPEG) + 1}
    status, wrong = await owner.act("attachment.record", wrong_size)
    assert (status, wrong["code"]) == (409, "attachment.differs")
    elsewhere = act | {"permit_id": "pt-2"}
    assert (await owner.act("attachment.record", elsewhere))[0] == 404
    assert not [r for r in owner.fixture.core.requests if "attach" in r.verb]
    assert (await owner.act("attachment.record", act | {"media": "x"}))[0] == 422
    assert (await owner.act("attachment.record", act))[0] == 200
    status, found = await owner.get("/api/v1/permits/pt-1/attachments")
    assert status == 200
    assert [(i["sha256"], i["standing"]) for i in found["items"]] == [
        (digest(JPEG), "sound")
    ]


async def test_reads_are_by_range_and_cannot_run(owner: Desk) -> None:
    """Served as a download of its own type, of an origin that may do nothing."""
    data = film(3 * 65_536 + 17)
    name = await Phone(owner).bring(data, "video/mp4")
    url = f"{owner.fixture.url}/api/v1/attachments/{name}?permit=pt-1"
    for wanted, start, stop in (
        (None, 0, len(data)),
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65_535, 65_537),
        ("bytes=196600-", 196_600, len(data)),
        ("bytes=-17", len(data) - 17, len(data)),
        ("bytes=5-99999999", 5, len(data)),
    ):
        headers = {"Range": wanted} if wanted else {}
        async with owner.session.get(url, headers=headers) as answer:
            assert answer.status == (206 if wanted else 200)
            assert await answer.read() == data[start:stop]
            told = answer.headers
            if wanted:
                shown = f"bytes {start}-{stop - 1}/{len(data)}"
                assert told["Content-Range"] == shown
            assert told["Content-Type"] == "video/mp4"
            assert told["X-Content-Type-Options"] == "nosniff"
            assert told["Content-Disposition"].startswith("attachment;")
            assert "sandbox" in told["Content-Security-Policy"]
            assert "no-store" in told["Cache-Control"]
    for wanted in ("bytes=999999999-", "bytes=5-1", "apples=1-2", "bytes=a-b"):
        async with owner.session.get(url, headers={"Range": wanted}) as answer:
            assert answer.status == 416, wanted
    assert (await owner.get(f"/api/v1/attachments/{name}?permit=pt-2"))[0] == 404
    assert (await owner.get(f"/api/v1/attachments/{name}"))[0] == 404


async def test_damage_ends_the_answer_and_is_never_sent(owner: Desk) -> None:
    data = film(3 * MIB)
    name = await Phone(owner).bring(data, "video/mp4")
    here = part_of(owner.fixture)
    path = here.vault.permit_folder("pt-1") / f"{name}.blob"
    stored = bytearray(path.read_bytes())
    stored[2 * MIB] ^= 1
    path.write_bytes(stored)
    url = f"{owner.fixture.url}/api/v1/attachments/{name}?permit=pt-1"
    async with owner.session.get(url) as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    stored[0] ^= 1
    path.write_bytes(stored)
    status, wrong = await owner.get(f"/api/v1/attachments/{name}?permit=pt-1")
    assert (status, wrong["code"]) == (500, "attachment.damaged")


async def test_only_the_permits_people_and_roles_read_and_bring(
    fixture: Fixture, owner: Desk
) -> None:
    """p-sun works on pt-1; p-zheng on pt-3; p-wang supervises."""
    async with contextlib.AsyncExitStack() as stack:
        desks = {}
        for person in ("p-sun", "p-zheng", "p-wang"):
            desk = as_person(fixture, owner, person)
            desks[person] = await stack.enter_async_context(desk)
        name = await Phone(desks["p-sun"]).bring(JPEG)
        path = f"/api/v1/attachments/{name}?permit=pt-1"
        assert (await desks["p-sun"].get(path))[0] == 200
        assert (await desks["p-wang"].get(path))[0] == 200
        assert (await desks["p-zheng"].get(path))[0] == 403
        many = "/api/v1/permits/pt-1/attachments"
        assert (await desks["p-zheng"].get(many))[0] == 403
        status, wrong = await Phone(desks["p-zheng"]).begin(JPEG)
        assert (status, wrong["code"]) == (403, "attachment.not_yours")
        _, upload = await Phone(desks["p-sun"]).begin(JPEG, media="image/jpeg")
        assert (await Phone(desks["p-wang"]).append(upload["id"], 0, JPEG))[0] == 404
        assert (await desks["p-zheng"].get("/api/v1/destruction"))[0] == 200
        assert (await desks["p-wang"].get("/api/v1/destruction"))[0] == 403
        act = {
            "permit_id": "pt-1", "slot": "evidence", "sha256": name,
            "size": len(JPEG), "media": "image/jpeg", "taken_ms": TAKEN,
        }  # fmt: skip
        status, wrong = await desks["p-wang"].act("attachment.record", act)
        assert (status, wrong["code"]) == (403, "attachment.not_yours")


async def test_a_look_at_a_personal_photo_is_written_down_first(
    fixture: Fixture, owner: Desk
) -> None:
    phone = Phone(owner)
    name = await phone.bring(JPEG, purpose="photo", permit_id="", person_id="p-sun")
    assert name != digest(JPEG)
    path = f"/api/v1/attachments/{name}?person=p-sun&kind=photo"
    status, _ = await owner.get(path)
    assert status == 200
    bodies = [kept.body for kept in fixture.gateway.replica.events]
    assert [(b.person_id, b.name, b.by) for b in bodies
            if isinstance(b, PersonalRead)] == [("p-sun", name, "p-chen")]  # fmt: skip
    async with as_person(fixture, owner, "p-wu") as other:
        assert (await other.get(path))[0] == 403
        photo = {"purpose": "photo", "person_id": "p-sun", "media": "image/jpeg"}
        assert (await Phone(other).begin(JPEG, **photo))[0] == 403
    # No word of the core, no photo.
    fixture.core.refuse["attachment.read"] = ("journal.not_durable", {})
    assert (await owner.get(path))[0] == 503
    fixture.link_down()
    assert (await owner.get(path))[0] == 503


async def test_what_the_journal_erases_is_destroyed(
    fixture: Fixture, owner: Desk
) -> None:
    """attachment.erased → key destroyed → 'erased', also after a restart."""
    phone = Phone(owner)
    name = await phone.bring(JPEG)
    act = {
        "permit_id": "pt-1", "slot": "evidence", "sha256": name,
        "size": len(JPEG), "media": "image/jpeg", "taken_ms": TAKEN,
    }  # fmt: skip
    assert (await owner.act("attachment.record", act))[0] == 200
    fixture.core.emit(PermitClosed(permit_id="pt-1", person_id="p-chen"))
    fixture.core.emit(AttachmentErased(permit_id="pt-1", sha256=name))
    here = part_of(fixture)
    await until(lambda: here.destruction.report.destroyed, "the pass")
    assert here.evidence.verify("pt-1", name) is Standing.ERASED
    status, found = await owner.get("/api/v1/permits/pt-1/attachments")
    assert [item["standing"] for item in found["items"]] == ["erased"]
    status, wrong = await owner.get(f"/api/v1/attachments/{name}?permit=pt-1")
    assert (status, wrong["code"]) == (410, "attachment.erased")
    status, report = await owner.get("/api/v1/destruction")
    assert (status, report["destroyed"], report["failed"]) == (200, 1, 0)


async def test_a_record_whose_key_is_gone_says_so(
    fixture: Fixture, owner: Desk
) -> None:
    """attachment.all_erased: lists and reads say 'erased', nothing more comes in."""
    phone = Phone(owner)
    name = await phone.bring(JPEG)
    act = {
        "permit_id": "pt-1", "slot": "evidence", "sha256": name,
        "size": len(JPEG), "media": "image/jpeg", "taken_ms": TAKEN,
    }  # fmt: skip
    assert (await owner.act("attachment.record", act))[0] == 200
    fixture.core.emit(PermitClosed(permit_id="pt-1", person_id="p-chen"))
    fixture.core.emit(AllErased(permit_id="pt-1", rule="law", days=365))
    here = part_of(fixture)
    await until(lambda: here.vault.permit_erased("pt-1"), "the pass")
    _, found = await owner.get("/api/v1/permits/pt-1/attachments")
    assert [item["standing"] for item in found["items"]] == ["erased"]
    status, wrong = await owner.get(f"/api/v1/attachments/{name}?permit=pt-1")
    assert (status, wrong["code"]) == (410, "attachment.erased")
    status, wrong = await phone.begin(JPEG)
    assert (status, wrong["code"]) == (410, "attachment.erased")
    assert (await owner.get("/api/v1/permits/pt-1"))[0] == 200, "the record stays"


async def test_a_withdrawn_face_is_destroyed(fixture: Fixture, owner: Desk) -> None:
    """face.withdrawn → the template's key is destroyed; the person's rest stays."""
    vault = part_of(fixture).vault
    face = vault.put("p-chen", "template", b"vector")
    photo = vault.put("p-chen", "photo", b"picture")
    fixture.core.emit(FaceConsented(person_id="p-chen", template=face))
    fixture.core.emit(FaceWithdrawn(person_id="p-chen", template=face))
    here = part_of(fixture)
    await until(lambda: here.destruction.report.destroyed, "the pass")
    assert vault.verify("p-chen", "template", face) is Standing.ERASED
    assert vault.get("p-chen", "photo", photo) == b"picture"
    fixture.core.emit(PersonErased(person_id="p-chen", by="p-chen"))
    await until(lambda: vault.erased("p-chen"), "the person's key")


async def test_a_screens_token_sees_no_faces(fixture: Fixture, owner: Desk) -> None:
    """A token to read is for screens; a look at a person's file is an act."""
    phone = Phone(owner)
    name = await phone.bring(JPEG, purpose="photo", permit_id="", person_id="p-sun")
    body = {"name": "display", "scopes": ["read"]}
    _, made = await owner.post("/api/v1/tokens", body)
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    path = f"/api/v1/attachments/{name}?person=p-sun&kind=photo"
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession() as session:
        machine = Desk(fixture, session)
        assert (await machine.get(path, headers=bearer))[0] == 403
    await until(lambda: asyncio.all_tasks() <= before, "the connection to end")


async def test_an_act_names_no_blob_that_is_not_here(
    fixture: Fixture, owner: Desk
) -> None:
    """A blob is synced before the event that names it (design §5)."""
    vault = part_of(fixture).vault
    fields = vault.put("p-sun", "fields", b"sealed")
    body = {"person_id": "p-sun", "fields": fields, "company_id": "", "photo": "0" * 64}
    status, wrong = await owner.act("person.record", body)
    assert (status, wrong["code"]) == (404, "attachment.missing")
    # What is here is carried; this core has no such act, and says so.
    done = await owner.act("person.record", body | {"photo": ""})
    assert done[1]["code"] == "act.unknown"
    consent = await owner.act("face.consent", {"template": "1" * 64})
    assert consent[1]["code"] == "attachment.missing"
    # What takes a right away waits for no blob.
    doubt = {"card_id": "c", "verdict": "unknown", "source": "x", "evidence": "2" * 64}
    assert (await owner.act("card.doubt", doubt))[1]["code"] == "act.unknown"
