"""two permits under the law, over the public API of a real hub.

Real processes, real HTTP; each person is a client of the own with a key of the own.
Hot work of the special grade and a confined space go through all six steps, are
broken in every way of H1 to H15, held, tested again, released, accepted, and proved
from their export alone. What takes hours in the law takes seconds here by an overlay
of the site, which anybody may lay: shorter is tighter. Midnight comes when the test
needs it, by the site's time zone.
"""

import asyncio
import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pypdf
import pytest

from core.journal import envelope as envelopes
from core.journal import frame
from core.journal.events import Event, decode_body
from core.journal.verify import SLICE
from core.permits import life_events as e
from core.permits.events import PermitExpired, PermitHeld, PermitReleased
from core.response.events import EvacuationStarted
from frontend_api.exchange import aq
from frontend_api.paper import fonts
from tests.support.plant import Plant
from tests.support.plant_day import Shift
from tests.support.plant_seen import Day
from tests.support.plant_time import zones_of

pytestmark = [pytest.mark.serial, pytest.mark.timeout(600)]


def safehold(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "core.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Broken(NamedTuple):
    """Say which rule was broken, and how the journal tells it."""

    rule: str
    clause: str
    park: str = ""
    """The alarm code that the park knows it by (AQ 3064.2 A.4)."""
    held: bool = False
    """Whether it held a permit; else a step was refused."""
    lost: bool = False
    """Whether nobody could tell: unknown is never safe."""


GB, PARK = "GB 30871-2022", "AQ 3064.2-2025"
#: Every hard rule, as it was broken on this day.
BROKEN = (
    Broken("H1", f"{GB} 4.6", "62"),
    Broken("H1b", f"{GB} 4.6", "61"),
    Broken("H2", f"{GB} 4.10", "31", held=True),
    Broken("H2", f"{GB} 4.10", "31", held=True, lost=True),
    Broken("H3", f"{GB} 4.11", "30"),
    Broken("H4", f"{GB} 4.9", r"5[012]", held=True),
    Broken("H5", f"{GB} 5.3.1", "01"),
    Broken("H5c", f"{GB} 5.3.1", "02"),
    Broken("H6", f"{GB} 5.3.1 d, 6.3 f", "03"),
    Broken("H7", f"{GB} 5.3.1 d", "04", held=True),
    Broken("H7", f"{GB} 5.3.1 d", "04"),
    Broken("H8", f"{GB} 5.3.1 d, 6.5"),
    Broken("H8b", f"{GB} 6.5", "05", held=True),
    Broken("H9", f"{GB} 5.2.6", held=True),
    Broken("H9b", f"{GB} 6.4", held=True),
    Broken("H10b", f"{PARK} 5.9.9", "10"),
    Broken("H11", f"{GB} 7.11", "20"),
    Broken("H11b", f"{GB} 7.10"),
    Broken("H12b", f"{GB} 4.4", "70"),
    Broken("raise.40", f"{GB} 5.1.1", "40"),
    Broken("raise.42", f"{GB} 5.1.1", held=True),
    Broken("raise.42", f"{GB} 5.1.1", "42"),
    Broken("H14", f"{GB} 6.8", "31", held=True),
    Broken("H14d", f"{GB} 6.9 e"),
    Broken("H15", f"{GB} 5.2.11", held=True),
)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Return the day as it went, the hub stopped."""
    folder = tmp_path_factory.mktemp("works")
    with zones_of(folder / "zones"):
        plant = Plant(folder)
        found = Day(data=plant.data, hub=plant.hub)

        async def whole() -> None:
            park = await plant.park()
            try:
                async with plant.hub:
                    await Shift(plant, found).live(park)
                found.park = list(park.records.values())
                found.owed = park.counts["rejected"]
            finally:
                await plant.close()

        asyncio.run(whole())
        yield found


def held(
    journal: list[Event], rule: str, clause: str, park: str, truth: str = "false"
) -> list[str]:
    """Return what was wrong at the holds of a rule, with the park's code."""
    wanted = re.compile(rf"rule\.{rule}={truth}\([^)]*{re.escape(clause)}")
    found = [body.hold.params for body in journal if isinstance(body, PermitHeld)]
    return [
        str(params["bad"])
        for params in found
        if wanted.search(str(params.get("bad", "")))
        and re.match(park, str(params.get("aq", "")))
    ]


def denied(journal: list[Event], rule: str, park: str) -> list[e.PermitDenied]:
    """Return the refusals of a step that name a rule, with the park's code."""
    return [
        body
        for body in journal
        if isinstance(body, e.PermitDenied)
        and f"rule.{rule}" in body.rules
        and (not park or park in body.aq)
    ]


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


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: f"{b.rule}-{b.held}-{b.lost}")
def test_each_hard_rule_is_named_with_its_clause(day: Day, broken: Broken) -> None:
    """H1 to H15: whoever asks is told which rule, and where it stands."""
    said = day.seen[f"{broken.rule}?" if broken.lost else broken.rule]
    assert broken.clause in said, said


def test_bad_gas_and_no_meter_send_everybody_out(day: Day) -> None:
    """H8, H9: each clears the zone; H14: nothing ends with somebody inside."""
    times = [b for b, _ in day.hub.journal() if isinstance(b, EvacuationStarted)]
    assert len(times) >= 3
    assert "count_inside" in day.seen["count_inside"]


def test_nothing_went_on_after_its_end(day: Day) -> None:
    """H10."""
    ended = [b.permit_id for b, _ in day.hub.journal() if isinstance(b, PermitExpired)]
    assert ended == [day.short]
    assert "permit.not_held" in day.seen["H10"]


def test_every_release_was_signed(day: Day) -> None:
    """a release counts only with the device's signature."""
    released = [c for b, c in day.hub.journal() if isinstance(b, PermitReleased)]
    assert len(released) >= 8
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
    told = {"61", "62", "01", "02", "70", "30", "03", "04", "31"}
    assert told <= {r["ALARMTYPE"] for r in of_hot}
    everywhere = {"05", "10", "20", "40", "42"}
    assert everywhere <= {r["ALARMTYPE"] for r in alarms}
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
    assert rows[day.low]["status"] == "closed"
    assert int(rows[day.hot]["holds"]) >= 5
    assert len(rows) == 10
    assert (exported / "summary.pdf").read_bytes().startswith(b"%PDF")
    pages = pypdf.PdfReader(exported / "permits.pdf").pages
    assert len(pages) == len(rows)  # one A4 page each


def exported_journal(exported: Path) -> list[Event]:
    """Return the events of an exported slice, read from its bytes alone."""
    frames = frame.walk((exported / SLICE).read_bytes())
    return [
        decode_body(envelopes.decode(each.payload))
        for each in frames
        if isinstance(each, frame.Frame) and each.kind == frame.EVENT
    ]


def test_the_exported_journal_tells_every_breach(exported: Path) -> None:
    """H1 to H15: an inspector finds each in the bundle, without the hub."""
    journal = exported_journal(exported)
    for rule, clause, park, holds, lost in BROKEN:
        if holds:
            truth = "unknown" if lost else "false"
            assert held(journal, rule, clause, park, truth), rule
        elif rule != "H8":
            assert denied(journal, rule, park), rule
    bad = held(journal, "H8b", f"{GB} 6.5", "05")
    assert all("rule.H8=unknown" in each for each in bad), bad


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
