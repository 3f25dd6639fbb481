"""Dates, numbers and names as people type them; nothing is guessed (row 1.64)."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend_api.ledgers import cells
from frontend_api.ledgers.cells import FIRST, LAST, BadCell
from tests.unit.ledgers.people import NUMBERS, PHONES, TODAY, WRITTEN, number, wide
from tests.unit.ledgers.people import written as write

DAYS = st.dates(FIRST, LAST)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(),
    st.text(st.sampled_from("0123456789０１.-/年月日 Xx,eE+")),
)


@given(DAYS, st.sampled_from(WRITTEN), st.booleans())
def test_a_day_is_read_in_every_form(day: date, form: str, full: bool) -> None:
    text = write(day, form)
    assert cells.day(wide(text) if full else text) == day


@given(DAYS)
def test_excels_serials_are_days(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    assert cells.day(serial) == cells.day(float(serial)) == day
    if serial >= 10_000:
        assert cells.day(str(serial)) == day
    since_1904 = (day - date(1904, 1, 1)).days
    assert cells.day(since_1904, from_1904=True) == day
    assert cells.day(datetime(day.year, day.month, day.day, 8)) == day  # noqa: DTZ001


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("2026年2月30日", "ledger.no_such_day"),
        ("2026.13.1", "ledger.no_such_day"),
        ("2026年3月", "ledger.no_date"),
        ("26.3.1", "ledger.no_date"),
        ("3/1/2026", "ledger.no_date"),
        ("2026-3.1", "ledger.no_date"),
        ("长期", "ledger.no_date"),
        ("1900-01-01", "ledger.date_out_of_range"),
        ("20260231", "ledger.no_such_day"),
        ("#REF!", "ledger.no_date"),
        (True, "ledger.no_date"),
        (float("nan"), "ledger.no_date"),
        (-1, "ledger.no_date"),
        (1e300, "ledger.no_date"),
    ],
)
def test_a_day_that_is_not_certain_is_refused(said: cells.Cell, code: str) -> None:
    with pytest.raises(BadCell) as bad:
        cells.day(said)
    assert bad.value.code == code


@given(DAYS, st.integers(0, 4000), st.sampled_from(["至", "-", "~", "—", " 到 ", "–"]))
def test_both_days_of_a_span_are_read(start: date, length: int, mark: str) -> None:
    end = min(start + timedelta(days=length), LAST)
    for form in ("{y}.{m}.{d}", "{y}年{m}月{d}日"):
        assert cells.days(write(start, form) + mark + write(end, form)) == (start, end)
    if start < end:
        with pytest.raises(BadCell):
            cells.days(write(end, "{y}.{m}.{d}") + "至" + write(start, "{y}.{m}.{d}"))


@given(CELLS)
def test_parsers_answer_anything_with_a_value_or_a_reason(cell: cells.Cell) -> None:
    """Every cell ends in a plain value within its bounds, or in a code."""
    for parse in (cells.day, cells.days, cells.name, cells.number, cells.phone):
        try:
            found = parse(cell)
        except BadCell as bad:
            assert bad.code.startswith("ledger.")
        else:
            assert found
    try:
        assert len(cells.id_number(cell, TODAY)) == 18
    except BadCell as bad:
        assert bad.code.startswith("ledger.id_")


@given(st.text(st.sampled_from("0123456789")))
def test_full_width_digits_are_narrowed(digits: str) -> None:
    assert cells.text(wide(digits)) == digits


@given(NUMBERS, st.booleans())
def test_a_true_identity_number_is_taken(true: str, full: bool) -> None:
    told = wide(true).lower() if full else f" {true[:6]} {true[6:14]} {true[14:]} "
    assert cells.id_number(told, TODAY) == true


@given(NUMBERS, st.integers(0, 17), st.sampled_from("0123456789"))
def test_no_single_wrong_digit_passes(true: str, at: int, digit: str) -> None:
    """ISO 7064: one changed character is always seen."""
    wrong = true[:at] + digit + true[at + 1 :]
    if wrong != true:
        with pytest.raises(BadCell):
            cells.id_number(wrong, TODAY)


@given(NUMBERS, st.integers(0, 16))
def test_no_swapped_neighbours_pass(true: str, at: int) -> None:
    swapped = true[:at] + true[at + 1] + true[at] + true[at + 2 :]
    if swapped != true:
        with pytest.raises(BadCell):
            cells.id_number(swapped, TODAY)


@given(NUMBERS)
def test_what_excel_made_of_a_number_is_refused(true: str) -> None:
    """Identity numbers that Excel damaged are refused with the reason."""
    digits = true.replace("X", "0")
    kept = int(f"{int(digits):.14e}".replace(".", "").partition("e")[0]) * 1000
    for damaged in (
        float(digits),
        int(digits),
        kept,
        str(kept),
        f"{float(digits):.5E}",
        f"{float(digits):.14e}",
    ):
        with pytest.raises(BadCell) as bad:
            cells.id_number(damaged, TODAY)
        assert bad.value.code == "ledger.id_damaged"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (number()[:15], "ledger.id_old"),
        (number()[:17], "ledger.id_form"),
        ("", "ledger.id_form"),
        ("E12345678", "ledger.id_form"),
        (number(born="20270101"), "ledger.id_birthday"),
        (number(born="18991231"), "ledger.id_birthday"),
        (number(born="19900231"), "ledger.id_birthday"),
        (number()[:17] + "0", "ledger.id_checksum"),
        (number(region="190101"), "ledger.id_region"),
        ("①" * 18, "ledger.id_checksum"),
    ],
)
def test_a_wrong_identity_number_says_what_is_wrong(said: str, code: str) -> None:
    with pytest.raises(BadCell) as bad:
        cells.id_number(said, TODAY)
    assert bad.value.code == code


@given(PHONES)
def test_a_phone_is_read_in_its_usual_forms(digits: str) -> None:
    shown = f"{digits[:3]}-{digits[3:7]}-{digits[7:]}"
    for told in (digits, int(digits), float(digits), shown, f"+86 {digits}"):
        assert cells.phone(told) == digits
    assert cells.phone(wide(digits)) == digits


@pytest.mark.parametrize("said", ["1.38E+10", "1380013800", "12345678901", "abc", ""])
def test_a_wrong_phone_is_refused(said: str) -> None:
    with pytest.raises(BadCell):
        cells.phone(said)


def test_names_lose_their_padding_and_keep_their_words() -> None:
    assert cells.name("张　伟") == cells.name(" 张 伟 ") == "张伟"
    assert cells.name("阿依古丽·买买提") == "阿依古丽·买买提"
    assert cells.name("John  O'Neil") == "John O'Neil"
    for wrong in ("", "张3", "=1+1", "合计：", None, 5):
        with pytest.raises(BadCell):
            cells.name(wrong)
