"""What people type into cells: dates, identity numbers, phones, names.

Each parser returns a plain value or raises BadCell with a code of core.texts;
nothing is guessed, as a wrong date or number would admit the wrong person.
"""

import re
import unicodedata
from datetime import date, datetime, timedelta

#: What a cell of a workbook or of a CSV file can hold.
Cell = str | int | float | bool | date | datetime | None

FIRST, LAST = date(1950, 1, 1), date(2100, 12, 31)
_SERIAL_ORIGIN, _SERIAL_1904 = date(1899, 12, 30), date(1904, 1, 1)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
#: Province codes of GB/T 2260; 9 leads the residence cards of foreigners.
_REGIONS = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9\d")
_DATES = (
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?"),
    re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?: ?00:00(?::00)?)?"),
    re.compile(r"(\d{4})(\d{2})(\d{2})"),
)
_RANGE = re.compile(r"\s*(?:至|到|~|—+|–)\s*")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[Ee]\+?\d+")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]+")


class BadCell(ValueError):
    """A cell says nothing that can be trusted; ``code`` tells why."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def text(cell: Cell) -> str:
    """Return a cell as plain text: full-width forms narrowed, edges trimmed."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    plain = unicodedata.normalize("NFKC", str(cell))
    kept = [c for c in plain if c.isspace() or unicodedata.category(c)[0] != "C"]
    return " ".join("".join(kept).split())


def head(cell: Cell) -> str:
    """Return a column's head in the form in which heads are compared."""
    return re.sub(r"[\s:*]", "", text(cell)).casefold()


def day(cell: Cell, *, from_1904: bool = False) -> date:
    """Return the day that a cell names."""
    if isinstance(cell, datetime):
        return _within(cell.date())
    if isinstance(cell, date):
        return _within(cell)
    if isinstance(cell, bool):
        raise BadCell("ledger.no_date", value=text(cell))
    if isinstance(cell, int | float):
        return _serial(cell, from_1904)
    plain = text(cell)
    squeezed = re.sub(r"\s*([年月日号./-])\s*", r"\1", plain)
    for form in _DATES:
        found = form.fullmatch(squeezed)
        if found:
            parts = [int(part) for part in found.groups() if part.isdigit()]
            return _made(plain, *parts)
    if re.fullmatch(r"\d{5}", plain):
        return _serial(int(plain), from_1904)
    raise BadCell("ledger.no_date", value=plain[:40])


def days(cell: Cell) -> tuple[date, date]:
    """Return both days of a cell such as 2023.3.1-2029.2.28."""
    plain = text(cell)
    parts = _RANGE.split(plain)
    if len(parts) == 1 and plain.count("-") == 1:
        parts = plain.split("-")
    if len(parts) != 2:
        raise BadCell("ledger.no_range", value=plain[:60])
    start, end = day(parts[0]), day(parts[1])
    if start > end:
        raise BadCell("ledger.range_crossed", value=plain[:60])
    return start, end


def _serial(number: float, from_1904: bool) -> date:
    if not 1 <= number <= 100_000:  # NaN is neither
        compact = text(number)
        if re.fullmatch(r"\d{8}", compact):
            return day(compact)
        raise BadCell("ledger.no_date", value=compact[:40])
    if from_1904:
        return _within(_SERIAL_1904 + timedelta(days=int(number)))
    # Excel's 1900 calendar has a day that never was: 60, the 29th of February.
    return _within(_SERIAL_ORIGIN + timedelta(days=int(number)))


def _made(plain: str, year: int, month: int, of_month: int) -> date:
    try:
        return _within(date(year, month, of_month))
    except ValueError as wrong:
        if isinstance(wrong, BadCell):
            raise
        raise BadCell("ledger.no_such_day", value=plain[:40]) from None


def _within(found: date) -> date:
    if not FIRST <= found <= LAST:
        raise BadCell("ledger.date_out_of_range", value=found.isoformat())
    return found


def id_number(cell: Cell, today: date | None = None) -> str:
    """Return an 18-character identity number, its last character checked.

    A number cell is refused whatever it shows: Excel keeps 15 digits and turns
    the rest into zeros, and the checksum would catch that ten times in eleven.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        raise BadCell("ledger.id_damaged")
    plain = text(cell).replace(" ", "").replace("-", "").lstrip("'`").upper()
    if _SCIENTIFIC.fullmatch(plain):
        raise BadCell("ledger.id_damaged")
    if re.fullmatch(r"[0-9]{15}", plain):
        raise BadCell("ledger.id_old")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", plain):
        raise BadCell("ledger.id_form", length=len(plain))
    if plain.endswith("000"):
        raise BadCell("ledger.id_damaged")
    if checksum(plain) != plain[17]:
        raise BadCell("ledger.id_checksum")
    try:
        born = date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError:
        raise BadCell("ledger.id_birthday") from None
    if born.year < 1900 or (today is not None and born > today):
        raise BadCell("ledger.id_birthday")
    if not _REGIONS.fullmatch(plain[:2]):
        raise BadCell("ledger.id_region")
    return plain


def checksum(digits: str) -> str:
    """Return the last character that 17 digits demand (GB 11643, ISO 7064)."""
    total = sum(int(d) * w for d, w in zip(digits[:17], _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def phone(cell: Cell) -> str:
    """Return a phone number: mobile, or landline with its area code."""
    plain = text(cell)
    if _SCIENTIFIC.fullmatch(plain):
        raise BadCell("ledger.phone_damaged")
    plain = re.sub(r"[\s()]", "", plain)
    plain = re.sub(r"^(\+|00)?86-?(?=1)", "", plain)
    if _MOBILE.fullmatch(compact := plain.replace("-", "")):
        return compact
    if _LANDLINE.fullmatch(plain):
        return plain
    raise BadCell("ledger.phone_form")


def name(cell: Cell) -> str:
    """Return a person's name; spaces that only align Chinese names are dropped."""
    plain = text(cell)
    if not plain or any(c.isdigit() for c in plain) or len(plain) > 60:
        raise BadCell("ledger.no_name")
    joined = plain.replace(" ", "")
    if _HAN.fullmatch(joined):
        return joined
    if not all(c.isalpha() or c in " ·.'-" for c in plain):
        raise BadCell("ledger.no_name")
    return plain


def number(cell: Cell) -> str:
    """Return a card's number as text; one that Excel has rounded is refused."""
    if isinstance(cell, float) or (isinstance(cell, int) and abs(cell) >= 10**15):
        if not (isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15):
            raise BadCell("ledger.number_damaged")
    plain = text(cell).replace(" ", "").lstrip("'").upper()
    if _SCIENTIFIC.fullmatch(plain):
        raise BadCell("ledger.number_damaged")
    if not re.fullmatch(r"(?=.*[0-9])[0-9A-Z\u4e00-\u9fff()./_-]{2,40}", plain):
        raise BadCell("ledger.number_form")
    return plain


def person_id(cell: Cell) -> str:
    """Return a person's id as the site numbers its people."""
    plain = text(cell)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", plain):
        raise BadCell("ledger.person_id_form")
    return plain
