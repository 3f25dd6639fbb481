"""What a sheet tells of the past: own packs, confirmers, holds, numbered blanks."""

import csv
from pathlib import Path

import msgspec
import pytest

from core import config
from core.deadlines import Deadline
from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.people.cards_state import CardRecord
from core.people.vault import Vault
from core.permits import life_acts as a
from core.permits.life_events import PermitEnteredLate
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Form, Pack
from core.permits.packs import digest_of, dump
from core.permits.packs_events import PackArmed
from core.permits.state import PermitRecord
from core.processes.events import ConfigArmed
from core.state import SiteState
from frontend_api.commands import export, paper
from frontend_api.exchange import cards
from frontend_api.ledgers.plan import Card
from frontend_api.paper import filled, fonts, form
from frontend_api.paper.blanks import BlankError, Blanks
from frontend_api.paper.history import Papers
from tests.support.works import Works, pack
from tests.unit.exchange.conftest import BUNDLE, START_NS, Told
from tests.unit.exchange.test_period import SPAN
from tests.unit.paper.conftest import write_hub
from tests.unit.paper.test_paper import text_of

WORDS = filled.Words("zh", str, str, str)


def _papers(site: Works) -> Papers:
    found = Papers()
    for data in site.journal.stored:
        envelope = envelopes.decode(data)
        found.take(decode_body(envelope), envelope)
    return found


def test_who_answered_the_measures_stands_beside_each() -> None:
    """GB 30871 annex A: each measure names who confirmed it."""
    site = Works()
    permit_id = site.started()
    permit = site.permit(permit_id)
    assert permit.life.analysed_by == "sue"
    for measure in permit.life.measures:
        assert filled.mark(permit, measure, WORDS)[1].startswith("sue")
    assert site.replayed().permits.permits[permit_id].life.analysed_by == "sue"


def test_a_released_hold_stays_on_paper() -> None:
    """The state forgets a released hold; the sheet tells since when, why, by whom."""
    site = Works()
    permit_id = site.started()
    site.kernel.permits.hold(permit_id, "camera", source="x")
    site.live(3)
    site.tested(permit_id)
    site.released(permit_id)
    lain = _papers(site).holds(permit_id)
    assert [(each.code, each.by) for each in lain] == [("camera", "sam")]
    assert 0 < lain[0].since_ns < lain[0].until_ns
    line = filled.holds(lain * 6, lambda code, _: code, WORDS)
    assert line.count("camera") == 4
    assert "all is well again" in line
    assert "另有更早的 2 次" in line


def test_a_permit_prints_by_the_pack_that_it_pins() -> None:
    """A site's own pack has its own form; no shipped file stands in for it."""
    site = Works()
    permit = site.permit(site.booked())
    shipped = form.load("hot", "x", "zh")
    pinned = _papers(site).form(permit)
    assert pinned is not None
    assert form.of_pack(pinned, "zh") == shipped
    mine = msgspec.structs.replace(
        pinned,
        names=config.Names(zh="本厂动火票", en="Our hot work permit"),
        measures=pinned.measures[:2],
    )
    papers, whole = Papers(), _pack(mine)
    own = digest_of(whole)
    first = envelopes.decode(site.journal.stored[0])
    papers.take(PackArmed(pack_id="own", digest=own, data=dump(whole)), first)
    other = msgspec.structs.replace(
        permit, life=msgspec.structs.replace(permit.life, pack=own)
    )
    found = papers.form(other)
    assert found is not None
    assert form.of_pack(found, "zh").title == "本厂动火票"
    assert len(form.of_pack(found, "en").measures) == 2


def _pack(own: Form) -> Pack:
    forms = tuple(own if f.id == own.id else f for f in pack().forms)
    return msgspec.structs.replace(pack(), id="own", forms=forms)


# --- numbered blanks ------------------------------------------------------------


def late(
    site: Works, number: str = "works-B-000007", **more: object
) -> a.BookLatePermit:
    """Return the act that enters a paper form of this morning."""
    now = site.clock.wall_ns() // 1_000_000
    fields = {
        "blank": number,
        "kind": "hot-special",
        "zone_id": "tank",
        "title": "weld",
        "unit": "workshop",
        "supervisor_id": "sue",
        "approver_id": "eve",
        "from_ms": now - 7_200_000,
        "to_ms": now - 3_600_000,
        "workers": ("ann",),
        "guardians": ("gil",),
        "reason": "power cut",
    }
    return a.BookLatePermit(**(fields | more))  # type: ignore[arg-type]


def test_a_paper_form_comes_in_late_and_permits_nothing() -> None:
    """Numbered blank forms cover an outage and come in as late entries."""
    site = Works()
    number = f"{site.bundle.site.id}-B-000007"
    told = site.ok("sue", late(site, number))
    permit = site.permit(str(told["permit_id"]))
    assert (permit.status, permit.outcome) == ("closed", "paper")
    assert (permit.life.late, permit.life.blank) == (True, number)
    assert permit.ended
    code, params = site.refused("sue", late(site, number))
    assert (code, params["permit"]) == ("permit.blank_used", permit.id)
    assert site.replayed().permits.permits[permit.id].life == permit.life


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"blank": "elsewhere-B-000007"}, "permit.blank_number"),
        ({"blank": "000007"}, "permit.blank_number"),
        ({"from_ms": 9, "to_ms": 8}, "permit.times_order"),
        ({"to_ms": 4_000_000_000_000}, "permit.paper_runs"),
        ({"kind": "sailing"}, "permit.kind_unknown"),
        ({"approver_id": "nobody"}, "permit.person_unknown"),
        ({"reason": " "}, "permit.field_missing"),
        ({"workers": ()}, "permit.no_workers"),
    ],
)
def test_a_wrong_late_entry_is_refused(changed: dict[str, object], code: str) -> None:
    site = Works()
    fields = {"blank": f"{site.bundle.site.id}-B-000001"} | changed
    act = late(site, **fields)  # type: ignore[arg-type]
    assert site.refused("sue", act)[0] == code


def test_a_period_accounts_for_every_blank(tmp_path: Path) -> None:
    """Each number that was handed out is entered, void or unaccounted."""
    try:
        fonts.find()
    except fonts.FontMissing as missing:
        pytest.skip(str(missing))
    told = Told()
    told.tell(ConfigArmed(hash=config.digest(config.dump(BUNDLE)), by="test"))
    told.tell(_entered("park-B-000002"))
    data = write_hub(tmp_path / "data", told)
    log = Blanks(data)
    log.take(4, "confined", "ops", START_NS)
    log.again(2, 3, "wet", "ops", START_NS)
    log.void(4, 4, "torn", "ops", START_NS)
    log.take(1, "hot", "ops", START_NS + 10**18)
    with pytest.raises(BlankError, match="handed out"):
        log.void(9, 9, "torn", "ops", START_NS)
    with pytest.raises(BlankError, match="--why"):
        log.void(1, 1, " ", "ops", START_NS)
    folder = tmp_path / "period"
    assert export.main(["--data", str(data), *SPAN, "--bundle", str(folder)]) == 0
    with (folder / "blanks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["number"], r["standing"], r["reprints"]) for r in rows] == [
        ("park-B-000001", "unaccounted", "0"),
        ("park-B-000002", "entered", "1"),
        ("park-B-000003", "unaccounted", "1"),
        ("park-B-000004", "void", "0"),
    ]
    assert rows[1]["permit"] == "LATE"
    words = ["permit", "--data", str(data), "--permit", "LATE"]
    assert paper.main([*words, "--out", str(tmp_path / "x.pdf")]) == 0
    pages, text = text_of((tmp_path / "x.pdf").read_bytes())
    assert pages == 1
    assert "park-B-000002（停电）" in text
    assert "补录" in text


def _entered(number: str) -> PermitEnteredLate:
    hour = 3600 * 10**9
    valid = Deadline(
        duration_ns=hour,
        start_mono_ns=0,
        start_wall_ns=START_NS - 2 * hour,
        boot_id="boot",
        synced=True,
    )
    return PermitEnteredLate(
        permit_id="LATE",
        blank=number,
        kind="confined",
        pack="",
        zone_id="tank",
        title="清罐",
        unit="车间",
        supervisor_id="sun",
        approver_id="qian",
        entered_by="qian",
        workers=("zhou",),
        guardians=("li",),
        valid=valid,
        from_wall_ns=START_NS - 2 * hour,
        to_wall_ns=START_NS - hour,
        reason="停电",
    )


def test_a_damaged_log_of_blanks_is_named(tmp_path: Path) -> None:
    log = Blanks(tmp_path)
    log.take(1, "", "ops", START_NS)
    log.path.write_bytes(log.path.read_bytes() + b"{\n")
    with pytest.raises(BlankError, match=r"blanks\.jsonl:2"):
        log.numbers()


def test_a_late_entry_is_a_finished_ticket() -> None:
    """AQ 3064.2: work on paper is told as what it was, done at its own time."""
    told = Told()
    told.tell(_entered("park-B-000002"))
    ticket = [msgspec.json.decode(o.body) for o in told.owed if o.kind == "ticket"][-1]
    assert (ticket["TICKETSTATUS"], ticket["ENDTIME"]) == ("3", "2026-07-01 07:00:00")
    assert ticket["STARTTIME"] == "2026-07-01 06:00:00"


def _holder(vault: Vault, state: SiteState) -> PermitRecord:
    """Give ann three cards, one of them lost; return a permit on which she welds."""
    for number, (trade, day, lost) in enumerate(
        [
            ("height", "2031-01-01", ""),
            ("hot_work", "2030-01-01", ""),
            ("hot_work", "2029-01-01", "lost"),
        ]
    ):
        card = Card(trade=trade, kind="special", card_no=f"T{number}", valid_to=day)
        state.people.cards.cards[str(number)] = CardRecord(
            id=str(number),
            person_id="ann",
            trade=trade,
            kind="special",
            valid_from="",
            valid_to=day,
            review_by="",
            document=vault.put("ann", "document", msgspec.msgpack.encode(card)),
            withdrawn=lost,
        )
    return PermitRecord(
        id="p",
        kind="hot-1",
        zone_id="tank",
        title="weld",
        issuer_id="",
        supervisor_id="sue",
        guardian_id="",
        workers=["ann", "bob"],
        linked=[],
        valid=_entered("x").valid,
        status=PermitStatus.ACTIVE,
        issued_wall_ns=0,
    )


def test_cards_come_from_the_hub_before_the_settings(tmp_path: Path) -> None:
    """AQ 3064.2 annex A: the numbers of the cards that the hub holds."""
    vault, state = Vault(tmp_path), SiteState()
    permit = _holder(vault, state)
    permit.life.trades = {"ann": "hot_work"}
    number_of = cards.from_vault(vault)
    (found,) = cards.of(permit, state, number_of).values()
    assert (found.name, found.number) == ("焊接与热切割作业证", "T1")
    vault.erase("ann")
    assert cards.of(permit, state, number_of) == {}
    assert cards.of(permit, state, cards.nobody) == {}
