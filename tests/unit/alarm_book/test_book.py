"""The alarms' book, its report and its cases, over a real journal on disk."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alarms.events import (
    AlarmAcknowledged,
    AlarmClosed,
    AlarmJudged,
    AlarmRaised,
    AlarmRepeated,
    AlarmReturned,
    AlarmShelved,
    IncidentClassified,
)
from core.api.model import Device, Entity, EntityKind
from core.clock import NS, SimClock
from core.deadlines import Deadline
from core.journal.backlog import Entry
from core.journal.envelope import Cause, Envelope, encode
from core.journal.events import Event, encode_body
from core.journal.segment import RealDisk
from core.journal.store import Store
from core.permits.events import Hold, PermitHeld, PermitIssued
from core.registry.events import DeviceEnrolled, EntityIds
from frontend_api.alarm_book import NAME, Book
from frontend_api.alarm_cases import cases, features, similar, weather_words
from frontend_api.alarm_rates import (
    DAY,
    MINUTE,
    WINDOW,
    Flood,
    chattering,
    most_stale,
    rates,
    wilson,
)
from frontend_api.alarm_report import AlarmReport, report
from frontend_api.commands.alarms import main
from tests.unit.journal.journals import SMALL, signer


class Journal:
    """Write events to a real journal at chosen wall seconds."""

    def __init__(self, data: Path) -> None:
        self.data, self.clock = data, SimClock()
        self.start_ms = self.clock.wall_ns() // 1_000_000
        self._disk = RealDisk(data / "journal")
        self._store = Store.open(self._disk, signer(self.clock), self.clock, SMALL)
        self._seq = 0

    def tell(self, at_s: float, *bodies: Event) -> None:
        """Append events of one moment, in seconds from the journal's start."""
        for body in bodies:
            self._seq += 1
            wall = self.start_ms * 1_000_000 + int(at_s * NS)
            envelope = Envelope(
                epoch=1,
                seq=self._seq,
                id=f"e{self._seq}",
                type=body.name_,
                version=body.version_,
                wall_ns=wall,
                sync=True,
                boot_id="b",
                mono_ns=wall,
                cause=Cause(actor="hub:core"),
                effect=body.effect_,
                body=encode_body(body),
            )
            self._store.append([Entry(self._seq, encode(envelope))])

    def close(self) -> None:
        self._store.close()
        self._disk.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    yield made
    made.close()


def raised(alarm_id: str, **fields: object) -> AlarmRaised:
    given_: dict[str, object] = {
        "source": f"entity:{alarm_id}",
        "condition": "high",
        "kind": "gas.toxic",
        "priority": 1,
        "zone_id": "pit",
        "life_safety": True,
        **fields,
    }
    return AlarmRaised(alarm_id=alarm_id, **given_)  # type: ignore[arg-type]


def over(alarm_id: str) -> tuple[Event, ...]:
    return AlarmReturned(alarm_id=alarm_id), AlarmClosed(alarm_id=alarm_id)


def seen(alarm_id: str) -> AlarmAcknowledged:
    return AlarmAcknowledged(alarm_id=alarm_id, person_id="p")


def read(journal: Journal) -> Book:
    book = Book(journal.data)
    book.catch_up()
    return book


def told(journal: Journal, seconds: float, operators: int = 1) -> AlarmReport:
    book = read(journal)
    start = journal.start_ms
    return report(book, start, start + int(seconds * 1000), operators)


def value(made: AlarmReport, name: str) -> float | None:
    return next(each.value for each in made.figures if each.id == name)


def deadline(journal: Journal) -> Deadline:
    return Deadline.after(journal.clock, 3600)


def issued(journal: Journal, kind: str) -> PermitIssued:
    return PermitIssued(
        permit_id="w",
        kind=kind,
        zone_id="pit",
        title="",
        issuer_id="i",
        supervisor_id="s",
        guardian_id="g",
        workers=(),
        linked=(),
        valid=deadline(journal),
    )


# --- the report -------------------------------------------------------------------


def test_a_report_says_what_domain_2_3_asks(journal: Journal) -> None:
    journal.tell(0, raised("a"), raised("b", priority=3, life_safety=False))
    journal.tell(20, seen("a"))
    held = PermitHeld(permit_id="w", hold=Hold(id="h", code="gas", source="alarm:a"))
    journal.tell(30, issued(journal, "hot"), held)
    journal.tell(
        60,
        *over("a"),
        AlarmJudged(alarm_id="a", person_id="p", verdict="true"),
        AlarmJudged(alarm_id="b", person_id="p", verdict="nuisance"),
        AlarmShelved(
            alarm_id="b", person_id="p", reason="known", until=deadline(journal)
        ),
    )
    made = told(journal, 600)
    assert (made.alarms, made.calls, made.complete) == (2, 2, False)
    assert value(made, "per_10min") == 2.0
    assert value(made, "peak_10min") == 2.0
    assert value(made, "acknowledged_median") == 20.0
    assert value(made, "high_in_time") == 100.0
    assert value(made, "action_median") == 30.0, "the hold names the alarm"
    assert value(made, "effective") == 50.0
    assert value(made, "shelved") == 1.0
    assert value(made, "unauthorised") == 0.0
    assert made.priorities == {"high": 50.0, "medium": 50.0}
    assert made.verdicts == {"true": 1, "nuisance": 1}
    assert value(told(journal, 600, operators=2), "per_10min") == 1.0


def test_tests_drills_and_suppressed_ones_count_nowhere(journal: Journal) -> None:
    journal.tell(0, raised("a"), raised("d", mark="DRILL"), raised("s", suppressed="x"))
    made = told(journal, 600)
    assert (made.alarms, made.calls) == (1, 1)


def test_a_nuisance_rate_is_told_by_device_and_rule_with_its_band(
    journal: Journal,
) -> None:
    device = Device(
        uid="u", name="u", manufacturer="M", model="X1",
        entities=(Entity(uid="h2s", name="h", kind=EntityKind.GAS, quantity="h2s"),),
    )  # fmt: skip
    ids = (EntityIds("h2s", "en"),)
    journal.tell(0, DeviceEnrolled(
        device_id="dev", integration="sim", device=device, entities=ids, zone_id="pit"
    ))  # fmt: skip
    for number in range(4):
        name, verdict = f"a{number}", "true" if number == 0 else "nuisance"
        journal.tell(
            number * 60,
            raised(name, source="entity:en"),
            *over(name),
            AlarmJudged(alarm_id=name, person_id="p", verdict=verdict),
        )
    journal.tell(400, raised("r", source="rule:r1"))
    made = told(journal, 600)
    (line,) = made.devices
    assert (line.id, line.calls, line.nuisance_rate) == ("dev", 4, 75.0)
    assert line.band[0] < 75.0 < line.band[1]
    assert [rule.id for rule in made.rules] == ["r1"]
    effective = next(f for f in made.figures if f.id == "effective")
    assert effective.ok is None, "four verdicts are no evidence"


def test_the_book_goes_on_where_it_stopped_and_survives_damage(
    journal: Journal, tmp_path: Path
) -> None:
    file = tmp_path / NAME
    journal.tell(0, raised("a"))
    book = Book(tmp_path, file)
    book.catch_up()
    book.close()
    journal.tell(1, AlarmRepeated(alarm_id="a"), raised("b"))
    book = Book(tmp_path, file)
    book.catch_up()
    book.catch_up()
    assert [(row.id, row.count) for row in book.alarms()] == [("a", 2), ("b", 1)]
    book.close()
    file.write_bytes(b"no database at all" * 100)
    book = Book(tmp_path, file)
    book.catch_up()
    assert len(book.alarms()) == 2
    book.close()


def test_a_book_of_another_journal_is_written_anew(tmp_path: Path) -> None:
    for number, names in enumerate((("a", "b"), ("c",))):
        folder = tmp_path / str(number)
        journal = Journal(folder)
        for name in names:
            journal.tell(0, raised(name))
        journal.close()
        book = Book(folder, tmp_path / NAME)
        book.catch_up()
        assert [row.id for row in book.alarms()] == list(names)
        book.close()


# --- rates as properties ----------------------------------------------------------

_moments = st.lists(st.integers(0, 6 * WINDOW), max_size=60).map(sorted)


@given(_moments, st.integers(1, 3))
def test_rates_are_what_a_slow_count_finds(moments: list[int], operators: int) -> None:
    """Domain §2.3: the sliding peak, and a flood above ten until below five."""
    end = 8 * WINDOW
    found = rates(moments, 0, end, operators)
    peak = max((sum(t - WINDOW < m <= t for m in moments) for t in moments), default=0)
    assert found.peak_10min == peak / operators
    assert (found.floods > 0) == (peak > 10 * operators)
    assert 0 <= found.flood_time <= 1
    assert found.per_10min * operators * 8 == pytest.approx(len(moments))


def test_a_flood_begins_above_ten_and_ends_below_five() -> None:
    flood = Flood()
    for second in range(11):
        flood.call(second * 1000)
    assert (flood.on, flood.since_ms) == (True, 10_000)
    flood.pass_to(WINDOW + 5_000)
    assert (flood.on, flood.count) == (True, 5)
    flood.pass_to(WINDOW + 6_000)
    assert (flood.on, flood.count) == (False, 4)


def test_chattering_and_stale_by_their_definitions() -> None:
    assert chattering([(0, "a"), (30_000, "a"), (MINUTE, "a"), (0, "b")]) == {"a"}
    assert chattering([(0, "a"), (MINUTE, "a"), (2 * MINUTE, "a")]) == set()
    stood = [(0, 0), (0, DAY - 1), (DAY, 3 * DAY)]
    assert most_stale(stood, 0, 3 * DAY) == 2
    assert wilson(0, 0) == (0.0, 1.0)


# --- the case library -------------------------------------------------------------


def incident(journal: Journal, at_s: float, name: str, **fields: object) -> None:
    journal.tell(at_s, raised(name, **fields))
    again = {**fields, "condition": "high_high"}
    journal.tell(at_s + 5, raised(f"{name}2", **again))
    journal.tell(at_s + 60, *over(name), *over(f"{name}2"))


def test_an_incident_gathers_its_zone_and_is_proposed_as_averted(
    journal: Journal,
) -> None:
    journal.tell(0, raised("f", kind="fault.lost", priority=2, life_safety=False))
    journal.tell(1, issued(journal, "confined"))
    incident(journal, 60, "a")
    journal.tell(66, PermitHeld(permit_id="w", hold=Hold(id="h", code="c", source="")))
    incident(journal, 7200, "b", zone_id="yard")
    last, first = cases(read(journal), {"pit": "confined"})
    assert (first.id, first.zone, len(first.alarms)) == ("a", "pit", 2)
    assert [row.kind for row in first.before] == ["fault.lost"]
    assert (first.outcome, first.proposed) == ("", "averted")
    assert {("work", "confined"), ("hazard", "confined"), ("deed", "hold")} <= (
        features(first)
    )
    assert (last.id, last.proposed) == ("b", "")


def test_a_persons_word_on_an_incident_counts(journal: Journal) -> None:
    incident(journal, 0, "a")
    journal.tell(90, IncidentClassified(
        alarm_id="a", person_id="p", outcome="near_miss", root="seal", note="n"
    ))  # fmt: skip
    (case,) = cases(read(journal), {})
    assert (case.outcome, case.root, case.by) == ("near_miss", "seal", "p")


def test_similar_cases_say_why_they_are_similar(journal: Journal) -> None:
    incident(journal, 0, "a", kind="gas.toxic")
    incident(journal, 86_400, "far", kind="sos", zone_id="yard", condition="sos")
    incident(journal, 2 * 86_400, "b", kind="gas.toxic")
    found = cases(read(journal), {})
    alike = similar(found[0], found)
    assert alike[0].case.id == "a"
    assert ("kind", "gas.toxic") in alike[0].shared
    assert ("zone", "pit") in alike[0].shared
    assert alike[0].score == 1.0
    assert all(one.score < 1.0 for one in alike[1:])


def test_weather_is_named_only_by_good_readings(journal: Journal) -> None:
    incident(journal, 0, "a")
    book = read(journal)
    assert book.weather("a") is None
    book.keep_weather("a", [("wind", 9.0, 0), ("visibility", 50.0, 4)])
    (case,) = cases(book, {})
    assert weather_words(case.weather) == ["wind.fresh"]
    assert ("weather", "wind.fresh") in features(case)
    book.keep_weather("b", [])
    assert book.weather("b") == []


# --- the command ------------------------------------------------------------------


def test_the_command_tells_report_and_cases(
    journal: Journal, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    incident(journal, 0, "a")
    incident(journal, 86_400, "b")
    data = ["--data", str(tmp_path)]
    assert main(["report", *data, "--language", "zh"]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert "每位操作员每 10 分钟" in out
    assert "数据不足 30 天" in out
    assert main(["report", *data, "--json"]) == 0
    made = msgspec.json.decode(capsysbinary.readouterr().out, type=AlarmReport)
    assert made.alarms == 4
    assert main(["cases", *data, "--like", "b2"]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert "alike by" in out
    assert "kind gas.toxic" in out
    assert main(["cases", *data, "--like", "nothing"]) == 2
    assert main(["report", *data, "--from", "yesterday"]) == 2
    assert main(["report", "--data", str(tmp_path / "none")]) == 2
