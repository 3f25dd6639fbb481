"""A site under the law of cn-hazchem: people with keys, cards and a geometry worker.

`Works()` is the small yard with the legal pack in force; `Works.through(...)` takes a
permit step by step to the start, each step signed by its own person's own key.
"""

import functools
from typing import Any

import msgspec

from automations.packs import compile as packs
from core import config
from core.api.model import Device
from core.api.reading import Value
from core.config import Bundle
from core.geometry.surveyor import Surveyor
from core.link import messages as m
from core.people.acts import Act, RecordCard, RecordTraining
from core.people.keys_acts import VerifyPerson
from core.permits import life_acts as a
from core.permits.acts import CheckPermit, ClosePermit, ReleasePermit
from core.permits.entries_acts import OpenEntryLog
from core.permits.gas_tests_acts import Sample, TestGas
from core.permits.life_events import Hazard, Mark
from core.permits.pack import Kind, Pack
from core.permits.state import PermitRecord
from core.registry.meters_acts import CalibrateMeter
from tests.support import yard
from tests.support.signer import Phone
from tests.support.yard import HOST, Yard

HOUR_MS = 3_600_000
#: From the simulated clock's beginning to 22 September 2026, 09:00 in Shanghai.
_NINE_S = 38_800.0
#: Facts of the work itself, and how things stand, that permit every work here.
CALM: dict[str, Value] = {
    "fire_area": "running_plant",
    "outdoors": False,
    "in_ex_area": False,
    "in_toxic_area": False,
    "corrosive_medium": False,
    "on_oxygen_equipment": False,
    "pressurised_hot_work": False,
    "electric_welding": False,
    "gas_cutting": False,
    "isolation_needed": False,
    "hot_work_inside": False,
    "painting_inside": False,
    "wet_or_narrow": False,
    "lamp_volts": 12,
    "flammable_residue": False,
    "plant_stopped_cleaned": False,
    "downgrade_approved": False,
    "guardians_needed": 1,
}
STANDS: dict[str, Value] = {
    "workers_fit": True,
    "guardian_marked": True,
    "plan_approved": True,
    "no_decomposing_material": True,
    "conditions_unchanged": True,
    "scope_unchanged": True,
    "site_normal": True,
    "ppe_ok": True,
    "escape_routes_clear": True,
    "emergency_gear_ready": True,
    "communication_ready": True,
    "fire_gear_ready": True,
    "plant_stable": True,
    "equipment_positive_pressure": True,
    "dyke_draining": False,
    "train_passing": False,
    "camera_ex_rated": True,
    "ventilated": True,
    "pure_oxygen_used": False,
    "lamps_ex_rated": True,
}


@functools.cache
def pack() -> Pack:
    """Return the shipped pack, compiled once."""
    return packs.load(packs.find("cn-hazchem"))


def bundle() -> Bundle:
    """Return the yard's bundle with the pack; the owner approves special works."""
    site = yard.bundle()
    boss = config.Person(id="eve", name="eve", roles=("owner",), tags=("tag-eve",))
    worn = config.DeviceRule(integration="field", uid="tag-eve", person="eve")
    camera = config.DeviceRule(integration="field", uid="cam-tank", zone="tank")
    quantities = tuple(
        # The unit trap: without its own LEL a %LEL proves nothing (GB 30871 5.3.2).
        msgspec.structs.replace(each, lel_vol=5.0) if each.id == "lel" else each
        for each in site.quantities
    )
    calendar = config.Calendar(known_from="2026-01-01", known_to="2026-12-31")
    return msgspec.structs.replace(
        site,
        site=msgspec.structs.replace(site.site, calendar=calendar),
        quantities=quantities,
        packs=(pack(),),
        people=(*site.people, boss),
        devices=(worn, camera, *site.devices),
    )


class Works(Yard):
    """Drive the yard under the legal pack, everybody with a phone of their own."""

    def __init__(self, seed: int = 1, later_h: float = 0.0) -> None:
        """Begin on a Tuesday at nine, or so many hours later."""
        self.surveyor: Surveyor | None = None
        self._begin_s: float | None = _NINE_S + later_h * 3600
        self.phones: dict[str, Phone] = {}
        self._law = bundle()
        self._measured = 0
        super().__init__(seed)
        self.declare(HOST, yard.tag("eve"))
        self.declare(HOST, Device(uid="cam-tank", name="camera"))
        self.places["eve"] = "yard"
        self.pulse()
        self.phones = {p: Phone(self, p).enrol() for p in (*yard.ROLES, "eve")}
        self.terminal = Phone(self, "", "gate terminal")
        self.cards()
        self.calibrated()

    def start(self, clean: bool) -> None:
        """Start with the legal bundle in force."""
        if self._begin_s is not None:
            self.clock.step_wall(self._begin_s)
            self._begin_s = None
        self.bundle = self._law
        self.surveyor = None
        self._measured = 0
        super().start(clean)
        self.measure()

    def measure(self) -> None:
        """Let a geometry worker join."""
        self.surveyor = Surveyor()
        self._measured = len(self.links.sent)
        self.kernel.conflicts.hello("geometry")
        self.settle()

    def settle(self) -> None:
        """Let the worker answer at once what it was told."""
        super().settle()
        while self.surveyor is not None and self._measured < len(self.links.sent):
            peer, message = self.links.sent[self._measured]
            self._measured += 1
            if peer == "geometry":
                for answer in self.surveyor.take(message):
                    self.kernel.conflicts.receive("geometry", answer)
                super().settle()

    def pulse(self) -> None:
        """Let every device, the camera and the geometry worker speak once."""
        super().pulse()
        camera = self.kernel.registry.find_device(HOST, "cam-tank")
        if camera is not None and "cam-tank" not in self.dead:
            until = self.clock.wall_ns() // 1_000_000
            beat: dict[str, Value] = {"until_ms": until}
            self.kernel.attachments.recordings.beat(camera.id, beat)
            self.settle()
        if self.surveyor is not None:
            self.kernel.conflicts.receive("geometry", self.surveyor.beat())

    def cards(self) -> None:
        """Put the cards and trainings on file that the law asks for."""
        day, blob = "2099-12-31", "0" * 64
        for person in ("ann", "bob"):
            card = RecordCard(
                person_id=person,
                trade="hot_work",
                kind="special_operation",
                valid_to=day,
                document=blob,
            )
            self.ok("sam", card)
        for person in ("gil", "max"):
            self.ok("sam", RecordTraining(person_id=person, topic="guardian"))

    def calibrated(self) -> None:
        """Record the calibration of the tank's meter."""
        meter = self.kernel.registry.find_device(HOST, "meter-tank")
        assert meter is not None
        act = CalibrateMeter(
            device_id=meter.id, valid_to="2099-12-31", certificate="c-1", by="lab"
        )
        self.ok("sam", act)

    # --- acts -----------------------------------------------------------------

    def say(
        self, person: str, act: Act, version: int | None = None, **fields: Any
    ) -> m.ActReply:
        """Let a person act, signed by the own phone."""
        return self.phones[person].act(act, version, **fields)

    def ok(
        self, person: str, act: Act, version: int | None = None, **fields: Any
    ) -> dict[str, Value]:
        """Let a person act; it must succeed."""
        reply = self.say(person, act, version, **fields)
        assert reply.ok, (act.verb_, reply.code, reply.params)
        return reply.result

    def refused(
        self, person: str, act: Act, version: int | None = None, **fields: Any
    ) -> tuple[str, dict[str, Value]]:
        """Let a person act; it must be refused. Returns code and parameters."""
        reply = self.say(person, act, version, **fields)
        assert not reply.ok, f"{act.verb_} was allowed"
        return reply.code, dict(reply.params)

    def version(self, permit_id: str) -> int:
        """Return a permit's version."""
        return self.permit(permit_id).version

    def kind(self, permit: PermitRecord) -> Kind:
        """Return a permit's kind."""
        found = pack().kind(permit.kind)
        assert found is not None
        return found

    def view(self, permit_id: str) -> dict[str, Any]:
        """Return what the hub says of a permit."""
        told = self.ok("sue", CheckPermit(permit_id=permit_id))
        found: dict[str, Any] = msgspec.json.decode(str(told["view"]))
        return found

    # --- time -----------------------------------------------------------------

    def pass_time(self, minutes: float) -> None:
        """Let much time pass with a report every five seconds."""
        for _ in range(round(minutes * 12)):
            self.advance(5.0)
            self.pulse()

    # --- the six steps --------------------------------------------------------

    def booked(self, kind: str = "hot-special", hours: float = 4, **more: Any) -> str:
        """Book a work in the tank that begins now."""
        now = self.clock.wall_ns() // 1_000_000
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
        return str(self.ok("sue", a.BookPermit(**(fields | more)))["permit_id"])

    def applied(self, permit_id: str, **more: Any) -> str:
        """Fill in the form."""
        permit = self.permit(permit_id)
        kind = self.kind(permit)
        fields: dict[str, Any] = {
            "permit_id": permit_id,
            "workers": ("ann", "bob"),
            "guardians": ("gil",),
            "trades": {"ann": "hot_work"} if kind.trades else {},
            "facts": CALM,
            "fields": form_fields(kind),
        }
        self.ok("sue", a.ApplyPermit(**(fields | more)))
        return permit_id

    def analysed(self, permit_id: str, stated: dict[str, Value] | None = None) -> str:
        """Name the hazards, answer every measure and test the gas."""
        form = pack().form(self.kind(self.permit(permit_id)).form)
        assert form is not None
        act = a.AnalysePermit(
            permit_id=permit_id,
            hazards=(Hazard(text="fire", control="blanket, extinguisher"),),
            measures={each.id: Mark(involved=True) for each in form.measures},
        )
        self.ok("sue", act)
        said = STANDS if stated is None else stated
        self.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=said))
        self.briefed(permit_id)
        self.tested(permit_id)
        return permit_id

    def briefed(self, permit_id: str) -> None:
        """Brief everyone, and let each say so."""
        people = self.permit(permit_id).people()
        self.ok("sue", a.BriefPeople(permit_id=permit_id, people=people))
        for person in people:
            self.ok(person, a.TakeBriefing(permit_id=permit_id))

    def tested(self, permit_id: str) -> dict[str, Value]:
        """Test every gas at every place that the kind asks for."""
        need = self.kind(self.permit(permit_id)).gas
        assert need is not None
        words = {"combustible": ("lel",), "oxygen": ("o2",), "toxic": ("h2s",)}
        samples = tuple(
            Sample(gas=gas, place=place, entity_id=self.entity_of(gas))
            for word in need.gases
            for gas in words[word]
            for place in need.places or ("inside",)
        )
        self.pulse()
        return self.ok("gil", TestGas(permit_id=permit_id, samples=samples))

    def entity_of(self, gas: str) -> str:
        """Return the tank meter's entity of a gas."""
        return self.entity(HOST, "meter-tank", gas)

    def signer(self, slot: dict[str, Any], permit: PermitRecord) -> str:
        """Return a person who may sign what is due."""
        if slot.get("people"):
            return str(slot["people"][0])
        done = {each.person_id for each in permit.life.signed.values()}
        able = [
            person
            for person, role in (("ivy", "issuer"), ("sam", "safety_officer"))
            if role in slot["roles"]
        ]
        if able:
            # One person approves a work once.
            return next((each for each in able if each not in done), able[0])
        return "eve" if "owner" in slot["roles"] else "sue"

    def signed(self, permit_id: str) -> str:
        """Sign whatever is due, until no signature is."""
        while True:
            due = self.view(permit_id).get("due", [])
            due = [each for each in due if each["verb"] == "permit.sign"]
            if not due:
                return permit_id
            permit = self.permit(permit_id)
            act = a.SignPermit(
                permit_id=permit_id, slot=due[0]["slot"], content=permit.life.content
            )
            self.ok(self.signer(due[0], permit), act)

    def verified(self, permit_id: str) -> None:
        """Let everyone prove to be there."""
        permit = self.permit(permit_id)
        before = dict(self.places)
        for person in (permit.supervisor_id, *permit.people()):
            self.places[person] = permit.zone_id
        self.live(4)
        for person in (permit.supervisor_id, *permit.people()):
            self.ok(person, VerifyPerson(zone_id=permit.zone_id))
        self.places = before
        self.live(4)

    def started(self, kind: str = "hot-special", **more: Any) -> str:
        """Take a permit through all steps to the start."""
        permit_id = self.analysed(self.applied(self.booked(kind, **more)))
        self.signed(permit_id)
        self.verified(permit_id)
        self.tested(permit_id)
        if self.kind(self.permit(permit_id)).family == "confined":
            self.ok("gil", OpenEntryLog(permit_id=permit_id))
        version = self.version(permit_id)
        self.ok("sue", a.StartPermit(permit_id=permit_id), version)
        return permit_id

    def released(self, permit_id: str, person: str = "sam") -> dict[str, Value]:
        """Release a permit, which must succeed."""
        act = ReleasePermit(permit_id=permit_id, reason="all is well again")
        return self.ok(person, act, self.version(permit_id))

    def ended(self, permit_id: str) -> None:
        """Complete, accept and close a permit."""
        self.ok("sue", a.CompletePermit(permit_id=permit_id))
        after: dict[str, Value] = {"site_restored": True, "no_residual_fire": True}
        self.ok("sue", a.DeclareFacts(permit_id=permit_id, facts=after))
        for person in self.permit(permit_id).workers:
            self.places[person] = "yard"
        self.live(5)
        self.signed(permit_id)
        self.ok("sue", ClosePermit(permit_id=permit_id))


def form_fields(kind: Kind) -> dict[str, Any]:
    """Return answers for the fields of a form that only a person can fill in."""
    answers: dict[str, Any] = {
        "method": "arc welding",
        "space": "tank 1",
        "medium": "water",
    }
    form = pack().form(kind.form)
    assert form is not None
    known = {field.id for field in form.fields}
    return {name: value for name, value in answers.items() if name in known}
