"""From an accepted plan into the vault and the journal, and back (design §5)."""

from pathlib import Path

import pytest

from core.api.reading import Value
from core.logic.truth import Truth
from core.people import acts
from core.people.acts import Act
from core.people.events import CardRecorded, PersonRecorded
from core.people.vault import Standing, Vault
from frontend_api.ledgers.apply import NotDone, carry_out, changes, known
from frontend_api.ledgers.plan import Known
from tests.support.yard import Yard
from tests.unit.ledgers.test_plan import ROW, A, B, plan_of, row


class Desk:
    """A yard that is asked for acts in the safety officer's name."""

    def __init__(self, data: Path) -> None:
        self.yard, self.vault = Yard(), Vault(data)
        self.by = "sam"
        self._count = 0

    async def ask(self, act: Act) -> dict[str, Value]:
        reply = self.yard.act(self.by, act)
        if not reply.ok:
            raise NotDone(reply.code)
        return reply.result

    def known(self) -> Known:
        return known(self.yard.hub.state, self.yard.bundle, self.vault)

    def fresh(self) -> str:
        self._count += 1
        return f"p-{self._count}"

    async def bring(self, *rows: list[str]) -> tuple[int, int]:
        """Import rows; return how many were refused, and how many acts were done."""
        site = self.known()
        plan = plan_of(*rows, known=site)
        done = 0
        for change in changes(plan.entries, site, self.fresh):
            done += await carry_out(change, self.vault, self.ask)
        return len(plan.rejects), done


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_an_import_makes_files_and_cards_that_count(desk: Desk) -> None:
    rows = (ROW, row(trade="架子工", card="T2"), row(id=B, name="李四", card="T3"))
    assert await desk.bring(*rows) == (0, 5)
    cards = desk.yard.kernel.cards
    assert cards.valid("p-1", "hot_work") is Truth.TRUE
    assert cards.valid("p-1", "scaffolding") is Truth.TRUE
    assert cards.valid("p-2", "scaffolding") is Truth.FALSE
    assert cards.company_of("p-2") == "分包甲"
    assert desk.yard.kernel.access.roles("p-1") == {"worker"}
    held = desk.known().by_number
    assert held[A].fields.phone == "13800138000"
    assert len(held[A].cards) == 2


async def test_a_second_import_of_the_same_file_does_nothing(desk: Desk) -> None:
    await desk.bring(ROW)
    assert await desk.bring(ROW) == (1, 0)
    assert len(desk.yard.events(PersonRecorded)) == 1


async def test_a_renewal_and_a_new_phone_go_on_the_same_file(desk: Desk) -> None:
    await desk.bring(ROW)
    later = row(phone="13900139000", end="2030-01-01")
    assert await desk.bring(later) == (0, 2)
    assert {e.person_id for e in desk.yard.events(CardRecorded)} == {"p-1"}
    assert desk.known().by_number[A].fields.phone == "13900139000"


async def test_what_the_hub_refuses_leaves_nothing_in_the_vault(
    desk: Desk, tmp_path: Path
) -> None:
    desk.by = "ann"
    with pytest.raises(NotDone, match=r"act\.role"):
        await desk.bring(ROW)
    left = [p.name for p in (tmp_path / "vault").rglob("*") if p.is_file()]
    assert left == ["erased"]


async def test_the_journal_never_tells_a_name_or_a_number(desk: Desk) -> None:
    """Design §5: events hold a person id and a salted hash."""
    await desk.bring(ROW)
    stored = b"".join(desk.yard.journal.stored)
    for secret in ("张伟", A, "13800138000", "T1101"):
        assert secret.encode() not in stored


async def test_an_erased_person_is_unknown_everywhere(desk: Desk) -> None:
    await desk.bring(ROW)
    (told,) = desk.yard.events(PersonRecorded)
    desk.vault.erase("p-1")
    assert desk.yard.act("sam", acts.ErasePerson(person_id="p-1")).ok
    assert desk.vault.verify("p-1", "fields", told.facts.fields) is Standing.ERASED
    assert desk.known().by_number == {}
    assert await desk.bring(ROW) == (0, 2)
    assert desk.known().by_number[A].person_id == "p-2"


async def test_every_blob_is_on_disk_before_its_act(desk: Desk) -> None:
    """Design §5: a blob is synced before the event that names it."""
    seen = []

    async def ask(act: Act) -> dict[str, Value]:
        other = Vault(desk.vault.folder.parent)
        name = getattr(act, "fields", "") or getattr(act, "document", "")
        kind = "fields" if isinstance(act, acts.RecordPerson) else "document"
        seen.append(other.verify("p-1", kind, name))
        return {}

    (change,) = changes(plan_of(ROW).entries, Known(), desk.fresh)
    assert await carry_out(change, desk.vault, ask) == 2
    assert seen == [Standing.SOUND] * 2
