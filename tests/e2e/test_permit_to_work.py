"""two permits under the law, over the public API of a real hub.

Real processes, real HTTP; each person is a client of the own with a key of the own.
Hot work of the special grade and a confined space go through all six steps, are
broken, held, tested again, released, accepted, and proved from their export alone.
What takes hours (H6, H7, H13 at night) is broken on virtual time in
tests/unit/permits/test_hard_rules.py.
"""

import asyncio
import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pypdf
import pytest

from core.journal.events import Event
from core.journal.verify import SLICE
from core.people.acts import WithdrawCard
from core.permits import life_acts as a
from core.permits import life_events as e
from core.permits.entries_acts import LogIn, LogOut, OpenEntryLog
from core.permits.events import PermitExpired, PermitHeld, PermitReleased
from core.response.acts import AccountPerson, ClearEvacuation
from core.response.events import EvacuationStarted
from frontend_api.exchange import aq
from frontend_api.exchange.simulator import Park
from frontend_api.paper import fonts
from tests.support.plant import Plant
from tests.support.site import RunningHub
from tests.support.waiting import until

pytestmark = [pytest.mark.serial, pytest.mark.timeout(300)]

HOT, CONFINED = "hot-special", "confined"
CALM_GAS = {"h2s": 0.0, "lel": 0.0, "o2": 20.9}


def safehold(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "core.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Day(msgspec.Struct):
    """Keep what the day brought."""

    data: Path
    hub: RunningHub
    hot: str = ""
    confined: str = ""
    short: str = ""
    ends: dict[str, dict[str, Any]] = {}
    """Permit → its last view."""
    park: list[dict[str, Any]] = []
    """Every record as the park has it."""
    owed: int = 0
    """Records that the park refused."""
    counted: str = ""
    """Why a confined space could not be accepted with somebody inside."""


# --- the day ------------------------------------------------------------------


async def prepared(plant: Plant, permit_id: str, kind: str, **facts: Any) -> None:
    """Take a booking to where only signatures are missing."""
    await plant.applied(permit_id, kind, **facts)
    await plant.analysed(permit_id, kind)
    await plant.briefed(permit_id)
    await plant.tested(permit_id, kind)


async def begun(plant: Plant, permit_id: str, kind: str) -> None:
    """Take a permit from its signatures to the start."""
    await plant.signed(permit_id)
    await plant.verified(permit_id)
    await plant.tested(permit_id, kind)
    if kind == CONFINED:
        await plant.ok("gil", OpenEntryLog(permit_id=permit_id))
    await plant.started(permit_id)


async def refused(plant: Plant) -> str:
    """Break before the start what may be broken there; return the hot permit."""
    other = await plant.booked(CONFINED, job="j-1")
    await plant.applied(other, CONFINED)
    hot = await plant.booked(HOT, job="j-1")
    await plant.applied(hot, HOT)
    await plant.analysed(hot, HOT)
    no = await plant.stopped(hot)  # H1, H5, H12: nobody linked, tested, briefed
    assert no.code == "permit.rule"
    await plant.ok("ivy", a.RejectPermit(permit_id=other, reason="another day"))
    await plant.briefed(hot)
    await plant.tested(hot, HOT)
    await plant.move(eve="gate")
    await plant.denied(hot, "H3")
    await plant.move(eve="yard")
    # H13: a holiday, and nobody raised the grade.
    low = await plant.booked("hot-2")
    await prepared(plant, low, "hot-2", fire_area="other")
    await plant.denied(low, "raise.40")
    await plant.ok("ivy", a.RejectPermit(permit_id=low, reason="not today"))
    return hot


async def cleared(plant: Plant, permit_id: str, kind: str) -> None:
    """End an evacuation with everybody out, test again, release."""
    plant.tell(gas=CALM_GAS, dead=[])
    await plant.move(ann="gate", bob="gate")
    for each in (await plant.people["sam"].get("/api/v1/evacuations"))["items"]:
        if each["cleared_ms"]:
            continue
        for person in ("ann", "bob"):
            seen = AccountPerson(evacuation_id=each["id"], person_id=person)
            await plant.ok("max", seen)
        act = ClearEvacuation(evacuation_id=each["id"])
        await plant.eventually("sam", act)
    await plant.move(ann="tank", bob="tank")
    await plant.tested(permit_id, kind)
    await plant.released(permit_id)


async def hot_work(plant: Plant, hot: str) -> None:
    """Break the hot work in every way that takes seconds; end it in order."""
    await begun(plant, hot, HOT)
    plant.tell(places={"gil": "gate"})  # H2
    await plant.becomes(hot, "held")
    await plant.move(gil="yard")
    await plant.released(hot)
    card = plant.cards["ann"]  # H4
    await plant.ok("sam", WithdrawCard(card_id=card, code="revoked"))
    await plant.becomes(hot, "held")
    await plant.ok("sam", plant.card("ann"))
    await plant.released(hot)
    plant.tell(dead=["cam-tank"])  # H15
    await plant.becomes(hot, "held")
    plant.tell(dead=[])
    await plant.released(hot)
    plant.tell(gas={"lel": 12.0})  # H9: 0.6 % of methane
    await plant.becomes(hot, "held")
    await cleared(plant, hot, HOT)
    await plant.ended(hot)


async def confined_space(plant: Plant) -> tuple[str, str]:
    """Break the confined space; return it, and why it was not accepted at once."""
    confined = await plant.booked(CONFINED)
    await prepared(plant, confined, CONFINED)
    await begun(plant, confined, CONFINED)
    plant.tell(dead=["meter-tank"])  # H8
    await plant.becomes(confined, "held")
    await cleared(plant, confined, CONFINED)
    plant.tell(gas={"h2s": 9.0})  # H9: below the alarm, above what may be breathed
    await plant.becomes(confined, "held")
    await cleared(plant, confined, CONFINED)
    act = LogIn(permit_id=confined, person_id="ann", tools=("t-1",))
    await plant.ok("gil", act)
    await plant.ok("sue", a.CompletePermit(permit_id=confined))
    after = a.DeclareFacts(permit_id=confined, facts={"site_restored": True})
    await plant.ok("sue", after)
    await plant.move(ann="yard", bob="yard")
    no = await plant.denied(confined, "count_inside")  # H14
    act_out = LogOut(permit_id=confined, person_id="ann", tools=("t-1",))
    await plant.ok("gil", act_out)
    # Bob was seen inside, so he was counted in without a word.
    await plant.ok("gil", LogOut(permit_id=confined, person_id="bob"))
    await plant.closed(confined)
    await plant.move(ann="tank", bob="tank")
    return confined, no


async def live(plant: Plant, day: Day, park: Park) -> None:
    """Live the day."""
    await plant.publish()
    await plant.enter()
    await plant.known()
    await plant.papers()
    day.hot = await refused(plant)
    await hot_work(plant, day.hot)
    await plant.move(ann="tank", bob="tank")
    day.confined, day.counted = await confined_space(plant)
    day.short = await plant.booked(HOT, hours=0.02)  # H10
    await prepared(plant, day.short, HOT)
    await begun(plant, day.short, HOT)
    await plant.becomes(day.short, "expired")
    ends = {day.hot: "3", day.confined: "3", day.short: "4"}
    wanted = {(aq.uuid_of("ticket", p), status) for p, status in ends.items()}
    await until(
        lambda: (
            wanted <= {(r["ID"], r.get("TICKETSTATUS")) for r in park.records.values()}
        ),
        "the park to hear of every end",
        60,
    )
    for permit_id in (day.hot, day.confined, day.short):
        day.ends[permit_id] = await plant.view(permit_id)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Return the day as it went, the hub stopped."""
    plant = Plant(tmp_path_factory.mktemp("works"))
    found = Day(data=plant.data, hub=plant.hub)

    async def whole() -> None:
        park = await plant.park()
        try:
            async with plant.hub:
                await live(plant, found, park)
            found.park = list(park.records.values())
            found.owed = park.counts["rejected"]
        finally:
            await plant.close()

    asyncio.run(whole())
    yield found


def laid(day: Day, permit_id: str) -> dict[str, str]:
    """Return the rules that held a permit, with the park's alarm code."""
    return {
        str(body.hold.params.get("rule", body.hold.code)): str(
            body.hold.params.get("aq", "")
        )
        for body, _ in day.hub.journal()
        if isinstance(body, PermitHeld) and body.permit_id == permit_id
    }


def test_both_permits_went_all_the_way(day: Day) -> None:
    """six steps, each by the person whose step it is."""
    assert {day.ends[p]["status"] for p in (day.hot, day.confined)} == {"closed"}
    order: list[type[Event]] = [
        *(e.PermitBooked, e.PermitApplied, e.PermitAnalysed, e.PermitSigned),
        *(e.PermitApproved, e.PermitStarted, e.PermitCompleted, e.PermitAccepted),
    ]
    for permit_id in (day.hot, day.confined):
        told = [
            type(body)
            for body, _ in day.hub.journal()
            if getattr(body, "permit_id", "") == permit_id
        ]
        assert [told.index(each) for each in order] == sorted(map(told.index, order))


def test_hard_rules_refused_before_the_start(day: Day) -> None:
    """H1, H3, H5, H12, H13: with the park's codes."""
    found = {
        code
        for body, _ in day.hub.journal()
        if isinstance(body, e.PermitDenied)
        for code in body.aq
    }
    assert {"62", "30", "01", "70", "40"} <= found, found


def test_hard_rules_held_the_hot_work(day: Day) -> None:
    """H2, H4, H9, H15, each released by a person."""
    found = laid(day, day.hot)
    assert found["H2"] == "31", found
    assert set(found.values()) & {"50", "51", "52"}, found
    assert [rule for rule in found if rule.startswith("H15")], found
    assert set(found) & {"H9", "gas"}, found


def test_hard_rules_cleared_the_confined_space(day: Day) -> None:
    """H8, H9: a lost meter and bad gas send everybody out; H14: nobody is left."""
    found = laid(day, day.confined)
    assert {"H9b", "gas"} & set(found), found
    times = [b for b, _ in day.hub.journal() if isinstance(b, EvacuationStarted)]
    assert len(times) >= 3
    assert "count_inside" in day.counted


def test_nothing_went_on_after_its_end(day: Day) -> None:
    """H10."""
    ended = [b.permit_id for b, _ in day.hub.journal() if isinstance(b, PermitExpired)]
    assert ended == [day.short]


def test_every_release_was_signed(day: Day) -> None:
    """a release counts only with the device's signature."""
    released = [c for b, c in day.hub.journal() if isinstance(b, PermitReleased)]
    assert len(released) >= 6
    assert all(wrapped.cause.proof is not None for wrapped in released)


def test_the_park_hears_of_all_of_it(day: Day, tmp_path: Path) -> None:
    """AQ 3064.2: what was sent in spite of faults passes the validator."""
    file = tmp_path / "park.json"
    file.write_bytes(msgspec.json.encode(day.park))
    checked = safehold("aq", "validate", file)
    assert checked.returncode == 0, checked.stdout
    assert day.owed == 0
    tickets = {r["ID"]: r for r in day.park if "TICKETTYPE" in r}
    hot = tickets[aq.uuid_of("ticket", day.hot)]
    assert (hot["TICKETTYPE"], hot["TICKETSTATUS"]) == ("01", "3")
    assert hot["CHECKEDTIME"] >= hot["ENDTIME"] > hot["STARTTIME"] >= hot["ISSUETIME"]
    assert hot["GASNAME"].count(",") == hot["GASVALUE"].count(",") > 0
    assert hot["WORKERCERTINUM"] == "T3301-0001"
    alarms = [r for r in day.park if "ALARMTYPE" in r]
    of_hot = [r for r in alarms if r["TICKETID"] == hot["ID"]]
    assert {"62", "01", "70", "30", "31"} <= {r["ALARMTYPE"] for r in of_hot}
    assert all(r["ALARMENDTIME"] for r in of_hot)


# --- the export ---------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the period's folder, alone in a place where no hub is."""
    try:
        fonts.find()
    except fonts.FontMissing as missing:
        pytest.skip(str(missing))
    made = day.data.parent / "period"
    since, until_ = "2025-01-01T00:00:00", "2099-01-01T00:00:00"
    words = ("--data", day.data, "--period", since, until_, "--bundle", made)
    done = safehold("export", *words)
    assert done.returncode == 0, done.stderr
    alone = tmp_path_factory.mktemp("inspector") / "period"
    shutil.move(made, alone)
    return alone


def test_the_export_proves_itself(day: Day, exported: Path) -> None:
    """slice, signatures, papers and tables, without the hub."""
    done = safehold("verify", exported, "--json")
    assert done.returncode == 0, done.stdout
    proofs = [
        proof
        for _, wrapped in day.hub.journal()
        for proof in (wrapped.cause.proof, wrapped.cause.second)
        if proof is not None
    ]
    counted = msgspec.json.decode(done.stdout)["signatures"]
    assert counted == len({proof.sig for proof in proofs}) > 100
    with (exported / "permits.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert rows[day.hot]["status"] == rows[day.confined]["status"] == "closed"
    assert rows[day.short]["status"] == "expired"
    assert int(rows[day.hot]["holds"]) >= 4
    assert len(rows) == 5
    assert (exported / "summary.pdf").read_bytes().startswith(b"%PDF")
    pages = pypdf.PdfReader(exported / "permits.pdf").pages
    assert len(pages) == len(rows)  # one A4 page each


def test_one_bit_of_a_signature_is_found_and_named(
    day: Day, exported: Path, tmp_path: Path
) -> None:
    """`safehold verify` names the frame of what was forged."""
    copy = tmp_path / "period"
    shutil.copytree(exported, copy)
    wrapped = next(c for b, c in day.hub.journal() if isinstance(b, e.PermitStarted))
    assert wrapped.cause.proof is not None
    data = bytearray((copy / SLICE).read_bytes())
    at = data.index(wrapped.cause.proof.sig)
    data[at + 7] ^= 0x04
    (copy / SLICE).write_bytes(data)
    done = safehold("verify", copy)
    assert done.returncode == 1
    assert f"seq {wrapped.seq}" in done.stdout
    assert SLICE in done.stdout
