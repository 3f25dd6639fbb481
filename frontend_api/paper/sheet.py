"""A page of bordered rows: text that always fits, tables, a QR code.

A statutory form must stay on its page, so text shrinks to its cell, and what
cannot fit even then ends in an ellipsis: the screen has it whole.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import WrapMode
from fpdf.fonts import TTFFont

from frontend_api.paper.fonts import SIMPLIFIED, Fonts

_FAMILY = "Noto"
#: Millimetres of a line, per point of type.
_LEADING = 0.46
_SMALLEST = 4.5
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 10.0
USABLE = WIDTH - 2 * MARGIN
_PAD = 0.7


class Cell(NamedTuple):
    """One cell: ``share`` of the row's width."""

    text: str
    share: float = 1.0
    bold: bool = False
    align: str = "L"
    shade: bool = False


def label(text: str, share: float = 1.0) -> Cell:
    """Return a cell that names its neighbour."""
    return Cell(text, share, align="C", shade=True)


class Sheet:
    """Draw pages of rows from top to bottom; ``y`` is where the next one begins."""

    def __init__(
        self, fonts: Fonts, language: str, title: str, moment: datetime
    ) -> None:
        # The subsetter tells its every step.
        logging.getLogger("fontTools").setLevel(logging.ERROR)
        self.pdf = FPDF(format="A4", unit="mm")
        self.pdf.set_auto_page_break(False)
        for style, file in (("", fonts.regular), ("B", fonts.bold)):
            self.pdf.add_font(_FAMILY, style, file, collection_font_number=SIMPLIFIED)
        self.pdf.set_title(title)
        self.pdf.set_lang("zh-CN" if language == "zh" else "en")
        self.pdf.set_creator("Safehold")
        self.pdf.set_creation_date(moment)
        self._wrap = WrapMode.CHAR if language == "zh" else WrapMode.WORD
        self.y = MARGIN

    def page(self) -> None:
        """Begin a page."""
        self.pdf.add_page()
        self.pdf.set_line_width(0.2)
        self.y = MARGIN

    def left(self) -> float:
        """Return the millimetres that are left on the page."""
        return HEIGHT - MARGIN - self.y

    def text(
        self,
        text: str,
        size: float,
        *,
        box: tuple[float, float, float, float] | None = None,
        bold: bool = False,
        align: str = "L",
    ) -> None:
        """Write into ``box`` (x, y, width, height), shrunk until it fits."""
        x, y, w, h = box or (MARGIN, self.y, USABLE, size * _LEADING)
        size, lines = self._fit(text, w, h, size, bold)
        step = size * _LEADING
        top = y + max((h - step * len(lines)) / 2, 0)
        self._font(size, bold)
        for number, line in enumerate(lines):
            self.pdf.set_xy(x, top + number * step)
            self.pdf.cell(w, step, line, align=align)
        if box is None:
            self.y += h

    def row(self, cells: Sequence[Cell], height: float, size: float = 8.5) -> None:
        """Draw one bordered row across the page."""
        whole = sum(cell.share for cell in cells)
        x = MARGIN
        for cell in cells:
            width = USABLE * cell.share / whole
            self.pdf.set_fill_color(236)
            self.pdf.rect(x, self.y, width, height, style="DF" if cell.shade else "D")
            inner = (x + _PAD, self.y + 0.2, width - 2 * _PAD, height - 0.4)
            self.text(cell.text, size, box=inner, bold=cell.bold, align=cell.align)
            x += width
        self.y += height

    def qr(self, line: str, x: float, y: float, side: float) -> None:
        """Draw a QR code with its quiet zone inside ``side``."""
        import segno

        code = segno.make(line, error="m", micro=False)
        quiet = 4
        step = side / (len(code.matrix) + 2 * quiet)
        self.pdf.set_fill_color(0)
        for down, bits in enumerate(code.matrix):
            across = 0
            while across < len(bits):
                run = across
                while run < len(bits) and bits[run]:
                    run += 1
                if run > across:
                    left = x + (across + quiet) * step
                    top = y + (down + quiet) * step
                    self.pdf.rect(left, top, (run - across) * step, step, style="F")
                across = run + 1

    def data(self) -> bytes:
        """Return the file's bytes."""
        data = bytes(self.pdf.output())
        for face in self.pdf.fonts.values():
            if isinstance(face, TTFFont):
                face.ttfont.close()  # else its file stays open until it is collected
        return data

    def _font(self, size: float, bold: bool) -> None:
        self.pdf.set_font(_FAMILY, "B" if bold else "", size)

    def _fit(
        self, text: str, width: float, height: float, size: float, bold: bool
    ) -> tuple[float, list[str]]:
        """Return the size at which the text fits, and its lines."""
        while True:
            self._font(size, bold)
            lines = self._lines(text, width)
            room = max(int(height / (size * _LEADING)), 1)
            if len(lines) <= room:
                return size, lines
            if size <= _SMALLEST:
                kept = lines[:room]
                kept[-1] = kept[-1][:-1] + "…"
                return size, kept
            size -= 0.5

    def _lines(self, text: str, width: float) -> list[str]:
        found = self.pdf.multi_cell(
            width, 1, text, dry_run=True, output="LINES", wrapmode=self._wrap
        )
        return [str(line) for line in found] if isinstance(found, list) else [""]
