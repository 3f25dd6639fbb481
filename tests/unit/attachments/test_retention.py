"""One rule for all that is kept: permits, tasks, their keys (design §5 Personal data).

GB 30871-2022 B.3, AQ 3064.2-2025 4.2: a year at least, films a month.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import state as states
from core.clock import NS
from core.journal.fold import FOLD_VERSION
from core.people.acts import ErasePerson
from core.people.events import PersonErased
from core.permits.attachments_acts import EraseAttachments, KeepAttachments
from core.permits.attachments_events import AllErased, AttachmentErased
from core.permits.events import PermitClosed, PermitExpired, PermitIssued
from core.response.events import EvacuationStarted, RosterLine
from core.response.retention import SURE_NS
from core.response.retention_policy import RetentionPolicy
from core.response.tasks_acts import (
    AcceptTask,
    FixTask,
    PhotographTask,
    ReportTask,
)
from tests.unit.attachments.test_room import DAY_S, Works, film


class Kept(Works):
    """The works, with hazards and a policy."""

    def policy(self, **days: int) -> None:
        bundle = msgspec.structs.replace(
            self.hub.bundle, retention=RetentionPolicy(**days)
        )
        self.bundle = bundle
        self.hub.load(bundle)
        self.settle()

    def hazard(self, about: str = "") -> str:
        reply = self.act("ann", ReportTask(title="open grate", about=about))
        return str(reply.result["task_id"])

    def picture(self, task_id: str, number: int, stage: Any) -> None:
        reply = self.act(
            "ann",
            PhotographTask(
                task_id=task_id, stage=stage, sha256=f"{number:064x}", size=9,
                media="image/jpeg", taken_ms=self.now_ms(),
            ),
        )  # fmt: skip
        assert reply.ok, reply.code

    def closed(self, number: int = 10, about: str = "") -> str:
        """Have a hazard found, mended and closed by a second person."""
        task_id = self.hazard(about)
        self.picture(task_id, number, "before")
        self.picture(task_id, number + 1, "after")
        self.hub.state.response.tasks.tasks[task_id].state = "fixing"
        assert self.act("sue", FixTask(task_id=task_id)).ok
        assert self.act("sam", AcceptTask(task_id=task_id)).ok
        return task_id

    def gone(self) -> list[str]:
        return [body.permit_id for body in self.events(AllErased)]

    def names(self) -> list[tuple[str, str]]:
        return [(b.permit_id, b.sha256) for b in self.events(AttachmentErased)]


@pytest.fixture
def works() -> Kept:
    return Kept()


def test_a_permits_key_goes_with_its_last_blob(works: Kept) -> None:
    works.record(number=1)
    works.end()
    works.later(364 * DAY_S)
    works.sure()
    assert works.gone() == []
    works.later(2 * DAY_S)
    works.sure()
    (body,) = works.events(AllErased)
    assert (body.permit_id, body.code, body.days, body.by) == (
        "hot",
        "expired",
        365,
        "",
    )
    assert body.rule.startswith("cn-hazchem")
    assert works.erased() == [f"{1:064x}"]
    # A late picture finds no key, and nothing is erased twice.
    assert works.record(number=2) == (False, "attachment.erased")
    works.restart(clean=True)
    works.later(400 * DAY_S)
    works.sure()
    assert works.gone() == ["hot"]


def test_a_permit_whose_work_never_began_ends_too(works: Kept) -> None:
    """It expires without a word of its end: its validity is the latest."""
    works.record(number=1)
    works.later(DAY_S)
    assert works.events(PermitExpired)
    works.later(363 * DAY_S)
    works.sure()
    assert works.gone() == []
    works.later(3 * DAY_S)
    works.sure()
    assert works.gone() == ["hot"]


def test_a_late_blob_keeps_the_key_for_its_own_time(works: Kept) -> None:
    works.end()
    works.later(300 * DAY_S)
    works.record(number=1)
    works.later(200 * DAY_S)
    works.sure()
    assert works.gone() == []
    works.later(166 * DAY_S)
    works.sure()
    assert works.gone() == ["hot"]


# --- hazards --------------------------------------------------------------------


def test_a_hazards_pictures_live_as_long_as_its_record_must(works: Kept) -> None:
    """R-hazard loop: an open one keeps all, a closed one a year from its end."""
    open_ = works.hazard()
    works.picture(open_, 1, "before")
    works.later(500 * DAY_S)
    works.sure()
    assert not works.names()
    done = works.closed()
    works.later(364 * DAY_S)
    works.sure()
    assert not works.names()
    works.later(2 * DAY_S)
    works.sure()
    assert works.names() == [(done, f"{10:064x}"), (done, f"{11:064x}")]
    assert works.gone() == ["hot", done]
    photos = works.hub.state.response.tasks.tasks[done].photos
    assert all(photo.erased_seq for photo in photos)


def test_a_hazard_that_left_the_list_is_erased_in_its_time_all_the_same(
    works: Kept,
) -> None:
    """The state keeps fifty closed tasks; what is older is still owed its end."""
    first = works.closed()
    for number in range(51):
        works.closed(100 + 2 * number)
    tasks = works.hub.state.response.tasks
    assert first not in tasks.tasks
    assert [p.stage for p in tasks.filed[first].photos] == ["before", "after"]
    # A snapshot and a replay tell the same.
    again = states.load(states.dump(works.hub.state))
    assert again.response.tasks.filed == tasks.filed
    assert FOLD_VERSION >= 4
    keep = KeepAttachments(permit_id=first, keep=True, reason="dispute")
    assert works.act("sam", keep).ok
    works.later(366 * DAY_S)
    works.sure()
    works.advance(25)  # bit by bit
    assert first not in works.gone()
    assert len(works.gone()) == 51 + 1
    free = KeepAttachments(permit_id=first, keep=False, reason="settled")
    assert works.act("sam", free).ok
    works.sure()
    assert first in works.gone()
    found = works.hub.state.response.tasks.filed[first]
    assert (found.photos, bool(found.gone_seq)) == ([], True)


# --- the site's own figures -------------------------------------------------------


def test_a_site_may_keep_longer_and_never_shorter(works: Kept) -> None:
    works.policy(permit_days=730, task_days=1, film_days=1)
    works.record(number=1)
    works.record(
        number=2, slot="process_video", media="video/mp4",
        from_ms=works.now_ms() - 60_000, to_ms=works.now_ms(),
    )  # fmt: skip
    done = works.closed()
    works.end()
    works.later(29 * DAY_S)
    works.sure()
    assert not works.names()
    works.later(337 * DAY_S)
    works.sure()
    assert works.gone() == [done]
    assert ("hot", f"{2:064x}") in works.names()
    works.later(365 * DAY_S)
    works.sure()
    last = works.events(AllErased)[-1]
    assert (last.permit_id, last.rule, last.days) == ("hot", "site", 730)


def test_who_asks_is_served_once_the_laws_own_time_is_over(works: Kept) -> None:
    works.policy(permit_days=3650)
    works.record(number=1)
    ask = EraseAttachments(permit_id="hot")
    assert works.act("ann", ask).code == "act.role"
    assert works.act("sam", EraseAttachments(permit_id="x")).code == "permit.unknown"
    assert works.act("sam", ask).code == "attachment.held"
    works.end()
    reply = works.act("sam", ask)
    assert (reply.code, reply.params["days"]) == ("attachment.law", 365)
    works.later(366 * DAY_S)
    assert works.act("sam", ask).code == "attachment.law", "a clock may have jumped"
    works.later(SURE_NS / NS + 1)
    works.clock.trusted = False
    assert works.act("sam", ask).code == "attachment.clock"
    works.clock.trusted = True
    works.later(1)
    works.sure()
    assert works.gone() == []
    assert works.act("sam", ask).ok
    (body,) = works.events(AllErased)
    assert (body.code, body.by, body.permit_id) == ("asked", "sam", "hot")
    assert works.act("sam", ask).ok
    assert works.gone() == ["hot"]


def test_a_backlog_is_erased_bit_by_bit(works: Kept) -> None:
    """After years without a look nothing keeps an alarm waiting (R1)."""
    valid = works.hub.state.permits.permits["old"].valid
    for number in range(250):
        works.hub.emit(
            PermitIssued(
                permit_id=f"p{number}", kind="lift", zone_id="tank", title="lift",
                issuer_id="ivy", supervisor_id="sue", guardian_id="", linked=(),
                workers=("ann",), valid=valid,
            )
        )  # fmt: skip
        works.hub.emit(PermitClosed(permit_id=f"p{number}", person_id="sue"))
    works.later(400 * DAY_S)
    works.later(SURE_NS / NS + 700)
    assert len(works.gone()) == 100
    works.advance(25)
    assert len(works.gone()) == 251, "hot is among them"


# --- what holds -------------------------------------------------------------------


def test_what_is_needed_is_kept_beyond_its_time(works: Kept) -> None:
    """An inquiry, an open task about it, an evacuation that runs."""
    works.record(number=1)
    works.end()
    task = works.hazard(about="hot")
    works.later(400 * DAY_S)
    works.sure()
    assert works.gone() == []
    assert works.act("sam", EraseAttachments(permit_id="hot")).code == "attachment.held"
    works.hub.state.response.tasks.tasks[task].state = "closed"
    evacuation = EvacuationStarted(
        evacuation_id="ev", zones=("tank",), code="evacuation.by_hand",
        muster_points=(), roster=(), params={},
    )  # fmt: skip
    works.hub.emit(evacuation)
    works.sure()
    assert works.gone() == []
    works.hub.state.response.evacuations["ev"].cleared_wall_ns = 1
    works.sure()
    assert works.gone() == ["hot"]


def test_a_permit_goes_no_earlier_than_what_is_linked_to_it(works: Kept) -> None:
    valid = works.hub.state.permits.permits["old"].valid
    works.hub.emit(
        PermitIssued(
            permit_id="kin", kind="lift", zone_id="tank", title="lift",
            issuer_id="ivy", supervisor_id="sue", guardian_id="", linked=("hot",),
            workers=("ann",), valid=valid,
        )
    )  # fmt: skip
    works.end()
    works.later(400 * DAY_S)
    works.sure()
    assert works.gone() == []
    works.end("kin")
    works.sure()
    assert works.gone() == ["hot"], "kin's own time has only begun"


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=4),
    st.integers(1, 900),
    st.booleans(),
)
def test_no_key_goes_before_the_law_or_the_site_says(
    waits: list[int], site: int, held: bool
) -> None:
    """Whatever the site declares: never under the law's year, never while held."""
    works = Kept()
    works.policy(permit_days=site)
    works.record(number=1)
    works.end()
    if held:
        keep = KeepAttachments(permit_id="hot", keep=True, reason="inquiry")
        assert works.act("sam", keep).ok
    ended = works.clock.wall_ns()
    for wait in waits:
        works.later(wait * DAY_S)
        works.sure()
        passed = works.clock.wall_ns() - ended
        due = max(site, 365) * DAY_S * NS
        if works.gone():
            assert not held
            assert passed >= due
        else:
            assert held or passed < due + SURE_NS + 3000 * NS


# --- who is still needed ----------------------------------------------------------


def test_nobody_is_erased_out_of_an_open_permit(works: Kept) -> None:
    """R-personal data: an active permit always knows its worker; it says which."""
    for person in ("ann", "sue", "ivy"):  # worker, leader, issuer
        reply = works.act("sam", ErasePerson(person_id=person))
        assert reply.code == "person.on_permit"
        assert "old" in str(reply.params["permits"])
    reply = works.act("sam", ErasePerson(person_id="ann"))
    assert reply.params == {"person": "ann", "permits": "hot, old"}
    assert not works.events(PersonErased)
    assert works.kernel.access.roles("ann") == {"worker"}
    assert works.act("sam", ErasePerson(person_id="eve")).ok
    works.end("old")
    assert works.act("sam", ErasePerson(person_id="ann")).params["permits"] == "hot"
    works.end("hot")
    assert works.act("sam", ErasePerson(person_id="ann")).ok
    assert [body.person_id for body in works.events(PersonErased)] == ["eve", "ann"]


def test_nobody_is_erased_while_an_evacuation_looks_for_them(works: Kept) -> None:
    line = RosterLine(person_id="eve", zone_id="tank", certain=True)
    evacuation = EvacuationStarted(
        evacuation_id="ev", zones=("tank",), code="evacuation.by_hand", roster=(line,)
    )
    works.hub.emit(evacuation)
    reply = works.act("sam", ErasePerson(person_id="eve"))
    assert (reply.code, reply.params["evacuation"]) == ("person.on_roll", "ev")
    works.hub.state.response.evacuations["ev"].cleared_wall_ns = 1
    assert works.act("sam", ErasePerson(person_id="eve")).ok


def test_a_late_film_falls_due_before_the_rest(works: Kept) -> None:
    """A record that rests for a year is looked at anew when a film comes."""
    works.record(number=1)
    works.end()
    works.later(100 * DAY_S)
    works.sure()
    at = works.now_ms()
    works.record(number=2, **film(works, at))
    works.later(31 * DAY_S)
    works.sure()
    assert works.names() == [("hot", f"{2:064x}")]
    # A site that later shortens its own time is heard at once.
    works.policy(permit_days=3650)
    works.later(300 * DAY_S)
    works.sure()
    assert works.gone() == []
    works.policy(permit_days=365)
    works.sure()
    assert works.gone() == ["hot"]
