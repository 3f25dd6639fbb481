"""How the kit's findings are printed."""

import unicodedata
from collections.abc import Iterable

from integrations.runtime.kit.result import GRADES, STEPS, Report, Result, rank

_WORDS = {"ok": "ok", "failed": "FAILED", "not_applicable": "not applicable"}


def line(result: Result) -> str:
    """Return one check's line."""
    needed = result.grade or result.step
    time = f"{result.seconds:5.1f} s" if result.seconds else "       "
    word = _WORDS[result.outcome]
    why = f"  {result.why}" if result.why else ""
    return f"  {padded(result.check, 29)} {needed:<9} {time}  {word}{why}"


def summary(report: Report) -> str:
    """Return the last lines of one integration's report."""
    verdict = "holds" if report.holds else "DOES NOT HOLD"
    return (
        f"{report.name}: reached {report.grade or 'no grade'}"
        f" {report.step or '(no safety step)'},"
        f" stated {report.stated_grade} {report.stated_step}: {verdict}"
        f" ({report.seconds:.0f} s)"
    )


def table(reports: Iterable[Report]) -> str:
    """Return a line for each integration, and what keeps it from the next grade."""
    rows = [
        ("integration", "stated", "reached", "time", ""),
        *(
            (
                each.name,
                f"{each.stated_grade} {each.stated_step}",
                f"{each.grade or 'none'} {each.step}".strip(),
                f"{each.seconds:.0f} s",
                "" if each.holds else "DOES NOT HOLD",
            )
            for each in reports
        ),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    return "\n".join(
        "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=False))
        + f"  {row[4]}".rstrip()
        for row in rows
    )


def lacks(report: Report) -> list[Result]:
    """Return the failed checks that keep it from what its manifest states."""
    grade, step = (
        rank(GRADES, report.stated_grade),
        rank(STEPS, report.stated_step),
    )
    return [
        each
        for each in report.results
        if each.outcome == "failed"
        and (
            0 < rank(GRADES, each.grade) <= grade or 0 < rank(STEPS, each.step) <= step
        )
    ]


def padded(text: str, width: int) -> str:
    """Return text filled to a width as a terminal counts it."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return text + " " * max(0, width - len(text) - wide)
