"""Mapping files: which column of a site's ledger holds what, as data."""

from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from core.api import documents
from core.api.documents import Document
from core.api.said import Said
from frontend_api.ledgers import cells
from frontend_api.ledgers.sheet import LedgerError, Row, Sheet

SHIPPED = Path(__file__).parent / "mappings"
#: What a column can hold.
FIELDS = (
    *("name", "id_number", "phone", "company", "person_id"),
    *("trade", "kind", "card_no", "issuer"),
    *("valid_from", "valid_to", "valid_range", "review_by"),
)
CARD_KINDS = ("special_operation", "special_equipment", "other")
_CODE = r"^[a-z][a-z0-9_]{0,39}$"


class Column(msgspec.Struct, frozen=True):
    """Say under which heads a field stands, and whether a row needs it."""

    heads: tuple[str, ...]
    required: bool = False


class Mapping(msgspec.Struct, frozen=True):
    """Hold one checked mapping file."""

    id: str
    columns: dict[str, Column]
    values: dict[str, dict[str, str]]
    """Field → what the ledger says (as `cells.head` has it) → our code."""
    defaults: dict[str, str]
    sheet: str = ""
    header_rows: int = 1
    within: int = 20


class Header(msgspec.Struct, frozen=True):
    """Say where the rows begin and in which column each field stands."""

    first_row: int
    at: dict[str, int]
    heads: dict[str, str]


def _schema() -> vol.Schema:
    heads = vol.All([vol.All(str, vol.Length(min=1))], vol.Length(min=1))
    column = vol.Any(heads, {vol.Required("heads"): heads, "required": bool})
    code = vol.All(str, vol.Match(_CODE, msg="a code of a-z, 0-9 and _"))
    kind = vol.In(CARD_KINDS, msg=f"one of {', '.join(CARD_KINDS)}")
    text = vol.All(str, vol.Length(min=1))
    return vol.Schema(
        {
            vol.Required("ledger"): {
                vol.Required("id"): vol.All(str, vol.Match(r"^[a-z][a-z0-9-]{0,39}$")),
                vol.Required("names"): {
                    vol.Required("zh"): text,
                    vol.Required("en"): text,
                },
            },
            "sheet": text,
            "header": {
                "rows": vol.All(int, vol.Range(1, 3)),
                "within": vol.All(int, vol.Range(1, 100)),
            },
            vol.Required("columns"): {vol.In(FIELDS): column},
            "values": {
                "trade": {text: code},
                "kind": {text: kind},
                "company": {text: text},
            },
            "defaults": {"trade": code, "kind": kind, "company": text},
        }
    )


def load(name: str) -> Mapping:
    """Read a mapping by path, or a shipped one by its id; raises ConfigError."""
    shipped = SHIPPED / f"{name}.yaml"
    named = "/" not in name and "." not in name and shipped.is_file()
    return build(documents.read(shipped if named else Path(name)))


def build(document: Document) -> Mapping:
    """Check a document and return its mapping; raises ConfigError."""
    data: dict[str, Any] = document.check(_schema())
    columns = {
        field: Column(tuple(map(cells.head, given)))
        if isinstance(given, list)
        else Column(
            tuple(map(cells.head, given["heads"])), given.get("required", False)
        )
        for field, given in data["columns"].items()
    }
    for field in ("name", "id_number"):
        if field not in columns:
            raise document.error(
                ("columns",), Said("the column '{field}' is missing", field=field)
            )
        columns[field] = msgspec.structs.replace(columns[field], required=True)
    _check_heads(document, columns)
    trades = "trade" in columns or "trade" in data.get("defaults", {})
    ends = {"valid_to", "valid_range"} & set(columns)
    if trades and not (ends and "card_no" in columns):
        raise document.error(
            ("columns",), "cards need 'card_no', and 'valid_to' or 'valid_range'"
        )
    return Mapping(
        id=data["ledger"]["id"],
        columns=columns,
        values={
            field: {cells.head(said): code for said, code in table.items()}
            for field, table in data.get("values", {}).items()
        },
        defaults=data.get("defaults", {}),
        sheet=data.get("sheet", ""),
        header_rows=data.get("header", {}).get("rows", 1),
        within=data.get("header", {}).get("within", 20),
    )


def _check_heads(document: Document, columns: dict[str, Column]) -> None:
    seen: dict[str, str] = {}
    for field, column in columns.items():
        for head in column.heads:
            if seen.setdefault(head, field) != field:
                where = ("columns", field)
                raise document.error(
                    where,
                    Said("{head!r} stands for {seen} too", head=head, seen=seen[head]),
                )


def find(mapping: Mapping, sheets: list[Sheet]) -> tuple[Sheet, Header]:
    """Return the sheet and the place of its header; raises LedgerError."""
    best: list[str] = []
    for sheet in sheets:
        if mapping.sheet and cells.head(sheet.name) != cells.head(mapping.sheet):
            continue
        for number in range(min(mapping.within, len(sheet.rows))):
            header = _header(mapping, sheet.rows, number)
            missing = _missing(mapping, header)
            if not missing:
                return sheet, header
            if header.at and (not best or len(missing) < len(best)):
                best = missing
    if mapping.sheet and all(
        cells.head(s.name) != cells.head(mapping.sheet) for s in sheets
    ):
        raise LedgerError("ledger.no_sheet", sheet=mapping.sheet)
    needed = best or [c.heads[0] for c in mapping.columns.values() if c.required]
    raise LedgerError(
        "ledger.no_header", columns=", ".join(needed), within=mapping.within
    )


def _header(mapping: Mapping, rows: list[Row], number: int) -> Header:
    parts = rows[number : number + mapping.header_rows]
    width = max(map(len, parts), default=0)
    at: dict[str, int] = {}
    heads: dict[str, str] = {}
    above = ""
    for column in range(width):
        said = [cells.head(row[column]) for row in parts if column < len(row)]
        # A CSV file has no merged cells: an upper head stands over what follows.
        above = said[0] if said and said[0] else above if any(said) else ""
        said = [above, *said]
        names = list(dict.fromkeys(name for name in said if name))
        shown = "/".join(names)
        for field, wanted in mapping.columns.items():
            if field not in at and shown in wanted.heads:
                at[field], heads[field] = column, shown
    return Header(number + mapping.header_rows, at, heads)


def _missing(mapping: Mapping, header: Header) -> list[str]:
    return [
        column.heads[0]
        for field, column in mapping.columns.items()
        if column.required and field not in header.at
    ]
