"""The exchange behind the uplink: its cursor, restarts, mended settings."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import AsyncClock, RealClock
from frontend_api.exchange import aq
from frontend_api.exchange.outbox import DEAD, QUEUED
from frontend_api.exchange.service import Exchange
from frontend_api.exchange.settings import FOLDER, NAME
from tests.unit.exchange.conftest import BUNDLE, TEXT, Told


def opened(data: Path, text: str = TEXT) -> Exchange:
    (data / FOLDER).mkdir(parents=True, exist_ok=True)
    (data / FOLDER / NAME).write_text(text, "utf-8")
    made = Exchange(data, AsyncClock(RealClock()))
    made.arm(BUNDLE)
    return made


def a_day() -> Told:
    told = Told()
    for number in range(4):
        permit = told.issue(f"P{number}")
        told.hold(permit, f"H{number}", "guardian")
        told.release(permit, f"H{number}")
        told.close(permit)
    return told


DAY = a_day()


@given(st.lists(st.integers(0, 16), max_size=6), st.booleans())
@settings(max_examples=25)
def test_restarts_anywhere_owe_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], clean: bool
) -> None:
    """What is owed is derived from the journal, whoever died when (R13)."""
    data = tmp_path_factory.mktemp("hub")
    for cut in [*sorted(cuts), len(DAY.envelopes)]:
        service = opened(data)
        for envelope in DAY.envelopes[:cut]:
            if envelope.seq > service.folded():
                service.take(envelope)
        if clean:
            service.close()
        else:
            service.outbox.close()  # killed: nothing was kept but the cursor
    service = opened(data)
    letters = [(x.kind, x.id, x.updated, x.body) for x in service.outbox.listed(QUEUED)]
    service.outbox.close()
    assert letters == [(o.kind, o.id, o.updated, o.body) for o in DAY.owed]


def test_mended_settings_tell_what_was_kept_back(tmp_path: Path) -> None:
    """A kind without a type is kept and raised; the mend tells it as it stands."""
    told = Told()
    permit = told.issue()
    told.hold(permit, "H1", "gas")
    service = opened(tmp_path, TEXT.replace("types: {confined: '70'}", ""))
    for envelope in told.envelopes:
        service.take(envelope)
    assert service.outbox.counts() == {DEAD: 2}
    assert service.faults()["dead"] == "2"
    service.close()
    service = opened(tmp_path)
    assert service.mend()
    (letter,) = service.outbox.listed(QUEUED)
    assert letter.id == aq.uuid_of("ticket", permit)
    assert b'"TICKETSTATUS":"6"' in letter.body
    assert service.faults()["dead"] == ""
    service.close()


def test_journal_that_was_set_back_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A restored backup: the old cursor is not trusted, and a person hears of it."""
    service = opened(tmp_path)
    for envelope in DAY.envelopes:
        service.take(envelope)
    service.behind(2, 3)
    assert service.faults()["journal"] == "16 > 3"
    assert service.folded() == 0
    for envelope in DAY.envelopes[:4]:
        service.take(envelope)
    assert service.outbox.counts() == {QUEUED: len(DAY.owed)}
    service.close()
    assert "set back" in capsys.readouterr().err


def test_what_waits_too_long_is_a_fault(tmp_path: Path) -> None:
    service = opened(tmp_path, TEXT.rstrip() + "\n  late_s: 0.000001\n")
    assert service.faults()["late"] == ""
    service.take(DAY.envelopes[0])
    assert service.faults()["late"]
    service.close()


def test_bad_settings_end_the_process_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"settings\.yaml:1:"):
        opened(tmp_path, "nonsense: 1")
