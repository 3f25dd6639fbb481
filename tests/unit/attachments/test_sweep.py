"""What lies in the vault and no event names is found and ended; nothing else is.

Design §5: a blob is synced before the event that names it. Between the two anything
may happen: the act is refused, never made, or lost with a crash.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import NS
from core.people.events import PersonFacts
from core.people.vault import UNNAMED, Standing
from core.response.tasks_state import FiledTask, PhotoRecord
from frontend_api.ledgers.apply import Change, NotDone, carry_out
from frontend_api.ledgers.plan import Fields
from frontend_api.sweep import GRACE_NS, SURE_NS, Sweep, named_by
from tests.unit.attachments.test_stops import Pass
from tests.unit.attachments.test_uploads import brought

DAY = 86_400


class Swept(Pass):
    """A pass over a vault, by a gateway that has the journal's word."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.replica.state.seq = 1

    def names(self, person: str, *names: str) -> None:
        self.replica.state.people.cards.name(person, *names)

    async def wait(self, days: float) -> None:
        """Let days pass as an hourly pass sees them: at their beginning and end."""
        await self.made.once()
        self.clock.advance(days * DAY / 2)
        await self.made.once()
        self.clock.advance(days * DAY / 2)
        await self.made.once()


@pytest.fixture
def work(tmp_path: Path) -> Swept:
    return Swept(tmp_path)


async def test_what_no_event_names_goes_after_its_grace(work: Swept) -> None:
    kept = work.vault.put("ann", "photo", b"told of")
    lost = work.vault.put("ann", "photo", b"never told of")
    stranger = work.vault.put("who", "fields", b"a refused import")
    work.names("ann", kept)
    await work.wait(2)
    report = work.made.report
    assert (report.folders, report.looked, report.unnamed) == (2, 2, 2)
    assert report.dropped == 0
    await work.wait(2)
    assert (report.unnamed, report.dropped, report.failed) == (0, 2, 0)
    assert work.vault.verify("ann", "photo", kept) is Standing.SOUND
    assert work.vault.verify("ann", "photo", lost) is Standing.MISSING
    assert work.vault.verify("who", "fields", stranger) is Standing.MISSING
    left = [p.name for p in (work.folder / "vault").rglob("*") if p.is_file()]
    assert not [name for name in left if name.endswith(UNNAMED)]
    # It may be brought again.
    assert work.vault.put("ann", "photo", b"never told of") == lost


async def test_a_restart_each_day_only_delays_it(work: Swept) -> None:
    """The mark is on disk: a gateway that dies each day still ends an orphan."""
    lost = work.vault.put("ann", "photo", b"never told of")
    for _ in range(4):
        await work.wait(1)
        work.again()
    assert work.vault.verify("ann", "photo", lost) is Standing.MISSING


async def test_an_event_in_flight_keeps_its_blob(work: Swept) -> None:
    """Whoever is about to name a blob begins its time anew."""
    name = work.vault.put("ann", "document", b"a card")
    await work.wait(2.9)
    assert work.vault.wanted("ann", name)  # the gateway, before it carries the act
    await work.wait(2.9)
    assert work.vault.put("ann", "document", b"a card") == name  # an import, again
    await work.wait(2.9)
    assert work.vault.verify("ann", "document", name) is Standing.SOUND
    work.names("ann", name)
    await work.wait(30)
    assert work.vault.verify("ann", "document", name) is Standing.SOUND
    assert not work.vault.wanted("ann", "0" * 64)
    assert not work.vault.wanted("ann", "../key")


async def test_what_is_being_put_away_is_not_looked_at(work: Swept) -> None:
    """An import is a process of its own: the folder's lock keeps the two apart."""
    name = work.vault.put("ann", "photo", b"x")
    await work.wait(3.5)
    assert work.vault.verify("ann", "photo", name) is Standing.MISSING
    name = work.vault.put("ann", "photo", b"x")
    await work.made.once()
    work.clock.advance(4 * DAY)
    with work.vault.guard():
        await work.made.once()
        assert work.vault.verify("ann", "photo", name) is Standing.SOUND
    await work.made.once()
    assert work.vault.verify("ann", "photo", name) is Standing.MISSING


async def test_nothing_is_swept_before_the_journal_has_spoken(work: Swept) -> None:
    """No snapshot, no link, no time: unknown ends nothing."""
    name = work.vault.put("ann", "photo", b"x")
    work.replica.state.seq = 0
    await work.wait(9)
    work.replica.state.seq, work.replica.reachable = 1, False
    await work.wait(9)
    work.replica.reachable, work.clock.trusted = True, False
    await work.wait(9)
    assert work.vault.verify("ann", "photo", name) is Standing.SOUND
    work.clock.trusted = True
    await work.wait(2)
    assert work.vault.verify("ann", "photo", name) is Standing.SOUND


async def test_a_clock_that_jumps_ends_nothing_at_once(work: Swept) -> None:
    name = work.vault.put("ann", "photo", b"x")
    await work.made.once()
    work.clock.step_wall(100 * DAY)
    work.again()  # and a restart does not make it believed
    await work.made.once()
    work.clock.advance(SURE_NS / NS - 60)
    await work.made.once()
    assert work.vault.verify("ann", "photo", name) is Standing.SOUND
    work.clock.step_wall(-100 * DAY)
    await work.wait(2)
    assert work.vault.verify("ann", "photo", name) is Standing.SOUND
    await work.wait(2)
    assert work.vault.verify("ann", "photo", name) is Standing.MISSING


async def test_evidence_without_an_upload_is_found_too(work: Swept) -> None:
    """Its record was lost with the disk; its permit never was, or is long gone."""
    name = brought(work.uploads)
    for path in (work.vault.folder / "uploads").iterdir():
        path.unlink()
    work.again()
    await work.wait(2)
    assert work.evidence.verify("pt-1", name) is Standing.SOUND
    await work.wait(2)
    assert work.files() == set()


async def test_pictures_of_a_filed_task_stay(work: Swept) -> None:
    name = brought(work.uploads)
    photo = PhotoRecord(
        stage="before", sha256=name, size=1, media="image/jpeg", by="ann", taken_ms=1
    )
    work.replica.state.response.tasks.filed["pt-1"] = FiledTask(
        id="pt-1", closed_wall_ns=1, photos=[photo]
    )
    await work.wait(30)
    assert work.evidence.verify("pt-1", name) is Standing.SOUND
    # Until its time is over: then its key goes, and says so.
    filed = work.replica.state.response.tasks.filed["pt-1"]
    filed.gone_seq, filed.photos = 5, []
    await work.made.once()
    assert work.evidence.verify("pt-1", name) is Standing.ERASED
    assert work.vault.permit_erased("pt-1")
    assert [p.name for p in work.vault.permit_folder("pt-1").iterdir()] == ["erased"]
    done = work.made.report.destroyed
    await work.made.once()
    assert work.made.report.destroyed == done


async def test_a_permits_key_goes_once_the_word_is_durable(work: Swept) -> None:
    """A copy of everything that was sealed under it says nothing from then on."""
    name = brought(work.uploads)
    folder = work.vault.permit_folder("pt-1")
    copies = {path: path.read_bytes() for path in folder.iterdir()}
    permit = work.permit(name)
    permit.attachments.gone_seq = 2000
    await work.made.once()
    assert (work.made.report.waiting, work.evidence.verify("pt-1", name)) == (
        1,
        Standing.SOUND,
    )
    work.replica.durable = 2000
    await work.made.once()
    assert work.evidence.verify("pt-1", name) is Standing.ERASED
    for path, stored in copies.items():
        path.write_bytes(stored)  # an old backup of the vault is put back whole
    assert work.evidence.verify("pt-1", name) is Standing.ERASED
    await work.made.once()
    assert [p.name for p in folder.iterdir()] == ["erased"], "and erased again"


async def test_a_vault_put_back_without_its_marks_is_erased_again(work: Swept) -> None:
    """The journal has the word: each pass compares the vault with it (design §5)."""
    name = brought(work.uploads)
    photo = work.vault.put("ann", "photo", b"picture")
    saved = {
        path: path.read_bytes()
        for path in (work.folder / "vault").rglob("*")
        if path.is_file() and "uploads" not in path.parts
    }
    permit = work.permit(name)
    permit.attachments.gone_seq = 5
    work.replica.state.people.cards.erased_seq["ann"] = 6
    await work.made.once()
    for folder in (work.vault.permit_folder("pt-1"), work.vault.person_folder("ann")):
        for path in folder.iterdir():
            path.unlink()
    for path, stored in saved.items():
        path.write_bytes(stored)
    assert work.vault.get("ann", "photo", photo) == b"picture"
    work.again()
    await work.made.once()
    assert work.vault.erased("ann")
    assert work.vault.permit_erased("pt-1")


async def test_a_refused_import_leaves_nothing_of_a_known_person(work: Swept) -> None:
    """The act that would name new fields is refused: they go, the old ones stay."""
    old = work.vault.put("ann", "fields", b"old")
    work.names("ann", old)
    work.replica.state.people.cards.persons["ann"] = PersonFacts(
        company_id="", fields=old
    )
    change = Change(
        person_id="ann", company="", record=True, new=False, cards=[], rows=[2],
        fields=Fields(name="张伟", id_number="1", phone="13800000000"),
    )  # fmt: skip

    async def no(_act: Any) -> Any:
        raise NotDone("company.ended")

    with pytest.raises(NotDone):
        await carry_out(change, work.vault, no)
    folder = work.vault.person_folder("ann")
    assert len([p for p in folder.iterdir() if len(p.name) == 64]) == 2
    await work.wait(2)
    await work.wait(2)
    assert [p.name for p in folder.iterdir() if len(p.name) == 64] == [old]


async def test_a_torn_file_is_taken_away(work: Swept) -> None:
    work.vault.put("ann", "photo", b"x")
    torn = work.vault.person_folder("ann") / f".{'a' * 64}.0011aabb.part"
    torn.write_bytes(b"half a blob")
    await work.wait(2)
    assert torn.exists()
    await work.wait(2)
    assert not torn.exists()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pass", "want", "name", "restart", "put"]),
            st.integers(0, 40),
        ),
        max_size=25,
    )
)
def test_no_blob_is_taken_that_is_named_or_was_wanted_of_late(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Whatever comes between: named for ever, wanted for three days (design §5)."""
    work = Swept(tmp_path_factory.mktemp("vault"))
    name = work.vault.put("ann", "photo", b"x")
    named, wanted = False, work.clock.wall_ns()
    sweep = Sweep(work.vault, work.clock)
    folder = work.vault.person_folder("ann")
    for step, hours in steps:
        work.clock.advance(hours * 3600)
        here = (folder / name).exists()
        if step == "want" and here:
            assert work.vault.wanted("ann", name)
            wanted = work.clock.wall_ns()
        elif step == "put":
            assert work.vault.put("ann", "photo", b"x") == name
            wanted = work.clock.wall_ns()
        elif step == "name" and here:
            work.names("ann", name)
            named = True
        elif step == "restart":
            sweep = Sweep(work.vault, work.clock)
        told = named_by(work.replica.state, work.vault, {})
        sweep.look(folder, told.get(folder, frozenset()))
        if not (folder / name).exists():
            assert not named
            assert work.clock.wall_ns() - wanted >= GRACE_NS
