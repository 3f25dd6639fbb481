"""Say what an import would do, and why it refuses rows, to people."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from core import texts
from core.registry.files import write_whole
from frontend_api.ledgers.apply import Change
from frontend_api.ledgers.plan import Plan, Reject

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def preview(plan: Plan, changes: Iterable[Change], language: str) -> str:
    """Return what happens to whom: names, and only the end of a number."""
    lines = []
    for change in changes:
        rows = ",".join(map(str, change.rows))
        cards = ", ".join(f"{c.trade} → {c.valid_to}" for c in change.cards)
        what = "new" if change.new else "renewed" if change.record else "known"
        facts = {
            "rows": rows,
            "name": change.fields.name,
            "tail": change.fields.id_number[-4:],
            "company": change.company or "—",
            "person": change.person_id,
            "cards": cards or "—",
            "what": texts.render(f"ledger.is_{what}", {}, language),
        }
        lines.append(texts.render("ledger.line", facts, language))
    counts: dict[str, int | str] = {
        "sheet": plan.sheet,
        "accepted": len(plan.entries),
        "refused": len(plan.refused_rows()),
        "blank": plan.blank,
    }
    lines.append(texts.render("ledger.sum", counts, language))
    return "\n".join(lines) + "\n"


def rejects_csv(rejects: Iterable[Reject]) -> str:
    """Return the reject list: row, column, code, and the reason in both languages."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["行 row", "列 column", "code", "原因", "reason"])
    for reject in rejects:
        said = [texts.render(reject.code, reject.params, one) for one in ("zh", "en")]
        cells = [str(reject.row), reject.column, reject.code, *said]
        writer.writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write the reject list for this user alone, as Excel opens it; raises OSError."""
    path = Path(os.path.abspath(path))
    write_whole(path, b"\xef\xbb\xbf" + rejects_csv(rejects).encode())


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a ledger's words for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
