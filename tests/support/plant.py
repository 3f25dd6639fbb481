"""A real hub under the law, its site published from YAML, each person a client.

`Plant` takes a permit step by step over the public API of real processes.
"""

import asyncio
import itertools
import json
import os
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from automations.command import main as publish
from core.api.documents import Document
from core.api.reading import Value
from core.config import IntegrationConfig
from core.geometry.shapes import Area
from core.people.acts import Act, RecordCard, RecordTraining
from core.people.keys_acts import VerifyPerson
from core.permits import life_acts as a
from core.permits.acts import CheckPermit, ClosePermit
from core.permits.gas_tests_acts import Sample, TestGas
from core.permits.life_events import Hazard, Mark
from core.registry.meters_acts import CalibrateMeter
from frontend_api.claim import CLAIM_FILE
from frontend_api.exchange.settings import FOLDER, NAME
from frontend_api.exchange.simulator import Park, make
from tests.support.client import Client, RefusedError
from tests.support.plant_site import CAMERA, CREW, EXCHANGE, METER, OWNER, write
from tests.support.plant_time import SiteDay
from tests.support.site import RunningHub
from tests.support.waiting import pause, until
from tests.support.works import CALM, STANDS, form_fields, pack

SPEED = 4.0
#: Refusals that pass once the site has caught up with what people do.
NOT_YET = ("permit.rule", "permit.interlock", "permit.people_inside")
HOUR_MS = 3_600_000
_LEFT_OUT = ("--without", "notifier", "--without", "discovery")
_numbers = itertools.count(1)


def _as_given(
    _: Document, __: int, given: dict[str, Any], ___: Path | None
) -> IntegrationConfig:
    """Take the test field's options as they are."""
    return msgspec.convert(given, IntegrationConfig)


class Plant:
    """Run the hub, its field and its people."""

    def __init__(self, folder: Path) -> None:
        self.data, self.config = folder / "data", folder / "config"
        self._door = folder / "door"
        self.day = SiteDay(folder / "zones")
        # A loopback address of its own: no port is ever guessed.
        pid = os.getpid() & 0xFFFF
        host = f"127.{next(_numbers) % 200 + 1}.{pid >> 8}.{(pid & 0xFF) or 1}"
        self.address = f"http://{host}:8480"
        args = (*_LEFT_OUT, "--speed", f"{SPEED:g}")
        self.hub = RunningHub(self.data, args=(*args, "--host", host, "--port", "8480"))
        self.people: dict[str, Client] = {}
        self.entities: dict[str, str] = {}
        self.devices: dict[str, str] = {}
        self.cards: dict[str, str] = {}
        self.places = {person: "yard" for person in CREW} | {
            "ann": "tank",
            "bob": "tank",
        }
        self._begin = dict(self.places)
        self._crews: dict[str, tuple[tuple[str, ...], str]] = {}
        """Permit → its workers and its guardian."""

    # --- the park ---

    async def park(self) -> Park:
        """Open a park's platform, and settle how the hub reports to it."""
        park = Park(None, 1, 0.0)
        park.faults = {"error": 0.1, "lost_answer": 0.1}
        self._park = web.AppRunner(make(park), access_log=None)
        await self._park.setup()
        await web.TCPSite(self._park, "127.0.0.1", 0).start()
        port = self._park.addresses[0][1]
        folder = self.data / FOLDER
        folder.mkdir(parents=True, mode=0o700)
        (folder / NAME).write_text(EXCHANGE.replace("PORT", str(port)), "utf-8")
        return park

    # --- the site --------------------------------------------------------------

    async def publish(self) -> None:
        """Publish the site by the command; only the field has no form of its own."""
        write(self.config, self.day, self._door, self._begin)
        arguments = [str(self.config), "--data", str(self.data), "--wait", "60"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("automations.integrations.check", _as_given)
            status = await asyncio.to_thread(publish, arguments)
        assert status == 0

    async def enter(self) -> None:
        """Let everybody join: the owner claims and invites, each enrols a key."""
        await until(self._code, "the claim's code")
        for person in CREW:
            self.people[person] = Client(self.address, person, SPEED)
        owner = self.people[OWNER]
        await self._claimed(owner, self._code())
        for person, client in self.people.items():
            if client is not owner:
                await client.join(await owner.invite(person))
            await client.enrol()

    def _code(self) -> str:
        """Return the claim's code; '' until all of it is written."""
        file = self.data / CLAIM_FILE
        return file.read_text("ascii").strip() if file.exists() else ""

    async def _claimed(self, owner: Client, code: str) -> None:
        for _ in range(200):
            try:
                return await owner.claim(code)
            except (OSError, RefusedError) as early:
                # Not yet listening, or not yet on the link; a wrong code stays wrong.
                assert getattr(early, "code", "") != "gateway.wrong_code"
                last = early
                await pause(0.2)
        raise AssertionError(f"the gateway never let the owner in: {last}")

    async def known(self) -> None:
        """Wait until the field's devices are enrolled; note their ids."""
        for _ in range(200):
            found = (await self.people[OWNER].get("/api/v1/devices"))["items"]
            self.devices = {each["uid"]: each["id"] for each in found}
            if {METER, CAMERA, *(f"tag-{p}" for p in CREW)} <= set(self.devices):
                break
            await pause(0.1)
        (meter,) = (each for each in found if each["uid"] == METER)
        self.entities = {e["quantity"]: e["id"] for e in meter["entities"]}

    async def papers(self) -> None:
        """Put on file what the law asks for: cards, trainings, a calibration."""
        sam = self.people["sam"]
        for person in ("ann", "bob"):
            await self.carded(person)
        for person in ("gil", "gus"):
            await sam.act(RecordTraining(person_id=person, topic="guardian"))
        act = CalibrateMeter(
            device_id=self.devices[METER],
            valid_to="2099-12-31",
            certificate="c-1",
            by="lab",
        )
        await sam.act(act)

    async def carded(self, person: str) -> None:
        """Put a welder's card on file."""
        sam, scan = self.people["sam"], b"\xff\xd8\xff\xe0 a card"
        owner = {"purpose": "document", "person_id": person}
        made = await sam.act(
            RecordCard(
                person_id=person,
                trade="hot_work",
                kind="special_operation",
                valid_to="2099-12-31",
                document=await sam.bring(scan, "image/jpeg", **owner),
            )
        )
        self.cards[person] = str(made["card_id"])

    async def close(self) -> None:
        """End every client and the park."""
        for client in self.people.values():
            await client.close()
        await self._park.cleanup()

    def tell(self, **order: Any) -> None:
        """Tell the field what is so now."""
        self.places |= order.get("places", {})
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(json.dumps(order).encode(), str(self._door))

    async def move(self, **places: str) -> None:
        """Let people walk, and wait until the hub has seen it."""
        self.tell(places=places)
        for _ in range(240):
            found = (await self.people[OWNER].get("/api/v1/people"))["items"]
            seen = {each["id"]: each["zone_id"] for each in found}
            if all(seen[person] == zone for person, zone in places.items()):
                return
            await pause(0.1)
        raise AssertionError(f"never seen there: {places}, but {seen}")

    # --- what the hub says -----------------------------------------------------

    async def now_ms(self) -> int:
        """Return the hub's wall time."""
        return int((await self.people["sue"].get("/api/v1/keys"))["now_ms"])

    async def passed(self, wall_ms: float) -> None:
        """Wait until the hub's clock has passed a moment."""
        while await self.now_ms() <= wall_ms:
            await pause(0.2)

    async def ok(self, person: str, act: Act, version: int | None = None) -> Any:
        """Let a person act; it must succeed."""
        return await self.people[person].act(act, version)

    async def view(self, permit_id: str) -> dict[str, Any]:
        """Return what the hub says of a permit."""
        told = await self.ok("sue", CheckPermit(permit_id=permit_id))
        found: dict[str, Any] = json.loads(told["view"])
        return found

    async def shown(self, permit_id: str) -> str:
        """Return what the page of a permit shows: its view, and why it is held."""
        page = await self.people["sue"].get(f"/api/v1/permits/{permit_id}")
        return json.dumps([await self.view(permit_id), page["holds"]])

    async def becomes(self, permit_id: str, status: str) -> dict[str, Any]:
        """Wait until a permit has a status."""
        for _ in range(400):
            view = await self.view(permit_id)
            if view["status"] == status:
                return view
            await pause(0.1)
        raise AssertionError(f"{permit_id} never became {status}: {view}")

    # --- the six steps ---------------------------------------------------------

    async def booked(self, kind: str, hours: float = 4, **more: Any) -> str:
        """Book a work in the tank that begins now."""
        now = await self.now_ms()
        fields: dict[str, Any] = {
            "kind": kind,
            "zone_id": "tank",
            "title": "weld the flange",
            "unit": "workshop",
            "supervisor_id": "sue",
            "from_ms": now,
            "to_ms": now + int(hours * HOUR_MS),
            "emergency": True,
        }
        told = await self.ok("sue", a.BookPermit(**(fields | more)))
        return str(told["permit_id"])

    async def applied(
        self,
        permit_id: str,
        kind: str,
        crew: tuple[tuple[str, ...], str] = (("ann", "bob"), "gil"),
        fields: dict[str, Any] | None = None,
        linked: tuple[str, ...] = (),
        area: Area | None = None,
        **facts: Value,
    ) -> None:
        """Fill in the form; ``crew``: workers and guardian."""
        self._crews[permit_id] = workers, guardian = crew
        found = pack().kind(kind)
        assert found is not None
        act = a.ApplyPermit(
            permit_id=permit_id,
            workers=workers,
            guardians=(guardian,),
            trades={workers[0]: "hot_work"} if found.trades else {},
            fields=form_fields(found) | (fields or {}),
            linked=linked,
            area=area,
            facts=CALM | facts,
        )
        await self.ok("sue", act)

    async def analysed(self, permit_id: str, kind: str) -> None:
        """Name the hazards, answer every measure, say how things stand."""
        found = pack().kind(kind)
        form = pack().form(found.form if found else "")
        assert form is not None
        act = a.AnalysePermit(
            permit_id=permit_id,
            hazards=(Hazard(text="fire", control="blanket, extinguisher"),),
            measures={each.id: Mark(involved=True) for each in form.measures},
        )
        await self.ok("sue", act)
        await self.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=STANDS))

    async def briefed(self, permit_id: str) -> None:
        """Brief everyone, and let each say so."""
        workers, guardian = self._crews[permit_id]
        crew = (*workers, guardian)
        await self.ok("sue", a.BriefPeople(permit_id=permit_id, people=crew))
        for person in crew:
            await self.ok(person, a.TakeBriefing(permit_id=permit_id))

    async def tested(self, permit_id: str, kind: str) -> None:
        """Test every gas at every place that the kind asks for."""
        found = pack().kind(kind)
        assert found is not None
        assert found.gas is not None
        words = {"combustible": "lel", "oxygen": "o2", "toxic": "h2s"}
        samples = tuple(
            Sample(gas=gas, place=place, entity_id=self.entities[gas])
            for gas in (words[word] for word in found.gas.gases)
            for place in found.gas.places or ("inside",)
        )
        await self.ok("gil", TestGas(permit_id=permit_id, samples=samples))

    async def next_signature(self, permit_id: str) -> tuple[str, a.SignPermit] | None:
        """Return whose turn it is and what to sign; None when nothing is due."""
        view = await self.view(permit_id)
        due = [d for d in view.get("due", ()) if d["verb"] == "permit.sign"]
        if not due:
            return None
        slot = due[0]
        act = a.SignPermit(
            permit_id=permit_id, slot=slot["slot"], content=view["content"]
        )
        for person, role in (("ivy", "issuer"), ("sam", "safety_officer")):
            if role in slot.get("roles", ()):
                return person, act
        if slot.get("people"):
            return str(slot["people"][0]), act
        return OWNER if "owner" in slot["roles"] else "sue", act

    async def signed(self, permit_id: str) -> None:
        """Sign whatever is due, until no signature is."""
        while (turn := await self.next_signature(permit_id)) is not None:
            person, act = turn
            await self.people[person].soon(act, *NOT_YET)

    async def stopped(self, permit_id: str) -> RefusedError:
        """Sign what is due until the law refuses; returns its refusal."""
        while (turn := await self.next_signature(permit_id)) is not None:
            person, act = turn
            try:
                await self.people[person].act(act)
            except RefusedError as no:
                return no
        raise AssertionError("everything could be signed")

    async def denied(self, permit_id: str, rule: str) -> str:
        """Sign what is due until this rule refuses; returns all that it said."""
        for _ in range(160):
            no = await self.stopped(permit_id)
            said = f"{no.code} {no.params}"
            if rule in said:
                return said
            await pause(0.25)
        raise AssertionError(f"{rule} never refused: {said}")

    async def eventually(self, person: str, act: Act) -> None:
        """Ask until the hub agrees, whatever it says against it meanwhile."""
        for _ in range(160):
            try:
                await self.people[person].act(act)
                return
            except RefusedError as no:
                last = no
            await pause(0.25)
        raise AssertionError(f"{act.verb_}: still {last}")

    async def verified(self, permit_id: str) -> None:
        """Let everyone prove to be in the zone, then go where they belong."""
        workers, guardian = self._crews[permit_id]
        crew = ("sue", *workers, guardian)
        before = dict(self.places)
        await self.move(**{person: "tank" for person in crew})
        for person in crew:
            act = VerifyPerson(zone_id="tank")
            await self.people[person].soon(act, "place.elsewhere", "place.unknown")
        await self.move(**{person: before[person] for person in crew})

    async def ended(self, permit_id: str) -> None:
        """Complete, accept and close a permit."""
        await self.ok("sue", a.CompletePermit(permit_id=permit_id))
        after: dict[str, Value] = {"site_restored": True, "no_residual_fire": True}
        await self.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=after))
        await self.move(ann="yard", bob="yard")
        await self.closed(permit_id)

    async def closed(self, permit_id: str) -> None:
        """Accept a completed permit and close it."""
        await self.signed(permit_id)
        await self.people["sue"].soon(ClosePermit(permit_id=permit_id), *NOT_YET)
