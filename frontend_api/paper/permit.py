"""A permit as one A4 page with the common fields of GB 30871-2022 annex A."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core import texts
from core.clock import NS
from core.config import Bundle
from core.permits.events import GasTest
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from frontend_api.paper import filled
from frontend_api.paper.fonts import Fonts
from frontend_api.paper.form import Form
from frontend_api.paper.history import PastHold
from frontend_api.paper.seal import Seal, Sealer, fingerprint
from frontend_api.paper.sheet import HEIGHT, MARGIN, USABLE, Cell, Sheet, label

_GAS_ROWS = 5
_QR_MM = 33.0
_FOOT_MM = 15.0
_SIGN_MM = 8.6


class Place(NamedTuple):
    """Say where the journal stood when the sheet was printed."""

    seq: int
    head: bytes


class Facts(NamedTuple):
    """Hold all that stands on the page; ``permit`` None makes a blank form."""

    bundle: Bundle
    form: Form
    permit: PermitRecord | None
    holds: Sequence[str]
    """Why the permit is held, as sentences."""
    number: str
    place: Place
    printed_ns: int
    note: str = ""
    """Such as the reprint's reason."""
    lain: Sequence[PastHold] = ()
    """Every hold that ever lay on it."""
    why: filled.Why = lambda code, _params: code


class PermitPage:
    """Draw one page."""

    def __init__(self, sheet: Sheet, facts: Facts, sealer: Sealer, language: str):
        self._sheet, self._facts, self._sealer = sheet, facts, sealer
        self._language = language
        self._zone = ZoneInfo(facts.bundle.site.time_zone)

    def draw(self) -> str:
        """Draw the page; returns the line in its QR code."""
        self._sheet.page()
        line = self._sealer.line(self._seal())
        self._header(line)
        self._common()
        if self._facts.form.gas:
            self._gas()
        self._measures()
        self._signatures()
        self._footer()
        return line

    def _say(self, code: str, **params: object) -> str:
        return texts.render(f"paper.{code}", params, self._language)

    def _seal(self) -> Seal:
        facts, permit = self._facts, self._facts.permit
        until = 0
        if permit is not None:
            until = (permit.valid.start_wall_ns + permit.valid.duration_ns) // NS
        return Seal(
            kind="permit" if permit else "blank",
            id=permit.id if permit else facts.number,
            version=permit.version if permit else 0,
            until_s=until,
            seq=facts.place.seq,
            head=facts.place.head,
            printed_s=facts.printed_ns // NS,
        )

    # --- head -----------------------------------------------------------------

    def _header(self, line: str) -> None:
        sheet, top = self._sheet, self._sheet.y
        wide = USABLE - _QR_MM - 2
        right = MARGIN + USABLE - _QR_MM
        sheet.qr(line, right, top - 2, _QR_MM)
        site = self._facts.bundle.site.names
        names = site.zh if self._language == "zh" else site.en
        sheet.text(names, 9, box=(MARGIN, top, wide, 4.5))
        title = self._facts.form.title
        sheet.text(title, 19, box=(MARGIN, top + 4.5, wide, 10), bold=True)
        number = self._say("number", number=self._facts.number)
        sheet.text(number, 9, box=(MARGIN, top + 15, wide, 4.5), bold=True)
        green = " / ".join(texts.render("paper.green", {}, x) for x in ("zh", "en"))
        sheet.pdf.set_line_width(0.5)
        sheet.pdf.rect(MARGIN, top + 20, wide, 6)
        sheet.text(green, 9, box=(MARGIN, top + 20, wide, 6), bold=True, align="C")
        self._status((MARGIN, top + 26, wide, 4.6))
        sheet.pdf.set_line_width(0.2)
        sheet.y = top + _QR_MM - 1.6

    def _status(self, box: tuple[float, float, float, float]) -> None:
        permit = self._facts.permit
        if permit is None:
            text = self._say("blank")
        else:
            code = f"status.{'paper' if permit.life.blank else permit.status}"
            if f"paper.{code}" not in texts.catalogue():
                code = "status.other"
            text = self._say(code, status=permit.status)
            if self._facts.holds:
                text += self._say("because", why="; ".join(self._facts.holds))
        if self._facts.note:
            text += f"  {self._facts.note}"
        loud = permit is not None and permit.status is not PermitStatus.ACTIVE
        if loud:
            self._sheet.pdf.set_fill_color(0)
            self._sheet.pdf.rect(*box, style="F")
            self._sheet.pdf.set_text_color(255)
        self._sheet.text(text, 9, box=box, bold=loud, align="C")
        self._sheet.pdf.set_text_color(0)

    # --- common fields --------------------------------------------------------

    def _common(self) -> None:
        facts, row = self._facts, self._pair
        p = facts.permit
        unit = (p.life.unit or self._firm(p.issuer_id)) if p else ""
        row("unit", unit, "issued", self._issued())
        self._one("content", p.title if p else "", 8)
        row("place", self._place(), "kind", self._kind())
        crew = [p.supervisor_id, *p.workers] if p else []
        firm = next(filter(None, map(self._firm, crew)), "")
        firm = (p.life.company if p else "") or firm
        row("working_unit", firm, "leader", self._person(p.supervisor_id if p else ""))
        guardian, issuer = (p.guardian_id, filled.approver_of(p)) if p else ("", "")
        row("guardian", self._person(guardian), "issuer", self._person(issuer))
        workers = self._join(map(self._person, p.workers)) if p else ""
        self._one("workers", workers, 8)
        self._extras()
        if self._facts.form.linked:
            self._one("linked", self._join(p.linked) if p else "", 6)
        self._one("risk", filled.hazards(p) if p else "", 6)
        if p is not None and p.life.blank:
            said = self._say("from_blank", blank=p.life.blank, why=p.life.reason)
            self._one("paper_form", said, 6, bold=True)
        self._one("validity", self._validity(), 6, bold=True)
        if facts.lain:
            lain = filled.holds(facts.lain, facts.why, self._words())
            self._one("holds", lain, 8)

    def _extras(self) -> None:
        """Draw the form's own fields, two a row; what nobody told stays blank."""
        permit = self._facts.permit
        told = permit.life.fields if permit is not None else {}
        extras = list(self._facts.form.extras)
        for at in range(0, len(extras), 2):
            cells: list[Cell] = []
            pair = extras[at : at + 2]
            for name, said in pair:
                wide = 71 if len(pair) == 2 else 166
                value = told.get(name, "")
                text = "、".join(map(str, value)) if isinstance(value, tuple) else value
                cells += [label(said, 24), Cell(str(text), wide)]
            self._sheet.row(cells, 6)

    def _pair(self, first: str, one: str, second: str, two: str) -> None:
        cells = (
            label(self._say(first), 24),
            Cell(one, 71),
            label(self._say(second), 24),
            Cell(two, 71),
        )
        self._sheet.row(cells, 6)

    def _one(self, name: str, text: str, height: float, *, bold: bool = False) -> None:
        cells = (label(self._say(name), 24), Cell(text, 166, bold))
        self._sheet.row(cells, height)

    def _join(self, parts: "Sequence[str] | map[str]") -> str:
        return ("、" if self._language == "zh" else ", ").join(parts)

    def _person(self, person_id: str) -> str:
        names = {person.id: person.name for person in self._facts.bundle.people}
        return names.get(person_id, person_id)

    def _firm(self, person_id: str) -> str:
        firms = {person.id: person.company for person in self._facts.bundle.people}
        return firms.get(person_id, "")

    def _place(self) -> str:
        permit = self._facts.permit
        for zone in self._facts.bundle.site.zones:
            if permit is not None and zone.id == permit.zone_id:
                return zone.names.zh if self._language == "zh" else zone.names.en
        return permit.zone_id if permit else ""

    def _kind(self) -> str:
        permit = self._facts.permit
        for kind in self._facts.bundle.permit_kinds:
            if permit is not None and kind.id == permit.kind:
                return kind.names.zh if self._language == "zh" else kind.names.en
        return permit.kind if permit else ""

    def _issued(self) -> str:
        permit = self._facts.permit
        issued = permit.issued_wall_ns if permit else 0
        return self._time(issued) if issued else ""

    def _validity(self) -> str:
        permit = self._facts.permit
        if permit is None:
            return self._say(
                "span", since=self._say("moment"), until=self._say("moment")
            )
        start = permit.valid.start_wall_ns
        return self._say(
            "span",
            since=self._time(start),
            until=self._time(start + permit.valid.duration_ns),
        )

    def _time(self, wall_ns: int) -> str:
        moment = datetime.fromtimestamp(wall_ns // NS, self._zone)
        return moment.strftime("%Y-%m-%d %H:%M")

    # --- gas, measures, signatures --------------------------------------------

    def _gas(self) -> None:
        shares = (30, 26, 36, 24, 40, 34)
        names = ("gas", "value", "sampled", "passed", "meter", "analyst")
        heads = [label(self._say(n), s) for n, s in zip(names, shares, strict=True)]
        self._sheet.row(heads, 5, 8)
        rows: list[tuple[str, ...]] = [self._gas_row(test) for test in self._tests()]
        if self._facts.permit is not None and self._facts.permit.life.pack:
            rows = list(filled.tests(self._facts.permit, self._words())[-_GAS_ROWS:])
        rows += [("",) * len(shares)] * (_GAS_ROWS - len(rows))
        for cells in rows:
            drawn = [Cell(t, s, align="C") for t, s in zip(cells, shares, strict=True)]
            self._sheet.row(drawn, 5, 8)

    def _tests(self) -> list[GasTest]:
        """Return the newest test of each meter and gas, at most what has room."""
        permit = self._facts.permit
        if permit is None:
            return []
        newest: dict[tuple[str, str], GasTest] = {}
        held = [test for hold in permit.holds.values() for test in hold.tests]
        for test in (*permit.tests, *held):
            newest[test.quantity, test.entity_id] = test
        return list(newest.values())[-_GAS_ROWS:]

    def _gas_row(self, test: GasTest) -> tuple[str, ...]:
        name = self._quantity(test.quantity)
        value = "—" if test.value is None else f"{test.value:g} {test.unit}"
        passed = self._say("yes" if test.passed else "no")
        how = self._say("typed") if test.typed else self._say("by_meter")
        when = self._time(test.measured_wall_ns) if test.measured_wall_ns else "—"
        return name, value, when, passed, how, ""

    def _quantity(self, quantity: str) -> str:
        for each in self._facts.bundle.quantities:
            if each.id == quantity:
                return each.names.zh if self._language == "zh" else each.names.en
        return quantity

    def _words(self) -> filled.Words:
        return filled.Words(self._language, self._person, self._time, self._quantity)

    def _measures(self) -> None:
        measures = self._facts.form.measures
        shares = (10, 118, 24, 38)
        names = ("no_", "measure", "involved", "confirmed")
        self._sheet.row(
            [label(self._say(n), s) for n, s in zip(names, shares, strict=True)], 5, 8
        )
        room = self._sheet.left() - _FOOT_MM - self._signature_rows() * _SIGN_MM
        height = min(max(room / max(len(measures), 1), 3.0), 9.0)
        for number, text in enumerate(measures, 1):
            texts_ = (str(number), text, *self._mark(number))
            aligns = "CLCC"
            cells = [
                Cell(t, s, align=a)
                for t, s, a in zip(texts_, shares, aligns, strict=True)
            ]
            self._sheet.row(cells, height, 7.5)

    def _mark(self, number: int) -> tuple[str, str]:
        permit, ids = self._facts.permit, self._facts.form.measure_ids
        if permit is None or number > len(ids):
            return self._say("yes_no"), ""
        return filled.mark(permit, ids[number - 1], self._words())

    def _signature_rows(self) -> int:
        return (len(self._facts.form.signatures) + 1) // 2

    def _signatures(self) -> None:
        names = [*self._facts.form.signatures]
        lines = [self._line(at) for at in range(len(names))]
        lines += [""] * (len(names) % 2)
        names += [""] * (len(names) % 2)
        room = self._sheet.left() - _FOOT_MM
        height = min(max(room / self._signature_rows(), 6.0), 14.0)
        for at in range(0, len(names), 2):
            cells: list[Cell] = []
            for name, line in zip(names[at : at + 2], lines[at : at + 2], strict=True):
                cells += [label(name, 30), Cell(line, 65, align="R")]
            self._sheet.row(cells, height, 8)

    def _line(self, at: int) -> str:
        """Return a signature as it was given, or the line to give it on."""
        permit, slots = self._facts.permit, self._facts.form.slots
        if permit is None or at >= len(slots):
            return self._say("signed")
        given = filled.signature(permit, slots[at], self._words())
        return given or self._say("signed")

    # --- foot -----------------------------------------------------------------

    def _footer(self) -> None:
        facts, y = self._facts, HEIGHT - MARGIN - _FOOT_MM + 1.5
        version = facts.permit.version if facts.permit else 0
        lines = (
            self._say("clause", clause=facts.form.clause),
            self._say("head", seq=facts.place.seq, head=facts.place.head.hex()),
            self._say(
                "seal",
                key=fingerprint(self._sealer.public),
                version=version,
                printed=self._time(facts.printed_ns),
            ),
            self._say("verify"),
        )
        for line in lines:
            self._sheet.text(line, 7, box=(MARGIN, y, USABLE, 3.4))
            y += 3.4


def print_pages(
    fonts: Fonts, pages: Sequence[Facts], sealer: Sealer, language: str
) -> tuple[bytes, list[str]]:
    """Return a PDF with one page per entry, and the lines of their QR codes."""
    first = pages[0]
    zone = ZoneInfo(first.bundle.site.time_zone)
    moment = datetime.fromtimestamp(first.printed_ns // NS, zone)
    title = f"{first.form.title} {first.number}"
    sheet = Sheet(fonts, language, title, moment)
    lines = [PermitPage(sheet, facts, sealer, language).draw() for facts in pages]
    return sheet.data(), lines
