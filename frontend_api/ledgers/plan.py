"""What an import would do: every row of a ledger is accepted or refused."""

from collections.abc import Callable
from datetime import date

import msgspec

from frontend_api.ledgers import cells
from frontend_api.ledgers.cells import BadCell, Cell
from frontend_api.ledgers.mapping import Header, Mapping, find
from frontend_api.ledgers.sheet import Row, Sheet

Text = str


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold one card as the ledger tells it; days are ISO dates."""

    trade: Text
    kind: Text
    card_no: Text
    valid_to: Text
    valid_from: Text = ""
    review_by: Text = ""
    issuer: Text = ""


class Fields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold a person's personal fields: what goes into the vault."""

    name: Text
    id_number: Text
    phone: Text = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one accepted row; ``row`` counts from 1, as the spreadsheet shows it."""

    row: int
    fields: Fields
    company: Text = ""
    person_id: Text = ""
    card: Card | None = None


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """Say which cell of which row is refused, and why by a code of core.texts."""

    row: int
    column: Text
    code: Text
    params: dict[str, str | int] = {}


class Holding(msgspec.Struct, kw_only=True):
    """Tell what the site has on file of one person."""

    person_id: Text
    fields: Fields
    company: Text = ""
    cards: dict[tuple[str, str, str], str] = {}
    """(trade, number, last day) → why it was withdrawn, or ''."""


class Known(msgspec.Struct, kw_only=True):
    """Tell what the site knows; empty when only a file is checked."""

    by_number: dict[Text, Holding] = {}
    """Identity number → holding."""
    persons: dict[Text, tuple[str, str]] = {}
    """Person id → (name, company) of those of the configuration."""
    ended: frozenset[str] = frozenset()
    """Companies whose work here has ended."""
    erased: frozenset[str] = frozenset()


class Plan(msgspec.Struct, kw_only=True):
    """Hold the outcome: accepted entries, refusals, and rows without anything."""

    sheet: Text
    entries: list[Entry]
    rejects: list[Reject]
    blank: int = 0

    def refused_rows(self) -> list[int]:
        """Return the numbers of the rows that are refused."""
        return sorted({reject.row for reject in self.rejects})


def make(mapping: Mapping, sheets: list[Sheet], known: Known, today: date) -> Plan:
    """Judge every row below the header; raises LedgerError without a header."""
    sheet, header = find(mapping, sheets)
    reader = _Reader(mapping, header, sheet.from_1904, today)
    plan = Plan(sheet=sheet.name, entries=[], rejects=[])
    judge = _Judge(known, header)
    for number, row in enumerate(sheet.rows[header.first_row :], header.first_row + 1):
        if not any(cells.text(cell) for cell in row):
            plan.blank += 1
            continue
        entry, rejects = reader.read(number, row)
        if entry is not None and not rejects:
            rejects = judge.judge(entry)
        if entry is not None and not rejects:
            plan.entries.append(entry)
        plan.rejects += rejects
    return plan


class _Reader:
    """Turn one row into an entry, or into all that is wrong with it."""

    def __init__(
        self, mapping: Mapping, header: Header, from_1904: bool, today: date
    ) -> None:
        self._mapping, self._header = mapping, header
        self._today = today
        self._row, self._number = Row(), 0
        self._rejects: list[Reject] = []
        day = lambda cell: cells.day(cell, from_1904=from_1904).isoformat()  # noqa: E731
        self._parsers: dict[str, Callable[[Cell], str]] = {
            "name": cells.name,
            "id_number": lambda cell: cells.id_number(cell, today),
            "phone": cells.phone,
            "card_no": cells.number,
            "person_id": cells.person_id,
            "valid_from": day,
            "valid_to": day,
            "review_by": day,
        }

    def read(self, number: int, row: Row) -> tuple[Entry | None, list[Reject]]:
        """Return the row's entry, or None and why not."""
        self._row, self._number, self._rejects = row, number, []
        fields = Fields(
            name=self._get("name"),
            id_number=self._get("id_number"),
            phone=self._get("phone"),
        )
        entry = Entry(
            row=number,
            fields=fields,
            company=self._get("company"),
            person_id=self._get("person_id"),
            card=self._card(),
        )
        if self._rejects:
            return None, self._rejects
        return entry, []

    def _card(self) -> Card | None:
        told = [f for f in ("trade", "card_no", "valid_to") if self._cell(f)]
        trade = self._mapping.columns.get("trade")
        if not told and not self._cell("valid_range"):
            # A person of a roster without a card; a ledger of cards needs one.
            if trade is None or not trade.required:
                return None
        start, end = self._get("valid_from"), self._get("valid_to")
        if not end and self._cell("valid_range"):
            start, end = self._range(start)
        card = Card(
            trade=self._get("trade", needed=True),
            kind=self._get("kind") or "other",
            card_no=self._get("card_no", needed=True),
            valid_from=start,
            valid_to=end,
            review_by=self._get("review_by"),
            issuer=self._get("issuer"),
        )
        self._check_days(card)
        return card

    def _range(self, start: str) -> tuple[str, str]:
        try:
            first, last = cells.days(self._cell("valid_range"))
        except BadCell as bad:
            self._refuse("valid_range", bad.code, **bad.params)
            return start, ""
        return first.isoformat(), last.isoformat()

    def _check_days(self, card: Card) -> None:
        field = "valid_to" if "valid_to" in self._header.at else "valid_range"
        if not card.valid_to:
            if not any(r.column == self._shown(field) for r in self._rejects):
                self._refuse(field, "ledger.no_end")
        elif card.valid_from > card.valid_to:
            self._refuse(field, "ledger.range_crossed", value=card.valid_to)
        elif card.valid_to < self._today.isoformat():
            self._refuse(field, "ledger.card_expired", value=card.valid_to)

    def _cell(self, field: str) -> Cell:
        at = self._header.at.get(field)
        cell = self._row[at] if at is not None and at < len(self._row) else None
        return cell if cells.text(cell) else None

    def _get(self, field: str, *, needed: bool = False) -> str:
        cell = self._cell(field)
        column = self._mapping.columns.get(field)
        if cell is None:
            default = self._mapping.defaults.get(field, "")
            if not default and (needed or (column is not None and column.required)):
                self._refuse(field, "ledger.empty")
            return default
        try:
            return self._parsers.get(field, self._coded(field))(cell)
        except BadCell as bad:
            self._refuse(field, bad.code, **bad.params)
            return ""

    def _coded(self, field: str) -> Callable[[Cell], str]:
        table = self._mapping.values.get(field)

        def parse(cell: Cell) -> str:
            said = cells.text(cell)
            if table is None:
                return said[:80]
            found = table.get(cells.head(cell))
            if found is not None:
                return found
            if field == "company":
                return said[:80]
            raise BadCell("ledger.value_unknown", value=said[:40], mapping=field)

        return parse

    def _shown(self, field: str) -> str:
        column = self._mapping.columns.get(field)
        return self._header.heads.get(field) or (column.heads[0] if column else field)

    def _refuse(self, field: str, code: str, **params: str | int) -> None:
        self._rejects.append(
            Reject(
                row=self._number, column=self._shown(field), code=code, params=params
            )
        )


class _Judge:
    """Hold each entry against the rows before it and against the site."""

    def __init__(self, known: Known, header: Header) -> None:
        self._known, self._heads = known, header.heads
        self._held = {h.person_id for h in known.by_number.values()}
        self._numbers: dict[tuple[str, str], str] = {
            (trade, card_no): number
            for number, held in known.by_number.items()
            for trade, card_no, _ in held.cards
        }
        """(trade, card number) → identity number of its holder on this site."""
        self._people: dict[str, Entry] = {}
        self._cards: dict[tuple[str, str], Entry] = {}
        self._ids: dict[str, str] = {}

    def judge(self, entry: Entry) -> list[Reject]:
        """Return what speaks against an entry; remember one that stands."""
        found = [*self._in_file(entry), *self._on_site(entry)]
        if found:
            return found[:1]
        self._people.setdefault(entry.fields.id_number, entry)
        if entry.person_id:
            self._ids[entry.person_id] = entry.fields.id_number
        if entry.card is not None:
            self._cards[entry.card.trade, entry.card.card_no] = entry
        return []

    def _in_file(self, entry: Entry) -> list[Reject]:
        first = self._people.get(entry.fields.id_number)
        if first is not None:
            field = _differs(entry, first)
            if field:
                return [self._no(entry, field, "ledger.differs", row=first.row)]
            if entry.card is None:
                row = first.row
                return [self._no(entry, "id_number", "ledger.duplicate", row=row)]
        elif self._ids.get(entry.person_id, "") and entry.person_id:
            return [self._no(entry, "person_id", "ledger.id_taken")]
        if entry.card is not None:
            other = self._cards.get((entry.card.trade, entry.card.card_no))
            if other is not None:
                row = other.row
                return [self._no(entry, "card_no", "ledger.duplicate", row=row)]
        return []

    def _on_site(self, entry: Entry) -> list[Reject]:
        known = self._known
        if entry.company in known.ended:
            return [self._no(entry, "company", "company.ended", company=entry.company)]
        if entry.person_id in known.erased:
            return [self._no(entry, "person_id", "person.erased", person="")]
        held = known.by_number.get(entry.fields.id_number)
        if held is not None:
            if held.fields.name != entry.fields.name:
                return [self._no(entry, "name", "ledger.name_on_site")]
            if entry.person_id not in ("", held.person_id):
                return [self._no(entry, "person_id", "ledger.id_on_site")]
        elif self._taken(entry):
            return [self._no(entry, "person_id", "ledger.id_taken")]
        return self._cards_on_site(entry)

    def _taken(self, entry: Entry) -> bool:
        """Say whether the row's person id is somebody else's on this site."""
        named = self._known.persons.get(entry.person_id)
        return entry.person_id in self._held or (
            named is not None and named[0] != entry.fields.name
        )

    def _cards_on_site(self, entry: Entry) -> list[Reject]:
        card, number = entry.card, entry.fields.id_number
        if card is None:
            return []
        if self._numbers.get((card.trade, card.card_no), number) != number:
            return [self._no(entry, "card_no", "ledger.card_of_another")]
        held = self._known.by_number.get(number)
        key = (card.trade, card.card_no, card.valid_to)
        if held is None or key not in held.cards:
            return []
        withdrawn = bool(held.cards[key])
        code = "ledger.card_withdrawn" if withdrawn else "ledger.card_on_site"
        return [self._no(entry, "card_no", code)]

    def _no(self, entry: Entry, field: str, code: str, **params: str | int) -> Reject:
        column = self._heads.get(field, field)
        return Reject(row=entry.row, column=column, code=code, params=params)


def _differs(entry: Entry, first: Entry) -> str:
    """Return the field in which two rows of one person contradict each other."""
    told = (
        ("name", entry.fields.name, first.fields.name),
        ("phone", entry.fields.phone, first.fields.phone),
        ("company", entry.company, first.company),
        ("person_id", entry.person_id, first.person_id),
    )
    return next((f for f, new, old in told if new and old and new != old), "")
