"""A zone's sheet of causes and effects on paper: what was shown, by whom, and when."""

from datetime import UTC, datetime

from frontend_api.commissioning import SheetRowView, StepTickView, ZoneSheetView
from frontend_api.names import text
from frontend_api.paper.fonts import Fonts
from frontend_api.paper.sheet import Cell, Sheet, label
from frontend_api.views import Text

#: Share of the first column, and millimetres of a row.
_NAME, _ROW, _HEAD = 2.0, 11.0, 7.0
_MINUTE = "%Y-%m-%d %H:%M"


def zone_pages(
    fonts: Fonts, shown: ZoneSheetView, language: str, now: datetime
) -> bytes:
    """Return the PDF of one zone's sheet, on as many pages as it needs."""
    title = f"{_say(text('commission.sheet'), language)} {_say(shown.names, language)}"
    sheet = Sheet(fonts, language, title, now)
    _begin(sheet, shown, language, title)
    for row in shown.rows:
        if sheet.left() < 3 * _ROW:
            _begin(sheet, shown, language, title)
        sheet.row(_cells(row, language), _ROW, 7.5)
    sheet.y += 3.0
    sheet.row(
        [
            label(_say(text("commission.sheet.signed"), language)),
            Cell(_signed(shown, language), 3.0),
            label(_say(text("commission.sheet.print"), language)),
            Cell(shown.sheet, 2.0),
        ],
        _HEAD,
    )
    return sheet.data()


def _begin(sheet: Sheet, shown: ZoneSheetView, language: str, title: str) -> None:
    """Begin a page with what stands above every table."""
    sheet.page()
    sheet.text(title, 14.0, bold=True)
    state = _say(text(f"commission.state.{shown.state}"), language)
    sheet.text(f"{state}: {shown.done}/{shown.total}", 10.0)
    sheet.y += 2.0
    steps = shown.rows[0].steps if shown.rows else []
    names = [label(_say(each.names, language)) for each in steps]
    first = label(_say(text("commission.sheet.detector"), language), _NAME)
    sheet.row([first, *names], _HEAD, 8.0)


def _cells(row: SheetRowView, language: str) -> list[Cell]:
    name = f"{_say(row.device, language)} · {_say(row.names, language)}"
    return [
        Cell(name, _NAME, bold=True),
        *(Cell(_done(each, language), align="C") for each in row.steps),
    ]


def _done(step: StepTickView, language: str) -> str:
    if not step.done:
        return "—"
    said = [_time(step.at_ms)]
    by = step.by
    journal = text("commission.sheet.journal")
    said.append(_say(by if by is not None else journal, language))
    if step.value is not None:
        said.append(f"{step.value:g}" if isinstance(step.value, float) else "")
    return "✓ " + " ".join(each for each in (*said, step.note) if each)


def _signed(shown: ZoneSheetView, language: str) -> str:
    if shown.signed_by is None:
        return "—"
    return f"{_say(shown.signed_by, language)} {_time(shown.signed_ms)}"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime(_MINUTE) + "Z"


def _say(said: Text, language: str) -> str:
    return said.zh if language == "zh" else said.en
