"""A site's calendar is data, and what is wrong in it is named (AQ 3064.2 5.10.8)."""

from pathlib import Path
from textwrap import dedent

import pytest

from automations.compile_site import compile_folder
from core.api.errors import ConfigError

SITE = "site: {id: s, names: {zh: 工地, en: Site}}\n"
GOOD = """
    calendar:
      known: {from: 2026-01-01, to: 2026-12-31}
      rest_days: [sat, sun]
      work_days: [2026-10-10, 2026-09-20]
      holidays:
        - {names: {zh: 国庆节, en: National Day}, from: 2026-10-01, to: 2026-10-07}
      special_periods:
        - {names: 进博会, from: "2026-11-05", to: "2026-11-10"}
"""


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    (tmp_path / "calendar.yaml").write_text(dedent(text), "utf-8")
    return tmp_path


def test_a_calendar_is_compiled(tmp_path: Path) -> None:
    calendar = compile_folder(folder(tmp_path, GOOD)).site.calendar
    assert calendar is not None
    assert (calendar.known_from, calendar.known_to) == ("2026-01-01", "2026-12-31")
    assert calendar.rest_days == (6, 7)
    assert calendar.work_days == ("2026-09-20", "2026-10-10")
    assert [(h.first, h.last) for h in calendar.holidays] == [
        ("2026-10-01", "2026-10-07")
    ]
    assert calendar.special_periods[0].names.en == "进博会"


def test_no_calendar_is_none(tmp_path: Path) -> None:
    assert compile_folder(folder(tmp_path, "")).site.calendar is None


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (
            "from: 2026-10-01, to: 2026-10-07",
            "from: 2026-10-09, to: 2026-10-07",
            "swap",
        ),
        ("from: 2026-01-01", "from: 2027-01-01", "swap"),
        ("[sat, sun]", "[sat, sunday]", "expected one of mon"),
        ("2026-09-20]", "'2026-09-31']", "no day"),
        ("known:", "knows:", "knows"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, good: str, bad: str, said: str) -> None:
    text = GOOD.replace(good, bad, 1)
    assert text != GOOD
    with pytest.raises(ConfigError, match=said) as caught:
        compile_folder(folder(tmp_path, text))
    assert "calendar.yaml:" in str(caught.value)
