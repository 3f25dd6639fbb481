"""The core's side: slots, times, retention, and who films (H15, GB 30871 B.3)."""

import functools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.packs.compile import find, load
from core.api.model import Device
from core.api.reading import Value
from core.clock import NS
from core.config import EMPTY, Bundle, Person, Zone
from core.deadlines import Deadline
from core.names import Names
from core.permits.attachments import EVIDENCE, slots_of
from core.permits.attachments_acts import (
    KeepAttachments,
    ReadPersonal,
    RecordAttachment,
)
from core.permits.attachments_events import (
    AttachmentErased,
    AttachmentRecorded,
    PersonalRead,
)
from core.permits.events import PermitClosed, PermitIssued
from core.permits.life_events import PermitBooked
from core.permits.pack import Pack
from core.registry.events import DeviceEnrolled
from core.response.retention import SURE_NS
from tests.support.kernel import Bench

DAY_S = 86_400
ROLES = {
    "ivy": ("issuer",), "sue": ("supervisor",), "ann": ("worker",),
    "eve": ("worker",), "sam": ("safety_officer",), "lou": ("auditor",),
}  # fmt: skip


@functools.cache
def hazchem() -> Pack:
    return load(find("cn-hazchem"))


@functools.cache
def bundle() -> Bundle:
    names = Names(zh="罐", en="Tank")
    zones = tuple(
        Zone(id=i, names=names, level="g", polygon=((0, 0), (4, 0), (4, 4)))
        for i in ("tank", "pit")
    )
    people = tuple(Person(id=p, name=p, roles=r) for p, r in ROLES.items())
    site = msgspec.structs.replace(EMPTY.site, zones=zones)
    return msgspec.structs.replace(EMPTY, site=site, people=people, packs=(hazchem(),))


class Works(Bench):
    """A kernel with one permit of special hot work, and one of the basic pack."""

    def __init__(self) -> None:
        super().__init__(bundle())
        pinned = self.kernel.packs.current("hot-special")
        assert pinned is not None
        valid = Deadline.after(self.clock, 8 * 3600, protective=False)
        self.hub.emit(
            PermitBooked(
                permit_id="hot", kind="hot-special", pack=pinned, zone_id="tank",
                title="weld", unit="u", supervisor_id="sue", booked_by="ann",
                valid=valid, from_wall_ns=0, to_wall_ns=0,
            )
        )  # fmt: skip
        self.hub.emit(
            PermitIssued(
                permit_id="old", kind="lift", zone_id="tank", title="lift",
                issuer_id="ivy", supervisor_id="sue", guardian_id="", linked=(),
                workers=("ann",), valid=valid,
            )
        )  # fmt: skip
        self.enrol("cam", "tank")
        self.settle()

    def enrol(self, uid: str, zone_id: str | None, person_id: str = "") -> None:
        device = Device(uid=uid, name=uid, entities=())
        self.hub.emit(
            DeviceEnrolled(
                device_id=uid, integration="onvif", device=device, entities=(),
                zone_id=zone_id, person_id=person_id or None,
            )
        )  # fmt: skip

    def now_ms(self) -> int:
        return self.clock.wall_ns() // 1_000_000

    def record(
        self, person: str = "ann", number: int = 1, **more: Any
    ) -> tuple[bool, str]:
        fields: dict[str, Any] = {
            "permit_id": "hot", "slot": "photo", "sha256": f"{number:064x}",
            "size": 10, "media": "image/jpeg", "taken_ms": self.now_ms(),
        }  # fmt: skip
        reply = self.act(person, msgspec.convert(fields | more, RecordAttachment))
        return reply.ok, reply.code

    def beat(self, until_ms: float, device: str = "cam", **more: str) -> None:
        params: dict[str, Value] = {"until_ms": until_ms, **more}
        self.kernel.attachments.recordings.beat(device, params)
        self.settle()

    def facts(self, permit_id: str = "hot") -> dict[str, Any]:
        permit = self.hub.state.permits.permits[permit_id]
        kind = hazchem().kind("hot-special")
        assert kind is not None
        found = self.kernel.attachments.recordings.facts(permit, kind, hazchem())
        return dict(found)

    def end(self, permit_id: str = "hot") -> None:
        self.hub.emit(PermitClosed(permit_id=permit_id, person_id="sue"))
        self.settle()

    def erased(self) -> list[str]:
        return [body.sha256 for body in self.events(AttachmentErased)]

    def later(self, seconds: float) -> None:
        """Let a long time pass without a tick for each second of it."""
        self.clock.advance(seconds)
        self.settle()

    def sure(self) -> None:
        """Let what has become due stay due until nobody can doubt it."""
        self.later(700)
        self.later(SURE_NS / NS + 700)


@pytest.fixture
def works() -> Works:
    return Works()


def film(works: Works, at_ms: int, **more: Any) -> dict[str, Any]:
    told = {"from_ms": at_ms - 60_000, "to_ms": at_ms, "taken_ms": at_ms}
    return {"slot": "process_video", "media": "video/mp4", **told, **more}


def test_a_form_gives_its_slots(works: Works) -> None:
    """Three briefing videos, the process video, photos; and one for anything."""
    ruled = works.kernel.packs.kind(works.hub.state.permits.permits["hot"])
    slots = slots_of(ruled)
    assert slots["briefing_video"].most == 3
    assert slots["process_video"].film
    assert slots["photo"].media == ("image/jpeg", "image/png")
    assert set(slots_of(None)) == {EVIDENCE}


def test_what_is_recorded_names_no_content(works: Works) -> None:
    at = works.now_ms()
    assert works.record(**film(works, at)) == (True, "")
    (body,) = works.events(AttachmentRecorded)
    assert (body.person_id, body.from_ms, body.to_ms) == ("ann", at - 60_000, at)
    permit = works.hub.state.permits.permits["hot"]
    assert permit.version == 1, "nobody's form grows stale by a picture"
    assert [item.slot for item in permit.attachments.items.values()] == [
        "process_video"
    ]
    # Told twice by a phone that lost the answer: one event.
    assert works.record(**film(works, at)) == (True, "")
    assert len(works.events(AttachmentRecorded)) == 1


@pytest.mark.parametrize(
    ("person", "more", "code"),
    [
        ("eve", {}, "attachment.not_yours"),
        ("lou", {}, "act.role"),
        ("ann", {"permit_id": "none"}, "permit.unknown"),
        ("ann", {"slot": "no_such"}, "attachment.slot_unknown"),
        ("ann", {"slot": "unit"}, "attachment.slot_unknown"),
        ("ann", {"media": "video/mp4"}, "attachment.slot_media"),
        ("ann", {"slot": "briefing_video"}, "attachment.slot_media"),
        ("ann", {"permit_id": "old"}, "attachment.slot_unknown"),
        ("ann", {"from_ms": 1_790_000_000_000}, "attachment.span"),
        (
            "ann",
            {"from_ms": 1_790_000_000_000, "to_ms": 1_790_000_000_001},
            "attachment.span",
        ),
        ("ann", {"taken_ms": 1_999_000_000_000}, "attachment.future"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    works: Works, person: str, more: dict[str, Any], code: str
) -> None:
    assert works.record(person, **more) == (False, code)
    assert not works.events(AttachmentRecorded)


def test_a_films_span_is_a_span(works: Works) -> None:
    at = works.now_ms()
    for start, end in ((at, at), (at, at - 1), (at - DAY_S * 1000 - 1, at)):
        wrong = film(works, at, from_ms=start, to_ms=end)
        assert works.record(**wrong) == (False, "attachment.span")


def test_a_slot_takes_as_many_as_its_form_says(works: Works) -> None:
    more: dict[str, Any] = {"slot": "briefing_video", "media": "video/webm"}
    for number in range(3):
        assert works.record(number=number, **more) == (True, "")
    assert works.record(number=9, **more) == (False, "attachment.slot_full")
    assert works.record("sue", 9) == (True, "")


def test_late_evidence_is_marked(works: Works) -> None:
    works.record(number=1)
    works.end()
    works.record(number=2)
    assert [body.late for body in works.events(AttachmentRecorded)] == [False, True]


def test_a_look_at_personal_data_is_kept(works: Works) -> None:
    look = ReadPersonal(person_id="ann", kind="photo", name="0" * 64)
    assert works.act("lou", look).ok
    (body,) = works.events(PersonalRead)
    assert (body.person_id, body.by) == ("ann", "lou")


# --- how long -----------------------------------------------------------------


def test_films_go_after_30_days_and_the_rest_after_a_year(works: Works) -> None:
    """GB 30871 B.3, AQ 3064.2 4.2; counted from the permit's end."""
    works.record(number=1)
    works.record(number=2, **film(works, works.now_ms()))
    works.later(29 * DAY_S)
    works.sure()
    works.end()
    works.later(30 * DAY_S - 3600)
    assert works.erased() == []
    works.later(3600)
    works.sure()
    assert works.erased() == [f"{2:064x}"]
    works.later(334 * DAY_S)
    assert works.erased() == [f"{2:064x}"]
    works.later(2 * DAY_S)
    works.sure()
    assert works.erased() == [f"{2:064x}", f"{1:064x}"]
    assert works.record(number=2, **film(works, works.now_ms())) == (
        False,
        "attachment.erased",
    )
    # A restart owes nothing and erases nothing twice.
    works.restart(clean=True)
    works.sure()
    assert len(works.erased()) == 2


def test_what_is_kept_for_an_inquiry_stays(works: Works) -> None:
    works.record(number=1)
    works.end()
    assert not works.act(
        "ann", KeepAttachments(permit_id="hot", keep=True, reason="x")
    ).ok
    keep = KeepAttachments(permit_id="hot", keep=True, reason="accident")
    assert works.act("sam", keep).ok
    works.later(4000 * DAY_S)
    works.sure()
    assert works.erased() == []
    free = KeepAttachments(permit_id="hot", keep=False, reason="closed")
    assert works.act("sam", free).ok
    works.sure()
    assert works.erased() == [f"{1:064x}"]


def test_a_clock_that_jumps_or_is_not_trusted_erases_nothing(works: Works) -> None:
    """Unknown is never safe: a year is believed after six hours of it."""
    works.record(number=1)
    works.end()
    works.clock.step_wall(4000 * DAY_S)
    works.later(1)
    works.later(SURE_NS // NS - 1200)
    works.clock.step_wall(-4000 * DAY_S)
    works.sure()
    assert works.erased() == []
    works.clock.step_wall(4000 * DAY_S)
    works.clock.trusted = False
    works.sure()
    assert works.erased() == []


@settings(max_examples=20)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=4), st.booleans())
def test_nothing_is_erased_before_its_time(days: list[int], video: bool) -> None:
    """Whatever is waited for: never before the law's least, from the later start."""
    works = Works()
    at = works.now_ms()
    more = film(works, at) if video else {}
    works.record(number=1, **more)
    works.end()
    ended = works.clock.wall_ns()
    for wait in days:
        works.later(wait * DAY_S)
        works.sure()
        least = (30 if video else 365) * DAY_S * NS
        if works.erased():
            assert works.clock.wall_ns() - ended >= least
        else:
            assert works.clock.wall_ns() - ended < least + SURE_NS + 2000 * NS


# --- who films ----------------------------------------------------------------


def test_nothing_is_known_before_a_recorder_speaks(works: Works) -> None:
    """H15 on UNKNOWN denies and holds; silence is never 'recording'."""
    assert works.facts() == {}
    works.beat(works.now_ms())
    assert works.facts() == {"video_gap_s": 0.0, "video_recording": True}
    works.restart(clean=True)
    assert works.facts() == {}


def test_a_gap_grows_until_the_recorder_speaks_again(works: Works) -> None:
    told: list[str] = []
    recordings = works.kernel.attachments.recordings
    recordings.changed = told.extend
    works.beat(works.now_ms())
    assert told == ["hot", "old"]
    works.advance(10)
    assert works.facts() == {"video_gap_s": 10.0, "video_recording": True}
    works.advance(1)
    assert works.facts() == {"video_gap_s": 11.0, "video_recording": False}
    assert told.count("hot") > 3
    works.beat(works.now_ms() - 4000)
    assert works.facts() == {"video_gap_s": 4.0, "video_recording": True}
    # An older word than the last one takes nothing back.
    works.beat(works.now_ms() - 8000)
    assert works.facts() == {"video_gap_s": 4.0, "video_recording": True}


@pytest.mark.parametrize("ahead_ms", [6_000, 3_600_000, float("inf"), float("nan")])
def test_a_recorder_ahead_of_the_hub_hides_no_gap(
    works: Works, ahead_ms: float
) -> None:
    works.beat(works.now_ms() + ahead_ms)
    assert works.facts() == {}


def test_only_an_enrolled_recorder_of_the_place_counts(works: Works) -> None:
    works.enrol("far", "pit")
    works.enrol("helmet", None, "ann")
    works.enrol("stranger", None, "eve")
    now = works.now_ms()
    for device in ("far", "stranger", "", "unknown"):
        works.beat(now, device)
        assert works.facts() == {}
    works.clock.trusted = False
    works.beat(now, "cam")
    assert works.facts() == {}
    works.clock.trusted = True
    works.beat(now, "helmet", permit_id="hot")
    assert works.facts()
    assert works.facts("old") == {}


def test_no_person_can_declare_a_recording(works: Works) -> None:
    declarable = works.kernel.permits.facts.declarable
    assert not declarable("video_gap_s")
    assert not declarable("video_recording")


def test_what_was_erased_fills_no_other_slot(works: Works) -> None:
    """Its key goes with the word: an event must not name what nobody can read."""
    assert works.record()[0]
    works.end()
    works.later(366 * DAY_S)
    works.sure()
    assert works.erased() == [f"{1:064x}"]
    for slot in ("photo", "evidence"):
        assert works.record(slot=slot) == (False, "attachment.erased")
